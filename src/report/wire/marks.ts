// What a page and its script agree on: ids, classes and `data-` attributes of elements. Read by both sides, so that this
// folder knows neither Bun nor the browser.

/** Ids of elements in the page of a batch. */
export const ids = {
  table: "task-table",
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
} as const;

/** Parts of the page of a batch that change as it goes on. */
export const partNames = [
  ...(["header", "progress", "timeline", "attention", "running"] as const),
  ...(["about", "files", "others", "footer"] as const),
] as const;
export type PartName = (typeof partNames)[number];

export function partId(part: PartName): string {
  return `part-${part}`;
}

/** The id of a task's row in the table of all tasks, to which links lead. */
export function rowId(task: number): string {
  return `t${task}`;
}

/** The task whose row has this id; nothing for another id. */
export function taskOfRow(id: string): number | undefined {
  const number = /^t(\d+)$/.exec(id)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Names of `data-` attributes, without the prefix. Those of rows are short, because there are thousands. */
export const data = {
  /** Of a row: its sessions (`bars.ts`), how long it lasted in milliseconds, what it cost in US dollars. */
  bars: "b",
  lasted: "d",
  cost: "c",
  /** Of a button: which tasks it shows. */
  show: "show",
  /** Of the timeline: its length in milliseconds, and how many slots it has. */
  span: "span",
  slots: "count",
  /** Of the footer: when the page was written, in milliseconds since 1970. */
  at: "at",
  /** Of a link: how far the neighbour is. */
  step: "step",
  /** Of a button: the id of what it copies. */
  copy: "copy",
} as const;

/** The drawing of the timeline. */
export const barsClass = "bars";

/** What the page of a batch says to its script, as `data-` attributes of the document. */
export type LiveFacts = Record<"batch" | "feed" | "texts" | "searched", string> & { running: "yes" | "no" };

/** The same of the page of a result. */
export type ResultFacts = Record<"batch" | "feed" | "task", string>;
