// The tasks of a batch in the process of the test, with real sessions of a `claude` that says what a file says.
import { Sweeper } from "../../src/claude/sweep.ts";
import { AccountHolds } from "../../src/engine/account/account-holds.ts";
import { AccountPace } from "../../src/engine/account/account-pace.ts";
import { notStarted } from "../../src/engine/attempt/attempt-events.ts";
import { answerWriter, summariesOf } from "../../src/engine/attempt/earlier-answers.ts";
import { LocalHost } from "../../src/engine/attempt/local-host.ts";
import type { SessionHost } from "../../src/engine/attempt/session-host.ts";
import type { SessionPool } from "../../src/engine/attempt/session-pool.ts";
import { sharedDirectory, type Workspace } from "../../src/engine/attempt/workspace.ts";
import { Machine } from "../../src/engine/memory/machine.ts";
import { OutputFiles } from "../../src/engine/output/output-files.ts";
import { Reuse } from "../../src/engine/reuse/reuse.ts";
import { Attempts } from "../../src/engine/runner/attempts.ts";
import { RunnerLog } from "../../src/engine/runner/runner-log.ts";
import { Tasks } from "../../src/engine/runner/tasks.ts";
import { Admission, type Closed } from "../../src/engine/scheduler/admission.ts";
import { LoginProof } from "../../src/engine/scheduler/login-proof.ts";
import { PrefixGroups } from "../../src/engine/scheduler/prefix-groups.ts";
import { PrefixIndex } from "../../src/engine/scheduler/prefix-index.ts";
import { Slots } from "../../src/engine/scheduler/slots.ts";
import { StartBackoff } from "../../src/engine/scheduler/start-backoff.ts";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import {
  sharedCapacity,
  sharedHolds,
  sharedProofs,
  sharedSlots,
} from "../../src/engine/shared/shared-store.ts";
import type { BatchId } from "../../src/model/batch-id.ts";
import { noValues } from "../../src/model/session-values.ts";
import type { WaitReason } from "../../src/model/wait-reason.ts";
import { makePrivateDirectory } from "../../src/platform/files.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { MachineSlots } from "../../src/store/machine-slots.ts";
import type { Store } from "../../src/store/store.ts";
import type { Inside, TestBatch } from "../inside.ts";
import { emptyPool } from "./empty-pool.ts";

/** The account of these tests. */
export const pool = "account";

export function slotsOf({ database }: Store, batchId: BatchId, holder = ownIdentity()): MachineSlots {
  return new MachineSlots(database, { pool, batchId, holder, limit: () => 1_000 });
}

/** How many slots of the account are taken. */
export function taken({ database }: Store): number {
  const count = database.query<{ n: number }, [string]>(
    "SELECT count(*) AS n FROM pool_slots WHERE pool = ?",
  );
  return count.get(pool)?.n ?? 0;
}

/**
 * Makes `claude` a program that prints `<word>.ndjson` of this home, once there is no `<word>.wait`; the word is the one
 * behind `say:` in its prompt. It ends by itself then.
 */
export function letClaudeSay(inside: Inside, files: Record<string, object[]>): void {
  for (const [word, messages] of Object.entries(files)) write(inside, word, messages);
  inside.script(
    "bin/claude",
    "read -r line",
    // To `initialize`, it says what a test gives it to say, or nothing.
    `if [ -e "${inside.path}/introduction.ndjson" ]; then cat "${inside.path}/introduction.ndjson"; fi`,
    "read -r line",
    // What stands behind `say:`, as far as it is letters.
    `word=$(printf %s "$line" | sed 's/.*say:\\([a-z]*\\).*/\\1/')`,
    `while [ -e "${inside.path}/$word.wait" ]; do sleep 0.02; done`,
    `cat "${inside.path}/$word.ndjson"`,
    `if [ -e "${inside.path}/$word.stay" ]; then cat >/dev/null; fi`,
  );
}

function write(inside: Inside, word: string, messages: object[]): void {
  inside.write(`${word}.ndjson`, messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
}

interface Given {
  concurrency?: number;
  /** How many may start at a time. */
  starts?: number;
  loginPatienceMs?: number;
  /** How long sessions wait for the leader of their group; 0 unless a test is about that. */
  leaderPatienceMs?: number;
  holdPatienceMs?: number;
  startPatienceMs?: number;
  /** Whether the number of sessions is found out. */
  isPaced?: boolean;
  /** What stands around this machine as a host. */
  hostOf?(local: SessionHost): SessionHost;
  workspace?: Workspace;
  pool?: SessionPool;
  /** The machine of each task, and why one is closed. */
  laneOf?(number: number): string;
  whyClosed?(number: number): Closed | undefined;
}

/** No process runs several tasks. */
const reused = { started() {}, ready() {}, prompted() {}, answered: () => undefined, concluded() {} };

/** The tasks of a batch, and all that they share. */
export function tasksIn(
  inside: Inside,
  store: Store,
  { log }: TestBatch,
  {
    concurrency = 4,
    starts: mostStarts = 8,
    loginPatienceMs = 0,
    leaderPatienceMs = 0,
    holdPatienceMs = 3_600_000,
    startPatienceMs = 3_600_000,
    isPaced = false,
    hostOf = (local) => local,
    workspace = sharedDirectory,
    pool: sessionPool = emptyPool,
    laneOf,
    whyClosed,
  }: Given = {},
) {
  makePrivateDirectory(store.layout.batchDirectory(log.batchId));
  const failures: unknown[] = [];
  const givenUp: string[] = [];
  /** Why nothing started. */
  const told: string[] = [];
  const late = new LateWrites();
  const runnerLog = new RunnerLog(log, log.state.epoch, () => undefined);
  const holder = ownIdentity();
  const accountSlots = sharedSlots(slotsOf(store, log.batchId), pool, late);
  const slots = new Slots(concurrency, accountSlots);
  const startRights = {
    claim: () => 1,
    claimUnwaited: () => 1,
    release() {},
    yields: () => false,
    stopWaiting() {},
  };
  const starts = new Slots(mostStarts, startRights);
  const table = new Holds(store.database, pool);
  const holds = new AccountHolds(sharedHolds(table, late), holder, {
    patienceMs: holdPatienceMs,
    isAttended: true,
  });
  const proofs = new LoginProofs(store.database, pool);
  const login = new LoginProof({
    patienceMs: loginPatienceMs,
    hasAnswered: false,
    proofs: sharedProofs(proofs, late),
  });
  const prefixes = new PrefixGroups({
    state: () => log.state,
    index: new PrefixIndex(noValues),
    longestWaitMs: () => leaderPatienceMs,
  });
  const startBackoff = new StartBackoff(startPatienceMs);
  const capacity = sharedCapacity(store.capacity, late);
  const pace = isPaced
    ? new AccountPace({ capacity, account: pool, running: () => accountSlots.taken() })
    : undefined;
  const machine = new Machine({
    capacity,
    batchId: log.batchId,
    holder,
    processors: 1_000,
    limitBytes: undefined,
  });
  const files = new OutputFiles(store, log, new Map(), {
    report: (body) => void log.append(() => [body]),
    failed: (error) => failures.push(error),
  });
  const giveUpStarting = (because: string) => {
    givenUp.push(because);
    log.append((state) => notStarted(state, because));
  };
  const environment = { HOME: inside.path, PATH: process.env["PATH"] ?? "" };
  const host = hostOf(
    new LocalHost({ machine, sweeper: new Sweeper({ isHeir: log.state.epoch > 1 }), environment }),
  );
  const surroundings = { layout: store.layout, environment, values: noValues };
  const own = {
    ...surroundings,
    host,
    slots,
    accountSlots,
    pace,
    holds,
    login,
    prefixes,
    startBackoff,
    files,
    reused,
  };
  const attempts = new Attempts({ log: runnerLog, ...own });
  const report = (reason: WaitReason | undefined) => void (reason && told.push(reason.because));
  const admission = new Admission({
    state: () => log.state,
    layout: store.layout,
    dueAt: (number) => attempts.dueAt(number),
    slots,
    starts,
    startBackoff,
    holds,
    login,
    host,
    pool: sessionPool,
    ...(whyClosed ? { whyClosed } : {}),
    ...(laneOf ? { laneOf } : {}),
    report,
    budgetSpent: () => undefined,
    spentSince: () => 0,
    giveUpStarting,
  });
  const writeAnswers = answerWriter(store.layout);
  const tasks = new Tasks({
    log: runnerLog,
    layout: store.layout,
    host,
    ...(laneOf ? { laneOf } : {}),
    pool: sessionPool,
    reused,
    workspace,
    attempts,
    slots,
    accountSlots,
    admission,
    spares: { endedMarkers: [] },
    startBackoff,
    holds,
    login,
    prefixes,
    report,
    reuse: new Reuse({
      layout: store.layout,
      state: () => log.state,
      environment,
      summaries: summariesOf(() => log.state, store.layout, writeAnswers),
    }),
    files,
    environment,
    values: noValues,
    writeAnswers,
    giveUpStarting,
    failed: (error) => failures.push(error),
  });
  return {
    tasks,
    admission,
    host,
    environment,
    attempts,
    files,
    failures,
    givenUp,
    told,
    slots,
    accountSlots,
    holds,
    table,
    proofs,
    machine,
    startBackoff,

    [Symbol.asyncDispose]: async () => {
      // A job behind all others: what is still being written would come after its home is gone.
      await files.forget([]);
      slots[Symbol.dispose]();
      starts[Symbol.dispose]();
    },
  };
}
