// What `--dry-run` prints: the tasks, their options, and where files would go.
import type { Batch } from "../../../model/event.ts";
import { secretOptions } from "../../../model/options.ts";
import { shellQuoted } from "../../../model/shell-quoted.ts";
import { type DryRunFacts, expectedCostText, freeTasksText, sizeText } from "../../../operations/dry-run.ts";
import type { PlannedBatch } from "../../../operations/plan.ts";
import type { RawOptions } from "../../../operations/raw-options.ts";
import { countText } from "../../../report/amounts.ts";
import { oneLine } from "../../../report/harmless.ts";
import { taskListText } from "../../../report/option-words.ts";
import { shownOptions } from "../../../report/shown-options.ts";
import { jsonText } from "../input/command.ts";
import type { Flag } from "../input/flag.ts";
import { valueAt } from "../input/flags.ts";
import { table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { atOnceText } from "./headings.ts";

/** How much of a prompt to show on one line, in characters. */
const mostCharacters = 400;

/** The file that an object in the options was read from. */
type FileOf = PlannedBatch["fileOf"] | undefined;
/** Tasks of a batch, by number; all by default. */
type Numbers = readonly number[] | undefined;

/** The planned batch for programs, with whole prompts. */
export function dryRunJson(
  batch: Batch,
  { numbers, facts, fileOf }: { numbers?: Numbers; facts?: DryRunFacts; fileOf?: FileOf } = {},
): string {
  const { name, failureMode, concurrency, budgetUsd, sample, warnings } = batch;
  return jsonText({
    dryRun: true,
    totalTasks: batch.tasks.length,
    ...(name === undefined ? {} : { batchName: name }),
    tasks: tasksOf(batch, numbers).map(({ number, key, prompt, options = {}, after }) => ({
      taskIndex: number,
      ...(key === undefined ? {} : { key }),
      task: prompt,
      options: shownOptions(options, fileOf),
      ...(after ? { after } : {}),
    })),
    ...(batch.summarize ? { summarize: batch.summarize.text } : {}),
    options: shownOptions(batch.sessionOptions, fileOf),
    ...facts,
    concurrency,
    failureMode,
    ...(budgetUsd === undefined ? {} : { batchBudgetUsd: budgetUsd }),
    ...(sample === undefined ? {} : { sample }),
    workingDirectory: batch.workingDirectory,
    outputDirectory: batch.outputDirectory,
    ...(warnings === undefined ? {} : { warnings }),
  });
}

interface How {
  flags: readonly Flag[];
  out: Printer;
  numbers?: Numbers;
  /** What would be done. */
  what?: string;
  /** What would be added to the prompts. */
  added?: string | undefined;
  /** Of a new batch. */
  size?: DryRunFacts;
  fileOf?: FileOf;
}

/** The same for people. */
export function dryRunText(batch: Batch, { flags, out, numbers, what, added, size, fileOf }: How): string {
  const { name, failureMode, budgetUsd, sample, sessionOptions } = batch;
  const tasks = tasksOf(batch, numbers);
  const width = String(batch.tasks.length).length;
  const cost = size && expectedCostText(size, batch.tasks.length);
  const free = size && freeTasksText(size);
  const facts = [
    ...(size ? [["size", sizeText(size, batch.tasks.length)]] : []),
    ...(free === undefined ? [] : [["free", free]]),
    ...(cost === undefined ? [] : [["cost", cost]]),
    ...(name === undefined ? [] : [["name", oneLine(name, 200)]]),
    ["options", flagsText(shownOptions(sessionOptions, fileOf), flags) || "none"],
    ...(budgetUsd === undefined ? [] : [["budget", `$${budgetUsd}`]]),
    ...(sample === undefined ? [] : [["sample", `${taskListText(sample)} first`]]),
    ...(failureMode === "continue" ? [] : [["failure mode", failureMode]]),
    ...(added === undefined ? [] : [["added to prompts", oneLine(added, mostCharacters)]]),
    ...(batch.summarize ? [["summary", oneLine(batch.summarize.text, mostCharacters)]] : []),
    ["directory", batch.workingDirectory],
    ["results", batch.outputDirectory],
  ];
  const lines = tasks.flatMap(({ number, key, prompt, options, after }) => [
    ...(key === undefined ? [] : [`${String(number).padStart(width)}  ${oneLine(key, mostCharacters)}`]),
    `${(key === undefined ? String(number) : "").padStart(width)}  ${oneLine(prompt, mostCharacters)}`,
    ...(options ? [`${" ".repeat(width)}  ${flagsText(shownOptions(options, fileOf), flags)}`] : []),
    ...(after ? [`${" ".repeat(width)}  after ${taskListText(after)}`] : []),
  ]);
  const would = what ?? `run ${countText(tasks.length, "task")}`;
  const heading = `Dry run: nothing was started. Without \`--dry-run\`, this would ${would}, ${atOnceText(batch)}.`;
  return [
    heading,
    table(
      [{}, {}],
      facts.map(([fact = "", value = ""]) => [`  ${fact}`, value]),
      { isTerminal: false, width: out.width },
    ),
    lines.join("\n"),
  ].join("\n\n");
}

function tasksOf({ tasks }: Batch, numbers: Numbers) {
  const all = tasks.map((task, index) => ({ ...task, number: index + 1 }));
  return numbers ? all.filter(({ number }) => numbers.includes(number)) : all;
}

// As written on a command line.
function flagsText(options: RawOptions, flags: readonly Flag[]): string {
  const given = Object.keys(options).flatMap((property) =>
    flags.filter((one) => one.property === property || one.property.startsWith(`${property}.`)),
  );
  const written = given.flatMap((flag) => {
    const { property } = flag;
    const value = valueAt(options, property);
    if (value === undefined) return [];
    if (flag.kind === "boolean") return [value === true ? `--${flag.name}` : `--no-${flag.name}`];
    const values = flag.kind === "list" && Array.isArray(value) ? value : [value];
    const isSecret = secretOptions.includes(property);
    return values.map((one) => `--${flag.name} ${shellQuoted(isSecret ? namesText(one) : valueText(one))}`);
  });
  return oneLine(written.join(" "), 4_000);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// Values must never show.
function namesText(variables: unknown): string {
  const names = Array.isArray(variables) ? variables : [];
  return `{${names.map((name) => `${JSON.stringify(name)}: "…"`).join(", ")}}`;
}
