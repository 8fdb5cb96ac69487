// Reads tasks from a file or standard input, in any supported format.
import { textIn } from "../../../operations/inputs/decode.ts";
import { FileFault } from "../../../operations/inputs/file-fault.ts";
import { kindAt, readUpTo } from "../../../platform/files.ts";
import { readStandardInput, standardInputKind, TooMuchInput } from "../../../platform/standard-input.ts";
import { codeOf, messageOf } from "../../../platform/system-error.ts";
import { UsageError } from "./command.ts";
import { isTable, tasksFromCsv } from "./csv.ts";
import { asItems, type FileTask } from "./file-task.ts";
import { tasksFromJson, tasksFromJsonLines } from "./json.ts";
import { hasBoxes, tasksFromLines, tasksFromMarkdown } from "./text.ts";
import { looksLikeYaml, tasksFromYaml } from "./yaml.ts";

/** A task and its place, for people: `tasks.csv, line 3`. */
export interface PlacedTask {
  task: unknown;
  place: string;
}

type Reader = (text: string) => FileTask[];

const readers: Record<string, Reader> = {
  txt: tasksFromText,
  md: tasksFromMarkdown,
  markdown: tasksFromMarkdown,
  json: tasksFromJson,
  jsonl: tasksFromJsonLines,
  ndjson: tasksFromJsonLines,
  yaml: tasksFromYaml,
  yml: tasksFromYaml,
  csv: (text) => tasksFromCsv(text),
  tsv: (text) => tasksFromCsv(text, "\t"),
};

/** File names whose lines are unlikely to be tasks. */
const noLists =
  /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kts?|swift|c|h|cc|cpp|hpp|cs|php|lua|scala|sh|bash|zsh|ps1|bat|sql|html?|css|scss|vue|svelte|xml|svg|toml|ini|lock|ipynb|xlsx?|ods|numbers|docx?|odt|rtf|pdf)$/i;

/** More cannot be a list of tasks: `/dev/zero`, `yes`, a disk image. In bytes. */
const mostBytes = 100_000_000;

/** The tasks of a file; `-` is standard input. Throws `UsageError` if it is unreadable or has none. */
export async function tasksFromFile(path: string): Promise<PlacedTask[]> {
  const name = path === "-" ? "standard input" : `the file ${path}`;
  try {
    refuseOtherFiles(path);
    const text = withLineFeeds(textIn(await bytesOf(path, name)));
    refuseEndlessText(text);
    const found = readerFor(path, text)(text);
    if (found.length === 0) throw new FileFault("it has no task");
    return found.map(({ task, place }) => ({ task, place: `${name}, ${place}` }));
  } catch (error) {
    if (error instanceof FileFault)
      throw new UsageError([
        `${name}${error.place === undefined ? "" : `, ${error.place}`}: ${error.message}`,
      ]);
    if (error instanceof UsageError) throw error;
    throw new UsageError([`${name} cannot be read: ${reasonOf(error)}`]);
  }
}

/** More lines than a list of tasks has in any format. */
const mostLines = 1_000_000;

function refuseEndlessText(text: string): void {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && lines <= mostLines; at = text.indexOf("\n", at + 1)) lines++;
  if (lines > mostLines) throw new FileFault("it has more than 1,000,000 lines, which is no list of tasks");
}

/** Why a file cannot be read, for people. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") return "it does not exist";
  if (code === "EACCES") return "you have no permission";
  return messageOf(error);
}

/** By the file's name, otherwise by its contents. */
export function readerFor(path: string, text: string): Reader {
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return readers[extension] ?? readerByContent(text);
}

function readerByContent(text: string): Reader {
  // A damaged list must not become a task for each line, each of which costs money.
  if (/^\s*\[\s*(?:["{\]]|$)/.test(text)) return tasksFromJson;
  if (/^\s*\{\s*"/.test(text)) return tasksFromJsonLines;
  if (text.includes("\0")) return tasksFromText;
  if (isTable(text)) return (table) => tasksFromCsv(table);
  if (looksLikeYaml(text)) return tasksFromYaml;
  return hasBoxes(text) ? tasksFromMarkdown : tasksFromText;
}

// One task on each line; or separated by NUL, as by `find -print0` and `git ls-files -z`: then a task may have several
// lines.
function tasksFromText(text: string): FileTask[] {
  if (!text.includes("\0")) return tasksFromLines(text);
  const items = text.split("\0").map((item) => item.trim());
  return asItems(items).filter(({ task }) => task !== "");
}

// Old Macs, and some exports, end lines with CR only.
function withLineFeeds(text: string): string {
  return text.includes("\n") ? text : text.replaceAll("\r", "\n");
}

function refuseOtherFiles(path: string): void {
  const [extension] = noLists.exec(path) ?? [];
  if (extension === undefined || path === "-") return;
  throw new FileFault(
    `a ${extension} file is no list of tasks. Accepted are text, Markdown, JSON, JSONL, YAML, CSV and TSV. To run a task on the file, name it in the task: \`run "Review ${path}"\``,
  );
}

/** The bytes of a file of tasks or items; `-` is standard input. Throws `UsageError` for more than 100 MB. */
export async function bytesOf(path: string, name: string): Promise<Uint8Array> {
  try {
    const bytes = path === "-" ? await standardInput() : fileBytes(path);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (!(error instanceof TooMuchInput)) throw error;
  }
  throw new UsageError([`${name} has more than ${mostBytes / 1_000_000} MB, which is no list of tasks`]);
}

// A device is opened by its name, because nothing signals when it has input. On Windows it has none, and needs none.
async function standardInput(): Promise<Uint8Array | undefined> {
  const hasName = process.platform !== "win32";
  return hasName && standardInputKind() === "other" ? fileBytes("/dev/stdin") : readStandardInput(mostBytes);
}

function fileBytes(path: string): Uint8Array | undefined {
  if (kindAt(path) === "directory") throw new Error("it is a directory");
  return readUpTo(path, mostBytes);
}
