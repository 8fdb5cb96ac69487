// `results`: the answers of a batch's sessions, as text.
import { product } from "../../../model/product.ts";
import type { BatchState } from "../../../model/state.ts";
import { findBatch } from "../../../operations/find-batch.ts";
import { readResults } from "../../../operations/results.ts";
import { countText, durationText, numberText } from "../../../report/amounts.ts";
import type { ResultEntry } from "../../../report/answer.ts";
import { labelOf } from "../../../report/label.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import {
  batchOrLatest,
  type Command,
  commandOf,
  type Invocation,
  pagedFlags,
  taskNumbersPositional,
} from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf } from "../terminal/state-colours.ts";
import { costCell } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { plainFlag, shownMarkdown } from "../view/markdown-text.ts";

/** In a pipe, in columns. */
const longestLabel = 100;

type Entry = ResultEntry & { textLength: number; nextFrom?: number | undefined };

const face = commandOf(readResults, {
  name: "results",
  otherNames: ["result", "answers", "answer", "output", "cat", "get"],
  description:
    "Prints the answers of a batch's sessions. With the number of one task, it prints its whole text, and nothing else on standard output. Otherwise it prints the beginning of each text, and `--full` prints whole texts. While a batch is running, it prints what the ended tasks answered.",
  examples: [
    ["results latest", "Show the beginning of every answer"],
    ["results latest 3 > answer.md", "Write one answer to a file"],
    ["results latest --full --limit 1000", "Show all answers in full"],
    ["results latest --status error", "Show only what failed"],
  ],
  positionals: [batchOrLatest, taskNumbersPositional],
  isWrapped: true,
  isPaged: true,
  present: (
    { summary, batchId, matching, results: entries, nextOffset, message },
    { input, context, terminal, own: { plain } },
  ) => {
    const { out, err } = terminal;
    const textOf = (entry: Entry) => answerText(entry, out, plain === true);
    const { state } = findBatch(context, batchId);
    const headOf = (entry: Entry, on: Printer) => headLine(entry, state, on);
    const [only] = entries;
    // The text of a single task is alone on standard output, so that it can be redirected to a file.
    if (isOfOneTask(input) && only) {
      void err.print(headOf(only, err));
      const rest = restOf(batchId, only);
      if (rest !== "") void err.tell(rest);
      return textOf(only);
    }
    if (entries.length === 0) return wrapped(`Batch ${batchId}: ${message}`, out);
    const texts = entries.map((entry) =>
      [headOf(entry, out), textOf(entry), wrapped(restOf(batchId, entry), out)].filter(Boolean).join("\n"),
    );
    const more =
      nextOffset === undefined
        ? []
        : [
            wrapped(
              `${countText(matching - nextOffset, "more result")}: \`--offset ${nextOffset}\` shows the next ones, and \`--limit ${matching}\` all.`,
              out,
            ),
          ];
    const first =
      summary === undefined
        ? []
        : [`${out.paint("bold", "Summary")}\n${shownMarkdown(summary, out, plain === true)}`];
    return [...first, ...texts, ...more].join("\n\n");
  },
});

export const results: Command = {
  ...face,
  own: pagedFlags.extend(plainFlag.shape),
  // Naming one task requests its text: all of it, or all from an offset on.
  run: (asked) => {
    const isWhole = isOfOneTask(asked.input) && asked.input["characters"] === undefined;
    return face.run(isWhole ? { ...asked, input: { ...asked.input, full: true } } : asked);
  },
};

function isOfOneTask({ tasks }: Invocation["input"]): boolean {
  return Array.isArray(tasks) && tasks.length === 1;
}

function headLine(
  { taskIndex, outcome, durationMs, costUsd }: Entry,
  state: BatchState,
  out: Printer,
): string {
  const task = state.tasks[taskIndex - 1];
  const before = [
    out.paint("bold", `Task ${taskIndex}`),
    task?.status === "done" ? out.paint(colourOf(task), outcomeWords(task)) : outcome,
    ...(durationMs === undefined ? [] : [durationText(durationMs)]),
    ...(costUsd === undefined ? [] : [costCell(costUsd)]),
  ].join("  ");
  // A pipe has no width.
  const room = out.isTerminal ? Math.max(12, out.width - Bun.stringWidth(before) - 2) : longestLabel;
  return `${before}  ${fit(labelOf(state, taskIndex), room)}`;
}

// Data is shown as it is.
function answerText(
  { status, result = "", error = "", structuredResult }: Entry,
  out: Printer,
  isPlain: boolean,
): string {
  if (status !== "success") return error;
  return structuredResult === undefined ? shownMarkdown(result, out, isPlain) : result;
}

function restOf(batchId: string, { textLength, nextFrom, taskIndex }: Entry): string {
  if (nextFrom === undefined) return "";
  return `[This text has ${numberText(textLength)} characters. \`${product.name} results ${batchId} ${taskIndex}\` shows all of it, and \`--from ${nextFrom}\` shows the rest.]`;
}
