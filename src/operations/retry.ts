// Resumes what was interrupted, and runs failed tasks again, optionally with other options.
import type { z } from "zod";
import { spentUsd } from "../engine/scheduler/budget.ts";
import type { SpendLimits } from "../model/event.ts";
import { dependentsOf } from "../model/prerequisites.ts";
import { option, type Prose, prose } from "../model/prose.ts";
import { isWithheld } from "../model/sample.ts";
import { type BatchState, canRetry, taskOf } from "../model/state.ts";
import { givenCount, hasSucceeded } from "../model/summary.ts";
import { writePrivateFiles } from "../platform/private-files.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { costText, countText } from "../report/amounts.ts";
import { listText, optionsText, taskListText } from "../report/option-words.ts";
import { patiently } from "../store/patiently.ts";
import { changeOutput, waited } from "./batches.ts";
import { type Context, InputError, UserError, valueOrThrow } from "./context.ts";
import { farText } from "./far-text.ts";
import { wrong } from "./fault.ts";
import { check } from "./faults.ts";
import { rowOf } from "./find-batch.ts";
import type { Call, Tool } from "./operation.ts";
import {
  eventsOf,
  nameThemText,
  planRetry,
  type RetryAsked,
  type RetryPlan,
  retryInput,
  spentText,
  wasDenied,
} from "./retry-plan.ts";
import { summarizeBatch } from "./summarize.ts";
import { announced, takeOver } from "./take-over.ts";

export const retryBatch: Tool<typeof retryInput, typeof changeOutput> = {
  name: "retry_batch",
  title: "Resume a batch, or rerun failed tasks",
  when: "Use this when a batch was interrupted, or some of its tasks failed or were cancelled.",
  description:
    "Resumes an interrupted batch, and reruns tasks that failed or were cancelled, also with other options (`with`). Tasks that succeeded keep their results and cost nothing more, unless `tasks` names them and `with` gives options. Answers at once.",
  input: retryInput,
  output: changeOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (context, input, call) => {
    const asked = valueOrThrow(check(retryInput, input));
    if (asked.summarize !== undefined) return summarizeInstead(context, asked, call);
    const plan = await planRetry(context, asked);
    const { log, row, isRunning, values } = plan;
    plan.keepVersion();
    await writePrivateFiles(plan.files);
    // Where only options of tasks that wait have changed, nothing runs.
    const starts = !isRunning && (!plan.wasPaused || plan.reruns.length > 0);
    const started = starts ? await announced(context, row) : row;
    let hadEnded = false;
    const events = await patiently(() =>
      log.append((state) => {
        hadEnded = state.endedAt !== undefined;
        if (!isLeashedTo(state, call.leash)) return eventsOf(context, plan, state);
        // The process is about to exit, and would leave a batch that nobody runs.
        if (hadEnded) throw new UserError(endedProse(log.batchId));
        // A retry of others lets the batch go on without who waited for it.
        return [plan.event, { type: "leash-released", leash: state.leash }];
      }),
    );
    // It ended while this was planned, so its runner hears of nothing any more.
    const isLate = isRunning && hadEnded && events.length > 0;
    const next = isLate ? await announced(context, context.store.row(log.batchId) ?? row) : started;
    if (starts || isLate) await takeOver(context, log, { row: next, values, signal: call.signal });
    return { ...waited(context, log), message: startedText(context, plan) };
  },
};

function isLeashedTo(
  state: BatchState,
  leash: ProcessIdentity | undefined,
): state is BatchState & { leash: ProcessIdentity } {
  return leash !== undefined && state.leash !== undefined && Bun.deepEquals(state.leash, leash);
}

function endedProse(batchId: string): Prose {
  return prose`Batch ${batchId} has just ended: ${{ do: "retry", batchId }} reruns what failed.`;
}

// Over MCP, there is no tool of its own for it.
function summarizeInstead(
  context: Context,
  { batchId, summarize, summarizeGroups, summarizeModel, batchBudgetUsd, ...others }: RetryAsked,
  call: Call,
): Promise<z.output<typeof changeOutput>> {
  const faults = Object.entries(others).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [wrong([name], prose`cannot be given with ${option("summarize")}, which reruns nothing`)],
  );
  if (faults.length > 0) throw new InputError(faults);
  const input = { batchId, summarize, summarizeGroups, summarizeModel, batchBudgetUsd };
  return summarizeBatch.run(context, input, call);
}

function startedText(
  context: Context,
  { log, reruns, lost, wasPaused, isChanged, changes: asked, meant, budgetUsd, event }: RetryPlan,
): string {
  const { door } = context;
  const { state } = log;
  const changes = asked ?? {};
  const { again } = meant;
  const withheld = reruns.filter((number) => isWithheld(state, taskOf(state, number))).length;
  const waiting = meant.changed.filter((number) => !reruns.includes(number)).length;
  const given = isChanged ? ` with ${optionsText(door, changes)}` : "";
  const count = countText(reruns.length - withheld, "task");
  const denied = state.tasks.filter(
    (task) => wasDenied(task) && !canRetry(task) && !reruns.includes(task.number),
  );
  return [
    ...(budgetUsd === undefined
      ? []
      : [
          `The budget of the batch is now ${costText(budgetUsd)}${spentUsd(state) > 0 ? `, of which ${spentText(state)} is spent` : ""}.`,
        ]),
    ...(event.spendLimits ? [limitsText(event.spendLimits)] : []),
    ...(reruns.length > withheld
      ? [`${count} ${reruns.length - withheld === 1 ? "is" : "are"} run again${given}.`]
      : []),
    ...unchangedTexts(state, asked === undefined ? [] : reruns, meant.changed),
    ...outdatedTexts(state, reruns),
    ...(withheld > 0
      ? [
          `${countText(withheld, "more task")} will wait until the batch is continued${state.paused ? "" : " after its sample"}.`,
        ]
      : []),
    ...(isChanged && wasPaused && reruns.length > 0 && waiting > 0
      ? [`${countText(waiting, "waiting task")} will run with the same options.`]
      : []),
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

// "The daily budget of all batches is now $10.00."
function limitsText({ dayUsd, monthUsd }: SpendLimits): string {
  const limits = [
    ...(dayUsd === undefined ? [] : [`the daily budget of all batches is now ${costText(dayUsd)}`]),
    ...(monthUsd === undefined ? [] : [`the monthly budget of all batches is now ${costText(monthUsd)}`]),
  ];
  if (limits.length === 0) return "Its costs are no longer limited by a budget of all batches.";
  return `${sentence(limits.join(", and "))}.`;
}

// Which tasks have read, or read now, what will be written again. A summary is written again by itself.
function outdatedTexts(state: BatchState, reruns: readonly number[]): string[] {
  const dependents = dependentsOf(state.batch);
  const given = givenCount(state.batch);
  const kept = new Set(
    reruns
      .flatMap((number) => dependents.get(number) ?? [])
      .filter((number) => number <= given && !reruns.includes(number))
      .filter((number) => {
        const task = taskOf(state, number);
        return hasSucceeded(task) || task.status === "running";
      }),
  );
  if (kept.size === 0) return [];
  const those = taskListText([...kept].sort((a, b) => a - b));
  return [
    kept.size === 1
      ? `${sentence(those)} started after that and keeps its answer: name it, too, to run it again.`
      : `${sentence(those)} started after that and keep their answers: name them, too, to run them again.`,
  ];
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

// Which tasks run again without the options that were given.
function unchangedTexts(
  { batch }: BatchState,
  reruns: readonly number[],
  changed: readonly number[],
): string[] {
  const unchanged = reruns.filter((number) => !changed.includes(number));
  const isSummary = (number: number) => batch.tasks[number - 1]?.summary !== undefined;
  const keep = (numbers: readonly number[], one: string, several: string) => {
    if (numbers.length === 0) return [];
    const why =
      numbers.length === 1
        ? `keeps its own options, because it ${one}`
        : `keep their own options, because they ${several}`;
    return [`Of these, ${taskListText(numbers)} ${why}.`];
  };
  return [
    ...keep(
      unchanged.filter((number) => !isSummary(number)),
      "was not named",
      "were not named",
    ),
    ...keep(
      unchanged.filter(isSummary),
      "writes a summary and was not named",
      "write summaries and were not named",
    ),
  ];
}
