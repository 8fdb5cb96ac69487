// The reader's view of the table. Kept in the address, so that "back" and a bookmark restore it.
import { type ColumnKey, columns, filters } from "../wire/columns.ts";

export interface Choice {
  /** The search text. */
  q: string;
  /** Which tasks to show: one of the filters. */
  show: string;
  sort: ColumnKey;
  /** Whether the greatest come first. */
  isDown: boolean;
}

export const choice: Choice = { q: "", show: "", sort: "task", isDown: false };

/** Whether the rows are sorted other than by number. */
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
    // A browser may refuse this for a file. Then the choice lasts only as long as the page.
  }
}

/** Reads the choice from the address. "#t12" is a place in the page, not a choice. */
export function recall(): void {
  if (!location.hash.includes("=")) return;
  const words = new URLSearchParams(location.hash.slice(1));
  const show = words.get("show") ?? "";
  choice.q = words.get("q") ?? "";
  choice.show = filters.some((filter) => filter.show === show) ? show : "";
  choice.sort = columnOf(words.get("sort") ?? "");
  choice.isDown = Boolean(words.get("down"));
}

/** The column of this name; the number column if there is none. */
export function columnOf(name: string): ColumnKey {
  return columns.find(({ key }) => key === name)?.key ?? "task";
}
