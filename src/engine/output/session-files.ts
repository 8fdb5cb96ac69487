// The pages of what the sessions of a batch said and did: one for each task whose sessions did more than answer, written when
// it has ended, and now and then while it runs. Views of transcripts, which `logs --open` makes again at any time.

import { type BatchState, type DoneTask, type TaskState, taskOf } from "../../model/state.ts";
import { numberedCount } from "../../model/summary.ts";
import { exists, fileStamp, makePrivateDirectory, sizeOf } from "../../platform/files.ts";
import { contentsOf } from "../../platform/folders.ts";
import { basename, dirname, join } from "../../platform/paths.ts";
import { codeOf } from "../../platform/system-error.ts";
import { removePath, replaceFile } from "../../platform/whole-files.ts";
import { sessionPage, sessionUpdate } from "../../report/session/session-page.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { type Layout, outputFiles, sessionFeedBeside } from "../../store/layout.ts";
import { type Job, JobQueue } from "./job-queue.ts";
import { sessionViewOf } from "./session-view.ts";

/** A session that has run for less has no page while it runs, in milliseconds. */
const youngMs = 3_000;
/** The least time between two pages of running sessions, in milliseconds. */
const betweenMs = 1_000;
/** A page of a running session may take one of these parts of the time: following must not slow a batch. */
const parts = 100;
/** How long the companion stays when its session is over, in milliseconds: an open page has learned of the end by then. */
const companionMs = 30_000;
/** The page of a running session is written once for this many updates of its companion, which an open page loads at once. */
const updatesPerPage = 5;

/** Where the page of a task's sessions is, or would go. */
export function sessionPageOf(layout: Layout, { batch }: BatchState, task: number): string {
  return layout.sessionPage(batch.batchId, task, numberedCount(batch));
}

/**
 * Whether the sessions of a task did more than its result page shows. Without tools, retries or sessions that check it, an
 * answer is all that there is: a batch of thousands of short answers is spared as many pages.
 */
export function didMore({ attempts, outcome, usage }: DoneTask): boolean {
  const [first, ...others] = attempts;
  if (!first) return false;
  const isPlain = outcome.kind === "succeeded" && others.length === 0 && usage?.numTurns === 1;
  return !isPlain || first.checkSessions !== undefined;
}

interface Parts {
  /** The file of a task's result, if it is there. */
  fileOf(task: number): string | undefined;
  /** A page is there that was not. */
  changed(): void;
}

export class SessionFiles {
  readonly #layout: Layout;
  readonly #log: BatchLog;
  readonly #parts: Parts;
  readonly #jobs: JobQueue;
  /** Tasks that have a page. */
  readonly #written = new Set<number>();
  /** What is known of the pages of running sessions. */
  readonly #followed = new Map<number, Followed>();
  #nextAt = Number.NEGATIVE_INFINITY;
  #isFollowing = false;

  constructor(layout: Layout, log: BatchLog, given: Parts) {
    this.#layout = layout;
    this.#log = log;
    this.#parts = given;
    this.#jobs = new JobQueue(() => undefined);
  }

  /** Where the page of a task is, or will be. */
  pathOf(task: number): string {
    return sessionPageOf(this.#layout, this.#log.state, task);
  }

  /** The address of a task's page; undefined while there is none. */
  hrefOf(task: number): string | undefined {
    return this.#written.has(task) ? Bun.pathToFileURL(this.pathOf(task)).href : undefined;
  }

  /** Writes the pages that an earlier runner did not; with `all`, those too that it did, because their links lead elsewhere. */
  open({ all = false } = {}): void {
    const { tasks } = this.#log.state;
    const there = new Set(contentsOf(dirname(this.pathOf(1))).map(({ name }) => name));
    for (const task of tasks) {
      // An earlier runner followed it, and its page may still be open somewhere.
      if (there.has(basename(sessionFeedBeside(this.pathOf(task.number))))) {
        this.#followed.set(task.number, { at: 0, size: undefined, updates: 0 });
        if (task.status === "done") this.ended(task.number);
        continue;
      }
      if (task.status !== "done" || !didMore(task)) continue;
      const stamp = fileStamp(this.pathOf(task.number));
      if (all || (stamp?.modifiedAt ?? 0) < task.endedAt) this.ended(task.number);
      else this.#written.add(task.number);
    }
  }

  /** Writes the page of a task that has ended, behind those before it. */
  ended(number: number): void {
    const task = taskOf(this.#log.state, number);
    // One that was followed while it ran ends on its page, too.
    const isDue = this.#followed.has(number) || (task.status === "done" && didMore(task));
    if (isDue) void this.#add(() => this.#write(number));
  }

  /** Resolves when all pages are written that were asked for. */
  async settled(): Promise<void> {
    await this.#add(async () => undefined);
  }

  /** Whether `beat` would look for a session whose page is due. */
  isBeatDue(): boolean {
    const { running } = this.#log.state.counts;
    return running > 0 && !this.#isFollowing && performance.now() >= this.#nextAt;
  }

  /** Writes the page of a running session, if it is time for one. */
  beat(): void {
    if (!this.isBeatDue()) return;
    this.#removeCompanions();
    const now = performance.now();
    const number = this.#nextToFollow();
    this.#nextAt = now + betweenMs;
    if (number === undefined) return;
    this.#isFollowing = true;
    void this.#add(async () => {
      const began = performance.now();
      try {
        await this.#write(number);
      } catch (error) {
        // Those that can be written come before it, and it is tried again.
        const updates = this.#followed.get(number)?.updates ?? 0;
        this.#followed.set(number, { at: Date.now(), size: undefined, updates });
        throw error;
      } finally {
        const ended = performance.now();
        this.#nextAt = ended + Math.max(betweenMs, (ended - began) * (parts - 1));
        this.#isFollowing = false;
      }
    });
  }

  // Each is as large as its page, and a long batch has thousands.
  #removeCompanions(): void {
    const before = Date.now() - companionMs;
    for (const [number, { overAt = Number.POSITIVE_INFINITY }] of this.#followed) {
      if (overAt > before) continue;
      this.#followed.delete(number);
      void this.#add(() => removePath(sessionFeedBeside(this.pathOf(number))));
    }
  }

  /** Removes the companions, which only pages of running sessions need. */
  async end(): Promise<void> {
    await this.settled();
    for (const number of this.#followed.keys()) {
      if (taskOf(this.#log.state, number).status !== "done") continue;
      this.#followed.delete(number);
      await ifPossible(() => removePath(sessionFeedBeside(this.pathOf(number))));
    }
  }

  /** Writes nothing beyond the current page. */
  stop(): void {
    this.#jobs.stop();
  }

  // What a transcript contains must not end a batch.
  #add(job: Job): Promise<void> {
    return this.#jobs.add(() => ifPossible(job));
  }

  // Of the running sessions that have said something new, the one whose page is the oldest.
  #nextToFollow(): number | undefined {
    const now = Date.now();
    let oldest: { number: number; at: number } | undefined;
    for (const task of this.#log.state.tasks) {
      if (task.status !== "running" || now - task.startedAt < youngMs) continue;
      const known = this.#followed.get(task.number);
      const at = known?.at ?? 0;
      if (oldest && oldest.at <= at) continue;
      if (known?.size === undefined || sizeOf(transcriptOf(task)) !== known.size)
        oldest = { number: task.number, at };
    }
    return oldest?.number;
  }

  async #write(number: number): Promise<void> {
    const { state } = this.#log;
    const task = taskOf(state, number);
    if (task.status === "queued" || !exists(this.#layout.batchDirectory(state.batch.batchId))) return;
    const isRunning = task.status === "running";
    const known = this.#followed.get(number);
    const size = sizeOf(transcriptOf(task));
    const path = this.pathOf(number);
    const feed = sessionFeedBeside(path);
    const file = this.#parts.fileOf(number);
    const report = join(state.outputDirectory, outputFiles.report(state.batch.batchId));
    const href = (to: string) => Bun.pathToFileURL(to).href;
    const view = await sessionViewOf(state, task, {
      links: { result: file === undefined ? undefined : href(file), report: href(report) },
      feedHref: isRunning ? basename(feed) : "",
      now: Date.now(),
    });
    const how = { tag: state.batch.batchId, mode: 0o600 };
    const updates = known?.updates ?? 0;
    makePrivateDirectory(dirname(path));
    if (!isRunning || updates % updatesPerPage === 0)
      await replaceFile(path, sessionPage(view).pieces(), how);
    // One that was open while its session ran learns of the end, too.
    if (isRunning || known) await replaceFile(feed, sessionUpdate(view), how);
    if (isRunning) this.#followed.set(number, { at: Date.now(), size, updates: updates + 1 });
    else if (known) this.#followed.set(number, { ...known, overAt: Date.now() });
    if (this.#written.has(number)) return;
    this.#written.add(number);
    this.#parts.changed();
  }
}

interface Followed {
  /** When its page was last written, in milliseconds since 1970. */
  at: number;
  /** What was read of its transcript then, in bytes; undefined if its page could not be written. */
  size: number | undefined;
  updates: number;
  /** When its last page was written, after its end, in milliseconds since 1970. */
  overAt?: number;
}

function transcriptOf({ attempts }: TaskState): string {
  return attempts.at(-1)?.transcript ?? "";
}

// These pages are the least that a batch owes, and `logs --open` says why one cannot be had.
async function ifPossible(job: Job): Promise<void> {
  try {
    await job();
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) === undefined) console.error(error);
  }
}
