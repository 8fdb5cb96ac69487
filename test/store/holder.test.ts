// What runners that have gone have left in the store: probes and loads of theirs stop nobody.
import { expect, test } from "bun:test";
import { newBatchId } from "../../src/model/batch-id.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import type { Store } from "../../src/store/store.ts";
import { Home } from "../harness.ts";
import { batchOf, living, lost } from "./samples.ts";

const load = { sessions: 3, usedBytes: 1e9, expectedBytes: 2e9 };

/** A hold of an account whose time has come, so that somebody may try whether it is over. */
function openHold(store: Store): Holds {
  const holds = new Holds(store.database, "a");
  holds.place({ kind: "usage-limit", model: "", since: 0, until: 1, because: "A limit.", tries: 0 });
  return holds;
}

test("the try of a runner that has died is another one's to make", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = openHold(store);
  const [hold] = holds.all();
  if (!hold) throw new Error("no hold");
  const dying = living();
  expect(holds.claimProbe(hold, dying.identity, Date.now())).toBe(true);
  expect(holds.all()).toMatchObject([{ isProbed: true }]);
  expect(holds.claimProbe(hold, ownIdentity(), Date.now())).toBe(false);
  await dying.end();
  expect(holds.all()).toMatchObject([{ isProbed: false }]);
  expect(holds.claimProbe(hold, ownIdentity(), Date.now())).toBe(true);
});

test("a try of which nobody can tell is believed for a minute after its runner last said that it lives", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = openHold(store);
  const [hold] = holds.all();
  if (!hold) throw new Error("no hold");
  const log = store.create(batchOf(1), Date.now());
  const epoch = log.takeOver(lost) ?? 0;
  expect(holds.claimProbe(hold, lost, Date.now())).toBe(true);
  store.database.run("UPDATE holds SET probed_at = probed_at - 59 * 60 * 1000");
  expect(holds.claimProbe(hold, ownIdentity(), Date.now())).toBe(false);
  store.setAlive(log.batchId, epoch, Date.now() - 61_000);
  expect(holds.claimProbe(hold, ownIdentity(), Date.now())).toBe(true);
});

test("memory is left to the sessions of runners that live, and not to those of one that has died", async () => {
  await using home = new Home();
  using store = home.store();
  const { capacity } = store;
  const dying = living();
  capacity.setLoad(newBatchId(), ownIdentity(), { ...load, sessions: 1 });
  capacity.setLoad(newBatchId(), dying.identity, { ...load, sessions: 2 });
  const sessions = () => capacity.otherLoads(newBatchId()).map((one) => one.sessions);
  expect(sessions().sort()).toEqual([1, 2]);
  await dying.end();
  expect(sessions()).toEqual([1]);
});

test("a load of which nobody can tell is believed for a minute after it was last told", async () => {
  await using home = new Home();
  using store = home.store();
  store.capacity.setLoad(newBatchId(), lost, load);
  expect(store.capacity.otherLoads(newBatchId())).toEqual([load]);
  store.database.run("UPDATE loads SET changed_at = changed_at - 61 * 1000");
  expect(store.capacity.otherLoads(newBatchId())).toEqual([]);
});
