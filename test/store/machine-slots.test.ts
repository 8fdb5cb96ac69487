import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import { identityOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { MachineSlots, startingPool } from "../../src/store/machine-slots.ts";
import type { Store } from "../../src/store/store.ts";
import { Home } from "../harness.ts";
import { idle } from "../idle.ts";
import { batchOf, goneIdentity, living, lost } from "./samples.ts";

test("the machine's slots are one number for all batches of an account", async () => {
  await using home = new Home();
  using store = home.store();
  const slotsOf = (pool: string) =>
    new MachineSlots(store.database, { pool, batchId: newBatchId(), holder: ownIdentity(), limit: () => 2 });
  const [one, two, other] = [slotsOf("a"), slotsOf("a"), slotsOf("b")];
  expect([one.claim(), two.claim()].every((slot) => slot !== undefined)).toBe(true);
  expect([one.claim(), two.claim()]).toEqual([undefined, undefined]);
  expect(other.claim()).toBeDefined();
});

test("a freed slot goes to the waiting batch that holds the fewest", async () => {
  await using home = new Home();
  using store = home.store();
  const slotsOf = () =>
    new MachineSlots(store.database, {
      pool: "a",
      batchId: newBatchId(),
      holder: ownIdentity(),
      limit: () => 3,
    });
  const [big, small] = [slotsOf(), slotsOf()];
  const held = [big.claim(), big.claim(), big.claim()];
  expect(small.claim()).toBeUndefined();
  expect(big.yields()).toBe(true);
  big.release(held[0] ?? 0);
  expect(big.claim()).toBeUndefined();
  expect(small.claim()).toBeDefined();
  expect(big.yields()).toBe(false);
});

test("the slots of a runner that has died are free for others", async () => {
  await using home = new Home();
  using store = home.store();
  const child = Bun.spawn(idle);
  const holder = identityOf(child.pid);
  if (!holder) throw new Error("no identity");
  const dying = new MachineSlots(store.database, {
    pool: "a",
    batchId: newBatchId(),
    holder,
    limit: () => 1,
  });
  const other = new MachineSlots(store.database, {
    pool: "a",
    batchId: newBatchId(),
    holder: ownIdentity(),
    limit: () => 1,
  });
  expect(dying.claim()).toBeDefined();
  expect(other.claim()).toBeUndefined();
  child.kill("SIGKILL");
  await child.exited;
  expect(other.claim()).toBeDefined();
});

test("a store of schema 1 loads, and tells what it told then", async () => {
  await using home = new Home();
  const fixture = Bun.file(join(import.meta.dir, "..", "fixtures", "stores", "schema-1.sqlite"));
  await Bun.write(join(home.state, "store.sqlite"), fixture);
  using store = home.store();
  expect(store.list().map(({ name, counts }) => ({ name, counts }))).toMatchObject([
    { counts: { failed: 1 } },
    { name: "of schema 1", counts: { succeeded: 2, failed: 1 } },
  ]);
  for (const row of store.list()) {
    const state = store.batch(row.batchId)?.state;
    expect(state?.counts).toEqual(row.counts);
    expect(state?.endedAt).toBe(row.endedAt ?? Number.NaN);
  }
});

test("a store of schema 2 loads, and what its runners still use stays as it was", async () => {
  await using home = new Home();
  const fixture = Bun.file(join(import.meta.dir, "..", "fixtures", "stores", "schema-2.sqlite"));
  await Bun.write(join(home.state, "store.sqlite"), fixture);
  using store = home.store();
  expect(store.list()).toMatchObject([
    { name: "of schema 2", counts: { succeeded: 2, failed: 1 }, held: { because: "A disk was full." } },
  ]);
  // A runner of that version that still runs claims and waits as before.
  const { database } = store;
  expect(database.query("SELECT count(*) AS held FROM slots WHERE account = 'a'").get()).toEqual({ held: 1 });
  database.run("INSERT OR REPLACE INTO slot_waiters VALUES ('abcdefgh', 'a', '{}')");
});

test("a store of schema 3 loads, its transcripts are where it lies now, and its runners write as before", async () => {
  await using home = new Home();
  const fixture = Bun.file(join(import.meta.dir, "..", "fixtures", "stores", "schema-3.sqlite"));
  await Bun.write(join(home.state, "store.sqlite"), fixture);
  using store = home.store();
  const [row] = store.list();
  expect(row).toMatchObject({ name: "of schema 3", outputDirectory: "/tmp/former/out" });
  const { batchId } = row ?? never();
  const log = store.batch(batchId) ?? never();
  const { transcript } = log.state.tasks[1]?.attempts[0] ?? never();
  expect(transcript).toBe(join(home.state, `batches/${batchId}/task-002-attempt-1.ndjson`));
  // A program of that version that still runs, a door for one, reads what follows in this log as it always did.
  log.append(() => [{ type: "leash-released", outputDirectory: join(home.state, "out") }]);
  const column = store.database.query("SELECT output_directory AS place FROM batches").get();
  expect(column).toEqual({ place: join(home.state, "out") });
  log.append(() => [{ type: "file-failed", path: join(home.state, "x"), message: "" }]);
  const kept = store.database.query("SELECT body FROM events ORDER BY sequence DESC LIMIT 1").get();
  expect(kept).toEqual({
    body: JSON.stringify({ type: "file-failed", path: join(home.state, "x"), message: "" }),
  });
  for (const [table, values] of [
    ["pool_waiters", "'abcdefgh', 'a', '{}'"],
    ["loads", "'abcdefgh', '{}', 1, 2, 3, 4"],
    ["paces", "'a', '{}'"],
    ["footprints", "'a', 1, 2"],
    ["progress", "'abcdefgh', 1, 'Read'"],
    ["facts", "'a', 'b'"],
  ])
    store.database.run(`INSERT OR REPLACE INTO ${table} VALUES (${values})`);
});

function never(): never {
  throw new Error("not there");
}

for (const pool of ["a", startingPool]) {
  test(`what the runner of a killed container holds of ${pool} is free a minute after its last sign of life`, async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(batchOf(1), Date.now());
    const epoch = log.takeOver(lost) ?? 0;
    const plan = { pool, limit: () => 1 };
    const theirs = new MachineSlots(store.database, { ...plan, batchId: log.batchId, holder: lost });
    expect(theirs.claim()).toBeDefined();
    const ours = new MachineSlots(store.database, { ...plan, batchId: newBatchId(), holder: ownIdentity() });
    // However long ago it was claimed: the runner says that it lives.
    store.database.run("UPDATE pool_slots SET claimed_at = claimed_at - 6 * 60 * 1000");
    expect(ours.claim()).toBeUndefined();
    store.setAlive(log.batchId, epoch, Date.now() - 61_000);
    expect(ours.claim()).toBeDefined();
  });

  test(`a batch that has stopped asking for ${pool} limits nobody, though its process lives`, async () => {
    await using home = new Home();
    using store = home.store();
    const plan = { pool, limit: () => 3 };
    const stopped = living();
    const busy = new MachineSlots(store.database, { ...plan, batchId: newBatchId(), holder: ownIdentity() });
    const waiting = new MachineSlots(store.database, {
      ...plan,
      batchId: newBatchId(),
      holder: stopped.identity,
    });
    const held = [busy.claim(), busy.claim(), busy.claim()];
    expect(waiting.claim()).toBeUndefined();
    expect(busy.yields()).toBe(true);
    busy.release(held[0] ?? 0);
    expect(busy.claim()).toBeUndefined();
    store.database.run("UPDATE pool_asks SET asked_at = asked_at - 6000");
    expect(busy.yields()).toBe(false);
    expect(busy.claim()).toBeDefined();
    await stopped.end();
  });

  test(`the row of a waiter that was killed limits nobody in ${pool}, and goes`, async () => {
    await using home = new Home();
    using store = home.store();
    const plan = { pool, limit: () => 2 };
    const dead = new MachineSlots(store.database, {
      ...plan,
      batchId: newBatchId(),
      holder: await goneIdentity(),
    });
    const busy = new MachineSlots(store.database, { ...plan, batchId: newBatchId(), holder: ownIdentity() });
    expect([busy.claim(), busy.claim()]).not.toContain(undefined);
    expect(dead.claim()).toBeUndefined();
    expect(busy.yields()).toBe(false);
    expect(busy.claim()).toBeUndefined();
    expect(store.database.query("SELECT count(*) AS n FROM pool_waiters").get()).toEqual({ n: 1 });
  });
}

test("a waiter of an older program, which does not say when it asked, is heard while it lives", async () => {
  await using home = new Home();
  using store = home.store();
  const plan = { pool: "a", limit: () => 2 };
  const busy = new MachineSlots(store.database, { ...plan, batchId: newBatchId(), holder: ownIdentity() });
  const older = living();
  expect([busy.claim(), busy.claim()]).not.toContain(undefined);
  store.database
    .query("INSERT OR REPLACE INTO pool_waiters VALUES (?, ?, ?)")
    .run(newBatchId(), "a", JSON.stringify(older.identity));
  expect(busy.yields()).toBe(true);
  await older.end();
  expect(busy.yields()).toBe(false);
});

test("a slot's number is never given out again, and nobody gives back what another batch holds", async () => {
  await using home = new Home();
  using store = home.store();
  const plan = { pool: "a", holder: ownIdentity(), limit: () => 1 };
  const [one, other] = [newBatchId(), newBatchId()].map(
    (batchId) => new MachineSlots(store.database, { ...plan, batchId }),
  );
  const first = one?.claim() ?? 0;
  one?.release(first);
  const second = other?.claim() ?? 0;
  expect(second).not.toBe(first);
  one?.release(second);
  expect(other?.taken()).toBe(1);
});

test("a pool that has become smaller takes slots back as they come free", async () => {
  await using home = new Home();
  using store = home.store();
  let limit = 3;
  const plan = { pool: "a", batchId: newBatchId(), holder: ownIdentity(), limit: () => limit };
  const slots = new MachineSlots(store.database, plan);
  const [held] = [slots.claim(), slots.claim(), slots.claim()];
  expect(slots.yields()).toBe(false);
  limit = 2;
  expect(slots.yields()).toBe(true);
  slots.release(held ?? 0);
  expect(slots.yields()).toBe(false);
  expect(slots.claim()).toBeUndefined();
});

/** The slots of a pool as several batches of ours see them. */
async function withSlots(
  limit: number,
  act: (slotsOf: (pool?: string) => MachineSlots, store: Store) => void,
) {
  await using home = new Home();
  using store = home.store();
  const plan = { holder: ownIdentity(), limit: () => limit };
  act((pool = "a") => new MachineSlots(store.database, { ...plan, pool, batchId: newBatchId() }), store);
}

const waiting = (store: Store) =>
  ["pool_waiters", "pool_asks"].map((table) => store.database.query(`SELECT 1 FROM ${table}`).all().length);

test("who gets a slot, or wants none any more, does not wait", () =>
  withSlots(1, (slotsOf, store) => {
    const [one, two] = [slotsOf(), slotsOf()];
    const held = one.claim() ?? never();
    expect(waiting(store)).toEqual([0, 0]);
    expect(two.claim()).toBeUndefined();
    expect(waiting(store)).toEqual([1, 1]);
    one.release(held);
    expect(two.claim()).toBeDefined();
    expect(waiting(store)).toEqual([0, 0]);
    expect(one.claim()).toBeUndefined();
    expect(waiting(store)).toEqual([1, 1]);
    one.stopWaiting();
    expect(waiting(store)).toEqual([0, 0]);
    // What another one of this batch says is not ours to take back.
    expect(one.claim()).toBeUndefined();
    two.stopWaiting();
    expect(waiting(store)).toEqual([1, 1]);
  }));

test("who only asks whether one is free gets it if nobody waits, and writes nothing otherwise", () =>
  withSlots(2, (slotsOf, store) => {
    using watching = new Database(store.layout.database, { readonly: true });
    const changes = () => watching.query("PRAGMA data_version").values();
    const [one, two] = [slotsOf(), slotsOf()];
    const held = one.claimUnwaited() ?? never();
    expect(two.claimUnwaited()).toBeDefined();
    const before = changes();
    expect([one.claimUnwaited(), two.claimUnwaited()]).toEqual([undefined, undefined]);
    expect(changes()).toEqual(before);
    expect(two.claim()).toBeUndefined();
    one.release(held);
    expect(one.claimUnwaited()).toBeUndefined();
    expect(two.claim()).toBeDefined();
  }));

test("a batch gives way only to one that waits with none, or with two fewer", () =>
  withSlots(6, (slotsOf) => {
    const [big, small] = [slotsOf(), slotsOf()];
    for (let index = 0; index < 4; index++) big.claim();
    small.claim();
    small.claim();
    expect([big.taken(), small.taken(), slotsOf("b").taken()]).toEqual([6, 6, 0]);
    // Nobody waits.
    expect(big.yields()).toBe(false);
    expect(small.claim()).toBeUndefined();
    // It has two more than the one that waits.
    expect(big.yields()).toBe(true);
    expect(big.claim()).toBeUndefined();
    // Who waits does not give way to one that has more.
    expect(small.yields()).toBe(false);
  }));

test("three against two is even enough", () =>
  withSlots(5, (slotsOf) => {
    const [big, small] = [slotsOf(), slotsOf()];
    const slots = [big, big, big, small, small].map((one) => one.claim());
    expect(slots).not.toContain(undefined);
    expect(small.claim()).toBeUndefined();
    expect(big.yields()).toBe(false);
  }));

test("a runner inherits the slots of the one before it, and gives all back at the end", async () => {
  await using home = new Home();
  using store = home.store();
  const batchId = newBatchId();
  const slotsOf = (holder: ProcessIdentity, pool = "a") =>
    new MachineSlots(store.database, { pool, batchId, holder, limit: () => 1 });
  const former = slotsOf(await goneIdentity());
  const held = [former.claim(), former.force()];
  slotsOf(ownIdentity(), "b").claim();
  const now = slotsOf(ownIdentity());
  expect(now.inherit().sort()).toEqual(held.map((slot) => slot ?? never()).sort());
  expect(now.yields()).toBe(true);
  const holders = store.database.query("SELECT DISTINCT holder FROM pool_slots").all();
  expect(holders).toEqual([{ holder: JSON.stringify(ownIdentity()) }]);
  expect(now.claim()).toBeUndefined();
  expect(waiting(store)).toEqual([1, 1]);
  now.releaseAll();
  expect(waiting(store)).toEqual([0, 0]);
  expect([now.taken(), slotsOf(ownIdentity(), "b").taken()]).toEqual([0, 1]);
});

test("the number of a slot is exact, with room behind it", () =>
  withSlots(100, (slotsOf) => {
    const slots = slotsOf();
    for (let index = 0; index < 100; index++) {
      const slot = slots.force();
      expect(slot).toBeWithin(1, 2 ** 47 + 1);
      expect(Number.isInteger(slot)).toBe(true);
    }
  }));
