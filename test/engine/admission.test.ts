// Who may start, and when: with real holds, slots and proofs, and a batch whose log is written by hand.
import { describe, expect, test } from "bun:test";
import { AccountHolds } from "../../src/engine/account/account-holds.ts";
import type { SessionPool } from "../../src/engine/attempt/session-pool.ts";
import { Machine } from "../../src/engine/memory/machine.ts";
import { Admission, type Admitted, type Closed } from "../../src/engine/scheduler/admission.ts";
import { LoginProof } from "../../src/engine/scheduler/login-proof.ts";
import { type SlotSource, Slots } from "../../src/engine/scheduler/slots.ts";
import { StartBackoff } from "../../src/engine/scheduler/start-backoff.ts";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import { sharedCapacity } from "../../src/engine/shared/shared-store.ts";
import type { Batch } from "../../src/model/event.ts";
import type { WaitReason } from "../../src/model/wait-reason.ts";
import { clock } from "../../src/platform/clock.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { type Hold, Holds } from "../../src/store/holds.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { eventually } from "../harness.ts";
import { crashed, Inside } from "../inside.ts";
import { emptyPool } from "./empty-pool.ts";
import { HandClock } from "./hand-clock.ts";

const minuteMs = 60_000;

interface Given {
  tasks?: Batch["tasks"];
  batch?: Partial<Batch>;
  /** How many may start at a time. */
  starts?: number;
  /** As if others had all slots but this many. */
  slots?: number;
  loginPatienceMs?: number;
  startPatienceMs?: number;
  limitBytes?: number;
  stateDirectory?: string;
  dueAt?: (number: number) => number | undefined;
  pool?: SessionPool;
  whyClosed?: (number: number) => Closed | undefined;
  laneOf?: (number: number) => string;
  mayGoElsewhere?: boolean;
}

/** The admission of a batch, and what it has told. */
function admissionIn(inside: Inside, given: Given = {}) {
  const { tasks = ["one", "two", "three"].map((prompt) => ({ prompt })) } = given;
  const context = inside.context();
  const { store } = context;
  const batch = inside.batch(context, { tasks, batch: given.batch ?? {} });
  const holder = ownIdentity();
  const table = new Holds(store.database, "a");
  const holds = new AccountHolds(table, holder, { patienceMs: 60 * minuteMs, isAttended: true });
  const source: SlotSource = {
    claim: () => 1,
    claimUnwaited: () => 1,
    release: () => undefined,
    yields: () => false,
    stopWaiting: () => undefined,
  };
  const slots = new Slots(given.slots ?? 10, source);
  const starts = new Slots(given.starts ?? 10, source);
  const proofs = new LoginProofs(store.database, "a");
  const login = new LoginProof({
    patienceMs: given.loginPatienceMs ?? 0,
    hasAnswered: false,
    proofs,
  });
  const startBackoff = new StartBackoff(given.startPatienceMs ?? 60 * minuteMs);
  const capacity = sharedCapacity(store.capacity, new LateWrites());
  const { limitBytes } = given;
  const machine = new Machine({ capacity, batchId: batch.log.batchId, holder, processors: 8, limitBytes });
  const told: (WaitReason | undefined)[] = [];
  const spent: string[] = [];
  const givenUp: string[] = [];
  let looks = 0;
  const admission = new Admission({
    state: () => batch.log.state,
    layout: given.stateDirectory === undefined ? store.layout : layoutOf(given.stateDirectory),
    dueAt: (number) => {
      looks++;
      return given.dueAt?.(number);
    },
    slots,
    ...(given.mayGoElsewhere === undefined ? {} : { mayGoElsewhere: given.mayGoElsewhere }),
    starts,
    startBackoff,
    holds,
    login,
    host: { whyWait: (footprint) => machine.whyWait(footprint) },
    ...(given.whyClosed ? { whyClosed: given.whyClosed } : {}),
    ...(given.laneOf ? { laneOf: given.laneOf } : {}),
    pool: given.pool ?? emptyPool,
    report: (reason) => told.push(reason),
    budgetSpent: () => {
      spent.push("spent");
      batch.append({ type: "cancel-requested", by: "budget" });
    },
    spentSince: () => 0,
    giveUpStarting: (because) => givenUp.push(because),
  });
  /** Asks for a task, and says whether it has been answered by now. */
  const asks = (number: number) => {
    let answer: { admitted: Admitted | undefined } | undefined;
    const promise = admission.admit(number).then((admitted) => {
      answer = { admitted };
      return admitted;
    });
    return { promise, isAnswered: () => answer !== undefined };
  };
  const place = (hold: Partial<Hold> = {}) => {
    const now = Date.now();
    const until = now + 60 * minuteMs;
    table.place({ kind: "usage-limit", model: "", since: now, until, because: "Full", tries: 0, ...hold });
    holds.refresh();
  };
  const lift = (hold: Pick<Hold, "kind" | "model"> = { kind: "usage-limit", model: "" }) => {
    table.lift(hold);
    holds.refresh();
  };
  /** Until those that wait have looked again. */
  const looked = () => {
    const before = looks;
    return eventually(
      () => looks >= before + 3,
      () => "nobody looks",
    );
  };
  const reasons = () => told.flatMap((one) => (one ? [one.because] : []));
  return {
    batch,
    admission,
    asks,
    looked,
    told,
    reasons,
    spent,
    givenUp,
    holds,
    table,
    login,
    startBackoff,
    machine,
    place,
    lift,
  };
}

async function untilTold(reasons: () => readonly string[], count: number): Promise<void> {
  await eventually(
    () => reasons().length >= count,
    () => `told only ${JSON.stringify(reasons())}`,
  );
}

describe("a task is due", () => {
  test("while it is queued, and after its delay", () => {
    using inside = new Inside();
    let dueAt: number | undefined;
    const { batch, admission } = admissionIn(inside, { dueAt: () => dueAt });
    expect([1, 2, 3].map((number) => admission.isDue(number))).toEqual([true, true, true]);
    batch.start(1);
    batch.end(2, crashed, { retryAt: Date.now() + minuteMs });
    expect([1, 2, 3].map((number) => admission.isDue(number))).toEqual([false, false, true]);
    // The delay is over, though the clock was set back since it began.
    dueAt = performance.now() - 1;
    expect(admission.isDue(2)).toBe(true);
    dueAt = performance.now() + minuteMs;
    expect(admission.isDue(2)).toBe(false);
  });

  test("unless its model is held while others are not", () => {
    using inside = new Inside();
    const tasks = [{ prompt: "a", options: { model: "opus" } }, { prompt: "b" }];
    const { admission, place, lift, told } = admissionIn(inside, { tasks });
    const isDue = () => [1, 2].map((number) => admission.isDue(number));
    place({ model: "opus", because: "Opus is held." });
    expect(isDue()).toEqual([false, true]);
    expect([1, 2].map((number) => admission.reportHold(number))).toEqual([true, false]);
    expect(told).toEqual([{ because: "Opus is held.", until: expect.any(Number) }]);
    lift({ kind: "usage-limit", model: "opus" });
    // A hold of all is waited for in the queue.
    place();
    expect(isDue()).toEqual([true, true]);
    expect(admission.reportHold(1)).toBe(false);
  });
});

test("a task that may start does so at once, and one that is not due is not waited for", async () => {
  using inside = new Inside();
  const { batch, admission, told } = admissionIn(inside);
  using admitted = await admission.admit(1);
  expect(admitted).toBeDefined();
  expect(told.every((one) => one === undefined)).toBe(true);
  batch.start(2);
  expect(await admission.admit(2)).toBeUndefined();
});

test("a hold of all stops everybody, is told at once, and lets the next one start when it is lifted", async () => {
  using inside = new Inside();
  const { asks, place, lift, reasons, told } = admissionIn(inside);
  const until = Date.now() + minuteMs;
  place({ until, because: "The limit is reached." });
  const [first, second] = [asks(1), asks(2)];
  await untilTold(reasons, 1);
  expect(told[0]).toMatchObject({ because: "The limit is reached.", until });
  expect([first.isAnswered(), second.isAnswered()]).toEqual([false, false]);
  lift();
  using one = await first.promise;
  using two = await second.promise;
  expect([one, two]).not.toContain(undefined);
  expect(told.at(-1)).toBeUndefined();
});

test("a task that is cancelled while it waits is waited for no longer, and the next one gets its turn", async () => {
  using inside = new Inside();
  const { batch, asks, place, lift, reasons } = admissionIn(inside);
  place();
  const [first, second] = [asks(1), asks(2)];
  await untilTold(reasons, 1);
  batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
  expect(await first.promise).toBeUndefined();
  expect(second.isAnswered()).toBe(false);
  lift();
  using two = await second.promise;
  expect(two).toBeDefined();
});

describe("of a hold whose time has come", () => {
  test("one session tries it, and the others wait until it has shown something", async () => {
    using inside = new Inside();
    const { asks, place, table, holds, reasons } = admissionIn(inside);
    place({ until: Date.now() - 1 });
    const first = await asks(1).promise;
    expect(table.all()).toMatchObject([{ isProbed: true }]);
    const second = asks(2);
    await untilTold(reasons, 1);
    expect(second.isAnswered()).toBe(false);
    holds.answered(1, Date.now());
    using two = await second.promise;
    expect(two).toBeDefined();
    first?.[Symbol.dispose]();
  });

  test("the next session tries where the first one never began", async () => {
    using inside = new Inside();
    const { asks, place, table, reasons } = admissionIn(inside);
    place({ until: Date.now() - 1 });
    const first = await asks(1).promise;
    const second = asks(2);
    await untilTold(reasons, 1);
    first?.[Symbol.dispose]();
    using two = await second.promise;
    expect(two).toBeDefined();
    expect(table.all()).toMatchObject([{ isProbed: true }]);
  });
});

describe("after a start that failed", () => {
  test("one session tries, and its neighbours wait for it", async () => {
    using inside = new Inside();
    const { asks, looked, startBackoff } = admissionIn(inside);
    startBackoff.failed("Waits for claude");
    // The next start is due.
    startBackoff.ended();
    const first = await asks(1).promise;
    expect(startBackoff.waitReason()).toMatchObject({ because: "Waits for claude" });
    const second = asks(2);
    await looked();
    expect(second.isAnswered()).toBe(false);
    // It came to nothing.
    first?.[Symbol.dispose]();
    using two = await second.promise;
    expect(two).toBeDefined();
  });
});

describe("the budget of a batch", () => {
  const dear = { costUsd: 3, numTurns: 1, durationMs: 1 };

  test("that is spent ends what is queued", async () => {
    using inside = new Inside();
    const { batch, admission, spent } = admissionIn(inside, { batch: { budgetUsd: 3 } });
    batch.answer(1, "dear", { usage: dear });
    expect(await admission.admit(2)).toBeUndefined();
    expect(spent).toEqual(["spent"]);
  });

  test("that running sessions will spend is waited for, and its figures are told", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { batch, asks, looked, spent, reasons } = admissionIn(inside, { batch: { budgetUsd: 5 } });
    batch.answer(1, "dear", { usage: dear }).start(2);
    const third = asks(3);
    await looked();
    clock.now += 2_001;
    await untilTold(reasons, 1);
    expect(reasons()[0]).toBe(
      "Waits for running sessions: the batch has cost $3.00 of its budget of $5.00, and the running sessions are expected to cost the rest.",
    );
    batch.append({
      type: "attempt-ended",
      task: 2,
      attempt: 1,
      outcome: { kind: "succeeded", length: 1, offset: 0 },
      usage: { ...dear, costUsd: 0.5 },
    });
    using three = await third.promise;
    expect([three === undefined, spent]).toEqual([false, []]);
  });
});

test("memory that others need is waited for", async () => {
  using inside = new Inside();
  const { asks, looked, machine } = admissionIn(inside, { limitBytes: 300e6 });
  machine.started("1", ownIdentity(), "c");
  const second = asks(2);
  await looked();
  expect(second.isAnswered()).toBe(false);
  machine.ended("1");
  using two = await second.promise;
  expect(two).toBeDefined();
});

test("a disk that is gone is told at once, and given up when patience has run out", async () => {
  using inside = new Inside();
  const gone = inside.file("gone");
  const { batch, asks, reasons, givenUp } = admissionIn(inside, { stateDirectory: gone, startPatienceMs: 0 });
  const first = asks(1);
  await untilTold(reasons, 1);
  expect(reasons()[0]).toContain(`The state directory ${gone} cannot be read`);
  expect(givenUp[0]).toBe(reasons()[0] ?? "");
  batch.append({ type: "cancel-requested", by: "user" });
  expect(await first.promise).toBeUndefined();
  // With patience, it is only waited for.
  const patient = admissionIn(inside, { stateDirectory: gone });
  const waiting = patient.asks(1);
  await untilTold(patient.reasons, 1);
  expect(patient.givenUp).toEqual([]);
  patient.batch.append({ type: "cancel-requested", by: "user" });
  expect(await waiting.promise).toBeUndefined();
});

describe("the right to start", () => {
  test("is free again when the session is ready, and its slot when it has ended", async () => {
    using inside = new Inside();
    const { asks, looked } = admissionIn(inside, { starts: 1, slots: 2 });
    const first = await asks(1).promise;
    const second = asks(2);
    await looked();
    expect(second.isAnswered()).toBe(false);
    first?.begun();
    const two = await second.promise;
    two?.begun();
    const third = asks(3);
    await looked();
    expect(third.isAnswered()).toBe(false);
    first?.[Symbol.dispose]();
    using three = await third.promise;
    expect(three).toBeDefined();
    two?.[Symbol.dispose]();
  });

  test("comes once more to a task that starts again, unless it is cancelled: then the next one has it", async () => {
    using inside = new Inside();
    const { asks, batch } = admissionIn(inside, { starts: 1 });
    using first = await asks(1).promise;
    expect(await first?.startAgain()).toBe(true);
    batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
    expect(await first?.startAgain()).toBe(false);
    using second = await asks(2).promise;
    expect(second).toBeDefined();
  });

  test("that others have is told where nothing else runs", async () => {
    using inside = new Inside();
    const { asks, reasons, told } = admissionIn(inside, { slots: 1 });
    const first = await asks(1).promise;
    const second = asks(2);
    await untilTold(reasons, 1);
    expect(reasons()[0]).toBe("Waits for a slot: other batches of this account use all of them.");
    first?.[Symbol.dispose]();
    using two = await second.promise;
    expect(two).toBeDefined();
    expect(told.at(-1)).toBeUndefined();
  });

  test("that others have is told beside sessions that run, if another machine may run the task", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { asks, batch, reasons } = admissionIn(inside, { slots: 1, mayGoElsewhere: true });
    using _first = await asks(1).promise;
    batch.start(1);
    const second = asks(2);
    // Whenever it has begun to wait.
    clock.step = 100;
    await untilTold(reasons, 1);
    expect(reasons()[0]).toBe("Waits for a slot: other batches of this account use all of them.");
    batch.append({ type: "cancel-requested", by: "user", tasks: [2] });
    expect(await second.promise).toBeUndefined();
  });
});

describe("a task for which a session has started already", () => {
  /** A pool with a session for the second task, and how often it was asked to make room. */
  function poolFor2() {
    const seen = { released: 0, reserved: 0, left: 1 };
    const pool: SessionPool = {
      ...emptyPool,
      has: (task) => task === 2 && seen.left + seen.reserved > 0,
      reserve: (task) => {
        if (task !== 2 || seen.left === 0) return undefined;
        seen.left--;
        seen.reserved++;
        return { [Symbol.dispose]: () => void seen.reserved-- };
      },
      release: () => void seen.released++,
    };
    return { pool, seen };
  }

  test("needs no right to start, but one for another session in its place", async () => {
    using inside = new Inside();
    const { pool, seen } = poolFor2();
    const { admission } = admissionIn(inside, { starts: 1, pool });
    using first = await admission.admit(1);
    using second = await admission.admit(2);
    expect([first?.mayStart, second?.mayStart]).toEqual([true, false]);
    expect(seen.reserved).toBe(1);
    const again = second?.startAgain();
    expect(seen.reserved).toBe(0);
    first?.begun();
    expect(await again).toBe(true);
    expect(second?.mayStart).toBe(true);
  });

  test("waits for one that is about to be free, and starts its own if that comes to nothing", async () => {
    using inside = new Inside();
    const { pool, seen } = poolFor2();
    seen.left = 0;
    const patience = { asked: 0, ms: 60_000 };
    const patient: SessionPool = {
      ...pool,
      patienceMs: () => {
        patience.asked++;
        return patience.ms;
      },
    };
    const { admission, asks } = admissionIn(inside, { pool: patient });
    const waitsFor = async (asked: number) => {
      await eventually(
        () => patience.asked >= asked,
        () => "does not wait",
      );
    };
    const second = asks(2);
    await waitsFor(3);
    expect(second.isAnswered()).toBe(false);
    seen.left = 1;
    {
      using admitted = await second.promise;
      expect(admitted?.mayStart).toBe(false);
    }
    const third = asks(3);
    await waitsFor(patience.asked + 2);
    expect(third.isAnswered()).toBe(false);
    patience.ms = 0;
    using admitted = await third.promise;
    expect(admitted?.mayStart).toBe(true);
    const before = patience.asked;
    using first = await admission.admit(1);
    expect([first?.mayStart, patience.asked]).toEqual([true, before + 1]);
  });

  test("takes one that becomes free while it waits for the right to start", async () => {
    using inside = new Inside();
    const { pool, seen } = poolFor2();
    seen.left = 0;
    const { admission, asks } = admissionIn(inside, { starts: 1, pool });
    using first = await admission.admit(1);
    const second = asks(2);
    expect(first?.mayStart).toBe(true);
    seen.left = 1;
    using admitted = await second.promise;
    expect([admitted?.mayStart, seen.reserved]).toEqual([false, 1]);
  });

  test("needs no more memory, while others wait for that and have spares make room", async () => {
    using inside = new Inside();
    const { pool, seen } = poolFor2();
    const { admission, asks, machine, looked } = admissionIn(inside, { limitBytes: 300e6, pool });
    machine.started("running", ownIdentity(), "c");
    const third = asks(3);
    await looked();
    expect(third.isAnswered()).toBe(false);
    expect(seen.released).toBeGreaterThan(0);
    expect([...admission.waiting]).toEqual([3]);
    machine.ended("running");
    using _third = await third.promise;
    machine.started("running", ownIdentity(), "c");
    using second = await admission.admit(2);
    expect(second?.mayStart).toBe(false);
    // A session of its own would need it.
    expect(await second?.startAgain()).toBe(false);
  });

  test("could start as long as nothing but slots and the machine stops it", () => {
    using inside = new Inside();
    const { admission, place, lift, batch, startBackoff } = admissionIn(inside);
    const could = () => [1, 2, 3].map((number) => admission.couldStart(number));
    expect(could()).toEqual([true, true, true]);
    place();
    expect(could()).toEqual([false, false, false]);
    lift();
    startBackoff.failed("claude is away");
    expect(could()).toEqual([false, false, false]);
    startBackoff.started();
    batch.append({ type: "cancel-requested", by: "user", tasks: [2] });
    expect(could()).toEqual([true, false, true]);
  });
});

test("a task whose only machine is away keeps no other one waiting, and its wait is reported", async () => {
  using inside = new Inside();
  let isAway = true;
  const { admission, asks, reasons } = admissionIn(inside, {
    whyClosed: (number) => (isAway && number === 1 ? { because: "box1 is away", isLong: true } : undefined),
    laneOf: (number) => `box${number}`,
  });
  const [first, second] = [asks(1), asks(2)];
  using _admitted = await second.promise;
  expect({ first: first.isAnswered(), second: second.isAnswered() }).toEqual({ first: false, second: true });
  expect(reasons()).toContain("box1 is away");
  isAway = false;
  clock.soon("rest");
  using _other = await first.promise;
  expect(admission.isDue(1)).toBe(true);
});

test("tasks of a machine that is full begin in their order, and only the first one looks", async () => {
  using inside = new Inside();
  let isFull = true;
  const looks = [0, 0, 0];
  const { asks } = admissionIn(inside, {
    whyClosed: (number) => {
      looks[number - 1] = (looks[number - 1] ?? 0) + 1;
      return isFull ? { because: "box1 is full", isLong: false } : undefined;
    },
    laneOf: () => "box1",
  });
  const order: number[] = [];
  const all = [1, 2, 3].map(async (number) => {
    using _admitted = await asks(number).promise;
    order.push(number);
  });
  await eventually(
    () => (looks[0] ?? 0) >= 3,
    () => "the first one does not look",
  );
  expect(looks.slice(1)).toEqual([0, 0]);
  isFull = false;
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3]);
});

test("of two machines that are away, one says so, and neither wakes the other again and again", async () => {
  using inside = new Inside();
  const { asks, told, batch } = admissionIn(inside, {
    whyClosed: (number) => ({ because: `box${number} is away`, isLong: false }),
    laneOf: (number) => `box${number}`,
  });
  const all = [asks(1), asks(2)];
  await eventually(
    () => told.length >= 3,
    () => JSON.stringify(told),
  );
  expect(new Set(told.map((one) => one?.because)).size).toBe(1);
  batch.append({ type: "cancel-requested", by: "user" });
  for (const { promise } of all) expect(await promise).toBeUndefined();
});
