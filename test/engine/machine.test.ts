// What is measured of running sessions, what is learned from it, and when a next one waits.
import { expect, test } from "bun:test";
import { Machine } from "../../src/engine/memory/machine.ts";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import { type SharedCapacity, sharedCapacity } from "../../src/engine/shared/shared-store.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { Load } from "../../src/store/capacity.ts";
import { Inside } from "../inside.ts";

/** A machine, with what it has told the other runners. */
function machineIn(inside: Inside, limitBytes?: number) {
  const { capacity } = inside.context().store;
  const loads: Load[] = [];
  const batchId = newBatchId();
  const watched: SharedCapacity = {
    ...sharedCapacity(capacity, new LateWrites()),
    setLoad: (_batchId, _holder, load) => void loads.push(load),
  };
  const plan = { batchId, holder: ownIdentity(), processors: 1_000, limitBytes };
  const machine = new Machine({ ...plan, capacity: watched });
  return { machine, loads, footprint: () => capacity.footprint("c") };
}

test("a running session is measured with its whole tree, and what it takes is told", () => {
  using inside = new Inside();
  const { machine, loads } = machineIn(inside);
  expect(machine.look(true)).toEqual([]);
  // An earlier runner may have left something that is no longer true.
  expect(loads).toEqual([{ sessions: 0, usedBytes: 0, expectedBytes: 0 }]);
  machine.look(true);
  expect(loads).toHaveLength(1);
  machine.began(1, ownIdentity(), "c");
  expect(machine.membersOf(1)).toEqual([]);
  machine.look(true);
  expect(machine.membersOf(1).map(({ pid }) => pid)).toContain(process.pid);
  expect(loads.at(-1)?.sessions).toBe(1);
  expect(loads.at(-1)?.usedBytes).toBeGreaterThan(1e6);
  expect(loads.at(-1)?.expectedBytes).toBeGreaterThanOrEqual(256e6);
  // Not again before it is time, for a look costs something.
  const told = loads.length;
  machine.look();
  expect(loads).toHaveLength(told);
  machine.ended(1);
  expect(machine.membersOf(1)).toEqual([]);
  machine.look(true);
  expect(loads.at(-1)).toEqual({ sessions: 0, usedBytes: 0, expectedBytes: 0 });
});

test("what a session took is learned from five looks on", () => {
  using inside = new Inside();
  const { machine, footprint } = machineIn(inside);
  const runWith = (looks: number) => {
    machine.began(1, ownIdentity(), "c");
    for (let look = 0; look < looks; look++) machine.look(true);
    machine.ended(1);
  };
  runWith(4);
  expect(footprint()).toBeUndefined();
  runWith(5);
  const learned = footprint();
  expect(learned).toBeGreaterThan(1e6);
  machine.ended(7);
  expect(footprint()).toBe(learned);
});

test("within a limit of memory, one session may always run, and the next one waits", () => {
  using inside = new Inside();
  const { machine } = machineIn(inside, 300e6);
  expect(machine.hindrance("c")).toBeUndefined();
  machine.began(1, ownIdentity(), "c");
  expect(machine.hindrance("c")).toMatch(
    /^Waits for memory: the running session may take .*`memoryLimitMb` is 300\.$/,
  );
  machine.ended(1);
  expect(machine.hindrance("c")).toBeUndefined();
});
