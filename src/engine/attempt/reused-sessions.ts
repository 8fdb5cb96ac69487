// Processes that have run a task and have forgotten it (`/clear`), for the next tasks of the same kind. One that may have
// kept anything of its task is not among them (`why-not-reused.ts`): it ends with its task, like any other.
import { Clearing } from "../../claude/clearing.ts";
import type { InitMessage } from "../../claude/message.ts";
import type { Reading } from "../../claude/reading.ts";
import { whyNotReused } from "../../claude/why-not-reused.ts";
import type { SessionOptions } from "../../model/options.ts";
import { sizeOf } from "../../platform/files.ts";
import { systemCode } from "../../platform/system-error.ts";
import { momentNow, type SeenAtStart } from "../reuse/seen-at-start.ts";
import type { Need, Session, StartPlan } from "./session-host.ts";
import { exitMs, idleLifeMs, type PooledSession, type SessionPool } from "./session-pool.ts";
import { Turnover } from "./turnover.ts";

interface ReusedParts {
  /** The plan of the next attempt at a task; undefined if it must have a process of its own. */
  planOf(task: number): StartPlan | undefined;
  /** How many tasks wait that may take a process which ran this one. */
  waitingLike(task: number): number;
  /** Whether hooks are set for sessions like this. */
  hasHooks(directory: string, options: SessionOptions): boolean;
  /** Whether there is a command with the name `clear` for sessions like this. */
  hasOwnClear(directory: string, options: SessionOptions): boolean;
  /** Another text after any change of what a process has at its start and keeps (`startStamp`). */
  stampOf(directory: string): string;
  /** Whether nothing of what a process has kept from its start has changed since. */
  isUntouched(kept: SeenAtStart): boolean;
  /** What the session with this marker uses, in bytes; 0 if nobody has measured it. */
  bytesOf(marker: string): number;
  /** A process has become free: a task may be waiting for one. */
  freed(): void;
  /** An internal error. */
  failed(error: unknown): void;
  /** The monotonic clock, in milliseconds. */
  now?: () => number;
}

/** A process from its start on. */
interface Process {
  plan: StartPlan;
  session: Session;
  stamp: string;
  /** What it has kept from its start, if answers of its tasks are remembered. */
  kept?: SeenAtStart | undefined;
  /** How many tasks it has run. */
  tasks: number;
  /** Its first introduction. */
  began?: InitMessage | undefined;
  /** What it used after its first task, in bytes. */
  firstBytes: number;
  /** Whether it is forgetting a conversation now. */
  isClearing: boolean;
}

interface Idle {
  process: Process;
  /** The last task that it ran. */
  task: number;
  kind: string;
  started: PooledSession;
  since: number;
  /** Whether the end of its last task is in the log, so that no two running attempts ever have one process. */
  isFree: boolean;
  /** The task that will take it. */
  reservedFor?: number;
}

/** A session that has answered, and whose process may be used again. */
export interface Answered {
  task: number;
  session: Session;
  options: SessionOptions;
  plan: StartPlan;
}

export class ReusedSessions implements SessionPool, Disposable {
  readonly #parts: ReusedParts;
  readonly #now: () => number;
  /** All processes that may be used again, by marker. */
  readonly #processes = new Map<string, Process>();
  /** Those that wait for a task, by marker. */
  readonly #idle = new Map<string, Idle>();
  readonly #ending = new Set<Promise<unknown>>();
  readonly #turnover: Turnover;
  /** Whether one of the processes has forgotten its task. */
  #hasWorked = false;
  #isClosed = false;

  constructor(parts: ReusedParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#turnover = new Turnover(this.#now);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const idle of [...this.#idle.values()]) this.#end(idle);
  }

  /** A process has started, for a task with these options. */
  started({ plan, session, seen: kept }: PooledSession, { reuseSessions }: SessionOptions): void {
    const { marker, workingDirectory, kind } = plan;
    if (reuseSessions !== "auto" || !kind || this.#processes.has(marker)) return;
    const stamp = this.#parts.stampOf(workingDirectory);
    this.#processes.set(marker, { plan, session, stamp, kept, tasks: 0, firstBytes: 0, isClearing: false });
    this.#turnover.taken(marker, plan.kindAfterwards?.() ?? "", { isReady: false });
    void session.exited.then(() => this.#gone(marker));
  }

  /** A process is ready for its prompt. */
  ready({ marker }: StartPlan): void {
    this.#turnover.ready(marker);
  }

  /** A process has the prompt of its task. */
  prompted({ marker }: StartPlan): void {
    this.#turnover.prompted(marker);
  }

  /** Gives away a process for this plan, with the names of its own start; undefined if none waits. */
  take(plan: StartPlan, _need: Need, task: number): PooledSession | undefined {
    const idle = this.#current(plan, task);
    if (!idle) return undefined;
    const { marker } = idle.process.plan;
    this.#idle.delete(marker);
    this.#turnover.taken(marker, idle.kind, { isReady: true });
    return idle.started;
  }

  has(task: number): boolean {
    return this.#for(task) !== undefined;
  }

  reserve(task: number): Disposable | undefined {
    const idle = this.#for(task);
    if (!idle) return undefined;
    idle.reservedFor = task;
    return {
      [Symbol.dispose]: () => {
        if (idle.reservedFor === task) delete idle.reservedFor;
      },
    };
  }

  patienceMs(task: number): number {
    const kind = this.#hasWorked ? this.#parts.planOf(task)?.kind?.() : undefined;
    if (kind === undefined) return 0;
    const { withinMs, processes } = this.#turnover.soon(kind);
    // With more tasks than that, another process is worth its start.
    return processes > 0 && this.#parts.waitingLike(task) <= processes ? withinMs : 0;
  }

  release(): void {
    for (const idle of this.#unreserved()) if (idle.isFree) this.#end(idle);
  }

  /**
   * A session has answered, and does nothing any more. Has it forget its conversation, so that another task can have its
   * process; undefined if it must end, because something of its task would stay in it, or no task waits for it.
   */
  answered({ task, session, options, plan }: Answered): Clearing | undefined {
    this.#turnover.answered(plan.marker);
    const process = this.#processes.get(plan.marker);
    const { reading, end } = session.output;
    if (!process || this.#isClosed || !this.#isWanted(task, plan)) return undefined;
    process.tasks++;
    process.began ??= reading.began;
    const now = this.#parts.bytesOf(plan.marker);
    if (process.firstBytes === 0) process.firstBytes = now;
    if (!process.began || this.#whyNot(process, { options, reading, now }) !== undefined) return undefined;
    // What the task started and left would reach the next one.
    if (!session.others || session.others().length > 0) return undefined;
    // What its next task reads with tools, it reads later.
    const clearedAt = momentNow();
    const clearing = clearingOf(session, {
      transcript: plan.transcript,
      reading,
      end,
      began: process.began,
    });
    if (!clearing) return undefined;
    process.isClearing = true;
    void clearing.ended.then((cleared) => {
      process.isClearing = false;
      if (!cleared) return;
      this.#hasWorked = true;
      const { offset, sessionId, output } = cleared;
      const started: PooledSession = {
        plan: { ...plan, sessionId, offset },
        session: { ...session, output },
        clearedAt,
        ...(process.kept ? { seen: process.kept } : {}),
      };
      const idle: Idle = {
        process,
        task,
        kind: plan.kindAfterwards?.() ?? "",
        started,
        since: this.#now(),
        isFree: false,
      };
      this.#idle.set(plan.marker, idle);
      // It may have ended, or be needed no more, by the time it is here.
      if (this.#isClosed || !this.#processes.has(plan.marker)) this.#end(idle);
    });
    return clearing;
  }

  /** The end of a task is in the log: its process, if that has forgotten it, may have another one. */
  concluded(marker: string): void {
    const idle = this.#idle.get(marker);
    if (!idle) return;
    idle.isFree = true;
    this.#parts.freed();
  }

  /** Nothing starts by itself here. */
  lookSoon(): void {}

  look(): void {
    for (const idle of this.#unreserved()) {
      const isLate = this.#now() - idle.since >= idleLifeMs;
      if (isLate || this.#parts.waitingLike(idle.task) === 0) this.#end(idle);
    }
  }

  owns(marker: string): boolean {
    const idle = this.#idle.get(marker);
    return idle !== undefined && idle.reservedFor === undefined;
  }

  evict(markers: readonly string[]): void {
    for (const marker of markers.filter((one) => this.owns(one))) {
      const idle = this.#idle.get(marker);
      if (idle) this.#end(idle);
    }
  }

  async ended(): Promise<void> {
    for (const idle of [...this.#idle.values()]) this.#end(idle);
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  // Those that no task will take.
  #unreserved(): Idle[] {
    return [...this.#idle.values()].filter(({ reservedFor }) => reservedFor === undefined);
  }

  #for(task: number): Idle | undefined {
    const plan = this.#idle.size > 0 ? this.#parts.planOf(task) : undefined;
    return plan && this.#current(plan, task);
  }

  // The one that was set aside for the task, else the one that waits for the shortest time, so that those too many leave.
  #current(plan: StartPlan, task: number): Idle | undefined {
    const kind = this.#idle.size > 0 ? plan.kind?.() : undefined;
    if (kind === undefined) return undefined;
    const fitting = [...this.#idle.values()].filter((one) => one.isFree && one.kind === kind);
    const idle =
      fitting.find(({ reservedFor }) => reservedFor === task) ??
      fitting.findLast(({ reservedFor }) => reservedFor === undefined);
    // Settings that have changed since hold for new processes only.
    if (!idle || !this.#hasChanged(idle.process)) return idle;
    this.#end(idle);
    return this.#current(plan, task);
  }

  // Whether more tasks wait for such a process than there are.
  #isWanted(task: number, plan: StartPlan): boolean {
    const waiting = this.#parts.waitingLike(task);
    if (waiting === 0) return false;
    const kind = plan.kindAfterwards?.();
    const idle = [...this.#idle.values()].filter((one) => one.kind === kind).length;
    // Of whatever kind these are: there are few.
    const clearing = [...this.#processes.values()].filter(({ isClearing }) => isClearing).length;
    return waiting > idle + clearing;
  }

  #whyNot(
    process: Process,
    { options, reading, now }: { options: SessionOptions; reading: Reading; now: number },
  ): string | undefined {
    const { plan, tasks, firstBytes } = process;
    const { workingDirectory } = plan;
    return whyNotReused({
      reading,
      options,
      tasks,
      hasHooks: this.#parts.hasHooks(workingDirectory, options),
      hasOwnClear: this.#parts.hasOwnClear(workingDirectory, options),
      hasWarned: sizeOf(plan.stderr) > 0,
      hasChanged: this.#hasChanged(process),
      bytes: { now, first: firstBytes },
    });
  }

  // Where answers are remembered, it must be certain that all it keeps is as it was: otherwise they could not be.
  #hasChanged({ plan: { workingDirectory }, stamp, kept }: Process): boolean {
    if (this.#parts.stampOf(workingDirectory) !== stamp) return true;
    return kept !== undefined && !this.#parts.isUntouched(kept);
  }

  #gone(marker: string): void {
    this.#turnover.gone(marker);
    this.#processes.delete(marker);
    const idle = this.#idle.get(marker);
    if (idle) this.#end(idle);
  }

  #end(idle: Idle): void {
    this.#idle.delete(idle.process.plan.marker);
    this.#endProcess(idle);
  }

  #endProcess({ process, started: { session } }: Idle): void {
    this.#processes.delete(process.plan.marker);
    session.output[Symbol.dispose]();
    session.closeInput();
    const ending = session
      .end({ graceMs: exitMs })
      .catch(this.#parts.failed)
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

// Undefined if somebody has removed the transcript, or too many files are open: then its process ends with its task.
function clearingOf(...of: ConstructorParameters<typeof Clearing>): Clearing | undefined {
  try {
    return new Clearing(...of);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
