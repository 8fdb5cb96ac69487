// Which tasks fail most: over the batches of one template, or of one name, such as those of a nightly job.
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import type { Batch, Task } from "../model/event.ts";
import { type BatchState, countOf, type DoneTask } from "../model/state.ts";
import { givenTasks } from "../model/summary.ts";
import { countText, timeText } from "../report/amounts.ts";
import { happenedText } from "../report/cause-text.ts";
import { labelOf } from "../report/label.ts";
import { rounded } from "../report/spending.ts";
import { batchIdInput } from "./batch-input.ts";
import { type Context, isStoreThere, UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { findBatch } from "./find-batch.ts";
import type { Operation } from "./operation.ts";

const failuresInput = z.strictObject({
  batchId: batchIdInput.meta({
    ...batchIdInput.meta(),
    description: "A batch, by its id or name; it and those like it are counted.",
  }),
  batches: z
    .int()
    .min(1)
    .max(1_000)
    .meta({ description: "Most batches to count, the newest ones.", aliases: ["last"] })
    .default(50),
  limit: z.int().min(1).max(10_000).meta({ description: "Most tasks to list." }).default(20),
});

const failingTask = z.object({
  task: z.string().meta({ description: "Its key, or what else tells it from the others." }),
  runs: z.int().meta({ description: "In how many of the batches it ended, other than by being cancelled." }),
  failed: z.int().meta({ description: "In how many of these it failed." }),
  retried: z.int().meta({ description: "In how many it took more than one attempt." }),
  failedCostUsd: z.number().meta({ description: "What the runs that failed have cost." }),
  last: z
    .object({
      batchId: z.string(),
      taskIndex: z.int(),
      at: z.string().meta({ description: "ISO 8601." }),
      says: z.string(),
    })
    .optional()
    .meta({ description: "When it failed last; absent if it only needed more attempts." }),
});
export type FailingTask = z.infer<typeof failingTask>;

const failuresOutput = z.object({
  by: z.enum(["template", "name"]).meta({ description: "What the batches have in common." }),
  batches: z.int(),
  since: z.string().meta({ description: "When the oldest of them began, in ISO 8601." }),
  tasks: z.int().meta({ description: "How many different tasks they had." }),
  failing: z.int().meta({ description: "How many of these failed at least once." }),
  rows: z.array(failingTask).meta({ description: "Those that failed in most batches come first." }),
  message: z.string(),
});

export const reportFailures: Operation<typeof failuresInput, typeof failuresOutput> = {
  title: "Show which tasks fail most",
  description:
    "Counts, over the newest batches of the same template, or without one, of the same name: which tasks failed in how many of them, or took more than one attempt. Tasks are the same if their keys are, or without keys, their prompts. Cancelled tasks and answers that were used again do not count.",
  input: failuresInput,
  output: failuresOutput,
  run: async (context, input) => {
    const { batchId, batches: most, limit } = valueOrThrow(check(failuresInput, input));
    const { by, ids } = batchesLike(context, batchId, most);
    const tallies = new Map<string, FailingTask>();
    const seen = new Set<string>();
    let [counted, since] = [0, Number.POSITIVE_INFINITY];
    // The newest first, so that the last failure of a task is the first that is met.
    for (const id of ids) {
      const state = context.store.batch(id)?.state;
      if (!state) continue;
      counted++;
      since = Math.min(since, state.createdAt);
      for (const task of givenTasks(state)) {
        const identity = identityOf(state.batch, task.number);
        seen.add(identity);
        if (task.status === "done" && isRun(task)) tally(tallies, identity, { state, task });
      }
    }
    const all = [...tallies.values()];
    const rows = all
      .filter(({ failed, retried }) => failed + retried > 0)
      .sort((a, b) => b.failed - a.failed || a.runs - b.runs || b.retried - a.retried);
    const failing = rows.filter(({ failed }) => failed > 0);
    const always = failing.filter(({ failed, runs }) => failed === runs && runs > 1).length;
    return {
      by,
      batches: counted,
      since: new Date(since).toISOString(),
      tasks: seen.size,
      failing: failing.length,
      rows: rows.slice(0, limit).map((row) => ({ ...row, failedCostUsd: rounded(row.failedCostUsd) })),
      message: `Of ${countText(seen.size, "task")} in ${countText(counted, "batch", "batches")} of the same ${by} since ${timeText(since)}, ${failing.length} failed at least once${always > 0 ? `, and ${always} each time` : ""}.`,
    };
  },
};

// A name that several batches have is what is wanted here: the newest of them says what they have in common.
function batchesLike(
  context: Context,
  given: string,
  most: number,
): { by: "template" | "name"; ids: BatchId[] } {
  const [newest] = isStoreThere(context) ? context.store.named(given) : [];
  const { batch } = findBatch(context, newest ?? given).state;
  if (batch.template !== undefined)
    return { by: "template", ids: context.store.withTemplate(batch.template, most) };
  if (batch.name === undefined)
    throw new UserError(
      `Batch ${batch.batchId} has neither a template nor a name, so nothing says which other batches are like it. Give your batches a name with \`--batch-name\`, or make their tasks from a template.`,
    );
  return { by: "name", ids: context.store.named(batch.name).slice(0, most) };
}

function identityOf({ tasks }: Pick<Batch, "tasks">, number: number): string {
  const task = tasks[number - 1];
  if (!task) throw new Error(`Internal error: there is no task ${number}`);
  return task.key === undefined ? `prompt ${promptAsGiven(task)}` : `key ${task.key}`;
}

function promptAsGiven({ prompt, appended = 0 }: Task): string {
  return prompt.slice(0, prompt.length - appended);
}

function isRun({ outcome }: DoneTask): boolean {
  return outcome.kind !== "cancelled" && !(outcome.kind === "succeeded" && outcome.reused);
}

function tally(
  tallies: Map<string, FailingTask>,
  identity: string,
  { state, task }: { state: BatchState; task: DoneTask },
): void {
  const row = tallies.get(identity) ?? {
    task: state.batch.tasks[task.number - 1]?.key ?? labelOf(state, task.number),
    runs: 0,
    failed: 0,
    retried: 0,
    failedCostUsd: 0,
  };
  tallies.set(identity, row);
  row.runs++;
  if (task.attempts.length > 1) row.retried++;
  if (countOf(task) !== "failed") return;
  row.failed++;
  row.failedCostUsd += task.usage?.costUsd ?? 0;
  row.last ??= {
    batchId: state.batch.batchId,
    taskIndex: task.number,
    at: new Date(task.endedAt).toISOString(),
    says: happenedText(task),
  };
}
