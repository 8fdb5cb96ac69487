// Finds a field in JSON that is not all there: the beginning of a line that is too long to be parsed whole.

/**
 * Where the string value of a field of the outermost object begins (behind its quote), also when the string or
 * the object does not end in `text`. Fields of inner objects do not count, nor does anything inside a string.
 */
export function beginOfString(text: string, field: string): number | undefined {
  const mark = `"${field}":"`;
  for (const at of outerStrings(text)) if (text.startsWith(mark, at)) return at + mark.length;
  return undefined;
}

/** Where each string of the outermost object begins (at its quote): its keys, and its values that are strings. */
export function* outerStrings(text: string): Generator<number> {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === '"') {
      if (depth === 1) yield at;
      const end = endOfString(text, at + 1);
      if (end === undefined) return;
      at = end;
    }
  }
}

/** Where a string ends (at its quote), from a place inside it. Every quote in it has a backslash before it. */
export function endOfString(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return undefined;
}
