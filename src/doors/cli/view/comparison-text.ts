// A comparison for people: totals, then the tasks with their differences.
import { costText, countText, durationText, numberText } from "../../../report/amounts.ts";
import {
  type Cell,
  type ComparedTask,
  type Comparison,
  changeWords,
  type FieldChange,
  fieldText,
  isOfVariants,
  type Side,
} from "../../../report/comparison.ts";
import { harmless, oneLine } from "../../../report/harmless.ts";
import { fit } from "../terminal/fit.ts";
import { table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";

interface How {
  out: Printer;
  /** Whether differences are shown whole. */
  isFull: boolean;
  /** How many tasks were skipped. */
  offset: number;
}

/** Lines of a difference that are shown unless all are asked for. */
const mostLines = 12;

export function comparisonText(comparison: Comparison, how: How): string {
  const { tasks, matching, message } = comparison;
  const { out, isFull, offset } = how;
  const rest = matching - offset - tasks.length;
  const isCut =
    !isFull && tasks.some((task) => task.answers.some((cell) => differenceLines(cell).length > mostLines));
  const hints = [
    ...(rest > 0
      ? [`${countText(rest, "more task")}: \`--offset ${offset + tasks.length}\` shows the next ones.`]
      : []),
    ...(isCut
      ? ["`--full` shows whole differences, and `--open` shows them side by side in the browser."]
      : []),
  ];
  return [
    totalsText(comparison, out),
    wrapped(message, out),
    ...tasks.map((task) => taskText(task, comparison.columns, how)),
    ...hints.map((hint) => wrapped(hint, out)),
  ].join("\n\n");
}

function totalsText({ columns }: Comparison, out: Printer): string {
  const rows: [name: string, value: (side: Side) => number | undefined, text: (value: number) => string][] = [
    ["tasks", ({ tasks }) => tasks, numberText],
    ["succeeded", ({ succeeded }) => succeeded, numberText],
    ["failed", ({ failed }) => failed, numberText],
    ["cancelled", ({ cancelled }) => cancelled, numberText],
    ["not ended", ({ unfinished }) => unfinished, numberText],
    ["cost", ({ costUsd }) => costUsd, costText],
    ["session time", ({ sessionMs }) => sessionMs, durationText],
    ["elapsed", ({ elapsedMs }) => elapsedMs, durationText],
  ];
  const isPair = columns.length === 2;
  const lines = rows.flatMap(([name, value, text]) => {
    const values = columns.map(value);
    const isAlways = ["tasks", "succeeded", "cost", "session time"].includes(name);
    if (values.includes(undefined) || (!isAlways && values.every((one) => one === 0))) return [];
    const [before = 0, after = 0] = values;
    return [[name, ...values.map((one) => text(one ?? 0)), isPair ? signed(after - before, text) : ""]];
  });
  const titles = columns.map(({ batchId, name }) => {
    return isOfVariants(columns) || name === ""
      ? oneLine(name || batchId, 40)
      : `${batchId} ${oneLine(name, 30)}`;
  });
  const heads = [
    {},
    ...titles.map((title) => ({ title, right: true })),
    isPair ? { title: "difference" } : {},
  ];
  return table(heads, lines, { isTerminal: false, width: out.width });
}

function signed(difference: number, text: (value: number) => string): string {
  if (difference === 0) return "";
  return `${difference > 0 ? "+" : "−"}${text(Math.abs(difference))}`;
}

const signs = {
  outcome: ["!", "red"],
  changed: ["~", "yellow"],
  new: ["+", "green"],
  gone: ["-", "red"],
  unfinished: ["…", "faint"],
  same: ["=", "faint"],
} as const;

function taskText(task: ComparedTask, columns: readonly Side[], how: How): string {
  const { out } = how;
  const { key, change, answers } = task;
  const [sign, colour] = signs[change];
  const words = changeWords(columns, change);
  const room = out.isTerminal ? Math.max(12, out.width - words.length - 6) : 200;
  const head = `${out.paint(colour, sign)} ${out.paint("bold", fit(oneLine(key, 400), room))}  ${out.paint(colour, words)}`;
  const isPair = !isOfVariants(columns);
  const facts = isPair
    ? [`  ${pairText(answers)}`]
    : answers.flatMap((cell, column) => [
        `  ${oneLine(columns[column]?.name ?? "", 40)}: ${cell ? cellText(cell) : "–"}`,
        ...(columns.length > 2 ? differenceText(cell, how) : []),
      ]);
  const difference = columns.length === 2 ? differenceText(answers[1], how) : [];
  return [head, ...facts.map((line) => wrapped(line, out)), ...difference].join("\n");
}

// "succeeded → failed: max-turns, $0.02 → $0.05, 12 s → 40 s"
function pairText([before, after]: ComparedTask["answers"]): string {
  if (!before || !after) return cellText(before ?? after);
  const pairs: [one: string | undefined, other: string | undefined][] = [
    [before.outcome, after.outcome],
    [costOf(before), costOf(after)],
    [timeOf(before), timeOf(after)],
    [before.model, after.model],
  ];
  const facts = pairs.flatMap(([one, other]) => {
    if (one === other) return one === undefined || one === before.model ? [] : [one];
    return [`${one ?? "–"} → ${other ?? "–"}`];
  });
  const prompt = after.promptDiffers ? ["another prompt"] : [];
  return [...facts, ...prompt].map((fact) => oneLine(fact, 200)).join(", ");
}

function cellText(cell: Cell | null | undefined): string {
  if (!cell) return "";
  const differs = cell.differs ? ["another answer"] : [];
  const facts = [cell.outcome, costOf(cell), timeOf(cell), ...differs].filter((fact) => fact !== undefined);
  return facts.map((fact) => oneLine(fact, 200)).join(", ");
}

function costOf({ costUsd }: Cell): string | undefined {
  return costUsd === undefined ? undefined : costText(costUsd);
}

function timeOf({ durationMs }: Cell): string | undefined {
  return durationMs === undefined ? undefined : durationText(durationMs);
}

function differenceText(cell: Cell | null | undefined, { out, isFull }: How): string[] {
  const lines = differenceLines(cell);
  const shown = isFull ? lines : lines.slice(0, mostLines);
  const rest = lines.length - shown.length;
  return [
    ...shown.map((line) => painted(line, out)),
    ...(rest > 0 ? [out.paint("faint", `      … ${countText(rest, "more line")}`)] : []),
    ...(isFull && cell?.leftOut
      ? [out.paint("faint", `      … ${countText(cell.leftOut, "more character")}`)]
      : []),
    ...(cell?.unreadable === undefined
      ? []
      : [`    The answer cannot be read: ${oneLine(cell.unreadable, 300)}`]),
  ];
}

function differenceLines(cell: Cell | null | undefined): string[] {
  if (cell?.fields) return cell.fields.flatMap(fieldLines);
  return cell?.diff === undefined ? [] : cell.diff.split("\n");
}

/** Two values of together this many characters are on one line. */
const shortValues = 60;

function fieldLines({ path, before, after }: FieldChange): string[] {
  const name = path === "" ? "the whole answer" : path;
  const [old, fresh] = [before, after].map((value) =>
    value === undefined ? undefined : oneLine(fieldText(value), 1_000),
  );
  if (old === undefined) return [`+ ${name}: ${fresh}`];
  if (fresh === undefined) return [`- ${name}: ${old}`];
  if (old.length + fresh.length <= shortValues) return [`~ ${name}: ${old} → ${fresh}`];
  return [`~ ${name}`, `- ${old}`, `+ ${fresh}`];
}

const lineColours: Record<string, "green" | "red" | "yellow"> = { "+": "green", "-": "red", "~": "yellow" };

// Further lines of a long one begin behind its sign.
function painted(line: string, out: Printer): string {
  const sign = line.slice(0, 1);
  const text = `    ${sign} ${wrapped(harmless(line.slice(2)), out, 6)}`;
  const lines = text.split("\n").map((one) => out.paint(lineColours[sign] ?? "faint", one.trimEnd()));
  return lines.join("\n");
}
