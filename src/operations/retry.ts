// Carrying on what was interrupted, and running again what failed.
import { z } from "zod";
import { spentUsd } from "../engine/budget.ts";
import { carryOnBatch, isAbandoned } from "../engine/carry-on.ts";
import { claudeOf } from "../engine/claude-of.ts";
import { standingOf } from "../engine/standing.ts";
import type { Account } from "../model/event.ts";
import { batchOptions, sessionOptions } from "../model/options.ts";
import type { SessionValues } from "../model/session-values.ts";
import { canRetry } from "../model/state.ts";
import { kindAt } from "../platform/files.ts";
import { costText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";
import type { BatchRow } from "../store/store.ts";
import { accountOf } from "./account.ts";
import { batchIdInput, taskNumbers } from "./batch-input.ts";
import { waited, waitOutput } from "./batches.ts";
import { refuseOldClaude } from "./claude-version.ts";
import { type Context, Fault, valueOrFault } from "./context.ts";
import { farText } from "./far-text.ts";
import { check } from "./faults.ts";
import { checkTasks, findBatch, rowOf } from "./find-batch.ts";
import { follow } from "./follow.ts";
import type { Operation } from "./operation.ts";
import { retryValues } from "./retry-values.ts";

const retryInput = z.strictObject({
  batchId: batchIdInput,
  only: z
    .enum(["failed", "interrupted"])
    .meta({
      description:
        "`interrupted`: only resume a batch that lost its processes. `failed`: only rerun failed tasks (default: both).",
    })
    .optional(),
  tasks: taskNumbers
    .meta({ description: "Rerun only these tasks, by number. Tasks that succeeded are kept." })
    .optional(),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd.meta({
    description: "New budget of the batch (USD), including what it has already spent.",
    placeholder: "USD",
  }),
  env: sessionOptions.shape.env.meta({
    description:
      "Values of the batch's `env`, for tasks whose values were lost when their processes ended: a JSON file, or an object of strings.",
    placeholder: "FILE|JSON",
  }),
});

type Asked = z.output<typeof retryInput>;

export const retryBatch: Operation<typeof retryInput, typeof waitOutput> = {
  name: "retry_batch",
  title: "Resume a batch, or rerun failed tasks",
  description:
    "Resumes an interrupted batch of Claude Code sessions, and reruns tasks that failed or were cancelled. Tasks that succeeded keep their results and cost nothing more. Answers at once; wait_for_batch reports progress.",
  input: retryInput,
  output: waitOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (context, input, call) => {
    const asked = valueOrFault(check(retryInput, input));
    const { batchId, only, tasks, batchBudgetUsd: budgetUsd } = asked;
    if (only === "interrupted" && tasks)
      throw new Fault("`tasks` are run again; with `only: interrupted` none is. Give one of the two.");
    const log = findBatch(context, batchId);
    checkTasks(log.state, tasks);
    const account = newAccount(context, log);
    const { batch } = log.state;
    const claude = claudeOf(batch, { thorough: true });
    await refuseOldClaude(context, claude.found ? claude.path : batch.claudePath);
    const again = only === "interrupted" ? [] : requested(log, tasks);
    const row = rowOf(context, log);
    const lost = row.endedAt === undefined && isAbandoned(row);
    const isRaised = budgetUsd !== undefined && row.endedAt === undefined;
    if (again.length === 0 && !lost && !isRaised)
      throw new Fault([nothingText(log, standingOf(row), asked), farText(row) ?? ""].join(" ").trimEnd());
    checkBudget(log, again, budgetUsd);
    const isCarried = !lost && row.endedAt === undefined;
    const values = retryValues(context, log, { env: asked.env, tasks, again, isCarried });
    if (again.length > 0 || budgetUsd !== undefined || account) {
      const budget = budgetUsd === undefined ? {} : { budgetUsd };
      const event = {
        type: "retry-requested" as const,
        tasks: again,
        ...budget,
        ...(account ? { account } : {}),
      };
      await patiently(() => log.append(() => [event]));
    }
    const isTaken = isCarried || (await isTakenOver(context, log, { row, values, signal: call.signal }));
    if (!isTaken) throw new Fault(notTakenText(context, log));
    const started =
      again.length > 0 ? `${again.length === 1 ? "1 task is" : `${again.length} tasks are`} run again. ` : "";
    const carried = lost ? "The batch has resumed. " : "";
    const raised = isRaised ? `The budget of the batch is now ${costText(budgetUsd)}. ` : "";
    const far = farText(rowOf(context, log));
    return {
      ...waited(context, log),
      message: [
        `${raised}${started}${carried}Results go to ${log.state.outputDirectory}.`,
        ...(far === undefined ? [] : [far]),
      ].join(" "),
    };
  },
};

/** How long the answer waits for a runner to take the batch over, in milliseconds. It mostly takes half a second. */
const takeOverMs = 20_000;

// Nobody is told that a batch is run again before somebody runs it.
async function isTakenOver(
  { store }: Context,
  log: BatchLog,
  { row, values, signal }: { row: BatchRow; values: SessionValues; signal: AbortSignal },
): Promise<boolean> {
  const { epoch } = row;
  try {
    await carryOnBatch(store, row, values);
  } catch (error) {
    throw new Fault(
      `Batch ${log.batchId} could not be resumed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const until = performance.now() + takeOverMs;
  const ended = await follow(store, log, { until, signal, enough: (state) => state.epoch > epoch });
  return ended || log.state.epoch > epoch;
}

function notTakenText({ store }: Context, { batchId }: BatchLog): string {
  return `Batch ${batchId} is queued to run again, but no process has taken it over within ${takeOverMs / 1000} s. ${store.layout.runnerLog(batchId)} may say why; \`show ${batchId}\` shows whether it runs.`;
}

function requested({ state }: BatchLog, numbers: readonly number[] | undefined): number[] {
  return state.tasks
    .filter((task) => canRetry(task) && (numbers?.includes(task.number) ?? true))
    .map((task) => task.number);
}

// They would be cancelled again at once.
function checkBudget(
  { batchId, state }: BatchLog,
  again: readonly number[],
  given: number | undefined,
): void {
  const budgetUsd = given ?? state.budgetUsd;
  if (again.length === 0 || budgetUsd === undefined || spentUsd(state) < budgetUsd) return;
  const cut = state.costAtLeast
    ? ` (about ${costText(spentUsd(state))} with what sessions that were cut off did not report)`
    : "";
  throw new Fault(
    `Batch ${batchId} has cost ${costText(state.totalCostUsd, state.costAtLeast)}${cut}, and its budget is ${costText(budgetUsd)}: pass a higher \`batchBudgetUsd\` with the retry.`,
  );
}

// With another login, tasks would be billed elsewhere, and conversations not be found. But where the state directory has
// been restored in another home, the login of before is nowhere, and the one of today takes its place.
function newAccount({ store }: Context, { batchId, state }: BatchLog): Account | undefined {
  const account = accountOf(process.env, store.salt());
  if (account.hash === state.account.hash) return undefined;
  const { HOME, USERPROFILE, CLAUDE_CONFIG_DIR, ANTHROPIC_BASE_URL } = state.account.environment;
  const home = CLAUDE_CONFIG_DIR ?? HOME ?? USERPROFILE;
  if (home !== undefined && kindAt(home) === "nothing") return account;
  const values = Object.entries({ HOME, CLAUDE_CONFIG_DIR, ANTHROPIC_BASE_URL }).filter(
    ([, value]) => value !== undefined,
  );
  throw new Fault(
    `Batch ${batchId} was started with another login: ${values.map(([name, value]) => `${name}=${value}`).join(", ")}, or other credentials in the environment. Retry it from the client that started it, or with the same environment.`,
  );
}

function nothingText({ batchId, state }: BatchLog, word: string, { only, tasks }: Asked): string {
  if (only === "interrupted") return `Batch ${batchId} is ${word}: there is nothing to resume.`;
  const failed = state.tasks.filter(canRetry).map(({ number }) => number);
  if (tasks && failed.length > 0) {
    return `Of these tasks of batch ${batchId} none has failed. Those that have are ${failed.slice(0, 20).join(", ")}.`;
  }
  if (state.counts.succeeded === state.tasks.length) {
    return `Batch ${batchId} is ${word}, and all its tasks have succeeded: there is nothing to rerun.`;
  }
  return `Batch ${batchId} is ${word}, and none of its tasks has failed: there is nothing to rerun.`;
}
