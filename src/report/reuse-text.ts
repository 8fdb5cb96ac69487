// What was reused, and why the rest has to run, for people.
import type { Reused } from "../model/outcome.ts";
import type { MissReason } from "../model/reuse.ts";
import type { BatchState, TaskState } from "../model/state.ts";
import { givenCount } from "../model/summary.ts";
import { unreachable } from "../model/unreachable.ts";
import { countText, numberText, timeText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { type Door, optionName, wordedFor } from "./option-words.ts";

/** How many reasons are named. */
const mostReasons = 3;

/** How many tasks have the answer of another task, of an earlier batch or of this one. */
export function reusedCount(state: Pick<BatchState, "tasks">): number {
  return reusedOf(state).length;
}

function reusedOf({ tasks }: Pick<BatchState, "tasks">): Reused[] {
  return tasks.flatMap((task) => reusedBy(task) ?? []);
}

function reusedBy(task: TaskState): Reused | undefined {
  return task.status === "done" && task.outcome.kind === "succeeded" ? task.outcome.reused : undefined;
}

/** "the answer of task 3 of batch k2m4x7p9, of 14 May 2026, 12:30". */
export function reusedText({ batchId, task, key, at }: Reused): string {
  const which = key === undefined ? `task ${task}` : `task ${task} (${oneLine(key, 80)})`;
  return `the answer of ${which} of batch ${batchId}, of ${timeText(at)}`;
}

/**
 * "990 reused, 10 run: src/a.ts changed (2), src/b.ts changed. `--fresh` runs all again." Undefined if nothing was looked
 * for, or nothing had ever been remembered.
 */
export function reuseText(
  state: Pick<BatchState, "batch" | "tasks" | "missed">,
  door: Door,
): string | undefined {
  const given = givenCount(state.batch);
  const all = reusedOf({ tasks: state.tasks.slice(0, given) });
  const earlier = all.filter(({ batchId }) => batchId !== state.batch.batchId).length;
  const sentences = [
    earlierText(state, earlier, door),
    equalText(all.length - earlier),
    summaryReusedText(state.tasks.slice(given)),
  ];
  return sentences.filter((sentence) => sentence !== undefined).join(" ") || undefined;
}

function earlierText(
  { missed = [] }: Pick<BatchState, "missed">,
  earlier: number,
  door: Door,
): string | undefined {
  const groups = missed
    .filter(({ reason }) => reason.kind !== "fresh")
    .sort((one, other) => other.tasks.length - one.tasks.length);
  if (earlier === 0 && groups.every(({ reason }) => reason.kind === "new")) return undefined;
  const reasons = groups
    .slice(0, mostReasons)
    .map(
      ({ reason, tasks }) =>
        `${reasonText(reason, door)}${tasks.length > 1 ? ` (${numberText(tasks.length)})` : ""}`,
    );
  const run = groups.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const more = groups.length > mostReasons ? " …" : "";
  const rest = run === 0 ? "" : `, ${numberText(run)} run: ${reasons.join(", ")}${more}`;
  const again = earlier === 0 ? "" : ` \`${optionName(door, "fresh")}\` runs all again.`;
  return `${numberText(earlier)} reused${rest}.${again}`;
}

function equalText(count: number): string | undefined {
  if (count === 0) return undefined;
  return `${countText(count, "task")} got the answer of an equal task.`;
}

function summaryReusedText(summaries: readonly TaskState[]): string | undefined {
  const reused = summaries.filter((task) => reusedBy(task) !== undefined).length;
  if (reused === 0) return undefined;
  return reused === summaries.length
    ? "The summary is reused, too."
    : `Of the ${countText(summaries.length, "session")} for the summary, ${numberText(reused)} reused.`;
}

function reasonText(reason: MissReason, door: Door): string {
  switch (reason.kind) {
    case "new":
      return "new";
    case "changed":
      return `${oneLine(reason.what, 200)} changed`;
    case "not-remembered":
      return `not remembered because the session ${wordedFor(door, oneLine(reason.because, 300))}`;
    case "fresh":
      return "all are fresh";
    default:
      return unreachable(reason);
  }
}
