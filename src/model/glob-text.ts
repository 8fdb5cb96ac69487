// The texts of patterns for files.

/** The directories at the beginning of a pattern that have no special character, and the rest of it. */
export function fixedPart(pattern: string): { directory: string; rest: string } {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => /(?<!\\)[*?[\]{}!]/.test(part));
  const fixed = first < 0 ? parts.length - 1 : Math.min(first, parts.length - 1);
  return {
    directory: parts.slice(0, fixed).join("/").replaceAll(/\\(.)/g, "$1"),
    rest: parts.slice(fixed).join("/"),
  };
}

/** A path in which nothing has a special meaning for a pattern. */
export function literalPattern(path: string): string {
  return path.replaceAll(/[*?[\]{}!\\]/g, "\\$&");
}
