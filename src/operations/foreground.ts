// A batch that this process runs itself, in front of its user, who may stop it.
import { asksForPerson } from "../engine/account/hold.ts";
import { killSessions } from "../engine/attempt/kill-sessions.ts";
import type { SessionValues } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import { endedWord, type StateWord } from "../model/state-word.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { clock } from "../platform/clock.ts";
import { ownIdentity } from "../platform/process.ts";
import type { BatchAnswer } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { isStoreError } from "../store/database.ts";
import { Store } from "../store/store.ts";
import { wholeAnswer } from "./answer-now.ts";
import type { Context } from "./context.ts";
import { continueHere } from "./continue.ts";
import { follow } from "./follow.ts";
import type { LiveBatch } from "./live-batch.ts";
import type { PlannedBatch } from "./plan.ts";
import { create } from "./spawn.ts";

/** How long this process may block for a locked store, in milliseconds. */
const busyTimeoutMs = 100;

interface Running {
  /** Whether somebody is there to log in. */
  isAttended: boolean;
  /** Called after each change, including the end. */
  changed(): void;
  /** Called with a sentence about what does not concern the batch itself. */
  complain?(message: string): void;
}

/** In the log, and not yet run. */
export class ForegroundBatch implements LiveBatch, Disposable {
  readonly #context: Context;
  readonly #log: BatchLog;
  readonly #values: SessionValues;
  readonly #cancelled = new AbortController();
  #activities: ReadonlyMap<number, string> = new Map();
  #held: WaitReason | undefined;
  /** Tries again to request the end. */
  #again: Disposable | undefined;

  private constructor(context: Context, log: BatchLog, values: SessionValues) {
    this.#context = context;
    this.#log = log;
    this.#values = values;
  }

  static async create(context: Context, planned: PlannedBatch): Promise<ForegroundBatch> {
    const log = await create(context, planned, true);
    return new ForegroundBatch(context, log, planned.values);
  }

  get state(): BatchState {
    return this.#log.state;
  }

  /** Its state, once it has been run to its end or pause. */
  get word(): StateWord {
    return this.state.endedAt === undefined ? "running" : endedWord(this.state);
  }

  activities(): ReadonlyMap<number, string> {
    return this.#activities;
  }

  held(): WaitReason | undefined {
    return this.#held;
  }

  /** Lets `run` run the rest of a batch that has paused. False if somebody else has continued or cancelled it. */
  continue(): Promise<boolean> {
    return continueHere(this.#log, ownIdentity());
  }

  /** Runs it to its end, or to the pause after its sample. */
  async run({ isAttended, changed, complain }: Running): Promise<void> {
    const { store } = this.#context;
    // Loaded here, so that no other command pays for it at its start.
    const { runBatch } = await import("../engine/runner/runner.ts");
    const ran = await runBatch(store, this.#log, {
      values: this.#values,
      isAttended,
      cancelled: this.#cancelled.signal,
      ...(complain ? { complain } : {}),
      watching: (_, activities, held) => {
        this.#activities = activities;
        this.#held = held;
        changed();
      },
    });
    // Another runner has taken it over: it is still the requested batch.
    if (!ran) {
      const { signal } = new AbortController();
      await follow(store, this.#log, { until: Number.POSITIVE_INFINITY, signal });
    }
    changed();
  }

  /** Ends it properly. Tries again while the store cannot be written. */
  stop(): void {
    try {
      this.#askForEnd();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // The disk is full, or the store is locked. That may pass, and `kill` needs no store.
      this.#again ??= clock.on("second", () => this.stop());
      return;
    }
    this.#again?.[Symbol.dispose]();
    this.#cancelled.abort();
  }

  /** Kills its sessions. Without them, `run` ends the batch, and every later look shows that it was cancelled. */
  kill(): void {
    killSessions(this.state);
  }

  answer(): Promise<BatchAnswer> {
    return wholeAnswer(this.#context, this.#log);
  }

  [Symbol.dispose](): void {
    this.#again?.[Symbol.dispose]();
  }

  // Through its own connection, because the runner in this process looks for commits of *other* connections.
  #askForEnd(): void {
    using store = new Store(this.#context.store.layout.stateDirectory, { busyTimeoutMs });
    store
      .batch(this.#log.batchId)
      ?.append((state) => (state.endedAt === undefined ? [{ type: "cancel-requested", by: "user" }] : []));
  }
}

/** Why a task failed, if only a person can fix it: by logging in, or by paying. */
export function refusalOf({ tasks }: BatchState): "auth" | "billing" | undefined {
  const outcomes = tasks.flatMap((task) => (task.status === "done" ? [task.outcome] : []));
  const refused = outcomes.find(asksForPerson);
  if (refused?.kind !== "failed") return undefined;
  return refused.reason === "billing" ? "billing" : "auth";
}
