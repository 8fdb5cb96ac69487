// Sessions that start before the task that will use them, while that waits for a slot: when one is free, the next task gets
// its prompt at once. They take no slot and spend nothing, and leave as soon as nothing will use them.
import { basename } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { systemCode } from "../../platform/system-error.ts";
import type { Reuse } from "../reuse/reuse.ts";
import type { SeenAtStart } from "../reuse/seen-at-start.ts";
import type { AttemptPlan } from "./plan-attempt.ts";
import { longestStartMs, type Need, type Session, type SessionHost, type StartPlan } from "./session-host.ts";
import { exitMs, idleLifeMs, type PooledSession, type SessionPool } from "./session-pool.ts";

/** How many a runner keeps at most: more would seldom be taken at once, and each takes memory. */
export const mostSpares = 4;
/**
 * After memory ran short, something changed that spares had read, or two died that were ready, none starts for this time, in
 * milliseconds.
 */
export const restMs = 10_000;
/** A kind that is ready sooner than this, in milliseconds, needs no spares. */
const quickMs = 20;
/** How often we look at most, in milliseconds, because sessions start or have started. */
const lookEveryMs = 100;
/** After as many in a row that die before they are ready, no more of their kind start. */
const mostDeaths = 2;

/** What a spare for a task would be. */
export interface SparePlan {
  plan: StartPlan;
  need: Need;
  options: AttemptPlan["options"];
}

interface SparesParts {
  host: Pick<SessionHost, "start">;
  reuse: Pick<Reuse, "seenNow" | "isAsSeen">;
  /** How many there may be now, at most. */
  most(): number;
  /** The plan of the next attempt at a task; undefined if no spare may serve it. */
  planOf(task: number): SparePlan | undefined;
  /** The tasks that come next, and may start as soon as there is a slot, in order. */
  next(): Iterable<number>;
  /** Whether the next task waits for a slot while others run. Otherwise, a session is started for the task itself. */
  isSlotAwaited(): boolean;
  /** A right to start a session, if nobody else waits for one. */
  permit(): Disposable | undefined;
  /** Whether the machine has what a session of this footprint key needs, and as much again for another batch. */
  hasRoom(footprintKey: string): boolean;
  /** Whether memory lacks for what runs already. */
  isPressed(): boolean;
  /** An internal error. */
  failed(error: unknown): void;
  /** The monotonic clock, in milliseconds. */
  now?: () => number;
}

interface Spare extends SparePlan {
  kind: string;
  session: Session;
  seen: SeenAtStart;
  /** On the monotonic clock, in milliseconds. */
  since: number;
  /** Its right to start. */
  permit: Disposable;
  isReady: boolean;
  /** The task that will take it. */
  reservedFor?: number;
}

export class WarmSpares implements SessionPool, Disposable {
  readonly #parts: SparesParts;
  readonly #now: () => number;
  /** By their markers. */
  readonly #spares = new Map<string, Spare>();
  /** The kinds of those of which no process is known yet, by their starts. */
  readonly #starting = new Map<Promise<void>, string>();
  /** How many of a kind died in a row before they were ready. */
  readonly #deaths = new Map<string, number>();
  /** Kinds that need no spares, or of which nobody can know what they read at their start. */
  readonly #without = new Set<string>();
  readonly #ending = new Set<Promise<void>>();
  readonly #endedMarkers: string[] = [];
  #isClosed = false;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Whether a look comes as soon as what happens now is over. */
  #willLook = false;
  #lastStartAt = Number.NEGATIVE_INFINITY;
  /** When one that was ready died last. */
  #diedReadyAt = Number.NEGATIVE_INFINITY;
  /** Whether a spare was not taken in time, and tasks have followed one another no faster since. */
  #isSlow = false;

  constructor(parts: SparesParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#endAll();
  }

  /** How many there are, ready or not. */
  get size(): number {
    return this.#spares.size + this.#starting.size;
  }

  /** The markers of those that were ended without a task: daemons may be left that they had started. */
  get endedMarkers(): readonly string[] {
    return this.#endedMarkers;
  }

  look(): void {
    this.#willLook = false;
    if (this.#isClosed) return;
    this.#lookedAt = this.#now();
    for (const spare of this.#free()) this.#lookAt(spare);
    if (this.#spares.size > 0 && this.#parts.isPressed()) this.release();
    // Nothing to end, and nothing to start: what comes next does not matter.
    if (this.size === 0 && !this.#parts.isSlotAwaited()) return;
    const wanted = this.#wanted();
    for (const spare of this.#free()) {
      const plans = wanted.get(spare.kind) ?? [];
      if (plans.pop() === undefined) this.#end(spare);
    }
    for (const kind of this.#starting.values()) wanted.get(kind)?.pop();
    for (const [kind, plans] of wanted) for (const plan of plans) this.#startIfPossible(kind, plan);
  }

  /** The transcript of a session has changed. Returns whether it is a spare's. */
  transcriptChanged(name: string): boolean {
    for (const spare of this.#spares.values()) {
      if (basename(spare.plan.transcript) !== name) continue;
      const wasReady = spare.isReady;
      this.#read(spare);
      if (spare.isReady && !wasReady) this.look();
      return true;
    }
    return false;
  }

  has(task: number): boolean {
    return this.#spares.size > 0 && this.#for(task) !== undefined;
  }

  reserve(task: number): Disposable | undefined {
    const spare = this.#spares.size > 0 ? this.#for(task) : undefined;
    if (!spare) return undefined;
    if (!this.#isCurrent(spare)) return this.reserve(task);
    spare.reservedFor = task;
    return {
      [Symbol.dispose]: () => {
        if (spare.reservedFor === task) delete spare.reservedFor;
      },
    };
  }

  /** A session that starts for the task is there as soon as a spare. */
  patienceMs(): number {
    return 0;
  }

  take(plan: StartPlan, need: Need, task: number): PooledSession | undefined {
    this.#noteStart();
    const kind = this.#spares.size > 0 ? plan.kind?.() : undefined;
    const spare = kind === undefined ? undefined : this.#best(kind, task);
    if (!spare || kind === undefined) return undefined;
    if (!this.#isCurrent(spare)) return this.take(plan, need, task);
    delete spare.reservedFor;
    this.#spares.delete(spare.plan.marker);
    const { plan: own, session, seen, isReady, permit } = spare;
    const limit = isReady ? undefined : setTimeout(() => permit[Symbol.dispose](), longestStartMs);
    limit?.unref();
    // So that one is ready when the next slot is free.
    this.lookSoon();
    return {
      plan: own,
      session,
      seen,
      isStarting: !isReady,
      ready: () => void this.#deaths.delete(kind),
      begun: () => {
        clearTimeout(limit);
        permit[Symbol.dispose]();
      },
      lost: () => this.#died(kind),
    };
  }

  lookSoon(): void {
    if (this.#willLook || this.#now() - this.#lookedAt < lookEveryMs) return;
    this.#willLook = true;
    // Later, because a task comes first.
    queueMicrotask(() => this.look());
  }

  release(): void {
    this.#restsUntil = this.#now() + restMs;
    for (const spare of this.#free()) this.#end(spare);
  }

  owns(marker: string): boolean {
    const spare = this.#spares.get(marker);
    return spare !== undefined && spare.reservedFor === undefined;
  }

  evict(markers: readonly string[]): void {
    const evicted = markers.filter((marker) => this.owns(marker));
    if (evicted.length === 0) return;
    this.#restsUntil = this.#now() + restMs;
    for (const marker of evicted) this.#endNamed(marker);
  }

  async ended(): Promise<void> {
    this.#endAll();
    while (this.#ending.size + this.#starting.size > 0) {
      await Promise.all([...this.#ending, ...this.#starting.keys()]);
      this.#endAll();
    }
  }

  #endAll(): void {
    for (const marker of [...this.#spares.keys()]) this.#endNamed(marker);
  }

  #endNamed(marker: string): void {
    const spare = this.#spares.get(marker);
    if (spare) this.#end(spare);
  }

  // Those that no task has.
  #free(): Spare[] {
    return [...this.#spares.values()].filter(({ reservedFor }) => reservedFor === undefined);
  }

  #for(task: number): Spare | undefined {
    const kind = this.#parts.planOf(task)?.plan.kind?.();
    return kind === undefined ? undefined : this.#best(kind, task);
  }

  // The one that was set aside for the task, else one that is ready, else the oldest.
  #best(kind: string, task: number): Spare | undefined {
    const fitting = [...this.#spares.values()].filter((spare) => spare.kind === kind);
    const free = fitting.filter(({ reservedFor }) => reservedFor === undefined);
    return (
      fitting.find(({ reservedFor }) => reservedFor === task) ??
      free.find(({ isReady }) => isReady) ??
      free[0]
    );
  }

  // Ends it if something has changed that it has read, or a hook has run that may have said anything.
  #isCurrent(spare: Spare): boolean {
    this.#read(spare);
    if (!hasRunHooks(spare) && this.#parts.reuse.isAsSeen(spare.seen)) return true;
    this.#restsUntil = this.#now() + restMs;
    this.#end(spare);
    return false;
  }

  #noteStart(): void {
    const now = this.#now();
    if (now - this.#lastStartAt < idleLifeMs) this.#isSlow = false;
    this.#lastStartAt = now;
  }

  #lookAt(spare: Spare): void {
    this.#read(spare);
    const age = this.#now() - spare.since;
    if (age >= idleLifeMs) this.#isSlow = true;
    if (!spare.isReady && age >= longestStartMs) this.#died(spare.kind);
    const isOver = age >= idleLifeMs || (!spare.isReady && age >= longestStartMs);
    if (isOver || hasRunHooks(spare)) this.#end(spare);
  }

  #read(spare: Spare): void {
    spare.session.output.read();
    if (hasRunHooks(spare)) this.#without.add(spare.kind);
    if (spare.isReady || !spare.session.output.reading.isInitialized) return;
    spare.isReady = true;
    if (this.#now() - spare.since < quickMs) this.#without.add(spare.kind);
    spare.permit[Symbol.dispose]();
    this.#deaths.delete(spare.kind);
  }

  #died(kind: string): void {
    this.#deaths.set(kind, (this.#deaths.get(kind) ?? 0) + 1);
  }

  // What should be there: a spare for each of the next tasks, by kind.
  #wanted(): Map<string, SparePlan[]> {
    const wanted = new Map<string, SparePlan[]>();
    let count = 0;
    for (const task of this.#parts.next()) {
      if (count >= this.#parts.most()) break;
      const plan = this.#parts.planOf(task);
      const kind = plan?.plan.kind?.();
      if (!plan || kind === undefined) continue;
      count++;
      const plans = wanted.get(kind);
      if (plans) plans.push(plan);
      else wanted.set(kind, [plan]);
    }
    return wanted;
  }

  #startIfPossible(kind: string, spare: SparePlan): void {
    const { hasRoom, isSlotAwaited, permit, reuse, most } = this.#parts;
    const isBlocked = this.#without.has(kind) || (this.#deaths.get(kind) ?? 0) >= mostDeaths;
    if (isBlocked || this.#isSlow || this.size >= most() || this.#now() < this.#restsUntil) return;
    if (!isSlotAwaited() || !hasRoom(spare.need.footprintKey)) return;
    const right = permit();
    if (!right) return;
    const seen = reuse.seenNow(spare.plan.workingDirectory, spare.options);
    if (!seen) {
      this.#without.add(kind);
      right[Symbol.dispose]();
      return;
    }
    const starting = this.#start(kind, { ...spare, seen, permit: right })
      .catch((error) => {
        right[Symbol.dispose]();
        this.#parts.failed(error);
      })
      .finally(() => this.#starting.delete(starting));
    this.#starting.set(starting, kind);
  }

  async #start(kind: string, given: SparePlan & Pick<Spare, "seen" | "permit">): Promise<void> {
    const { plan, need, permit } = given;
    const since = this.#now();
    const start = await this.#parts.host.start(plan, need);
    if (!start.started) {
      // The task will say it, if its own start fails as well.
      this.#died(kind);
      permit[Symbol.dispose]();
      return;
    }
    const spare: Spare = { ...given, kind, session: start.session, since, isReady: false };
    this.#spares.set(plan.marker, spare);
    void start.session.exited.then(() => this.#gone(spare));
    if (this.#isClosed) this.#end(spare);
  }

  // It has exited. Unless it was taken or ended before, it died.
  #gone(spare: Spare): void {
    spare.permit[Symbol.dispose]();
    if (!this.#spares.has(spare.plan.marker)) return;
    this.#read(spare);
    if (spare.isReady) this.#diedReady();
    else this.#died(spare.kind);
    this.#end(spare);
  }

  // Something ends them from outside, and may go on: a lack of memory, for example.
  #diedReady(): void {
    const now = this.#now();
    if (now - this.#diedReadyAt < restMs) this.#restsUntil = now + restMs;
    this.#diedReadyAt = now;
  }

  #end(spare: Spare): void {
    const { plan, session, permit } = spare;
    this.#spares.delete(plan.marker);
    this.#endedMarkers.push(plan.marker);
    permit[Symbol.dispose]();
    session.output[Symbol.dispose]();
    const ending = session
      .end({ graceMs: exitMs, isUnasked: true })
      .then(() => {
        for (const path of [plan.transcript, plan.stderr]) removeIfPossible(path);
      })
      .catch(this.#parts.failed)
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

// Settings do not show the hooks of a plugin, so it is known only once one has run.
function hasRunHooks({ session }: Spare): boolean {
  return session.output.reading.hasHooks;
}

// What cannot be removed now, because something has it open or its directory has gone, stays until `prune`.
function removeIfPossible(path: string): void {
  try {
    removePath(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
