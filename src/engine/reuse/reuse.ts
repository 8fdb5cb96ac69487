// Answers that are used again: looks them up when a batch begins, and remembers new ones. Nothing here may fail a batch:
// without its database, everything runs as if nothing had been remembered.
import { isIgnored } from "../../claude/ignored.ts";
import { fingerprintOf, type Look, look, lookKey, lookText } from "../../claude/looks.ts";
import { hasHooks, mentionLooks, nestedLooks, ownLooks } from "../../claude/own-looks.ts";
import { type ReadSet, readSetOf } from "../../claude/read-set.ts";
import { rangeOf } from "../../claude/transcript-lines.ts";
import type { Batch } from "../../model/event.ts";
import { fixedPart } from "../../model/glob-text.ts";
import { type Input, inputsOf } from "../../model/inputs.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { MissedTasks, MissReason } from "../../model/reuse.ts";
import type { Attempt, BatchState, DoneTask } from "../../model/state.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { realPath } from "../../platform/files.ts";
import {
  ContentHashes,
  changedBelow,
  Fingerprints,
  nothingThere,
  placesOf,
} from "../../platform/fingerprints.ts";
import { networkFileSystemOf } from "../../platform/network-file-systems.ts";
import { absolutePath, dirname, isWithin, join, shownPath } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { nameAgain } from "../../platform/same-file.ts";
import { messageOf } from "../../platform/system-error.ts";
import { type Layout, sharedDirectoryOf } from "../../store/layout.ts";
import {
  type AnswerRecord,
  type AnswerToKeep,
  hasRemembered,
  type Remembered,
  RememberedAnswers,
} from "../../store/remembered.ts";
import { behaviourOf, isReusable, preventedBy, type Question, questionsOf, summaryQuestion } from "./key.ts";
import {
  isAsSeen,
  isUntouched,
  keptNow,
  type Moment,
  quietSince,
  type SeenAtStart,
  seenNow,
  seenOf,
} from "./seen-at-start.ts";

const dayMs = 24 * 60 * 60_000;
/** Reasons that are stored one by one; others are put together. */
const mostReasons = 200;
/** How many tasks are looked up before others get their turn. */
const tasksAtOnce = 50;

/** What Claude Code reads without a call of a tool. */
const readByItself: ReadonlySet<Look["kind"]> = new Set<Look["kind"]>(["project", "user", "ignores"]);

/** A task whose answer is there. */
export interface Hit {
  /** 1-based. */
  number: number;
  answer: Remembered;
  /** The batch's own copy of its transcript. */
  transcript: string;
}

export interface LookedUp {
  hits: Hit[];
  missed: MissedTasks[];
}

interface ReuseParts {
  layout: Layout;
  state(): BatchState;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** What the sessions of summaries read. */
  summaries: {
    /** Writes the answers that one reads. Throws if a transcript has gone, or the disk does not take them. */
    write(number: number): Promise<void>;
    /** What it is asked, with the contents of these instead of their places; undefined if they are not written. */
    byContent(number: number): string | undefined;
  };
}

/** What was known when a conversation began. */
interface Begun extends SeenAtStart {
  /** Of its question: a summary's changes with what it reads. */
  key: string;
  /** What its process has kept from its start, if that had conversations before this one. */
  kept?: SeenAtStart;
}

export class Reuse implements Disposable {
  readonly #parts: ReuseParts;
  readonly #begun = new Map<number, Begun>();
  readonly #hashes = new ContentHashes();
  #answers: RememberedAnswers | undefined;
  /** Whether the database could not be opened. */
  #isBroken = false;
  #questions: { batch: Batch; questions: Map<number, Question> } | undefined;

  constructor(parts: ReuseParts) {
    this.#parts = parts;
  }

  [Symbol.dispose](): void {
    this.#answers?.[Symbol.dispose]();
  }

  /**
   * Looks for the answers to all tasks that have not begun, and gives the batch a copy of each transcript. Undefined if
   * there is nothing to look for.
   */
  async lookUp(): Promise<LookedUp | undefined> {
    const { batch, cancelledBy } = this.#parts.state();
    const asked = this.#asked();
    if (asked.length === 0 || cancelledBy !== undefined) return undefined;
    const hits: Hit[] = [];
    const missed = new Missed();
    const now = new Now();
    for (const [index, number] of asked.entries()) {
      const isSummary = batch.tasks[number - 1]?.summary !== undefined;
      if (isSummary && !(await this.#isReadable(number))) continue;
      const found = this.#guarded(() => this.#find(number, now)) ?? { kind: "new" };
      if (found.kind === "hit") hits.push(found.hit);
      // Why a summary has to run is no news: something that it reads did.
      else if (!isSummary) missed.add(number, found);
      if (index % tasksAtOnce === tasksAtOnce - 1) await Bun.sleep(0);
    }
    return { hits, missed: missed.all() };
  }

  /** The tasks whose answers a look-up would find; 1-based. Copies nothing, and does not note that they were used. */
  async known(): Promise<number[]> {
    const now = new Now();
    const known: number[] = [];
    for (const [index, number] of this.#asked().entries()) {
      const isThere = ({ path, transcriptHash }: Remembered) =>
        now.hashOf(path) === transcriptHash ? path : undefined;
      if (this.#guarded(() => this.#find(number, now, isThere))?.kind === "hit") known.push(number);
      if (index % tasksAtOnce === tasksAtOnce - 1) await Bun.sleep(0);
    }
    return known;
  }

  // Those that have not begun, and that no equal one answers.
  #asked(): number[] {
    const { batch, tasks, earlierEnds } = this.#parts.state();
    return tasks
      .filter(({ number, status, attempts }) => {
        const isNew = status === "queued" && attempts.length === 0 && !earlierEnds.has(number);
        return isNew && isReusable(batch, number) && batch.tasks[number - 1]?.sameAs === undefined;
      })
      .map(({ number }) => number);
  }

  /** Notes that answers were taken over. */
  used(hits: readonly Hit[]): void {
    const ids = hits.map(({ answer }) => answer.id);
    if (ids.length > 0) this.#guarded(() => this.#store()?.used(ids, Date.now()));
  }

  /** A session is about to be started for a task. Call before anything of it runs. */
  begins(number: number, { resumes, directory }: { resumes: boolean; directory: string }): void {
    // One that continues had begun before: what it read then counts too.
    if (resumes) return;
    const question = this.#question(number);
    if (!question) return;
    this.#begun.delete(number);
    const begun = this.#guarded(() => this.#begunIn(number, directory, question));
    if (begun) this.#begun.set(number, begun);
  }

  /** What a session would read by itself if it started now; undefined if that cannot be compared later. */
  seenNow(workingDirectory: string, options: SessionOptions): SeenAtStart | undefined {
    const { environment } = this.#parts;
    return this.#guarded(() => seenNow({ workingDirectory, options, environment }, this.#hashes));
  }

  /** Whether a session that started now would read the same by itself. */
  isAsSeen(seen: SeenAtStart): boolean {
    return this.#guarded(() => isAsSeen(seen, this.#hashes)) ?? false;
  }

  /** What a process for this task would keep from its start, if it started now; undefined if its answer is not remembered. */
  keptNow(number: number, workingDirectory: string, options: SessionOptions): SeenAtStart | undefined {
    const { environment, state } = this.#parts;
    if (!isReusable(state().batch, number)) return undefined;
    return this.#guarded(() => keptNow({ workingDirectory, options, environment }, this.#hashes));
  }

  /** Whether nothing of it has changed since, not even for a while. */
  isUntouched(seen: SeenAtStart): boolean {
    return this.#guarded(() => isUntouched(seen, this.#hashes)) ?? false;
  }

  /**
   * The process of a task has run others, and keeps what it has `kept` from its start. What the session reads with tools, it
   * reads after `since`. Call after `begins`.
   */
  beganBehind(number: number, { kept, since }: { kept?: SeenAtStart | undefined; since: Moment }): void {
    const begun = this.#begun.get(number);
    this.#begun.delete(number);
    if (begun && kept) this.#begun.set(number, { ...begun, ...since, kept });
  }

  /**
   * The session of a task was not started by us for it alone, so it may have read something before: what was `seen` at its
   * start, if that is known. Call after `begins`.
   */
  beganBefore(number: number, seen?: SeenAtStart): void {
    const begun = this.#begun.get(number);
    this.#begun.delete(number);
    if (!begun || !seen || !this.isAsSeen(seen)) return;
    // What it depends on must not have changed since then. What only this task looks at was not there to be seen.
    const { atMs, ticksMs } = seen;
    this.#begun.set(number, { ...begun, atMs, ticksMs });
  }

  /** A task has ended: its answer is remembered if it is good, and if it is certain what it depends on. */
  ended(number: number): void {
    const { batch, tasks } = this.#parts.state();
    const task = tasks[number - 1];
    if (task?.status !== "done" || task.outcome.kind !== "succeeded" || task.outcome.reused) return;
    const question = this.#question(number);
    if (!question) return;
    this.#guarded(() => {
      const answers = this.#store();
      if (!answers) return;
      if (task.model !== undefined) answers.setModel(question.askedModel, task.model);
      const record = this.#recordOf(batch, task, question);
      const last = task.attempts.at(-1);
      const refuse = (because: string) => answers.refuse(question.key, because, Date.now());
      if (typeof record === "string") return refuse(record);
      const part = last && { path: last.transcript, ...rangeOf(last) };
      if (!part || !answers.add(question.key, record, part, Date.now())) refuse("has no transcript");
    });
    this.#begun.delete(number);
  }

  /** Keeps to the limits of age and size. */
  tidy(): void {
    const limits = this.#parts.state().batch.reuseLimits;
    if (limits && this.#answers) this.#guarded(() => this.#answers?.tidy(limits, Date.now()));
  }

  // `take` gives the path of a copy of an answer's transcript; undefined if that is not there as it was.
  #find(
    number: number,
    now: Now,
    take = (answer: Remembered) => this.#copyOf(answer, now),
  ): { kind: "hit"; hit: Hit } | MissReason {
    const { batch } = this.#parts.state();
    if (batch.fresh) return { kind: "fresh" };
    const prevented = preventedBy(batch, number);
    if (prevented !== undefined) return { kind: "not-remembered", because: prevented };
    const question = this.#question(number);
    const answers = hasRemembered(this.#parts.layout) ? this.#store() : undefined;
    if (!question || !answers) return { kind: "new" };
    const usedSince = Date.now() - (batch.reuseLimits?.days ?? 0) * dayMs;
    const model = now.modelOf(question.askedModel, answers);
    const ofModel = answers
      .answersTo(question.key, Math.round(usedSince))
      .filter((answer) => model === undefined || answer.model === model);
    // The model had seen `/clear`: not what a caller expects who wants a process for each task.
    const takesAll = optionsOf(batch, number).reuseSessions === "auto";
    const found = ofModel.filter(({ behindOthers }) => takesAll || !behindOthers);
    let changed: string | undefined;
    for (const answer of found) {
      const difference = firstDifference(answer, now);
      if (difference === undefined) {
        const transcript = take(answer);
        if (transcript !== undefined) return { kind: "hit", hit: { number, answer, transcript } };
      } else changed ??= this.#changeText(difference, batch, number);
    }
    if (changed !== undefined) return { kind: "changed", what: changed };
    const because =
      answers.refusalOf(question.key) ??
      (found.length < ofModel.length ? "ran in the process of other tasks (`reuseSessions`)" : undefined);
    return because === undefined ? { kind: "new" } : { kind: "not-remembered", because };
  }

  // Undefined if the transcript is not there as it was.
  #copyOf(answer: Remembered, now: Now): string | undefined {
    const { layout, state } = this.#parts;
    const transcript = layout.transcript(state().batch.batchId, Bun.randomUUIDv7());
    try {
      nameAgain(answer.path, transcript);
    } catch (error) {
      console.error(`${new Date().toISOString()} A remembered answer is gone: ${messageOf(error)}`);
      this.#store()?.forget(answer);
      return undefined;
    }
    if (now.hashOf(transcript) === answer.transcriptHash) return transcript;
    removePath(transcript);
    this.#store()?.forget(answer);
    return undefined;
  }

  #changeText(changed: Look, batch: Batch, number: number): string {
    const directory = workingDirectoryOf(batch, optionsOf(batch, number));
    return lookText({ ...changed, path: shownPath(changed.path, directory) });
  }

  #begunIn(number: number, directory: string, { key }: Question): Begun {
    return { key, ...seenOf(this.#looksAtStart(number, directory), { directory, hashes: this.#hashes }) };
  }

  // What is known before a session starts.
  #looksAtStart(number: number, directory: string): Look[] {
    const { batch } = this.#parts.state();
    const { environment } = this.#parts;
    const options = optionsOf(batch, number);
    const task = batch.tasks[number - 1];
    const inputs = inputsOf(options, task?.values) ?? [];
    return [
      ...ownLooks({ workingDirectory: directory, options, environment }),
      ...mentionLooks(task?.prompt ?? "", directory),
      ...inputs.map((input) => inputLook(input, directory)),
    ];
  }

  /** The record of an answer, or why it is not remembered, as it follows "the session". */
  #recordOf(batch: Batch, task: DoneTask, question: Question): AnswerToKeep | string {
    const { number, outcome, usage, remarks = [], model } = task;
    const begun = this.#begun.get(number);
    if (outcome.kind !== "succeeded") return "failed";
    if (outcome.remark !== undefined || remarks.length > 0) return "had a remark";
    if (usage?.denials?.length) return "was denied tools";
    if (usage?.atLeast) return "was cut off";
    if (!begun) return "outlived the process that had started it";
    if (begun.key !== question.key) return "read answers that changed meanwhile";
    const attempts = conversationOf(task.attempts);
    const last = attempts.at(-1);
    const directory = last?.workingDirectory;
    if (!last || directory === undefined || model === undefined) return "did not say enough about itself";
    if (attempts.some((one) => one.workingDirectory !== directory)) return "changed its directory";
    const options = optionsOf(batch, number);
    if (directory !== workingDirectoryOf(batch, options)) return "had a directory of its own";
    const isTrusted = options.inputs !== undefined;
    const reads = attempts.map((one) => readSetOf(one.transcript, directory, rangeOf(one)));
    const unfit = unfitness(reads, { isTrusted, model, version: batch.claudeVersion ?? "" });
    if (unfit !== undefined) return unfit;
    const { environment } = this.#parts;
    if (!isTrusted && hasHooks({ workingDirectory: directory, options, environment }, options))
      return "ran hooks";
    const looks = this.#looksOf(begun, reads, { directory, isTrusted, own: this.#ownFolder(number) });
    if (typeof looks === "string") return looks;
    const key = batch.tasks[number - 1]?.key;
    return {
      batchId: batch.batchId,
      task: number,
      ...(key === undefined ? {} : { taskKey: key }),
      at: task.endedAt,
      model,
      sessionId: last.sessionId,
      outcome,
      looks,
      ...(attempts.some(({ offset }) => offset !== undefined) ? { behindOthers: true } : {}),
    };
  }

  // Everything that the answer depends on, with its fingerprint when the session saw it: that of now, because nothing has
  // changed since before the session began. Or why that is not certain.
  #looksOf(
    { kept, roots, places, looks: atStart, ...since }: Begun,
    reads: readonly ReadSet[],
    { directory, isTrusted, own }: { directory: string; isTrusted: boolean; own: string | undefined },
  ): AnswerRecord["looks"] | string {
    const isQuiet = quietSince(since);
    const isKeptQuiet = kept ? quietSince(kept) : isQuiet;
    if (!isQuiet || !isKeptQuiet) return "ran while the clock was changed";
    if (placesOf(roots) !== places) return "ran while its directory was moved";
    // What Claude Code reads by itself, its process may have known since its start.
    const quietFor = (one: Look) =>
      kept?.looks.has(lookKey(one)) || readByItself.has(one.kind) ? isKeptQuiet : isQuiet;
    const now = new Fingerprints({ roots, hashes: this.#hashes });
    const read = reads.flatMap(({ looks }) => looks).filter(({ kind }) => !isTrusted || kind === "file");
    const nested = nestedLooks(
      reads.flatMap(({ directories }) => directories),
      directory,
    );
    const searches = read.some(({ kind }) => kind === "search");
    const found: AnswerRecord["looks"] = [];
    const all = new Map([
      ...[...atStart.values()].map(({ look: one }) => [lookKey(one), one] as const),
      ...[...read, ...nested].map((one) => [lookKey(one), one] as const),
    ]);
    for (const [key, one] of all) {
      if (one.kind === "ignores" && !searches) continue;
      if (own !== undefined && isWithin(one.path, own)) continue;
      if (isRemote(one.path)) return "read files of a network file system";
      const fingerprint = fingerprintOf(one, now);
      if ("unknown" in fingerprint) return `read what is not compared: ${one.path} ${fingerprint.unknown}`;
      const { hash, changedAt, absentAt } = fingerprint;
      const before = atStart.get(key);
      const isStill = quietFor(one);
      const isSame = before
        ? before.hash === hash && isStill(changedAt)
        : isStill(Math.max(changedAt, absentAt));
      if (!isSame) return `read what changed meanwhile: ${lookText(one)}`;
      found.push({ look: one, hash });
    }
    const wrote = isTrusted ? this.#unseenWrites(reads, { directory, isQuiet }) : undefined;
    if (wrote !== undefined) return wrote;
    // A directory may have been moved while all this was read.
    const after = new Fingerprints({ roots });
    const moved = [...all].find(([key, one]) => !atStart.has(key) && !quietFor(one)(after.movedAt(one.path)));
    return moved ? `read what was moved meanwhile: ${lookText(moved[1])}` : found;
  }

  // Where the answers are that a summary reads. They are in its question.
  #ownFolder(number: number): string | undefined {
    const { layout, state } = this.#parts;
    const { batch } = state();
    return batch.tasks[number - 1]?.summary && layout.batchDirectory(batch.batchId);
  }

  // Whether what a summary reads is there: its question is made of that.
  async #isReadable(number: number): Promise<boolean> {
    try {
      await this.#parts.summaries.write(number);
      return true;
    } catch {
      // The attempt that comes says it.
      return false;
    }
  }

  /**
   * Whether a session may have changed files by what its transcript does not show, such as commands: as far as its working
   * directory goes, where others may have changed them as well.
   */
  #unseenWrites(
    reads: readonly ReadSet[],
    { directory, isQuiet }: { directory: string; isQuiet(changedAt: number): boolean },
  ): string | undefined {
    const [did] = reads.flatMap(({ unknown }) => unknown);
    if (did === undefined) return undefined;
    const { layout, state } = this.#parts;
    const { outputDirectory: own, batch } = state();
    // Where each batch has a folder of its own, others write beside it.
    const outputDirectory = sharedDirectoryOf(own, batch.batchId) ?? own;
    if (isRemote(directory)) return `${did}, and may have changed files of a network file system`;
    if (realPath(outputDirectory) === realPath(directory))
      return `${did}, and may have changed files where results are written`;
    const ours = [layout.stateDirectory, outputDirectory].map(realPath);
    const skips = (folder: string, name: string) =>
      isIgnored(folder, name) || ours.includes(join(realPath(folder), name));
    const found = changedBelow(directory, { isQuiet, skips });
    if (found === undefined)
      return isQuiet(commitTime(directory)) ? undefined : `${did}, and may have changed commits`;
    return "unknown" in found
      ? `${did}, and may have changed files: its directory ${found.unknown}`
      : `${did}, and may have changed ${shownPath(found.changed, directory)}`;
  }

  #question(number: number): Question | undefined {
    const { state, environment, summaries } = this.#parts;
    const { batch, account } = state();
    const asker = { account: account.hash, environment };
    if (batch.tasks[number - 1]?.summary)
      return this.#guarded(() => {
        const prompt = summaries.byContent(number);
        return prompt === undefined ? undefined : summaryQuestion(batch, number, { asker, prompt });
      });
    const before = this.#questions;
    if (before && hasSameQuestions(before.batch, batch)) before.batch = batch;
    else {
      const questions = this.#guarded(() => questionsOf(batch, asker)) ?? new Map();
      this.#questions = { batch, questions };
    }
    return this.#questions?.questions.get(number);
  }

  #store(): RememberedAnswers | undefined {
    if (this.#isBroken) return undefined;
    this.#answers ??= this.#guarded(() => new RememberedAnswers(this.#parts.layout));
    this.#isBroken = this.#answers === undefined;
    return this.#answers;
  }

  // Remembering only saves money: whatever fails here, the batch goes on without it.
  #guarded<Value>(act: () => Value): Value | undefined {
    try {
      return act();
    } catch (error) {
      console.error(`${new Date().toISOString()} Remembered answers: ${messageOf(error)}`);
      return undefined;
    }
  }
}

// Whether nothing has changed but the summaries behind the tasks that were given, or how many run at once.
function hasSameQuestions(before: Batch, now: Batch): boolean {
  if (before === now || before.tasks === now.tasks) return true;
  return (
    before.sessionOptions === now.sessionOptions &&
    before.tasks.length <= now.tasks.length &&
    now.tasks.every((task, index) => task === before.tasks[index] || task.summary !== undefined)
  );
}

/** Tasks that have to run, by the reason. */
class Missed {
  readonly #groups = new Map<string, MissedTasks>();

  add(number: number, reason: MissReason): void {
    const key = JSON.stringify(reason);
    const isLast = this.#groups.size >= mostReasons && !this.#groups.has(key);
    const group: MissReason = isLast ? { kind: "changed", what: "other files" } : reason;
    const groupKey = isLast ? JSON.stringify(group) : key;
    const known = this.#groups.get(groupKey);
    if (known) known.tasks.push(number);
    else this.#groups.set(groupKey, { reason: group, tasks: [number] });
  }

  all(): MissedTasks[] {
    return [...this.#groups.values()];
  }
}

// The attempts that made up the conversation which gave the answer.
function conversationOf(attempts: readonly Attempt[]): Attempt[] {
  const start = attempts.findLastIndex(({ resumes }) => !resumes);
  return attempts.slice(Math.max(0, start));
}

/** The fingerprints of one look-up: each is taken once for all tasks. */
class Now {
  readonly #now = new Fingerprints();
  readonly #known = new Map<string, { one: Look; hash: string | undefined }>();
  readonly #models = new Map<string, string | undefined>();

  /** A look as stored, and its hash now: undefined if it is not known, so that it is like nothing before. */
  of(stored: unknown): { one: Look; hash: string | undefined } {
    const key = JSON.stringify(stored);
    const before = this.#known.get(key);
    if (before) return before;
    const found = this.#at(stored);
    this.#known.set(key, found);
    return found;
  }

  /** The model that last answered those who asked for one by this name. */
  modelOf(asked: string, answers: RememberedAnswers): string | undefined {
    if (!this.#models.has(asked)) this.#models.set(asked, answers.modelOf(asked));
    return this.#models.get(asked);
  }

  /** The hash of a file; undefined if it is not known. */
  hashOf(path: string): string | undefined {
    const found = this.#now.file(path);
    return "unknown" in found ? undefined : found.hash;
  }

  #at(stored: unknown): { one: Look; hash: string | undefined } {
    const { data: one } = look.safeParse(stored);
    // A newer program may know other kinds of looks.
    if (!one) return { one: { kind: "file", path: "what a newer version had noted" }, hash: undefined };
    const found = fingerprintOf(one, this.#now);
    return { one, hash: "unknown" in found ? undefined : found.hash };
  }
}

// The first thing that is not as it was; undefined if all is.
function firstDifference({ looks }: Remembered, now: Now): Look | undefined {
  for (const { look: stored, hash } of looks) {
    const found = now.of(stored);
    if (found.hash !== hash) return found.one;
  }
  return undefined;
}

function unfitness(
  reads: readonly ReadSet[],
  { isTrusted, model, version }: { isTrusted: boolean; model: string; version: string },
): string | undefined {
  const wrote = reads.flatMap((read) => read.wrote)[0];
  if (wrote !== undefined) return `may have changed files (${wrote})`;
  for (const read of reads) {
    if (behaviourOf(read.version ?? "") !== behaviourOf(version))
      return "ran with another version of Claude Code";
    if (read.model !== model) return "was continued by another model";
  }
  return isTrusted ? undefined : reads.flatMap((read) => read.unknown)[0];
}

function inputLook({ isGlob, text }: Input, directory: string): Look {
  if (!isGlob) return { kind: "input", path: absolutePath(text, directory) };
  const { directory: base, rest } = fixedPart(text);
  return { kind: "glob", path: absolutePath(base || ".", directory), pattern: rest };
}

// When the commit that a repository is at last changed, by its log of that; 0 without one.
function commitTime(directory: string): number {
  for (let at = directory; ; at = dirname(at)) {
    const found = new Fingerprints({ roots: [at] }).file(join(at, ".git", "logs", "HEAD"));
    if (!("unknown" in found) && found.hash !== nothingThere) return found.changedAt;
    if (dirname(at) === at) return 0;
  }
}

// Its clock may be another machine's.
function isRemote(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    try {
      return networkFileSystemOf(at) !== undefined;
    } catch {
      // Not there: the directory decides in which it would be.
      if (dirname(at) === at) return false;
    }
  }
}
