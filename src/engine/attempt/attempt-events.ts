// The events of an attempt for the log.
import { type CheckResult, failureLimit } from "../../model/checks.ts";
import { doomedBy, failedCount } from "../../model/doomed.ts";
import type { EventBody } from "../../model/event.ts";
import type { AttemptOutcome, Canceller } from "../../model/outcome.ts";
import { type Skipped, skippedFrom } from "../../model/prerequisites.ts";
import type { BatchState } from "../../model/state.ts";
import { givenCount, nextSummary, type SummaryMeans } from "../../model/summary.ts";
import { optionsOf } from "../../model/task-options.ts";
import { oneLine } from "../../report/harmless.ts";
import type { HoldName } from "../../store/holds.ts";
import { concerns } from "../account/hold.ts";
import type { AttemptEnd } from "./attempt.ts";
import type { AttemptPlan } from "./plan-attempt.ts";
import type { StartedSession } from "./session-pool.ts";

/** What is known of an attempt's end; if it never started, only the outcome. */
export type EndKnown = Pick<AttemptEnd, "outcome"> &
  Partial<AttemptEnd> & {
    /** What the checks of its answer found. */
    checks?: CheckResult[];
    /** The worker of a fleet that ran it. */
    worker?: string;
  };

/** A session has started, and has no prompt yet. */
export function startedEvent(
  task: number,
  plan: AttemptPlan,
  started: Pick<StartedSession, "plan"> & { session: Pick<StartedSession["session"], "ref"> },
): EventBody {
  const { attempt, resumes, anewBecause, costBefore } = plan;
  const { sessionId, startName, transcript, workingDirectory, offset } = started.plan;
  return {
    type: "attempt-started",
    task,
    attempt,
    identity: started.session.ref,
    sessionId,
    startName,
    transcript,
    ...(offset === undefined ? {} : { offset }),
    workingDirectory,
    ...(resumes ? { resumes } : {}),
    ...(anewBecause === undefined ? {} : { anewBecause }),
    ...(costBefore ? { costBefore } : {}),
  };
}

/** An attempt has ended. With a delay in milliseconds, the task is retried. */
export function endedEvent(
  task: number,
  attempt: number,
  end: EndKnown,
  delayMs: number | undefined,
): EventBody {
  const { outcome, usage, leaked = [], sessionId, model, resumable, unsaved, remarks = [] } = end;
  const { checks = [], transcriptEnd, worker, conversationCost } = end;
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
    ...(conversationCost ? { conversationCost } : {}),
    ...(unsaved ? { unsaved } : {}),
    ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
    ...(remarks.length > 0 ? { remarks } : {}),
    ...(checks.length > 0 ? { checks } : {}),
    ...(worker === undefined ? {} : { worker }),
    ...(delayMs === undefined ? {} : { retryAt: Date.now() + Math.round(delayMs) }),
  };
}

/** What the end of a task means for the others, according to `failureMode`, `failWhen` and `stopWhen`. */
export function consequencesOf(state: BatchState, outcome: AttemptOutcome, ended: number): EventBody[] {
  if (outcome.kind === "cancelled" || state.cancelledBy !== undefined) return [];
  return outcome.kind === "succeeded" ? whenFound(state, [outcome]) : whenFailed(state, ended);
}

/**
 * What it means that tasks have ended like this, as far as `stopWhen` is concerned: also for the last ones, because a batch
 * that has found enough has succeeded, whatever became of others.
 */
export function whenFound(
  { batch: { stopWhen }, tasks, hasFoundEnough }: BatchState,
  outcomes: readonly AttemptOutcome[],
): EventBody[] {
  if (!stopWhen || hasFoundEnough) return [];
  const counts = (outcome: AttemptOutcome) =>
    outcome.kind === "succeeded" && (!stopWhen.where || outcome.matched === true);
  const found = outcomes.filter(counts).length;
  const before = tasks.filter((task) => task.status === "done" && counts(task.outcome)).length;
  const isEnough = found > 0 && before + found >= stopWhen.found;
  return isEnough ? [{ type: "cancel-requested", by: "stop-when" }] : [];
}

function whenFailed(state: BatchState, failed: number): EventBody[] {
  const { tasks } = state;
  const { failureMode } = state.batch;
  const tooMany = whenTooManyFail(state, [failed]);
  if (tooMany.length > 0) return tooMany;
  if (failureMode === "continue") return [];
  if (failureMode === "cancel") return [{ type: "cancel-requested", by: "failure-mode" }];
  return cancelQueued({ tasks }, "failure-mode", failed);
}

/**
 * What `failWhen` says while these tasks are about to fail. Those that fail with them count at once: otherwise, others would
 * start until they have ended, too. Nothing if there is nothing left to stop.
 */
export function whenTooManyFail(state: BatchState, failing: readonly number[]): EventBody[] {
  const { batch, tasks, cancelledBy } = state;
  const given = givenCount(batch);
  const limit = batch.failWhen === undefined ? undefined : failureLimit(batch.failWhen, given);
  if (limit === undefined || cancelledBy !== undefined || !failing.some((number) => number <= given))
    return [];
  const doomed = doomedBy(state, failing);
  const isOver = tasks.every(({ status, number }) => status === "done" || doomed.has(number));
  const isEnough = failedCount(state) + doomed.size >= limit;
  return isEnough && !isOver ? [{ type: "cancel-requested", by: "fail-when" }] : [];
}

/** Cancels queued tasks that a hold affects, except `but`, which is about to end by itself. */
export function cancelHeld(
  { batch, tasks }: BatchState,
  { hold: { kind, model }, affects = () => true }: { hold: HoldName; affects?: (task: number) => boolean },
  but: number,
): EventBody[] {
  const held = tasks.filter(
    ({ number }) => concerns({ model }, optionsOf(batch, number).model) && affects(number),
  );
  return cancelQueued({ tasks: held }, "hold", but).map((event) => ({ ...event, access: kind }));
}

/** Cancels all queued tasks, except `but`, which is about to end by itself. */
export function cancelQueued({ tasks }: Pick<BatchState, "tasks">, by: Canceller, but?: number): EventBody[] {
  const queued = tasks.filter(({ status, number }) => status === "queued" && number !== but);
  return queued.length === 0
    ? []
    : [{ type: "cancel-requested", by, tasks: queued.map(({ number }) => number) }];
}

/**
 * Ends the queued tasks among these that will never start because of others, and all that hang on them; and the batch, if
 * that is enough for `failWhen`.
 */
export function skippedEvents(state: BatchState, numbers: Iterable<number>): EventBody[] {
  const all = skippedFrom(state, numbers);
  const ends = all.map((skipped) => {
    const { number, after } = skipped;
    const message = skippedText(state, skipped);
    const outcome = { kind: "not-started" as const, message, after: [...after] };
    return endedEvent(number, 0, { outcome }, undefined);
  });
  return [
    ...ends,
    ...(all.length === 0
      ? []
      : whenTooManyFail(
          state,
          all.map(({ number }) => number),
        )),
  ];
}

/** Most tasks that one message names. */
const mostNamed = 5;

function skippedText({ batch, tasks }: BatchState, { after, through }: Skipped): string {
  const one = (number: number) => {
    const { key, options } = batch.tasks[number - 1] ?? {};
    const name = key ?? options?.["name"];
    return typeof name === "string" ? `task ${number} (${oneLine(name, 60)})` : `task ${number}`;
  };
  const named = after.slice(0, mostNamed).map(one);
  const more = after.length - named.length;
  const who = new Intl.ListFormat("en").format(more > 0 ? [...named, `${more} more`] : named);
  const areCancelled = after.every((number) => {
    const task = tasks[number - 1];
    return task?.status === "done" && task.outcome.kind === "cancelled";
  });
  const verb = areCancelled ? (after.length === 1 ? "was cancelled" : "were cancelled") : "did not succeed";
  const how =
    through === undefined
      ? `${after.length === 1 ? "it" : "them"}`
      : `${one(through)}, which was not started`;
  return `${who} ${verb}, and this task only starts after ${how}`;
}

/** What adds the next sessions of a summary, or runs some of them again; none if nothing is missing. */
export function summaryEvents(state: BatchState, means: SummaryMeans): EventBody[] {
  const next = nextSummary(state, means);
  if (!next) return [];
  return next.kind === "add"
    ? [{ type: "tasks-added", tasks: next.tasks }]
    : [{ type: "retry-requested", tasks: [], succeeded: next.tasks }];
}

/** Ends all queued tasks as not started. */
export function notStarted({ tasks }: Pick<BatchState, "tasks">, message: string): EventBody[] {
  return tasks.flatMap(({ status, number }) =>
    status === "queued"
      ? [endedEvent(number, 0, { outcome: { kind: "not-started", message } }, undefined)]
      : [],
  );
}
