// Runs the rest of a batch that has paused: after its sample, or because somebody has paused it.
import { z } from "zod";
import { claudeOf } from "../engine/attempt/claude-of.ts";
import type { EventBody } from "../model/event.ts";
import { batchOptions, sessionOptions } from "../model/options.ts";
import { type NextStep, type Prose, prose } from "../model/prose.ts";
import { isPaused, isWithheld } from "../model/sample.ts";
import type { SessionValues } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import { unreachable } from "../model/unreachable.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { costText, countText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import { patiently } from "../store/patiently.ts";
import type { BatchRow } from "../store/store.ts";
import { batchIdAlone } from "./batch-input.ts";
import { changeOutput, waited } from "./batches.ts";
import { refuseOldClaude } from "./claude-version.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import { goOn } from "./go-on.ts";
import type { Call, Tool } from "./operation.ts";
import { checkBudget, handedOver, newAccount, spentText } from "./retry-plan.ts";
import { retryValues } from "./retry-values.ts";
import { changedSpendLimits } from "./spend-limits.ts";
import { announced, takeOver } from "./take-over.ts";

const continueInput = z.strictObject({
  batchId: batchIdAlone,
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd.meta({
    description: "New budget of the batch (USD).",
    more: "It includes what the batch has already spent.",
    placeholder: "USD",
    listed: false,
  }),
  concurrency: batchOptions.shape.concurrency.meta({
    ...batchOptions.shape.concurrency.unwrap().meta(),
    description: "New maximum number of parallel sessions.",
    listed: false,
  }),
  env: sessionOptions.shape.env.meta({
    description: "The batch's `env` again, if it had one.",
    more: "A JSON file, or an object of strings. Values are never stored, so they are lost at the pause.",
    placeholder: "FILE|JSON",
  }),
});

type ContinueAsked = z.output<typeof continueInput>;

export const continueBatch: Tool<typeof continueInput, typeof changeOutput> = {
  name: "continue_batch",
  title: "Run the rest of a batch",
  when: "Use this when a batch is `paused` and the user agrees.",
  description: "Runs its other tasks. Takes `batchBudgetUsd` and `concurrency`, too.",
  input: continueInput,
  output: changeOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (context, input, call) => {
    const asked = valueOrThrow(check(continueInput, input));
    const log = findBatch(context, asked.batchId);
    if (!isPaused(log.state) && log.state.paused) {
      const running = await continuedRunning(context, log, asked, call);
      if (running) return running;
    }
    const row = rowOf(context, log);
    const { event, values, keepVersion } = await planned(context, log, { asked, row });
    keepVersion();
    const announcedRow = await announced(context, row);
    const events = await patiently(() => log.append((state) => continuedBy(context, state, event)));
    // Somebody else was faster.
    if (events.length === 0) throw new UserError(notPausedProse(log, rowOf(context, log)));
    await takeOver(context, log, { row: announcedRow, values, signal: call.signal });
    return { ...waited(context, log), message: startedText(log, asked, row) };
  },
};

// One that somebody has paused, and whose sessions still run. Undefined if the last of them has ended meanwhile.
async function continuedRunning(
  context: Context,
  log: BatchLog,
  { concurrency, batchBudgetUsd: budgetUsd, env }: ContinueAsked,
  call: Call,
): Promise<z.output<typeof changeOutput> | undefined> {
  checkBudget(log, { given: budgetUsd });
  const limits = changedSpendLimits(context, log.state);
  const requested = await goOn(context, log, { concurrency, budgetUsd, ...limits, env }, call);
  if (requested === "rests" || requested === "over") return undefined;
  const { outputDirectory, counts } = log.state;
  const message = `${countText(counts.queued, "waiting task")} may start again. Results go to ${outputDirectory}.`;
  return { ...waited(context, log), message };
}

type ContinueRequested = Extract<EventBody, { type: "continue-requested" }>;

interface Planned {
  event: ContinueRequested;
  values: SessionValues;
  /** Stores the version of `claude` that was found meanwhile. */
  keepVersion(): void;
}

// Checks everything. Throws `UserError` if the batch has not paused, or could not run.
async function planned(
  context: Context,
  log: BatchLog,
  { asked, row }: { asked: ContinueAsked; row: BatchRow },
): Promise<Planned> {
  const { state } = log;
  if (!isPaused(state)) throw new UserError(notPausedProse(log, row));
  const account = newAccount(context, log);
  const claude = claudeOf(state.batch, { thorough: true });
  const checked = await refuseOldClaude(
    context,
    claude.found ? claude.path : state.batch.claudePath,
    state.batch,
  );
  const { batchBudgetUsd: budgetUsd, concurrency, env } = asked;
  checkBudget(log, { given: budgetUsd });
  const values = retryValues(context, log, { env, tasks: undefined, again: [], isRunning: false });
  const event: ContinueRequested = {
    type: "continue-requested",
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...changedSpendLimits(context, state),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(account ? { account } : {}),
  };
  return { event, values, keepVersion: checked.keep };
}

/** Throws `UserError` if a paused batch could not be continued now with this. */
export async function checkContinuation(
  context: Context,
  log: BatchLog,
  asked: z.input<typeof continueInput>,
): Promise<void> {
  await planned(context, log, { asked: valueOrThrow(check(continueInput, asked)), row: rowOf(context, log) });
}

// Nothing if it is paused no more: two calls must not continue it twice.
function continuedBy(context: Context, state: BatchState, event: ContinueRequested): EventBody[] {
  return isPaused(state) ? [...handedOver(context, state), event] : [];
}

/**
 * Lets a batch run its rest while this process waits for it. False, and nothing done, if it is paused no more.
 */
export async function continueHere(log: BatchLog, leash: ProcessIdentity): Promise<boolean> {
  const events = await patiently(() =>
    log.append((state) => (isPaused(state) ? [{ type: "continue-requested", leash }] : [])),
  );
  return events.length > 0;
}

function notPausedProse({ batchId, state }: BatchLog, row: BatchRow): Prose {
  const retry: NextStep = { do: "retry", batchId };
  const word = stateWordOf(row);
  switch (word) {
    case "running":
      return state.sample
        ? `Batch ${batchId} still runs its sample of ${countText(state.sample.size, "task")}. Continue it once it has paused.`
        : `Batch ${batchId} is running: there is nothing to continue.`;
    case "interrupted":
      return prose`Batch ${batchId} is interrupted: ${retry} resumes it.`;
    case "finished":
    case "cancelled": {
      const { failed, cancelled } = state.counts;
      const ended = word === "finished" ? "has finished" : "was cancelled";
      if (failed + cancelled === 0) return `Batch ${batchId} ${ended}: there is nothing to continue.`;
      return prose`Batch ${batchId} ${ended}: there is nothing to continue. ${retry} reruns what failed or was cancelled.`;
    }
    case "paused":
      return prose`Batch ${batchId} has paused again meanwhile: ${{ do: "look", batchId }} says how it is doing.`;
    default:
      return unreachable(word);
  }
}

function startedText(
  { state }: BatchLog,
  { batchBudgetUsd: budgetUsd }: ContinueAsked,
  { counts }: BatchRow,
): string {
  const known = new Map<number, boolean>();
  const withheld = state.tasks.filter((task) => isWithheld(state, task, known)).length;
  const starting = counts.queued - withheld;
  const count = countText(starting, "task");
  return [
    withheld > 0
      ? `The other ${count} of its sample ${starting === 1 ? "runs" : "run"} now. Then it pauses again.`
      : `The other ${count} ${starting === 1 ? "runs" : "run"} now.`,
    ...(budgetUsd === undefined
      ? []
      : [`The budget of the batch is now ${costText(budgetUsd)}, of which ${spentText(state)} is spent.`]),
    `Results go to ${state.outputDirectory}.`,
  ].join(" ");
}
