// What an open page searches beside its table: prompts and answers, as a script beside the page that it loads once somebody
// searches. One call a line, so that an answer is added without writing the others again.
import { cut } from "../model/cut.ts";
import { harmless, harmlessJson } from "./harmless.ts";

/** Of all tasks together, in characters: what a browser loads within about a second. */
const mostOfAll = 40_000_000;
/** Of one task, in characters. */
const mostOfTask = 1_000_000;

export type TextPart = "prompt" | "answer";

/** How many characters of prompt and answer together are searched of each task. */
export function searchedCharacters(tasks: number): number {
  return Math.min(mostOfTask, Math.floor(mostOfAll / Math.max(1, tasks)));
}

/** The call that hands a text to the page, with its line feed. What is left out of it is told by its whole length. */
export function textCall(
  task: number,
  part: TextPart,
  { text, limit }: { text: string; limit: number },
): string {
  // Twice as much is looked at, for runs of white space become one blank.
  const plain = harmless(text.slice(0, 2 * limit))
    .replace(/\s+/g, " ")
    .trim();
  const shown = cut(plain, limit);
  const isWhole = shown === plain && text.length <= 2 * limit;
  return `taskText(${task},"${part}",${harmlessJson(shown)}${isWhole ? "" : `,${text.length}`})\n`;
}
