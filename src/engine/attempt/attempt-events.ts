// What the log is told of an attempt.
import type { EventBody } from "../../model/event.ts";
import type { Canceller } from "../../model/outcome.ts";
import type { BatchState } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import type { HoldName } from "../../store/holds.ts";
import { concerns } from "../account/hold.ts";
import type { AttemptEnd } from "./attempt.ts";
import type { AttemptPlan } from "./plan-attempt.ts";
import type { Session } from "./session-host.ts";

/** How an attempt ended, as far as that is known: of one that never started, only the outcome. */
export type EndKnown = Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>;

/** A session has started, and has no prompt yet. */
export function startedEvent(task: number, plan: AttemptPlan, { ref }: Pick<Session, "ref">): EventBody {
  const { attempt, sessionId, resumes, anewBecause, costBefore, session } = plan;
  const { transcript, workingDirectory } = session;
  return {
    type: "attempt-started",
    task,
    attempt,
    identity: ref,
    sessionId,
    transcript,
    workingDirectory,
    ...(resumes ? { resumes } : {}),
    ...(anewBecause === undefined ? {} : { anewBecause }),
    ...(costBefore ? { costBefore } : {}),
  };
}

/** An attempt has ended; with a delay in milliseconds, the task is tried again. */
export function endedEvent(
  task: number,
  attempt: number,
  end: EndKnown,
  delayMs: number | undefined,
): EventBody {
  const { outcome, usage, leaked = [], sessionId, model, resumable, unsaved, remarks = [] } = end;
  return {
    type: "attempt-ended",
    task,
    attempt,
    outcome,
    ...(usage ? { usage } : {}),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(model === undefined ? {} : { model }),
    ...(leaked.length > 0 ? { leaked } : {}),
    ...(resumable ? { resumable } : {}),
    ...(unsaved ? { unsaved } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
    ...(delayMs === undefined ? {} : { retryAt: Date.now() + Math.round(delayMs) }),
  };
}

/** What a failure means for the other tasks, where `failureMode` says so. */
export function consequenceOf(
  { batch, cancelledBy, tasks }: BatchState,
  kind: string,
  failed: number,
): EventBody[] {
  if (kind === "succeeded" || kind === "cancelled" || cancelledBy || batch.failureMode === "continue")
    return [];
  if (batch.failureMode === "cancel") return [{ type: "cancel-requested", by: "failure-mode" }];
  return endOfQueue({ tasks }, "failure-mode", failed);
}

/** None of those starts any more that a hold concerns; `but` is about to end by itself. */
export function endOfHeld({ batch, tasks }: BatchState, { kind, model }: HoldName, but: number): EventBody[] {
  const held = tasks.filter(({ number }) => concerns({ model }, optionsOf(batch, number).model));
  return endOfQueue({ tasks: held }, "hold", but).map((event) => ({ ...event, access: kind }));
}

/** None of those that are queued starts any more; `but` is about to end by itself. */
export function endOfQueue({ tasks }: Pick<BatchState, "tasks">, by: Canceller, but?: number): EventBody[] {
  const queued = tasks.filter(({ status, number }) => status === "queued" && number !== but);
  return queued.length === 0
    ? []
    : [{ type: "cancel-requested", by, tasks: queued.map(({ number }) => number) }];
}

/** None of those that are queued can be started; they end as not started. */
export function notStarted({ tasks }: Pick<BatchState, "tasks">, message: string): EventBody[] {
  return tasks.flatMap(({ status, number }) =>
    status === "queued"
      ? [endedEvent(number, 0, { outcome: { kind: "not-started", message } }, undefined)]
      : [],
  );
}
