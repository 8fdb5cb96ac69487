// The jsonl of a batch: a line for each task that has ended, for programs. After a crash, and after a retry, the file
// is what is left: lines of tasks that have ended and still have.
import { appendText, exists, readText, replaceFile } from "../platform/files.ts";

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

  /** Counts as written though the disk may refuse it: a file that fails is reported once, and not tried for ever. */
  append(task: number, entry: object): void {
    this.#tasks.add(task);
    appendText(this.path, `${JSON.stringify(entry)}\n`);
  }

  /** Keeps one whole line for each of these tasks, and no other. */
  keepOnly(tasks: ReadonlySet<number>): void {
    this.#tasks.clear();
    if (!exists(this.path)) return;
    const before = readText(this.path);
    const kept = before.split("\n").filter((line) => {
      const number = Number(/^\{"taskIndex":(\d+)/.exec(line)?.[1]);
      if (!tasks.has(number) || this.#tasks.has(number) || !isJson(line)) return false;
      this.#tasks.add(number);
      return true;
    });
    const after = kept.map((line) => `${line}\n`).join("");
    if (after !== before) replaceFile(this.path, after, this.#tag);
  }

  /** Drops the lines of these tasks. */
  drop(tasks: readonly number[]): void {
    const kept = new Set(this.#tasks);
    for (const task of tasks) kept.delete(task);
    this.keepOnly(kept);
  }
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
