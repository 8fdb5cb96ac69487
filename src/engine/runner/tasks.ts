// The queue of a batch: takes its tasks, attempt by attempt, until all have ended.

import { prerequisitesOf } from "../../model/prerequisites.ts";
import { isWithheld } from "../../model/sample.ts";
import { type TaskState, taskOf } from "../../model/state.ts";
import { directoryOf, optionsOf } from "../../model/task-options.ts";
import { clock } from "../../platform/clock.ts";
import { skippedEvents } from "../attempt/attempt-events.ts";
import { markerOfAttempt } from "../attempt/session-name.ts";
import type { WarmSpares } from "../attempt/warm-spares.ts";
import { BorrowedDirectory } from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { OutputFiles } from "../output/output-files.ts";
import type { Admission, Admitted } from "../scheduler/admission.ts";
import type { Slot, Slots } from "../scheduler/slots.ts";
import { WaitingTasks } from "../scheduler/waiting-tasks.ts";
import type { SharedSlots } from "../shared/shared-store.ts";
import type { Attempts } from "./attempts.ts";
import { stepOf } from "./equal-tasks.ts";
import type { FleetParts } from "./fleet-parts.ts";
import { type StartParts, startAttempt } from "./start-attempt.ts";

/** Of those that come next, no more are looked at. */
export const mostLookedAt = 50;

/** What the tasks of a batch need. */
export interface TasksParts extends StartParts {
  attempts: Attempts;
  slots: Slots;
  accountSlots: SharedSlots;
  admission: Admission;
  spares: Pick<WarmSpares, "endedMarkers">;
  files: OutputFiles;
  /** The same for tasks that may run on the same machines. Absent on this machine alone. */
  laneOf?(number: number): string;
  /** What a fleet runs, if the batch has one. */
  fleet?: FleetParts | undefined;
  /** A task has failed because of an internal error, or with `Replaced`: another runner has the batch. */
  failed(error: unknown): void;
}

export class Tasks {
  readonly #parts: TasksParts;
  /** The numbers of the open tasks: running, or waiting for a slot or a retry. */
  readonly #open = new Set<number>();
  /** Tasks that wait for others to end. */
  readonly #after: WaitingTasks;
  /** Tasks that wait for one with the same prompt and options, by that one. */
  readonly #equals = new Map<number, number[]>();
  /** Resolves when nothing is open or waits for others. Racing thousands of promises again after each end took hundreds of megabytes. */
  #allClosed = Promise.withResolvers<void>();
  /** Tasks that are not due yet, in the order in which they began to wait. */
  readonly #waiting = new Set<number>();
  /** Up to which task all were begun, at least once. */
  #begun = 0;
  /** Whether there is something to run that was passed over before; and how often that was so. */
  #isMore = false;
  #mores = 0;
  /** The tasks that are begun at present, of each machine or choice of machines. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** Those that wait to be admitted there: one is in two lanes when its machines have changed. */
  readonly #beginning = new Set<number>();
  /** Whether somebody had paused the batch when that was looked at last. */
  #isPaused = false;

  constructor(parts: TasksParts) {
    this.#parts = parts;
    this.#after = new WaitingTasks(() => parts.log.state);
  }

  /** Adopts the sessions of an earlier runner, with its slots. Call once, before anything else. */
  adoptAll(): void {
    const { log, accountSlots, slots, fleet } = this.#parts;
    // They run already, whatever the ceiling is now: each gets a slot, even if there is none left.
    const inherited = accountSlots.inherit();
    for (const { number, status } of [...log.state.tasks]) {
      if (status !== "running") continue;
      if (fleet?.attempts.has(number)) {
        this.#track(number, this.#adopt(number, fleet.slots.adopt(fleet.forceSlot())));
        continue;
      }
      const id = inherited.pop() ?? accountSlots.force();
      this.#track(number, this.#adopt(number, slots.adopt(id)));
    }
    for (const id of inherited) accountSlots.release(id);
  }

  /** Runs everything that is queued, or of a sample, its tasks. Resolves when nothing is open any more. */
  async runAll(): Promise<void> {
    do {
      this.#isMore = false;
      await this.#beginAll();
      while (this.#open.size + this.#after.size > 0 && !this.#isMore) {
        this.#allClosed = Promise.withResolvers();
        await this.#allClosed.promise;
      }
    } while (this.#isMore);
  }

  async #beginAll(): Promise<void> {
    const { log, laneOf } = this.#parts;
    // They are looked at again.
    this.#equals.clear();
    if (!laneOf) return await this.#beginEach([...log.state.tasks]);
    this.#beginLanes(laneOf);
    // Others may begin meanwhile.
    while (this.#lanes.size > 0) await Promise.all(this.#lanes.values());
  }

  // A machine that is full or away keeps no task of another one waiting, also none that was added since.
  #beginLanes(laneOf: (number: number) => string): void {
    for (const lane of new Set(this.#parts.log.state.tasks.map(({ number }) => laneOf(number)))) {
      if (this.#lanes.has(lane)) continue;
      const begun = this.#beginLane(lane, laneOf)
        .catch(this.#parts.failed)
        .finally(() => this.#lanes.delete(lane));
      this.#lanes.set(lane, begun);
    }
  }

  async #beginLane(lane: string, laneOf: (number: number) => string): Promise<void> {
    let looks: number;
    do {
      looks = this.#mores;
      await this.#beginEach(this.#parts.log.state.tasks.filter(({ number }) => laneOf(number) === lane));
    } while (looks !== this.#mores);
  }

  // One after the other, each as soon as it may start.
  async #beginEach(tasks: readonly TaskState[]): Promise<void> {
    for (const { number, status } of tasks) {
      this.#begun = number;
      const isReady = status === "queued" && !this.#open.has(number) && !this.#after.has(number);
      if (!isReady || this.#beginning.has(number)) continue;
      if (!this.#mayRun(number) || !this.#runsItself(number)) continue;
      this.#beginning.add(number);
      const admitted = await this.#admissionOf(number).admit(number);
      this.#beginning.delete(number);
      // It may have been cancelled and retried while it waited here: then it is open already.
      if (this.#open.has(number)) admitted?.[Symbol.dispose]();
      else this.#track(number, this.#run(number, admitted));
    }
  }

  /** Lets nothing more start if somebody has paused the batch, and begins what waits once that is over. */
  obeyPause(): void {
    const { state } = this.#parts.log;
    const isPaused = state.paused !== undefined;
    if (isPaused) {
      // They would keep the batch from its rest. Those that were begun leave by themselves.
      const known = new Map<number, boolean>();
      this.#after.drop((number) => isWithheld(state, taskOf(state, number), known));
      this.#closeWhenDone();
    } else if (this.#isPaused) this.beginMore();
    this.#isPaused = isPaused;
  }

  /** There is something to begin that was passed over, or is new. */
  beginMore(): void {
    this.#isMore = true;
    this.#mores++;
    this.#allClosed.resolve();
    const { laneOf } = this.#parts;
    if (laneOf && this.#lanes.size > 0) this.#beginLanes(laneOf);
  }

  /** The tasks that come next, and could start as soon as there is a slot, in order. */
  *next(): Iterable<number> {
    const { admission, fleet } = this.#parts;
    let looks = 0;
    for (const number of this.#upcoming()) {
      if (++looks > mostLookedAt) return;
      if (!fleet?.attempts.runs(number) && admission.couldStart(number)) yield number;
    }
  }

  // Thousands wait for their turn at once after a retry of as many.
  *#upcoming(): Iterable<number> {
    const { log, admission } = this.#parts;
    yield* admission.waiting;
    const { tasks, batch } = log.state;
    for (let index = this.#begun; index < Math.min(tasks.length, this.#begun + mostLookedAt); index++) {
      const task = tasks[index];
      if (!task || this.#open.has(task.number) || isWithheld(log.state, task)) continue;
      const isAlone = prerequisitesOf(batch.tasks[index]).length === 0;
      if (isAlone && stepOf(log.state, task.number).kind === "start") yield task.number;
    }
  }

  /** Runs tasks that a retry has queued while the batch runs. */
  runAgain(numbers: readonly number[]): void {
    const { files } = this.#parts;
    void files.forget(numbers);
    for (const number of numbers) {
      // Some may have ended again before we read the retry.
      void files.writeTask(number);
      this.#begin(number);
    }
  }

  /** Goes on with tasks that waited for an equal one, and are like it no more: a retry has given some other options. */
  regroup(): void {
    const waiting = [...this.#equals.values()].flat();
    this.#equals.clear();
    for (const number of waiting) this.#begin(number);
  }

  /** Goes on with tasks whose prerequisites ended while nobody looked: others may have cancelled them. */
  beat(): void {
    if (this.#after.size === 0) return;
    this.#goOn(this.#after.look());
    this.#closeWhenDone();
  }

  /** Reports why nothing runs, if that is a hold of the remaining models. */
  reportHold(): void {
    const { attempts } = this.#parts;
    if (attempts.running.size > 0) return;
    for (const number of this.#waiting) if (this.#admissionOf(number).reportHold(number)) return;
  }

  /** Ends the daemons that sessions shared, once none runs any more. */
  async endShared(): Promise<void> {
    const { host, log, spares } = this.#parts;
    const { batch, tasks, copiedAt = 0 } = log.state;
    await host.endShared(() => [
      ...spares.endedMarkers,
      ...tasks.flatMap(({ number, attempts }) =>
        attempts
          .filter(({ startedAt }) => startedAt > copiedAt)
          .map((one) => markerOfAttempt(batch.batchId, number, one)),
      ),
    ]);
  }

  // The task is open until this ends.
  #track(number: number, task: Promise<void>): void {
    this.#open.add(number);
    // The last one wakes `runAll`; an error goes to the runner.
    void task.then(
      () => {
        this.#open.delete(number);
        if (!this.#isQueued(number)) this.#goOn(this.#unblocked(number));
        // Retried in the moment in which it ended.
        else if (!this.#after.has(number) && !this.#isWithheld(number)) this.runAgain([number]);
        this.#closeWhenDone();
      },
      (error) => this.#parts.failed(error),
    );
  }

  #closeWhenDone(): void {
    if (this.#open.size + this.#after.size === 0) this.#allClosed.resolve();
  }

  // These wait for no other task any more.
  #goOn(numbers: readonly number[]): void {
    const all = [...numbers];
    for (const number of all) {
      if (this.#isQueued(number)) this.#begin(number);
      // Cancelled while it waited, which concerns those that wait for it.
      else all.push(...this.#unblocked(number));
    }
  }

  #begin(number: number): void {
    const isReady = !this.#open.has(number) && this.#isQueued(number);
    if (!isReady || !this.#mayRun(number) || !this.#runsItself(number)) return;
    this.#track(number, this.#run(number, undefined));
  }

  // False if it waits for others, never starts because one of them did not succeed, or waits until somebody continues the
  // batch: it is outside of the sample, or the batch is paused.
  #mayRun(number: number): boolean {
    if (this.#isWithheld(number)) return false;
    const wait = this.#after.waitOf(number);
    if (wait.kind === "for") this.#after.add(number, wait);
    if (wait.kind === "never") this.#track(number, this.#skip(number));
    return wait.kind === "free";
  }

  // Ends a task that will never start, and all that hang on it.
  async #skip(number: number): Promise<void> {
    const { log, files, attempts } = this.#parts;
    const events = await log.commit((state) => skippedEvents(state, [number]));
    const skipped = events.flatMap((event) => (event.type === "attempt-ended" ? [event.task] : []));
    for (const one of skipped) {
      this.#after.remove(one);
      void files.writeTask(one);
    }
    // That may have been too many failures.
    attempts.endCancelled();
    for (const one of skipped) this.#goOn(this.#unblocked(one));
  }

  // The tasks that may go on now that this one has ended.
  #unblocked(number: number): number[] {
    const equals = this.#equals.get(number) ?? [];
    this.#equals.delete(number);
    return [...this.#after.ended(number), ...equals];
  }

  // False if a task with the same prompt and options answers for it: then it waits, or ends like that one.
  #runsItself(number: number): boolean {
    const { log, attempts } = this.#parts;
    const step = stepOf(log.state, number);
    if (step.kind === "start") return true;
    if (step.kind === "wait") {
      const others = this.#equals.get(step.task);
      if (others) others.push(number);
      else this.#equals.set(step.task, [number]);
      return false;
    }
    const isMeant = () => this.#isQueued(number);
    this.#track(number, attempts.conclude(number, 0, step.end, { isMeant }));
    return false;
  }

  async #adopt(number: number, slot: Slot): Promise<void> {
    const { fleet } = this.#parts;
    {
      using _slot = slot;
      if (fleet?.attempts.has(number)) await fleet.attempts.adopt(number);
      else await this.#superviseAdopted(number);
    }
    await this.#run(number, undefined);
  }

  async #superviseAdopted(number: number): Promise<void> {
    const { log, host, workspace, attempts, holds } = this.#parts;
    const { batch } = log.state;
    const last = taskOf(log.state, number).attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const { number: attempt, identity, sessionId, transcript, offset, startedAt, resumes, costBefore } = last;
    const options = optionsOf(batch, number);
    const marker = markerOfAttempt(batch.batchId, number, last);
    const need = { footprintKey: footprintKey(batch, options), task: number };
    const session = host.adopt({ ref: identity, marker, transcript, offset, ...need });
    holds.adopt(number, options.model, startedAt);
    const prepared = workspace.adopt(batch, number, directoryOf(batch, number, last));
    await using directory = new BorrowedDirectory(number, prepared);
    const workingDirectory = directory.path;
    const known = { number, attempt, marker, sessionId, resumes, transcript, workingDirectory, costBefore };
    const supervised = { ...known, options, startedAt, adopted: true, directory };
    if (session.output) await attempts.supervise({ ...supervised, session });
    else await attempts.endUnread({ ...supervised, session });
  }

  // Attempt by attempt, until the task has ended. A task that waits for its retry, or for other tasks, has no slot.
  async #run(number: number, first: Admitted | undefined): Promise<void> {
    for (let admitted = first; ; admitted = await this.#admissionOf(number).admit(number)) {
      {
        using admission = admitted;
        if (admission && this.#after.waitOf(number).kind === "free") await this.#start(number, admission);
      }
      await this.#untilDue(number);
      if (!this.#isQueued(number) || this.#isWithheld(number)) return;
      // A retry may have queued again what it starts after.
      const wait = this.#after.waitOf(number);
      if (wait.kind === "never") return this.#skip(number);
      if (wait.kind === "for") return this.#after.add(number, wait);
    }
  }

  #start(number: number, admission: Admitted): Promise<void> {
    const { fleet } = this.#parts;
    return fleet?.attempts.runs(number)
      ? fleet.attempts.start(number, admission)
      : startAttempt(number, admission, this.#parts);
  }

  #admissionOf(number: number): Admission {
    const { fleet, admission } = this.#parts;
    return fleet?.attempts.runs(number) ? fleet.admission : admission;
  }

  // Polls, because the task may be cancelled meanwhile.
  async #untilDue(number: number): Promise<void> {
    const admission = this.#admissionOf(number);
    while (this.#isQueued(number) && !this.#isWithheld(number) && !admission.isDue(number)) {
      this.#waiting.add(number);
      await clock.next(admission.waitsLong(number) ? "rest" : "beat");
    }
    this.#waiting.delete(number);
  }

  #isWithheld(number: number): boolean {
    const { state } = this.#parts.log;
    return isWithheld(state, taskOf(state, number));
  }

  #isQueued(number: number): boolean {
    return taskOf(this.#parts.log.state, number).status === "queued";
  }
}
