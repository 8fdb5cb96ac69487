// Texts of several lines, for people: shortened between two lines, or indented as a whole.
import { beginningOf } from "../model/cut.ts";
import { countText } from "./amounts.ts";

/**
 * At most about `limit` characters (UTF-16 units): the whole lines that fit, and how many more there were. A first line
 * that is longer is cut inside, but never inside a character. The note comes on top of the limit.
 */
export function cutAtLine(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const beginning = beginningOf(text, limit);
  // The limit may be exactly at the end of a line.
  const end = text[beginning.length] === "\n" ? beginning.length : beginning.lastIndexOf("\n");
  if (end <= 0) return `${beginning}\n… and ${countText(text.length - beginning.length, "more character")}.`;
  const left = text
    .slice(end)
    .split("\n")
    .filter((line) => line.trim() !== "").length;
  const kept = text.slice(0, end).trimEnd();
  return left === 0 ? kept : `${kept}\n… and ${countText(left, "more line")}.`;
}

/** Every line after `indent`, instead of its own indentation. */
export function indented(text: string, indent: string): string {
  return text
    .split("\n")
    .map((line) => `${indent}${line.trim()}`.trimEnd())
    .join("\n");
}
