// Sessions that started before their task was known.
import type { Moment, SeenAtStart } from "../reuse/seen-at-start.ts";
import type { Need, Session, StartPlan } from "./session-host.ts";

/** A session that no task takes leaves after this time, in milliseconds. */
export const idleLifeMs = 60_000;
/** How long one that leaves has to exit before it is killed, in milliseconds. */
export const exitMs = 500;

/** A session that has no prompt yet, and the plan it was started by. */
export interface StartedSession {
  plan: StartPlan;
  session: Session;
}

/** A session of a pool. */
export interface PooledSession extends StartedSession {
  /** Whether it is not ready yet: it still starts. */
  isStarting?: boolean;
  /** Call as soon as it is ready, unless it was when it was taken. */
  ready?(): void;
  /** Call when another session may start: gives back the right by which it was started, if it still has that. */
  begun?(): void;
  /** Call if it went before it was ready. */
  lost?(): void;
  /** What it read by itself at its start, if that is known. */
  seen?: SeenAtStart;
  /** If its process had other conversations: when the last of them began to be forgotten. */
  clearedAt?: Moment;
}

/** Once disposed of, it keeps no session, and ends those that no task has, which nobody waits for. */
export interface SessionPool extends Disposable {
  /**
   * Gives away a session for this plan of a task (1-based); undefined if there is none. Its name, conversation and files may
   * differ: the attempt gets those of the plan by which the session was started.
   */
  take(plan: StartPlan, need: Need, task: number): PooledSession | undefined;
  /** Whether there is a session for the next attempt at a task. */
  has(task: number): boolean;
  /** Sets one aside for the next attempt at a task, until disposed of; undefined if there is none. */
  reserve(task: number): Disposable | undefined;
  /** How long a task should wait for a session, because one is about to be free, in milliseconds. 0: it should start its own. */
  patienceMs(task: number): number;
  /** Ends those that no task has: something else needs what they use. */
  release(): void;
  /** Looks which must go, and whether some should start. Call on every beat, and after changes. */
  look(): void;
  /** The same, soon, unless it was a moment ago: a session has started, or a right to start was given back. */
  lookSoon(): void;
  /** Whether this is the marker of one that no task has. */
  owns(marker: string): boolean;
  /** Ends those with these markers, because memory is short. Others are none of its concern. */
  evict(markers: readonly string[]): void;
  /** Ends all, and resolves when they have gone. More may come later. */
  ended(): Promise<void>;
}

/** Several pools as one: each is asked before those behind it. */
export function poolOf(...pools: readonly SessionPool[]): SessionPool {
  return {
    take: (plan, need, task) => firstOf(pools, (pool) => pool.take(plan, need, task)),
    has: (task) => pools.some((pool) => pool.has(task)),
    reserve: (task) => firstOf(pools, (pool) => pool.reserve(task)),
    patienceMs: (task) => Math.max(...pools.map((pool) => pool.patienceMs(task))),
    release() {
      for (const pool of pools) pool.release();
    },
    look() {
      for (const pool of pools) pool.look();
    },
    lookSoon() {
      for (const pool of pools) pool.lookSoon();
    },
    owns: (marker) => pools.some((pool) => pool.owns(marker)),
    evict(markers) {
      for (const pool of pools) pool.evict(markers);
    },
    async ended() {
      await Promise.all(pools.map((pool) => pool.ended()));
    },
    [Symbol.dispose]() {
      for (const pool of pools) pool[Symbol.dispose]();
    },
  };
}

function firstOf<Found>(
  pools: readonly SessionPool[],
  ask: (pool: SessionPool) => Found | undefined,
): Found | undefined {
  for (const pool of pools) {
    const found = ask(pool);
    if (found !== undefined) return found;
  }
  return undefined;
}
