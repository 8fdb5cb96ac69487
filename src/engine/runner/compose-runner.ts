// The parts of a runner, and what each gets of the others.
import { sessionEnvironment } from "../../claude/environment.ts";
import { hasHooks, hasOwnClear, startStamp } from "../../claude/own-looks.ts";
import { SharedDaemons } from "../../claude/shared-daemons.ts";
import { Sweeper } from "../../claude/sweep.ts";
import { mostAtOnce } from "../../model/options.ts";
import { noValues, type SessionValues } from "../../model/session-values.ts";
import type { BatchState } from "../../model/state.ts";
import { pauseReason, type WaitReason } from "../../model/wait-reason.ts";
import { clock } from "../../platform/clock.ts";
import { ownIdentity } from "../../platform/process.ts";
import { processorCount } from "../../platform/processors.ts";
import { durationText } from "../../report/amounts.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { accountOn, Holds } from "../../store/holds.ts";
import { LoginProofs } from "../../store/login-proofs.ts";
import { MachineSlots, startingPool } from "../../store/machine-slots.ts";
import { Prefixes } from "../../store/prefixes.ts";
import { spentSince } from "../../store/spent.ts";
import type { Store } from "../../store/store.ts";
import { AccountHolds, type TaskHolds } from "../account/account-holds.ts";
import { AccountPace } from "../account/account-pace.ts";
import { cancelQueued, notStarted } from "../attempt/attempt-events.ts";
import { answerWriter, summariesOf } from "../attempt/earlier-answers.ts";
import { LocalHost } from "../attempt/local-host.ts";
import { ReusedSessions } from "../attempt/reused-sessions.ts";
import { poolOf } from "../attempt/session-pool.ts";
import { sessionTraces } from "../attempt/session-traces.ts";
import { waitingLike } from "../attempt/tasks-alike.ts";
import { mostSpares, WarmSpares } from "../attempt/warm-spares.ts";
import { sharedDirectory } from "../attempt/workspace.ts";
import type { Hosts } from "../hosts/hosts.ts";
import { Machine } from "../memory/machine.ts";
import { OutputFiles } from "../output/output-files.ts";
import { Reuse } from "../reuse/reuse.ts";
import { Admission } from "../scheduler/admission.ts";
import { LoginProof } from "../scheduler/login-proof.ts";
import { longestWaitMs, PrefixGroups } from "../scheduler/prefix-groups.ts";
import { PrefixIndex } from "../scheduler/prefix-index.ts";
import { PrefixesElsewhere } from "../scheduler/prefixes-elsewhere.ts";
import { Slots } from "../scheduler/slots.ts";
import { StartBackoff } from "../scheduler/start-backoff.ts";
import { LateWrites } from "../shared/late-writes.ts";
import {
  type SharedCapacity,
  sharedCapacity,
  sharedHolds,
  sharedPrefixes,
  sharedProofs,
  sharedRow,
  sharedSlots,
} from "../shared/shared-store.ts";
import type { TraceTarget } from "../telemetry/target.ts";
import type { TraceExport } from "../telemetry/trace-export.ts";
import { Attempts } from "./attempts.ts";
import type { fleetParts as makeFleetParts } from "./fleet-parts.ts";
import { RunnerLog } from "./runner-log.ts";
import { ShownWait } from "./shown-wait.ts";
import { reusingPlan, sparePlan } from "./spare-plan.ts";
import { Tasks } from "./tasks.ts";

/** Even a batch that waits for no login waits this long for an update of `claude`, in milliseconds. */
const leastPatienceMs = 10_000;

/** Called after each change of a batch, for views in the same process. */
export type Watching = (
  state: BatchState,
  /** What running tasks are doing, by their numbers. */
  activities: ReadonlyMap<number, string>,
  held: WaitReason | undefined,
) => void;

export interface RunOptions {
  watching?: Watching;
  /** Of the variables that tasks give their sessions. */
  values?: SessionValues;
  /** Whether somebody is there to log in. If not, a login that fails ends the batch at once. */
  isAttended?: boolean;
  /** Whether nobody looks at its files and pages, which are then not written. */
  isUnseen?: boolean;
  /** Called with a sentence about what does not concern the batch itself; said in the log of its processes otherwise. */
  complain?(message: string): void;
  /** Aborted once this process has requested the end of the batch in the log, so that the runner reads it at once. */
  cancelled?: AbortSignal;
  /** Of a batch of a worker: its process may add tasks at any time, and hands back what waits for long. */
  requests?: Requests;
}

/** Says that this process has requested something in the log of a batch (`BatchLog.request`), so that the runner reads it at once. */
export interface Requests {
  subscribe(listener: () => void): Disposable;
}

export type RunnerParts = ReturnType<typeof composeRunner>;

/** What runs sessions elsewhere, or sends traces: loaded only for a batch that does. */
export interface MoreParts {
  fleetParts?: typeof makeFleetParts;
  other?: typeof Hosts;
  tracing?: { target: TraceTarget; Export: typeof TraceExport };
}

/** All parts of a runner, ready to run. Does not read, write or start anything yet. */
export function composeRunner(
  store: Store,
  batchLog: BatchLog,
  epoch: number,
  {
    watching,
    values = noValues,
    isAttended = true,
    isUnseen = false,
    cancelled,
    requests,
    complain,
  }: RunOptions,
  { fleetParts, other, tracing }: MoreParts = {},
) {
  const { batch, account } = batchLog.state;
  const { layout } = store;
  const environment = sessionEnvironment(process.env);
  const patienceMs = (batch.loginPatienceSeconds ?? 0) * 1000;
  const longPatienceMs = Math.max(leastPatienceMs, patienceMs);
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  // When it rejects, nobody may be listening any more.
  failed.catch(() => undefined);

  // What shows the batch: log, files, views.
  const log = new RunnerLog(batchLog, epoch, changed);
  /** What running tasks are doing, by their numbers. */
  const activities = new Map<number, string>();
  const files = new OutputFiles(store, batchLog, activities, {
    // If even the log cannot be written, an unwritten file matters less.
    report: (body) => void log.tryAppend(() => [body]),
    failed: fail,
    isUnseen,
  });
  const shownWait = new ShownWait(
    (reason) => {
      changed();
      row.setHeld(log.batchId, reason);
    },
    () => pauseReason(batchLog.state),
  );
  function changed(): void {
    void files.changed();
    // What waits long for something may go on now: a cancel, a retry or the end of a session has come.
    clock.soon("rest");
    watching?.(batchLog.state, activities, shownWait.reason);
  }

  // What runners share through the store.
  const late = new LateWrites();
  const row = sharedRow(store, late);
  const capacity = sharedCapacity(store.capacity, late);
  const isForOne = isUnseen && batch.tasks.length === 1 && !requests;
  const { pace, slots, accountSlots } = sessionSlots(store, batchLog, { capacity, late, isForOne });
  const { starts, machineStarts } = startSlots(store, batchLog, { late, isForOne });
  const holdsOf = (of: string) =>
    new AccountHolds(sharedHolds(new Holds(store.database, of), late, of), ownIdentity(), {
      patienceMs,
      isAttended,
    });
  const login = new LoginProof({
    patienceMs: (batch.loginProofSeconds ?? 0) * 1000,
    hasAnswered: hasAnswered(batchLog.state),
    // What a session on another machine has shown says nothing about the login here.
    proofs: sharedProofs(
      new LoginProofs(store.database, batch.hosts ? accountOn(account.hash, "") : account.hash),
      late,
    ),
  });

  const prefixes = new PrefixGroups({
    state: () => log.state,
    index: new PrefixIndex(values),
    elsewhere: new PrefixesElsewhere({
      shared: sharedPrefixes(new Prefixes(store.database, account.hash), late),
      batchId: log.batchId,
    }),
    // One after the other, nobody waits for a leader.
    longestWaitMs: () => (log.state.batch.concurrency === 1 ? 0 : longestWaitMs),
  });

  // Where sessions run, and where they work.
  const machine = machineOf(batchLog, capacity);
  const shared = new SharedDaemons(batch.sharedDaemons ?? []);
  const sweeper = new Sweeper({ shared, isHeir: epoch > 1 });
  const local = new LocalHost({ machine, sweeper, environment });
  const holdsOn = (machine: string) => holdsOf(accountOn(account.hash, machine));
  const hosts = other?.of(() => log.state, { layout, epoch, environment, local, holdsOn, failed: fail });
  const holds: TaskHolds = hosts?.holds ?? holdsOf(account.hash);
  const host = hosts ?? local;
  const workspace = hosts?.workspace ?? sharedDirectory;
  const traces = tracing && sessionTraces(() => log.state);
  const traceExport =
    tracing &&
    new tracing.Export({
      target: tracing.target,
      state: () => log.state,
      sentFile: layout.sentTraces(log.batchId),
      complain: complain ?? complainInLog,
    });
  const means = { layout, environment, values, traceparent: traces?.ofStart };
  const planning = { workspace, prefixes, means };
  const reused = new ReusedSessions({
    planOf: (number) => reusingPlan(log.state, number, planning),
    waitingLike: (number) => waitingLike(log.state, number),
    hasHooks: (workingDirectory, options) => hasHooks({ workingDirectory, options, environment }, options),
    hasOwnClear: (workingDirectory, options) => hasOwnClear({ workingDirectory, options, environment }),
    stampOf: (workingDirectory) => startStamp({ workingDirectory, environment }),
    isUntouched: (kept) => reuse.isUntouched(kept),
    bytesOf: (marker) => machine.bytesOf(marker),
    // Who waits for one looks at once.
    freed: () => clock.soon("soon"),
    failed: fail,
  });

  // What takes the tasks to their ends.
  const startBackoff = new StartBackoff(longPatienceMs);
  const giveUpStarting = (because: string) => {
    const message = `No session could start for ${durationText(longPatienceMs)}. ${because}`;
    // Those with a session that waits have started.
    const waiting = (number: number) => !attempts.running.has(number);
    log.tryAppend(({ tasks }) =>
      notStarted({ tasks: tasks.filter(({ number }) => waiting(number)) }, message),
    );
  };
  const report = (reason: WaitReason | undefined) => shownWait.show(reason);
  const attempts = new Attempts({
    log,
    layout,
    host,
    environment,
    values,
    traces,
    traceExport,
    slots,
    accountSlots,
    pace,
    holds,
    login,
    prefixes,
    startBackoff,
    files,
    reused,
  });
  const writeAnswers = answerWriter(layout);
  const summaries = summariesOf(() => log.state, layout, writeAnswers);
  const reuse = new Reuse({ layout, state: () => log.state, environment, summaries });
  const spares = new WarmSpares({
    host,
    reuse,
    most: () => Math.min(mostSpares, 2 * processorCount(), mostAtOnce(log.state.batch)),
    planOf: (number) => sparePlan(log.state, number, planning),
    next: () => tasks.next(),
    isSlotAwaited: () => slots.isWaitedFor && attempts.running.size > 0,
    permit: () => starts.acquireNow(),
    hasRoom: (key) => host.whyWait(key) === undefined && machine.hasMemoryFor(key, 2),
    isPressed: () => machine.isPressed,
    failed: fail,
  });
  const pool = poolOf(reused, spares);
  const spent = (since: number) => spentSince(store.database, since);
  const lanes = hosts ? { laneOf: (number: number) => hosts.laneOf(number) } : {};
  const admission = new Admission({
    state: () => log.state,
    layout,
    dueAt: (number) => attempts.dueAt(number),
    slots,
    mayGoElsewhere: requests !== undefined,
    starts: hosts ?? starts,
    startBackoff,
    holds,
    login,
    host,
    ...lanes,
    ...(hosts ? { whyClosed: (number: number) => hosts.whyClosed(number) } : {}),
    pool,
    report,
    spentSince: spent,
    budgetSpent: () => void log.tryAppend((state) => cancelQueued(state, "budget")),
    giveUpStarting,
  });
  const session = { log, layout, host, pool, reused, workspace, environment, values, traces, writeAnswers };
  const start = { ...session, attempts, holds, login, prefixes, startBackoff, reuse, report };
  const fleet =
    batch.fleet &&
    fleetParts?.(batch.fleet, {
      log,
      layout,
      attempts,
      report,
      spentSince: spent,
      giveUpStarting,
      failed: fail,
      changed: () => clock.soon("rest"),
    });
  const tasks = new Tasks({
    ...start,
    ...lanes,
    giveUpStarting,
    slots,
    accountSlots,
    admission,
    spares,
    files,
    fleet,
    failed: fail,
  });

  return {
    store,
    log,
    late,
    row,
    activities,
    changed,
    files,
    shownWait,
    pace,
    slots,
    accountSlots,
    starts,
    machineStarts,
    holds,
    prefixes,
    machine,
    /** Undefined if sessions run on this machine. */
    hosts,
    pool,
    spares,
    attempts,
    tasks,
    reuse,
    fleet,
    /** Undefined if no trace is sent. */
    traceExport,
    values,
    cancelled,
    requests,
    /** Whether others of this process may run batches with the same store. */
    isOneOfMany: isUnseen,
    /** Rejects when the runner has failed, or with `Replaced`. */
    failed,
    fail,
  };
}

/** Says something in the log of the batch's processes. */
export function complainInLog(message: string): void {
  console.error(`${new Date().toISOString()} ${message}`);
}

// The sessions of the account: a fixed number, or as many as turn out to work.
function sessionSlots(
  { database }: Store,
  log: BatchLog,
  { capacity, late, isForOne }: { capacity: SharedCapacity; late: LateWrites; isForOne: boolean },
) {
  const { batchId } = log;
  const { batch, account } = log.state;
  const { concurrency, slots: most = concurrency, hosts } = batch;
  const running = () => accountSlots.taken();
  const pace =
    most === "auto" ? new AccountPace({ capacity, account: account.hash, running, isForOne }) : undefined;
  // A number is about this machine. The limits of the account are the same everywhere.
  const isElsewhere = hosts !== undefined && most !== "auto";
  const here = isElsewhere ? Number.POSITIVE_INFINITY : most;
  const limit = () => (here === "auto" ? (pace?.ceiling() ?? 1) : here);
  const pool = isElsewhere ? `${account.hash} elsewhere` : account.hash;
  const own = new MachineSlots(database, { pool, batchId, holder: ownIdentity(), limit });
  const accountSlots = sharedSlots(own, pool, late);
  const slots = new Slots(() => mostAtOnce(log.state.batch), accountSlots, { isForOne });
  return { pace, accountSlots, slots };
}

// On the whole machine, as many sessions start at the same time as there are processors.
function startSlots(
  { database }: Store,
  { batchId }: BatchLog,
  { late, isForOne }: { late: LateWrites; isForOne: boolean },
) {
  const processors = processorCount();
  const limit = () => processors;
  const own = new MachineSlots(database, { pool: startingPool, batchId, holder: ownIdentity(), limit });
  const machineStarts = sharedSlots(own, startingPool, late);
  return { machineStarts, starts: new Slots(processors, machineStarts, { isForOne }) };
}

function machineOf({ batchId, state: { batch } }: BatchLog, capacity: SharedCapacity): Machine {
  const { memoryLimitMb } = batch;
  const limitBytes = memoryLimitMb === undefined ? undefined : memoryLimitMb * 1e6;
  return new Machine({ capacity, batchId, holder: ownIdentity(), processors: processorCount(), limitBytes });
}

// Running sessions were started by an earlier runner, which had made sure that the login works.
function hasAnswered({ counts }: BatchState): boolean {
  return counts.succeeded > 0 || counts.running > 0;
}
