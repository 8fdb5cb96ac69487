// Keeps the leases of all runs of a worker.
import { clock } from "../platform/clock.ts";
import type { Ledger, Renewal } from "./ledger.ts";
import type { JobId } from "./queue-names.ts";

interface Held {
  id: JobId;
  runId: string;
  /** The run must end: another worker has it, or somebody cancelled it. */
  ended(why: Exclude<Renewal, "kept">): void;
}

export interface LeasesParts {
  ledger: Pick<Ledger, "renew">;
  /** How often leases are renewed, in milliseconds. */
  everyMs: number;
  now?: () => number;
}

export class Leases implements Disposable {
  readonly #parts: Required<LeasesParts>;
  readonly #held = new Set<Held>();
  /** Those that are being renewed. During an outage that takes long, and a second request would only wait behind the first. */
  readonly #asking = new Set<Held>();
  #renewedAt: number;
  readonly #ticks: Disposable;

  constructor({ now = () => performance.now(), ...parts }: LeasesParts) {
    this.#parts = { ...parts, now };
    this.#renewedAt = now();
    this.#ticks = clock.on("second", () => this.look());
  }

  /** Keeps the lease of a run until this is disposed of. */
  hold(held: Held): Disposable {
    this.#held.add(held);
    return { [Symbol.dispose]: () => void this.#held.delete(held) };
  }

  /** Renews, if it is time. */
  look(): void {
    const now = this.#parts.now();
    if (now - this.#renewedAt < this.#parts.everyMs) return;
    this.#renewedAt = now;
    for (const held of this.#held) if (!this.#asking.has(held)) void this.#renew(held);
  }

  async #renew(held: Held): Promise<void> {
    this.#asking.add(held);
    try {
      const renewal = await this.#parts.ledger.renew(held.id, held.runId);
      if (renewal !== "kept" && this.#held.has(held)) held.ended(renewal);
    } catch {
      // The connection says what is wrong, and the next look tries again.
    } finally {
      this.#asking.delete(held);
    }
  }

  [Symbol.dispose](): void {
    this.#ticks[Symbol.dispose]();
  }
}
