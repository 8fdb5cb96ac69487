// Writes the files of a batch. They are views of log and transcripts: an unusable directory is reported, but fails no
// task, and the next runner writes what is missing. Each call adds a job to a queue, and resolves when that is done:
// files are written in that order, from the state at the time of writing.
import type { EventBody } from "../../model/event.ts";
import { type BatchState, type DoneTask, taskOf } from "../../model/state.ts";
import { endedWord } from "../../model/state-word.ts";
import { readTail } from "../../platform/files.ts";
import { basename, join } from "../../platform/paths.ts";
import { codeOf, messageOf, systemCode } from "../../platform/system-error.ts";
import {
  makeDirectory,
  namesIn,
  placeNewFile,
  readHead,
  removeHalfFiles,
  removePath,
  replaceFile,
} from "../../platform/whole-files.ts";
import { outcomeWord, type ResultEntry, remarksOf } from "../../report/answer.ts";
import { errorText } from "../../report/error-text.ts";
import { fileTag } from "../../report/file-tag.ts";
import { doorOf } from "../../report/option-words.ts";
import { resultPage } from "../../report/result-page.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { outputFiles, stderrBeside } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import { entryWith, reportFileOf, summaryPieces } from "./answer.ts";
import { type Job, JobQueue } from "./job-queue.ts";
import { type Line, LineFile } from "./line-file.ts";
import { PageFiles } from "./page-files.ts";
import { findResultFile } from "./result-file.ts";
import { longestText, type ResultText, resultTextOf } from "./result-text.ts";
import { SearchFile } from "./search-file.ts";
import { taskFactsOf } from "./task-facts-of.ts";

/** Limit for all answers in a summary, in characters. */
const longestSummary = 50_000_000;
const stderrTailBytes = 8_000;
const mostFailures = 20;
/** How many lines, or characters of their texts, to append at once. */
const entriesAtOnce = 200;
const charactersAtOnce = 64 * 1024;
/** A full disk, or too few descriptors, may be temporary: reported after this time, in milliseconds. */
const passingMs = 30_000;
/** How often to retry files that could not be written, in milliseconds. */
const againMs = 3_000;

/**
 * How many characters of answers that wait to be written are kept in memory; others are read from their transcripts.
 */
const mostKept = 20_000_000;

/** What is known of a task that has just ended. */
interface Said {
  /** What Claude said last, if there is no answer. */
  lastText?: string | undefined;
  /** The whole answer. */
  text?: string | undefined;
}

export class OutputFiles {
  readonly #log: BatchLog;
  readonly #report: (body: EventBody) => void;
  readonly #page: PageFiles;
  readonly #jobs: JobQueue;
  /** File names by task number. */
  readonly #names = new Map<number, string>();
  #lines: LineFile;
  #search: SearchFile;
  #directory = "";
  /** The directory of the last call of `begin`, whose job may still wait. */
  #begunIn = "";
  #isBeating = false;
  /** The last files are written or being written: the page stays unchanged, unless a retry comes. */
  #isEnding = false;
  /** The sequence of the last event in the last files. */
  #endedWith: number | undefined;
  /** Characters of answers that wait to be written. */
  #kept = 0;
  /** Tasks without a file or a line because the disk did not take it. */
  readonly #owed = new Set<number>();
  #triedAgainAt = performance.now();
  /** Since when paths cannot be written, on the monotonic clock. */
  readonly #failingSince = new Map<string, number>();
  /** Whether the directory was removed and created again. */
  #wasRemade = false;

  /** `failed` is called with errors that no disk causes. */
  constructor(
    store: Store,
    log: BatchLog,
    activities: ReadonlyMap<number, string>,
    { report, failed }: { report(body: EventBody): void; failed(error: unknown): void },
  ) {
    this.#log = log;
    this.#report = report;
    this.#jobs = new JobQueue(failed);
    this.#page = new PageFiles(store, {
      names: this.#names,
      activities,
      kept: (path) => this.#fail(path, keptText(log.state)),
      textWritings: () => this.#search.writings,
    });
    this.#lines = this.#linesIn(log.state.outputDirectory);
    this.#search = new SearchFile(log.state.batch, log.state.outputDirectory);
  }

  /** Creates the directory, and writes what an earlier runner did not. */
  begin(): Promise<void> {
    this.#begunIn = this.#log.state.outputDirectory;
    return this.#add(async () => undefined);
  }

  /** The batch has changed. */
  async changed(): Promise<void> {
    this.#page.changed();
    // Handed over meanwhile: everything is written again where the user looks for it.
    if (this.#begunIn !== "" && this.#begunIn !== this.#log.state.outputDirectory) await this.begin();
  }

  /** These tasks are queued again: drops their lines, which are outdated. Their files go when new ones come. */
  forget(numbers: readonly number[]): Promise<void> {
    this.#isEnding = false;
    return this.#add(async () => {
      await this.#attempt(this.#lines.path, () => this.#lines.drop(numbers));
      await this.#attempt(this.#search.path, () => this.#search.forget(numbers));
    });
  }

  /** Updates the page, and retries what could not be written. */
  async beat(): Promise<void> {
    if (this.#isBeating || !this.#isBeatDue()) return;
    this.#isBeating = true;
    await this.#add(() => this.#beat());
    this.#isBeating = false;
  }

  /** Writes the files of an ended task. `said`: what is still in memory; the rest is in the transcript. */
  async task(number: number, said: Said = {}): Promise<void> {
    const length = said.text?.length ?? 0;
    const isKept = this.#kept + length <= mostKept;
    if (isKept) this.#kept += length;
    const attempts = this.#attemptsOf(number);
    await this.#add(() => {
      // On a slow disk, the task may have run again before its turn: then it has another answer.
      if (this.#attemptsOf(number) !== attempts) return this.#task(number);
      return this.#task(number, isKept ? said : { lastText: said.lastText });
    });
    if (isKept) this.#kept -= length;
  }

  /**
   * Writes the last page, and the summary as the last file. Resolves when everything is written, or has failed for good.
   * `areLast`: whether they are still current, or must be written again.
   */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#add(() => this.#end());
  }

  /** Whether the files show everything in the log. A retry may have come while they waited for a slow disk. */
  get areLast(): boolean {
    // Lines that a retry drops may still be queued after the last files, although those include the retry.
    return this.#isEnding && this.#endedWith === this.#log.sequence;
  }

  /** Writes nothing beyond the current file. */
  stop(): void {
    this.#jobs.stop();
  }

  // A job that waited for a slow disk may find another directory.
  #add(job: Job): Promise<void> {
    return this.#jobs.add(async () => {
      if (this.#directory !== this.#log.state.outputDirectory) await this.#begin();
      await job();
    });
  }

  async #begin(): Promise<void> {
    const { state } = this.#log;
    this.#directory = state.outputDirectory;
    this.#names.clear();
    this.#owed.clear();
    await this.#attempt(this.#directory, async () => {
      await makeDirectory(this.#directory);
      // This batch has no other runner any more.
      await removeHalfFiles(this.#directory, this.#log.batchId);
    });
    const done = state.tasks.filter(({ status }) => status === "done").map(({ number }) => number);
    this.#lines = this.#linesIn(this.#directory);
    await this.#attempt(this.#lines.path, () =>
      this.#lines.keepOnly(new Set(done), (line) => this.#isRight(line)),
    );
    this.#search = new SearchFile(state.batch, this.#directory);
    await this.#attempt(this.#search.path, async () => void (await this.#search.begin()));
    await this.#writeAll(done);
    this.#wasRemade = false;
    await this.#writePage({ whole: true });
  }

  #attemptsOf(number: number): number {
    return taskOf(this.#log.state, number).attempts.length;
  }

  #isBeatDue(): boolean {
    if (this.#isEnding) return false;
    return this.#wasRemade || this.#mustTryAgain() || this.#page.isDue(this.#log.state);
  }

  #mustTryAgain(): boolean {
    return this.#owed.size > 0 && performance.now() - this.#triedAgainAt >= againMs;
  }

  async #beat(): Promise<void> {
    if (this.#isEnding) return;
    if (this.#wasRemade) await this.#writeMissing();
    if (this.#mustTryAgain()) await this.#writeOwed();
    if (this.#page.isDue(this.#log.state)) await this.#writePage();
  }

  async #task(number: number, said: Said = {}): Promise<void> {
    const entry = await this.#writeOwnFile(number, said);
    if (entry) await this.#writeEntries([entry]);
  }

  // Returns the task's entry for the shared files.
  async #writeOwnFile(number: number, said: Said = {}): Promise<ResultEntry | undefined> {
    const { state } = this.#log;
    const task = taskOf(state, number);
    if (task.status !== "done") return undefined;
    const answer = answerOf(task, said);
    if (hasFile(task)) await this.#writeTaskFile(task, answer, said.lastText);
    return entryWith(state, task, answer, {
      resultFile: this.#fileOf(number),
      door: doorOf(state.batch.startedBy),
    });
  }

  async #writeEntries(entries: readonly ResultEntry[]): Promise<void> {
    const missingIn = (file: LineFile | SearchFile) =>
      entries.filter(({ taskIndex }) => !file.has(taskIndex));
    const lines = missingIn(this.#lines);
    if (lines.length > 0) await this.#attempt(this.#lines.path, () => this.#lines.append(lines));
    const texts = missingIn(this.#search);
    if (texts.length > 0) await this.#attempt(this.#search.path, () => this.#addToSearch(texts));
    for (const { taskIndex } of entries) {
      const task = taskOf(this.#log.state, taskIndex);
      if (task.status !== "done" || this.#isWritten(task)) this.#owed.delete(taskIndex);
      else this.#owed.add(taskIndex);
    }
  }

  async #end(): Promise<void> {
    const { state } = this.#log;
    this.#endedWith = this.#log.sequence;
    await this.#writeMissing();
    const word = endedWord(state);
    await this.#writePage({ ended: word });
    const path = join(this.#directory, outputFiles.summary(state.batch.batchId));
    const how = { mostCharacters: longestSummary, fileOf: (task: number) => this.#fileOf(task) };
    await this.#attempt(path, () =>
      replaceFile(path, summaryPieces(state, word, how), { tag: state.batch.batchId }),
    );
  }

  // Writes what ended tasks lack: those cancelled in the queue were never given to `task`, and somebody may have moved or
  // removed the directory, or a file in it.
  async #writeMissing(): Promise<void> {
    this.#wasRemade = false;
    const done = this.#log.state.tasks.filter((task) => task.status === "done");
    await this.#attempt(this.#lines.path, () =>
      this.#lines.keepOnly(new Set(done.map(({ number }) => number)), (line) => this.#isRight(line)),
    );
    await this.#attempt(this.#search.path, async () => void (await this.#search.begin()));
    await this.#attempt(this.#directory, async () => {
      const there = new Set(await namesIn(this.#directory));
      for (const [number, name] of this.#names) if (!there.has(name)) this.#names.delete(number);
    });
    await this.#writeAll(done.filter((task) => !this.#isWritten(task)).map(({ number }) => number));
  }

  async #writeOwed(): Promise<void> {
    this.#triedAgainAt = performance.now();
    await this.#writeAll([...this.#owed]);
  }

  // Several at once, because thousands may have been cancelled together. Stops if the disk takes nothing, instead of
  // trying thousands of files.
  async #writeAll(numbers: readonly number[]): Promise<void> {
    let failed = 0;
    let entries: ResultEntry[] = [];
    let characters = 0;
    for (const [index, number] of numbers.entries()) {
      const entry = await this.#writeOwnFile(number);
      if (entry) entries.push(entry);
      characters += (entry?.result ?? entry?.error ?? "").length;
      const isLast = index === numbers.length - 1;
      if (!isLast && entries.length < entriesAtOnce && characters < charactersAtOnce) continue;
      await this.#writeEntries(entries);
      failed += entries.filter(({ taskIndex }) => this.#owed.has(taskIndex)).length;
      if (failed >= (this.#isEnding ? mostFailures : 1)) return;
      [entries, characters] = [[], 0];
    }
  }

  // A runner that died may have left a line from before a retry.
  #isRight({ taskIndex, outcome, attempts = 1 }: Line): boolean {
    const task = taskOf(this.#log.state, taskIndex);
    if (task.status !== "done" || outcome !== outcomeWord(task)) return false;
    return attempts === Math.max(1, task.attempts.length);
  }

  #isWritten(task: DoneTask): boolean {
    const { number } = task;
    return this.#lines.has(number) && this.#search.has(number) && (!hasFile(task) || this.#names.has(number));
  }

  // If somebody removed it, it starts afresh, and the next beat writes its answers again.
  async #addToSearch(entries: readonly ResultEntry[]): Promise<void> {
    if (await this.#search.begin()) this.#wasRemade = true;
    await this.#search.append(
      entries.map(({ taskIndex, result, error }) => ({ task: taskIndex, text: result ?? error ?? "" })),
    );
  }

  #fileOf(task: number): string | undefined {
    const name = this.#names.get(task);
    return name === undefined ? undefined : join(this.#directory, name);
  }

  #linesIn(directory: string): LineFile {
    const { batchId } = this.#log;
    return new LineFile(join(directory, outputFiles.lines(batchId)), batchId);
  }

  async #writeTaskFile(task: DoneTask, answer: ResultText, lastText: string | undefined): Promise<void> {
    const { state } = this.#log;
    await this.#attempt(this.#directory, async () => {
      const text = this.#taskFile(state, task, answer, lastText);
      for (;;) {
        const file = await findResultFile(state, task);
        // Somebody else may take the name between the check and the write: then try the next one.
        if (!file.there && !(await placeNewFile(file.path, text, { tag: state.batch.batchId }))) continue;
        this.#names.set(task.number, basename(file.path));
        await this.#removeEarlier(task, file.path);
        return;
      }
    });
  }

  #taskFile(state: BatchState, task: DoneTask, answer: ResultText, lastText: string | undefined): string {
    const { outcome } = task;
    const facts = taskFactsOf(state, task);
    const transcript = task.attempts.at(-1)?.transcript ?? "";
    if (outcome.kind === "succeeded") {
      const { text, others } = answer;
      return resultPage({
        ...facts,
        outcome,
        text: { shown: text, totalLength: Math.max(outcome.length, text.length), transcript },
        others,
        remarks: remarksOf(task),
        reportHref: outputFiles.report(state.batch.batchId),
        feedHref: outputFiles.feed(state.batch.batchId),
      });
    }
    const stderrTail = transcript === "" ? "" : readTail(stderrBeside(transcript), stderrTailBytes);
    return errorText({
      ...facts,
      outcome,
      others: answer.others,
      remarks: remarksOf(task),
      lastText,
      stderrTail,
      transcript: transcript || undefined,
    });
  }

  async #writePage(how: Parameters<PageFiles["write"]>[1] = {}): Promise<void> {
    const { state } = this.#log;
    await this.#attempt(reportFileOf(state), () => this.#page.write(state, how));
  }

  // Removes the error text from before a retry, and an answer from before it once there is another one.
  async #removeEarlier({ number, outcome }: DoneTask, kept: string): Promise<void> {
    const { state } = this.#log;
    const names =
      outcome.kind === "succeeded" ? [outputFiles.error, outputFiles.result] : [outputFiles.error];
    for (const endedAt of state.earlierEnds.get(number) ?? []) {
      for (const nameOf of names) {
        const path = join(this.#directory, nameOf(number, state.tasks.length, endedAt));
        if (path === kept) continue;
        const head = await readHead(path, 512);
        if (head?.includes(fileTag(state.batch.batchId, number))) await removePath(path);
      }
    }
  }

  async #attempt(path: string, write: () => Promise<void>): Promise<void> {
    try {
      try {
        await write();
      } catch (error) {
        // Removed meanwhile: create it again, because later files are still wanted.
        if (systemCode(error) !== "ENOENT") throw error;
        await makeDirectory(this.#directory);
        this.#wasRemade = true;
        await write();
      }
      this.#failingSince.delete(path);
    } catch (error) {
      // The page reads the store too.
      const code = codeOf(error);
      if (code === undefined) throw error;
      const since = this.#failingSince.get(path) ?? performance.now();
      this.#failingSince.set(path, since);
      const mayPass = passing.has(code) && !this.#isEnding && performance.now() - since < passingMs;
      if (!mayPass) this.#fail(path, messageOf(error));
    }
  }

  #fail(path: string, message: string): void {
    const { fileFailures } = this.#log.state;
    if (fileFailures.has(path) || fileFailures.size >= mostFailures) return;
    this.#report({ type: "file-failed", path, message });
  }
}

/** Errors of a disk, of a process and, on Windows, of a program that has the file open. */
const passing = new Set([
  "ENOSPC",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "EAGAIN",
  "ENOMEM",
  "EBUSY",
  ...(process.platform === "win32" ? ["EPERM", "EACCES"] : []),
]);

// A task that never began needs no file of its own.
function hasFile({ attempts, outcome }: DoneTask): boolean {
  return attempts.length > 0 || outcome.kind === "not-started";
}

function keptText({ batch }: BatchState): string {
  return `a file that this program did not write has this name, and was kept. The page of the batch is ${outputFiles.report(batch.batchId)}`;
}

// The answer from memory, or from the transcript.
function answerOf(task: DoneTask, { text }: Said): ResultText {
  const isAnswer = task.outcome.kind === "succeeded" && text !== undefined;
  return isAnswer && text.length <= longestText
    ? { text, cut: false, others: [] }
    : resultTextOf(task, longestText);
}
