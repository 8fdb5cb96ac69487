import { expect, test } from "bun:test";
import { fairShares } from "../../src/engine/output/answer.ts";
import { type SlotSource, Slots } from "../../src/engine/scheduler/slots.ts";
import { eventually } from "../harness.ts";

/** A machine that has slots enough. */
function plenty(): SlotSource {
  let last = 0;
  const claim = () => ++last;
  return { claim, claimUnwaited: claim, release() {}, yields: () => false, stopWaiting() {} };
}

test("a third session waits until one of two slots comes free, and a freed slot goes to who waits longest", async () => {
  const slots = new Slots(2, plenty());
  const order: string[] = [];
  const first = await slots.acquire();
  await slots.acquire();
  const third = slots.acquire().then((slot) => {
    order.push("third");
    return slot;
  });
  const fourth = slots.acquire().then(() => order.push("fourth"));
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  // The newcomer comes in the very moment in which a slot is freed, and must not overtake.
  (await third)?.[Symbol.dispose]();
  await fourth;
  expect(order).toEqual(["third", "fourth"]);
});

test("who does not wait for a slot gets one only if it is free and nobody waits, here or elsewhere", async () => {
  let left = 1;
  const claim = () => (left === 0 ? undefined : left--);
  const source: SlotSource = { ...plenty(), claim, claimUnwaited: claim };
  const slots = new Slots(2, source);
  const first = slots.acquireNow();
  expect(first).toBeDefined();
  // Others have the rest.
  expect(slots.acquireNow()).toBeUndefined();
  slots.contended = true;
  left = 1;
  expect(slots.acquireNow()).toBeUndefined();
  slots.contended = false;
  left = 0;
  const waiting = slots.acquire();
  expect(slots.isWaitedFor).toBe(true);
  left = 1;
  expect(slots.acquireNow()).toBeUndefined();
  first?.[Symbol.dispose]();
  await waiting;
  expect(slots.isWaitedFor).toBe(false);
  slots[Symbol.dispose]();
});

test("a slot that came free a moment ago goes to another runner that waits, before it goes to who does not wait", async () => {
  const released: number[] = [];
  let isAwaited = true;
  let last = 0;
  const source: SlotSource = {
    ...plenty(),
    claim: () => ++last,
    claimUnwaited: () => (isAwaited ? undefined : ++last),
    release: (slot) => void released.push(slot),
  };
  const slots = new Slots(2, source);
  const first = await slots.acquire();
  first?.[Symbol.dispose]();
  expect(released).toEqual([]);
  expect(slots.acquireNow()).toBeUndefined();
  expect(released).toEqual([1]);
  isAwaited = false;
  (await slots.acquire())?.[Symbol.dispose]();
  using _ = slots.acquireNow();
  expect(released).toEqual([1, 2]);
  slots[Symbol.dispose]();
});

test("a slot goes to another runner that waits, instead of to the next task", async () => {
  const released: number[] = [];
  const slots = new Slots(1, { ...plenty(), release: (slot) => released.push(slot), yields: () => true });
  slots.contended = true;
  const first = await slots.acquire();
  const second = slots.acquire();
  first?.[Symbol.dispose]();
  await second;
  expect(released).toEqual([1]);
});

test("short answers are whole, and long ones share what is left", () => {
  expect(fairShares([10, 20, 30], 100)).toBe(100);
  expect(fairShares([10, 1_000, 1_000], 110)).toBe(50);
  expect(fairShares([], 10)).toBe(10);
});

test("who waits for a slot that is not wanted any more waits no longer", async () => {
  using slots = new Slots(1, { ...plenty(), claim: () => 1 });
  const held = await slots.acquire();
  let wanted = true;
  const waiting = slots.acquire(() => wanted);
  wanted = false;
  expect(await waiting).toBeUndefined();
  held?.[Symbol.dispose]();
  expect(await slots.acquire()).toBeDefined();
});

/** A machine with this many slots, and the questions that it gets. */
function machineOf(size: number) {
  const free = Array.from({ length: size }, (_, index) => size - index);
  const released: number[] = [];
  let stops = 0;
  let yields = 0;
  const source: SlotSource = {
    claim: () => free.pop(),
    claimUnwaited: () => free.pop(),
    release: (slot) => {
      released.push(slot);
      free.push(slot);
    },
    yields: () => {
      yields++;
      return false;
    },
    stopWaiting: () => stops++,
  };
  return { source, released, free, stops: () => stops, yields: () => yields };
}

test("a slot that nobody takes soon goes back to the machine, and until then to the next task", async () => {
  const { source, released, yields } = machineOf(1);
  const slots = new Slots(2, source);
  const first = await slots.acquire();
  first?.[Symbol.dispose]();
  expect(released).toEqual([]);
  const second = await slots.acquire();
  expect([second === undefined, released]).toEqual([false, []]);
  second?.[Symbol.dispose]();
  await eventually(
    () => released.length > 0,
    () => "it does not go back",
  );
  expect(released).toEqual([1]);
  // As long as nobody else waits, nobody is asked whether one does.
  expect(yields()).toBe(0);
});

test("what only one task uses goes back at once, and whoever waits in this process has it", async () => {
  const free = [1];
  const claim = () => free.pop();
  const source = {
    ...plenty(),
    claim,
    claimUnwaited: claim,
    release: (slot: number) => void free.push(slot),
  };
  const one = new Slots(1, source, { isForOne: true });
  const other = new Slots(1, source, { isForOne: true });
  const slot = await one.acquire();
  const waiting = other.acquire();
  slot?.[Symbol.dispose]();
  expect(free).toEqual([1]);
  expect(await waiting).toBeDefined();
  one[Symbol.dispose]();
  other[Symbol.dispose]();
});

test("what waits for the machine asks again, and the machine hears when nobody does any more", async () => {
  const { source, free, stops } = machineOf(0);
  const slots = new Slots(2, source);
  const waiting = [slots.acquire(), slots.acquire()];
  expect(stops()).toBe(0);
  free.push(7);
  expect(await waiting[0]).toBeDefined();
  expect(stops()).toBe(0);
  free.push(8);
  expect(await waiting[1]).toBeDefined();
  expect(stops()).toBe(1);
});

test("sessions that run already may be more than fit, and their slots go back until no more than fit do", async () => {
  const { source, released } = machineOf(0);
  using slots = new Slots(1, source);
  const [first, second] = [slots.adopt(11), slots.adopt(12)];
  let isServed = false;
  const waiting = slots.acquire().then((slot) => {
    isServed = true;
    return slot;
  });
  first?.[Symbol.dispose]();
  await Promise.resolve();
  expect([released, isServed]).toEqual([[11], false]);
  second?.[Symbol.dispose]();
  expect(await waiting).toBeDefined();
  expect(released).toEqual([11]);
});

test("once closed, nobody asks the machine for anything, and nothing goes back by itself", async () => {
  const { source, released, free } = machineOf(1);
  const closed = new Slots(1, source);
  const first = await closed.acquire();
  first?.[Symbol.dispose]();
  const waiting = machineOf(0);
  const other = new Slots(1, waiting.source);
  void other.acquire();
  for (const slots of [closed, other]) slots[Symbol.dispose]();
  waiting.free.push(5);
  // One that was asked later than both has been served by now.
  const later = machineOf(0);
  using third = new Slots(1, later.source);
  const served = third.acquire();
  later.free.push(6);
  await served;
  expect([released, free, waiting.free]).toEqual([[], [], [5]]);
});

test("without anybody who may be waiting, the machine is not asked whether a slot should go back", async () => {
  const { source, yields } = machineOf(1);
  using slots = new Slots(1, source);
  const first = await slots.acquire();
  const second = slots.acquire();
  first?.[Symbol.dispose]();
  expect(await second).toBeDefined();
  expect(yields()).toBe(0);
  slots.contended = true;
  const third = slots.acquire();
  (await second)?.[Symbol.dispose]();
  await third;
  expect(yields()).toBe(1);
});

test("what waits asks the machine again and again", async () => {
  let asked = 0;
  const source = { ...plenty(), claim: () => (++asked < 4 ? undefined : 1) };
  using slots = new Slots(1, source);
  expect(await slots.acquire()).toBeDefined();
  expect(asked).toBe(4);
});

test("whoever waits is asked again and again whether a slot is still of use, however long that takes", async () => {
  using slots = new Slots(1, plenty());
  const held = await slots.acquire();
  // Until the first slot has asked for nothing for a while.
  let asked = 0;
  using other = new Slots(1, { ...plenty(), claim: () => (++asked < 4 ? undefined : 1) });
  await other.acquire();
  let looks = 0;
  const waiting = slots.acquire(() => ++looks < 4);
  expect(await waiting).toBeUndefined();
  expect(looks).toBe(4);
  held?.[Symbol.dispose]();
});

test("a size that grows lets more in at once, and one that shrinks lets those that are in leave by themselves", async () => {
  let size = 1;
  const slots = new Slots(() => size, plenty());
  const first = await slots.acquire();
  const waiting = [slots.acquire(), slots.acquire(), slots.acquire()];
  size = 3;
  slots.look();
  const [second, third] = await Promise.all(waiting.slice(0, 2));
  size = 1;
  expect(slots.surplus).toBe(2);
  first?.[Symbol.dispose]();
  second?.[Symbol.dispose]();
  expect(slots.surplus).toBe(0);
  let isIn = false;
  const last = waiting[2]?.then(() => {
    isIn = true;
  });
  await Promise.resolve();
  expect(isIn).toBe(false);
  third?.[Symbol.dispose]();
  await last;
});
