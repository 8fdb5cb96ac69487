// The results of a batch for other programs: as CSV, lines of JSON, Markdown, a database, or a JUnit report.
import { z } from "zod";
import { resultFilesOf } from "../engine/output/result-file.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import { givenTasks } from "../model/summary.ts";
import { isDirectory, kindAt } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";
import { isGone } from "../platform/process.ts";
import { messageOf } from "../platform/system-error.ts";
import { makeDirectory, removeHalfFiles, replaceFile } from "../platform/whole-files.ts";
import { countText } from "../report/amounts.ts";
import { type ResultEntry, resultEntryOf } from "../report/answer.ts";
import { type AnswerTable, answerTable, fieldsOf, hasList, listsIn } from "../report/answer-table.ts";
import { csvLines } from "../report/csv.ts";
import { harmlessJson } from "../report/harmless.ts";
import { junitPieces } from "../report/junit.ts";
import { markdownPieces } from "../report/results-markdown.ts";
import { insideRoots, outsideText } from "./allowed-roots.ts";
import { batchIdInput } from "./batch-input.ts";
import { type Context, InputError, UserError, valueOrThrow } from "./context.ts";
import { databaseOf } from "./export-database.ts";
import { wrong } from "./fault.ts";
import { check } from "./faults.ts";
import { findBatch } from "./find-batch.ts";
import { handOverDirectory } from "./hand-over-directory.ts";
import { nearest } from "./nearest.ts";
import type { Tool } from "./operation.ts";
import { taskText } from "./task-text.ts";
import { readPath } from "./written-path.ts";

/** The formats, with the endings of their files; the first one is usual. */
export const formats = {
  csv: ["csv"],
  jsonl: ["jsonl", "ndjson"],
  md: ["md", "markdown"],
  sqlite: ["sqlite", "sqlite3", "db"],
  junit: ["xml"],
} as const satisfies Record<string, readonly string[]>;
export type Format = keyof typeof formats;
const formatNames = ["csv", "jsonl", "md", "sqlite", "junit"] as const satisfies Format[];

export const exportInput = z.strictObject({
  batchId: batchIdInput,
  format: z
    .enum(formatNames)
    .meta({ description: "Default: that of `file`, otherwise `csv`.", flags: ["as"] })
    .optional(),
  file: z
    .string()
    .min(1)
    .meta({
      description: "Default: one in the output directory.",
      placeholder: "FILE",
      aliases: ["path", "outputFile"],
      flags: ["output", "o"],
    })
    .optional(),
  rows: z
    .string()
    .min(1)
    .meta({
      description: "A field of the answers that is a list: a row per item.",
      placeholder: "FIELD",
    })
    .optional(),
  status: z.enum(["success", "error"]).meta({ description: "Only tasks that ended so." }).optional(),
});
export type ExportAsked = z.output<typeof exportInput>;

const output = z.object({
  batchId: z.string(),
  format: z.enum(formatNames),
  file: z.string(),
  tasks: z.int(),
  message: z.string(),
});

export const exportBatch: Tool<typeof exportInput, typeof output> = {
  name: "export_batch",
  title: "Export the results of a batch",
  when: "Use this for a file of results for other programs.",
  description:
    "Writes a row per ended task, as CSV, JSONL, Markdown, SQLite or JUnit. With `outputSchema`, each field of the answers is a column.",
  input: exportInput,
  output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: async (context, input) => {
    const asked = valueOrThrow(check(exportInput, input));
    const planned = await planExport(context, asked);
    const { state, format } = planned;
    const file = fileOf(context, asked, planned);
    try {
      const contents = format === "sqlite" ? databaseOf(planned.table, state) : planned.pieces();
      // The batch's own directory may not exist yet: until a batch is handed over, its pages are elsewhere.
      if (asked.file === undefined) await makeDirectory(dirname(file));
      // A tag of its own: a runner removes what has the tag of its batch.
      const tag = `export-${state.batch.batchId}`;
      await removeLeft(dirname(file), tag);
      await replaceFile(file, contents, { tag });
    } catch (error) {
      throw new UserError(`${file} cannot be written: ${messageOf(error)}`);
    }
    const { batchId } = state.batch;
    return { batchId, format, file, tasks: planned.tasks.length, message: messageFor(planned, file) };
  },
};

/** What an export has, ready to be written. */
export interface PlannedExport {
  state: BatchState;
  format: Format;
  tasks: readonly DoneTask[];
  table: AnswerTable;
  /** The text of it, in pieces; of no use for a database. */
  pieces(): Generator<string>;
  /** What the reader should know: tasks that have not ended, fields that are left out. */
  notes: string[];
}

/** Throws `InputError` if something that was asked for is not there. */
export async function planExport(context: Context, asked: ExportAsked): Promise<PlannedExport> {
  const { state } = findBatch(context, asked.batchId);
  const done = givenTasks(state).filter((task) => task.status === "done");
  const { status, rows: list } = asked;
  const tasks = done.filter(
    ({ outcome }) => status === undefined || (outcome.kind === "succeeded") === (status === "success"),
  );
  if (list !== undefined && done.length > 0 && !hasList(done, list))
    throw new InputError([noListFault(list, done)]);
  const files = await resultFilesOf(state, tasks);
  const entryOf = (task: DoneTask) => wholeEntryOf(context, state, task, files.get(task.number));
  const table = answerTable(state, { tasks, list, entryOf });
  const format = asked.format ?? formatOf(asked.file) ?? "csv";
  return {
    state,
    format,
    tasks,
    table,
    notes: notesFor(state, tasks, list),
    *pieces() {
      if (format === "jsonl") for (const task of tasks) yield `${harmlessJson(entryOf(task))}\n`;
      else if (format === "md") yield* markdownPieces(state, tasks, entryOf);
      else if (format === "junit")
        yield* junitPieces({ state, tasks: status === undefined ? givenTasks(state) : tasks, entryOf });
      else yield* csvLines(table);
    },
  };
}

// An export that was killed has left its half, which only takes up space.
async function removeLeft(directory: string, tag: string): Promise<void> {
  try {
    await removeHalfFiles(directory, tag, isGone);
  } catch {
    // A directory may be writable and not readable, and the next export tries again.
  }
}

function noListFault(list: string, done: readonly DoneTask[]) {
  const lists = listsIn(done);
  const near = nearest(list, lists);
  const there =
    lists.length === 0
      ? "no answer of this batch has a list as a field; `outputSchema` gives answers fields"
      : near !== undefined && lists.length > 1
        ? `no answer has a list of this name; did you mean \`${near}\`?`
        : `no answer has a list of this name; there ${lists.length === 1 ? "is" : "are"} ${lists.map((one) => `\`${one}\``).join(", ")}`;
  return wrong(["rows"], `${JSON.stringify(list)}: ${there}`);
}

function wholeEntryOf(
  context: Context,
  state: BatchState,
  task: DoneTask,
  resultFile: string | undefined,
): ResultEntry {
  const { text } = taskText(task, { from: 0, characters: Number.MAX_SAFE_INTEGER });
  return resultEntryOf(state, task, {
    door: context.door,
    text,
    cut: false,
    ...(resultFile === undefined ? {} : { resultFile }),
  });
}

/** The format that a file's ending names; undefined if it names none. */
export function formatOf(file: string | undefined): Format | undefined {
  const ending = /\.(\w+)$/.exec(file ?? "")?.[1]?.toLowerCase();
  return formatNames.find((format) => formats[format].some((one) => one === ending));
}

function notesFor(state: BatchState, tasks: readonly DoneTask[], list: string | undefined): string[] {
  const given = givenTasks(state);
  const open = given.filter(({ status }) => status !== "done").length;
  const summaries = state.tasks.length - given.length;
  const { leftOut } = fieldsOf(tasks, list);
  return [
    ...(open > 0
      ? [
          `${countText(open, "task")} ${open === 1 ? "has" : "have"} not ended, and ${open === 1 ? "is" : "are"} not in it.`,
        ]
      : []),
    ...(summaries > 0
      ? [
          `The ${summaries === 1 ? "session" : "sessions"} of the summary ${summaries === 1 ? "is" : "are"} not in it.`,
        ]
      : []),
    ...(leftOut > 0
      ? [
          `${countText(leftOut, "more field")} of the answers ${leftOut === 1 ? "is" : "are"} left out; JSONL has all.`,
        ]
      : []),
  ];
}

function messageFor({ tasks, notes }: PlannedExport, file: string): string {
  return [`${countText(tasks.length, "task")} written to ${file}.`, ...notes].join(" ");
}

// Answers may hold what an attacker wrote, and later sessions would obey it.
function isRead(path: string): boolean {
  const names = path.split(/[/\\]/);
  const isInstruction = /^(?:CLAUDE|CLAUDE\.local|AGENTS|GEMINI)\.md$/i.test(names.at(-1) ?? "");
  return isInstruction || names.some((name) => [".claude", ".git", ".github"].includes(name.toLowerCase()));
}

// Where it goes. On a command line, an existing file is replaced, as by any other program; a model might not know that
// it is there.
function fileOf(context: Context, { file }: ExportAsked, { state, format }: PlannedExport): string {
  const { batch, outputDirectory } = state;
  if (file === undefined) {
    const directory = handOverDirectory(context.configuration, batch) ?? outputDirectory;
    return join(directory, `export-${batch.batchId}.${formats[format][0]}`);
  }
  const from = context.door === "tools" ? batch.workingDirectory : context.workingDirectory;
  const { path, fault } = placeFault(context, file, format, from);
  if (fault !== undefined) throw new InputError([wrong(["file"], fault)]);
  return path;
}

/** The path that is meant, and why an export cannot be written there, if it cannot. */
export function placeFault(
  context: Context,
  file: string,
  format: Format,
  from: string = context.workingDirectory,
): { path: string; fault: string | undefined } {
  const read = readPath(file, from);
  if (!("path" in read)) return { path: file, fault: `${JSON.stringify(file)} ${read.fault}` };
  const { path } = read;
  return { path, fault: faultOf(context, { path, format, isModel: context.door === "tools" }) };
}

function faultOf(
  context: Context,
  { path, format, isModel }: { path: string; format: Format; isModel: boolean },
): string | undefined {
  const kind = kindAt(path);
  if (kind === "directory") return `${path} is a directory; add the name of a file`;
  if (!isDirectory(dirname(path))) return `${path} is in a directory that does not exist`;
  if (kind !== "nothing" && kind !== "file") return `${path} is no regular file`;
  if (!isModel) return undefined;
  if (isRead(path))
    return `${path} would be read by Claude Code as instructions or settings; give another name`;
  if (!insideRoots(context, path)) return `${path} ${outsideText(context)}`;
  if (formatOf(path) !== format)
    return `${path} must end in ${formats[format].map((one) => `.${one}`).join(" or ")}`;
  return kind === "file" ? `${path} exists; give another name` : undefined;
}
