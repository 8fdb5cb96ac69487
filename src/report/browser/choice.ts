// What the reader has chosen to see of the table. It is kept in the address, so that "back" and a bookmark bring it back.
import { type ColumnKey, columns, filters } from "../wire/columns.ts";

export interface Choice {
  /** What is searched. */
  q: string;
  /** Which tasks are shown: one of the filters. */
  show: string;
  sort: ColumnKey;
  /** Whether the greatest come first. */
  isDown: boolean;
}

export const choice: Choice = { q: "", show: "", sort: "task", isDown: false };

/** Whether the rows stand in another order than that of their numbers. */
export function isSorted(): boolean {
  return choice.sort !== "task" || choice.isDown;
}

export function remember(): void {
  const words = new URLSearchParams();
  if (choice.q) words.set("q", choice.q);
  if (choice.show) words.set("show", choice.show);
  if (choice.sort !== "task") words.set("sort", choice.sort);
  if (choice.isDown) words.set("down", "1");
  try {
    history.replaceState(null, "", `#${words}`);
  } catch {
    // A browser may refuse this to a file. Then the choice lasts as long as the page does.
  }
}

/** Takes the choice from the address. "#t12" is a place in the page, and no choice. */
export function recall(): void {
  if (!location.hash.includes("=")) return;
  const words = new URLSearchParams(location.hash.slice(1));
  const show = words.get("show") ?? "";
  choice.q = words.get("q") ?? "";
  choice.show = filters.some((filter) => filter.show === show) ? show : "";
  choice.sort = columnOf(words.get("sort") ?? "");
  choice.isDown = Boolean(words.get("down"));
}

/** The column of this name; that of the numbers where there is none. */
export function columnOf(name: string): ColumnKey {
  return columns.find(({ key }) => key === name)?.key ?? "task";
}
