import { expect, spyOn, test } from "bun:test";
import { chmodSync, cpSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BatchId } from "../../src/model/batch-id.ts";
import type { EventBody } from "../../src/model/event.ts";
import { fold } from "../../src/model/state.ts";
import { identityOf, ownIdentity } from "../../src/platform/process.ts";
import { BatchLog, Replaced } from "../../src/store/batch-log.ts";
import { readBatchSummaries } from "../../src/store/batch-summaries.ts";
import { migrations } from "../../src/store/migrations.ts";
import { Store } from "../../src/store/store.ts";
import { testNeeding } from "../facilities.ts";
import { filesBelow } from "../files-below.ts";
import { Home } from "../harness.ts";
import { idle } from "../idle.ts";
import { withoutResolver } from "../quiet.ts";
import { batchOf, goneIdentity, living, lost, started } from "./samples.ts";

const usage = { costUsd: 0.5, numTurns: 1, durationMs: 1 };

test("six processes that open a new store together all succeed", async () => {
  await using home = new Home();
  const script = `
    const { Store } = await import(${JSON.stringify(join(import.meta.dir, "../../src/store/store.ts"))});
    for await (const _ of Bun.stdin.stream()) break;
    using store = new Store(${JSON.stringify(home.state)});
    console.log(store.list().length);`;
  const processes = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe", stderr: "pipe" }),
  );
  for (const { stdin } of processes) {
    stdin.write("go\n");
    void stdin.flush();
  }
  const ends = await Promise.all(
    processes.map(async (one) => ({ code: await one.exited, err: withoutResolver(await one.stderr.text()) })),
  );
  expect(ends).toEqual(processes.map(() => ({ code: 0, err: "" })));
});

testNeeding("modes of files")("the store is private to its user", async () => {
  await using home = new Home();
  using store = home.store();
  store.create(batchOf(1), 1);
  expect(statSync(home.state).mode & 0o777).toBe(0o700);
  for (const name of ["store.sqlite", "store.sqlite-wal"])
    expect(statSync(join(home.state, name)).mode & 0o777).toBe(0o600);
});

test("a damaged store is answered with what to do", async () => {
  await using home = new Home();
  await Bun.write(
    join(home.state, "store.sqlite"),
    "this is no database, and long enough to be looked at as one ".repeat(40),
  );
  expect(() => home.store()).toThrow(/is damaged.*Move it away/s);
});

test("a store of a newer version is left alone, with a message that says so", async () => {
  await using home = new Home();
  using store = home.store();
  store.database.run(`PRAGMA user_version = ${migrations.length + 1}`);
  expect(() => home.store()).toThrow(/newer parallel-claude-code-mcp/);
});

test("an event that changes no index of the batches writes none", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(4), 5);
  const epoch = log.takeOver(ownIdentity());
  const written = () => statSync(join(home.state, "store.sqlite-wal")).size;
  const bytesOf = (events: EventBody[]) => {
    const before = written();
    log.append(() => events, epoch);
    return written() - before;
  };
  // The row, the event, its index, and its number, each in a page.
  const page = 24 + 4096;
  expect(bytesOf([started(1)])).toBe(4 * page);
  expect(bytesOf([{ type: "leash-released", outputDirectory: "/elsewhere" }])).toBe(5 * page);
  expect(bytesOf([started(2)])).toBe(4 * page);
});

test("behind an event of another process, which may be of a version with another row, the row is written whole", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const log = store.create(batchOf(2), 5);
  other.batch(log.batchId)?.append(() => [{ type: "cancel-requested", by: "user" }]);
  other.database.run("UPDATE batches SET cancelled_by = NULL, output_directory = '/of/that/version'");
  log.append(() => [started(1)]);
  expect(store.row(log.batchId)).toMatchObject({
    cancelledBy: "user",
    outputDirectory: log.state.outputDirectory,
  });
});

test("the row of a batch says the same as the fold of its events", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(4), 5);
  const epoch = log.takeOver(ownIdentity());
  log.append(() => [started(1), started(2)], epoch);
  log.append(
    () => [
      {
        type: "attempt-ended",
        task: 1,
        attempt: 1,
        outcome: { kind: "succeeded", length: 1, offset: 0 },
        usage,
      },
    ],
    epoch,
  );
  log.append(() => [{ type: "cancel-requested", by: "user", tasks: [3] }]);
  log.append(
    () => [
      { type: "attempt-ended", task: 2, attempt: 1, outcome: { kind: "crashed", stderrTail: "" }, usage },
    ],
    epoch,
  );
  using other = new Store(home.state);
  const again = other.batch(log.batchId);
  expect(again?.state).toEqual(log.state);
  expect(other.row(log.batchId)).toMatchObject({
    counts: log.state.counts,
    costUsd: log.state.totalCostUsd,
    changedAt: log.state.changedAt,
    epoch: log.state.epoch,
  });
  expect(log.state.counts).toEqual({ queued: 1, running: 0, succeeded: 1, failed: 1, cancelled: 1 });
});

test("of two runners that take the same batch over, exactly one wins, a thousand times", async () => {
  await using home = new Home();
  using store = home.store();
  const gone = await goneIdentity();
  using otherStore = home.store();
  // Ten batches, for each round folds all of its batch's log again.
  for (let batch = 0; batch < 10; batch++) {
    const { batchId } = store.create(batchOf(1), 1);
    for (let round = 0; round < 100; round++) {
      const logs = [store.batch(batchId), otherStore.batch(batchId)];
      // Both have read the same epoch; which of them comes first changes.
      if (round % 2 === 1) logs.reverse();
      const epochs = logs.map((log) => log?.takeOver(gone));
      expect(epochs.filter((epoch) => epoch !== undefined)).toEqual([round + 1]);
    }
  }
});

test("a runner that was replaced can write nothing", async () => {
  await using home = new Home();
  using store = home.store();
  const old = store.create(batchOf(1), 1);
  const epoch = old.takeOver(await goneIdentity());
  using otherStore = home.store();
  otherStore.batch(old.batchId)?.takeOver(ownIdentity());
  expect(() => old.append(() => [{ type: "batch-ended" }], epoch)).toThrow(Replaced);
  expect(store.row(old.batchId)?.endedAt).toBeUndefined();
});

testNeeding("signals that can be heard")(
  "nobody takes a batch from a runner that lives, though it be stopped",
  async () => {
    await using home = new Home();
    using store = home.store();
    const child = Bun.spawn(idle);
    process.kill(child.pid, "SIGSTOP");
    const stopped = identityOf(child.pid);
    if (!stopped) throw new Error("no identity");
    const { batchId } = store.create(batchOf(1), 1);
    expect(store.batch(batchId)?.takeOver(stopped)).toBe(1);
    expect(store.batch(batchId)?.takeOver(ownIdentity())).toBeUndefined();
    child.kill("SIGKILL");
    await child.exited;
    expect(store.batch(batchId)?.takeOver(ownIdentity())).toBe(2);
  },
);

test("a batch is taken from a runner of which nobody can tell once it has said nothing for a minute, or was struck out", async () => {
  await using home = new Home();
  using store = home.store();
  const takeOver = (batchId: BatchId) => store.batch(batchId)?.takeOver(ownIdentity());
  const runBy = () => {
    const log = store.create(batchOf(1), 1);
    log.takeOver(lost);
    return log.batchId;
  };
  const silent = runBy();
  expect(takeOver(silent)).toBeUndefined();
  store.setAlive(silent, 1, Date.now() - 61_000);
  expect(takeOver(silent)).toBe(2);
  const struckOut = runBy();
  expect(takeOver(struckOut)).toBeUndefined();
  expect(store.announce({ batchId: struckOut, runner: lost })).toBe(true);
  expect(takeOver(struckOut)).toBe(2);
});

test("a process that has taken a batch to its pause, and lives on, keeps it only from those who have not waited", async () => {
  await using home = new Home();
  using store = home.store();
  const { identity, end } = living();
  const log = store.create(batchOf(1), 1);
  const epoch = log.takeOver(identity);
  expect(log.takeOver(ownIdentity(), { hasWaited: true })).toBeUndefined();
  log.append(() => [{ type: "batch-paused" }], epoch);
  store.announce({ batchId: log.batchId, runner: identity });
  log.append(() => [{ type: "continue-requested" }]);
  expect(log.takeOver(ownIdentity())).toBeUndefined();
  expect(log.takeOver(ownIdentity(), { hasWaited: true })).toBe(2);
  await end();
});

test("time in the log never goes back, though the clock be set back", async () => {
  await using home = new Home();
  using store = home.store();
  const future = Date.now() + 1e9;
  const log = store.create(batchOf(1), future);
  log.append(() => [{ type: "cancel-requested", by: "user" }]);
  expect(log.state.changedAt).toBe(future);
});

test("a runner lives now, though the log is ahead of a clock that was set back", async () => {
  await using home = new Home();
  using store = home.store();
  const future = Date.now() + 1e9;
  const log = store.create(batchOf(1), future);
  expect(log.takeOver(ownIdentity())).toBe(1);
  expect(log.state.changedAt).toBe(future);
  expect(store.row(log.batchId)?.aliveAt).toBeLessThan(future);
});

test("a path below the state directory is kept relative to it, also by whoever opens the log again", async () => {
  await using home = new Home();
  using store = home.store();
  const founding = batchOf(1);
  const { batchId } = founding.batch;
  const pages = join(home.state, "batches", batchId, "pages");
  const path = join(pages, "x.html");
  store.create({ ...founding, batch: { ...founding.batch, outputDirectory: pages } }, 1);
  const place =
    "SELECT output_directory, json_extract(body, '$.batch.outputDirectory') AS founded FROM batches, events";
  const relative = `batches/${batchId}/pages`;
  expect(store.database.query(place).get()).toEqual({ output_directory: relative, founded: relative });
  const log = store.batch(batchId);
  log?.append(() => [{ type: "file-failed", path, message: "full" }]);
  const kept = store.database.query("SELECT body FROM events ORDER BY sequence DESC LIMIT 1").get();
  expect(kept).toEqual({
    body: JSON.stringify({ type: "file-failed", path: `batches/${batchId}/pages/x.html`, message: "full" }),
  });
  expect([...(log?.state.fileFailures ?? [])]).toEqual([[path, "full"]]);
  expect(store.batch(batchId)?.state).toEqual(log?.state ?? never());
});

test("an empty log is no state", () => {
  expect(fold([])).toBeUndefined();
});

test("the newest batch is the one that was founded last, whatever the clock said", async () => {
  await using home = new Home();
  using store = home.store();
  const [first, second] = [store.create(batchOf(1), Date.now()), store.create(batchOf(1), Date.now() - 1e9)];
  expect(store.list().map(({ batchId }) => batchId)).toEqual([second.batchId, first.batchId]);
  expect(store.inDirectory("/nowhere").map(({ batchId }) => batchId)).toEqual([
    second.batchId,
    first.batchId,
  ]);
  expect(readBatchSummaries(home.state, 1)).toMatchObject([{ batchId: second.batchId }]);
});

test("what others appended is heard of once, though an append of ours fails in between", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create({ ...batchOf(3), leash: ownIdentity() }, 1);
  using other = new Store(home.state);
  const others = other.batch(log.batchId);
  others?.append(() => [{ type: "retry-requested", tasks: [], budgetUsd: 5 }]);
  const fails = () =>
    log.append(() => {
      // In the transaction's own belief: the task has been cancelled, and the leash is gone.
      return [
        { type: "leash-released", outputDirectory: "/elsewhere" },
        { type: "cancel-requested", by: "user" },
        // What cannot be written, as on a disk that is full.
        { type: "file-failed", path: "x", message: BigInt(1) as unknown as string },
      ];
    });
  expect(fails).toThrow();
  expect(log.state).toEqual(store.batch(log.batchId)?.state ?? never());
  expect(log.state).toMatchObject({ budgetUsd: 5, leash: ownIdentity(), outputDirectory: "/nowhere" });
  expect(log.state).not.toHaveProperty("cancelledBy");
  others?.append(() => [{ type: "cancel-requested", by: "user", tasks: [2] }]);
  expect(log.refresh().map(({ type }) => type)).toEqual(["retry-requested", "cancel-requested"]);
  expect(log.refresh()).toEqual([]);
});

/** The next statements of a store fail like this, as long as `isBroken` says so. */
function breaking({ database }: Store, isBroken: (sql: string) => boolean, code: string) {
  const query = database.query.bind(database);
  return spyOn(database, "query").mockImplementation((sql: string) => {
    if (isBroken(sql)) throw Object.assign(new Error("broken"), { code });
    return query(sql);
  });
}

test("what a failed transaction believed is forgotten as soon as the disk can be read again", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(2), 1);
  const others = home.store();
  others.batch(log.batchId)?.append(() => [{ type: "cancel-requested", by: "user", tasks: [2] }]);
  others[Symbol.dispose]();
  const cancel: EventBody = { type: "cancel-requested", by: "user" };
  let isBroken = false;
  using _spy = breaking(
    store,
    (sql) => {
      // From the row on, nothing can be written or read any more.
      isBroken ||= sql.startsWith("UPDATE batches SET changed_at");
      return isBroken;
    },
    "SQLITE_IOERR",
  );
  expect(() => log.append(() => [cancel])).toThrow("broken");
  expect(() => log.refresh()).toThrow("broken");
  expect(() => log.append(() => [])).toThrow("broken");
  _spy.mockRestore();
  expect(log.refresh().map(({ type }) => type)).toEqual(["cancel-requested"]);
  expect(log.state).not.toHaveProperty("cancelledBy");
  expect(log.state).toEqual(store.batch(log.batchId)?.state ?? never());
  log.append(() => [cancel]);
  expect(log.state.cancelledBy).toBe("user");
});

test("a transaction that could not begin costs no look at the whole log", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(2), 1);
  using other = home.store();
  store.database.run("PRAGMA busy_timeout = 0");
  other.database.run("BEGIN IMMEDIATE");
  using reads = spyOn(BatchLog, "open");
  expect(() => log.append(() => [{ type: "cancel-requested", by: "user" }])).toThrow("locked");
  expect(reads).not.toHaveBeenCalled();
  other.database.run("ROLLBACK");
  log.append(() => [{ type: "cancel-requested", by: "user" }]);
  expect(log.state.cancelledBy).toBe("user");
});

test("a store that only its disk's number has changed of is opened, though that cannot be noted now", async () => {
  await using home = new Home();
  using store = home.store();
  const { batchId } = store.create(batchOf(1), 1);
  store.database.run("UPDATE facts SET value = '0:0' WHERE name = 'state-file'");
  store.database.run("BEGIN IMMEDIATE");
  using other = new Store(home.state, { busyTimeoutMs: 0 });
  expect(other.batch(batchId)).toBeDefined();
  store.database.run("ROLLBACK");
});

test("a copy of a store that an older program wrote, which noted only its path, stands on its own", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(1), 1);
  log.takeOver(ownIdentity());
  store.database.run("DELETE FROM facts WHERE name = 'state-file'");
  store.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  cpSync(home.state, home.file("copy"), { recursive: true });
  using copy = new Store(home.file("copy"));
  expect(copy.row(log.batchId)?.runner).toBeUndefined();
  expect(store.row(log.batchId)?.runner).toEqual(ownIdentity());
});

test("every INSERT names its columns, so that a new column breaks no older program", async () => {
  const files = filesBelow(source, ".ts").filter((name) => !name.endsWith("migrations.ts"));
  expect(files.length).toBeGreaterThan(200);
  const positional = await Promise.all(
    files.map(async (name) => {
      const text = await Bun.file(join(source, name)).text();
      return [
        ...text.matchAll(/\b(?:INSERT(?:\s+OR\s+\w+)?|REPLACE)\s+INTO\s+\S+\s+(?:VALUES|SELECT|DEFAULT)\b/gi),
      ].map(([statement]) => `${name}: ${statement}`);
    }),
  );
  expect(positional.flat()).toEqual([]);
});

const source = join(import.meta.dir, "../../src");

testNeeding("modes of files")(
  "a state directory that others may enter is closed to them, unless it is not ours alone",
  async () => {
    await using home = new Home();
    home.store()[Symbol.dispose]();
    const mode = () => statSync(home.state).mode & 0o777;
    chmodSync(home.state, 0o777);
    home.store()[Symbol.dispose]();
    expect(mode()).toBe(0o700);
    await Bun.write(join(home.state, "somebody's.txt"), "");
    chmodSync(home.state, 0o777);
    home.store()[Symbol.dispose]();
    expect(mode()).toBe(0o777);
  },
);

function never(): never {
  throw new Error("not there");
}
