// The files of a batch: a file for each task, their lines, the texts to search, the page, and the summary. They are views
// of log and transcripts: an unusable directory is reported, but fails no task, and what is missing is written later, by
// the next runner if need be. Calls must not overlap.
import type { EventBody } from "../../model/event.ts";
import { type DoneTask, taskOf } from "../../model/state.ts";
import { endedWord } from "../../model/state-word.ts";
import { join } from "../../platform/paths.ts";
import { makeDirectory, namesIn, removeHalfFiles, replaceFile } from "../../platform/whole-files.ts";
import type { ResultEntry } from "../../report/answer.ts";
import { doorOf } from "../../report/option-words.ts";
import { outcomeWord } from "../../report/outcome-words.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { outputFiles } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import { entryWith, summaryPieces } from "./answer.ts";
import { dataLines } from "./data-file.ts";
import { FileFaults, mostFaults } from "./file-faults.ts";
import { type Line, LineFile } from "./line-file.ts";
import { PageFiles } from "./page-files.ts";
import { SearchFile } from "./search-file.ts";
import { SessionFiles } from "./session-files.ts";
import { answerTextOf, hasFile, removeEarlier, type TextsAtHand, writeTaskFile } from "./task-file.ts";

/** Limit for all answers in a summary, in characters. */
const longestSummary = 50_000_000;
/** How many lines, or characters of their texts, to append at once. */
const entriesAtOnce = 200;
const charactersAtOnce = 64 * 1024;
/** How often to append to the shared files, in milliseconds: with hundreds of ends a second, each append costs as much as a file. */
const appendEveryMs = 250;
/** With this many tasks, collecting garbage before the last files saves tens of megabytes, and takes 50 ms each time. */
const manyTasks = 2_000;
/** How often to retry files that could not be written, in milliseconds. */
const againMs = 3_000;

interface FilesParts {
  /** What running tasks are doing, by their numbers. */
  activities: ReadonlyMap<number, string>;
  /** Gets events about files that cannot be written. */
  report(body: EventBody): void;
}

export class BatchFiles {
  readonly #log: BatchLog;
  readonly #faults: FileFaults;
  readonly #page: PageFiles;
  readonly #sessions: SessionFiles;
  #lines: LineFile;
  #search: SearchFile;
  /** Everything goes here until the next `open`, even if the batch is given another one in the middle of a file. */
  #directory = "";
  /** File names by task number. */
  readonly #names = new Map<number, string>();
  /** Tasks without a file or a line because the disk did not take it. */
  readonly #owed = new Set<number>();
  #triedAgainAt = performance.now();
  /** Entries for the shared files, which wait until those are due. */
  #waiting: ResultEntry[] = [];
  #waitingCharacters = 0;
  #appendedAt = Number.NEGATIVE_INFINITY;
  /**
   * The last files are written or being written: the page stays unchanged, unless a retry comes, and what cannot be
   * written is reported at once.
   */
  isEnding = false;

  constructor(store: Store, log: BatchLog, { activities, report }: FilesParts) {
    this.#log = log;
    this.#faults = new FileFaults({
      log,
      directory: () => this.#directory,
      isFinal: () => this.isEnding,
      report,
    });
    this.#sessions = new SessionFiles(store.layout, log, {
      fileOf: (task) => this.#fileOf(task),
      changed: () => this.#page.changed(),
    });
    this.#page = new PageFiles(store, {
      names: this.#names,
      sessionOf: (task) => this.#sessions.hrefOf(task),
      activities,
      foreignFileKept: (path) => this.#faults.report(path, this.#foreignText()),
      textWritings: () => this.#search.writings,
    });
    this.#lines = this.#linesIn(log.state.outputDirectory);
    this.#search = new SearchFile(() => log.state.batch, log.state.outputDirectory);
  }

  /** Where they are; empty before the first `open`. */
  get directory(): string {
    return this.#directory;
  }

  /** Creates the directory of today's state, and writes everything that is missing there. */
  async open(): Promise<void> {
    const { state } = this.#log;
    const isElsewhere = this.#directory !== "" && this.#directory !== state.outputDirectory;
    this.#directory = state.outputDirectory;
    this.#names.clear();
    this.#owed.clear();
    this.#takeWaiting();
    await this.#faults.guard(this.#directory, async () => {
      await makeDirectory(this.#directory);
      // This batch has no other runner any more.
      await removeHalfFiles(this.#directory, this.#log.batchId);
    });
    const done = state.tasks.filter(({ status }) => status === "done").map(({ number }) => number);
    this.#lines = this.#linesIn(this.#directory);
    this.#search = new SearchFile(() => state.batch, this.#directory);
    await this.#prepareShared(done);
    await this.#writeAll(done);
    this.#faults.hasLostFiles = false;
    this.#sessions.open({ all: isElsewhere });
    await this.#writePage({ whole: true });
  }

  /** The batch has changed. */
  changed(): void {
    this.#page.changed();
  }

  /** Drops what the shared files say of these tasks. */
  async forget(numbers: readonly number[]): Promise<void> {
    await this.#writeWaiting();
    await this.#faults.guard(this.#lines.path, () => this.#lines.drop(numbers));
    await this.#faults.guard(this.#search.path, () => this.#search.forget(numbers));
  }

  /** Writes the file of an ended task, and what the shared files say of it: now, or on one of the next beats. */
  async writeTask(number: number, texts: TextsAtHand = {}): Promise<void> {
    const task = taskOf(this.#log.state, number);
    const entry = await this.#writeOwnFile(number, texts);
    if (task.status !== "done" || !entry) return;
    this.#sessions.ended(number);
    // Its file is tried again soon, and its line says where that is.
    if (!this.#hasOwnFile(task)) return void this.#owed.add(number);
    this.#waiting.push(entry);
    this.#waitingCharacters += charactersOf(entry);
    if (this.#isAppendDue() || this.#waitingCharacters >= charactersAtOnce) await this.#writeWaiting();
  }

  /** Whether `beat` would do anything. */
  isBeatDue(): boolean {
    if (this.isEnding) return false;
    if (this.#sessions.isBeatDue()) return true;
    if (this.#faults.hasLostFiles || this.#mustTryAgain() || this.#isAppendDue()) return true;
    return this.#page.isDue(this.#log.state);
  }

  /** Updates the page, and retries what could not be written. */
  async beat(): Promise<void> {
    if (this.isEnding) return;
    this.#sessions.beat();
    await this.#writeWaiting();
    if (this.#faults.hasLostFiles) await this.#writeMissing();
    if (this.#mustTryAgain()) await this.#writeOwed();
    if (this.#page.isDue(this.#log.state)) await this.#writePage();
  }

  /** Writes what is missing, the last page, and at the end of the batch the answers as a table, and the summary as the last file. */
  async end(): Promise<void> {
    const { state } = this.#log;
    // First, because it may take long: somebody may move the directory meanwhile, and what follows makes it again.
    await this.#sessions.end();
    await this.#writeWaiting();
    await this.#writeMissing();
    const word = endedWord(state);
    this.#makeRoom();
    await this.#writePage({ ended: word });
    if (word === "paused") return;
    this.#makeRoom();
    await this.#writeData();
    const path = join(this.#directory, outputFiles.summary(state.batch.batchId));
    const how = { mostCharacters: longestSummary, fileOf: (task: number) => this.#fileOf(task) };
    await this.#faults.guard(path, () =>
      replaceFile(path, summaryPieces(state, word, how), { tag: state.batch.batchId }),
    );
  }

  // Each of the last files passes megabytes through memory, at the moment at which the batch itself takes most of it.
  #makeRoom(): void {
    if (this.#log.state.tasks.length >= manyTasks) Bun.gc(true);
  }

  /** Writes nothing more. */
  stop(): void {
    this.#sessions.stop();
  }

  async #writeData(): Promise<void> {
    const { batchId, state } = this.#log;
    // Anew for each try: they can be read once.
    const lines = () => dataLines(state, (task) => this.#fileOf(task));
    if (!lines()) return;
    const path = join(this.#directory, outputFiles.data(batchId));
    await this.#faults.guard(path, () => replaceFile(path, lines() ?? "", { tag: batchId }));
  }

  #linesIn(directory: string): LineFile {
    const { batchId } = this.#log;
    return new LineFile(join(directory, outputFiles.lines(batchId)), batchId);
  }

  // Keeps what is right in the shared files, which an earlier runner may have left.
  async #prepareShared(done: readonly number[]): Promise<void> {
    await this.#faults.guard(this.#lines.path, () =>
      this.#lines.keepOnly(new Set(done), (line) => this.#isRight(line)),
    );
    await this.#faults.guard(this.#search.path, async () => void (await this.#search.create()));
  }

  // A runner that died may have left a line from before a retry.
  #isRight({ taskIndex, outcome, attempts = 1 }: Line): boolean {
    const task = taskOf(this.#log.state, taskIndex);
    if (task.status !== "done" || outcome !== outcomeWord(task)) return false;
    return attempts === Math.max(1, task.attempts.length);
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
      characters += entry ? charactersOf(entry) : 0;
      const isLast = index === numbers.length - 1;
      if (!isLast && entries.length < entriesAtOnce && characters < charactersAtOnce) continue;
      await this.#writeEntries(entries);
      failed += entries.filter(({ taskIndex }) => this.#owed.has(taskIndex)).length;
      if (failed >= (this.isEnding ? mostFaults : 1)) return;
      [entries, characters] = [[], 0];
    }
  }

  // Returns the task's entry for the shared files.
  async #writeOwnFile(number: number, texts: TextsAtHand = {}): Promise<ResultEntry | undefined> {
    const { state } = this.#log;
    const task = taskOf(state, number);
    if (task.status !== "done") return undefined;
    const answer = answerTextOf(task, texts);
    const directory = this.#directory;
    if (hasFile(task)) {
      let written: string | undefined;
      await this.#faults.guard(directory, async () => {
        const shown = { answer, lastText: texts.lastText, sessionPage: this.#sessions.pathOf(number) };
        written = await writeTaskFile(state, task, { directory, ...shown });
        this.#names.set(number, written);
        await removeEarlier(state, task, { directory, name: written });
      });
      // The name of before is that of an earlier end.
      if (written === undefined) this.#names.delete(number);
    }
    return entryWith(state, task, answer, {
      resultFile: this.#fileOf(number),
      door: doorOf(state.batch.startedBy),
    });
  }

  #fileOf(task: number): string | undefined {
    const name = this.#names.get(task);
    return name === undefined ? undefined : join(this.#directory, name);
  }

  #isAppendDue(): boolean {
    return this.#waiting.length > 0 && performance.now() - this.#appendedAt >= appendEveryMs;
  }

  async #writeWaiting(): Promise<void> {
    const entries = this.#takeWaiting();
    if (entries.length === 0) return;
    this.#appendedAt = performance.now();
    await this.#writeEntries(entries);
  }

  #takeWaiting(): ResultEntry[] {
    const entries = this.#waiting;
    [this.#waiting, this.#waitingCharacters] = [[], 0];
    return entries;
  }

  async #writeEntries(entries: readonly ResultEntry[]): Promise<void> {
    const missingIn = (file: LineFile | SearchFile) =>
      entries.filter(({ taskIndex }) => !file.has(taskIndex));
    const nameless = entries.filter((entry) => this.#lacksName(entry)).map(({ taskIndex }) => taskIndex);
    if (nameless.length > 0) await this.#faults.guard(this.#lines.path, () => this.#lines.drop(nameless));
    const lines = missingIn(this.#lines);
    if (lines.length > 0) await this.#faults.guard(this.#lines.path, () => this.#lines.append(lines));
    const texts = missingIn(this.#search);
    if (texts.length > 0) await this.#faults.guard(this.#search.path, () => this.#addToSearch(texts));
    for (const { taskIndex } of entries) {
      const task = taskOf(this.#log.state, taskIndex);
      if (task.status !== "done" || this.#isWritten(task)) this.#owed.delete(taskIndex);
      else this.#owed.add(taskIndex);
    }
  }

  // If somebody removed it, it starts afresh, and the next beat writes its answers again.
  async #addToSearch(entries: readonly ResultEntry[]): Promise<void> {
    if (await this.#search.create()) this.#faults.hasLostFiles = true;
    await this.#search.append(
      entries.map(({ taskIndex, result, error }) => ({ task: taskIndex, text: result ?? error ?? "" })),
    );
  }

  #isWritten(task: DoneTask): boolean {
    const { number } = task;
    const hasLine =
      this.#lines.has(number) && !this.#lacksName({ taskIndex: number, resultFile: this.#fileOf(number) });
    return hasLine && this.#search.has(number) && this.#hasOwnFile(task);
  }

  // Whether the line of a task was written when its file could not be.
  #lacksName({ taskIndex, resultFile }: Pick<ResultEntry, "taskIndex" | "resultFile">): boolean {
    return resultFile !== undefined && this.#lines.has(taskIndex) && this.#lines.isNameless(taskIndex);
  }

  #hasOwnFile(task: DoneTask): boolean {
    return !hasFile(task) || this.#names.has(task.number);
  }

  async #writePage(how: Omit<Parameters<PageFiles["write"]>[1], "directory"> = {}): Promise<void> {
    const { state, batchId } = this.#log;
    const directory = this.#directory;
    const path = join(directory, outputFiles.report(batchId));
    await this.#faults.guard(path, () => this.#page.write(state, { ...how, directory }));
  }

  // Writes what ended tasks lack: those cancelled in the queue were never given to `writeTask`, and somebody may have moved or
  // removed the directory, or a file in it.
  async #writeMissing(): Promise<void> {
    this.#faults.hasLostFiles = false;
    const done = this.#log.state.tasks.filter((task) => task.status === "done");
    await this.#prepareShared(done.map(({ number }) => number));
    await this.#faults.guard(this.#directory, async () => {
      const there = new Set(await namesIn(this.#directory));
      for (const [number, name] of this.#names) if (!there.has(name)) this.#names.delete(number);
    });
    await this.#writeAll(done.filter((task) => !this.#isWritten(task)).map(({ number }) => number));
  }

  #mustTryAgain(): boolean {
    return this.#owed.size > 0 && performance.now() - this.#triedAgainAt >= againMs;
  }

  async #writeOwed(): Promise<void> {
    this.#triedAgainAt = performance.now();
    await this.#writeAll([...this.#owed]);
  }

  #foreignText(): string {
    const page = outputFiles.report(this.#log.batchId);
    return `a file that this program did not write has this name, and was kept. The page of the batch is ${page}`;
  }
}

function charactersOf({ result, error }: ResultEntry): number {
  return (result ?? error ?? "").length;
}
