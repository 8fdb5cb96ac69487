// What one task of a template is about.

/** One item of a source. */
export interface Item {
  /** Unique in its batch. */
  key: string;
  /** What placeholders stand for, besides `index`. */
  values: Record<string, string>;
  /** Where it is written, for people: `rows.csv, line 3`. */
  place: string;
  /** How much there is to read, in bytes or characters. */
  size(): number;
}

/** The items of a source, or what is wrong with it. */
export interface Items {
  items: readonly Item[];
  /** The names that every item has values for, besides `index`. */
  names: readonly string[];
}

/** Longest text that is its own key, in characters. */
const longestKey = 200;

/** The key of an item that is a text: itself, if it is one short line. Otherwise its place, such as `line-3`. */
export function keyOfText(text: string, place: string): string {
  const key = text.trim();
  return key.length <= longestKey && !/\s{2}|[^\S ]|\p{Cc}/u.test(key) ? key : place;
}
