// Summarizes the kept results of a batch that has ended: by sessions that are tasks of that batch, behind its others.
import { z } from "zod";
import { claudeOf } from "../engine/attempt/claude-of.ts";
import { isAbandoned } from "../engine/runner/resume-batches.ts";
import type { EventBody } from "../model/event.ts";
import { batchOptions } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { isPaused } from "../model/sample.ts";
import { noValues } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import { givenCount, hasSucceeded, summaryToCome } from "../model/summary.ts";
import { exists } from "../platform/files.ts";
import { countText } from "../report/amounts.ts";
import { taskListText } from "../report/option-words.ts";
import { patiently } from "../store/patiently.ts";
import { batchIdInput } from "./batch-input.ts";
import { changeOutput, waited } from "./batches.ts";
import { refuseOldClaude } from "./claude-version.ts";
import { UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import type { Operation } from "./operation.ts";
import { checkBudget, handedOver, newAccount } from "./retry-plan.ts";
import { changedSpendLimits } from "./spend-limits.ts";
import { announced, takeOver } from "./take-over.ts";

const { summarize, summarizeGroups, summarizeModel } = batchOptions.shape;

export const summarizeInput = z.strictObject({
  batchId: batchIdInput,
  summarize: summarize.unwrap().meta({ description: "What to write about the results." }),
  summarizeGroups: summarizeGroups
    .unwrap()
    .meta({
      description:
        "How many results one session reads. More than that are summarized in groups first (default: by their number and length).",
    })
    .optional(),
  summarizeModel: summarizeModel
    .unwrap()
    .meta({ description: "Model of the sessions (default: that of the batch)." })
    .optional(),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd.meta({
    description: "New budget of the batch (USD), including what it has already spent.",
    placeholder: "USD",
  }),
});

export const summarizeBatch: Operation<typeof summarizeInput, typeof changeOutput> = {
  title: "Summarize the results of a batch",
  description:
    "Starts one more session for a batch that has ended. It reads the results and writes what you ask for, citing tasks by key; many results are summarized in groups first. It may only read the results. Answers at once.",
  input: summarizeInput,
  output: changeOutput,
  run: async (context, input, { signal }) => {
    const asked = valueOrThrow(check(summarizeInput, input));
    const {
      summarize: text,
      summarizeGroups: groups,
      summarizeModel: model,
      batchBudgetUsd: budgetUsd,
    } = asked;
    const log = findBatch(context, asked.batchId);
    const row = rowOf(context, log);
    refuseUnended(log.state, row.endedAt === undefined && isAbandoned(row));
    refuseNothing(log.state);
    checkBudget(log, { tasks: [], sessions: sessionsFor(log.state, groups), given: budgetUsd });
    const account = newAccount(context, log);
    const claude = claudeOf(log.state.batch, { thorough: true });
    const checked = await refuseOldClaude(
      context,
      claude.found ? claude.path : log.state.batch.claudePath,
      log.state.batch,
    );
    checked.keep();
    const request: EventBody = {
      type: "summary-requested",
      text,
      ...(groups === undefined ? {} : { groups }),
      ...(model === undefined ? {} : { model }),
      ...(budgetUsd === undefined ? {} : { budgetUsd }),
      ...changedSpendLimits(context, log.state),
      ...(account ? { account } : {}),
    };
    const started = await announced(context, row);
    const events = await patiently(() =>
      // Another call may have made it run again since it was looked at.
      log.append((state) => {
        const isOver = state.endedAt !== undefined && !isPaused(state);
        return isOver ? [...handedOver(context, state), request] : [];
      }),
    );
    if (events.length === 0) refuseUnended(log.state, false);
    await takeOver(context, log, { row: started, values: noValues, signal });
    const count = log.state.tasks.slice(0, givenCount(log.state.batch)).filter(hasSucceeded).length;
    const message = `The results of ${countText(count, "task")} are being summarized.`;
    return { ...waited(context, log), message: `${message} Results go to ${log.state.outputDirectory}.` };
  },
};

function sessionsFor({ cancelledBy: _, ...state }: BatchState, groups: number | undefined): number {
  const { round = 0 } = state.summaryAsked ?? {};
  const wanted = { text: "", round: round + 1, ...(groups === undefined ? {} : { groups }) };
  return summaryToCome({ ...state, summaryAsked: wanted }).sessions;
}

function refuseUnended(state: BatchState, isLost: boolean): void {
  const { batchId } = state.batch;
  if (isPaused(state))
    throw new UserError(
      prose`Batch ${batchId} has paused: ${{ do: "continue", batchId }} runs the rest. Summarize it after it has ended.`,
    );
  if (state.endedAt !== undefined) return;
  throw new UserError(
    isLost
      ? prose`Batch ${batchId} was interrupted: ${{ do: "retry", batchId }} resumes it. Summarize it after it has ended.`
      : prose`Batch ${batchId} is still running: summarize it after it has ended. For a new batch, ${option("summarize")} does that by itself.`,
  );
}

// Somebody may have removed transcripts, or restored a store without them.
function refuseNothing({ batch, tasks }: BatchState): void {
  const read = tasks.slice(0, givenCount(batch)).filter(hasSucceeded);
  if (read.length === 0)
    throw new UserError(`No task of batch ${batch.batchId} has succeeded, so there is nothing to summarize.`);
  const gone = read.filter(({ attempts }) => !exists(attempts.at(-1)?.transcript ?? ""));
  if (gone.length === 0) return;
  const which = gone.length === read.length ? "all tasks" : taskListText(gone.map(({ number }) => number));
  throw new UserError(
    prose`The answers of ${which} of batch ${batch.batchId} are gone, because their transcripts were removed. To summarize the batch, run these tasks again: name them in a retry, with an option.`,
  );
}
