// The table of all tasks: its columns, sort orders and filters.

/** The status of a task, as the class of its row. */
export type StatusClass = "ok" | "warn" | "bad" | "run" | "wait" | "off";

/** In the order of the cells. */
export const columns = [
  { key: "task", heading: "Task" },
  { key: "prompt", heading: "Prompt" },
  { key: "status", heading: "Status" },
  { key: "duration", heading: "Duration" },
  { key: "cost", heading: "Cost" },
] as const;

/**
 * The rows stand in bodies of this number, because a browser lays out only those bodies that are near what it shows. The last one
 * has the rest.
 */
export const rowsPerBody = 100;

/** Of a body that is full, so that its height is known before it is laid out. */
export const fullBodyClass = "full";

export type ColumnKey = (typeof columns)[number]["key"];

/** Appended to a column's key in the list of sort orders, for the greatest first. */
export const downSuffix = " down";

interface Filter {
  show: string;
  word: string;
  /** The rows that are shown; absent for all. */
  classes?: readonly StatusClass[];
}

/** In the order of likely use. */
export const filters: readonly Filter[] = [
  { show: "", word: "All" },
  { show: "failed", word: "Failed", classes: ["bad"] },
  { show: "denied", word: "Tools denied", classes: ["warn"] },
  { show: "running", word: "Running", classes: ["run"] },
  { show: "queued", word: "Queued", classes: ["wait"] },
  { show: "succeeded", word: "Succeeded", classes: ["ok", "warn"] },
  { show: "cancelled", word: "Cancelled", classes: ["off"] },
];
