// What has changed in all batches since the last look, for doors that notify their clients.
import type { BatchId } from "../model/batch-id.ts";
import type { Store } from "../store/store.ts";
import type { Context } from "./context.ts";

/** What has changed of a batch. */
export interface BatchChange {
  batchId: BatchId;
  isNew: boolean;
  /** Tasks that began or ended, by number. */
  tasks: Set<number>;
}

/** Reads only a store that a call has already opened. */
export class Changes {
  readonly #context: Context;
  readonly #since: number;
  #store: Store | undefined;
  #sequence = 0;

  /** `since`: what has changed before then is no news, in milliseconds since 1970. */
  constructor(context: Context, since = Date.now()) {
    this.#context = context;
    this.#since = since;
  }

  /** What has changed since the last call, or since this was created; one entry for each batch. */
  next(): BatchChange[] {
    const store = this.#context.openedStore;
    if (!store) return [];
    if (store !== this.#store) this.#sequence = store.sequenceBefore(this.#since);
    this.#store = store;
    const changes = new Map<BatchId, BatchChange>();
    for (const { sequence, batchId, type, task } of store.changesAfter(this.#sequence)) {
      this.#sequence = sequence;
      const change = changes.get(batchId) ?? { batchId, isNew: false, tasks: new Set() };
      changes.set(batchId, change);
      change.isNew ||= type === "batch-created";
      if (task !== null) change.tasks.add(task);
    }
    return [...changes.values()];
  }
}
