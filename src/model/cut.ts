// Shortens a text for people.

/** The first `limit` characters (UTF-16 units), never half a character, with "…" if something was cut. */
export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${beginningOf(text, limit)}…`;
}

/** The same without "…". */
export function beginningOf(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "");
}
