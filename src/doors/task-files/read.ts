// Tasks out of a file or standard input, in whichever form they stand there.
import { UsageFault } from "../commands/command.ts";
import { columnsOf, tasksFromCsv } from "./csv.ts";
import { FileFault, type FileTask } from "./file-task.ts";
import { tasksFromJson, tasksFromJsonLines } from "./json.ts";
import { hasBoxes, tasksFromLines, tasksFromMarkdown } from "./text.ts";

/** A task, and where it stands, for people: `tasks.csv, line 3`. */
export interface PlacedTask {
  task: unknown;
  place: string;
}

type Reader = (text: string) => FileTask[];

const readers: Record<string, Reader> = {
  txt: tasksFromLines,
  md: tasksFromMarkdown,
  markdown: tasksFromMarkdown,
  json: tasksFromJson,
  jsonl: tasksFromJsonLines,
  ndjson: tasksFromJsonLines,
  csv: (text) => tasksFromCsv(text),
  tsv: (text) => tasksFromCsv(text, "\t"),
};

/** The tasks of a file; `-` is standard input. Throws `UsageFault` when it cannot be read or has none. */
export async function tasksFromFile(path: string): Promise<PlacedTask[]> {
  const name = path === "-" ? "standard input" : `the file ${path}`;
  const text = (await textOf(path, name)).replace(/^\uFEFF/, "");
  try {
    const found = readerFor(path, text)(text);
    if (found.length === 0) throw new FileFault("it has no task");
    return found.map(({ task, line }) => ({ task, place: `${name}, line ${line}` }));
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    if (error.line === undefined) throw new UsageFault([`${name}: ${error.message}`]);
    throw new UsageFault([`${name}, line ${error.line}: ${error.message}`]);
  }
}

/** By the file's name, else by what it looks like. */
export function readerFor(path: string, text: string): Reader {
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return readers[extension] ?? readerByContent(text);
}

function readerByContent(text: string): Reader {
  // A damaged list must not become a task a line, each of which costs money.
  if (/^\s*\[\s*(?:["{\]]|$)/.test(text)) return tasksFromJson;
  if (/^\s*\{\s*"/.test(text)) return tasksFromJsonLines;
  if (columnsOf(text)) return tasksFromCsv;
  return hasBoxes(text) ? tasksFromMarkdown : tasksFromLines;
}

async function textOf(path: string, name: string): Promise<string> {
  try {
    const bytes = await (path === "-" ? Bun.stdin : Bun.file(path)).bytes();
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageFault([`${name} cannot be read: ${reason}`]);
  }
}
