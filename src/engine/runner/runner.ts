// The runner: takes one batch to its end, and keeps nothing that is not in the log.
import type { EventBody } from "../../model/event.ts";
import { isAtRest } from "../../model/sample.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import type { SucceededTask } from "../../model/summary.ts";
import { isLongWait } from "../../model/wait-reason.ts";
import { clock, Pace, rhythms } from "../../platform/clock.ts";
import { compileSooner } from "../../platform/compiler.ts";
import { makePrivateDirectory } from "../../platform/files.ts";
import { livenessWatch } from "../../platform/liveness-watch.ts";
import { becomeSubreaper, reapOrphans } from "../../platform/orphans.ts";
import { isOurParent, livenessOf, ownIdentity } from "../../platform/process.ts";
import { removePath } from "../../platform/removal.ts";
import { watchDirectory } from "../../platform/watch.ts";
import { type BatchLog, Replaced } from "../../store/batch-log.ts";
import { isStorageTrouble } from "../../store/database.ts";
import type { Store } from "../../store/store.ts";
import { notStarted, summaryEvents } from "../attempt/attempt-events.ts";
import { isAnswerThere } from "../attempt/earlier-answers.ts";
import { noticesOf } from "../output/notify.ts";
import { bestEffort } from "../shared/late-writes.ts";
import { traceChoice } from "../telemetry/target.ts";
import {
  complainInLog,
  composeRunner,
  type MoreParts,
  type RunnerParts,
  type RunOptions,
} from "./compose-runner.ts";
import { Heartbeat } from "./heartbeat.ts";
import { handoverMs } from "./hidden-commands.ts";
import { startFollowingKeeper, startNotifier, startTidier } from "./start-processes.ts";
import { takeOverAnswers } from "./take-over-answers.ts";

/** Every nth beat reads all transcripts, in case the watch missed a change, and checks that the store is in its place. */
const lookEveryBeats = 4;
/** For how many beats one look stands while nothing runs: a multiple of those. */
const beatsPerRest = rhythms.rest.everyMs / rhythms.beat.everyMs;
/** How long the store may be missing before it counts as removed, in milliseconds. */
const goneMs = 3_000;
/** How many beats between two checks for the keeper. A new keeper takes most of a second to register. */
const keeperEveryBeats = 20;
/** With this many tasks, compiling what each of them takes saves more processor time than it costs. */
const manyTasks = 500;
/** How long to wait for a disk that does not take a runner's first event, in milliseconds. */
const storagePatienceMs = 30_000;

/**
 * Runs a batch to its end or pause. False if another runner has it, or took it over meanwhile: this is where `Replaced` ends,
 * whichever call threw it.
 */
export async function runBatch(store: Store, log: BatchLog, options: RunOptions = {}): Promise<boolean> {
  const epoch = await takeOver(log);
  if (epoch === undefined) return false;
  const keeper = store.row(log.batchId)?.keeper;
  // A keeper that is our parent adopts orphans, too, such as those of the runner before us.
  await becomeSubreaper(isOurParent(keeper) ? { parent: keeper } : {});
  try {
    // Most batches run here, and need none of that.
    const { fleet, hosts } = log.state.batch;
    const fleetParts = fleet && (await import("./fleet-parts.ts")).fleetParts;
    const other = hosts && (await import("../hosts/hosts.ts")).Hosts;
    const tracing = await tracingOf(log.state, options);
    const more = {
      ...(fleetParts ? { fleetParts } : {}),
      ...(other ? { other } : {}),
      ...(tracing ? { tracing } : {}),
    };
    await new Runner(composeRunner(store, log, epoch, options, more)).run();
    return true;
  } catch (error) {
    // Remaining sessions continue to write to their transcripts, for the next runner to adopt.
    if (error instanceof Replaced) return false;
    throw error;
  }
}

// Undefined if no trace is sent: of a batch that runs for another machine, that one sends it.
async function tracingOf(
  { batch }: BatchState,
  { isUnseen, complain = complainInLog }: RunOptions,
): Promise<MoreParts["tracing"]> {
  if (isUnseen || batch.within?.isSampled === false) return undefined;
  const choice = traceChoice(process.env, batch.otlpEndpoint);
  if (choice.kind === "unusable") complain(`No traces are sent. ${choice.because} ${choice.remedy}`);
  if (choice.kind !== "send") return undefined;
  return { target: choice, Export: (await import("../telemetry/trace-export.ts")).TraceExport };
}

// The new epoch. Undefined if the batch has ended, or its runner does not exit.
async function takeOver(log: BatchLog): Promise<number | undefined> {
  const startedAt = performance.now();
  let deadline = startedAt + handoverMs;
  for (;;) {
    try {
      log.refresh();
      const hasWaited = performance.now() > deadline;
      const epoch = log.takeOver(ownIdentity(), { hasWaited });
      if (epoch !== undefined || log.state.endedAt !== undefined || hasWaited) return epoch;
    } catch (error) {
      if (!isStorageTrouble(error) || performance.now() - startedAt > storagePatienceMs) throw error;
      // It could not be seen whether that runner has exited, so it gets its time again.
      deadline = performance.now() + handoverMs;
    }
    await clock.next("handover");
  }
}

class Runner {
  readonly #parts: RunnerParts;
  readonly #heartbeat = new Heartbeat();
  readonly #liveness = livenessWatch();
  /** Since when the store is missing from its path, on the monotonic clock. */
  #goneSince: number | undefined;
  /** The store's, when others' events were last read. */
  #changeCount = -1;
  #beats = 0;
  readonly #startedAt = Date.now();
  /** The answers to tasks that others have added are looked for, one look after the other. */
  #added: Promise<void> = Promise.resolve();
  /** The beat on which to check for the keeper. */
  #keeperDue = 0;
  readonly #pace = new Pace(() => this.#guard(() => bestEffort(() => this.#beat(), undefined)));

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Takes the batch to its end. Throws `Replaced` if another runner has it, and what makes this one fail. */
  async run(): Promise<void> {
    using traceExport = this.#parts.traceExport;
    await this.#takeToItsEnd();
    // Last of all, because it may take seconds: a retry that comes meanwhile has a runner of its own.
    await traceExport?.finish();
  }

  async #takeToItsEnd(): Promise<void> {
    const { store, log, slots, starts, files, cancelled, attempts, pool, hosts, reuse, failed, fleet } =
      this.#parts;
    const { traceExport, requests } = this.#parts;
    if (log.state.tasks.length >= manyTasks) compileSooner("usual");
    const folder = store.layout.batchDirectory(log.batchId);
    makePrivateDirectory(folder);
    using _hosts = hosts;
    using _slots = slots;
    using _starts = starts;
    using _reuse = reuse;
    using _pool = pool;
    using _watch = watchDirectory(folder, (name) => this.#guard(() => this.#transcriptChanged(name)));
    using pace = this.#pace;
    pace.at("beat");
    const readOthers = () => this.#guard(() => bestEffort(() => this.#readOthers(), undefined));
    using _others = store.changes.subscribe(readOthers);
    using _requests = requests?.subscribe(() =>
      this.#guard(() => bestEffort(() => this.#obeyOthers(), undefined)),
    );
    cancelled?.addEventListener("abort", readOthers);
    try {
      this.#inherit();
      traceExport?.begin();
      await Promise.race([takeOverAnswers(this.#parts), failed]);
      while (!(await this.#runToEnd()));
      this.#finish();
      await fleet?.attempts.finish();
    } finally {
      cancelled?.removeEventListener("abort", readOthers);
      files.stop();
      // Another runner may have the batch, and this process may go on.
      attempts.endWaiting();
      await fleet?.link[Symbol.asyncDispose]();
    }
  }

  // In a timer or a watch, nobody would catch the error: it fails the runner.
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.fail(error);
    }
  }

  // Takes over what an earlier runner left.
  #inherit(): void {
    const { log, row, machineStarts, files, tasks, shownWait } = this.#parts;
    void files.open();
    // That runner no longer starts any session, and waits for nothing.
    machineStarts.releaseAll();
    row.setHeld(log.batchId, undefined);
    shownWait.look();
    row.setActivities(log.batchId, this.#unstarted());
    tasks.adoptAll();
    // Before anything new starts: if the process that waited for the batch was killed, the batch only has to end.
    this.#checkLeash();
    bestEffort(() => this.#ensureKeeper(), undefined);
  }

  // What sessions were doing that never got their prompts.
  #unstarted(): Map<number, undefined> {
    const { store, log } = this.#parts;
    const noted = bestEffort(() => [...store.activities(log.batchId).keys()], []);
    const isRunning = (number: number) => log.state.tasks[number - 1]?.status === "running";
    return new Map(noted.filter((number) => !isRunning(number)).map((number) => [number, undefined]));
  }

  // Runs what is queued, and ends the batch, or pauses it: after its sample, or because somebody has paused it. False if
  // something came meanwhile: a retry, with sessions perhaps running, or another directory for the files.
  async #runToEnd(): Promise<boolean> {
    const { store, log, machine, files, failed } = this.#parts;
    for (const step of [() => this.#runAll(), () => this.#summarize(), () => files.end()]) {
      await Promise.race([step(), failed]);
      if (!isAtRest(log.state)) return false;
    }
    if (!files.areCurrent) return false;
    // Before the end is in the log, because nobody cleans up after a runner that dies later: other runners see that our
    // sessions use no memory any more, and the private files go.
    machine.lookNow();
    removePath(store.layout.privateFolder(log.batchId));
    const isEnd = (now: BatchState) => isAtRest(now) && files.areCurrent;
    const ended = await log.commit((now) => (isEnd(now) ? [endEvent(now)] : []));
    return ended.length > 0;
  }

  async #runAll(): Promise<void> {
    const { tasks, pool } = this.#parts;
    // Tasks that were added in the last moment may have answers already.
    bestEffort(() => this.#readOthers(), undefined);
    await this.#added;
    await tasks.runAll();
    await pool.ended();
    await tasks.endShared();
  }

  // Adds the sessions of a summary, or runs them again where what they read has changed. Then there is something to run,
  // unless all of them have an earlier answer: then the next ones are added.
  async #summarize(): Promise<void> {
    const { store, log, tasks } = this.#parts;
    const folder = store.layout.answers(log.batchId);
    // What this runner has written is there; to look would be to pay again and again on a disk that gives nothing back.
    const isThere = (task: SucceededTask) => task.endedAt >= this.#startedAt || isAnswerThere(task);
    const means = { folder, isThere };
    while (isDone(log.state)) {
      const events = await log.commit((state) => (isDone(state) ? summaryEvents(state, means) : []));
      if (events.length === 0) return;
      for (const event of events) {
        if (event.type === "retry-requested") tasks.runAgain(event.succeeded ?? []);
        if (event.type === "tasks-added") await takeOverAnswers(this.#parts);
      }
    }
  }

  // The batch has ended or paused: others may have what this runner used, and the user hears of it.
  #finish(): void {
    const { store, log, row, accountSlots, machineStarts, shownWait, reuse } = this.#parts;
    reuse.tidy();
    shownWait.show(undefined);
    // Of a paused batch, that still shows the pause, and who continues it would see that until its next runner is there.
    row.setHeld(log.batchId, undefined);
    accountSlots.releaseAll();
    machineStarts.releaseAll();
    if (noticesOf(log.state).length > 0) startNotifier(store, log.batchId);
    startTidier(store, log.state);
  }

  // While all tasks wait for the reset of a limit, many beats come at once. Others' events wake us meanwhile.
  #keepPace(): void {
    const { attempts, shownWait } = this.#parts;
    const isWaiting = attempts.running.size === 0 && isLongWait(shownWait.reason);
    this.#pace.at(isWaiting ? "rest" : "beat");
    if (isWaiting) this.#beats = (Math.floor(this.#beats / beatsPerRest) + 1) * beatsPerRest;
    else this.#beats++;
  }

  #beat(): void {
    const { late, files, tasks, pool } = this.#parts;
    this.#keepPace();
    late.flush();
    reapOrphans();
    if (this.#isLookDue) this.#checkStore();
    this.#sendHeartbeat();
    this.#readOthers();
    // Other jobs of a worker write through the same connection, which counts no commits of its own.
    if (this.#isLookDue && this.#parts.isOneOfMany) this.#readShared();
    this.#checkLeash();
    this.#ensureKeeper();
    this.#checkAttempts();
    this.#noteActivities();
    this.#checkMemory();
    pool.look();
    tasks.beat();
    tasks.reportHold();
    void files.beat();
  }

  #checkMemory(): void {
    const { machine, attempts, pool } = this.#parts;
    if (!machine.look()) return;
    const lossOf = (marker: string) => (pool.owns(marker) ? "spare" : attempts.lossOf(marker));
    const markers = machine.toEvict(lossOf);
    pool.evict(markers);
    attempts.evict(markers);
  }

  #transcriptChanged(name: string): void {
    const { attempts, spares } = this.#parts;
    if (!spares.transcriptChanged(name)) attempts.transcriptChanged(name);
  }

  get #isLookDue(): boolean {
    return this.#beats % lookEveryBeats === 0;
  }

  // A removed store stays open only for us: running sessions can still end, but no new one has a place.
  #checkStore(): void {
    const { store, log } = this.#parts;
    const { database, stateDirectory } = store.layout;
    if (store.isInPlace) {
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

  // Throws `Replaced` if another runner has the batch, even while the log does not say so yet.
  #sendHeartbeat(): void {
    const { log, row } = this.#parts;
    const now = this.#heartbeat.due();
    if (now === undefined) return;
    const { batchId, epoch } = log;
    if (!row.setAlive(batchId, epoch, now)) throw new Replaced(batchId);
  }

  #readOthers(): void {
    const changeCount = this.#parts.store.changeCount();
    if (changeCount === this.#changeCount) return;
    this.#readShared();
    this.#obeyOthers();
    // Last: what cannot be read now, because storage is in trouble, is read on the next beat.
    this.#changeCount = changeCount;
  }

  #obeyOthers(): void {
    const { log, tasks, attempts, pool, shownWait } = this.#parts;
    const others = log.readOthers();
    if (others.some(({ type }) => type === "tasks-added")) this.#takeAdded();
    for (const event of others) {
      if (event.type !== "retry-requested") continue;
      tasks.runAgain([...event.tasks, ...(event.succeeded ?? [])]);
      if (event.changed) tasks.regroup();
      if (event.concurrency !== undefined) this.#changeNumber();
      // Also where the pause before it was not seen: what was passed over begins.
      if (event.pause === false) tasks.beginMore();
    }
    tasks.obeyPause();
    shownWait.look();
    attempts.endCancelled();
    // What they wait for may be cancelled, or wait for somebody.
    pool.look();
  }

  // What runners share: limits of the account and the machine, and who waits for them.
  #readShared(): void {
    const { accountSlots, slots, machineStarts, starts, pace, holds, prefixes, attempts } = this.#parts;
    pace?.refresh();
    holds.refresh();
    prefixes.refresh();
    slots.contended = accountSlots.yields();
    starts.contended = machineStarts.yields();
    attempts.giveBack();
  }

  // Those that an earlier answer is right for end with it; the others begin.
  #takeAdded(): void {
    const { tasks, fail } = this.#parts;
    this.#added = this.#added.then(() => takeOverAnswers(this.#parts)).then(() => tasks.beginMore(), fail);
  }

  // More may run from now on, or fewer: then those that have their prompts run on.
  #changeNumber(): void {
    const { slots, fleet, attempts } = this.#parts;
    slots.look();
    fleet?.slots.look();
    attempts.giveBack();
  }

  #checkLeash(): void {
    const { log, attempts } = this.#parts;
    const { leash, cancelledBy } = log.state;
    if (!leash || cancelledBy || this.#liveness(leash) !== "dead") return;
    log.tryAppend(() => [{ type: "cancel-requested", by: "leash" }]);
    attempts.endCancelled();
  }

  // Somebody must notice if we are killed: otherwise sessions would run without clocks and budget until the next call.
  #ensureKeeper(): void {
    const { store, log, values } = this.#parts;
    if (this.#beats < this.#keeperDue) return;
    const { batchId } = log;
    const keeper = store.row(batchId)?.keeper;
    const lives = keeper !== undefined && livenessOf(keeper) !== "dead";
    const isThere = lives || startFollowingKeeper(store, batchId, values);
    this.#keeperDue = this.#beats + (isThere ? keeperEveryBeats : 1);
  }

  #checkAttempts(): void {
    for (const attempt of this.#parts.attempts.running.values()) {
      if (this.#isLookDue) attempt.readTranscript();
      attempt.checkClocks();
    }
  }

  // For views: in this process, through `activities`, and in others, through the row.
  #noteActivities(): void {
    const { log, row, changed, activities, attempts } = this.#parts;
    const news = new Map<number, string | undefined>();
    for (const [number, { activity }] of attempts.running) {
      if (activity !== undefined && activities.get(number) !== activity) news.set(number, activity);
    }
    for (const number of activities.keys()) {
      if (attempts.running.has(number)) continue;
      activities.delete(number);
      const { status, attempts: made } = taskOf(log.state, number);
      // Its session waited for its prompt, and gave up: no event says so.
      if (status === "queued" || made.length === 0) news.set(number, undefined);
    }
    if (news.size === 0) return;
    for (const [number, activity] of news) if (activity !== undefined) activities.set(number, activity);
    row.setActivities(log.batchId, news);
    changed();
  }
}

function isDone({ tasks }: BatchState): boolean {
  return tasks.every(({ status }) => status === "done");
}

function endEvent({ counts }: BatchState): EventBody {
  return { type: counts.queued > 0 ? "batch-paused" : "batch-ended" };
}
