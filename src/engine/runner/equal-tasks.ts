// Ends tasks like those with the same prompt and options (`sameAs`), of which one runs.
import { turnOf } from "../../model/equal-tasks.ts";
import type { Batch } from "../../model/event.ts";
import type { BatchState, DoneTask } from "../../model/state.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import type { EndKnown } from "../attempt/attempt-events.ts";

/** What to do with a queued task: start it, wait for one like it, or end it like that one. */
export type Step =
  | { kind: "start" }
  /** `task`: the one to wait for; 1-based. */
  | { kind: "wait"; task: number }
  | { kind: "end"; end: EndKnown };

/** What to do with a queued task now. `number` is 1-based. */
export function stepOf(state: BatchState, number: number): Step {
  const turn = turnOf(state, number);
  if (turn.kind === "run") return { kind: "start" };
  if (turn.kind === "wait") return turn;
  const { task } = turn;
  const isAnswer = task.outcome.kind === "succeeded";
  return { kind: "end", end: isAnswer ? likeThat(state.batch, task) : notLikeThat(task) };
}

function likeThat(batch: Batch, { number, outcome, attempts, endedAt, model, usage }: DoneTask): EndKnown {
  const attempt = attempts.at(-1);
  if (outcome.kind !== "succeeded" || !attempt)
    throw new Error(`Internal error: task ${number} has no answer`);
  const key = batch.tasks[number - 1]?.key;
  const { sessionId, transcript, offset, transcriptEnd } = attempt;
  const own = {
    batchId: batch.batchId,
    task: number,
    ...(key === undefined ? {} : { key }),
    at: endedAt,
    sessionId,
    transcript,
    ...(offset === undefined ? {} : { offset }),
    ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
  };
  const { denials = [] } = usage ?? {};
  return {
    outcome: { ...outcome, reused: outcome.reused ?? own },
    // What was denied to that session is why this answer may be incomplete, too.
    usage: { costUsd: 0, numTurns: 0, durationMs: 0, ...(denials.length > 0 ? { denials } : {}) },
    ...(model === undefined ? {} : { model }),
  };
}

function notLikeThat({ number, outcome }: DoneTask): EndKnown {
  const message = `Task ${number}, which has the same prompt and options, ended without a result. ${outcomeText(outcome)}.`;
  return { outcome: { kind: "not-started", message } };
}
