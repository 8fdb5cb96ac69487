// What several want at the same time.
import { expect, test } from "bun:test";
import { OncePerKey, TurnPerKey } from "../../src/model/once.ts";

test("a value is made once for each key, and again if it could not be made or is not kept", async () => {
  const once = new OncePerKey<number>();
  let made = 0;
  const make = async () => ++made;
  expect(await Promise.all([once.of("a", make), once.of("a", make), once.of("b", make)])).toEqual([1, 1, 2]);
  const failing = once.of("c", () => Promise.reject(new Error("not now")));
  await expect(failing).rejects.toThrow("not now");
  expect(await once.of("c", make)).toBe(3);
  expect(await once.of("d", make, () => false)).toBe(4);
  expect(await once.of("d", make)).toBe(5);
  once.forget("a");
  expect(await once.of("a", make)).toBe(6);
  expect((await once.all()).toSorted()).toEqual([
    ["a", 6],
    ["b", 2],
    ["c", 3],
    ["d", 5],
  ]);
});

test("of one key, each waits for those before it, also for one that fails; of another one, none does", async () => {
  const turns = new TurnPerKey();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const act = (name: string, until?: Promise<void>) => async () => {
    await until;
    order.push(name);
  };
  const failed = turns.next("a", async () => {
    await first.promise;
    order.push("first");
    throw new Error("not now");
  });
  const second = turns.next("a", act("second"));
  await turns.next("b", act("other"));
  expect(order).toEqual(["other"]);
  first.resolve();
  await expect(failed).rejects.toThrow("not now");
  await second;
  expect(order).toEqual(["other", "first", "second"]);
});
