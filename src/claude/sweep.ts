// Ends what a session left behind: commands in groups and sessions of their own, double-forked ones, those that have
// emptied their environment or written over it.

import { signalProcess } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { leftBehind, lookAround, type Swept } from "./left-behind.ts";
import type { SessionProcess } from "./session.ts";
import { SharedDaemons } from "./shared-daemons.ts";

/** How many scans that were not whole, and found nothing, are believed: somewhere, some process always ends. */
const enoughRounds = 2;

/** Scans go on until one finds nothing, but not for ever: something may start faster than we end it. */
const mostRounds = 20;

/** How long to pause between two scans, in multiples of how long one takes: at most half of our time goes into them. */
const restFactor = 1;

interface Waiting extends Swept {
  killed: Map<number, ProcessIdentity>;
  rounds: number;
  settle(leaked: ProcessIdentity[]): void;
}

type Gone = Pick<SessionProcess, "marker" | "identity" | "isOurs" | "hadPidUntil">;

interface SweeperOptions {
  /** Spared until the last sweep. */
  shared?: SharedDaemons;
  /** Whether an earlier runner may have spared some. */
  isHeir?: boolean;
  look?: typeof lookAround;
}

/**
 * Ends every process that belongs to a session which has ended. Sessions that end at about the same time share a look
 * at the process table, which costs milliseconds where many processes run.
 */
export class Sweeper {
  readonly #look: typeof lookAround;
  readonly #shared: SharedDaemons;
  readonly #isHeir: boolean;
  /** Sessions that run, by their markers. */
  readonly #running = new Map<string, ProcessIdentity>();
  /** Shared daemons that outlived the sessions which started them. */
  readonly #spared = new Map<number, ProcessIdentity>();
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #restMs = 0;

  constructor({ shared = new SharedDaemons([]), isHeir = false, look = lookAround }: SweeperOptions = {}) {
    this.#look = look;
    this.#shared = shared;
    this.#isHeir = isHeir;
  }

  /** A session runs from now on: what may be its own is nobody else's. */
  began(marker: string, session: ProcessIdentity): void {
    this.#running.set(marker, session);
  }

  /**
   * Ends what a session has left behind that has gone. Gives those that were found and killed, and resolves when a scan
   * has found none any more. `members`: what was seen in its tree.
   */
  sweep(session: Gone, members: readonly ProcessIdentity[] = []): Promise<ProcessIdentity[]> {
    const { marker, identity, isOurs } = session;
    this.#running.delete(marker);
    const goneAt = session.hadPidUntil();
    return this.#sweep({ markers: [marker], leader: identity, goneAt, members, isOurs });
  }

  /** Ends the shared daemons too, once no session runs that may use them: those of sessions that had these markers. */
  async sweepShared(markers: () => readonly string[]): Promise<void> {
    if (this.#spared.size === 0 && !this.#isHeir) return;
    const members = [...this.#spared.values()];
    this.#spared.clear();
    await this.#sweep({ markers: markers(), members, isLast: true });
  }

  /** Whether a process is to outlive its session. */
  spares(identity: ProcessIdentity): boolean {
    const isShared = this.#shared.isOne(identity.pid);
    if (isShared) this.#spared.set(identity.pid, identity);
    return isShared;
  }

  #sweep(swept: Swept): Promise<ProcessIdentity[]> {
    const { promise, resolve } = Promise.withResolvers<ProcessIdentity[]>();
    this.#waiting.push({ ...swept, killed: new Map(), rounds: 0, settle: resolve });
    this.#timer ??= setTimeout(() => this.#scan(), this.#restMs);
    return promise;
  }

  #scan(): void {
    this.#timer = undefined;
    const sweeping = this.#waiting;
    this.#waiting = [];
    const began = Bun.nanoseconds();
    const look = this.#look({ sweeping, running: this.#running });
    const found = leftBehind(look, sweeping, this.#running);
    this.#restMs = Math.min(25, ((Bun.nanoseconds() - began) / 1e6) * restFactor);
    for (const waiting of sweeping) {
      if (waiting.isLast && this.#running.size > 0) {
        this.#spareAgain(waiting);
        continue;
      }
      const left = found.get(waiting) ?? [];
      const living = waiting.isLast ? left : left.filter((identity) => !this.spares(identity));
      waiting.rounds++;
      for (const identity of living) {
        waiting.killed.set(identity.pid, identity);
        signalProcess(identity, "SIGKILL");
      }
      const isOver = living.length === 0 && (look.isWhole || waiting.rounds >= enoughRounds);
      if (!isOver && waiting.rounds < mostRounds) this.#waiting.push(waiting);
      else waiting.settle([...waiting.killed.values()]);
    }
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#scan(), Math.max(5, this.#restMs));
  }

  // A session that has begun meanwhile, of a retry, may use them: whoever ends last ends them.
  #spareAgain({ members = [], killed, settle }: Waiting): void {
    for (const member of members) if (!killed.has(member.pid)) this.#spared.set(member.pid, member);
    settle([...killed.values()]);
  }
}
