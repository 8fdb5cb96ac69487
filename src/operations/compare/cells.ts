// A compared task as data: what each column says of it, and how the answers differ.
import { originalPrompt } from "../../model/variants.ts";
import type { Cell, ComparedTask } from "../../report/comparison.ts";
import type { FieldChange } from "../../report/diff/data-diff.ts";
import { diffText } from "../../report/diff/text-diff.ts";
import { outcomeWord } from "../../report/outcome-words.ts";
import { rounded } from "../../report/spending.ts";
import { differenceOf } from "./answers.ts";
import { type ComparedRow, doneOf } from "./compared-rows.ts";
import type { Place } from "./sides.ts";

/** The longest difference of one answer, in characters. */
const longestDifference = 20_000;

type Shown = Pick<Cell, "diff" | "fields" | "leftOut">;

/**
 * The differences of answers, each made once. Beyond a number of characters in all, only their beginnings are kept: ten
 * thousand answers may differ.
 */
export class Differences {
  readonly #known = new Map<ComparedRow, ReadonlyMap<number, Shown>>();
  #left: number;

  constructor(mostCharacters: number) {
    this.#left = mostCharacters;
  }

  /** Of one row, by column. */
  of(row: ComparedRow): ReadonlyMap<number, Shown> {
    const known = this.#known.get(row) ?? this.#made(row);
    this.#known.set(row, known);
    return known;
  }

  /** The characters that they take in an answer. */
  lengthOf(row: ComparedRow): number {
    return [...this.of(row).values()].reduce((sum, shown) => sum + lengthOf(shown), 0);
  }

  #made(row: ComparedRow): ReadonlyMap<number, Shown> {
    const done = row.places.map(doneOf);
    const base = done.find((task) => task?.outcome.kind === "succeeded");
    const made = new Map<number, Shown>();
    for (const column of row.differing) {
      const task = done[column];
      if (!base || !task || row.unreadable.size > 0) continue;
      const difference = differenceOf(base, task);
      const whole: Shown =
        difference.kind === "data" ? { fields: difference.fields } : { diff: diffText(difference.lines) };
      const shown = cutTo(whole, Math.min(longestDifference, Math.max(200, this.#left)));
      this.#left -= lengthOf(shown);
      made.set(column, shown);
    }
    return made;
  }
}

/** A row with at most this many characters of each difference. */
export function taskOf(row: ComparedRow, differences: Differences, characters: number): ComparedTask {
  const shown = differences.of(row);
  return {
    key: row.key,
    change: row.change,
    answers: row.places
      .map((place, column) => {
        const difference = shown.get(column);
        const unreadable = row.unreadable.get(column);
        return (
          place && {
            ...factsOf(place),
            ...(differsInPrompt(row, place) ? { promptDiffers: true } : {}),
            ...(row.differing.has(column) ? { differs: true } : {}),
            ...(difference ? cutTo(difference, characters) : {}),
            ...(unreadable === undefined ? {} : { unreadable }),
          }
        );
      })
      .map((cell) => cell ?? null),
  };
}

function factsOf({ task }: Place): Cell {
  if (task.status !== "done") return { taskIndex: task.number, outcome: task.status };
  const { outcome, usage, model } = task;
  return {
    taskIndex: task.number,
    outcome: outcomeWord(task),
    ...(usage ? { costUsd: rounded(usage.costUsd), durationMs: Math.round(usage.durationMs) } : {}),
    ...(model === undefined ? {} : { model }),
    ...(outcome.kind === "succeeded" ? { length: outcome.length } : {}),
  };
}

// Of tasks with the same key.
function differsInPrompt({ places }: ComparedRow, place: Place): boolean {
  const [first] = places;
  return first !== undefined && first !== place && promptOf(first) !== promptOf(place);
}

function promptOf({ state, task }: Place): string {
  const given = state.batch.tasks[task.number - 1];
  return given ? originalPrompt(given) : "";
}

function lengthOf({ diff = "", fields }: Shown): number {
  return diff.length + (fields ? JSON.stringify(fields).length : 0);
}

function cutTo(shown: Shown, characters: number): Shown {
  const length = lengthOf(shown);
  if (length <= characters) return shown;
  const kept: Shown =
    shown.fields === undefined
      ? { diff: beginning(shown.diff ?? "", characters) }
      : { fields: firstFields(shown.fields, characters) };
  return { ...kept, leftOut: (shown.leftOut ?? 0) + length - lengthOf(kept) };
}

function beginning(diff: string, characters: number): string {
  const end = diff.lastIndexOf("\n", characters);
  return diff.slice(0, Math.max(0, end > characters / 2 ? end : characters)).replace(/[\uD800-\uDBFF]$/, "");
}

function firstFields(fields: readonly FieldChange[], characters: number): FieldChange[] {
  let left = characters;
  return fields.filter((field) => {
    left -= JSON.stringify(field).length + 1;
    return left > 0;
  });
}
