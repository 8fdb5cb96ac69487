// `retry`: resumes an interrupted batch, and reruns what failed, with other options if flags give any.
import { z } from "zod";
import { retryOptions } from "../../../model/options.ts";
import { product } from "../../../model/product.ts";
import { valueOrThrow } from "../../../operations/context.ts";
import { check } from "../../../operations/faults.ts";
import { retryBatch } from "../../../operations/retry.ts";
import { planRetry, previewOf, type RetryPlan, retryInput } from "../../../operations/retry-plan.ts";
import { countText } from "../../../report/amounts.ts";
import {
  batchPositional,
  type Command,
  checkUsage,
  commandOf,
  type Invocation,
  jsonFlag,
  taskNumbersPositional,
} from "../input/command.ts";
import { flagsOf } from "../input/flags.ts";
import { dryRunJson, dryRunText } from "../view/dry-run.ts";
import { isToWait, startedAndFollowed, startedQuietly, waitFlags } from "./followed.ts";

// Another command summarizes.
const notFlags = { with: true, summarize: true, summarizeGroups: true, summarizeModel: true } as const;
const ownInput = retryInput.omit(notFlags);
/** On a command line, all options are flags: those of the retry, and those that it changes. */
const input = z.strictObject({
  ...ownInput.shape,
  ...retryOptions.shape,
  batchBudgetUsd: ownInput.shape.batchBudgetUsd,
});

const own = jsonFlag.extend({
  ...waitFlags.shape,
  dryRun: z
    .boolean()
    .meta({ description: "Show which tasks would run again, and their options. Starts nothing." })
    .optional(),
});

const face = commandOf(retryBatch, {
  name: "retry",
  otherNames: ["rerun", "resume", "restart"],
  description:
    "Resumes an interrupted batch, and reruns tasks that failed or were cancelled. Options given here replace those that the tasks had; a list replaces the whole earlier list. Tasks that succeeded keep their results and cost nothing more, unless you name them and give options. A conversation that was cut off continues, except in another working directory. Answers at once; follow the batch with `wait` or `watch`, or add `--wait`.",
  examples: [
    ["retry latest", "Rerun what failed or was interrupted"],
    ["retry b4k2 3 5", "Rerun two of its tasks"],
    ["retry b4k2 6 --allowed-tools 'Read,Edit'", "Rerun a task whose tools were denied"],
    ["retry b4k2 --max-turns 40", "Rerun what failed, with more turns"],
    ["retry b4k2 --append-prompt 'Answer in one line.'", "Rerun what failed, with more in its prompt"],
    ["retry b4k2 cause:max-turns-3kx9d --max-turns 40", "Rerun all tasks that failed for one cause"],
    ["retry b4k2 --only interrupted", "Only resume it"],
    ["retry latest --wait --fail-on 10%", "Wait for the end, and accept a few failures"],
    ["retry b4k2 --max-turns 40 --dry-run", "See which tasks would run again, and their options"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`${product.name} show ${batchId}\`.`,
});

export const retry: Command = {
  ...face,
  input,
  own,
  run: (asked) => {
    checkUsage(input, asked.input);
    const isOwn = (name: string) => Object.hasOwn(ownInput.shape, name);
    const entries = Object.entries(asked.input);
    const changes = entries.filter(([name]) => !isOwn(name));
    const meant = {
      ...asked,
      input: {
        ...Object.fromEntries(entries.filter(([name]) => isOwn(name))),
        ...(changes.length > 0 ? { with: Object.fromEntries(changes) } : {}),
      },
    };
    const flags = checkUsage(own, asked.own);
    if (flags.dryRun) return dryRun(meant);
    if (isToWait(flags)) return startedAndFollowed(meant, retryBatch, flags);
    return flags.quiet && !flags.json ? startedQuietly(meant, retryBatch) : face.run(meant);
  },
};

async function dryRun({
  context,
  input: given,
  own: { json },
  terminal: { out },
}: Invocation): Promise<number> {
  const plan = await planRetry(context, valueOrThrow(check(retryInput, given)));
  const { batch, budgetUsd, outputDirectory } = previewOf(context, plan);
  const added = plan.isChanged ? plan.event.appendPrompt : undefined;
  const planned = { ...batch, outputDirectory, ...(budgetUsd === undefined ? {} : { budgetUsd }) };
  const numbers = numbersOf(plan);
  await out.print(
    json === true
      ? dryRunJson(planned, { numbers })
      : dryRunText(planned, {
          flags: flagsOf(input),
          out,
          numbers,
          what: whatText(plan, numbers.length),
          added,
        }),
  );
  return 0;
}

// The tasks that run again, and those that wait: all of these if the batch resumes, otherwise the ones with changed
// options.
function numbersOf({ log, reruns, meant, lost, isChanged }: RetryPlan): number[] {
  const open = log.state.tasks.filter(({ status }) => status !== "done").map(({ number }) => number);
  const waiting = lost ? open : isChanged ? meant.changed : [];
  return [...new Set([...reruns, ...waiting])].sort((a, b) => a - b);
}

function whatText({ log: { batchId }, lost, reruns }: RetryPlan, count: number): string {
  if (lost) return `resume batch ${batchId} with ${countText(count, "task")} to run`;
  if (count === 0) return `only change the budget of batch ${batchId}`;
  return reruns.length > 0
    ? `run ${countText(count, "task")} of batch ${batchId} again`
    : `give other options to ${countText(count, "waiting task")} of batch ${batchId}`;
}
