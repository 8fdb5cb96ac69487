// The runner: carries one batch to its end, and holds nothing that is not in the log.
import type { BatchState } from "../../model/state.ts";
import { fileIdentity, makePrivateDirectory, removePath } from "../../platform/files.ts";
import { buryOrphans, takeInOrphans } from "../../platform/orphans.ts";
import { isOurParent, livenessOf, ownIdentity } from "../../platform/process.ts";
import { watchDirectory } from "../../platform/watch.ts";
import { type BatchLog, Replaced } from "../../store/batch-log.ts";
import { isStorageTrouble } from "../../store/database.ts";
import type { Store } from "../../store/store.ts";
import { notStarted } from "../attempt/attempt-events.ts";
import { noticesOf } from "../output/notify.ts";
import { bestEffort } from "../shared/late-writes.ts";
import { composeRunner, type RunnerParts, type RunOptions } from "./compose-runner.ts";
import { Heartbeat } from "./heartbeat.ts";
import { startFollower, startNotifier } from "./start.ts";

/** How often cancel requests, leash and clocks are looked at, in milliseconds. */
const beatMs = 250;
/** Every nth beat reads all transcripts, in case the watcher missed a change. */
const lookEveryBeats = 4;
/** How long a store may be missing before it counts as gone for good, in milliseconds. */
const goneMs = 3_000;
/** After how many beats the keeper is looked for again. One that was started needs most of a second to say so. */
const keeperEveryBeats = 20;
/** So long, in milliseconds, an earlier runner is waited for that has ended its batch and is about to leave. */
const leavingMs = 3_000;
/** So long, in milliseconds, a disk is waited for that does not take the first line of a runner. */
const passingMs = 30_000;

/** Carries a batch to its end. False when another runner has it, or took it over meanwhile. */
export async function runBatch(store: Store, log: BatchLog, options: RunOptions = {}): Promise<boolean> {
  const epoch = await takeOver(log);
  if (epoch === undefined) return false;
  const keeper = store.row(log.batchId)?.keeper;
  await takeInOrphans(isOurParent(keeper) ? { parent: keeper } : {});
  try {
    await new Runner(composeRunner(store, log, epoch, options)).run();
    return true;
  } catch (error) {
    // Sessions that are left go on writing to their transcripts, for the next runner to adopt.
    if (error instanceof Replaced) return false;
    throw error;
  }
}

async function takeOver(log: BatchLog): Promise<number | undefined> {
  const began = performance.now();
  let leftAt = began + leavingMs;
  for (;;) {
    try {
      log.refresh();
      const epoch = log.takeOver(ownIdentity());
      if (epoch !== undefined || log.state.endedAt !== undefined || performance.now() > leftAt) return epoch;
    } catch (error) {
      if (!isStorageTrouble(error) || performance.now() - began > passingMs) throw error;
      leftAt = performance.now() + leavingMs;
    }
    await Bun.sleep(50);
  }
}

class Runner {
  readonly #parts: RunnerParts;
  readonly #storeIdentity: string | undefined;
  /** Since when the store is not in its place, by the monotonic clock. */
  #goneSince: number | undefined;
  #changeCount = -1;
  readonly #heartbeat = new Heartbeat();
  #beats = 0;
  /** The beat on which the keeper is looked for. */
  #keeperDue = 0;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#storeIdentity = fileIdentity(parts.store.layout.database);
  }

  async run(): Promise<void> {
    const { store, log, row, slots, machineStarts, starts, files, tasks, cancelled, attempts } = this.#parts;
    const folder = store.layout.batchDirectory(log.batchId);
    makePrivateDirectory(folder);
    using _slots = slots;
    using _starts = starts;
    using _watch = watchDirectory(folder, (name) => this.#guard(() => attempts.look(name)));
    const timer = setInterval(() => this.#guard(() => bestEffort(() => this.#beat(), undefined)), beatMs);
    const hear = () => this.#guard(() => bestEffort(() => this.#hearOthers(), undefined));
    cancelled?.addEventListener("abort", hear);
    try {
      void files.begin();
      // Nobody starts a session in the name of a runner that has gone, nor does what held it hold us.
      machineStarts.releaseAll();
      row.setHold(log.batchId, undefined);
      tasks.adoptAll();
      // Before anything new starts: who carries the batch of a process that was killed only ends it.
      this.#checkLeash();
      bestEffort(() => this.#seeToKeeper(), undefined);
      while (!(await this.#end()));
      this.#leave();
      if (noticesOf(log.state).length > 0) startNotifier(store, log.batchId);
    } finally {
      clearInterval(timer);
      cancelled?.removeEventListener("abort", hear);
      files.stop();
    }
  }

  // Carries what is queued, and ends the batch. False where something has come on the way: a retry, of which a session may
  // run, or another directory for the files.
  async #end(): Promise<boolean> {
    const { store, log, machine, files, failed } = this.#parts;
    for (const step of [() => this.#carryAll(), () => files.end()]) {
      await Promise.race([step(), failed]);
      if (!isDone(log.state)) return false;
    }
    if (!files.areLast) return false;
    // Before the end is in the log: after it, nobody comes to clear up behind a runner that dies.
    machine.look(true);
    removePath(store.layout.privateFolder(log.batchId));
    const isEnd = (now: BatchState) => isDone(now) && files.areLast;
    const ended = await log.commit((now) => (isEnd(now) ? [{ type: "batch-ended" }] : []));
    return ended.length > 0;
  }

  async #carryAll(): Promise<void> {
    const { tasks } = this.#parts;
    await tasks.carryAll();
    await tasks.endShared();
  }

  #beat(): void {
    const { late, machine, files, tasks, activities, attempts } = this.#parts;
    this.#beats++;
    late.flush();
    buryOrphans();
    if (this.#beats % lookEveryBeats === 0) this.#checkStore();
    this.#sayThatWeLive();
    this.#hearOthers();
    this.#checkLeash();
    this.#seeToKeeper();
    for (const attempt of attempts.running.values()) {
      if (this.#beats % lookEveryBeats === 0) attempt.look();
      attempt.checkClocks();
    }
    this.#noteActivities();
    for (const number of activities.keys()) {
      if (!attempts.running.has(number)) activities.delete(number);
    }
    attempts.evict(machine.look());
    tasks.tellHold();
    void files.beat();
  }

  #leave(): void {
    const { machineSlots, machineStarts, shownHold } = this.#parts;
    shownHold.show(undefined);
    machineSlots.releaseAll();
    machineStarts.releaseAll();
  }

  // What was removed stays open for us and nobody else: sessions that run can still end, and no new one has a place.
  #checkStore(): void {
    const { store, log } = this.#parts;
    const { database, stateDirectory } = store.layout;
    if (fileIdentity(database) === this.#storeIdentity) {
      this.#goneSince = undefined;
      return;
    }
    this.#goneSince ??= performance.now();
    if (performance.now() - this.#goneSince < goneMs) return;
    const message = `The state directory ${stateDirectory} was removed, moved or replaced while the batch ran, so no more sessions could start.`;
    log.tryAppend((state) => [
      ...(state.fileFailures.has(database)
        ? []
        : [{ type: "file-failed" as const, path: database, message }]),
      ...notStarted(state, message),
    ]);
  }

  #sayThatWeLive(): void {
    const { log, row } = this.#parts;
    const now = this.#heartbeat.due();
    if (now === undefined) return;
    const { batchId, epoch } = log;
    if (!row.setAlive(batchId, epoch, now)) throw new Replaced(batchId);
  }

  #hearOthers(): void {
    const { store, log, machineSlots, slots, machineStarts, starts, pace, holds, tasks, attempts } =
      this.#parts;
    const changeCount = store.changeCount();
    if (changeCount === this.#changeCount) return;
    this.#changeCount = changeCount;
    pace?.refresh();
    holds.refresh();
    slots.contended = machineSlots.yields();
    starts.contended = machineStarts.yields();
    for (const event of log.hearOthers()) {
      if (event.type === "retry-requested") tasks.beginAgain([...event.tasks, ...(event.succeeded ?? [])]);
    }
    attempts.endCancelled();
  }

  // Somebody must see when we are killed: sessions would go on without clocks and budget until the next call.
  #seeToKeeper(): void {
    const { store, log, values } = this.#parts;
    if (this.#beats < this.#keeperDue) return;
    const { batchId } = log;
    const keeper = store.row(batchId)?.keeper;
    const lives = keeper !== undefined && livenessOf(keeper) !== "dead";
    const isThere = lives || startFollower(store, batchId, values);
    this.#keeperDue = this.#beats + (isThere ? keeperEveryBeats : 1);
  }

  #checkLeash(): void {
    const { log, attempts } = this.#parts;
    const { leash, cancelledBy } = log.state;
    if (!leash || cancelledBy || livenessOf(leash) !== "dead") return;
    log.tryAppend(() => [{ type: "cancel-requested", by: "leash" }]);
    attempts.endCancelled();
  }

  #noteActivities(): void {
    const { log, row, files, activities, attempts } = this.#parts;
    const news = new Map<number, string>();
    for (const [number, { activity }] of attempts.running) {
      if (activity !== undefined && activities.get(number) !== activity) news.set(number, activity);
    }
    if (news.size === 0) return;
    for (const [number, activity] of news) activities.set(number, activity);
    row.setActivities(log.batchId, news);
    void files.changed();
  }

  // What fails in a timer or a watch fails the runner, and not only that one call.
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.fail(error);
    }
  }
}

function isDone({ tasks }: BatchState): boolean {
  return tasks.every(({ status }) => status === "done");
}
