// Tasks with the same prompt and options (`sameAs`): one of them runs, and its answer is that of all.
import type { Batch } from "../../model/event.ts";
import { isWithheld } from "../../model/sample.ts";
import { type BatchState, canRetry, type DoneTask, taskOf } from "../../model/state.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import type { EndKnown } from "../attempt/attempt-events.ts";

/** What to do with a queued task: start it, wait for one like it, or end it like that one. */
export type Step = { kind: "start" } | { kind: "wait" } | { kind: "end"; end: EndKnown };

/** What to do with a queued task now. `number` is 1-based. */
export function stepOf(state: BatchState, number: number): Step {
  const { batch, earlierEnds } = state;
  const before = equalsOf(batch, number)
    .filter((equal) => equal < number)
    .map((equal) => taskOf(state, equal))
    // One outside of a sample runs only when somebody continues the batch; nothing within it may wait for that.
    .filter((task) => !isWithheld(state, task));
  const done = before.filter((task) => task.status === "done");
  const answered = done.find(({ outcome }) => outcome.kind === "succeeded");
  if (answered) return { kind: "end", end: likeThat(batch, answered) };
  if (done.length < before.length) return { kind: "wait" };
  // A cancelled one says nothing about the others. One that failed before a retry of this one says nothing either: the
  // retry is meant to run it.
  const failed = done.find((task) => canRetry(task) && task.outcome.kind !== "cancelled");
  const isNew = failed && failed.endedAt > (earlierEnds.get(number)?.at(-1) ?? Number.NEGATIVE_INFINITY);
  return isNew ? { kind: "end", end: notLikeThat(failed) } : { kind: "start" };
}

/** The tasks that may have waited for this one: queued ones with the same prompt and options. */
export function waitingFor({ batch, tasks }: BatchState, number: number): number[] {
  return equalsOf(batch, number).filter((equal) => tasks[equal - 1]?.status === "queued");
}

// By the list of tasks, which stays the same except for the options that a retry changes.
const groups = new WeakMap<Batch["tasks"], Map<number, number[]>>();

/** All tasks with the same prompt and options, this one included; only this one if there is no other. */
function equalsOf({ tasks }: Batch, number: number): readonly number[] {
  let known = groups.get(tasks);
  if (!known) {
    known = new Map();
    for (const [index, { sameAs }] of tasks.entries()) {
      if (sameAs === undefined) continue;
      const group = known.get(sameAs) ?? [sameAs];
      group.push(index + 1);
      known.set(sameAs, group);
    }
    groups.set(tasks, known);
  }
  return known.get(tasks[number - 1]?.sameAs ?? number) ?? [number];
}

function likeThat(batch: Batch, { number, outcome, attempts, endedAt, model }: DoneTask): EndKnown {
  const attempt = attempts.at(-1);
  if (outcome.kind !== "succeeded" || !attempt)
    throw new Error(`Internal error: task ${number} has no answer`);
  const key = batch.tasks[number - 1]?.key;
  const { sessionId, transcript } = attempt;
  const own = {
    batchId: batch.batchId,
    task: number,
    ...(key === undefined ? {} : { key }),
    at: endedAt,
    sessionId,
    transcript,
  };
  return {
    outcome: { ...outcome, reused: outcome.reused ?? own },
    usage: { costUsd: 0, numTurns: 0, durationMs: 0 },
    ...(model === undefined ? {} : { model }),
  };
}

function notLikeThat({ number, outcome }: DoneTask): EndKnown {
  const message = `Task ${number}, which has the same prompt and options, ended without a result. ${outcomeText(outcome)}.`;
  return { outcome: { kind: "not-started", message } };
}
