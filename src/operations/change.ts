// Changes a batch while it runs: pauses it or lets it go on, how many sessions run at once, its budget, more tasks.
import { z } from "zod";
import { isAbandoned } from "../engine/runner/resume-batches.ts";
import { spentUsd } from "../engine/scheduler/budget.ts";
import type { Pause } from "../model/event.ts";
import { batchOptions, prompt, sessionOptions } from "../model/options.ts";
import { type NextStep, type Prose, prose } from "../model/prose.ts";
import { isPaused } from "../model/sample.ts";
import type { BatchState, TaskState } from "../model/state.ts";
import { livenessOf } from "../platform/process.ts";
import { costText, countText, numberText } from "../report/amounts.ts";
import { oneLine } from "../report/harmless.ts";
import { stepText } from "../report/next-step.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import { addTasks } from "./add-tasks.ts";
import { asMeant } from "./as-meant.ts";
import { batchIdAlone } from "./batch-input.ts";
import { changeOutput, waited } from "./batches.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { checkContinuation, continueBatch } from "./continue.ts";
import { check } from "./faults.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import { goOn } from "./go-on.ts";
import { mostTasks } from "./inputs/for-each.ts";
import type { Call, Tool } from "./operation.ts";
import { rawObject } from "./raw-options.ts";
import { type Requested, requestChange } from "./request-change.ts";
import { checkBudget, planRetry, spentText } from "./retry-plan.ts";
import { taskInput } from "./spawn-input.ts";
import { changedSpendLimits } from "./spend-limits.ts";

export const changeInput = z.strictObject({
  batchId: batchIdAlone,
  pause: z
    .boolean()
    .meta({
      description: "`true`: no more sessions start. `false`: they start again.",
      aliases: ["paused"],
      hints: ["hold", "stop", "suspend", "resume", "continue", "unpause"],
    })
    .optional(),
  concurrency: batchOptions.shape.concurrency.meta({
    ...batchOptions.shape.concurrency.unwrap().meta(),
    description: "New maximum number of parallel sessions.",
    more: "If more run now, those go on to their end. Never more than the machine's slots (the `concurrency` setting).",
  }),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd.meta({
    description: "New budget of the batch (USD).",
    more: "It includes what the batch has already spent.",
    placeholder: "USD",
  }),
  addTasks: z
    .array(z.union([prompt, taskInput.meta({ ...taskInput.meta(), listed: [] })]))
    .min(1, "expected at least one task")
    .max(mostTasks, `at most ${mostTasks} tasks in one batch`)
    .meta({
      description: "More tasks, as `tasks` of spawn_parallel_claude_sessions.",
      hints: ["tasks", "add", "task", "more", "prompts"],
    })
    .optional(),
  env: sessionOptions.shape.env.meta({
    description: "To go on: the batch's `env` again, if it had one and has come to rest.",
    more: "A JSON file, or an object of strings. Values are never stored.",
    placeholder: "FILE|JSON",
    listed: false,
  }),
});

type ChangeAsked = z.output<typeof changeInput>;

export const changeBatch: Tool<typeof changeInput, typeof changeOutput> = {
  name: "change_batch",
  title: "Change a running batch",
  when: "Use this to pause a running batch, or to change its budget, number of sessions or tasks.",
  description: "Running sessions go on to their end.",
  input: changeInput,
  output: changeOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (context, input, call) => {
    const asked = valueOrThrow(check(changeInput, input));
    const log = findBatch(context, asked.batchId);
    refuseNothing(asked);
    refuseEnded(log);
    const { pause, concurrency, batchBudgetUsd: budgetUsd, env } = asked;
    if (budgetUsd !== undefined) checkBudget(log, { given: budgetUsd });
    // As written: what parsing fills in would override what the batch has.
    const written = rawObject(asMeant(changeInput, input))["addTasks"];
    const tasks: readonly unknown[] = Array.isArray(written) ? written : [];
    if (pause === true || concurrency !== undefined || tasks.length > 0) refuseOldRunner(log);
    // They would be cancelled at once.
    checkBudget(log, { tasks: [], sessions: tasks.length, given: budgetUsd });
    // Before tasks are added: a refused call is tried again, and would add them once more.
    if (pause === false) await checkGoesOn(context, log, asked);
    const added = tasks.length > 0 ? await addTasks(context, log, tasks) : [];
    try {
      if (isPaused(log.state) && pause === false)
        return await continued(context, log, { asked, added, call });
      const wanted = { concurrency, budgetUsd, ...changedSpendLimits(context, log.state) };
      const requested =
        pause === false
          ? await goOn(context, log, { ...wanted, env }, call)
          : await requestChange(log, { ...wanted, ...(pause ? { pause: pauser(call) } : {}) });
      if (requested === "over") refuseEnded(log);
      // Its last session has ended meanwhile.
      if (requested === "rests") return await continued(context, log, { asked, added, call });
      return { ...waited(context, log), message: changedText(context, log, { asked, added, requested }) };
    } catch (error) {
      if (added.length === 0 || !(error instanceof UserError)) throw error;
      throw error.after(
        `${addedText(log.state, added)} Do not add ${added.length === 1 ? "it" : "them"} again. But:`,
      );
    }
  },
};

// Throws `UserError` if it could not go on.
async function checkGoesOn(
  context: Context,
  log: BatchLog,
  { batchBudgetUsd, concurrency, env }: ChangeAsked,
): Promise<void> {
  const { batchId, state } = log;
  if (isPaused(state)) return checkContinuation(context, log, { batchId, batchBudgetUsd, concurrency, env });
  const row = rowOf(context, log);
  if (state.paused && row.endedAt === undefined && isAbandoned(row))
    await planRetry(context, { batchId, only: "interrupted", ...(env === undefined ? {} : { env }) });
}

// Names of clients are theirs to choose.
function pauser({ client }: Call): Pause {
  return client === undefined ? {} : { client: oneLine(client, 60) };
}

async function continued(
  context: Context,
  log: BatchLog,
  { asked, added, call }: { asked: ChangeAsked; added: readonly number[]; call: Call },
): Promise<z.output<typeof changeOutput>> {
  const { concurrency, batchBudgetUsd, env } = asked;
  const { batchId } = log;
  const given = Object.entries({ concurrency, batchBudgetUsd, env }).filter(
    ([, value]) => value !== undefined,
  );
  const answer = await continueBatch.run(context, { batchId, ...Object.fromEntries(given) }, call);
  if (added.length === 0) return answer;
  return { ...answer, message: `${whatWasAdded(added)} ${answer.message}` };
}

function refuseNothing({ batchId: _, env: __, ...changes }: ChangeAsked): void {
  if (Object.values(changes).some((value) => value !== undefined)) return;
  throw new UserError(
    "Nothing was given that changes. Say whether the batch pauses, or give a number, a budget or tasks.",
  );
}

function refuseEnded({ batchId, state }: BatchLog): void {
  if (isPaused(state)) return;
  if (state.endedAt === undefined) {
    if (state.cancelledBy === undefined) return;
    throw new UserError(`Batch ${batchId} is being cancelled: there is nothing to change.`);
  }
  throw new UserError(endedProse(batchId, state));
}

// It would start the rest all the same, and of a sample everything at once.
function refuseOldRunner({ batchId, state: { endedAt, runner, obeysChanges = false } }: BatchLog): void {
  if (endedAt !== undefined || runner === undefined || obeysChanges || livenessOf(runner) !== "alive") return;
  throw new UserError(
    prose`Batch ${batchId} is still run by an older version of this program, which only hears of another budget and of ${{ do: "cancel", batchId }}.`,
  );
}

function endedProse(batchId: string, { counts, cancelledBy }: BatchState): Prose {
  const ended = cancelledBy === undefined ? "has ended" : "was cancelled";
  const retry: NextStep = { do: "retry", batchId };
  if (counts.failed + counts.cancelled === 0)
    return `Batch ${batchId} ${ended}, and all its tasks have succeeded: there is nothing to change. A new batch runs more.`;
  return prose`Batch ${batchId} ${ended}: there is nothing to change. ${retry} reruns what failed or was cancelled, also with other options.`;
}

interface Changed {
  asked: ChangeAsked;
  /** The numbers of the tasks that were added. */
  added: readonly number[];
  requested: Requested;
}

function changedText(
  context: Context,
  log: BatchLog,
  { asked: { pause, concurrency, batchBudgetUsd }, added, requested }: Changed,
): string {
  const { state } = log;
  const word = stateWordOf(rowOf(context, log));
  return [
    ...(added.length > 0 ? [addedText(state, added)] : []),
    ...(requested === "same" && added.length === 0 ? ["Nothing has changed: it was so already."] : []),
    ...(pause === true ? [pausedText(context, log)] : []),
    ...(pause === false ? ["Sessions start as usual."] : []),
    ...(concurrency === undefined ? [] : [numberChangedText(state)]),
    ...(batchBudgetUsd === undefined ? [] : [budgetText(context, state)]),
    ...(word === "interrupted"
      ? [
          `The batch is interrupted: ${stepText(context.door, { do: "retry", batchId: log.batchId })} resumes it.`,
        ]
      : []),
    `Results go to ${state.outputDirectory}.`,
  ].join(" ");
}

function addedText(state: BatchState, added: readonly number[]): string {
  const what = whatWasAdded(added);
  const isHeldBack = state.paused !== undefined || state.sample !== undefined;
  return isHeldBack
    ? `${what} ${added.length === 1 ? "It waits" : "They wait"} until the batch is continued.`
    : what;
}

function whatWasAdded(added: readonly number[]): string {
  const [first = 0] = added;
  const last = added.at(-1) ?? first;
  return first === last
    ? `Task ${first} was added.`
    : `Tasks ${numberText(first)} to ${numberText(last)} were added.`;
}

function pausedText({ door }: Context, { batchId, state: { counts, batch } }: BatchLog): string {
  const { running } = counts;
  const inQueue = batch.fleet ? ", with those that wait in the queue of the fleet," : "";
  const runs =
    running === 0
      ? "None runs."
      : `${countText(running, "session")} that ${running === 1 ? "runs" : "run"}${inQueue} ${running === 1 ? "goes" : "go"} on to ${running === 1 ? "its" : "their"} end.`;
  return `No more sessions start. ${runs} ${stepText(door, { do: "continue", batchId })} runs the rest.`;
}

function numberChangedText({ batch: { concurrency, slots }, counts: { running } }: BatchState): string {
  if (concurrency === "auto") return "As many sessions run at once as the machine and the account allow.";
  const over =
    running > concurrency ? ` ${countText(running, "session")} run now, and those go on to their end.` : "";
  const all =
    typeof slots === "number" && slots < concurrency
      ? ` All batches together have ${numberText(slots)} (the \`concurrency\` setting).`
      : "";
  return `From now on, at most ${countText(concurrency, "session")} ${concurrency === 1 ? "runs" : "run"} at once.${over}${all}`;
}

function budgetText({ door }: Context, state: BatchState): string {
  const { budgetUsd = 0 } = state;
  const spent = spentUsd(state) > 0 ? `, of which ${spentText(state)} is spent` : "";
  const text = `The budget of the batch is now ${costText(budgetUsd)}${spent}.`;
  const lost = state.tasks.filter(isCancelledByBudget).length;
  if (lost === 0) return text;
  const those =
    lost === 1
      ? "1 task was cancelled because it was"
      : `${countText(lost, "task")} were cancelled because it was`;
  return `${text} ${those} spent: ${stepText(door, { do: "retry", batchId: state.batch.batchId })} runs ${lost === 1 ? "it" : "them"} again.`;
}

function isCancelledByBudget(task: TaskState): boolean {
  return task.status === "done" && task.outcome.kind === "cancelled" && task.outcome.by === "budget";
}
