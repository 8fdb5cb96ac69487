// The runner: carries one batch to its end, and holds nothing that is not in the log.
import { sessionEnvironment } from "../../claude/environment.ts";
import { noValues, type SessionValues } from "../../model/session-values.ts";
import type { Standstill } from "../../model/standstill.ts";
import type { BatchState } from "../../model/state.ts";
import { fileIdentity, makePrivateDirectory, removePath } from "../../platform/files.ts";
import { buryOrphans, takeInOrphans } from "../../platform/orphans.ts";
import { isOurParent, livenessOf, ownIdentity } from "../../platform/process.ts";
import { processorCount } from "../../platform/processors.ts";
import { watchDirectory } from "../../platform/watch.ts";
import { durationText } from "../../report/amounts.ts";
import { type BatchLog, Replaced } from "../../store/batch-log.ts";
import { isStorageTrouble } from "../../store/database.ts";
import { Holds } from "../../store/holds.ts";
import { LoginProofs } from "../../store/login-proofs.ts";
import { MachineSlots, startingPool } from "../../store/machine-slots.ts";
import type { Store } from "../../store/store.ts";
import { AccountHolds } from "../account/account-holds.ts";
import { AccountPace } from "../account/account-pace.ts";
import { endOfQueue, notStarted } from "../attempt/attempt-events.ts";
import { Machine } from "../memory/machine.ts";
import { noticesOf } from "../output/notify.ts";
import { OutputFiles } from "../output/output-files.ts";
import { Admission } from "../scheduler/admission.ts";
import { LoginProof } from "../scheduler/login-proof.ts";
import { Slots } from "../scheduler/slots.ts";
import { StartHold } from "../scheduler/start-hold.ts";
import { bestEffort, LateWrites } from "../shared/late-writes.ts";
import {
  type SharedRow,
  type SharedSlots,
  sharedCapacity,
  sharedHolds,
  sharedProofs,
  sharedRow,
  sharedSlots,
} from "../shared/shared-store.ts";
import { Heartbeat } from "./heartbeat.ts";
import { RunnerLog } from "./runner-log.ts";
import { startFollower, startNotifier } from "./start.ts";
import { Tasks } from "./tasks.ts";

/** How often cancel requests, leash and clocks are looked at, in milliseconds. */
const beatMs = 250;
/** Every nth beat reads all transcripts, in case the watcher missed a change. */
const lookEveryBeats = 4;
/** How long a store may be missing before it counts as gone for good, in milliseconds. */
const goneMs = 3_000;
/** Whoever does not wait for a login still waits for an update of `claude`, in milliseconds. */
const leastPatienceMs = 10_000;
/** After how many beats the keeper is looked for again. One that was started needs most of a second to say so. */
const keeperEveryBeats = 20;
/** So long, in milliseconds, an earlier runner is waited for that has ended its batch and is about to leave. */
const leavingMs = 3_000;
/** So long, in milliseconds, a disk is waited for that does not take the first line of a runner. */
const passingMs = 30_000;

/** Called after each change, for views in the same process. */
export type Watching = (
  state: BatchState,
  activities: ReadonlyMap<number, string>,
  standstill: Standstill | undefined,
) => void;

interface RunOptions {
  watching?: Watching;
  /** Of the variables that tasks give their sessions. */
  values?: SessionValues;
  /** Whether somebody is there who could log in: without, a login that does not work ends the batch at once. */
  isAttended?: boolean;
  /** Aborted once this process has asked for the end of the batch, in the log: that is heard at once. */
  cancelled?: AbortSignal;
}

/** Carries a batch to its end. False when another runner has it, or took it over meanwhile. */
export async function runBatch(store: Store, log: BatchLog, options: RunOptions = {}): Promise<boolean> {
  const epoch = await takeOver(log);
  if (epoch === undefined) return false;
  const keeper = store.row(log.batchId)?.keeper;
  await takeInOrphans(isOurParent(keeper) ? { parent: keeper } : {});
  try {
    await new Runner(store, log, epoch, options).run();
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
  readonly #store: Store;
  readonly #log: RunnerLog;
  readonly #late = new LateWrites();
  readonly #row: SharedRow;
  readonly #machineSlots: SharedSlots;
  readonly #slots: Slots;
  readonly #machineStarts: SharedSlots;
  readonly #starts: Slots;
  readonly #pace: AccountPace | undefined;
  readonly #holds: AccountHolds;
  readonly #machine: Machine;
  readonly #files: OutputFiles;
  readonly #tasks: Tasks;
  /** What running tasks are doing, by their numbers. */
  readonly #activities = new Map<number, string>();
  readonly #failed = Promise.withResolvers<never>();
  #standstill: Standstill | undefined;
  readonly #values: SessionValues;
  readonly #cancelled: AbortSignal | undefined;
  readonly #tellWatcher: () => void;
  readonly #storeIdentity: string | undefined;
  /** Since when the store is not in its place, by the monotonic clock. */
  #goneSince: number | undefined;
  #changeCount = -1;
  readonly #heartbeat = new Heartbeat();
  #beats = 0;
  /** The beat on which the keeper is looked for. */
  #keeperDue = 0;

  constructor(
    store: Store,
    batchLog: BatchLog,
    epoch: number,
    { watching, values = noValues, isAttended = true, cancelled }: RunOptions,
  ) {
    const { batch, account } = batchLog.state;
    this.#store = store;
    this.#storeIdentity = fileIdentity(store.layout.database);
    this.#values = values;
    this.#cancelled = cancelled;
    this.#log = new RunnerLog(batchLog, epoch, () => {
      void this.#files.changed();
      this.#tellWatcher();
    });
    this.#tellWatcher = () => watching?.(batchLog.state, this.#activities, this.#standstill);
    const { batchId } = batch;
    const holder = ownIdentity();
    const { database } = store;
    const late = this.#late;
    const capacity = sharedCapacity(store.capacity, late);
    this.#row = sharedRow(store, late);
    const { slots = batch.concurrency } = batch;
    this.#pace =
      slots === "auto"
        ? new AccountPace({ capacity, account: account.hash, running: () => this.#machineSlots.taken() })
        : undefined;
    const limit = () => (slots === "auto" ? (this.#pace?.ceiling() ?? 1) : slots);
    const accountSlots = new MachineSlots(database, { pool: account.hash, batchId, holder, limit });
    this.#machineSlots = sharedSlots(accountSlots, account.hash, late);
    const ceiling = batch.concurrency === "auto" ? Number.POSITIVE_INFINITY : batch.concurrency;
    this.#slots = new Slots(ceiling, this.#machineSlots);
    const processors = processorCount();
    const machineStarts = new MachineSlots(database, {
      pool: startingPool,
      batchId,
      holder,
      limit: () => processors,
    });
    this.#machineStarts = sharedSlots(machineStarts, startingPool, late);
    this.#starts = new Slots(processors, this.#machineStarts);
    this.#holds = new AccountHolds(sharedHolds(new Holds(database, account.hash), late), holder, {
      patienceMs: (batch.loginPatienceSeconds ?? 0) * 1000,
      isAttended,
    });
    const { memoryLimitMb } = batch;
    const limitBytes = memoryLimitMb === undefined ? undefined : memoryLimitMb * 1e6;
    this.#machine = new Machine({ capacity, batchId, holder, processors, limitBytes });
    // Where not even the log can be written, a file that could not be is the lesser matter.
    this.#files = new OutputFiles(store, batchLog, this.#activities, {
      report: (body) => void this.#log.tryAppend(() => [body]),
      failed: (error) => this.#failed.reject(error),
    });
    const patienceMs = Math.max(leastPatienceMs, (batch.loginPatienceSeconds ?? 0) * 1000);
    const startHold = new StartHold(patienceMs);
    const giveUpStarting = (because: string) => this.#giveUpStarting(because, patienceMs);
    const login = new LoginProof({
      patienceMs: (batch.loginProofSeconds ?? 0) * 1000,
      hasAnswered: hasAnswered(batchLog.state),
      kept: sharedProofs(new LoginProofs(database, account.hash), late),
    });
    const admission = new Admission({
      state: () => this.#log.state,
      layout: store.layout,
      dueAt: (number) => this.#tasks.dueAt(number),
      slots: this.#slots,
      starts: this.#starts,
      startHold,
      holds: this.#holds,
      login,
      machine: this.#machine,
      hold: (standstill) => this.#hold(standstill),
      budgetSpent: () => this.#endByBudget(),
      giveUpStarting,
    });
    this.#tasks = new Tasks({
      store,
      log: this.#log,
      slots: this.#slots,
      machineSlots: this.#machineSlots,
      admission,
      startHold,
      pace: this.#pace,
      holds: this.#holds,
      login,
      machine: this.#machine,
      files: this.#files,
      environment: sessionEnvironment(process.env),
      values,
      giveUpStarting,
      failed: (error) => this.#failed.reject(error),
    });
    // Nobody may be listening any more when it fails.
    this.#failed.promise.catch(() => undefined);
  }

  async run(): Promise<void> {
    const folder = this.#store.layout.batchDirectory(this.#log.batchId);
    makePrivateDirectory(folder);
    using _slots = this.#slots;
    using _starts = this.#starts;
    using _watch = watchDirectory(folder, (name) => this.#guard(() => this.#tasks.look(name)));
    const timer = setInterval(() => this.#guard(() => bestEffort(() => this.#beat(), undefined)), beatMs);
    const hear = () => this.#guard(() => bestEffort(() => this.#hearOthers(), undefined));
    this.#cancelled?.addEventListener("abort", hear);
    try {
      void this.#files.begin();
      // Nobody starts a session in the name of a runner that has gone, nor does what held it hold us.
      this.#machineStarts.releaseAll();
      this.#row.setHold(this.#log.batchId, undefined);
      this.#tasks.adoptAll();
      // Before anything new starts: who carries the batch of a process that was killed only ends it.
      this.#checkLeash();
      bestEffort(() => this.#seeToKeeper(), undefined);
      while (!(await this.#end()));
      this.#leave();
      if (noticesOf(this.#log.state).length > 0) startNotifier(this.#store, this.#log.batchId);
    } finally {
      clearInterval(timer);
      this.#cancelled?.removeEventListener("abort", hear);
      this.#files.stop();
    }
  }

  // Carries what is queued, and ends the batch. False where something has come on the way: a retry, of which a session may
  // run, or another directory for the files.
  async #end(): Promise<boolean> {
    for (const step of [() => this.#carryAll(), () => this.#files.end()]) {
      await Promise.race([step(), this.#failed.promise]);
      if (!isDone(this.#log.state)) return false;
    }
    if (!this.#files.areLast) return false;
    // Before the end is in the log: after it, nobody comes to clear up behind a runner that dies.
    this.#machine.look(true);
    removePath(this.#store.layout.privateFolder(this.#log.batchId));
    const isEnd = (now: BatchState) => isDone(now) && this.#files.areLast;
    const ended = await this.#log.commit((now) => (isEnd(now) ? [{ type: "batch-ended" }] : []));
    return ended.length > 0;
  }

  async #carryAll(): Promise<void> {
    await this.#tasks.carryAll();
    await this.#tasks.endShared();
  }

  #beat(): void {
    this.#beats++;
    this.#late.flush();
    buryOrphans();
    if (this.#beats % lookEveryBeats === 0) this.#checkStore();
    this.#sayThatWeLive();
    this.#hearOthers();
    this.#checkLeash();
    this.#seeToKeeper();
    for (const attempt of this.#tasks.running.values()) {
      if (this.#beats % lookEveryBeats === 0) attempt.look();
      attempt.checkClocks();
    }
    this.#noteActivities();
    for (const number of this.#activities.keys()) {
      if (!this.#tasks.running.has(number)) this.#activities.delete(number);
    }
    this.#tasks.giveWay(this.#machine.look());
    this.#tasks.tellHold();
    void this.#files.beat();
  }

  #leave(): void {
    this.#hold(undefined);
    this.#machineSlots.releaseAll();
    this.#machineStarts.releaseAll();
  }

  // What was removed stays open for us and nobody else: sessions that run can still end, and no new one has a place.
  #checkStore(): void {
    const { database, stateDirectory } = this.#store.layout;
    if (fileIdentity(database) === this.#storeIdentity) {
      this.#goneSince = undefined;
      return;
    }
    this.#goneSince ??= performance.now();
    if (performance.now() - this.#goneSince < goneMs) return;
    const message = `The state directory ${stateDirectory} was removed, moved or replaced while the batch ran, so no more sessions could start.`;
    this.#log.tryAppend((state) => [
      ...(state.fileFailures.has(database)
        ? []
        : [{ type: "file-failed" as const, path: database, message }]),
      ...notStarted(state, message),
    ]);
  }

  #sayThatWeLive(): void {
    const now = this.#heartbeat.due();
    if (now === undefined) return;
    const { batchId, epoch } = this.#log;
    if (!this.#row.setAlive(batchId, epoch, now)) throw new Replaced(batchId);
  }

  #hearOthers(): void {
    const changeCount = this.#store.changeCount();
    if (changeCount === this.#changeCount) return;
    this.#changeCount = changeCount;
    this.#pace?.refresh();
    this.#holds.refresh();
    this.#slots.contended = this.#machineSlots.yields();
    this.#starts.contended = this.#machineStarts.yields();
    for (const event of this.#log.hearOthers()) {
      if (event.type === "retry-requested")
        this.#tasks.beginAgain([...event.tasks, ...(event.succeeded ?? [])]);
    }
    this.#tasks.endCancelled();
  }

  // Somebody must see when we are killed: sessions would go on without clocks and budget until the next call.
  #seeToKeeper(): void {
    if (this.#beats < this.#keeperDue) return;
    const { batchId } = this.#log;
    const keeper = this.#store.row(batchId)?.keeper;
    const lives = keeper !== undefined && livenessOf(keeper) !== "dead";
    const isThere = lives || startFollower(this.#store, batchId, this.#values);
    this.#keeperDue = this.#beats + (isThere ? keeperEveryBeats : 1);
  }

  #checkLeash(): void {
    const { leash, cancelledBy } = this.#log.state;
    if (!leash || cancelledBy || livenessOf(leash) !== "dead") return;
    this.#log.tryAppend(() => [{ type: "cancel-requested", by: "leash" }]);
    this.#tasks.endCancelled();
  }

  #noteActivities(): void {
    const news = new Map<number, string>();
    for (const [number, { activity }] of this.#tasks.running) {
      if (activity !== undefined && this.#activities.get(number) !== activity) news.set(number, activity);
    }
    if (news.size === 0) return;
    for (const [number, activity] of news) this.#activities.set(number, activity);
    this.#row.setActivities(this.#log.batchId, news);
    void this.#files.changed();
  }

  #hold(standstill: Standstill | undefined): void {
    if (standstill?.because === this.#standstill?.because && standstill?.until === this.#standstill?.until)
      return;
    this.#standstill = standstill;
    void this.#files.changed();
    this.#tellWatcher();
    this.#row.setHold(this.#log.batchId, standstill);
  }

  #endByBudget(): void {
    this.#log.tryAppend((state) => endOfQueue(state, "budget"));
  }

  #giveUpStarting(because: string, afterMs: number): void {
    const message = `No session could start for ${durationText(afterMs)}. ${because}`;
    this.#log.tryAppend((state) => notStarted(state, message));
  }

  // What fails in a timer or a watch fails the runner, and not only that one call.
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed.reject(error);
    }
  }
}

// What runs was started by an earlier runner, which had seen to it that the login works.
function hasAnswered({ counts }: BatchState): boolean {
  return counts.succeeded > 0 || counts.running > 0;
}

function isDone({ tasks }: BatchState): boolean {
  return tasks.every(({ status }) => status === "done");
}
