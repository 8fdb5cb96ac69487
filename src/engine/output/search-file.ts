// The prompts and answers that an open page searches. Prompts are written at once, answers as they come.
import type { Batch } from "../../model/event.ts";
import { join } from "../../platform/paths.ts";
import { appendText, isThere, replaceFile } from "../../platform/whole-files.ts";
import { searchedCharacters, textCall } from "../../report/search-texts.ts";
import { outputFiles } from "../../store/layout.ts";

export class SearchFile {
  readonly path: string;
  readonly #newest: () => Batch;
  readonly #limit: number;
  /** How many prompts are in it. */
  #prompted = 0;
  readonly #answered = new Set<number>();
  #isCreated = false;
  #writings = 0;

  /** `newest`: the batch as it is now, to which tasks may have been added. */
  constructor(newest: () => Batch, directory: string) {
    const batch = newest();
    this.#newest = newest;
    this.path = join(directory, outputFiles.texts(batch.batchId));
    this.#limit = searchedCharacters(batch.tasks.length);
  }

  /** How often it was written, so that a page knows when to load it again. */
  get writings(): number {
    return this.#writings;
  }

  /** Whether the text of an ended task is in it. */
  has(task: number): boolean {
    return this.#answered.has(task);
  }

  /** Writes all prompts, unless they exist. True if it did: then all answers are missing. */
  async create(): Promise<boolean> {
    if (this.#isCreated && (await isThere(this.path))) return false;
    this.#answered.clear();
    this.#prompted = 0;
    const { length } = this.#batch.tasks;
    await replaceFile(this.path, this.#prompts(), { tag: this.#batch.batchId });
    this.#prompted = length;
    this.#isCreated = true;
    this.#writings++;
    return true;
  }

  /** Adds results of tasks. */
  async append(results: readonly { task: number; text: string }[]): Promise<void> {
    const calls = results.map(({ task, text }) => {
      const prompt = this.#batch.tasks[task - 1]?.prompt ?? "";
      const limit = this.#limit - Math.min(prompt.length, this.#promptLimit);
      return textCall(task, "answer", { text, limit });
    });
    const { length } = this.#batch.tasks;
    await appendText(this.path, [...this.#prompts(), ...calls].join(""));
    this.#prompted = length;
    for (const { task } of results) this.#answered.add(task);
    this.#writings++;
  }

  /** Removes the texts from before a retry. */
  async forget(tasks: readonly number[]): Promise<void> {
    const gone = tasks.filter((task) => this.#answered.delete(task));
    // If the file was removed, one with only the answers must not take its place.
    if (gone.length === 0 || (await this.create())) return;
    await appendText(
      this.path,
      gone.map((task) => textCall(task, "answer", { text: "", limit: 1 })).join(""),
    );
    this.#writings++;
  }

  // A prompt may use half of a task's searched characters; the rest is for its answer.
  get #promptLimit(): number {
    return Math.floor(this.#limit / 2);
  }

  get #batch(): Batch {
    return this.#newest();
  }

  // Those that are not in it yet.
  *#prompts(): Generator<string> {
    for (const [index, { prompt }] of this.#batch.tasks.entries())
      if (index >= this.#prompted)
        yield textCall(index + 1, "prompt", { text: prompt, limit: this.#promptLimit });
  }
}
