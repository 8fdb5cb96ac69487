// What a retry would do: which tasks run again, with which options and budget. Nothing is done yet.
import { z } from "zod";
import { claudeOf } from "../engine/attempt/claude-of.ts";
import { isAbandoned } from "../engine/runner/resume-batches.ts";
import { spentUsd } from "../engine/scheduler/budget.ts";
import { paidSessionsOf } from "../model/estimate.ts";
import type { Account, EventBody, Task } from "../model/event.ts";
import {
  batchOptions,
  mostPromptBytes,
  noChanges,
  rareOfBatch,
  retryOptions,
  sessionOptions,
} from "../model/options.ts";
import { withSkipped } from "../model/prerequisites.ts";
import { described, type NextStep, option, prose } from "../model/prose.ts";
import { isPaused } from "../model/sample.ts";
import type { SessionValues } from "../model/session-values.ts";
import { apply, type BatchState, canRetry, type TaskState, withAppended } from "../model/state.ts";
import { kindAt } from "../platform/files.ts";
import type { PrivateFile } from "../platform/private-files.ts";
import { costText, countText } from "../report/amounts.ts";
import { enoughUsd } from "../report/batch-end.ts";
import { stepText } from "../report/next-step.ts";
import { type Door, listText, taskListText } from "../report/option-words.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import type { BatchRow } from "../store/store.ts";
import { accountOf, loginVariables } from "./account.ts";
import { batchIdAlone, explicitTaskNumbers } from "./batch-input.ts";
import { refuseOldClaude } from "./claude-version.ts";
import { type Context, InputError, UserError } from "./context.ts";
import { farText } from "./far-text.ts";
import { wrong } from "./fault.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import { handOverDirectory } from "./hand-over-directory.ts";
import { templateLimits } from "./inputs/for-each.ts";
import { tasksNamed } from "./named-tasks.ts";
import type { RawOptions } from "./raw-options.ts";
import { plannedChanges } from "./retry-options.ts";
import { retryValues } from "./retry-values.ts";
import { parallelInput } from "./spawn-input.ts";
import { changedSpendLimits } from "./spend-limits.ts";

// Of what the list of tools shows.
const ofStart = Object.keys(parallelInput.shape).filter(
  (name) => !(name in retryOptions.shape) && !(name in templateLimits) && !(name in rareOfBatch),
);

/** Instead of a retry: a summary of what is there. */
const summary = {
  summarize: batchOptions.shape.summarize
    .unwrap()
    .meta({
      description: "Reruns nothing; instead, one more session reads the results and does this.",
    })
    .optional(),
  ...batchOptions.pick({ summarizeGroups: true, summarizeModel: true }).shape,
};

export const retryInput = z.strictObject({
  batchId: batchIdAlone,
  only: z
    .enum(["failed", "interrupted"])
    .meta({
      description:
        "`interrupted`: only resume a batch that lost its processes. `failed`: only rerun failed tasks (default: both).",
    })
    .optional(),
  tasks: explicitTaskNumbers
    .meta({
      description:
        "Rerun only these tasks, by number or key. A task that succeeded is kept, unless tools were denied to it or options are given.",
    })
    .optional(),
  with: retryOptions
    .meta({
      listed: "required",
      description: `Options for the named tasks, or else those that run again, instead of those they had: \`{"maxTurns": 40}\`. A list replaces the whole earlier list. \`appendPrompt\` adds text to the prompts. All options of spawn_parallel_claude_sessions except ${new Intl.ListFormat("en").format(ofStart)}.`,
    })
    .optional(),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd.meta({
    description: "New budget of the batch (USD).",
    more: "It includes what the batch has already spent.",
    placeholder: "USD",
  }),
  env: sessionOptions.shape.env.meta({
    ...described`Values of the batch's ${option("env")} that were lost when its processes ended: a JSON file, or an object.`,
    placeholder: "FILE|JSON",
  }),
  ...summary,
});

export type RetryAsked = z.output<typeof retryInput>;
/** With the numbers of the tasks. */
type Numbered = Omit<RetryAsked, "tasks"> & { tasks: number[] | undefined };

/** A planned retry. */
export interface RetryPlan {
  log: BatchLog;
  row: BatchRow;
  /** Whether the batch has not ended, but has no processes. */
  lost: boolean;
  /** Whether it has paused. */
  wasPaused: boolean;
  /** Whether a runner has it. */
  isRunning: boolean;
  meant: Meant;
  /** Those that run again, also after success; 1-based. */
  reruns: readonly number[];
  /** What the tasks get: session options, and as `appendPrompt` a text for their prompts. Undefined if nothing is given. */
  changes: RawOptions | undefined;
  /** Whether any task gets them. */
  isChanged: boolean;
  /** The new budget of the batch, if given. */
  budgetUsd: number | undefined;
  /** To be written before they are used. */
  files: PrivateFile[];
  values: SessionValues;
  /** Stores the version of `claude` that was found meanwhile. */
  keepVersion(): void;
  event: Extract<EventBody, { type: "retry-requested" }>;
}

/** Checks everything. Throws `UserError` if it is impossible, or there is nothing to do. */
export async function planRetry(context: Context, asked: RetryAsked): Promise<RetryPlan> {
  const { batchId, only, with: changes = noChanges } = asked;
  const { batchBudgetUsd: budgetUsd = changes.batchBudgetUsd, env } = asked;
  if (only === "interrupted" && asked.tasks)
    throw new UserError(
      prose`Named tasks are run again; with ${option("only", "interrupted")} none is. Give one of the two.`,
    );
  const log = findBatch(context, batchId);
  const tasks = tasksNamed(log.state, asked.tasks);
  const account = newAccount(context, log);
  const { batch } = log.state;
  const claude = claudeOf(batch, { thorough: true });
  const claudePath = claude.found ? claude.path : batch.claudePath;
  const checked = await refuseOldClaude(context, claudePath, batch);
  const row = rowOf(context, log);
  const lost = row.endedAt === undefined && isAbandoned(row);
  const wasPaused = isPaused(row);
  const isRunning = !lost && row.endedAt === undefined;
  const numbered = { ...asked, tasks };
  const meant = tasksMeant(log.state, numbered, lost || wasPaused);
  const { again, succeeded } = meant;
  const reruns = [...again, ...succeeded];
  const planned = await plannedChanges(context, log.state, { changes, claudePath, tasks: meant.changed });
  const limits = changedSpendLimits(context, log.state);
  const isRaised = (budgetUsd !== undefined || limits.spendLimits !== undefined) && row.endedAt === undefined;
  const { appendPrompt } = changes;
  checkPrompts(log.state, { tasks: meant.changed, appendPrompt, door: context.door });
  const given = appendPrompt === undefined ? planned.options : { ...planned.options, appendPrompt };
  const isChanged = given !== undefined && meant.changed.length > 0;
  if (reruns.length === 0 && !lost && !isRaised && !isChanged)
    throw new UserError(
      [
        nothingText(log, context, { word: stateWordOf(row), asked: numbered }),
        farText(row, context.door) ?? "",
      ]
        .join(" ")
        .trimEnd(),
    );
  if (isRunning && (changes.concurrency !== undefined || changes.failureMode !== undefined))
    throw new UserError(
      prose`Batch ${log.batchId} is still running: change ${option("concurrency")} and ${option("failureMode")} after it has ended.`,
    );
  checkBudget(log, { tasks: reruns, given: budgetUsd });
  const values = retryValues(context, log, { env, tasks, again: reruns, isRunning });
  const { concurrency, failureMode } = changes;
  const sampled = tasks === undefined || !log.state.sample ? [] : reruns;
  const event: RetryPlan["event"] = {
    type: "retry-requested",
    tasks: again,
    ...(succeeded.length > 0 ? { succeeded } : {}),
    ...(sampled.length > 0 ? { sampled } : {}),
    ...(isChanged && planned.options ? { options: planned.options } : {}),
    ...(isChanged ? { changed: meant.changed } : {}),
    ...(isChanged && appendPrompt !== undefined ? { appendPrompt } : {}),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...limits,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(failureMode === undefined ? {} : { failureMode }),
    ...(account ? { account } : {}),
  };
  return {
    log,
    row,
    lost,
    wasPaused,
    isRunning,
    meant,
    reruns,
    changes: given,
    isChanged,
    budgetUsd,
    files: planned.files,
    values,
    keepVersion: checked.keep,
    event,
  };
}

/** The events that it adds to the log. */
export function eventsOf(
  context: Context,
  { event, reruns, lost }: RetryPlan,
  state: BatchState,
): EventBody[] {
  return [
    ...(reruns.length > 0 || lost ? handedOver(context, state) : []),
    ...(Object.keys(event).length > 2 || reruns.length > 0 ? [event] : []),
  ];
}

/** The batch as it would be after this retry, before anything has run. */
export function previewOf(context: Context, plan: RetryPlan): BatchState {
  const state = structuredClone(plan.log.state);
  for (const body of eventsOf(context, plan, state)) apply(state, { ...body, at: Date.now(), epoch: 0 });
  return state;
}

/** The events that precede a run without anybody who waits: its files go where the user looks for them. */
export function handedOver({ configuration }: Context, { batch, leash }: BatchState): EventBody[] {
  const outputDirectory = handOverDirectory(configuration, batch);
  if (!leash && outputDirectory === undefined) return [];
  return [{ type: "leash-released", ...(outputDirectory === undefined ? {} : { outputDirectory }) }];
}

/** Which tasks a retry concerns. All 1-based. */
export interface Meant {
  /** Those that ended without success, and run again. */
  again: number[];
  /** Those that succeeded and run again, because they were named. */
  succeeded: number[];
  /**
   * Those that get the options: of the named ones, or else of all but the sessions of a summary, the ones that run again,
   * and those that wait.
   */
  changed: number[];
}

function tasksMeant(
  state: BatchState,
  { only, tasks: named, with: changes }: Numbered,
  /** Whether nothing runs, so that options are for everything that waits, too. */
  isResting: boolean,
): Meant {
  const isNamed = ({ number }: TaskState) => named?.includes(number) ?? true;
  const numbersOf = (wanted: (task: TaskState) => boolean) =>
    state.tasks.filter((task) => isNamed(task) && wanted(task)).map(({ number }) => number);
  const failed = only === "interrupted" ? [] : numbersOf(canRetry);
  const isDifferent = changes !== undefined && Object.keys(changes).length > 0;
  const succeeded =
    named === undefined
      ? []
      : numbersOf((task) => task.status === "done" && !canRetry(task) && (isDifferent || wasDenied(task)));
  const isSuccess = new Set(succeeded);
  const again = withSkipped(state, [...failed, ...succeeded]).filter((number) => !isSuccess.has(number));
  const isSummary = (number: number) => state.batch.tasks[number - 1]?.summary !== undefined;
  const waiting = numbersOf(({ status }) =>
    isResting ? status !== "done" : named !== undefined && status === "queued",
  );
  const changed = [...again, ...succeeded, ...waiting].filter((number) =>
    // Without names, the tasks that were given are meant, and not the sessions that sum them up.
    named === undefined ? !isSummary(number) : named.includes(number),
  );
  return { again, succeeded, changed: changed.sort((a, b) => a - b) };
}

// Could succeed now with the same options: settings may have changed, or a file may exist.
export function wasDenied(task: TaskState): boolean {
  return task.status === "done" && (task.usage?.denials ?? []).length > 0;
}

/**
 * With another login, tasks would be billed elsewhere, and conversations not be found: throws `UserError`. But if the state
 * directory was restored in another home, the original login is nowhere, and the current one replaces it.
 */
export function newAccount({ store }: Context, { batchId, state }: BatchLog): Account | undefined {
  const account = accountOf(process.env, store.salt());
  if (account.hash === state.account.hash) return undefined;
  const original = state.account.environment;
  const names = loginVariables();
  // A directory that comes from another kind of system has the home of that.
  const home =
    original["CLAUDE_CONFIG_DIR"] ?? original[names[0]] ?? original["HOME"] ?? original["USERPROFILE"];
  if (home !== undefined && kindAt(home) === "nothing") return account;
  const places = names.map((name) => [name, original[name]] as const);
  const isElsewhere = places.some(([name, value]) => account.environment[name] !== value);
  const values = places.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const what =
    isElsewhere && values.length > 0
      ? `was started with another login: ${values.join(", ")}`
      : "was started with other credentials in the environment, such as another ANTHROPIC_API_KEY";
  const rest: NextStep = { do: "read-errors", batchId, whole: true };
  throw new UserError(
    prose`Batch ${batchId} ${what}. Retry it from the client that started it, or with the same environment. If that is no longer possible, start the rest as a new batch: ${rest} shows the tasks that failed or were cancelled.`,
  );
}

// The CLI would not take them.
function checkPrompts(
  { batch }: BatchState,
  { tasks, appendPrompt, door }: { tasks: readonly number[]; appendPrompt: string | undefined; door: Door },
): void {
  if (appendPrompt === undefined) return;
  const place = door === "tools" ? ["with", "appendPrompt"] : ["appendPrompt"];
  const isTooLong = ({ prompt }: Task) => Buffer.byteLength(prompt) > mostPromptBytes;
  const long = tasks.filter((number) => {
    const task = batch.tasks[number - 1];
    return task !== undefined && isTooLong(withAppended(task, appendPrompt));
  });
  if (long.length === 0) return;
  const those = `${long.length === 1 ? "the prompt" : "the prompts"} of ${taskListText(long)}`;
  throw new InputError([wrong(place, `makes ${those} longer than 9 MB; put longer text in a file`)]);
}

/**
 * Throws `UserError` if the budget is spent: the tasks would be cancelled again at once. `tasks`: those that would run
 * again; by default, all that have not ended.
 */
export function checkBudget(
  { batchId, state }: BatchLog,
  {
    tasks = state.tasks.flatMap(({ status, number }) => (status === "done" ? [] : [number])),
    sessions = 0,
    given,
  }: { tasks?: readonly number[]; sessions?: number; given: number | undefined },
): void {
  const budgetUsd = given ?? state.budgetUsd;
  const spent = spentUsd(state);
  if (tasks.length + sessions === 0 || budgetUsd === undefined || spent < budgetUsd) return;
  const { counts } = state;
  const { ended, toCome } = paidSessionsOf(state, tasks);
  const paid = { ended, toCome: toCome + sessions };
  const enough = enoughUsd({ counts, costUsd: spent, budgetUsd, paid });
  const more = tasks.length > 0 ? countText(tasks.length, "more task") : countText(sessions, "session");
  const budget =
    given === undefined
      ? `its budget is ${costText(budgetUsd)}`
      : `the budget given, which includes that, is only ${costText(budgetUsd)}`;
  throw new UserError(
    prose`Batch ${batchId} has already cost ${spentText(state)}, and ${budget}. For ${more}, ${option("batchBudgetUsd", enough)} is probably enough.`,
  );
}

/** "$0.12", or if sessions were cut off, "at least $0.12 (about $0.20 with …)". */
export function spentText(state: BatchState): string {
  const { totalCostUsd, costAtLeast } = state;
  const told = costText(totalCostUsd, costAtLeast);
  if (!costAtLeast) return told;
  return `${told} (about ${costText(spentUsd(state))} with what sessions that were cut off did not report)`;
}

function nothingText(
  { batchId, state }: BatchLog,
  { door }: Context,
  { word, asked: { only, tasks } }: { word: string; asked: Numbered },
): string {
  if (only === "interrupted") return `Batch ${batchId} is ${word}: there is nothing to resume.`;
  if (word === "paused") {
    const step = stepText(door, { do: "continue", batchId });
    return `Batch ${batchId} has paused${state.paused ? "" : " after its sample"}, and ${tasks ? "none of these tasks" : "no task"} has failed: ${step} runs the ${countText(state.counts.queued, "task")} that ${state.counts.queued === 1 ? "waits" : "wait"}.`;
  }
  const failed = state.tasks.filter(canRetry).map(({ number }) => number);
  const succeeded = (tasks ?? []).filter((number) => state.tasks[number - 1]?.status === "done");
  if (tasks && succeeded.length > 0) {
    const those = failed.length > 0 ? ` ${thoseText(failed)}` : "";
    const how =
      door === "tools"
        ? 'give `with`, such as `{"model": "opus"}`'
        : "give an option, such as `--model opus`";
    return `Of batch ${batchId}, ${taskListText(succeeded)} succeeded, and would only run again with the same options. To rerun ${succeeded.length === 1 ? "it" : "them"}, ${how}.${those}`;
  }
  if (tasks && failed.length > 0) {
    return `${tasks.length === 1 ? "This task" : "None of these tasks"} of batch ${batchId} has ${tasks.length === 1 ? "not " : ""}failed. ${thoseText(failed)}`;
  }
  const named = tasks
    ? ""
    : ` To rerun tasks that succeeded, ${nameThemText(door)}, with the options to change.`;
  if (state.counts.succeeded === state.tasks.length) {
    return `Batch ${batchId} is ${word}, and all its tasks have succeeded: there is nothing to rerun.${named}`;
  }
  return `Batch ${batchId} is ${word}, and none of its tasks has failed: there is nothing to rerun.${named}`;
}

function thoseText(failed: readonly number[]): string {
  return failed.length === 1
    ? `The only one that failed is ${listText(failed)}.`
    : `Those that failed are ${listText(failed)}.`;
}

// A command line has no flag for them: their numbers follow the batch.
export function nameThemText(door: Door): string {
  return door === "tools"
    ? "name them in `tasks`"
    : "write their numbers after the batch, as in `retry BATCH 3 5`";
}
