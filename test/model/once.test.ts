// What several want at the same time.
import { expect, test } from "bun:test";
import { FewAtOnce, OncePerKey, TurnPerKey } from "../../src/model/once.ts";

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

test("no more act at once than may, each in its turn, also after one that fails", async () => {
  const few = new FewAtOnce(2);
  const begun: string[] = [];
  const act = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const over = few.next(async () => {
      begun.push(name);
      await promise;
    });
    return { over, end: resolve, fail: () => reject(new Error("not now")) };
  };
  const [a, b, c, d] = [act("a"), act("b"), act("c"), act("d")];
  expect(begun).toEqual(["a", "b"]);
  b.fail();
  await expect(b.over).rejects.toThrow("not now");
  expect(begun).toEqual(["a", "b", "c"]);
  for (const one of [a, c, d]) one.end();
  await Promise.all([a.over, c.over, d.over]);
  expect(begun).toEqual(["a", "b", "c", "d"]);
});
