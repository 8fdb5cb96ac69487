// `show`: one batch, with a line for each task.
import { reportFileOf } from "../../../engine/output/answer.ts";
import { usualNameOf } from "../../../engine/output/result-file.ts";
import { endOfState } from "../../../model/batch-end.ts";
import type { BatchState, TaskState } from "../../../model/state.ts";
import { showBatch } from "../../../operations/batches.ts";
import { farText, interruptedText } from "../../../operations/far-text.ts";
import { resolveBatch, rowOf } from "../../../operations/find-batch.ts";
import { namesIn } from "../../../platform/folders.ts";
import { durationText, elapsedText, timeText } from "../../../report/amounts.ts";
import { countsText, heldText } from "../../../report/answer.ts";
import { endFactsOf, endLabel, endText, onwardText } from "../../../report/batch-end.ts";
import { oneLine } from "../../../report/harmless.ts";
import { labelOf } from "../../../report/label.ts";
import { changeText } from "../../../report/option-words.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { spendingText } from "../../../report/spending.ts";
import { timeLeftMs, timeLeftText } from "../../../report/time-left.ts";
import { heldNow, stateWordOf } from "../../../store/batch-status.ts";
import type { BatchRow } from "../../../store/store.ts";
import { type Asked, batchPositional, type Command, checkUsage, commandOf } from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf, endColour, stateColours } from "../terminal/state-colours.ts";
import { costCell, table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { problemsOf } from "../view/problem.ts";

const face = commandOf(showBatch, {
  name: "show",
  otherNames: ["info", "inspect", "describe", "status", "stat", "stats"],
  examples: [
    ["show latest", "Show one line per task"],
    ["show b4k2 --json", "Print the whole answer as JSON"],
  ],
  positionals: [batchPositional],
  present: () => "",
});

export const show: Command = {
  ...face,
  // People see a line for each task, for which no transcript is read.
  run: (asked) => (asked.own["json"] === true ? face.run(asked) : showToPeople(asked)),
};

async function showToPeople({ input, context, terminal: { out } }: Asked): Promise<number> {
  const { batchId } = checkUsage(showBatch.input, input);
  const log = await resolveBatch(context, batchId);
  const { state } = log;
  const row = rowOf(context, log);
  const activities = context.store.activities(log.batchId);
  const parts = [
    header(state, row, out),
    table(
      [{ right: true }, {}, { right: true }, { right: true }, {}, {}],
      rows(state, out, activities),
      wide(out),
    ),
    ...problemsOf(state).map((problem) => wrapped(problem, out)),
  ];
  await out.print(parts.join("\n\n"));
  return 0;
}

function header(state: BatchState, row: BatchRow, out: Printer): string {
  const word = stateWordOf(row);
  const held = heldNow(row);
  const { batch, createdAt, endedAt, outputDirectory } = state;
  const end = endOfState(state, word);
  const ending = end && endFactsOf(state, end);
  const next = ending && onwardText(ending, "command-line");
  const took = `${endedAt === undefined ? "for" : "took"} ${durationText((endedAt ?? Date.now()) - createdAt)}`;
  const left = word === "running" ? timeLeftMs(state, Date.now(), held?.until) : undefined;
  const processes = word === "interrupted" ? interruptedText(row) : farText(row, "command-line");
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
    ...(next === undefined ? [] : [["next", next]]),
    ["started", `${timeText(createdAt)}, ${took}`],
    ["cost", spendingText(state, word === "running")],
    ...(left === undefined ? [] : [["left", timeLeftText(left)]]),
    ["directory", oneLine(batch.workingDirectory, 1_000)],
    ...state.optionChanges.map((change) => ["changed", changeText("command-line", change)]),
    ["results", outputDirectory],
    ["report", reportFileOf(state)],
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

function rows(state: BatchState, out: Printer, activities: ReadonlyMap<number, string>): string[][] {
  const files = namesIn(state.outputDirectory);
  return state.tasks.map((task) => {
    const label = fit(labelOf(state, task.number), labelWidth(out));
    return [String(task.number), ...standing(task, out), label, lastCell(state, task, activities, files)];
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

function lastCell(
  state: BatchState,
  task: TaskState,
  activities: ReadonlyMap<number, string>,
  files: ReadonlySet<string>,
): string {
  if (task.status === "running") return oneLine(activities.get(task.number) ?? "", 100);
  if (task.status === "queued") return "";
  const name = usualNameOf(state, task);
  return files.has(name) ? name : "";
}
