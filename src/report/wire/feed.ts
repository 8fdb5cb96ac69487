// What is in the files beside the page of a batch. They are scripts, because a page from the file system may load nothing
// else; all they do is to call a function of the page's script.
import type { PartName } from "./marks.ts";

/** What an open page gets to know: it shows `parts` and `rows`, and says some of the rest to a screen reader. */
export interface LiveUpdate<Markup = string> {
  batch: string;
  running: boolean;
  title: string;
  /** The hold in words; empty where there is none. */
  held: string;
  /** What kind of hold it is; empty where there is none. */
  hold: string;
  /** How many tasks have failed. */
  failed: number;
  /** How the batch stands, in a sentence. */
  words: string;
  parts: Record<PartName, Markup>;
  /** How often the file with the texts has been written. */
  texts: number;
  /** In the order of the tasks. */
  rows: readonly Markup[];
}

export type TextPart = "prompt" | "answer";

/** The functions that the files call. */
export interface PageCalls {
  liveUpdate(update: LiveUpdate): void;
  /** Of the same part of a task, the last one counts. With `wholeLength`, the text is only the beginning. */
  taskText(task: number, part: TextPart, text: string, wholeLength?: number): void;
}

/** A call of one of them, as a line of its file. `parameters` are JSON. */
export function callOf(name: keyof PageCalls, ...parameters: readonly string[]): string {
  return `${name}(${parameters.join(",")})\n`;
}
