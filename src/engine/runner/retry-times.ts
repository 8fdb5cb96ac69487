// When the tasks of a batch are retried: asks the rule (`scheduler/retry.ts`) about each attempt that has ended, and
// remembers when the next one is due.
import type { SessionOptions } from "../../model/options.ts";
import { attemptsSinceAsked, type BatchState } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import type { EndKnown } from "../attempt/attempt-events.ts";
import { startsOver } from "../attempt/continuation.ts";
import { retryDelayMs } from "../scheduler/retry.ts";

/** An attempt that has ended, as far as retries are concerned. */
interface EndedAttempt {
  /** The task; 1-based, as is `attempt`. */
  number: number;
  attempt: number;
  options: SessionOptions;
  /** Whether another runner started it. */
  adopted: boolean;
  /** Whether it continued the previous attempt's conversation. */
  resumes: boolean;
}

/** How long until the task is retried, in milliseconds; undefined if it is not. `held`: the attempt caused a hold. */
export function delayAfter(
  state: BatchState,
  { number, attempt, options, adopted, resumes }: EndedAttempt,
  { outcome, resumable = false }: EndKnown,
  { held }: { held: boolean },
): number | undefined {
  // Attempts before the last retry request do not count.
  const earlier = attemptsSinceAsked(state, number).flatMap((one) =>
    one.number < attempt && one.outcome ? [one.outcome] : [],
  );
  // The attempt's options name the conversation that it continued; the task's own may name another one, or none.
  const asked = optionsOf(state.batch, number);
  const anew = startsOver({ resumes, resumable, outcome }, asked);
  return retryDelayMs({
    outcome,
    earlier,
    retries: options.retries,
    adopted,
    held,
    resumable,
    startsOver: anew,
  });
}

/** When tasks may be retried, on the monotonic clock: the time of day in the log may be set back. */
export class RetryTimes {
  readonly #dueAt = new Map<number, number>();

  /** `delayMs`: from now on; undefined if the task is not retried. */
  set(number: number, delayMs: number | undefined): void {
    if (delayMs === undefined) this.#dueAt.delete(number);
    else this.#dueAt.set(number, performance.now() + delayMs);
  }

  /** Undefined if the task is not retried, or its delay started before this runner. */
  dueAt(number: number): number | undefined {
    return this.#dueAt.get(number);
  }
}
