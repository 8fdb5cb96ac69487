// What a batch would be: its tasks, their options and size, and what is known of the cost. Nothing is started.
import { sessionEnvironment } from "../claude/environment.ts";
import { Reuse } from "../engine/reuse/reuse.ts";
import { cut } from "../model/cut.ts";
import { sumOfMore } from "../model/estimate.ts";
import type { Batch } from "../model/event.ts";
import type { SessionOptions } from "../model/options.ts";
import { type BatchState, stateFrom } from "../model/state.ts";
import { summaryToCome } from "../model/summary.ts";
import { optionsOf } from "../model/task-options.ts";
import { sizeOf } from "../platform/files.ts";
import { bytesText, costText, countText, numberText } from "../report/amounts.ts";
import type { BatchAnswer } from "../report/answer.ts";
import { shownOptions } from "../report/shown-options.ts";
import { rounded } from "../report/spending.ts";
import { accountOf } from "./account.ts";
import { type Context, isStoreThere } from "./context.ts";
import { costKeyOf, costsBefore, type EarlierCost, type EarlierCosts } from "./inputs/earlier-batches.ts";
import type { PlannedBatch } from "./plan.ts";

/** How large a planned batch is, which of its tasks would run, and what is known of the cost. */
export interface DryRunFacts {
  /** Of all prompts. */
  characters: number;
  /** Of all files that the tasks are about, in bytes. */
  fileBytes?: number;
  /** How many tasks would run, and so cost something. */
  runs: number;
  /** How many have an answer from earlier. */
  reused: number;
  /** How many get the answer of an equal task. */
  equal: number;
  /** How many sessions the summary would take, if one is wanted. */
  summarySessions?: number;
  /** What tasks of the same template have cost, and so may cost again. */
  earlier?: EarlierCost & ExpectedCost;
}

/** In US dollars. */
interface ExpectedCost {
  expectedUsd: number;
  /** Of an interval that probably holds the cost, if enough tasks are known. */
  lowUsd?: number;
  highUsd?: number;
  /** Whether second sessions would check answers, which they did in no earlier batch. */
  withoutChecks?: boolean;
}

/** Fewer give an interval that is too wide to help. */
const leastForInterval = 3;

/** Reads the sizes of files, and what is remembered, if there is a store. Writes nothing. */
export async function dryRunFacts(context: Context, batch: Batch): Promise<DryRunFacts> {
  const { tasks, template, eachIsFile } = batch;
  const before = template === undefined ? undefined : costsBefore(context, template);
  // Options of a matrix multiply the tasks, not the files.
  const paths = new Set(eachIsFile ? tasks.flatMap(({ values }) => values?.["path"] ?? []) : []);
  const reused = new Set(await knownAnswers(context, batch));
  const running = tasks.flatMap(({ sameAs }, index) =>
    sameAs === undefined && !reused.has(index + 1) ? [index + 1] : [],
  );
  const summarySessions = running.length === 0 ? 0 : summaryToCome(stateOf(batch)).sessions;
  return {
    characters: tasks.reduce((sum, { prompt }) => sum + prompt.length, 0),
    ...(eachIsFile ? { fileBytes: [...paths].reduce((sum, path) => sum + sizeOf(path), 0) } : {}),
    runs: running.length,
    reused: reused.size,
    equal: tasks.length - running.length - reused.size,
    ...(batch.summarize ? { summarySessions } : {}),
    ...(before
      ? { earlier: { ...costOf(before), ...expectedCost(batch, before, { running, summarySessions }) } }
      : {}),
  };
}

// As at its very beginning.
function stateOf(batch: Batch, hash = ""): BatchState {
  const account = { hash, environment: {} };
  return stateFrom({ type: "batch-created", batch, account, at: Date.now(), epoch: 0 });
}

async function knownAnswers(context: Context, batch: Batch): Promise<number[]> {
  if (!isStoreThere(context)) return [];
  const { store } = context;
  const state = stateOf(batch, accountOf(process.env, store.salt()).hash);
  const environment = sessionEnvironment(process.env);
  // What a summary reads is not there yet.
  const summaries = { write: async () => {}, byContent: () => undefined };
  using reuse = new Reuse({ layout: store.layout, state: () => state, environment, summaries });
  return reuse.known();
}

function costOf({ batches, tasks, totalUsd }: EarlierCosts): EarlierCost {
  return { batches, tasks, totalUsd };
}

// Sums of means: of costs with a heavy tail, the median times the number of tasks would be far too little.
function expectedCost(
  batch: Batch,
  { all, byKey, summaries }: EarlierCosts,
  { running, summarySessions }: { running: readonly number[]; summarySessions: number },
): ExpectedCost {
  const keys = running.map((number) => costKeyOf(batch, number));
  const means = new Map([...new Set(keys)].map((key) => [key, meanOf(byKey.get(key) ?? all)]));
  const ofTasks = keys.reduce((sum, key) => sum + (means.get(key) ?? 0), 0);
  const expectedUsd = ofTasks + summarySessions * meanOf(summaries.length > 0 ? summaries : all);
  const sessions = running.length + summarySessions;
  const range = all.length < leastForInterval ? undefined : sumOfMore(all, sessions);
  const scale = range ? expectedUsd / range.expected : 0;
  const hasChecks = (options: SessionOptions) => options.expect?.question !== undefined;
  const withoutChecks = running.some(
    (number, index) => hasChecks(optionsOf(batch, number)) && !byKey.has(keys[index] ?? ""),
  );
  return {
    expectedUsd,
    ...(range ? { lowUsd: range.low * scale, highUsd: range.high * scale } : {}),
    ...(withoutChecks ? { withoutChecks } : {}),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** "200 tasks, 12,000 characters in their prompts, 1.2 MB in their files" */
export function sizeText({ characters, fileBytes }: DryRunFacts, tasks: number): string {
  const files = fileBytes === undefined ? "" : `, ${bytesText(fileBytes)} in their files`;
  return `${countText(tasks, "task")}, ${countText(characters, "character")} in their prompts${files}`;
}

/** "3 have an answer from earlier, and 2 get that of an equal task, so 5 run"; undefined if all run. */
export function freeTasksText({ runs, reused, equal }: DryRunFacts): string | undefined {
  const parts = [
    ...(reused === 0
      ? []
      : [`${numberText(reused)} ${reused === 1 ? "has" : "have"} an answer from earlier`]),
    ...(equal === 0 ? [] : [`${numberText(equal)} ${equal === 1 ? "gets" : "get"} that of an equal task`]),
  ];
  if (parts.length === 0) return undefined;
  return `${parts.join(", and ")}, so ${runs === 0 ? "none runs" : `${numberText(runs)} ${runs === 1 ? "runs" : "run"}`}`;
}

/** What is known of the cost; undefined if nothing is. */
export function expectedCostText(
  { earlier, runs, summarySessions = 0 }: DryRunFacts,
  tasks: number,
): string | undefined {
  if (runs === 0) return "nothing";
  if (!earlier) return undefined;
  const { batches, tasks: known, totalUsd, expectedUsd, lowUsd, highUsd, withoutChecks } = earlier;
  const interval =
    lowUsd === undefined || highUsd === undefined ? "" : ` (${costText(lowUsd)} to ${costText(highUsd)})`;
  const of = runs === tasks ? countText(tasks, "task") : `${numberText(runs)} of ${countText(tasks, "task")}`;
  const what = `${of}${summarySessions > 0 ? " and the summary" : ""}`;
  const average = `${countText(known, "task")} of this template cost ${costText(totalUsd)} in ${countText(batches, "earlier batch", "earlier batches")}, ${costText(totalUsd / known)} each on average`;
  const checks = withoutChecks ? ", without sessions that check answers, which are new" : "";
  return `about ${costText(expectedUsd)}${interval} for ${what}: ${average}${checks}`;
}

/** Most tasks in an answer, and most characters of each prompt. */
const mostTasks = 100;
const longestPrompt = 500;
/** How much of the client's limit the tasks may take. */
const share = 1 / 2;

/** The answer of a call that only asks what it would start. No batch has its id. */
export async function dryRunAnswer(
  context: Context,
  { batch, fileOf }: PlannedBatch,
  mostCharacters: number,
): Promise<BatchAnswer> {
  const facts = await dryRunFacts(context, batch);
  const total = batch.tasks.length;
  const tasks: object[] = [];
  let characters = 0;
  for (const [index, { key, prompt, options, sameAs }] of batch.tasks.slice(0, mostTasks).entries()) {
    const task = {
      taskIndex: index + 1,
      ...(key === undefined ? {} : { key }),
      task: cut(prompt, longestPrompt),
      ...(options ? { options: shownOptions(options, fileOf) } : {}),
      ...(sameAs === undefined ? {} : { sameAs }),
    };
    characters += JSON.stringify(task).length;
    if (characters > mostCharacters * share) break;
    tasks.push(task);
  }
  const cost = expectedCostText(facts, total);
  const free = freeTasksText(facts);
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
      ...(free === undefined ? [] : [`Of these, ${free}.`]),
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
      runs: facts.runs,
      reused: facts.reused,
      equal: facts.equal,
      ...(facts.summarySessions === undefined ? {} : { summarySessions: facts.summarySessions }),
      ...(facts.earlier ? { expectedCostUsd: rounded(facts.earlier.expectedUsd) } : {}),
      ...(facts.runs === 0 ? { expectedCostUsd: 0 } : {}),
    },
  };
}
