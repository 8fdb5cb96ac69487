// What the store says of its batches: every field of a row in every state, and which batches each question finds.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { BatchId } from "../../src/model/batch-id.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import type { EventBody } from "../../src/model/event.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { batchColumns, selectionOf } from "../../src/store/batch-columns.ts";
import type { BatchLog, Founding } from "../../src/store/batch-log.ts";
import { readBatchSummaries } from "../../src/store/batch-summaries.ts";
import { type BatchRow, Store } from "../../src/store/store.ts";
import { Home } from "../harness.ts";
import { batchOf, goneIdentity, lost, started } from "./samples.ts";

const crashed = { kind: "crashed", stderrTail: "" } as const;
const ended = (task: number, more: object = {}): EventBody => ({
  type: "attempt-ended",
  task,
  attempt: 1,
  outcome: crashed,
  ...more,
});

/** What founds a batch of this id, name and account. */
function founding(
  batchId: string,
  { name, account = "h" }: { name?: string; account?: string } = {},
): Founding {
  const { batch, ...rest } = batchOf(4);
  const named = name === undefined ? batch : { ...batch, name };
  return {
    ...rest,
    batch: { ...named, batchId: batchIdSchema.parse(batchId) },
    account: { hash: account, environment: {} },
  };
}

const idsOf = (rows: readonly BatchRow[]) => rows.map(({ batchId }) => String(batchId));

/** A batch that had ended at a time. */
function over(store: Store, batchId: string, at: number): BatchLog {
  const log = store.create(founding(batchId), at);
  log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
  store.database.run("UPDATE batches SET ended_at = ? WHERE batch_id = ?", [at, batchId]);
  return log;
}

describe("the row of a batch", () => {
  test("has the columns that are declared, and no others", async () => {
    await using home = new Home();
    using store = home.store();
    const columns = store.database.query<{ name: string }, []>(
      "SELECT name FROM pragma_table_info('batches')",
    );
    const selected = selectionOf(batchColumns)
      .split(", ")
      .map((part) => part.replace(/^batches\.| AS .*$/g, ""));
    expect(selected.sort()).toEqual(
      columns
        .all()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test("has each field that is known in each of its states", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb", { name: "nightly" }), 5);
    const { batchId } = log;
    const row = () => store.row(batchId) ?? never();
    const founded: BatchRow = {
      batchId,
      name: "nightly",
      createdAt: 5,
      changedAt: 5,
      epoch: 0,
      aliveAt: 5,
      account: "h",
      outputDirectory: "/nowhere",
      counts: { queued: 4, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
      costUsd: 0,
      costAtLeast: false,
    };
    expect(row()).toEqual(founded);
    const before = Date.now();
    const epoch = log.takeOver(ownIdentity());
    store.claimKeeper(batchId, lost);
    const filled: BatchRow = {
      ...founded,
      epoch: 1,
      changedAt: log.state.changedAt,
      aliveAt: expect.any(Number),
      runner: ownIdentity(),
      keeper: lost,
    };
    expect(row()).toEqual(filled);
    expect(row().aliveAt).toBeWithin(before, Date.now() + 1);

    store.setHeld(batchId, { because: "limit", until: 99 });
    expect(row().held).toEqual({ because: "limit", until: 99 });
    store.setHeld(batchId, { because: "limit" });
    expect(row().held).toEqual({ because: "limit", until: undefined });
    store.setHeld(batchId, undefined);
    expect(row()).toEqual(filled);

    const usage = { costUsd: 0.5, numTurns: 1, durationMs: 1, atLeast: true };
    log.append(() => [started(1), started(2), ended(1, { usage })], epoch);
    log.append(() => [{ type: "leash-released", outputDirectory: join(home.state, "out") }]);
    log.append(() => [{ type: "cancel-requested", by: "budget" }], epoch);
    const cancelling: BatchRow = {
      ...filled,
      changedAt: log.state.changedAt,
      cancelledBy: "budget",
      outputDirectory: join(home.state, "out"),
      counts: { queued: 0, running: 1, succeeded: 0, failed: 1, cancelled: 2 },
      costUsd: 0.5,
      costAtLeast: true,
    };
    expect(row()).toEqual(cancelling);
    const end = ended(2, { outcome: { kind: "cancelled", by: "budget" } });
    log.append(() => [end, { type: "batch-ended" }], epoch);
    expect(row()).toEqual({
      ...cancelling,
      changedAt: log.state.changedAt,
      endedAt: log.state.changedAt,
      stoppedBy: "budget",
      counts: { queued: 0, running: 0, succeeded: 0, failed: 1, cancelled: 3 },
    });
    expect(store.row(batchIdSchema.parse("zzzzzzzz"))).toBeUndefined();
  });

  test("of a batch whose tasks were cancelled says who asked for it last, once it has ended", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    const stoppedBy = () => store.row(log.batchId)?.stoppedBy;
    log.append(() => [{ type: "cancel-requested", by: "user", tasks: [1] }]);
    log.append(() => [{ type: "cancel-requested", by: "failure-mode", tasks: [2] }]);
    expect(stoppedBy()).toBeUndefined();
    log.append(() => [{ type: "batch-ended" }]);
    expect(stoppedBy()).toBe("failure-mode");
  });

  test.each([
    [{ by: "user" }, { stoppedBy: "user", cancelledBy: "user" }],
    [
      { by: "hold", access: "auth" },
      { stoppedBy: "hold", cancelledBy: "hold", lackedAccess: "auth" },
    ],
    [{ by: "hold" }, { stoppedBy: "hold", cancelledBy: "hold" }],
    [{ by: "leash" }, { stoppedBy: "leash", cancelledBy: "leash", startedBy: "run" }],
    [{ by: "leash", tasks: [1, 2] }, { stoppedBy: "leash" }],
    [
      { by: "hold", access: "auth", tasks: [1, 2] },
      { stoppedBy: "hold", lackedAccess: "auth" },
    ],
  ] as const)("that was stopped with %j says %j once it has ended, and not before", async (request, said) => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    const why = () => {
      const { stoppedBy, cancelledBy, lackedAccess, startedBy } = store.row(log.batchId) ?? never();
      return JSON.parse(JSON.stringify({ stoppedBy, cancelledBy, lackedAccess, startedBy }));
    };
    const { tasks, ...by } = { tasks: undefined, ...request };
    log.append(() => [{ type: "cancel-requested", ...by, ...(tasks ? { tasks: [...tasks] } : {}) }]);
    expect(why()).toEqual("cancelledBy" in said ? { cancelledBy: said.cancelledBy } : {});
    log.append(() => [{ type: "batch-ended" }]);
    expect(why()).toEqual(said);
  });

  test("has beside it the budgets that the fold has: today's, and that at which it last stopped", async () => {
    await using home = new Home();
    using store = home.store();
    const { batch, ...rest } = founding("bbbbbbbb");
    const log = store.create({ ...rest, batch: { ...batch, budgetUsd: 2 } }, 1);
    const free = store.create(founding("bccccccc"), 1);
    const budgets = () => {
      const { budgetUsd, stoppedAtUsd } = log.state;
      const found = store.budgets(log.batchId);
      expect(found).toEqual({ budgetUsd, stoppedAtUsd });
      return Object.values(found);
    };
    expect(budgets()).toEqual([2, undefined]);
    log.append(() => [{ type: "cancel-requested", by: "budget" }]);
    expect(budgets()).toEqual([2, 2]);
    log.append(() => [{ type: "retry-requested", tasks: [1], budgetUsd: 5 }]);
    expect(budgets()).toEqual([5, 2]);
    log.append(() => [
      { type: "retry-requested", tasks: [2] },
      { type: "cancel-requested", by: "user" },
    ]);
    expect(budgets()).toEqual([5, 2]);
    log.append(() => [{ type: "cancel-requested", by: "budget" }]);
    expect(budgets()).toEqual([5, 5]);
    expect(store.budgets(free.batchId)).toEqual({ budgetUsd: undefined, stoppedAtUsd: undefined });
  });

  test("stays as it is where nothing is appended", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    expect(log.append(() => [])).toEqual([]);
    expect(store.row(log.batchId)?.changedAt).toBe(1);
  });
});

describe("of several batches", () => {
  const ids = ["bbbbbbbb", "bccccccc", "bcdddddd"] as const;

  async function withThree(test: (store: Store, home: Home) => void): Promise<void> {
    await using home = new Home();
    using store = home.store();
    for (const [index, id] of ids.entries())
      store.create(founding(id, { account: index === 2 ? "other" : "h" }), 100 * (index + 1));
    test(store, home);
  }

  test("the list has the newest first, from a place on, as many as are wanted", () =>
    withThree((store) => {
      expect(idsOf(store.list())).toEqual([...ids].reverse());
      expect(idsOf(store.list({ limit: 1 }))).toEqual(["bcdddddd"]);
      expect(idsOf(store.list({ limit: 1, offset: 1 }))).toEqual(["bccccccc"]);
      expect(idsOf(store.list({ offset: 1 }))).toEqual(["bccccccc", "bbbbbbbb"]);
    }));

  test.each([
    ["b", [...ids]],
    ["bc", ["bccccccc", "bcdddddd"]],
    ["bcdddddd", ["bcdddddd"]],
    ["z", []],
    // No pattern of SQLite's, nothing that is too long, and not all of them for nothing.
    ["b*", []],
    ["", []],
    ["bcddddddd", []],
  ])("those that begin with %j are %j", (prefix, found) =>
    withThree((store) => {
      expect(store.withPrefix(prefix).map(String)).toEqual(found);
      expect(store.withPrefix(prefix, 1).map(String)).toEqual(found.slice(0, 1));
    }),
  );

  test.each([
    ["h", 0, 2],
    ["h", 100, 2],
    ["h", 101, 1],
    ["h", 201, 0],
    ["other", 0, 1],
    ["nobody", 0, 0],
  ])("account %s founded since %d: %d", (account, since, count) =>
    withThree((store) => expect(store.createdSince(account, since)).toBe(count)),
  );

  test("a directory has those that write there; a batch's own pages, that batch alone", () =>
    withThree((store) => {
      const own = store.layout.pages(batchIdSchema.parse(ids[0]));
      store
        .batch(batchIdSchema.parse(ids[0]))
        ?.append(() => [{ type: "leash-released", outputDirectory: own }]);
      expect(idsOf(store.inDirectory("/nowhere"))).toEqual(["bcdddddd", "bccccccc"]);
      expect(idsOf(store.inDirectory("/nowhere", { limit: 1 }))).toEqual(["bcdddddd"]);
      expect(idsOf(store.inDirectory(own))).toEqual(["bbbbbbbb"]);
      expect(store.inDirectory(store.layout.pages(batchIdSchema.parse("zzzzzzzz")))).toEqual([]);
    }));

  test("of all, those have not ended that have no end", () =>
    withThree((store) => {
      over(store, "zzzzzzzz", 900);
      expect(idsOf(store.unended()).sort()).toEqual([...ids]);
    }));

  test("those had ended by a time, the oldest first", () =>
    withThree((store) => {
      over(store, "yyyyyyyy", 700);
      over(store, "zzzzzzzz", 600);
      expect(idsOf(store.endedBy(699))).toEqual(["zzzzzzzz"]);
      expect(idsOf(store.endedBy(700))).toEqual(["zzzzzzzz", "yyyyyyyy"]);
      expect(store.endedBy(599)).toEqual([]);
    }));

  test("a summary has id, name, number of tasks and begin, newest first, and makes no store", () =>
    withThree((store, home) => {
      store.create(founding("zzzzzzzz", { name: "nightly" }), 900);
      expect(readBatchSummaries(home.state, 2)).toEqual([
        { batchId: batchIdSchema.parse("zzzzzzzz"), name: "nightly", tasks: 4, createdAt: 900 },
        { batchId: batchIdSchema.parse("bcdddddd"), tasks: 4, createdAt: 300 },
      ]);
      expect(readBatchSummaries(home.file("none"), 2)).toEqual([]);
      expect(Bun.file(home.file("none/store.sqlite")).size).toBe(0);
    }));
});

describe("changes", () => {
  test("behind an event are told with their batch, type and task, in order", async () => {
    await using home = new Home();
    using store = home.store();
    const one = store.create(founding("bbbbbbbb"), 100);
    const before = one.sequence;
    const other = store.create(founding("bccccccc"), 200);
    const epoch = one.takeOver(ownIdentity());
    one.append(() => [started(3)], epoch);
    const all = [
      { sequence: before + 1, batchId: "bccccccc", type: "batch-created", task: null },
      { sequence: before + 2, batchId: "bbbbbbbb", type: "runner-started", task: null },
      { sequence: before + 3, batchId: "bbbbbbbb", type: "attempt-started", task: 3 },
    ];
    expect<unknown>(store.changesAfter(before)).toEqual(all);
    expect<unknown>(store.changesAfter(before, 2)).toEqual(all.slice(0, 2));
    expect(store.changesAfter(before + 3)).toEqual([]);
    expect([one.sequence, other.sequence]).toEqual([before + 3, before + 1]);
    // The last before a time, of any batch.
    expect([99, 100, 101, 201].map((at) => store.sequenceBefore(at))).toEqual([0, 0, before, before + 1]);
  });

  test("by another process change a number; those of our own do not", async () => {
    await using home = new Home();
    using store = home.store();
    using other = new Store(home.state);
    const count = store.changeCount();
    store.create(founding("bbbbbbbb"), 1);
    expect(store.changeCount()).toBe(count);
    other.create(founding("bccccccc"), 1);
    expect(store.changeCount()).not.toBe(count);
  });

  test("an earlier state of a log can be had", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    const before = log.sequence;
    log.append(() => [started(1)]);
    expect(store.batch(log.batchId, before)?.state.counts.running).toBe(0);
    expect(store.batch(log.batchId, before)?.sequence).toBe(before);
    expect(store.batch(log.batchId)?.state.counts.running).toBe(1);
    expect(store.batch(log.batchId, before - 1)).toBeUndefined();
    expect(store.batch(batchIdSchema.parse("zzzzzzzz"))).toBeUndefined();
  });
});

describe("what running tasks do", () => {
  test("is known by task, the last word counts, and it is forgotten at the task's end", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    const other = store.create(founding("bccccccc"), 1);
    const doing = (batchId: BatchId) => Object.fromEntries(store.activities(batchId));
    store.setActivities(log.batchId, new Map());
    log.append(() => [started(1), started(2)]);
    store.setActivities(
      log.batchId,
      new Map([
        [1, "Reads"],
        [2, "Writes"],
      ]),
    );
    store.setActivities(log.batchId, new Map([[2, "Waits"]]));
    store.setActivities(other.batchId, new Map([[1, "Another"]]));
    expect(doing(log.batchId)).toEqual({ 1: "Reads", 2: "Waits" });
    log.append(() => [ended(1)]);
    expect(doing(log.batchId)).toEqual({ 2: "Waits" });
    expect(doing(other.batchId)).toEqual({ 1: "Another" });
  });
});

describe("who runs a batch", () => {
  test("is one keeper, as long as it lives", async () => {
    await using home = new Home();
    using store = home.store();
    const { batchId } = store.create(founding("bbbbbbbb"), Date.now());
    const gone = await goneIdentity();
    expect(store.claimKeeper(batchId, gone)).toBe(true);
    expect(store.claimKeeper(batchId, ownIdentity())).toBe(true);
    expect(store.claimKeeper(batchId, gone)).toBe(false);
    expect(store.row(batchId)?.keeper).toEqual(ownIdentity());
    expect(store.claimKeeper(batchIdSchema.parse("zzzzzzzz"), gone)).toBe(false);
  });

  test("one of which nobody can tell is believed for a minute after the batch's last sign of life", async () => {
    await using home = new Home();
    using store = home.store();
    const { batchId } = store.create(founding("bbbbbbbb"), Date.now());
    expect(store.claimKeeper(batchId, lost)).toBe(true);
    expect(store.claimKeeper(batchId, ownIdentity())).toBe(false);
    expect(store.setAlive(batchId, 0, Date.now() - 61_000)).toBe(true);
    expect(store.claimKeeper(batchId, ownIdentity())).toBe(true);
  });

  test("says that it lives only for its own epoch", async () => {
    await using home = new Home();
    using store = home.store();
    const { batchId } = store.create(founding("bbbbbbbb"), 1);
    expect(store.setAlive(batchId, 1, 77)).toBe(false);
    expect(store.row(batchId)?.aliveAt).toBe(1);
    expect(store.setAlive(batchId, 0, 77)).toBe(true);
    expect(store.row(batchId)?.aliveAt).toBe(77);
  });

  test("is struck out when new processes are announced, unless others have come meanwhile", async () => {
    await using home = new Home();
    using store = home.store();
    const log = store.create(founding("bbbbbbbb"), 1);
    const { batchId } = log;
    const [runner, keeper] = [await goneIdentity(), lost];
    log.takeOver(runner);
    store.claimKeeper(batchId, keeper);
    expect(store.announce({ batchId })).toBe(false);
    expect(store.announce({ batchId, runner })).toBe(false);
    expect(store.announce({ batchId, runner: keeper, keeper: runner })).toBe(false);
    expect(store.row(batchId)).toMatchObject({ runner, keeper });
    store.database.run("UPDATE batches SET alive_at = 1");
    const before = Date.now();
    expect(store.announce({ batchId, runner, keeper })).toBe(true);
    const row = store.row(batchId) ?? never();
    expect(row).not.toHaveProperty("runner");
    expect(row).not.toHaveProperty("keeper");
    expect(row.aliveAt).toBeGreaterThanOrEqual(before);
    // Nobody is in its place now.
    expect(store.announce({ batchId })).toBe(true);
  });
});

test("a batch is forgotten whole once it has ended, and none that has not", async () => {
  await using home = new Home();
  using store = home.store();
  const runs = store.create(founding("bbbbbbbb"), 1);
  const { batchId } = over(store, "zzzzzzzz", 2);
  for (const id of [runs.batchId, batchId]) {
    store.setActivities(id, new Map([[1, "Reads"]]));
    store.capacity.setLoad(id, ownIdentity(), { sessions: 1, usedBytes: 1, expectedBytes: 1 });
  }
  const left = (id: BatchId) =>
    ["batches", "events", "progress", "loads"].map(
      (table) => store.database.query(`SELECT 1 FROM ${table} WHERE batch_id = ?`).all(id).length,
    );
  expect(store.forget(runs.batchId)).toBe(false);
  expect(left(runs.batchId)).toEqual([1, 1, 1, 1]);
  expect(store.forget(batchId)).toBe(true);
  expect(left(batchId)).toEqual([0, 0, 0, 0]);
  expect(left(runs.batchId)).toEqual([1, 1, 1, 1]);
  expect(store.forget(batchId)).toBe(false);
  const paused = store.create(founding("yyyyyyyy"), 3);
  paused.append(() => [{ type: "batch-paused" }]);
  expect(store.forget(paused.batchId)).toBe(false);
  expect(idsOf(store.paused())).toEqual(["yyyyyyyy"]);
});

test("each store has a salt of its own, which stays", async () => {
  await using one = new Home();
  await using other = new Home();
  using first = one.store();
  using again = one.store();
  using second = other.store();
  expect(first.salt()).toMatch(/^[0-9a-f]{64}$/);
  expect(again.salt()).toBe(first.salt());
  expect(second.salt()).not.toBe(first.salt());
});

function never(): never {
  throw new Error("not there");
}
