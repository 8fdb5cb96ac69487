// What is known from earlier batches of the same template: which tasks failed, and what tasks cost.
import type { Batch } from "../../model/event.ts";
import type { BatchState, DoneTask } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
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
  /** How many tasks ran, of which the cost is known. */
  tasks: number;
  /** US dollars of all of them. */
  totalUsd: number;
}

/** The costs of sessions, in US dollars. */
export interface EarlierCosts extends EarlierCost {
  all: readonly number[];
  /** By what makes them cheap or expensive, as `costKeyOf` has it. */
  byKey: ReadonlyMap<string, readonly number[]>;
  /** Of the sessions of summaries. */
  summaries: readonly number[];
}

/** How many earlier batches to look at. */
const mostBatches = 5;

/** What tasks of a template have cost so far; undefined if none has ended. */
export function costsBefore(context: Context, template: string): EarlierCosts | undefined {
  const states = earlierBatches(context, template, mostBatches);
  const byKey = new Map<string, number[]>();
  const summaries: number[] = [];
  for (const { batch, tasks } of states)
    for (const task of tasks) {
      // An answer that was used again cost nothing, and says nothing about others.
      if (task.status !== "done" || !task.usage || isReused(task)) continue;
      const { costUsd } = task.usage;
      if (batch.tasks[task.number - 1]?.summary) {
        summaries.push(costUsd);
        continue;
      }
      const key = costKeyOf(batch, task.number);
      const costs = byKey.get(key);
      if (costs) costs.push(costUsd);
      else byKey.set(key, [costUsd]);
    }
  const all = [...byKey.values()].flat();
  if (all.length === 0) return undefined;
  const totalUsd = all.reduce((sum, cost) => sum + cost, 0);
  return { batches: states.length, tasks: all.length, totalUsd, all, byKey, summaries };
}

/** What of a task's options decides about its cost most: the model, its effort, and whether a second session checks the answer. */
export function costKeyOf(batch: Batch, number: number): string {
  const { model, effort, expect } = optionsOf(batch, number);
  return JSON.stringify([model, effort, expect?.question !== undefined]);
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
