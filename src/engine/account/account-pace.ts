// The pace of an account as one runner sees it: combines the replies and throttles of its own sessions with those of
// others.
import type { SharedCapacity } from "../shared/shared-store.ts";
import { keptText, type Pace, paceFrom, replied, throttled } from "./pace.ts";

interface PaceParts {
  capacity: Pick<SharedCapacity, "pace" | "changePace">;
  account: string;
  /** How many sessions of the account run, in all batches. */
  running: () => number;
  /** Whether its runner has one task, and others of the same process learn of replies only from the store. */
  isForOne?: boolean;
}

/** How often the replies of one task are stored at most, in milliseconds. */
const storeEveryMs = 1_000;

export class AccountPace {
  readonly #parts: PaceParts;
  #pace: Pace;
  /** Replies not stored yet: most come in a steady stream, and do not each need a commit. */
  #replies = 0;
  /** When they were last stored, on the monotonic clock. */
  #storedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: PaceParts) {
    this.#parts = parts;
    this.#pace = paceFrom(parts.capacity.pace(parts.account), Date.now());
  }

  /** Most sessions of the account at once. */
  ceiling(): number {
    if (this.#replies > 0) this.#change((pace) => pace);
    return Math.floor(this.#pace.ceiling);
  }

  /** The API has answered a session of ours. */
  replied(count: number): void {
    this.#replies += count;
    // Its slot was the only one that it asked the ceiling for.
    if (this.#parts.isForOne && performance.now() - this.#storedAt >= storeEveryMs) this.refresh();
  }

  /** The API has throttled a session of ours. */
  throttled(): void {
    this.#change((pace, running) => throttled(pace, running, Date.now()));
  }

  /** Reads what other runners learned, and stores our replies. */
  refresh(): void {
    if (this.#replies > 0) this.#change((pace) => pace);
    else this.#pace = paceFrom(this.#parts.capacity.pace(this.#parts.account), Date.now());
  }

  #change(then: (pace: Pace, running: number) => Pace): void {
    const { capacity, account } = this.#parts;
    const running = this.#parts.running();
    const replies = this.#replies;
    this.#replies = 0;
    this.#storedAt = performance.now();
    const now = Date.now();
    capacity.changePace(account, (text) => {
      let pace = paceFrom(text, now);
      for (let count = 0; count < replies; count++) pace = replied(pace, running);
      this.#pace = then(pace, running);
      return keptText(this.#pace, now);
    });
  }
}
