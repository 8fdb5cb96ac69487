// `results`: what the sessions of a batch answered, as text.
import { product } from "../../model/product.ts";
import { readResults } from "../../operations/results.ts";
import { durationText, numberText } from "../../report/amounts.ts";
import type { ResultEntry } from "../../report/answer.ts";
import { firstLine, harmless } from "../../report/harmless.ts";
import { batchPositional, commandOf } from "./command.ts";
import { costCell } from "./table.ts";
import { taskNumbersPositional } from "./task-numbers.ts";
import type { Printer } from "./terminal.ts";

type Entry = ResultEntry & { textLength: number; nextFrom?: number | undefined };

export const results = commandOf(readResults, {
  name: "results",
  otherNames: ["result", "answers", "answer", "output", "cat", "get"],
  examples: [
    ["results latest", "Show the beginning of every answer"],
    ["results latest 3 --full > answer.md", "Write one whole answer to a file"],
    ["results latest --status error", "Show only what failed"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, matching, results: entries, nextOffset, message }, { input, terminal }) => {
    const { out, err } = terminal;
    const [only] = entries;
    // The text of one task stands alone on standard output, so that it can go into a file as it is.
    if (Array.isArray(input["tasks"]) && input["tasks"].length === 1 && only) {
      void err.print(headOf(only, err));
      const rest = restOf(batchId, only);
      if (rest !== "") void err.print(rest);
      return shown(textOf(only), out);
    }
    if (entries.length === 0) return `Batch ${batchId}: ${message}`;
    const texts = entries.map((entry) =>
      [headOf(entry, out), shown(textOf(entry), out), restOf(batchId, entry)].filter(Boolean).join("\n"),
    );
    const more =
      nextOffset === undefined ? [] : [`${matching - nextOffset} more: \`--offset ${nextOffset}\`.`];
    return [...texts, ...more].join("\n\n");
  },
});

function headOf({ taskIndex, outcome, status, durationMs, costUsd, taskDescription }: Entry, out: Printer) {
  return [
    out.paint("bold", `Task ${taskIndex}`),
    out.paint(status === "success" ? "green" : "red", outcome),
    ...(durationMs === undefined ? [] : [durationText(durationMs)]),
    ...(costUsd === undefined ? [] : [costCell(costUsd)]),
    firstLine(taskDescription, 60),
  ].join("  ");
}

function textOf({ status, result = "", error = "" }: Entry): string {
  return status === "success" ? result : error;
}

function shown(text: string, out: Printer): string {
  return out.isTerminal ? harmless(text) : text;
}

function restOf(batchId: string, { textLength, nextFrom, taskIndex }: Entry): string {
  if (nextFrom === undefined) return "";
  return `[This text has ${numberText(textLength)} characters. \`${product.name} results ${batchId} ${taskIndex} --full\` shows all of it, and \`--from ${nextFrom}\` shows the rest.]`;
}
