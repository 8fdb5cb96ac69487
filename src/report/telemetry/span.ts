// A batch and its attempts as the spans of a trace. Names are those of OpenTelemetry's conventions where it has any. What was
// asked and answered is never in them.
import { endOfState } from "../../model/batch-end.ts";
import type { AttemptOutcome, ModelUsage } from "../../model/outcome.ts";
import { type Attempt, type BatchState, isTakenOver, machineOfAttempt, taskOf } from "../../model/state.ts";
import { endedWord } from "../../model/state-word.ts";
import { optionsOf } from "../../model/task-options.ts";
import { attemptContext, batchContext, roundContext, type SpanContext } from "../../model/trace.ts";
import { unreachable } from "../../model/unreachable.ts";

/** A whole number, which is none of another kind in OTLP. */
export interface WholeNumber {
  whole: number;
}
/** What is known of a span, by the names of attributes. What is undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | WholeNumber | undefined>>;

/** A step of a trace that is over. */
export interface Span {
  context: SpanContext;
  /** The id of the span that it is a part of. */
  parent?: string | undefined;
  name: string;
  /** Milliseconds since 1970, as is `endedAt`. */
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  hasFailed: boolean;
}

/** When a batch was last at rest, before what runs now. */
export interface EarlierRest {
  epoch: number;
  at: number;
}

/**
 * The span of a batch that is at rest: all of it, until it ends or pauses for the first time. What runs later, because
 * somebody continues or retries it, has a span of its own, because a span that was sent cannot change.
 */
export function batchSpan(state: BatchState, earlier?: EarlierRest): Span {
  const { batch, counts, createdAt, changedAt, endedAt = changedAt } = state;
  const end = endOfState(state, endedWord(state));
  const whole = batchContext(state);
  const attributes = {
    "gen_ai.operation.name": "invoke_workflow",
    "gen_ai.workflow.name": batch.name,
    "error.type": end?.kind === "failed" ? "tasks-failed" : undefined,
    "parallel_claude.batch.id": batch.batchId,
    "parallel_claude.batch.started_by": batch.startedBy,
    "parallel_claude.batch.end": end?.kind,
    "parallel_claude.batch.stopped_by": end?.kind === "stopped" ? end.by : undefined,
    "parallel_claude.tasks.total": { whole: state.tasks.length },
    "parallel_claude.tasks.succeeded": { whole: counts.succeeded },
    "parallel_claude.tasks.failed": { whole: counts.failed },
    "parallel_claude.tasks.cancelled": { whole: counts.cancelled },
    "parallel_claude.tasks.queued": { whole: counts.queued },
    "parallel_claude.cost_usd": state.totalCostUsd,
    ...tokensOf([...state.spending.byModel.values()]),
  };
  const hasFailed = end?.kind === "failed";
  if (!earlier)
    return {
      context: whole,
      parent: batch.within?.spanId,
      name: "invoke_workflow",
      startedAt: createdAt,
      endedAt,
      attributes,
      hasFailed,
    };
  return {
    context: roundContext(state, earlier.epoch),
    parent: whole.spanId,
    name: "invoke_workflow (again)",
    startedAt: firstStart(state, earlier.at) ?? endedAt,
    endedAt,
    attributes,
    hasFailed,
  };
}

// When the first session started since.
function firstStart({ tasks }: BatchState, since: number): number | undefined {
  const starts = tasks.flatMap(({ attempts }) => attempts.map(({ startedAt }) => startedAt));
  const later = starts.filter((at) => at >= since);
  // Of too many for the arguments of a call.
  return later.length === 0 ? undefined : later.reduce((one, other) => Math.min(one, other));
}

/** The span of an attempt (1-based) at a task that has ended; undefined if no session ran, or it still does. */
export function attemptSpan(state: BatchState, task: number, number: number): Span | undefined {
  const attempt = taskOf(state, task).attempts.find((one) => one.number === number);
  if (!attempt || isTakenOver(attempt)) return undefined;
  const { startedAt, endedAt, outcome, usage, sessionId } = attempt;
  if (endedAt === undefined || outcome === undefined) return undefined;
  const models = Object.entries(usage?.models ?? {});
  const [main] = models.toSorted(([, one], [, other]) => other.output - one.output);
  return {
    context: attemptContext(state, task, attempt),
    parent: batchContext(state).spanId,
    name: "invoke_agent claude-code",
    startedAt,
    endedAt,
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "claude-code",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.request.model": optionsOf(state.batch, task).model,
      "gen_ai.response.model": main?.[0],
      "gen_ai.conversation.id": sessionId,
      "error.type": errorTypeOf(outcome),
      "parallel_claude.batch.id": state.batch.batchId,
      "parallel_claude.task.number": { whole: task },
      "parallel_claude.attempt.number": { whole: number },
      "parallel_claude.attempt.outcome": outcome.kind,
      "parallel_claude.attempt.continues": attempt.resumes ? "true" : undefined,
      "parallel_claude.machine": machineOfAttempt(attempt),
      "parallel_claude.turns": usage && { whole: usage.numTurns },
      "parallel_claude.cost_usd": usage?.costUsd,
      ...tokensOf(models.map(([, used]) => used)),
    },
    hasFailed: isFailure(outcome),
  };
}

/** Attempts that ended at a time or later (milliseconds since 1970), in the order of their ends. */
export function endedSince(
  { tasks }: BatchState,
  since: number,
): { task: number; attempt: Attempt & { endedAt: number } }[] {
  const ended = tasks.flatMap(({ number: task, attempts }) =>
    attempts.flatMap((attempt) =>
      attempt.endedAt !== undefined && attempt.endedAt >= since
        ? [{ task, attempt: { ...attempt, endedAt: attempt.endedAt } }]
        : [],
    ),
  );
  return ended.sort((one, other) => one.attempt.endedAt - other.attempt.endedAt);
}

// By the conventions, the tokens of the cache are among those of the input.
function tokensOf(used: readonly ModelUsage[]): Attributes {
  if (used.length === 0) return {};
  const sum = (of: (one: ModelUsage) => number) => used.reduce((total, one) => total + of(one), 0);
  return {
    "gen_ai.usage.input_tokens": {
      whole: sum(({ input, cacheRead, cacheWritten }) => input + cacheRead + cacheWritten),
    },
    "gen_ai.usage.output_tokens": { whole: sum(({ output }) => output) },
    "gen_ai.usage.cache_read.input_tokens": { whole: sum(({ cacheRead }) => cacheRead) },
    "gen_ai.usage.cache_creation.input_tokens": { whole: sum(({ cacheWritten }) => cacheWritten) },
  };
}

// What somebody has cancelled, and what continues as soon as there is memory, has not failed.
function isFailure({ kind }: AttemptOutcome): boolean {
  return kind !== "succeeded" && kind !== "cancelled" && kind !== "evicted";
}

/** Why an attempt did not succeed, in one word of few; undefined if it did. Without its message, which may quote an answer. */
export function errorTypeOf(outcome: AttemptOutcome): string | undefined {
  switch (outcome.kind) {
    case "succeeded":
      return undefined;
    case "failed":
      return outcome.reason;
    case "timed-out":
      return `timed-out-${outcome.clock}`;
    case "cancelled":
      return `cancelled-${outcome.by}`;
    case "crashed":
    case "unverified":
    case "not-started":
    case "evicted":
      return outcome.kind;
    default:
      return unreachable(outcome);
  }
}
