// Sends the spans of a batch while it runs: several at once, later than what they are about, and never in the way of it.
import { z } from "zod";
import type { BatchState } from "../../model/state.ts";
import { settledWithin } from "../../platform/clock.ts";
import { readSmallFile } from "../../platform/files.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { tracesRequest } from "../../report/telemetry/otlp.ts";
import {
  attemptSpan,
  batchSpan,
  type EarlierRest,
  endedSince,
  type Span,
} from "../../report/telemetry/span.ts";
import { type Delivery, deliver } from "./deliver.ts";
import type { TraceTarget } from "./target.ts";

/** How long a span waits for others, in milliseconds. */
const gatherMs = 5_000;
/** Most spans in a request. */
const mostSpans = 512;
/** The pause after a request that failed, which doubles with each that follows, in milliseconds. */
const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
/** How long the process of a batch that has ended stays for its last spans, in milliseconds. */
const lastMs = 3_000;
/** The same if the endpoint was away before. */
const lastTryMs = 1_000;

export interface TraceExportParts {
  target: TraceTarget;
  state(): BatchState;
  /** Notes what was sent, for a runner that takes over. */
  sentFile: string;
  /** Called once, with a sentence, if spans cannot be sent. */
  complain(message: string): void;
  /** Other times than the usual ones. */
  times?: { gatherMs: number; lastMs: number };
}

/** An attempt that has ended. Its span is made when it is sent, so that one that waits for long takes no room. */
interface Pending {
  /** 1-based, as is `attempt`. */
  task: number;
  attempt: number;
  /** Milliseconds since 1970. */
  endedAt: number;
}

const sentSchema = z.object({ until: z.number() });

export class TraceExport implements Disposable {
  readonly #parts: TraceExportParts;
  readonly #gatherMs: number;
  readonly #lastMs: number;
  readonly #earlier: EarlierRest | undefined;
  #pending: Pending[] = [];
  /** The end of the last attempt whose span was sent, in milliseconds since 1970. */
  #sentUntil = 0;
  #sending: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** How many requests have failed since one was answered. */
  #failures = 0;
  /** How long the endpoint wants to be left alone, in milliseconds. */
  #askedPauseMs = 0;
  #hasComplained = false;
  #isFinishing = false;
  readonly #given = new AbortController();

  constructor(parts: TraceExportParts) {
    this.#parts = parts;
    this.#gatherMs = parts.times?.gatherMs ?? gatherMs;
    this.#lastMs = parts.times?.lastMs ?? lastMs;
    const { restedEpoch: epoch, restedAt: at } = parts.state();
    this.#earlier = epoch === undefined || at === undefined ? undefined : { epoch, at };
  }

  /** Sends what an earlier runner has not sent, or not noted as sent: the same spans, with the same ids. */
  begin(): void {
    const { state, sentFile } = this.#parts;
    if (endedSince(state(), 0).length === 0) return;
    this.#sentUntil = sentUntil(sentFile);
    for (const { task, attempt } of endedSince(state(), this.#sentUntil + 1))
      this.#pending.push({ task, attempt: attempt.number, endedAt: attempt.endedAt });
    if (this.#pending.length > 0) this.#sendIn(this.#gatherMs);
  }

  /** An attempt has ended, and its end is in the log. */
  ended(task: number, attempt: number): void {
    const { tasks } = this.#parts.state();
    const endedAt = tasks[task - 1]?.attempts.find(({ number }) => number === attempt)?.endedAt;
    if (endedAt === undefined) return;
    this.#pending.push({ task, attempt, endedAt });
    this.#sendIn(this.#pending.length === mostSpans && this.#failures === 0 ? 0 : this.#gatherMs);
  }

  /** The batch is at rest: sends the rest, and the span of the batch. Gives up after some seconds. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    clearTimeout(this.#timer);
    const mostMs = Math.min(this.#lastMs, this.#failures > 0 ? lastTryMs : lastMs);
    // As it is now: somebody may retry it meanwhile.
    const whole = batchSpan(this.#parts.state(), this.#earlier);
    const rest = this.#sendRest(whole).catch(this.#failed);
    if (!(await settledWithin(rest, mostMs))) this.#complain("it did not answer before the batch had ended");
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given.abort();
  }

  async #sendRest(whole: Span): Promise<void> {
    await this.#sending;
    while (this.#pending.length > 0) if (!(await this.#sendSome())) return;
    await this.#send([whole]);
  }

  #sendIn(milliseconds: number): void {
    if (this.#isFinishing || this.#isDisposed || this.#sending !== undefined) return;
    if (milliseconds === 0) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sendPending()
        .catch(this.#failed)
        .finally(() => {
          this.#sending = undefined;
          if (this.#pending.length > 0) this.#sendIn(this.#pauseMs);
        });
    }, milliseconds);
    // Spans are no reason for a process to stay.
    this.#timer.unref();
  }

  get #isDisposed(): boolean {
    return this.#given.signal.aborted;
  }

  get #pauseMs(): number {
    if (this.#failures === 0) return this.#gatherMs;
    const ownMs = firstPauseMs * 2 ** (this.#failures - 1);
    return Math.min(longestPauseMs, Math.max(ownMs, this.#askedPauseMs));
  }

  // Those that come meanwhile wait for others.
  async #sendPending(): Promise<void> {
    while (!this.#isFinishing) {
      if (!(await this.#sendSome()) || this.#pending.length < mostSpans) return;
    }
  }

  async #sendSome(): Promise<boolean> {
    const some = this.#pending.slice(0, mostSpans);
    const spans = some.flatMap(({ task, attempt }) => attemptSpan(this.#parts.state(), task, attempt) ?? []);
    if (!(await this.#send(spans))) return false;
    this.#pending.splice(0, some.length);
    const last = some.at(-1)?.endedAt ?? 0;
    // Several may have ended in the same moment, of which some are still to be sent.
    const next = this.#pending[0]?.endedAt ?? Number.POSITIVE_INFINITY;
    this.#sentUntil = Math.max(this.#sentUntil, Math.min(last, next - 1));
    await this.#note();
    return true;
  }

  // False if they are still to be sent. Those that are refused will not be taken later either.
  async #send(spans: readonly Span[]): Promise<boolean> {
    if (spans.length === 0) return true;
    const { target } = this.#parts;
    const answer = await deliver(target, tracesRequest(spans, target.resource), this.#given.signal);
    this.#heed(answer);
    return answer.kind !== "away";
  }

  #heed(answer: Delivery): void {
    this.#failures = answer.kind === "away" ? this.#failures + 1 : 0;
    this.#askedPauseMs = answer.kind === "away" ? (answer.waitMs ?? 0) : 0;
    if (answer.kind !== "taken") this.#complain(answer.because);
  }

  // A fault of ours must not end a batch, whose answers matter more than its trace.
  readonly #failed = (error: unknown): void => {
    this.#pending = [];
    this.#complain(messageOf(error));
  };

  #complain(because: string): void {
    if (this.#hasComplained || this.#isDisposed) return;
    this.#hasComplained = true;
    const { target, complain } = this.#parts;
    complain(`Traces could not be sent to ${target.shown}: ${because}. The batch is not affected.`);
  }

  // If that fails, the next runner sends what was sent.
  async #note(): Promise<void> {
    const text = JSON.stringify({ until: this.#sentUntil });
    await replaceFile(this.#parts.sentFile, text, { mode: 0o600 }).catch(() => undefined);
  }
}

function sentUntil(file: string): number {
  const read = readSmallFile(file, 1_000);
  if (read.kind !== "bytes") return 0;
  try {
    return sentSchema.parse(JSON.parse(new TextDecoder().decode(read.bytes))).until;
  } catch {
    // A file that somebody has changed says nothing, so all is sent again.
    return 0;
  }
}
