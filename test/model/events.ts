// Events of one batch, for tests of the fold. Times are small numbers, so that they can be compared.
import { type Event, eventBody } from "../../src/model/event.ts";
import type { AttemptOutcome, Outcome, Usage } from "../../src/model/outcome.ts";
import { type BatchState, fold } from "../../src/model/state.ts";

export const identity = { boot: "b", namespace: "n", pid: 1, startTicks: "1" };
export const succeeded = { kind: "succeeded", length: 1, offset: 0 } satisfies Outcome;
export const crashed = { kind: "crashed", stderrTail: "" } satisfies Outcome;

/** What these events say of their batch. */
export function after(...events: Event[]): BatchState {
  const state = fold(events);
  if (!state) throw new Error("There is no event");
  return state;
}

/** An event as the log has it. */
export function event(at: number, body: Record<string, unknown>, epoch = 1): Event {
  return { ...eventBody.parse(body), at, epoch };
}

/** The beginning of a batch with this many tasks, at time 1. */
export function created(
  tasks = 1,
  { batch = {}, ...more }: { batch?: object } & Record<string, unknown> = {},
): Event {
  return event(
    1,
    {
      type: "batch-created",
      account: { hash: "h", environment: {} },
      batch: {
        batchId: "bcdfghjk",
        startedBy: "run",
        asyncMode: false,
        tasks: Array.from({ length: tasks }, (_, index) => ({ prompt: `task ${index + 1}` })),
        sessionOptions: {},
        concurrency: 1,
        failureMode: "continue",
        outputDirectory: "/out",
        claudePath: "/claude",
        workingDirectory: "/",
        ...batch,
      },
      ...more,
    },
    0,
  );
}

/** The start of an attempt at a task. */
export function started(at: number, task: number, attempt: number, more: object = {}): Event {
  const about = { task, attempt, identity, sessionId: `session-${task}-${attempt}`, transcript: "/t" };
  return event(at, { type: "attempt-started", ...about, ...more });
}

/** The end of an attempt at a task. */
export function ended(
  at: number,
  task: number,
  attempt: number,
  outcome: AttemptOutcome,
  more: object = {},
): Event {
  return event(at, { type: "attempt-ended", task, attempt, outcome, ...more });
}

/** The usage of an attempt that cost this many US dollars. */
export function usageOf(costUsd: number, more: Partial<Usage> = {}): Usage {
  return { costUsd, numTurns: 3, durationMs: 10.4, ...more };
}
