// Follows a batch that other processes run.

import type { BatchState } from "../model/state.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import type { Store } from "../store/store.ts";
import { type BatchProgress, waited } from "./batches.ts";
import type { Context } from "./context.ts";
import { resolveBatch } from "./find-batch.ts";
import { follow } from "./follow.ts";
import type { LiveBatch } from "./live-batch.ts";

/** How long to reuse the last check of the processes, in milliseconds: less than from one tick of a second to the next. */
const standingMs = 900;

/** Between two reports, in milliseconds, so as not to flood the reader. */
const reportMs = 500;

export class FollowedBatch implements LiveBatch {
  readonly #context: Context;
  /** In which the batch is: asked again, a context opens a new one if this was removed. */
  readonly #store: Store;
  readonly #log: BatchLog;
  #changeCount = -1;
  #activities: ReadonlyMap<number, string> = new Map();
  #heldAt = Number.NEGATIVE_INFINITY;
  #held: WaitReason | undefined;

  private constructor(context: Context, log: BatchLog) {
    this.#context = context;
    this.#store = context.store;
    this.#log = log;
  }

  /** Resolves `given`, such as `latest`, once. */
  static async open(context: Context, given: string): Promise<FollowedBatch> {
    return new FollowedBatch(context, await resolveBatch(context, given));
  }

  get state(): BatchState {
    return this.#log.state;
  }

  /** Read only after a write to the store. */
  activities(): ReadonlyMap<number, string> {
    const count = this.#store.changeCount();
    if (count !== this.#changeCount) {
      this.#changeCount = count;
      this.#activities = this.#store.activities(this.#log.batchId);
    }
    return this.#activities;
  }

  /** Read at most once a second. */
  held(): WaitReason | undefined {
    if (performance.now() - this.#heldAt >= standingMs) {
      this.#heldAt = performance.now();
      const row = this.#store.row(this.#log.batchId);
      this.#held = row && heldNow(row);
    }
    return this.#held;
  }

  /** How far it is. */
  progress(): BatchProgress {
    return waited(this.#context, this.#log);
  }

  /** Until it has ended or lost its processes, or the signal is aborted. Calls `changed` after each change, and once a second. */
  async untilEnd(signal: AbortSignal, changed: () => void): Promise<void> {
    let lookedAt = Number.NEGATIVE_INFINITY;
    await follow(this.#store, this.#log, {
      until: Number.POSITIVE_INFINITY,
      signal,
      isPatient: true,
      enough: (_, row) => {
        // Here, because what a running task does is in the store, and not in the log.
        changed();
        if (performance.now() - lookedAt < standingMs) return false;
        lookedAt = performance.now();
        return stateWordOf(row()) === "interrupted";
      },
    });
    changed();
  }

  /** How far it is: now, after every change, and at its end, unless the signal is aborted. */
  async *reports(signal: AbortSignal): AsyncGenerator<BatchProgress> {
    // Over all waits, each of which would otherwise begin as if somebody had just written.
    using _watching = this.#store.changes.subscribe(() => undefined, { isPatient: true });
    let before = "";
    let count = this.#store.changeCount();
    let now = this.progress();
    while (now.state === "running") {
      // The cursor changes with every step of every attempt, and estimates of time with every second.
      const { cursor: _, secondsLeft: __, nextCheckSeconds: ___, ...news } = now;
      const seen = JSON.stringify(news);
      if (seen !== before) yield now;
      before = seen;
      await this.#untilNews(count, signal);
      if (signal.aborted) return;
      // Before the look, so that nothing written after it is missed.
      count = this.#store.changeCount();
      now = this.progress();
    }
    yield now;
  }

  // After a pause: until something has changed since the store had this count, or a tick, because processes may have gone.
  async #untilNews(count: number, signal: AbortSignal): Promise<void> {
    const store = this.#store;
    await follow(store, this.#log, { until: performance.now() + reportMs, signal, isPatient: true });
    let asked = 0;
    const enough = () => asked++ > 0 || store.changeCount() !== count;
    await follow(store, this.#log, { until: Number.POSITIVE_INFINITY, signal, enough, isPatient: true });
  }
}
