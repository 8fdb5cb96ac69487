// What the session of a task said and did, attempt by attempt, while it runs and afterwards.
import { z } from "zod";
import type { Line } from "../claude/lines.ts";
import { conversationIn } from "../claude/read-conversation.ts";
import { rangeOf, TranscriptLines } from "../claude/transcript-lines.ts";
import { stderrEndOf } from "../engine/output/stderr-end.ts";
import type { ConversationPart } from "../model/conversation.ts";
import type { Attempt, BatchState, TaskState } from "../model/state.ts";
import { optionsOf } from "../model/task-options.ts";
import { clock, Wake } from "../platform/clock.ts";
import { exists, sizeOf } from "../platform/files.ts";
import { livenessWatch } from "../platform/liveness-watch.ts";
import { watchFile } from "../platform/watch.ts";
import { countText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import type { Store } from "../store/store.ts";
import { batchIdInput, taskName } from "./batch-input.ts";
import { type Context, UserError } from "./context.ts";
import { resolveBatch } from "./find-batch.ts";
import { follow } from "./follow.ts";
import { taskNamed } from "./named-tasks.ts";

export const sessionLogInput = z.strictObject({
  batchId: batchIdInput,
  task: taskName,
  attempt: z
    .int()
    .min(1)
    .meta({ description: "Attempt to show; 1 is the first (default: the last).", placeholder: "K" })
    .optional(),
});

/** The parts of a log, in their order. */
export type LogPart =
  /** The task has no session: it ended without one, or still waits, and the log is not followed. */
  | { kind: "none" }
  /** It waits for a start, and the log is followed. */
  | { kind: "waiting" }
  | { kind: "attempt"; attempt: Attempt }
  | { kind: "conversation"; part: ConversationPart }
  /** Raw bytes of the transcript. */
  | { kind: "bytes"; bytes: Uint8Array }
  /** Nothing more comes of this attempt. With the end of its stderr, made harmless. */
  | { kind: "end"; stderr: string }
  /** The transcript of an attempt no longer exists. */
  | { kind: "gone"; attempt: Attempt }
  /** The task has not ended, and no process runs its batch any more. */
  | { kind: "lost" };

interface Manner {
  /** Whether to continue, across attempts, until the task ends. */
  follows: boolean;
  /** Whether to return raw bytes, however long the lines are. */
  isRaw: boolean;
}

/** The log of one task. */
export class SessionLog {
  readonly #store: Store;
  readonly #liveness = livenessWatch();
  readonly #log: BatchLog;
  readonly #number: number;
  readonly #wanted: number | undefined;
  readonly #wake = new Wake();
  /** Whether the watched transcript may have grown since the last wait. */
  #hasGrown = false;
  /** Until a transcript that has grown is read. */
  #growing: Promise<void> | undefined;

  private constructor(store: Store, log: BatchLog, number: number, wanted: number | undefined) {
    this.#store = store;
    this.#log = log;
    this.#number = number;
    this.#wanted = wanted;
  }

  /** Throws `UserError` if there is no such task or attempt. */
  static async open(
    context: Context,
    { batchId, task, attempt }: z.output<typeof sessionLogInput>,
  ): Promise<SessionLog> {
    const log = await resolveBatch(context, batchId);
    const number = taskNamed(log.state, task);
    const opened = new SessionLog(context.store, log, number, attempt);
    if (attempt !== undefined) checkAttempt(opened.task, attempt);
    return opened;
  }

  get state(): BatchState {
    return this.#log.state;
  }

  get task(): TaskState {
    const task = this.state.tasks[this.#number - 1];
    if (!task) throw new Error(`Internal error: there is no task ${this.#number}`);
    return task;
  }

  /** Reads a part when it is requested, so that at most one line is in memory. */
  parts({ follows, isRaw }: Manner): AsyncGenerator<LogPart> {
    return follows ? this.#followed(isRaw) : this.#soFar(isRaw);
  }

  async *#soFar(isRaw: boolean): AsyncGenerator<LogPart> {
    const attempt = this.#wanted === undefined ? this.task.attempts.at(-1) : this.#attempt(this.#wanted);
    if (!attempt) {
      yield { kind: "none" };
      return;
    }
    yield* this.#partsOf(attempt, isRaw, async () => false);
  }

  // From the first wanted attempt on: follows each until it has ended, then the next when it begins.
  async *#followed(isRaw: boolean): AsyncGenerator<LogPart> {
    if (this.task.status === "queued") yield { kind: "waiting" };
    // Otherwise each look at a transcript that grows would begin a watch of the store.
    using _watching = this.#store.changes.subscribe(() => undefined);
    let wanted = this.#wanted ?? this.task.attempts.at(-1)?.number ?? 1;
    for (;;) {
      const next = () => this.task.attempts.find(({ number }) => number >= wanted);
      while (!next() && !(await this.#isOver(() => next() !== undefined)));
      const attempt = next();
      if (!attempt) break;
      const hasEnded = () => this.#attempt(attempt.number)?.endedAt !== undefined;
      using _growth = watchFile(attempt.transcript, this.#grows);
      const wasThere = yield* this.#partsOf(attempt, isRaw, async () => !(await this.#isOver(hasEnded)));
      if (!wasThere || this.#wanted !== undefined) return;
      wanted = attempt.number + 1;
    }
    if (this.task.status !== "done") yield { kind: "lost" };
    else if (this.task.attempts.length === 0) yield { kind: "none" };
  }

  // `growing` waits for more, and returns whether it may come. Returns whether the transcript was there.
  async *#partsOf(
    attempt: Attempt,
    isRaw: boolean,
    growing: () => Promise<boolean>,
  ): AsyncGenerator<LogPart, boolean> {
    const lines = linesOf(attempt);
    if (!lines) {
      yield { kind: "gone", attempt };
      return false;
    }
    using _ = lines;
    yield { kind: "attempt", attempt };
    do {
      this.#limit(lines, attempt);
      yield* partsIn(lines, isRaw, this.#isShared);
    } while (await growing());
    this.#limit(lines, attempt);
    yield* restOf(lines, isRaw, this.#isShared);
    yield { kind: "end", stderr: stderrEndOf(this.#attempt(attempt.number) ?? attempt) };
    return true;
  }

  // A process may go on with another task at any time. What is there before the log is read is of this one, if the attempt
  // has not ended by then.
  #limit(lines: TranscriptLines, { number, transcript }: Attempt): void {
    if (!this.#isShared) return;
    const written = sizeOf(transcript);
    this.#log.refresh();
    const { transcriptEnd, endedAt } = this.#attempt(number) ?? {};
    lines.endAt(transcriptEnd ?? (endedAt === undefined ? written : Number.POSITIVE_INFINITY));
  }

  // Whether its processes may run other tasks.
  get #isShared(): boolean {
    return optionsOf(this.state.batch, this.#number).reuseSessions === "auto";
  }

  #attempt(wanted: number): Attempt | undefined {
    return this.task.attempts.find(({ number }) => number === wanted);
  }

  // An answer that streams grows a hundred times a second, and nobody reads as fast.
  readonly #grows = () => {
    this.#growing ??= clock.next("unwatched").then(() => {
      this.#growing = undefined;
      this.#hasGrown = true;
      this.#wake.now();
    });
  };

  // Waits until it holds, or the watched transcript may have grown. Whether it holds, or nothing more can come.
  async #isOver(holds: () => boolean): Promise<boolean> {
    let isOver = false;
    const ended = await follow(this.#store, this.#log, {
      until: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      wake: this.#wake,
      enough: (_, row) => {
        isOver =
          holds() ||
          this.task.status === "done" ||
          stateWordOf(row(), Date.now(), this.#liveness) === "interrupted";
        return isOver || this.#hasGrown;
      },
    });
    this.#hasGrown = false;
    return ended || isOver;
  }
}

function checkAttempt({ attempts, number }: TaskState, wanted: number): void {
  const numbers = attempts.map((one) => one.number);
  if (numbers.includes(wanted)) return;
  throw new UserError(
    `Task ${number} has no attempt ${wanted}; ${numbers.length === 0 ? "it has not started" : `it has had ${countText(numbers.length, "attempt")}`}.`,
  );
}

function linesOf(attempt: Attempt): TranscriptLines | undefined {
  const { transcript } = attempt;
  return exists(transcript) ? new TranscriptLines(transcript, rangeOf(attempt)) : undefined;
}

function* partsIn(lines: TranscriptLines, isRaw: boolean, isShared: boolean): Generator<LogPart> {
  if (!isRaw) {
    yield* spokenIn(lines, lines.fresh(), isShared);
    return;
  }
  for (const bytes of lines.pieces()) {
    const reset = isShared ? beginOfReset(bytes) : -1;
    if (reset >= 0) lines.stopAt(lines.position - bytes.length + reset);
    yield { kind: "bytes", bytes: reset < 0 ? bytes : bytes.subarray(0, reset) };
  }
}

// Call when nothing more comes.
function* restOf(lines: TranscriptLines, isRaw: boolean, isShared: boolean): Generator<LogPart> {
  if (isRaw) yield* partsIn(lines, isRaw, isShared);
  else yield* spokenIn(lines, lines.rest(), isShared);
}

function* spokenIn(lines: TranscriptLines, some: Iterable<Line>, isShared: boolean): Generator<LogPart> {
  for (const { part } of conversationIn(lines, some, isShared)) yield { kind: "conversation", part };
}

const reset = Buffer.from('{"type":"conversation_reset"');
const newline = 10;

// Where the conversation of another task begins. Not seen if it is cut in two: then a few lines too many are shown.
function beginOfReset(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(reset); at >= 0; at = buffer.indexOf(reset, at + 1))
    if (at === 0 || buffer[at - 1] === newline) return at;
  return -1;
}
