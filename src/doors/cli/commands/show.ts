// `show`: one batch, with a line for each task.
import { endOfState } from "../../../model/batch-end.ts";
import { timeLeftMs } from "../../../model/estimate.ts";
import type { TaskState } from "../../../model/state.ts";
import { waitingForPrefix } from "../../../model/wait-reason.ts";
import { type BatchOverview, overviewOf } from "../../../operations/batch-overview.ts";
import { showBatch } from "../../../operations/batches.ts";
import { durationText, elapsedText, timeText } from "../../../report/amounts.ts";
import { countsText, heldText } from "../../../report/answer.ts";
import { endFactsOf, endLabel, endText, onwardText } from "../../../report/batch-end.ts";
import { oneLine } from "../../../report/harmless.ts";
import { labelOf } from "../../../report/label.ts";
import { changeText } from "../../../report/option-words.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { reuseText } from "../../../report/reuse-text.ts";
import { promptCacheText, spendingText } from "../../../report/spending.ts";
import { timeLeftText } from "../../../report/time-left.ts";
import { batchPositional, commandOf } from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf, endColour, stateColours } from "../terminal/state-colours.ts";
import { costCell, table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { problemsOf } from "../view/problem.ts";

export const show = commandOf(showBatch, {
  name: "show",
  otherNames: ["info", "inspect", "describe", "status", "stat", "stats"],
  examples: [
    ["show latest", "Show one line per task"],
    ["show b4k2 --json", "Print the whole answer as JSON"],
  ],
  positionals: [batchPositional],
  // A line for each task, for which no transcript is read.
  overview: async ({ batchId }, { context, terminal: { out } }) => {
    const overview = await overviewOf(context, batchId);
    const columns = [{ right: true }, {}, { right: true }, { right: true }, {}, {}];
    const parts = [
      header(overview, out),
      table(columns, rows(overview, out), wide(out)),
      ...problemsOf(overview.state).map((problem) => wrapped(problem, out)),
    ];
    return parts.join("\n\n");
  },
});

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

function rows({ state, activities, resultFiles }: BatchOverview, out: Printer): string[][] {
  const ready = new Set(waitingForPrefix(state, (number) => activities.get(number)));
  return state.tasks.map((task) => {
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
