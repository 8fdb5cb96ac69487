// What machine and account have turned out to allow, as it is kept for those that come.
import { expect, test } from "bun:test";
import { newBatchId } from "../../src/model/batch-id.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Home } from "../harness.ts";

test("the pace of an account is changed from what is kept, and is its own", async () => {
  await using home = new Home();
  using store = home.store();
  const { capacity } = store;
  expect(capacity.pace("a")).toBeUndefined();
  const seen: (string | undefined)[] = [];
  const change = (account: string, next: string) =>
    capacity.changePace(account, (kept) => {
      seen.push(kept);
      return next;
    });
  expect(change("a", "1")).toBe("1");
  expect(change("a", "2")).toBe("2");
  expect(change("b", "3")).toBe("3");
  expect(seen).toEqual([undefined, "1", undefined]);
  expect([capacity.pace("a"), capacity.pace("b")]).toEqual(["2", "3"]);
});

test("a pace that stays the same is not written: all others would look at the store", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  store.capacity.changePace("a", () => "1");
  const count = other.changeCount();
  expect(store.capacity.changePace("a", (kept) => kept ?? "")).toBe("1");
  expect(other.changeCount()).toBe(count);
});

test("the footprint of a configuration is the last one told, in whole bytes", async () => {
  await using home = new Home();
  using store = home.store();
  const { capacity } = store;
  expect(capacity.footprint("x")).toBeUndefined();
  capacity.setFootprint("x", 1.4);
  capacity.setFootprint("x", 2.5);
  capacity.setFootprint("y", 9);
  expect([capacity.footprint("x"), capacity.footprint("y")]).toEqual([3, 9]);
});

test("the load of a batch is the last one told, and none where it has no sessions; its own it knows itself", async () => {
  await using home = new Home();
  using store = home.store();
  const { capacity } = store;
  const [one, other] = [newBatchId(), newBatchId()];
  const me = ownIdentity();
  capacity.setLoad(one, me, { sessions: 1, usedBytes: 1, expectedBytes: 2 });
  capacity.setLoad(one, me, { sessions: 3, usedBytes: 1.6, expectedBytes: 2.4 });
  capacity.setLoad(other, me, { sessions: 1, usedBytes: 7, expectedBytes: 8 });
  expect(capacity.otherLoads(other)).toEqual([{ sessions: 3, usedBytes: 2, expectedBytes: 2 }]);
  expect(capacity.otherLoads(one)).toEqual([{ sessions: 1, usedBytes: 7, expectedBytes: 8 }]);
  capacity.setLoad(one, me, { sessions: 0, usedBytes: 0, expectedBytes: 0 });
  expect(capacity.otherLoads(other)).toEqual([]);
  expect(capacity.otherLoads(one)).toHaveLength(1);
});
