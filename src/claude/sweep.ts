// Ends what a session left behind: commands in their own groups and sessions, double-forked ones, and those that emptied
// or overwrote their environment.
import { signalProcess } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { leftBehind, lookAround, processesBeside, type Swept } from "./left-behind.ts";
import type { SessionProcess } from "./session.ts";
import { SharedDaemons } from "./shared-daemons.ts";

/**
 * After how many incomplete scans without a find to stop: on a busy machine, some process always ends during a scan.
 */
const enoughRounds = 2;

/** Scans repeat until one finds nothing, up to this many: something may start processes faster than we end them. */
const mostRounds = 20;

/** Pause between two scans, as a multiple of a scan's duration: scans take at most half of our time. */
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
 * Ends every process of an ended session. Sessions that end at about the same time share a scan of the process table,
 * which takes milliseconds if many processes run.
 */
export class Sweeper {
  readonly #look: typeof lookAround;
  readonly #shared: SharedDaemons;
  readonly #isHeir: boolean;
  /** Running sessions, by their markers. */
  readonly #running = new Map<string, ProcessIdentity>();
  /** Shared daemons that outlived the sessions that started them. */
  readonly #spared = new Map<number, ProcessIdentity>();
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #restMs = 0;

  constructor({ shared = new SharedDaemons([]), isHeir = false, look = lookAround }: SweeperOptions = {}) {
    this.#look = look;
    this.#shared = shared;
    this.#isHeir = isHeir;
  }

  /** A session starts: its processes belong to nobody else. */
  started(marker: string, session: ProcessIdentity): void {
    this.#running.set(marker, session);
  }

  /** What a running session runs beside its own process, shared daemons included. `members`: what was seen in its tree. */
  beside(
    session: Pick<SessionProcess, "marker" | "identity">,
    members: readonly ProcessIdentity[],
  ): ProcessIdentity[] {
    return processesBeside(session, { members, running: this.#running });
  }

  /**
   * Ends what an ended session left behind. Returns the processes that were found and killed, once a scan finds no more.
   * `members`: what was seen in its tree.
   */
  sweep(session: Gone, members: readonly ProcessIdentity[] = []): Promise<ProcessIdentity[]> {
    const { marker, identity, isOurs } = session;
    this.#running.delete(marker);
    const goneAt = session.hadPidUntil();
    return this.#sweep({ markers: [marker], leader: identity, goneAt, members, isOurs });
  }

  /** Also ends the shared daemons, once no session runs that may use them: those of sessions with these markers. */
  async sweepShared(markers: () => readonly string[]): Promise<void> {
    if (this.#spared.size === 0 && !this.#isHeir) return;
    const members = [...this.#spared.values()];
    this.#spared.clear();
    await this.#sweep({ markers: markers(), members, isLast: true });
  }

  /** Whether a process may outlive its session. */
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
    const startedAt = Bun.nanoseconds();
    const look = this.#look({ sweeping, running: this.#running });
    const found = leftBehind(look, sweeping, this.#running);
    this.#restMs = Math.min(25, ((Bun.nanoseconds() - startedAt) / 1e6) * restFactor);
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

  // A session of a retry may have begun meanwhile and use them. The last session to end ends them.
  #spareAgain({ members = [], killed, settle }: Waiting): void {
    for (const member of members) if (!killed.has(member.pid)) this.#spared.set(member.pid, member);
    settle([...killed.values()]);
  }
}
