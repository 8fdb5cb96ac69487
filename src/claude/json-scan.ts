// Reads JSON that may be incomplete: parses it, or finds a field in the beginning of a line too long to parse whole.

/**
 * Where the string value of a field of the outermost object begins (after its quote), even if the string or the object
 * does not end in `text`. Ignores fields of inner objects and the contents of strings.
 */
export function beginOfString(text: string, field: string): number | undefined {
  const mark = `"${field}":"`;
  for (const at of outerStrings(text)) if (text.startsWith(mark, at)) return at + mark.length;
  return undefined;
}

/** Where each string of the outermost object begins (at its quote): keys, and string values. */
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

/** Where a string ends (at its quote), from a place inside it. A quote inside has a backslash before it. */
export function endOfString(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return undefined;
}

/** Parses a text; undefined if it is not JSON, which the caller counts or shows. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
