// Writes the files of a batch. They are views of log and transcripts: a directory that fails is reported, and
// fails no task; and whoever takes the batch over writes what is missing.
import type { EventBody } from "../model/event.ts";
import { type BatchState, type DoneTask, taskOf } from "../model/state.ts";
import {
  appendText,
  exists,
  makeDirectory,
  placeNewFile,
  readHead,
  readTail,
  readText,
  removeHalfFiles,
  removePath,
  replaceFile,
  replaceFileByPieces,
} from "../platform/files.ts";
import { basename, join } from "../platform/paths.ts";
import { errorText } from "../report/error-text.ts";
import { fileTag } from "../report/file-tag.ts";
import { livePage } from "../report/page.ts";
import { resultPage } from "../report/result-page.ts";
import type { TaskFacts } from "../report/task-facts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { outputFiles, stderrBeside } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { entryWith, reportFileOf, summaryPieces } from "./answer.ts";
import { resultFileOf } from "./result-file.ts";
import { type ResultText, resultTextOf } from "./result-text.ts";
import { standingOf } from "./standing.ts";
import { optionsOf, workingDirectoryOf } from "./task-options.ts";

/** Of one answer, in a page or a line, in characters; what is longer is told, with the place of the whole. */
const longestText = 1_000_000;
/** Of all answers in a summary, in characters. */
const longestSummary = 50_000_000;
const pageEveryMs = 500;
const idlePageEveryMs = 3_000;
/** Above 2,000 tasks, so many add a millisecond to the time between two pages. */
const tasksPerPageMs = 4;
const stderrTailBytes = 8_000;
const mostFailures = 20;

/** What is known of a task that has just ended. */
interface Said {
  /** What Claude said last, where there is no answer. */
  lastText?: string | undefined;
  /** The whole answer. */
  text?: string | undefined;
}

export class OutputFiles {
  readonly #store: Store;
  readonly #log: BatchLog;
  readonly #activities: ReadonlyMap<number, string>;
  readonly #report: (body: EventBody) => void;
  readonly #render = livePage();
  /** File names by task number. */
  readonly #names = new Map<number, string>();
  /** Tasks that have their line in the jsonl. */
  #lines = new Set<number>();
  #directory = "";
  #dirty = true;
  #pageAt = Number.NEGATIVE_INFINITY;

  constructor(
    store: Store,
    log: BatchLog,
    activities: ReadonlyMap<number, string>,
    report: (body: EventBody) => void,
  ) {
    this.#store = store;
    this.#log = log;
    this.#activities = activities;
    this.#report = report;
  }

  /** Makes the directory, and writes what an earlier runner had no time for. */
  begin(): void {
    const { state } = this.#log;
    this.#directory = state.outputDirectory;
    this.#names.clear();
    this.#attempt(this.#directory, () => {
      makeDirectory(this.#directory);
      // Of this batch there is no other runner any more.
      removeHalfFiles(this.#directory, this.#log.batchId);
    });
    this.#lines = this.#writtenLines();
    for (const task of state.tasks) if (task.status === "done") this.task(task.number);
    this.#writePage();
  }

  /** Something of the batch has changed. */
  changed(): void {
    this.#dirty = true;
    // Handed over meanwhile: all that was written so far is written where the user looks for it.
    if (this.#directory !== "" && this.#directory !== this.#log.state.outputDirectory) this.begin();
  }

  /** These tasks are queued again: their lines, which were true once, go. Their files go when new ones come. */
  forget(numbers: readonly number[]): void {
    for (const number of numbers) this.#lines.delete(number);
    this.#dropLines();
  }

  /** The page follows, twice a second at most; and now and then though nothing happens, for time goes on in it. */
  beat(): void {
    const age = performance.now() - this.#pageAt;
    // A page of thousands of tasks is megabytes: written less often, it costs as little as a small one.
    const everyMs = Math.max(pageEveryMs, this.#log.state.tasks.length / tasksPerPageMs);
    if (age >= (this.#dirty ? everyMs : Math.max(idlePageEveryMs, everyMs))) this.#writePage();
  }

  /** The files of a task that has ended, with what is still known of it; what is not, is in the transcript. */
  task(number: number, said: Said = {}): void {
    const { state } = this.#log;
    const task = taskOf(state, number);
    if (task.status !== "done") return;
    const answer = answerOf(task, said);
    // A task that never began has nothing to tell in a file of its own.
    if (task.attempts.length > 0 || task.outcome.kind === "not-started") {
      this.#writeTaskFile(task, answer, said.lastText);
    }
    if (this.#lines.has(number)) return;
    this.#lines.add(number);
    const path = join(this.#directory, outputFiles.lines(state.batch.batchId));
    const name = this.#names.get(number);
    const file = name === undefined ? undefined : join(this.#directory, name);
    const line = `${JSON.stringify(entryWith(state, task, answer, file))}\n`;
    this.#attempt(path, () => appendText(path, line));
  }

  /** The last page, and the summary as the last file of all. */
  end(): void {
    const { state } = this.#log;
    // Those that were cancelled in the queue have not been through `task` yet.
    for (const task of state.tasks)
      if (task.status === "done" && !this.#lines.has(task.number)) this.task(task.number);
    const word = state.cancelledBy === undefined ? "finished" : "cancelled";
    this.#writePage(word);
    const path = join(this.#directory, outputFiles.summary(state.batch.batchId));
    this.#attempt(path, () =>
      replaceFileByPieces(path, summaryPieces(state, word, longestSummary), state.batch.batchId),
    );
  }

  #writeTaskFile(task: DoneTask, answer: ResultText, lastText: string | undefined): void {
    const { state } = this.#log;
    this.#attempt(this.#directory, () => {
      const text = this.#taskFile(state, task, answer, lastText);
      for (;;) {
        const file = resultFileOf(state, task);
        // Somebody else may take the name between our look and our writing: then the next one is tried.
        if (!file.there && !placeNewFile(file.path, text, state.batch.batchId)) continue;
        this.#names.set(task.number, basename(file.path));
        this.#removeEarlier(task, file.path);
        return;
      }
    });
  }

  #taskFile(state: BatchState, task: DoneTask, answer: ResultText, lastText: string | undefined): string {
    const { outcome } = task;
    const facts = factsOf(state, task);
    const transcript = task.attempts.at(-1)?.transcript ?? "";
    if (outcome.kind === "succeeded") {
      const { text, laterTexts } = answer;
      return resultPage({
        ...facts,
        outcome,
        text: { shown: text, totalLength: Math.max(outcome.length, text.length), transcript },
        laterTexts,
        reportHref: outputFiles.report(state.batch.batchId),
      });
    }
    const stderrTail = transcript === "" ? "" : readTail(stderrBeside(transcript), stderrTailBytes);
    return errorText({ ...facts, outcome, lastText, stderrTail, transcript: transcript || undefined });
  }

  #writePage(ended?: "finished" | "cancelled"): void {
    this.#dirty = false;
    this.#pageAt = performance.now();
    const { state } = this.#log;
    const { batchId } = state.batch;
    const path = reportFileOf(state);
    this.#attempt(path, () => {
      const [newest, ...older] = this.#store.inDirectory(this.#directory);
      const all = newest ? [newest, ...older] : [];
      const page = this.#render({
        state,
        now: Date.now(),
        stateWord: ended ?? "running",
        hrefOf: (number) => this.#names.get(number),
        activityOf: (number) => this.#activities.get(number),
        others: all
          .filter((row) => row.batchId !== batchId)
          .map((row) => ({
            batchId: row.batchId,
            name: row.name,
            href: outputFiles.report(row.batchId),
            createdAt: row.createdAt,
            stateWord: standingOf(row),
          })),
      });
      replaceFile(path, page, batchId);
      if (newest?.batchId === batchId) replaceFile(join(this.#directory, outputFiles.index), page, batchId);
    });
  }

  // The error text of a time before a retry.
  #removeEarlier({ number }: DoneTask, kept: string): void {
    const { state } = this.#log;
    for (const endedAt of state.earlierEnds.get(number) ?? []) {
      const path = join(this.#directory, outputFiles.error(number, state.tasks.length, endedAt));
      if (path !== kept && readHead(path, 512)?.includes(fileTag(state.batch.batchId, number)))
        removePath(path);
    }
  }

  // Lines of tasks that have ended, and still have: after a crash, and after a retry, the file is what is left.
  #writtenLines(): Set<number> {
    const done = this.#log.state.tasks.filter(({ status }) => status === "done").map(({ number }) => number);
    this.#lines = new Set(done);
    return this.#dropLines();
  }

  // Keeps one whole line for each task of `#lines`, and gives the tasks that have one.
  #dropLines(): Set<number> {
    const path = join(this.#directory, outputFiles.lines(this.#log.batchId));
    const written = new Set<number>();
    this.#attempt(path, () => {
      if (!exists(path)) return;
      const before = readText(path);
      const kept = before.split("\n").filter((line) => {
        const number = Number(/^\{"taskIndex":(\d+)/.exec(line)?.[1]);
        if (!this.#lines.has(number) || written.has(number) || !isJson(line)) return false;
        written.add(number);
        return true;
      });
      const after = kept.map((line) => `${line}\n`).join("");
      if (after !== before) replaceFile(path, after, this.#log.batchId);
    });
    return written;
  }

  #attempt(path: string, write: () => void): void {
    try {
      try {
        write();
      } catch (error) {
        // Removed half-way: made again, for what comes is still wanted.
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
        makeDirectory(this.#directory);
        write();
      }
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      const { fileFailures } = this.#log.state;
      if (fileFailures.has(path) || fileFailures.size >= mostFailures) return;
      this.#report({ type: "file-failed", path, message: error.message });
    }
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

// The answer as it was read a moment ago, or out of the transcript.
function answerOf(task: DoneTask, { text }: Said): ResultText {
  return text !== undefined && text.length <= longestText
    ? { text, cut: false, laterTexts: [] }
    : resultTextOf(task, longestText);
}

function factsOf(state: BatchState, task: DoneTask): TaskFacts {
  const { batch } = state;
  const attempt = task.attempts.at(-1);
  return {
    batchId: batch.batchId,
    batchName: batch.name,
    taskNumber: task.number,
    totalTasks: batch.tasks.length,
    prompt: batch.tasks[task.number - 1]?.prompt ?? "",
    usage: task.usage,
    attempts: task.attempts.length,
    leaked: task.leaked?.length,
    model: task.model,
    sessionId: attempt?.sessionId,
    workingDirectory: workingDirectoryOf(batch, optionsOf(batch, task.number)),
    startedAt: task.startedAt,
    endedAt: task.endedAt,
  };
}
