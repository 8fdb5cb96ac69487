// Why no session can start now. If that lasts, it is shown: the batch is held.
import type { Pause } from "./event.ts";
import type { BatchState } from "./state.ts";

export interface WaitReason {
  /** In words for people. */
  because: string;
  /** Until when, in milliseconds since 1970, if known. */
  until?: number | undefined;
}

/** Shorter waits may be over at any beat, in milliseconds. */
const longMs = 10_000;

/** Whether a wait lasts until a known time that is some seconds away, such as the reset of a limit. */
export function isLongWait(reason: WaitReason | undefined, now = Date.now()): boolean {
  return reason?.until !== undefined && reason.until - now > longMs;
}

/** While the first session of a batch runs, the others wait for it. */
export const awaitsProof = "Waits for the first session, which proves that the login works.";

/** What running sessions are expected to cost is kept for them. */
export const awaitsCost = "Waits for running sessions";

/** What running sessions may take is kept for them. */
export const awaitsMemory = "Waits for memory";

/** The system refuses memory for a process, whether sessions run or not. */
export const lacksMemory = `${awaitsMemory}: the system has none left for another process.`;

/** Many sessions run, and the processors are busy. */
export const awaitsProcessors = "Waits for the processors";

/** Other sessions of the machine are starting, each for some seconds at most. */
export const awaitsStart = "Waits for its turn to start.";

/** Somebody has paused the batch. */
const paused = "Paused by";

/** Why nothing starts in a batch that somebody has paused, and how it goes on; undefined if nobody has. */
export function pauseReason(state: Pick<BatchState, "batch" | "paused">): WaitReason | undefined {
  if (!state.paused) return undefined;
  const { batchId } = state.batch;
  return {
    because: `${paused} ${pauserOf(state.paused)}. It goes on when somebody continues it: \`continue ${batchId}\`, or continue_batch.`,
  };
}

/** Who has paused a batch: "the user", or "the client NAME". */
export function pauserOf({ client }: Pause): string {
  return client === undefined ? "the user" : `the client ${client}`;
}

/** What a session does that has started, while the first of the tasks that share its cached prompt is not answered yet. */
export const awaitsPrefix = "ready, waits for the first answer to share its cached prompt";

/** The numbers of the queued tasks whose sessions do that. What other queued tasks did before is over. */
export function waitingForPrefix(
  { tasks }: Pick<BatchState, "tasks">,
  activityOf: (number: number) => string | undefined,
): number[] {
  return tasks.flatMap(({ number, status }) =>
    status === "queued" && activityOf(number) === awaitsPrefix ? [number] : [],
  );
}

/**
 * Whether a reason is about to pass if no session runs: one may always run, and a batch that somebody has paused rests then.
 * Such a reason is still shown for a moment when the last session has ended.
 */
export function passesWithoutSessions(reason: WaitReason): boolean {
  if (reason.because.startsWith(paused)) return true;
  return ofSessions.has(waitKind(reason)) && !reason.because.startsWith(lacksMemory);
}

const ofSessions = new Set(
  [awaitsProof, awaitsCost, awaitsMemory, awaitsProcessors, awaitsStart].map((because) =>
    waitKind({ because }),
  ),
);

/**
 * The kind of a reason, without details that change (free memory, the API's message, a time): the beginning of its
 * sentence, up to the first figure or detail.
 */
export function waitKind({ because }: WaitReason): string {
  return (/^[^:;.\d]*/.exec(because)?.[0] ?? "").trimEnd();
}
