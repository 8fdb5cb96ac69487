// What is known from earlier batches of the same template: which tasks failed, and what tasks cost.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { type Context, isStoreThere } from "../context.ts";
import { isFailure } from "../news.ts";

/** The keys of the tasks that failed in the newest earlier batch of a template. */
export function failedBefore(context: Context, template: string): Set<string> {
  const [newest] = earlierBatches(context, template, 1);
  const failed = (newest?.tasks ?? []).filter((task) => task.status === "done" && isFailure(task));
  return new Set(failed.flatMap(({ number }) => newest?.batch.tasks[number - 1]?.key ?? []));
}

/** What the tasks of earlier batches cost. */
export interface EarlierCost {
  batches: number;
  /** Those of which the cost is known. */
  tasks: number;
  /** US dollars of one task: the median. */
  medianUsd: number;
  /** US dollars of all of them. */
  totalUsd: number;
}

/** How many earlier batches to look at. */
const mostBatches = 5;

/** What tasks of a template have cost so far; undefined if none has ended. */
export function costBefore(context: Context, template: string): EarlierCost | undefined {
  const states = earlierBatches(context, template, mostBatches);
  const costs = states.flatMap(({ tasks }) =>
    // A remembered answer cost nothing, and says nothing about others.
    tasks.flatMap((task) =>
      task.status === "done" && task.usage && !isReused(task) ? [task.usage.costUsd] : [],
    ),
  );
  const ascending = costs.sort((a, b) => a - b);
  const medianUsd = ascending[Math.floor(ascending.length / 2)];
  if (medianUsd === undefined) return undefined;
  return {
    batches: states.length,
    tasks: costs.length,
    medianUsd,
    totalUsd: costs.reduce((sum, cost) => sum + cost, 0),
  };
}

// Newest first.
function earlierBatches(context: Context, template: string, limit: number): BatchState[] {
  // Looking creates no store.
  if (!isStoreThere(context)) return [];
  return context.store
    .withTemplate(template, limit)
    .flatMap((batchId) => context.store.batch(batchId)?.state ?? []);
}

function isReused({ outcome }: DoneTask): boolean {
  return outcome.kind === "succeeded" && outcome.reused !== undefined;
}
