// Resumes what was interrupted, and runs failed tasks again, optionally with other options.
import { resumeBatch } from "../engine/runner/resume-batches.ts";
import { spentUsd } from "../engine/scheduler/budget.ts";
import { type Prose, prose } from "../model/prose.ts";
import type { SessionValues } from "../model/session-values.ts";
import { canRetry } from "../model/state.ts";
import { writePrivateFiles } from "../platform/private-files.ts";
import { messageOf } from "../platform/system-error.ts";
import { costText, countText } from "../report/amounts.ts";
import { listText, optionsText } from "../report/option-words.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";
import type { BatchRow } from "../store/store.ts";
import { changeOutput, waited } from "./batches.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { farText } from "./far-text.ts";
import { check } from "./faults.ts";
import { rowOf } from "./find-batch.ts";
import { follow } from "./follow.ts";
import type { Tool } from "./operation.ts";
import {
  eventsOf,
  nameThemText,
  planRetry,
  type RetryPlan,
  retryInput,
  spentText,
  wasDenied,
} from "./retry-plan.ts";

export const retryBatch: Tool<typeof retryInput, typeof changeOutput> = {
  name: "retry_batch",
  title: "Resume a batch, or rerun failed tasks",
  when: "Use this when a batch was interrupted, or some of its tasks failed or were cancelled.",
  description:
    "Resumes an interrupted batch of Claude Code sessions, and reruns tasks that failed or were cancelled, optionally with other options (`with`). Tasks that succeeded keep their results and cost nothing more, unless `tasks` names them and `with` gives options. Answers at once; wait_for_batch reports progress.",
  input: retryInput,
  output: changeOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (context, input, call) => {
    const plan = await planRetry(context, valueOrThrow(check(retryInput, input)));
    const { log, row, isRunning, values } = plan;
    plan.keepVersion();
    await writePrivateFiles(plan.files);
    await patiently(() => log.append((state) => eventsOf(context, plan, state)));
    const isTaken = isRunning || (await isTakenOver(context, log, { row, values, signal: call.signal }));
    if (!isTaken) throw new UserError(notTakenProse(context, log));
    return { ...waited(context, log), message: startedText(context, plan) };
  },
};

/** How long the answer waits for a runner to take over the batch, in milliseconds. It usually takes half a second. */
const takeOverMs = 20_000;

// Does not report that a batch runs again before it does.
async function isTakenOver(
  { store }: Context,
  log: BatchLog,
  { row, values, signal }: { row: BatchRow; values: SessionValues; signal: AbortSignal },
): Promise<boolean> {
  const { epoch } = row;
  try {
    await resumeBatch(store, row, values);
  } catch (error) {
    throw new UserError(`Batch ${log.batchId} could not be resumed: ${messageOf(error)}`);
  }
  const until = performance.now() + takeOverMs;
  const ended = await follow(store, log, { until, signal, enough: (state) => state.epoch > epoch });
  return ended || log.state.epoch > epoch;
}

function notTakenProse({ store }: Context, { batchId }: BatchLog): Prose {
  return prose`Batch ${batchId} is queued to run again, but no process has taken it over within ${takeOverMs / 1000} s. ${store.layout.runnerLog(batchId)} may say why; ${{ do: "look", batchId }} says whether it runs.`;
}

function startedText(
  context: Context,
  { log, reruns, lost, isChanged, changes = {}, meant, budgetUsd }: RetryPlan,
): string {
  const { door } = context;
  const { state } = log;
  const { again } = meant;
  const given = isChanged ? ` with ${optionsText(door, changes)}` : "";
  const count = countText(reruns.length, "task");
  const denied = state.tasks.filter(
    (task) => wasDenied(task) && !canRetry(task) && !reruns.includes(task.number),
  );
  return [
    ...(budgetUsd === undefined
      ? []
      : [
          `The budget of the batch is now ${costText(budgetUsd)}${spentUsd(state) > 0 ? `, of which ${spentText(state)} is spent` : ""}.`,
        ]),
    ...(reruns.length > 0 ? [`${count} ${reruns.length === 1 ? "is" : "are"} run again${given}.`] : []),
    ...(isChanged && "workingDirectory" in changes && again.length > 0
      ? ["In another working directory, their conversations begin anew."]
      : []),
    ...(lost ? [`The batch has resumed${reruns.length > 0 ? "" : given}.`] : []),
    ...(isChanged && reruns.length === 0 && !lost
      ? [`${countText(meant.changed.length, "waiting task")} will run${given}.`]
      : []),
    ...(isChanged && "allowedTools" in changes && denied.length > 0
      ? [
          `Kept, although tools were denied to them: ${listText(denied.map(({ number }) => number))}. To rerun them, ${nameThemText(door)}.`,
        ]
      : []),
    `Results go to ${state.outputDirectory}.`,
    ...[farText(rowOf(context, log), door)].filter((text) => text !== undefined),
  ].join(" ");
}
