// The contents of the files beside a batch's page. They are scripts, because a page from the file system may load nothing
// else; each line calls a function of the page's script.
import type { Act } from "./acts.ts";
import type { PartName } from "./marks.ts";

/** An update for an open page, which shows `parts` and `rows`, and announces some of the rest to a screen reader. */
export interface LiveUpdate<Markup = string> {
  batch: string;
  running: boolean;
  title: string;
  /** The hold in words; empty if there is none. */
  held: string;
  /** The kind of hold; empty if there is none. */
  hold: string;
  /** How many tasks have failed. */
  failed: number;
  /** How far the batch is, in a sentence. */
  words: string;
  parts: Record<PartName, Markup>;
  /** How often the file with the texts has been written. */
  texts: number;
  /** By task number. */
  rows: readonly Markup[];
}

/** What has changed of a batch since an open page last heard of it. */
export interface LiveChange<Markup = string> extends Omit<LiveUpdate<Markup>, "parts" | "rows"> {
  parts: Partial<Record<PartName, Markup>>;
  rows: readonly (readonly [task: number, html: Markup])[];
}

/** The same for a page that is served. */
export interface ServedChange<Markup = string> extends LiveChange<Markup> {
  /** The version of the program that serves it. Another one has other scripts. */
  program: string;
  /** What can be done to the batch now. */
  can: readonly Act[];
}

/** What has changed in the list of all batches. */
export interface BatchesChange<Markup = string> {
  program: string;
  totals: Markup;
  /** The ids of all batches in the list; undefined if they are the same as before. */
  all?: readonly string[] | undefined;
  rows: readonly (readonly [batchId: string, html: Markup])[];
}

/** An update for an open page of a session. */
export interface SessionUpdate<Markup = string> {
  batch: string;
  running: boolean;
  title: string;
  /** How the task stands, for a screen reader. */
  words: string;
  head: Markup;
  foot: Markup;
  /** The parts of the conversation in their order, each one element with its id. */
  blocks: readonly (readonly [id: string, html: Markup])[];
}

/** In the query of the address of a served companion: asks only whether the batch is still there. */
export const onlyWhether = "whether";

export type TextPart = "prompt" | "answer";

/** The functions that the files call. */
export interface PageCalls {
  liveUpdate(update: LiveUpdate): void;
  sessionUpdate(update: SessionUpdate): void;
  /** The batch of the session was removed. */
  sessionGone(): void;
  /** The last call for the same part of a task counts. With `wholeLength`, the text is only the beginning. */
  taskText(task: number, part: TextPart, text: string, wholeLength?: number): void;
}

/** A call of one of them, as a line of its file. `parameters` are JSON. */
export function callOf(name: keyof PageCalls, ...parameters: readonly string[]): string {
  return `${name}(${parameters.join(",")})\n`;
}
