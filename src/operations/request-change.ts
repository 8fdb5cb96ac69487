// Appends what somebody changes in a batch that has not ended: whether it pauses, how many run at once, its budget.
import type { EventBody, Pause, SpendLimits } from "../model/event.ts";
import type { Concurrency } from "../model/options.ts";
import { isPaused } from "../model/sample.ts";
import type { BatchState } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";

/** What is to change. What is absent stays. */
export interface Wanted {
  /** Who pauses it; with `false`, it goes on. */
  pause?: Pause | false | undefined;
  concurrency?: Concurrency | undefined;
  /** In US dollars, with what is spent. */
  budgetUsd?: number | undefined;
  /** The operator's budgets, if they have changed. */
  spendLimits?: SpendLimits | undefined;
}

/**
 * What became of a request. `same`: all of it was so already. `rests`: it is to go on, and nothing of it runs any more.
 * `over`: it has ended.
 */
export type Requested = "changed" | "same" | "rests" | "over";

/** Asks for a change. Of what is wanted, only what differs is written. */
export async function requestChange(log: BatchLog, wanted: Wanted): Promise<Requested> {
  let requested: Requested = "same";
  await patiently(() =>
    log.append((state) => {
      const step = stepFor(state, wanted);
      requested = step.requested;
      return step.events;
    }),
  );
  return requested;
}

/** The same in one step, for somebody who tries again. */
export function stepFor(state: BatchState, wanted: Wanted): { requested: Requested; events: EventBody[] } {
  const rests = isPaused(state);
  if (state.endedAt !== undefined && !rests) return { requested: "over", events: [] };
  if (rests && wanted.pause === false) return { requested: "rests", events: [] };
  const { budgetUsd, concurrency, spendLimits } = wanted;
  const isPausing =
    wanted.pause !== undefined &&
    !rests &&
    (wanted.pause === false ? state.paused !== undefined : !holdsAll(state));
  const changes = {
    ...(isPausing ? { pause: wanted.pause } : {}),
    ...(concurrency === undefined || concurrency === state.batch.concurrency ? {} : { concurrency }),
    ...(budgetUsd === undefined || budgetUsd === state.budgetUsd ? {} : { budgetUsd }),
  };
  if (Object.keys(changes).length === 0) return { requested: "same", events: [] };
  const limits = spendLimits ? { spendLimits } : {};
  return { requested: "changed", events: [{ type: "retry-requested", tasks: [], ...changes, ...limits }] };
}

// Whether it is paused, also for all that a retry has asked for since.
function holdsAll({ paused, tasks }: BatchState): boolean {
  return paused !== undefined && [...paused.but].every((number) => tasks[number - 1]?.status !== "queued");
}
