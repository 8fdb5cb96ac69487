// A batch of another machine, as a far keeper knows it: which runner has it, and whether that still lives.
import type { ToKeeper } from "../../far/messages.ts";
import type { Listener } from "./far-session.ts";

type HelloMessage = Extract<ToKeeper, { type: "hello" }>;

export class FarBatch {
  readonly id: string;
  #epoch = 0;
  #leaseMs = 0;
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

  /** A session of a runner with this epoch is known. */
  raise(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /** A runner has the batch from here on, and the one before has it no more. False if a later one has it. */
  take({ epoch, leaseMs, onLostHost }: HelloMessage, by: Listener): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    this.#leaseMs = leaseMs;
    this.#isGoingElsewhere = onLostHost === "elsewhere";
    this.#by = by;
    this.hear();
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

  /** Whether its runner gave no sign of life for longer than its lease. */
  isLapsed(): boolean {
    return performance.now() - this.#heardAt > this.#leaseMs;
  }
}
