// What a batch would be: its tasks, their options and size, and what is known of the cost. Nothing is started.
import { cut } from "../model/cut.ts";
import type { Batch } from "../model/event.ts";
import { sizeOf } from "../platform/files.ts";
import { bytesText, costText, countText, numberText } from "../report/amounts.ts";
import type { BatchAnswer } from "../report/answer.ts";
import { shownOptions } from "../report/shown-options.ts";
import { rounded } from "../report/spending.ts";
import type { Context } from "./context.ts";
import { costBefore, type EarlierCost } from "./inputs/earlier-batches.ts";
import type { PlannedBatch } from "./plan.ts";

/** How large a planned batch is, and what earlier batches of its template say about its cost. */
export interface DryRunFacts {
  /** Of all prompts. */
  characters: number;
  /** Of all files that the tasks are about, in bytes. */
  fileBytes?: number;
  /** What tasks of the same template have cost, and so may cost again. */
  earlier?: EarlierCost & { expectedUsd: number };
}

/** Reads the sizes of files, and the store if there is one. */
export function dryRunFacts(context: Context, { tasks, template, eachIsFile }: Batch): DryRunFacts {
  const before = template === undefined ? undefined : costBefore(context, template);
  // Options of a matrix multiply the tasks, not the files.
  const paths = new Set(eachIsFile ? tasks.flatMap(({ values }) => values?.["path"] ?? []) : []);
  return {
    characters: tasks.reduce((sum, { prompt }) => sum + prompt.length, 0),
    ...(eachIsFile ? { fileBytes: [...paths].reduce((sum, path) => sum + sizeOf(path), 0) } : {}),
    ...(before ? { earlier: { ...before, expectedUsd: before.medianUsd * tasks.length } } : {}),
  };
}

/** "200 tasks, 12,000 characters in their prompts, 1.2 MB in their files" */
export function sizeText({ characters, fileBytes }: DryRunFacts, tasks: number): string {
  const files = fileBytes === undefined ? "" : `, ${bytesText(fileBytes)} in their files`;
  return `${countText(tasks, "task")}, ${countText(characters, "character")} in their prompts${files}`;
}

/** What is known of the cost; undefined if nothing is. */
export function expectedCostText({ earlier }: DryRunFacts, tasks: number): string | undefined {
  if (!earlier) return undefined;
  const { batches, tasks: known, medianUsd, totalUsd, expectedUsd } = earlier;
  return `about ${costText(expectedUsd)} for ${countText(tasks, "task")}: ${countText(known, "task")} of this template cost ${costText(totalUsd)} in ${countText(batches, "earlier batch", "earlier batches")}, half of them at most ${costText(medianUsd)} each`;
}

/** Most tasks in an answer, and most characters of each prompt. */
const mostTasks = 100;
const longestPrompt = 500;
/** How much of the client's limit the tasks may take. */
const share = 1 / 2;

/** The answer of a call that only asks what it would start. No batch has its id. */
export function dryRunAnswer(
  context: Context,
  { batch, fileOf }: PlannedBatch,
  mostCharacters: number,
): BatchAnswer {
  const facts = dryRunFacts(context, batch);
  const total = batch.tasks.length;
  const tasks: object[] = [];
  let characters = 0;
  for (const [index, { key, prompt, options }] of batch.tasks.slice(0, mostTasks).entries()) {
    const task = {
      taskIndex: index + 1,
      ...(key === undefined ? {} : { key }),
      task: cut(prompt, longestPrompt),
      ...(options ? { options: shownOptions(options, fileOf) } : {}),
    };
    characters += JSON.stringify(task).length;
    if (characters > mostCharacters * share) break;
    tasks.push(task);
  }
  const cost = expectedCostText(facts, total);
  const leftOut = total - tasks.length;
  return {
    batchId: "dry-run",
    state: "finished",
    totalTasks: total,
    executionTimeMs: 0,
    counts: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
    totalCostUsd: 0,
    outputDirectory: batch.outputDirectory,
    reportFile: "",
    message: [
      `Dry run: nothing was started, and there is no batch to wait for. Without \`dryRun\`, this call would run ${sizeText(facts, total)}.`,
      ...(cost === undefined ? [] : [`It would cost ${cost}.`]),
      ...(leftOut > 0 ? [`\`dryRun.tasks\` has the first ${numberText(tasks.length)} of them.`] : []),
    ].join(" "),
    ...(batch.warnings === undefined ? {} : { warnings: batch.warnings }),
    results: [],
    pending: [],
    dryRun: {
      tasks,
      ...(leftOut > 0 ? { tasksLeftOut: leftOut } : {}),
      options: shownOptions(batch.sessionOptions, fileOf),
      concurrency: batch.concurrency,
      ...(batch.budgetUsd === undefined ? {} : { batchBudgetUsd: batch.budgetUsd }),
      characters: facts.characters,
      ...(facts.fileBytes === undefined ? {} : { fileBytes: facts.fileBytes }),
      ...(facts.earlier ? { expectedCostUsd: rounded(facts.earlier.expectedUsd) } : {}),
    },
  };
}
