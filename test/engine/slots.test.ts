import { expect, test } from "bun:test";
import { fairShares } from "../../src/engine/output/answer.ts";
import { type SlotSource, Slots } from "../../src/engine/scheduler/slots.ts";

/** A machine that has slots enough. */
function plenty(): SlotSource {
  let last = 0;
  return { claim: () => ++last, release: () => undefined, yields: () => false, stopWaiting: () => undefined };
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
  using slots = new Slots(1, { claim: () => 1, release() {}, yields: () => false, stopWaiting() {} });
  const held = await slots.acquire();
  let wanted = true;
  const waiting = slots.acquire(() => wanted);
  wanted = false;
  expect(await waiting).toBeUndefined();
  held?.[Symbol.dispose]();
  expect(await slots.acquire()).toBeDefined();
});
