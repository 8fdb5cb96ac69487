// Tells a client that waits how far its batch is, and that it is still waited for.
import { type BatchState, doneCount } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { Call } from "./operation.ts";

/** Between signs of life to a client whose batch shows none. */
const heartbeatMs = 10_000;

/** Until disposed of. */
export class Progress implements Disposable {
  readonly #call: Call;
  readonly #heartbeat: Timer;
  #last = -1;

  constructor(call: Call, log: BatchLog) {
    this.#call = call;
    this.#heartbeat = setInterval(() => this.tell(log.state), heartbeatMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
  }

  /** Progress must strictly increase, also where nothing has ended between two signs of life. */
  tell({ counts, tasks, totalCostUsd }: BatchState): void {
    const done = doneCount(counts);
    this.#last = this.#last < done ? done : this.#last + (done + 1 - this.#last) / 1_000;
    const cost = totalCostUsd > 0 ? `, $${totalCostUsd.toFixed(2)} so far` : "";
    const message = `${done} of ${tasks.length} ended, ${counts.running} running${cost}`;
    this.#call.progress(this.#last, tasks.length, message);
  }
}
