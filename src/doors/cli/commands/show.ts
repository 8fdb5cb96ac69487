// `show`: one batch, with a line for each task, and why tasks failed.
import { z } from "zod";
import { endOfState } from "../../../model/batch-end.ts";
import { timeLeftMs } from "../../../model/estimate.ts";
import { product } from "../../../model/product.ts";
import type { DoneTask, TaskState } from "../../../model/state.ts";
import { waitingForPrefix } from "../../../model/wait-reason.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import { type BatchOverview, overviewOf } from "../../../operations/batch-overview.ts";
import { showBatch } from "../../../operations/batches.ts";
import { perform } from "../../../operations/perform.ts";
import { countText, durationText, elapsedText, numberText, timeText } from "../../../report/amounts.ts";
import { countsText, heldText } from "../../../report/answer.ts";
import { endFactsOf, endLabel, endText, onwardText } from "../../../report/batch-end.ts";
import { happenedText } from "../../../report/cause-text.ts";
import { oneLine } from "../../../report/harmless.ts";
import { labelOf } from "../../../report/label.ts";
import { changeText } from "../../../report/option-words.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { reuseText } from "../../../report/reuse-text.ts";
import { promptCacheText, spendingText } from "../../../report/spending.ts";
import { timeLeftText } from "../../../report/time-left.ts";
import {
  batchOrLatest,
  type Command,
  checkUsage,
  commandCall,
  commandOf,
  jsonText,
  pagedFlags,
  UsageError,
} from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf, endColour, stateColours } from "../terminal/state-colours.ts";
import { type Column, costCell, table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { problemsOf } from "../view/problem.ts";

const own = pagedFlags.extend({
  failed: z
    .boolean()
    .meta({
      description: "List the tasks that failed, each with what happened.",
      flags: ["failures", "errors"],
    })
    .optional(),
  all: z
    .boolean()
    .meta({ description: "List all tasks, however many they are.", flags: ["tasks", "full"] })
    .optional(),
  offset: z
    .int()
    .min(0)
    .meta({ description: "With `--failed` or `--all`: how many to skip.", placeholder: "N" })
    .optional(),
  limit: z
    .int()
    .min(1)
    .meta({ description: "With `--failed` or `--all`: how many to list.", placeholder: "N" })
    .optional(),
});
type Own = z.output<typeof own>;

/** Of a batch with more tasks, only those are listed that run. */
const mostTasks = 50;
/** How many of them. */
const mostRunning = 12;
/** How many failures are listed at a time. */
const failuresAtOnce = 50;

const face = commandOf(showBatch, {
  name: "show",
  otherNames: ["info", "inspect", "describe", "status", "stat", "stats"],
  description:
    "Shows a batch: its state, its tasks, and why tasks failed, grouped by cause, with the command that reruns all tasks of a cause. With more than 50 tasks, it lists only those that run; `--all` lists every task, and `--failed` those that failed.",
  examples: [
    ["show latest", "Show one line per task, and what went wrong"],
    ["show latest --failed", "List each task that failed, with its reason"],
    ["show b4k2 --all --limit 100", "List the first 100 of many tasks"],
    ["show b4k2 --json", "Print the whole answer as JSON"],
  ],
  positionals: [batchOrLatest],
  isPaged: true,
  // A line for each task, for which no transcript is read.
  overview: async ({ batchId }, { context, terminal: { out }, own: given }) => {
    const overview = await overviewOf(context, batchId);
    const wanted = own.parse(given);
    if (wanted.failed) return failuresText(overview, wanted, out);
    const parts = [
      header(overview, out),
      tasksPart(overview, wanted, out),
      ...problemsOf(overview.state).map((problem) => wrapped(problem, out)),
    ];
    return parts.filter((part) => part !== "").join("\n\n");
  },
});

export const show: Command = {
  ...face,
  own,
  run: async (asked) => {
    const { failed, all, offset, limit, json } = checkUsage(own, asked.own);
    if (failed && all) throw new UsageError(["give `--failed` or `--all`, not both"]);
    if ((offset !== undefined || limit !== undefined) && !failed && !all)
      throw new UsageError(["`--offset` and `--limit` are for `--failed` and `--all`"]);
    if (!json || !failed) return face.run(asked);
    const { batchId } = checkUsage(batchInput, asked.input);
    const answer = await perform(asked.context, showBatch, { batchId }, commandCall());
    const ofFailures = answer.results.filter(
      ({ status, outcome }) => status === "error" && !isCancelled(outcome),
    );
    const first = offset ?? 0;
    const results = ofFailures.slice(first, limit === undefined ? undefined : first + limit);
    await asked.terminal.out.print(jsonText<unknown>({ ...answer, results }));
    return 0;
  },
};

function isCancelled(outcome: string): boolean {
  return outcome.startsWith("cancelled");
}

const columns: Column[] = [{ right: true }, {}, { right: true }, { right: true }, {}, {}];

// Of many tasks, the ones that run: the others are counted above, and grouped by cause below.
function tasksPart(overview: BatchOverview, { all = false, offset = 0, limit }: Own, out: Printer): string {
  const { state } = overview;
  const { tasks, batch } = state;
  const command = `${product.name} show ${batch.batchId}`;
  if (!all && tasks.length > mostTasks) {
    const running = tasks.filter(({ status }) => status === "running");
    const listed = running.slice(0, mostRunning);
    const more = running.length - listed.length;
    const rest = `${listed.length === 0 ? "" : `${more > 0 ? `and ${numberText(more)} more that run. ` : ""}`}\`${command} --all\` lists all ${numberText(tasks.length)} tasks${state.counts.failed > 0 ? `, and \`${command} --failed\` those that failed` : ""}.`;
    const part = listed.length === 0 ? [] : [table(columns, rows(overview, listed, out), wide(out))];
    return [...part, wrapped(rest.slice(0, 1).toUpperCase() + rest.slice(1), out)].join("\n");
  }
  const listed = tasks.slice(offset, limit === undefined ? undefined : offset + limit);
  const part = table(columns, rows(overview, listed, out), wide(out));
  return [part, pageText(command, "--all", { offset, listed: listed.length, total: tasks.length })]
    .filter((text) => text !== "")
    .join("\n");
}

function pageText(
  command: string,
  flag: string,
  { offset, listed, total }: { offset: number; listed: number; total: number },
): string {
  const next = offset + listed;
  if (listed === 0 && total > 0) return `There are only ${numberText(total)}.`;
  if (next >= total) return "";
  return `${countText(total - next, "more task")}: \`${command} ${flag} --offset ${next}\``;
}

// Each task that failed, with its reason below it.
function failuresText(
  overview: BatchOverview,
  { offset = 0, limit = failuresAtOnce }: Own,
  out: Printer,
): string {
  const { state } = overview;
  const command = `${product.name} show ${state.batch.batchId}`;
  const failed = state.tasks.filter(hasFailed);
  if (failed.length === 0) return `No task of batch ${state.batch.batchId} has failed.`;
  const listed = failed.slice(offset, offset + limit);
  const lines = table(columns, rows(overview, listed, out), wide(out)).split("\n");
  const texts = listed.map(
    (task, index) => `${lines[index] ?? ""}\n${wrapped(`      ${happenedText(task)}`, out)}`,
  );
  const page = pageText(command, `--failed${limit === failuresAtOnce ? "" : ` --limit ${limit}`}`, {
    offset,
    listed: listed.length,
    total: failed.length,
  });
  const head = `${countText(failed.length, "task")} of ${numberText(state.tasks.length)} failed${failed.length > listed.length && listed.length > 0 ? `; these are ${offset + 1} to ${offset + listed.length}` : ""}.`;
  return [head, ...texts, page].filter((text) => text !== "").join("\n");
}

function hasFailed(task: TaskState): task is DoneTask {
  return task.status === "done" && task.outcome.kind !== "succeeded" && task.outcome.kind !== "cancelled";
}

function header({ state, word, held, processes, reportFile }: BatchOverview, out: Printer): string {
  const { batch, createdAt, endedAt, outputDirectory } = state;
  const end = endOfState(state, word);
  const ending = end && endFactsOf(state, end);
  const next = ending && onwardText(ending, "command-line");
  const reuse = reuseText(state, "command-line");
  const cache = promptCacheText(state);
  const took = `${endedAt === undefined ? "for" : "took"} ${durationText((endedAt ?? Date.now()) - createdAt)}`;
  const left = word === "running" ? timeLeftMs(state, Date.now(), held?.until) : undefined;
  const facts = [
    [
      "state",
      end
        ? out.paint(endColour(end), endLabel({ end, counts: state.counts }))
        : out.paint(stateColours[word], word),
    ],
    ...(processes === undefined ? [] : [["processes", processes]]),
    ...(held ? [["held", heldText(held)]] : []),
    ["tasks", ending ? endText(ending) : countsText(state)],
    ...(reuse === undefined ? [] : [["reuse", reuse]]),
    ...(next === undefined ? [] : [["next", next]]),
    ["started", `${timeText(createdAt)}, ${took}`],
    ["cost", spendingText(state, { word, now: Date.now(), heldUntil: held?.until })],
    ...(cache === undefined ? [] : [["prompt cache", cache]]),
    ...(left === undefined ? [] : [["left", timeLeftText(left)]]),
    ["directory", oneLine(batch.workingDirectory, 1_000)],
    ...state.optionChanges.map((change) => ["changed", changeText("command-line", change)]),
    ["results", outputDirectory],
    ["report", reportFile],
    ...(batch.warnings ?? []).map((warning) => ["warning", oneLine(warning, 2_000)]),
    ...[...state.fileFailures].map(([path, message]) => ["not written", `${path}: ${message}`]),
  ];
  const column = 4 + facts.reduce((most, [fact = ""]) => Math.max(most, fact.length), 0);
  const name = batch.name === undefined ? "" : ` “${oneLine(batch.name, 200)}”`;
  return `${out.paint("bold", `Batch ${batch.batchId}`)}${name}\n${table(
    [{}, {}],
    facts.map(([fact = "", value = ""]) => [`  ${fact}`, wrapped(value, out, column)]),
    wide(out),
  )}`;
}

// Paths are copied from here, so they are not cut.
function wide(out: Printer): Pick<Printer, "isTerminal" | "width"> {
  return { isTerminal: false, width: out.width };
}

function rows(
  { state, activities, resultFiles }: BatchOverview,
  tasks: readonly TaskState[],
  out: Printer,
): string[][] {
  const ready = new Set(waitingForPrefix(state, (number) => activities.get(number)));
  return tasks.map((task) => {
    const { number } = task;
    const label = fit(labelOf(state, number), labelWidth(out));
    const isShown = task.status === "running" || ready.has(number);
    const activity = isShown ? oneLine(activities.get(number) ?? "", 100) : "";
    return [String(number), ...standing(task, out), label, resultFiles.get(number) ?? activity];
  });
}

// In a terminal, the label is cut rather than the file's name, which may be copied.
function labelWidth(out: Printer): number {
  return out.isTerminal ? Math.min(60, Math.max(15, out.width - besideLabel)) : 60;
}

/** Columns that number, outcome, duration, cost and file name usually take. */
const besideLabel = 72;

// Word, duration and cost.
function standing(task: TaskState, out: Printer): string[] {
  if (task.status === "queued") return ["queued", "–", "–"];
  if (task.status === "running") {
    const word = task.cancelling === undefined ? "running" : "being cancelled";
    return [out.paint("cyan", word), elapsedText(Date.now() - task.startedAt), "–"];
  }
  const { startedAt, endedAt, usage } = task;
  return [
    out.paint(colourOf(task), outcomeWords(task)),
    startedAt === undefined ? "–" : durationText(endedAt - startedAt),
    costCell(usage?.costUsd, usage?.atLeast),
  ];
}
