// What an open page searches besides its table: prompts and answers, in a script beside the page that it loads for the
// first search. One call on each line, so that an answer is added without writing the others again.
import { cut } from "../model/cut.ts";
import { harmless, harmlessJson } from "./harmless.ts";
import { callOf, type TextPart } from "./wire/feed.ts";

/** For all tasks together, in characters: what a browser loads within about a second. */
const mostOfAll = 40_000_000;
/** For one task, in characters. */
const mostOfTask = 1_000_000;

/** How many characters of each task are searched, prompt and answer together. */
export function searchedCharacters(tasks: number): number {
  return Math.min(mostOfTask, Math.floor(mostOfAll / Math.max(1, tasks)));
}

/** The call that passes a text to the page, with its line feed. Its whole length shows how much was left out. */
export function textCall(
  task: number,
  part: TextPart,
  { text, limit }: { text: string; limit: number },
): string {
  // Reads twice as much, because runs of white space become one blank.
  const plain = harmless(text.slice(0, 2 * limit))
    .replace(/\s+/g, " ")
    .trim();
  const shown = cut(plain, limit);
  const isWhole = shown === plain && text.length <= 2 * limit;
  const parameters = [harmlessJson(task), harmlessJson(part), harmlessJson(shown)];
  return callOf("taskText", ...parameters, ...(isWhole ? [] : [harmlessJson(text.length)]));
}
