// Looks for new and changed batches, for clients that want to know of them.
import { batchUri, taskUri, transcriptUri } from "../../operations/batch-uri.ts";
import { Changes } from "../../operations/changes.ts";
import type { Context } from "../../operations/context.ts";
import { Pace } from "../../platform/clock.ts";
import type { Listener } from "./updates.ts";

/** Who wants to know what. */
export interface Watching {
  /** From when on, in milliseconds since 1970. */
  since: number;
  listener: Listener;
  /** Ends the watch. */
  signal: AbortSignal;
}

/** For how long after a change the store is looked at every second, in milliseconds. */
const livelyMs = 10_000;

/**
 * Looks at most once a second, until the signal is aborted: more would announce every step. Takes some microseconds once a
 * call has opened the store, and nothing before.
 */
export function watchBatches(context: Context, { since, listener, signal }: Watching): void {
  const changes = new Changes(context, since);
  let changedAt = performance.now();
  const look = () => {
    const news = changes.next();
    if (news.length > 0) changedAt = performance.now();
    for (const { batchId, isNew, tasks } of news) {
      if (isNew) listener.listChanged();
      listener.updated(batchUri(batchId));
      for (const task of tasks) {
        listener.updated(taskUri(batchId, task));
        listener.updated(transcriptUri(batchId, task));
      }
    }
  };
  const pace = new Pace(
    () => {
      try {
        look();
      } catch (error) {
        // The store is busy or has gone: the next look will show, and nobody waits for this one.
        console.error(error);
      }
      pace.at(performance.now() - changedAt < livelyMs ? "second" : "rest");
    },
    { manner: { keepsAlive: false } },
  );
  pace.at("second");
  signal.addEventListener("abort", () => pace[Symbol.dispose](), { once: true });
}
