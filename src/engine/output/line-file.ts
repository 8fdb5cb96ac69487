// The jsonl of a batch: a line for each ended task, for programs. After a crash or a retry, only lines of tasks that are
// still done are kept. The last line of a task counts: an outdated one may precede it if the disk did not allow removing
// it.
import { z } from "zod";
import { appendText, endsWithLineFeed, linesOf, replaceFile } from "../../platform/whole-files.ts";
import { harmlessJson } from "../../report/harmless.ts";

/** A line holds an answer of a million characters as JSON, and other facts. Longer lines are not ours. */
const longestLine = 16_000_000;

/** The contents of a line. `taskIndex` is the first field. */
interface Entry {
  taskIndex: number;
  resultFile?: string | undefined;
  [field: string]: unknown;
}

const lineSchema = z.looseObject({
  taskIndex: z.int(),
  outcome: z.string().optional(),
  attempts: z.int().optional(),
  resultFile: z.string().optional(),
});

/** A parsed line, with the fields that others use. */
export type Line = z.infer<typeof lineSchema>;

/** Reads and writes the lines; the task's number is at the beginning of each. */
export class LineFile {
  readonly path: string;
  readonly #tag: string;
  #tasks = new Set<number>();
  /** Tasks whose line was dropped, but may still be in the file because the disk failed. */
  readonly #outdated = new Set<number>();
  /** Tasks whose line names no file: there is none, or it could not be written by then. */
  #nameless = new Set<number>();

  /** `tag` as with `replaceFile`. */
  constructor(path: string, tag: string) {
    this.path = path;
    this.#tag = tag;
  }

  /** Whether the task has its line. */
  has(task: number): boolean {
    return this.#tasks.has(task);
  }

  /** Whether its line names no file of the task. */
  isNameless(task: number): boolean {
    return this.#nameless.has(task);
  }

  /** Adds a line for each entry. If the disk does not take all of it, throws and leaves the file unchanged. */
  async append(entries: readonly Entry[]): Promise<void> {
    await appendText(this.path, entries.map((entry) => `${harmlessJson(entry)}\n`).join(""));
    for (const { taskIndex, resultFile } of entries) {
      this.#tasks.add(taskIndex);
      this.#outdated.delete(taskIndex);
      if (resultFile === undefined) this.#nameless.add(taskIndex);
      else this.#nameless.delete(taskIndex);
    }
  }

  /** Keeps only the last whole line of each of these tasks, if it is right. Throws if the disk does not take them. */
  async keepOnly(tasks: ReadonlySet<number>, isRight: (line: Line) => boolean = () => true): Promise<void> {
    const { last, nameless, count } = await this.#lastLines(tasks.difference(this.#outdated), isRight);
    this.#tasks = new Set(last.keys());
    this.#nameless = nameless;
    // A last line without a line feed is whole, but the next one would follow it directly.
    if (last.size < count || !(await endsWithLineFeed(this.path))) await this.#write(new Set(last.values()));
    this.#outdated.clear();
  }

  /** Drops the lines of these tasks. If the disk does not allow it, their next lines still count. */
  async drop(tasks: readonly number[]): Promise<void> {
    for (const task of tasks) if (this.#tasks.delete(task)) this.#outdated.add(task);
    await this.keepOnly(this.#tasks);
  }

  // The position of the last whole line of each task, those that name no file, and the number of lines.
  async #lastLines(
    tasks: ReadonlySet<number>,
    isRight: (line: Line) => boolean,
  ): Promise<{ last: Map<number, number>; nameless: Set<number>; count: number }> {
    const last = new Map<number, number>();
    const nameless = new Set<number>();
    let count = 0;
    for await (const text of linesOf(this.path, longestLine)) {
      const line = lineIn(text);
      if (line && tasks.has(line.taskIndex) && isRight(line)) {
        last.set(line.taskIndex, count);
        if (line.resultFile === undefined) nameless.add(line.taskIndex);
        else nameless.delete(line.taskIndex);
      }
      count++;
    }
    return { last, nameless, count };
  }

  // Line by line, because all of them together may be gigabytes.
  async #write(positions: ReadonlySet<number>): Promise<void> {
    const path = this.path;
    await replaceFile(path, linesAt(path, positions), { tag: this.#tag });
  }
}

async function* linesAt(path: string, positions: ReadonlySet<number>): AsyncGenerator<string> {
  let position = 0;
  for await (const line of linesOf(path, longestLine)) {
    if (positions.has(position++)) yield `${line}\n`;
  }
}

// Undefined for a line that a kill cut off.
function lineIn(text: string): Line | undefined {
  // Most are ours and whole; the others need no parsing.
  if (!text.startsWith('{"taskIndex":')) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // See above.
    return undefined;
  }
}
