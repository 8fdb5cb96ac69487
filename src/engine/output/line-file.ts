// The jsonl of a batch: a line for each task that has ended, for programs. After a crash, and after a retry, the file
// is what is left: lines of tasks that have ended and still have. Of several lines of a task the last one counts: an
// earlier one may stand before it, where the disk did not let it be dropped.
import { z } from "zod";
import { appendText, endsWithLineFeed, linesOf, replaceFile } from "../../platform/whole-files.ts";
import { harmlessJson } from "../../report/harmless.ts";

/** A line holds an answer of a million characters, in JSON, and what is known of it. Longer ones are not ours. */
const longestLine = 16_000_000;

/** What a line says of a task. Its number stands first. */
interface Entry {
  taskIndex: number;
  [field: string]: unknown;
}

const lineSchema = z.looseObject({
  taskIndex: z.int(),
  outcome: z.string().optional(),
  attempts: z.int().optional(),
});

/** A line as it was read, as far as others look at it. */
export type Line = z.infer<typeof lineSchema>;

/** Reads and writes the lines; which task a line is of stands at its beginning. */
export class LineFile {
  readonly path: string;
  readonly #tag: string;
  #tasks = new Set<number>();
  /** Tasks whose line was dropped, and may still be in the file because the disk did not allow more. */
  readonly #outdated = new Set<number>();

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
    for (const { taskIndex } of entries) {
      this.#tasks.add(taskIndex);
      this.#outdated.delete(taskIndex);
    }
  }

  /**
   * Keeps the last whole line of each of these tasks, if it is right, and no other. Throws where the disk does not take
   * what is kept.
   */
  async keepOnly(tasks: ReadonlySet<number>, isRight: (line: Line) => boolean = () => true): Promise<void> {
    const { last, count } = await this.#lastLines(tasks.difference(this.#outdated), isRight);
    this.#tasks = new Set(last.keys());
    // A last line without its line feed is whole, and the next one would be glued to it.
    if (last.size < count || !(await endsWithLineFeed(this.path))) await this.#write(new Set(last.values()));
    this.#outdated.clear();
  }

  /** Drops the lines of these tasks. Where the disk does not allow it, their next lines count all the same. */
  async drop(tasks: readonly number[]): Promise<void> {
    for (const task of tasks) if (this.#tasks.delete(task)) this.#outdated.add(task);
    await this.keepOnly(this.#tasks);
  }

  // The position of the last whole line of each task, and how many lines there are.
  async #lastLines(
    tasks: ReadonlySet<number>,
    isRight: (line: Line) => boolean,
  ): Promise<{ last: Map<number, number>; count: number }> {
    const last = new Map<number, number>();
    let count = 0;
    for await (const text of linesOf(this.path, longestLine)) {
      const line = lineIn(text);
      if (line && tasks.has(line.taskIndex) && isRight(line)) last.set(line.taskIndex, count);
      count++;
    }
    return { last, count };
  }

  // Line by line, for all of them together may be gigabytes.
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

// Nothing in a line that a kill tore apart.
function lineIn(text: string): Line | undefined {
  // Most are ours and whole; the others need not be read.
  if (!text.startsWith('{"taskIndex":')) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // See above.
    return undefined;
  }
}
