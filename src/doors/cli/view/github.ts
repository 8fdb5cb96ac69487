// What GitHub Actions shows of a batch: annotations of tasks that failed, and a summary of the step.
import { endOfState } from "../../../model/batch-end.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";
import { AppendedFile } from "../../../platform/appended-file.ts";
import type { Environment } from "../../../platform/environment.ts";
import { kindAt } from "../../../platform/files.ts";
import { absolutePath, isWithin, shownPath } from "../../../platform/paths.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { costText, countText, durationText, numberText } from "../../../report/amounts.ts";
import { endFactsOf, endText } from "../../../report/batch-end.ts";
import { causeRemedy, happenedText, lackText } from "../../../report/cause-text.ts";
import { type Cause, causesOf } from "../../../report/causes.ts";
import { harmless, oneLine } from "../../../report/harmless.ts";
import { labelOf, numberAndKey } from "../../../report/label.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import type { Printer } from "../terminal/terminal.ts";
import { annotationLine } from "../terminal/workflow-commands.ts";

/** GitHub shows no more of each kind for a step. */
const mostAnnotations = 10;
/** GitHub takes no more for the summary of a step, in bytes. */
const longestSummary = 1_048_576;
/** How many causes and failed tasks the summary lists. */
const mostCauses = 50;
const mostFailures = 1_000;
/** How much of a text a cell has, and an annotation, in characters. */
const longestCell = 300;
const longestMessage = 1_000;

/** Prints annotations, and appends to the summary. Says why if that is impossible; the batch has ended all the same. */
export async function reportToGithub(
  state: BatchState,
  { word, err, environment = process.env }: { word: StateWord; err: Printer; environment?: Environment },
): Promise<void> {
  const lines = annotationsOf(state, environment);
  if (lines.length > 0) await err.write(`${lines.join("\n")}\n`);
  const path = environment["GITHUB_STEP_SUMMARY"] ?? "";
  if (path === "") return;
  try {
    using file = new AppendedFile(path, { isNew: false });
    const text = summaryOf(state, word, longestSummary - file.size);
    if (text !== "") file.append(Buffer.from(text));
  } catch (error) {
    await err.tell(`The summary for GitHub could not be written to ${path}: ${messageOf(error)}.`);
  }
}

/** The lines that make annotations: an error for each failed task, and a warning for each that was denied tools, as many as GitHub shows. */
export function annotationsOf(state: BatchState, environment: Environment): string[] {
  const causes = causesOf(state);
  const isFailure = ({ tasks: [{ outcome }] }: Cause) => outcome.kind !== "succeeded";
  const failures = inTurn(causes.filter(isFailure)).map((one) =>
    lineOf(state, { ...one, kind: "error", environment }),
  );
  const warnings = inTurn(causes.filter((cause) => !isFailure(cause))).map((one) =>
    lineOf(state, { ...one, kind: "warning", environment }),
  );
  return [...failures, ...warnings];
}

// The first task of each cause comes before the second one of any.
function inTurn(causes: readonly Cause[]): { task: DoneTask; cause: Cause }[] {
  const all = causes.flatMap((cause) =>
    cause.tasks.slice(0, mostAnnotations).map((task, index) => ({ task, cause, index })),
  );
  return all.sort((a, b) => a.index - b.index).slice(0, mostAnnotations);
}

function lineOf(
  state: BatchState,
  {
    task,
    cause,
    kind,
    environment,
  }: { task: DoneTask; cause: Cause; kind: "error" | "warning"; environment: Environment },
): string {
  const { retry, lacks } = causeRemedy(state, cause, "command-line");
  const count = cause.tasks.length > 1 ? `${countText(cause.tasks.length, "task")} ended like this.` : "";
  const rest = [count, ...(retry === undefined ? [] : [`To rerun: ${retry}${lackText(lacks)}`])].filter(
    Boolean,
  );
  return annotationLine({
    kind,
    title: oneLine(`Task ${numberAndKey(state.batch, task.number)}: ${outcomeWords(task)}`, 200),
    file: fileOf(state, task, environment),
    message: [oneLine(happenedText(task), longestMessage), ...rest].join("\n"),
  });
}

// A task made for a file has its path as its key.
function fileOf(state: BatchState, { number }: DoneTask, environment: Environment): string | undefined {
  const { key } = state.batch.tasks[number - 1] ?? {};
  const workspace = environment["GITHUB_WORKSPACE"] ?? "";
  if (key === undefined || workspace === "" || key.length > 1_000 || harmless(key) !== key || /\n/.test(key))
    return undefined;
  const path = absolutePath(key, state.batch.workingDirectory);
  return isWithin(path, workspace) && kindAt(path) === "file"
    ? shownPath(path, workspace).replaceAll("\\", "/")
    : undefined;
}

/** The summary as Markdown, of at most as many bytes, cut after a line. */
export function summaryOf(state: BatchState, word: StateWord, most = longestSummary): string {
  const text = [...summaryLines(state, word)];
  let size = 0;
  const lines: string[] = [];
  const note = "\n_The rest was cut, because GitHub takes no more._\n";
  const close = "\n</details>\n";
  for (const line of text) {
    size += Buffer.byteLength(line) + 1;
    if (size > most - note.length - close.length) {
      const isWithin = lines.some((one) => one.startsWith("<details>")) && !lines.includes("</details>");
      return lines.length === 0 ? "" : `${lines.join("\n")}\n${isWithin ? close : ""}${note}`;
    }
    lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}

function* summaryLines(state: BatchState, word: StateWord): Generator<string> {
  const { batch, counts, tasks, totalCostUsd, costAtLeast } = state;
  const end = endOfState(state, word);
  yield `## ${cell(batch.name ?? `Batch ${batch.batchId}`)}`;
  yield "";
  if (end) yield cell(endText(endFactsOf(state, end)), 1_000);
  yield "";
  yield "| tasks | succeeded | failed | cancelled | cost | time |";
  yield "| ---: | ---: | ---: | ---: | ---: | ---: |";
  const took = durationText((state.endedAt ?? state.changedAt) - state.createdAt);
  const numbers = [tasks.length, counts.succeeded, counts.failed, counts.cancelled].map(numberText);
  yield `| ${[...numbers, costText(totalCostUsd, costAtLeast), took].join(" | ")} |`;
  yield* causeRows(state);
  yield* failureRows(state);
  yield "";
  yield `Batch ${code(batch.batchId)}; its files are in ${code(state.outputDirectory)}.`;
}

function* causeRows(state: BatchState): Generator<string> {
  const causes = causesOf(state);
  if (causes.length === 0) return;
  yield "";
  yield "| tasks | what happened | example | to rerun |";
  yield "| ---: | --- | --- | --- |";
  for (const cause of causes.slice(0, mostCauses)) {
    const [first] = cause.tasks;
    const { retry, lacks } = causeRemedy(state, cause, "command-line");
    const columns = [
      numberText(cause.tasks.length),
      cell(happenedText(first)),
      cell(`task ${numberAndKey(state.batch, first.number)}`),
      retry === undefined ? "" : `${code(retry)}${lackText(lacks)}`,
    ];
    yield `| ${columns.join(" | ")} |`;
  }
  const left = causes.length - mostCauses;
  if (left > 0) yield `| | … and ${countText(left, "other cause")} | | |`;
}

function* failureRows(state: BatchState): Generator<string> {
  const failed = state.tasks.filter(
    (task): task is DoneTask =>
      task.status === "done" && task.outcome.kind !== "succeeded" && task.outcome.kind !== "cancelled",
  );
  if (failed.length === 0) return;
  yield "";
  yield `<details><summary>${countText(failed.length, "failed task")}</summary>`;
  yield "";
  yield "| task | outcome | prompt |";
  yield "| ---: | --- | --- |";
  for (const task of failed.slice(0, mostFailures))
    yield `| ${task.number} | ${cell(outcomeWords(task))} | ${cell(labelOf(state, task.number))} |`;
  const left = failed.length - mostFailures;
  if (left > 0) yield `| | … and ${countText(left, "more task")} | |`;
  yield "";
  yield "</details>";
}

// Foreign text as plain text: neither Markdown nor HTML, and in one cell.
function cell(text: string, most = longestCell): string {
  return entities(oneLine(text, most)).replaceAll(
    /[\\`*_{}[\]()#+!|~@:-]/g,
    (mark) => `&#${mark.charCodeAt(0)};`,
  );
}

function code(text: string): string {
  return `<code>${entities(oneLine(text, 1_000)).replaceAll(/[\\`*_[\]|~@:]/g, (mark) => `&#${mark.charCodeAt(0)};`)}</code>`;
}

function entities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
