// What a page and its script share: ids, classes and `data-` attributes of elements. Imports neither Bun nor the browser.

/** Ids of elements in the pages of a batch, of a comparison and of a session. */
export const ids = {
  table: "task-table",
  /** The table of answers that are data. */
  data: "data-table",
  tools: "tools",
  search: "search",
  order: "order",
  shown: "shown",
  reach: "reach",
  nothing: "nothing",
  lanes: "lanes",
  mark: "mark",
  readout: "readout",
  said: "said",
  silence: "silence",
  compared: "compared",
  unfold: "unfold",
  fold: "fold",
  /** Of the page of a session: its upper end, its conversation, its lower end. */
  sessionHead: "session-head",
  talk: "talk",
  sessionFoot: "session-foot",
  /** Of a page that `ui` serves: what it says when nobody answers, and what became of an action. */
  away: "away",
  removed: "removed",
  acted: "acted",
  /** Of the list of all batches. */
  batches: "batches",
  none: "none",
  totals: "totals",
} as const;

/** Parts of a batch's page that change while it runs. */
export const partNames = [
  ...(["header", "dialogs", "summary", "progress", "timeline", "attention", "running"] as const),
  ...(["data", "about", "files", "others", "footer"] as const),
] as const;
export type PartName = (typeof partNames)[number];

export function partId(part: PartName): string {
  return `part-${part}`;
}

/** The id of a task's row in the table of all tasks, the target of links. */
export function rowId(task: number): string {
  return `t${task}`;
}

/** The id of a task's row in the table of answers. */
export function rowOfData(task: number): string {
  return `d${task}`;
}

/** The task whose row has this id; undefined for another id. */
export function taskOfRow(id: string): number | undefined {
  const number = /^t(\d+)$/.exec(id)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Names of `data-` attributes, without the prefix. Those of rows are short, because there are thousands. */
export const data = {
  /** Of a row: its sessions (`bars.ts`), its duration in milliseconds, its cost in US dollars. */
  bars: "b",
  lasted: "d",
  cost: "c",
  /** Of a button: which tasks it shows. */
  show: "show",
  /** Of the timeline: its length in milliseconds, and its number of slots. */
  span: "span",
  slots: "count",
  /** Of the footer: when the page was written, in milliseconds since 1970. */
  at: "at",
  /** Of a link: the distance of the neighbour. */
  step: "step",
  /** Of a button: the id of what it copies, or the text itself. */
  copy: "copy",
  text: "text",
  /** Of a button: the id of what it downloads, and as which file. */
  save: "save",
  name: "name",
  /** Of a compared task: what became of it. */
  change: "change",
  /** Of a button: what it does to the batch, and the tasks that it means. */
  act: "act",
  tasks: "tasks",
  /** Of such a button: what the fields of its dialog have at first, as JSON. */
  fields: "fields",
  /** Of a batch in the list of all: when it was created, in milliseconds since 1970, and how it stands. */
  created: "created",
  stands: "stands",
  /** Of an element whose contents only the script changes. */
  own: "own",
} as const;

/** A button that copies. It is there only if a script runs, which says so on the document. */
export const copiesClass = "copies";
export const scriptedClass = "scripted";

/** A link to the page of a task's sessions. */
export const sessionClass = "did";

/** The id of an attempt on the page of a session. */
export function attemptId(number: number): string {
  return `attempt-${number}`;
}

/** The id of a batch's row in the list of all. */
export function batchRowId(batchId: string): string {
  return `b-${batchId}`;
}

/** The drawing of the timeline. */
export const barsClass = "bars";

/** Facts from a batch's page to its script, as `data-` attributes of the document. */
export type LiveFacts = Record<"batch" | "feed" | "texts" | "searched", string> & { running: "yes" | "no" };

/** What the script of a served page needs to follow, and to act. */
interface Served {
  /** Where it hears of changes. */
  feed: string;
  /** What it shows already, in the words of its server. */
  mark: string;
  /** Sent with each action: no other page knows it. */
  key: string;
  /** The version of the program that made it. */
  program: string;
}

/** The same for the page of a batch that `ui` serves. */
export type ServedFacts = LiveFacts & Record<keyof Served, string>;

/** The same for the list of all batches. */
export type BatchesFacts = Record<"feed" | "mark" | "program", string>;

/** The same for a result page. */
export type ResultFacts = Record<"batch" | "feed" | "task", string>;

/** The same for a comparison. */
export type ComparisonFacts = Record<"compared", "yes">;

/** The same for the page of a session. */
export type SessionFacts = Record<"batch" | "feed", string> & { running: "yes" | "no" };
