// What is measured of running sessions, what is learned from it, and when a next one waits.
import { describe, expect, spyOn, test } from "bun:test";
import { Machine } from "../../src/engine/memory/machine.ts";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import { type SharedCapacity, sharedCapacity } from "../../src/engine/shared/shared-store.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Pressure } from "../../src/platform/pressure.ts";
import * as pressures from "../../src/platform/pressure.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { Load } from "../../src/store/capacity.ts";
import { testNeeding } from "../facilities.ts";
import { gone, Inside } from "../inside.ts";
import { living } from "../store/samples.ts";
import { HandClock } from "./hand-clock.ts";

/** A machine, with what it has told the other runners. */
function machineIn(inside: Inside, limitBytes?: number, processors = 1_000) {
  const { capacity } = inside.context().store;
  const loads: Load[] = [];
  const batchId = newBatchId();
  const written: number[] = [];
  let asked = 0;
  const shared = sharedCapacity(capacity, new LateWrites());
  const watched: SharedCapacity = {
    ...shared,
    otherLoads: (batchId) => {
      asked++;
      return shared.otherLoads(batchId);
    },
    setFootprint: (configuration, bytes) => {
      written.push(bytes);
      shared.setFootprint(configuration, bytes);
    },
    setLoad: (_batchId, _holder, load) => void loads.push(load),
  };
  const plan = { batchId, holder: ownIdentity(), processors, limitBytes };
  const machine = new Machine({ ...plan, capacity: watched });
  return { machine, loads, written, asked: () => asked, footprint: () => capacity.footprint("c") };
}

test("a running session is measured with its whole tree, and what it uses is published", () => {
  using inside = new Inside();
  const { machine, loads } = machineIn(inside);
  machine.lookNow();
  // An earlier runner may have left something that is no longer true.
  expect(loads).toEqual([{ sessions: 0, usedBytes: 0, expectedBytes: 0 }]);
  machine.lookNow();
  expect(loads).toHaveLength(1);
  machine.started("1", ownIdentity(), "c");
  expect(machine.membersOf("1")).toEqual([]);
  machine.lookNow();
  expect(machine.membersOf("1").map(({ pid }) => pid)).toContain(process.pid);
  expect(loads.at(-1)?.sessions).toBe(1);
  expect(loads.at(-1)?.usedBytes).toBeGreaterThan(1e6);
  expect(loads.at(-1)?.expectedBytes).toBeGreaterThanOrEqual(256e6);
  // Not before it is due, because a look costs time.
  const published = loads.length;
  machine.look();
  expect(loads).toHaveLength(published);
  machine.ended("1");
  expect(machine.membersOf("1")).toEqual([]);
  machine.lookNow();
  expect(loads.at(-1)).toEqual({ sessions: 0, usedBytes: 0, expectedBytes: 0 });
});

test("what a session took is learned from five looks on", () => {
  using inside = new Inside();
  const { machine, footprint } = machineIn(inside);
  const runWith = (looks: number) => {
    machine.started("1", ownIdentity(), "c");
    for (let look = 0; look < looks; look++) machine.lookNow();
    machine.ended("1");
  };
  runWith(4);
  expect(footprint()).toBeUndefined();
  runWith(5);
  const learned = footprint();
  expect(learned).toBeGreaterThan(1e6);
  machine.ended("7");
  expect(footprint()).toBe(learned);
});

test("within a limit of memory, one session may always run, and the next one waits", () => {
  using inside = new Inside();
  const { machine } = machineIn(inside, 300e6);
  expect(machine.whyWait("c")).toBeUndefined();
  machine.started("1", ownIdentity(), "c");
  expect(machine.whyWait("c")).toMatch(
    /^Waits for memory: the running session may take .*`memoryLimitMb` is 300\.$/,
  );
  machine.ended("1");
  expect(machine.whyWait("c")).toBeUndefined();
});

test("a session whose task is not known yet counts, and another one makes room for it", () => {
  using inside = new Inside();
  const { machine, loads } = machineIn(inside, 1);
  for (const marker of ["oldest", "younger", "unknown"]) machine.started(marker, ownIdentity(), "c");
  machine.lookNow();
  expect(loads.at(-1)?.sessions).toBe(3);
  expect(machine.toEvict((marker) => (marker === "unknown" ? undefined : "work"))).toEqual(["younger"]);
});

testNeeding("a system other than Windows")(
  "what was learned counts for the next session, and is written down where it has changed",
  async () => {
    using inside = new Inside();
    const { machine, footprint, written } = machineIn(inside, 600e6);
    const small = living();
    const runWith = (identity: ProcessIdentity) => {
      machine.started("1", identity, "c");
      for (let look = 0; look < 5; look++) machine.lookNow();
      machine.ended("1");
    };
    runWith(small.identity);
    const first = footprint() ?? Number.POSITIVE_INFINITY;
    // A `sleep` takes next to nothing, so that two more fit.
    expect(first).toBeLessThan(50e6);
    machine.started("1", small.identity, "c");
    machine.started("2", small.identity, "c");
    expect(machine.whyWait("c")).toBeUndefined();
    expect(machine.whyWait("unknown")).toBeUndefined();
    machine.started("3", small.identity, "unknown");
    machine.started("4", small.identity, "unknown");
    expect(machine.whyWait("unknown")).toContain("the next one 256 MB");
    for (const marker of ["1", "2", "3", "4"]) machine.ended(marker);
    expect(written).toHaveLength(1);
    runWith(small.identity);
    expect(written).toHaveLength(1);
    runWith(ownIdentity());
    expect(written).toHaveLength(2);
    expect(footprint()).toBeGreaterThan(first);
    await small.end();
  },
);

test("what others have learned counts, and what a running session takes above it at once", () => {
  using inside = new Inside();
  const { machine } = machineIn(inside, 100);
  inside.context().store.capacity.setFootprint("c", 12e6);
  machine.started("1", ownIdentity(), "c");
  expect(machine.whyWait("c")).toContain("the running session may take 12 MB, the next one 12 MB");
  machine.lookNow();
  const peak = Number(/the next one (\d+) MB/.exec(machine.whyWait("c") ?? "")?.[1]);
  expect(peak).toBeGreaterThan(20);
});

describe("the pressure on the machine", () => {
  const processes = () => {
    const all = [living(), living(), living(), living()];
    return { all, end: () => Promise.all(all.map(({ end }) => end())) };
  };
  const pressed = (pressure: Pressure) => spyOn(pressures, "pressureNow").mockImplementation(() => pressure);

  test("of memory lets no further session start", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { machine } = machineIn(inside);
    const now = { memory: 20, processor: 0 };
    using _ = pressed(now);
    machine.started("1", ownIdentity(), "c");
    expect(machine.whyWait("c")).toBeUndefined();
    now.memory = 21.4;
    expect(machine.whyWait("c")).toBe(
      "Waits for memory: processes on this machine waited for it 21 % of the time.",
    );
    clock.now += 1_000;
    // One may always run.
    machine.ended("1");
    expect(machine.whyWait("c")).toBeUndefined();
  });

  test("of processors lets one session start every two seconds, where many of ours run", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { machine } = machineIn(inside, undefined, 1);
    using _ = pressed({ memory: 0, processor: 95 });
    const { all, end } = processes();
    const start = (number: number) => machine.started(String(number), all[number - 1]?.identity ?? gone, "c");
    for (const number of [1, 2, 3]) start(number);
    expect(machine.whyWait("c")).toBeUndefined();
    start(4);
    expect(machine.whyWait("c")).toBe(
      "Waits for the processors: processes on this machine waited for them 95 % of the time.",
    );
    clock.now += 1_999;
    expect(machine.whyWait("c")).toBeDefined();
    clock.now += 1;
    expect(machine.whyWait("c")).toBeUndefined();
    await end();
  });

  test("of processors that are not overloaded stops nobody", async () => {
    using inside = new Inside();
    const { machine } = machineIn(inside, undefined, 1);
    using _ = pressed({ memory: 0, processor: 90 });
    const { all, end } = processes();
    for (const [index, { identity }] of all.entries()) machine.started(String(index), identity, "c");
    expect(machine.whyWait("c")).toBeUndefined();
    await end();
  });
});

test("while nothing changes, a look is made once a second, and told once in fifteen", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const { machine, loads } = machineIn(inside);
  const [one, other] = [living(), living()];
  machine.started("1", one.identity, "c");
  const looks = (times: number) => Array.from({ length: times }, () => machine.look());
  // The first look knows no earlier one.
  expect(looks(3)).toEqual([true, true, false]);
  expect(loads).toHaveLength(1);
  clock.now += 999;
  machine.look();
  clock.now += 1;
  expect(looks(2)).toEqual([true, false]);
  expect(loads).toHaveLength(1);
  machine.started("2", other.identity, "c");
  expect(looks(2)).toEqual([true, true]);
  expect(loads.map(({ sessions }) => sessions)).toEqual([1, 2]);
  clock.now += 15_000;
  expect(machine.look()).toBe(true);
  expect(loads).toHaveLength(3);
  await Promise.all([one.end(), other.end()]);
});

test("the surroundings are looked at ten times a second at most", () => {
  using inside = new Inside();
  using clock = new HandClock();
  const { machine, asked } = machineIn(inside);
  for (const ms of [0, 50, 49, 1, 50]) {
    clock.now += ms;
    machine.whyWait("c");
  }
  expect(asked()).toBe(2);
});

test("a look that took long is made less often, and one that took no time at once again", () => {
  using inside = new Inside();
  using clock = new HandClock();
  const { machine } = machineIn(inside);
  machine.started("1", ownIdentity(), "c");
  const hasLooked = () => machine.look();
  expect(hasLooked()).toBe(true);
  // From here on, whoever asks for the time takes 3 ms.
  clock.step = 3;
  expect(hasLooked()).toBe(true);
  clock.step = 0;
  clock.now += 50;
  expect(hasLooked()).toBe(false);
  // Other batches of this process, if any, share the time.
  clock.now += 60_000;
  expect(hasLooked()).toBe(true);
});

test("a session without a task needs room for another one beside it, goes when memory lacks, and teaches nothing", () => {
  using inside = new Inside();
  const { machine, written } = machineIn(inside, 600e6);
  machine.started("1", ownIdentity(), "c");
  expect(machine.whyWait("c")).toBeUndefined();
  expect([1, 2].map((count) => machine.hasMemoryFor("c", count))).toEqual([true, false]);
  expect(machine.isPressed).toBe(false);
  machine.started("spare", ownIdentity(), "c");
  expect(machine.isPressed).toBe(false);
  machine.started("2", ownIdentity(), "c");
  expect(machine.isPressed).toBe(true);
  for (let look = 0; look < 6; look++) machine.lookNow();
  machine.ended("spare", { isUnasked: true });
  expect(written).toEqual([]);
  expect(machine.isPressed).toBe(false);
  machine.ended("2");
  expect(written).toHaveLength(1);
});
