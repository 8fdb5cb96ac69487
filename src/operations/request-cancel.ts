// Requests the end of a batch, or of some of its tasks, and sees that somebody brings it about.
import { isAbandoned, resumeBatch } from "../engine/runner/resume-batches.ts";
import type { Canceller } from "../model/outcome.ts";
import { isPaused } from "../model/sample.ts";
import type { BatchState } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";

interface Asked {
  by: Canceller;
  /** 1-based; all by default. */
  tasks?: readonly number[] | undefined;
}

/** Does nothing to a batch that has ended. */
export async function requestCancel(context: Context, log: BatchLog, { by, tasks }: Asked): Promise<void> {
  let wasPaused = false;
  await patiently(() =>
    log.append((state) => {
      wasPaused = isPaused(state);
      if (!canCancel(state, tasks)) return [];
      return [{ type: "cancel-requested", by, ...(tasks ? { tasks: [...tasks] } : {}) }];
    }),
  );
  const row = rowOf(context, log);
  // An interrupted batch needs a runner to end what it left behind, and a paused one, whose own may be about to exit, to
  // write its files and its end.
  if (row.endedAt === undefined && (wasPaused || isAbandoned(row))) await resumeBatch(context.store, row);
}

function canCancel(state: BatchState, tasks: Asked["tasks"]): boolean {
  if (!isPaused(state)) return state.endedAt === undefined;
  return state.tasks.some(({ status, number }) => status === "queued" && (tasks?.includes(number) ?? true));
}
