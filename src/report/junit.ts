// The results of a batch as a JUnit report, which Jenkins, GitLab and most other CI systems read.
import { cut } from "../model/cut.ts";
import type { Outcome } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { type BatchState, canRetry, type DoneTask, type TaskState } from "../model/state.ts";
import type { ResultEntry } from "./answer.ts";
import { happenedText } from "./cause-text.ts";
import { harmless, oneLine } from "./harmless.ts";
import { labelOf } from "./label.ts";
import { outcomeWord } from "./outcome-words.ts";

/** How much of an answer, and of what went wrong, a report has, in characters. */
const longestText = 20_000;
/** The longest name of a test, in characters. */
const longestName = 200;

/** Each task as a test: what its file says of it, if it has ended. */
interface Reported {
  state: BatchState;
  tasks: readonly TaskState[];
  /** The entry of an ended task, with its whole text. */
  entryOf(task: DoneTask): ResultEntry;
}

/**
 * In pieces, because answers may be long. A failure is a failed or unverified answer, an error a session that crashed, ran
 * out of time or could not start; what was cancelled, waits, or hangs on another failure is skipped.
 */
export function* junitPieces({ state, tasks, entryOf }: Reported): Generator<string> {
  const { batch, createdAt } = state;
  const kinds = tasks.map(kindOf);
  const counts = { tests: tasks.length, failures: 0, errors: 0, skipped: 0 };
  for (const kind of kinds) if (kind !== "passed") counts[plural[kind]]++;
  const time = seconds((state.endedAt ?? state.changedAt) - createdAt);
  const name = oneLine(batch.name ?? product.name, longestName);
  yield `<?xml version="1.0" encoding="UTF-8"?>\n`;
  yield `<testsuites${attributes({ name, ...counts, time })}>\n`;
  const timestamp = new Date(createdAt).toISOString().slice(0, 19);
  yield `  <testsuite${attributes({ name, ...counts, time, timestamp })}>\n`;
  yield "    <properties>\n";
  for (const [key, value] of Object.entries(propertiesOf(state)))
    yield `      <property${attributes({ name: key, value })}/>\n`;
  yield "    </properties>\n";
  for (const [index, task] of tasks.entries()) {
    const about = { name: nameOf(state, task.number), classname: name, time: seconds(timeOf(task)) };
    const inner = innerOf(state, { task, kind: kinds[index] ?? "passed", entryOf });
    yield inner === ""
      ? `    <testcase${attributes(about)}/>\n`
      : `    <testcase${attributes(about)}>\n${inner}    </testcase>\n`;
  }
  yield "  </testsuite>\n</testsuites>\n";
}

type Kind = "passed" | "failure" | "error" | "skipped";
const plural = { failure: "failures", error: "errors", skipped: "skipped" } as const;

function kindOf(task: TaskState): Kind {
  return task.status === "done" ? kindOfOutcome(task.outcome) : "skipped";
}

function kindOfOutcome(outcome: Outcome): Kind {
  switch (outcome.kind) {
    case "succeeded":
      return "passed";
    case "failed":
    case "unverified":
      return "failure";
    case "crashed":
    case "timed-out":
      return "error";
    case "cancelled":
      return "skipped";
    case "not-started":
      return outcome.after ? "skipped" : "error";
  }
}

// The key of a task is the same in each run; a number only as long as no task is added before it.
function nameOf(state: BatchState, number: number): string {
  const key = state.batch.tasks[number - 1]?.key;
  return key === undefined
    ? oneLine(`${number}: ${labelOf(state, number)}`, longestName)
    : oneLine(key, longestName);
}

function timeOf(task: TaskState): number {
  if (task.status !== "done") return 0;
  return task.startedAt === undefined ? 0 : task.endedAt - task.startedAt;
}

function propertiesOf(state: BatchState): Record<string, string> {
  const { batch, totalCostUsd, costAtLeast, outputDirectory } = state;
  return {
    batchId: batch.batchId,
    ...(batch.name === undefined ? {} : { batchName: oneLine(batch.name, longestName) }),
    costUsd: totalCostUsd.toFixed(4),
    ...(costAtLeast ? { costAtLeast: "true" } : {}),
    workingDirectory: oneLine(batch.workingDirectory, 1_000),
    outputDirectory: oneLine(outputDirectory, 1_000),
  };
}

function innerOf(
  state: BatchState,
  { task, kind, entryOf }: { task: TaskState; kind: Kind; entryOf: Reported["entryOf"] },
): string {
  if (task.status !== "done") return `      <skipped message="Not ended."/>\n`;
  const message = oneLine(happenedText(task), 1_000);
  if (kind === "skipped") return `      <skipped${attributes({ message })}/>\n`;
  const entry = entryOf(task);
  if (kind === "passed") return `      <system-out>${text(entry.result ?? "")}</system-out>\n`;
  const details = [
    entry.error ?? "",
    entry.advice,
    canRetry(task) && entry.advice === undefined
      ? `${product.name} retry ${state.batch.batchId} ${task.number}`
      : undefined,
    entry.resultFile,
  ];
  const about = attributes({ message, type: outcomeWord(task) });
  return `      <${kind}${about}>${text(details.filter(Boolean).join("\n\n"))}</${kind}>\n`;
}

function seconds(milliseconds: number): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(String(value)).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`,
    )
    .join("");
}

function text(content: string): string {
  return escaped(cut(content, longestText));
}

/** Text that XML 1.0 can hold: without control characters, halves of characters, and those that no document may have. */
function escaped(content: string): string {
  return harmless(content)
    .toWellFormed()
    .replaceAll(/[\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
