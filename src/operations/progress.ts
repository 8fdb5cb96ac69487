// Reports progress to a waiting client, and that the call is still alive.
import { type BatchState, doneCount } from "../model/state.ts";
import { clock } from "../platform/clock.ts";
import type { Call } from "./operation.ts";

/** What is reported of a batch. */
type Told = Pick<BatchState, "counts" | "totalCostUsd" | "endedAt"> & { tasks: ArrayLike<unknown> };

/** Reports until disposed of. */
export class Progress implements Disposable {
  readonly #progress: Call["progress"];
  readonly #heartbeat: Disposable;
  #last = -1;

  constructor({ progress }: Pick<Call, "progress">, batch: { readonly state: Told }) {
    this.#progress = progress;
    this.#heartbeat = clock.on("heartbeat", () => this.tell(batch.state));
  }

  [Symbol.dispose](): void {
    this.#heartbeat[Symbol.dispose]();
  }

  /**
   * Progress must strictly increase, even if nothing has ended between two heartbeats. Only the end of the batch reaches
   * the total: after the last task, files are still written, and nothing may follow the total. A pause does not.
   */
  tell({ counts, tasks, totalCostUsd, endedAt }: Told): void {
    const total = tasks.length;
    const done = doneCount(counts);
    const next = endedAt === undefined || done < total ? this.#before(done, total) : total;
    if (next <= this.#last) return;
    this.#last = next;
    const cost = totalCostUsd > 0 ? `, $${totalCostUsd.toFixed(2)} so far` : "";
    this.#progress(next, total, `${done} of ${total} ended, ${counts.running} running${cost}`);
  }

  #before(done: number, total: number): number {
    if (this.#last < done && done < total) return done;
    const ceiling = Math.min(done + 1, total);
    return this.#last + (ceiling - this.#last) / 1_000;
  }
}
