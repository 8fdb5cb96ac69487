// Adds tasks to a batch that has not ended, checked like those of a new one.
import type { Task } from "../model/event.ts";
import { sessionOptions } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { isPaused } from "../model/sample.ts";
import type { BatchState } from "../model/state.ts";
import { writePrivateFiles } from "../platform/private-files.ts";
import { countText, numberText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";
import { type Context, InputError, UserError } from "./context.ts";
import { distinct, type Fault, wrong } from "./fault.ts";
import { mostTasks } from "./inputs/for-each.ts";
import { planBatch } from "./plan.ts";
import { pick, rawObject } from "./raw-options.ts";

/**
 * Adds tasks as they were written, each a prompt or an object, and returns their numbers. Nothing is added if anything is wrong with one of them. Throws `InputError` with all
 * faults, and `UserError` if the batch takes no more tasks.
 */
export async function addTasks(
  context: Context,
  log: BatchLog,
  given: readonly unknown[],
): Promise<readonly number[]> {
  for (;;) {
    refuseAddition(log.state);
    const before = log.state.tasks.length;
    if (before + given.length > mostTasks)
      throw new UserError(
        `Batch ${log.batchId} has ${countText(before, "task")}, and one batch has at most ${numberText(mostTasks)}.`,
      );
    const tasks = await planned(context, log.state, given);
    const events = await patiently(() =>
      log.append((state) =>
        // Somebody else may have added some meanwhile: then these have other numbers, and perhaps taken keys.
        whyNotAdded(state) === undefined && state.tasks.length === before
          ? [{ type: "tasks-added", tasks }]
          : [],
      ),
    );
    if (events.length > 0) return tasks.map((_, index) => before + index + 1);
  }
}

function refuseAddition(state: BatchState): void {
  const why = whyNotAdded(state);
  if (why !== undefined) throw new UserError(`${why} Start a new batch for more tasks.`);
}

function whyNotAdded(state: BatchState): string | undefined {
  const { batch, endedAt, cancelledBy } = state;
  if (batch.tasks.some(({ summary }) => summary !== undefined))
    return `The results of batch ${batch.batchId} are being summarized, or have been.`;
  if (endedAt !== undefined && !isPaused(state)) return `Batch ${batch.batchId} has ended.`;
  return cancelledBy === undefined ? undefined : `Batch ${batch.batchId} is being cancelled.`;
}

const sessionNames = Object.keys(sessionOptions.shape).filter(
  // Values of `env` are not stored, and settings may lie in a private file.
  (name) => name !== "env" && name !== "settings",
);

async function planned(context: Context, { batch }: BatchState, given: readonly unknown[]): Promise<Task[]> {
  const { batchId, sessionOptions: shared, workingDirectory, hosts, fleet } = batch;
  const input = {
    workingDirectory,
    ...pick(shared, sessionNames),
    // Where the batch runs, whatever the configuration says by now.
    hosts: hosts ?? [],
    fleet: fleet?.name ?? "",
    tasks: given,
  };
  const others = batch.tasks.map(({ prompt, key, options }, index) => {
    const name = options?.["name"];
    return { place: ["tasks", index], prompt, key, ...(typeof name === "string" ? { name } : {}) };
  });
  const startedBy = context.door === "tools" ? "spawn_parallel_claude_sessions" : "run";
  const plan = await planBatch(context, startedBy, input, { batchId, tasks: others });
  const faults = [...(plan.ok ? [] : plan.faults), ...given.flatMap(valueFaults)];
  if (!plan.ok || faults.length > 0)
    throw new InputError(distinct(faults.map((fault) => placed(context, fault))));
  await writePrivateFiles(plan.value.files);
  plan.value.keepVersion();
  return plan.value.batch.tasks;
}

// Only the processes of the batch have values, and those that run have their own.
function valueFaults(task: unknown, index: number): Fault[] {
  if (rawObject(task)["env"] === undefined) return [];
  return [
    wrong(
      ["tasks", index, "env"],
      prose`cannot be given to a task that is added, because the values of ${option("env")} are never stored`,
    ),
  ];
}

// Over MCP, they are in `addTasks`.
function placed({ door }: Context, fault: Fault): Fault {
  if (door !== "tools" || fault.kind === "general" || fault.place[0] !== "tasks") return fault;
  return { ...fault, place: ["addTasks", ...fault.place.slice(1)] };
}
