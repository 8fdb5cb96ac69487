// The jsonl of a batch: a line for each task that has ended, for programs. After a crash, and after a retry, the file
// is what is left: lines of tasks that have ended and still have.
import { appendText, endsWithLineFeed, linesOf, replaceFile } from "../platform/whole-files.ts";
import { harmlessJson } from "../report/harmless.ts";

/** A line holds an answer of a million characters, in JSON, and what is known of it. Longer ones are not ours. */
const longestLine = 16_000_000;

/** What a line says of a task. Its number stands first. */
interface Entry {
  taskIndex: number;
  [field: string]: unknown;
}

/** Reads and writes the lines; which task a line is of stands at its beginning. */
export class LineFile {
  readonly path: string;
  readonly #tag: string;
  readonly #tasks = new Set<number>();

  /** `tag` as with `replaceFile`. */
  constructor(path: string, tag: string) {
    this.path = path;
    this.#tag = tag;
  }

  /** Whether the task has its line. */
  has(task: number): boolean {
    return this.#tasks.has(task);
  }

  /** Adds a line for each entry. Throws where the disk does not take all of it; then the file is as it was. */
  async append(entries: readonly Entry[]): Promise<void> {
    await appendText(this.path, entries.map((entry) => `${harmlessJson(entry)}\n`).join(""));
    for (const { taskIndex } of entries) this.#tasks.add(taskIndex);
  }

  /** Keeps one whole line for each of these tasks, and no other. */
  async keepOnly(tasks: ReadonlySet<number>): Promise<void> {
    this.#tasks.clear();
    const kept = new Set<number>();
    let dropped = 0;
    for await (const line of linesOf(this.path, longestLine)) {
      const number = taskOf(line, tasks, kept);
      if (number === undefined) dropped++;
      else kept.add(number);
    }
    // A last line without its line feed is whole, and the next one would be glued to it.
    if (dropped > 0 || !(await endsWithLineFeed(this.path))) await this.#write(tasks);
    for (const number of kept) this.#tasks.add(number);
  }

  /** Drops the lines of these tasks. */
  async drop(tasks: readonly number[]): Promise<void> {
    const kept = new Set(this.#tasks);
    for (const task of tasks) kept.delete(task);
    await this.keepOnly(kept);
  }

  // Line by line, for all of them together may be gigabytes.
  async #write(tasks: ReadonlySet<number>): Promise<void> {
    const path = this.path;
    await replaceFile(path, piecesOf(path, tasks), { tag: this.#tag });
  }
}

async function* piecesOf(path: string, tasks: ReadonlySet<number>): AsyncGenerator<string> {
  const kept = new Set<number>();
  for await (const line of linesOf(path, longestLine)) {
    const number = taskOf(line, tasks, kept);
    if (number === undefined) continue;
    kept.add(number);
    yield `${line}\n`;
  }
}

// The task of a line that is to be kept: one of `tasks`, of which none has been kept before.
function taskOf(line: string, tasks: ReadonlySet<number>, kept: ReadonlySet<number>): number | undefined {
  const number = Number(/^\{"taskIndex":(\d+)/.exec(line)?.[1]);
  return tasks.has(number) && !kept.has(number) && isJson(line) ? number : undefined;
}

// A line that a kill tore apart is none.
function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    // See above.
    return false;
  }
}
