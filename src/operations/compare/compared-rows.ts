// What became of each task, and the order in which a reader wants to know it.
import type { DoneTask } from "../../model/state.ts";
import { type Change, changes } from "../../report/comparison.ts";
import { outcomeWord } from "../../report/outcome-words.ts";
import { isSameAnswer, unreadableReason } from "./answers.ts";
import type { Place, Row, Table } from "./sides.ts";

/** A row whose answers have been compared. */
export interface ComparedRow extends Row {
  change: Change;
  /** The columns whose answer differs from that of the first column; by index. */
  differing: ReadonlySet<number>;
  /** Why an answer cannot be read, by column. */
  unreadable: ReadonlyMap<number, string>;
}

/** How many rows to compare before others get their turn: a server has one thread for all calls. */
const rowsAtOnce = 100;

/** All rows, the most important ones first. */
export async function comparedRows({ rows, isOfVariants }: Table): Promise<ComparedRow[]> {
  const compared: ComparedRow[] = [];
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) await Bun.sleep(0);
    compared.push({ ...row, ...comparisonOf(row, isOfVariants) });
  }
  return compared.sort((one, other) => rankOf(one) - rankOf(other));
}

type Found = Pick<ComparedRow, "change" | "differing" | "unreadable">;

const nothingFound = { differing: new Set<number>(), unreadable: new Map<number, string>() };

function comparisonOf({ places }: Row, isOfVariants: boolean): Found {
  const [first, second] = places;
  if (!isOfVariants && !first) return { ...nothingFound, change: "new" };
  if (!isOfVariants && !second) return { ...nothingFound, change: "gone" };
  const done = places.map((place) => doneOf(place));
  const isOpen = places.some((place, index) => place && !done[index]);
  if (isOpen) return { ...nothingFound, change: "unfinished" };
  // An earlier answer that was given again is an answer like any other.
  const wordOf = (task: DoneTask) => (task.outcome.kind === "succeeded" ? "succeeded" : outcomeWord(task));
  const words = new Set(done.flatMap((task) => (task ? [wordOf(task)] : [])));
  const found = differencesIn(done);
  if (words.size > 1) return { ...found, change: "outcome" };
  return { ...found, change: found.differing.size + found.unreadable.size > 0 ? "changed" : "same" };
}

// Each answer against the first one that there is.
function differencesIn(done: readonly (DoneTask | undefined)[]): Omit<Found, "change"> {
  const base = done.find((task) => task?.outcome.kind === "succeeded");
  const differing = new Set<number>();
  const unreadable = new Map<number, string>();
  for (const [index, task] of done.entries()) {
    if (!base || !task || task === base || task.outcome.kind !== "succeeded") continue;
    try {
      if (!isSameAnswer(base, task)) differing.add(index);
    } catch {
      // A transcript was removed or damaged; which one, and why, is said of the column that has it.
      for (const [column, one] of done.entries()) {
        const reason = one && unreadableReason(one);
        if (reason !== undefined) unreadable.set(column, reason);
      }
    }
  }
  return { differing, unreadable };
}

/** The task, if it has ended. */
export function doneOf(place: Place | undefined): DoneTask | undefined {
  return place?.task.status === "done" ? place.task : undefined;
}

/** Whether it failed where the reader would look: in the last column of two batches, or in any variant. */
export function isFailed({ places }: Row, isOfVariants: boolean): boolean {
  const looked = isOfVariants ? places : places.slice(-1);
  return looked.some((place) => {
    const kind = doneOf(place)?.outcome.kind;
    return kind !== undefined && kind !== "succeeded" && kind !== "cancelled";
  });
}

// What failed comes before what did not, within each kind of change. The sort keeps the order of tasks.
function rankOf(row: ComparedRow): number {
  const isBad = row.places.some((place) => {
    const done = doneOf(place);
    return done !== undefined && done.outcome.kind !== "succeeded" && place === row.places.at(-1);
  });
  return 2 * changes.indexOf(row.change) + (isBad ? 0 : 1);
}
