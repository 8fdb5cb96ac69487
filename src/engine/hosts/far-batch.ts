// A batch of another machine, as a far keeper knows it: which runner has it, and whether that still lives.
import type { ToKeeper } from "../../far/messages.ts";
import type { SessionRecord } from "./far-records.ts";
import type { Listener } from "./far-session.ts";

/** The lease of a batch whose runner has not said one yet, in milliseconds. */
const firstLeaseMs = 60_000;

type HelloMessage = Extract<ToKeeper, { type: "hello" }>;

export class FarBatch {
  readonly id: string;
  #epoch = 0;
  #leaseMs = firstLeaseMs;
  #isGoingElsewhere = false;
  #by: Listener | undefined;
  /** When its runner gave the last sign of life, on the monotonic clock. */
  #heardAt = performance.now();

  constructor(id: string) {
    this.id = id;
  }

  /** Counts the runners of the batch. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether its tasks run elsewhere once the lease is over. */
  get isGoingElsewhere(): boolean {
    return this.#isGoingElsewhere;
  }

  get isConnected(): boolean {
    return this.#by !== undefined;
  }

  /** A session of one of its runners is known. */
  raise({ epoch, leaseMs = firstLeaseMs, isGoingElsewhere = false }: SessionRecord): void {
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#leaseMs = leaseMs;
    this.#isGoingElsewhere = isGoingElsewhere;
  }

  /** How long its runner may give no sign of life, in milliseconds. */
  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** A runner has the batch from here on, and the one before has it no more. False if a later one has it. */
  take({ epoch, leaseMs, onLostHost }: HelloMessage, by: Listener): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    this.#leaseMs = leaseMs;
    this.#isGoingElsewhere = onLostHost === "elsewhere";
    const before = this.#by;
    this.#by = by;
    this.hear();
    // The connection may be half dead, and its end may not show for long.
    if (before !== by) before?.replaced();
    return true;
  }

  /** Whether this is who has the batch. */
  isOf(by: Listener): boolean {
    return this.#by === by;
  }

  hear(): void {
    this.#heardAt = performance.now();
  }

  /** This connection has ended. */
  letGo(by: Listener): void {
    if (this.#by === by) this.#by = undefined;
  }

  /** Its runner has given no sign of life for too long: what it has reserved is free again. */
  lapse(): void {
    this.#by?.lapsed();
  }

  /** The keeper before had heard nothing of its runner for long. */
  forsake(): void {
    this.#heardAt = Number.NEGATIVE_INFINITY;
  }

  /** Whether its runner gave no sign of life for longer than its lease. */
  isLapsed(): boolean {
    return performance.now() - this.#heardAt > this.#leaseMs;
  }
}
