// The facts that advice on a task needs, from the state of its batch.
import { endedSessions } from "../model/estimate.ts";
import { type BatchState, canRetry, conversationHere, type DoneTask } from "../model/state.ts";
import { optionsOf } from "../model/task-options.ts";
import type { AdviceFacts } from "./advice.ts";
import { enoughUsd } from "./batch-end.ts";
import type { Door } from "./option-words.ts";

/** For the readers of one door. */
export function adviceFactsOf(state: BatchState, task: DoneTask, door: Door): AdviceFacts {
  const { batch, counts, totalCostUsd, budgetUsd, stoppedAtUsd } = state;
  const last = task.attempts.at(-1);
  return {
    batchId: batch.batchId,
    denials: task.usage?.denials ?? [],
    door,
    tasks: [task.number],
    sessionId: last && (conversationHere(last) ?? ""),
    options: optionsOf(batch, task.number),
    concurrency: batch.concurrency,
    resumable: canRetry(task) && last?.resumable === true,
    ...(budgetUsd === undefined
      ? {}
      : {
          enoughUsd: enoughUsd({
            counts,
            costUsd: totalCostUsd,
            budgetUsd,
            stoppedAtUsd,
            paid: { ended: endedSessions(state), toCome: 1 },
          }),
        }),
  };
}
