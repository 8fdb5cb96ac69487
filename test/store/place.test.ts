// A store that was copied while its batches ran: the copy stands on its own, and leaves the original's processes alone.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { cpSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EventBody } from "../../src/model/event.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import { MachineSlots } from "../../src/store/machine-slots.ts";
import { Store } from "../../src/store/store.ts";
import { Home } from "../harness.ts";
import { batchOf, started } from "./samples.ts";

const me = ownIdentity();

/** A batch of three tasks that we run: one failed, one runs, one waits; and all that is kept of it while it does. */
function running(store: Store) {
  const log = store.create({ ...batchOf(3), leash: me }, Date.now());
  const epoch = log.takeOver(me);
  store.claimKeeper(log.batchId, me);
  const end: EventBody = {
    type: "attempt-ended",
    task: 1,
    attempt: 1,
    outcome: { kind: "crashed", stderrTail: "" },
  };
  log.append(() => [started(1), started(2), end], epoch);
  store.setActivities(log.batchId, new Map([[2, "Reads"]]));
  store.capacity.setLoad(log.batchId, me, { sessions: 1, usedBytes: 1, expectedBytes: 1 });
  const slotsOf = (limit: number) =>
    new MachineSlots(store.database, { pool: "h", batchId: log.batchId, holder: me, limit: () => limit });
  slotsOf(1).claim();
  slotsOf(0).claim();
  const holds = new Holds(store.database, "h");
  const hold = { kind: "auth", model: "", since: 0, until: 0, because: "x", tries: 0 } as const;
  holds.place(hold);
  holds.claimProbe(hold, me, 1);
  return log;
}

const tables = ["pool_slots", "pool_waiters", "pool_asks", "loads", "progress"];
const rowsIn = (store: Store) =>
  tables.map((table) => store.database.query(`SELECT 1 FROM ${table}`).all().length);

test("a copy gives the running batch to nobody, and its running tasks back to be begun anew", async () => {
  await using home = new Home();
  using store = home.store();
  const log = running(store);
  const ended = store.create(batchOf(1), 1);
  ended.append(() => [{ type: "batch-ended" }]);
  const untouched = store.batch(ended.batchId)?.sequence;
  cpSync(home.state, home.file("copy"), { recursive: true });
  const before = Date.now();
  using copy = new Store(home.file("copy"));

  expect(copy.row(log.batchId)).toMatchObject({
    epoch: 2,
    aliveAt: 0,
    counts: { queued: 2, running: 0, failed: 1 },
  });
  expect(copy.row(log.batchId)).not.toHaveProperty("runner");
  expect(copy.row(log.batchId)).not.toHaveProperty("keeper");
  const { state } = copy.batch(log.batchId) ?? never();
  expect(state).not.toHaveProperty("leash");
  expect(state.copiedAt).toBeGreaterThanOrEqual(before);
  expect(state.tasks.map(({ status }) => status)).toEqual(["done", "queued", "queued"]);
  expect(state.tasks[1]).toMatchObject({
    notBefore: expect.any(Number),
    attempts: [
      {
        outcome: {
          kind: "crashed",
          stderrTail: "The state directory was copied while this session ran. Its answer is in the original.",
        },
      },
    ],
  });
  expect(rowsIn(copy)).toEqual([0, 0, 0, 0, 0]);
  expect(new Holds(copy.database, "h").all()).toMatchObject([{ isProbed: false }]);
  // Somebody may take it up here at once, though we live.
  expect(copy.batch(log.batchId)?.takeOver(me)).toBe(3);
  // What had ended is as it was.
  expect(copy.batch(ended.batchId)?.sequence).toBe(untouched ?? never());

  // And the original goes on.
  expect(store.row(log.batchId)).toMatchObject({ runner: me, keeper: me, epoch: 1 });
  expect(rowsIn(store)).toEqual([1, 1, 1, 1, 1]);
  using again = new Store(home.file("copy"));
  expect(again.batch(log.batchId)?.state.epoch).toBe(3);
});

/** What a program before this one noted: the path alone. */
const forgetFile = (directory: string) => {
  using database = new Database(join(directory, "store.sqlite"));
  database.run("DELETE FROM facts WHERE name = 'state-file'");
};

for (const older of [false, true]) {
  const written = older ? ", of an older program," : "";

  test(`a store${written} that was moved, or is reached by another path, is the same one`, async () => {
    await using home = new Home();
    const batchId = (() => {
      using store = home.store();
      return running(store).batchId;
    })();
    const isSame = (directory: string) => {
      if (older) forgetFile(directory);
      using store = new Store(directory);
      expect(store.row(batchId)).toMatchObject({ runner: me, epoch: 1 });
      expect(rowsIn(store)).toEqual([1, 1, 1, 1, 1]);
    };
    // The same file under two paths, as a mount shows it.
    mkdirSync(home.file("mounted"));
    linkSync(join(home.state, "store.sqlite"), home.file("mounted/store.sqlite"));
    isSame(home.file("mounted"));
    rmSync(home.file("mounted"), { recursive: true });
    isSame(home.state);
    renameSync(home.state, home.file("moved"));
    isSame(home.file("moved"));
  });

  test(`a copy of a store${written} is one, as long as the other is there`, async () => {
    await using home = new Home();
    const batchId = (() => {
      using store = home.store();
      return running(store).batchId;
    })();
    if (older) forgetFile(home.state);
    cpSync(home.state, home.file("copy"), { recursive: true });
    using copy = new Store(home.file("copy"));
    expect(copy.row(batchId)).not.toHaveProperty("runner");
  });
}

test("a store notes where it lies, and writes that once for each place", async () => {
  await using home = new Home();
  home.store()[Symbol.dispose]();
  renameSync(home.state, home.file("moved"));
  using watcher = new Database(join(home.file("moved"), "store.sqlite"));
  const open = () => {
    using store = new Store(home.file("moved"));
    store.list();
    return watcher.query("PRAGMA data_version").get();
  };
  const noted = open();
  const facts = watcher.query("SELECT name, value FROM facts WHERE name LIKE 'state-%' ORDER BY name").all();
  const { dev, ino } = statSync(home.file("moved/store.sqlite"));
  expect(facts).toEqual([
    { name: "state-directory", value: home.file("moved") },
    { name: "state-file", value: `${dev}:${ino}` },
  ]);
  expect(open()).toEqual(noted);
  forgetFile(home.file("moved"));
  const forgotten = watcher.query("PRAGMA data_version").get();
  expect(open()).not.toEqual(forgotten);
});

test("a store that was moved, and in whose place another one is now, is no copy of that", async () => {
  await using home = new Home();
  const batchId = (() => {
    using store = home.store();
    return running(store).batchId;
  })();
  renameSync(home.state, home.file("moved"));
  mkdirSync(home.state);
  home.store()[Symbol.dispose]();
  using moved = new Store(home.file("moved"));
  expect(moved.row(batchId)).toMatchObject({ runner: me, epoch: 1 });
});

test("a copy that cannot be made to stand on its own is not opened, and why is said", async () => {
  await using home = new Home();
  home.store()[Symbol.dispose]();
  cpSync(home.state, home.file("copy"), { recursive: true });
  using other = new Database(home.file("copy/store.sqlite"));
  other.run("BEGIN IMMEDIATE");
  const open = () => new Store(home.file("copy"), { busyTimeoutMs: 1 });
  expect(open).toThrow(`The store ${home.file("copy/store.sqlite")} is locked by another process.`);
  other.run("CREATE TRIGGER refuse BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'not ours to say'); END");
  other.run("COMMIT");
  expect(open).toThrow("not ours to say");
  other.run("DROP TRIGGER refuse");
  open()[Symbol.dispose]();
});

function never(): never {
  throw new Error("not there");
}
