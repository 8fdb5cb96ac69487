// What is compared: the tasks of two batches, or the variants of one, as a table of rows and columns.
import type { BatchId } from "../../model/batch-id.ts";
import { matchingTasks } from "../../model/matching-tasks.ts";
import { prose } from "../../model/prose.ts";
import type { BatchState, TaskState } from "../../model/state.ts";
import type { StateWord } from "../../model/state-word.ts";
import { givenCount, givenTasks } from "../../model/summary.ts";
import { type Variants, variantsOf } from "../../model/variants.ts";
import type { Side } from "../../report/comparison.ts";
import { oneLine } from "../../report/harmless.ts";
import { labelOf } from "../../report/label.ts";
import { rounded } from "../../report/spending.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { stateWordOf } from "../../store/batch-status.ts";
import { type Context, UserError } from "../context.ts";
import { findBatch, rowOf } from "../find-batch.ts";

/** A task of a batch; `number` is 1-based. */
export interface Place {
  state: BatchState;
  task: TaskState;
}

/** A task in all columns. */
export interface Row {
  key: string;
  places: readonly (Place | undefined)[];
}

/** What is compared, before any answer was read. */
export interface Table {
  /** Whose tasks they are: the earlier and the later batch, or the one with variants. */
  batchIds: readonly BatchId[];
  columns: Side[];
  rows: Row[];
  /** Whether the columns are variants of one batch, in which nothing is new or gone. */
  isOfVariants: boolean;
  /** The batches that have not ended. */
  unended: readonly { batchId: string; word: StateWord; open: number }[];
}

/** The longest key of a task that has none, in characters. */
const longestLabel = 120;

/** Throws `UserError` if there is nothing to compare. */
export function tableOf(context: Context, batchId: string, other: string | undefined): Table {
  const before = findBatch(context, batchId);
  if (other === undefined) return variantTable(context, before);
  const after = findBatch(context, other);
  if (before.batchId === after.batchId) {
    const alone = variantsOf(before.state.batch)
      ? " To compare the variants in it, name it once."
      : " To compare two batches, name both.";
    throw new UserError(`Both are batch ${before.batchId}.${alone}`);
  }
  const matches = matchingTasks(before.state.batch, after.state.batch);
  if (matches.every(([one, two]) => one === undefined || two === undefined))
    throw new UserError(
      `Batches ${before.batchId} and ${after.batchId} have no task in common: no key and no prompt is in both.`,
    );
  const rows = matches.map(
    ([one, two]): Row => ({
      key: keyOf(after.state, two) ?? keyOf(before.state, one) ?? "",
      places: [placeOf(before.state, one), placeOf(after.state, two)],
    }),
  );
  return {
    batchIds: [before.batchId, after.batchId],
    columns: [before, after].map((log) => sideOf(context, log, givenTasks(log.state))),
    rows,
    isOfVariants: false,
    unended: [before, after].flatMap((log) => unendedOf(context, log)),
  };
}

function variantTable(context: Context, log: BatchLog): Table {
  const { state } = log;
  const variants = variantsOf(state.batch);
  if (!variants)
    throw new UserError(
      prose`Batch ${log.batchId} has no tasks that differ only in their options, such as the model. To compare it with another batch, name that too; ${{ do: "list" }} shows all batches.`,
    );
  return {
    batchIds: [log.batchId],
    columns: variants.columns.map((name, index) => ({
      ...sideOf(context, log, tasksIn(state, variants, index)),
      name,
    })),
    rows: variants.rows.map(({ key, tasks }) => ({
      key:
        key ??
        keyOf(
          state,
          tasks.find((number) => number !== undefined),
        ) ??
        "",
      places: tasks.map((number) => placeOf(state, number)),
    })),
    isOfVariants: true,
    unended: unendedOf(context, log),
  };
}

function tasksIn({ tasks }: BatchState, { rows }: Variants, column: number): TaskState[] {
  return rows.flatMap((row) => tasks[(row.tasks[column] ?? 0) - 1] ?? []);
}

function keyOf(state: BatchState, number: number | undefined): string | undefined {
  if (number === undefined) return undefined;
  return state.batch.tasks[number - 1]?.key ?? oneLine(labelOf(state, number), longestLabel);
}

function placeOf(state: BatchState, number: number | undefined): Place | undefined {
  const task = number === undefined ? undefined : state.tasks[number - 1];
  return task && { state, task };
}

function unendedOf(context: Context, log: BatchLog): Table["unended"] {
  const word = stateWordOf(rowOf(context, log));
  const open = givenTasks(log.state).filter(({ status }) => status !== "done").length;
  return open === 0 ? [] : [{ batchId: log.batchId, word, open }];
}

// The numbers of the tasks of a column. Only a whole batch has a time from its start to its end.
function sideOf(context: Context, log: BatchLog, tasks: readonly TaskState[]): Side {
  const { state } = log;
  const { batch } = state;
  const done = tasks.filter((task) => task.status === "done");
  const kinds = done.map(({ outcome }) => outcome.kind);
  const usages = done.flatMap(({ usage }) => usage ?? []);
  const count = (kind: string) => kinds.filter((one) => one === kind).length;
  const [succeeded, cancelled] = [count("succeeded"), count("cancelled")];
  const isWhole = tasks.length === givenCount(batch);
  return {
    name: batch.name ?? "",
    batchId: log.batchId,
    state: stateWordOf(rowOf(context, log)),
    tasks: tasks.length,
    succeeded,
    failed: done.length - succeeded - cancelled,
    cancelled,
    unfinished: tasks.length - done.length,
    costUsd: rounded(usages.reduce((sum, { costUsd }) => sum + costUsd, 0)),
    ...(usages.some(({ atLeast }) => atLeast) ? { costAtLeast: true } : {}),
    sessionMs: Math.round(usages.reduce((sum, { durationMs }) => sum + durationMs, 0)),
    ...(isWhole
      ? { elapsedMs: (state.endedAt ?? Math.max(Date.now(), state.changedAt)) - state.createdAt }
      : {}),
  };
}
