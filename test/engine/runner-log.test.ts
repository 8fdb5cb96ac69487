// The log of a runner on a disk that is full: what must be in it is waited for, and nothing is believed that is not.
import { expect, spyOn, test } from "bun:test";
import { RunnerLog } from "../../src/engine/runner/runner-log.ts";
import { bestEffort } from "../../src/engine/shared/late-writes.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { EventBody } from "../../src/model/event.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { type BatchLog, Replaced } from "../../src/store/batch-log.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually, Home } from "../harness.ts";

const small: EventBody = { type: "file-failed", path: "/nowhere/else", message: "no" };
// Longer than a page of the database, so that it takes new ones.
const failure: EventBody = { type: "file-failed", path: "/nowhere", message: "no ".repeat(10_000) };

function begun(store: Store): { log: BatchLog; epoch: number } {
  const log = store.create(
    {
      type: "batch-created",
      account: { hash: "h", environment: {} },
      batch: {
        batchId: newBatchId(),
        startedBy: "run",
        asyncMode: true,
        tasks: [{ prompt: "hello" }],
        sessionOptions: {},
        concurrency: 1,
        failureMode: "continue",
        outputDirectory: "/nowhere",
        claudePath: "/bin/true",
        workingDirectory: "/",
      },
    },
    Date.now(),
  );
  const epoch = log.takeOver(ownIdentity());
  if (epoch === undefined) throw new Error("not taken over");
  return { log, epoch };
}

/** As on a full disk: the database can have no page more. Gives back what makes room again. */
function fill({ database }: Store): () => void {
  const count = database.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count ?? 0;
  database.run(`PRAGMA max_page_count = ${count}`);
  return () => database.run("PRAGMA max_page_count = 1000000");
}

test("what must be in the log is written as soon as the disk has room, and nobody goes on before", async () => {
  await using home = new Home();
  using store = home.store();
  const { log, epoch } = begun(store);
  let changes = 0;
  const runner = new RunnerLog(log, epoch, () => changes++);
  using complaints = spyOn(console, "error").mockImplementation(() => undefined);
  const makeRoom = fill(store);
  let isThere = false;
  // The first of the two fits, and must not be believed without the second.
  const committed = runner
    .commit(() => [small, failure])
    .then((events) => {
      isThere = true;
      return events;
    });
  await eventually(
    () => complaints.mock.calls.length >= 2,
    () => "it is not tried again",
  );
  expect(complaints.mock.calls[0]?.[0]).toContain("The log cannot be written: database or disk is full");
  expect([isThere, changes, log.state.fileFailures.size]).toEqual([false, 0, 0]);
  makeRoom();
  expect(await committed).toMatchObject([{ ...small, epoch }, { epoch }]);
  expect([changes, log.state.fileFailures.size]).toEqual([1, 2]);
  expect(store.batch(log.batchId)?.state.fileFailures.size).toBe(2);
});

test("what is decided is decided again for the state in which it is written", async () => {
  await using home = new Home();
  using store = home.store();
  const { log, epoch } = begun(store);
  const runner = new RunnerLog(log, epoch, () => undefined);
  using complaints = spyOn(console, "error").mockImplementation(() => undefined);
  const makeRoom = fill(store);
  const committed = runner.commit(({ cancelledBy }) => (cancelledBy === undefined ? [failure] : []));
  await eventually(
    () => complaints.mock.calls.length >= 1,
    () => "it is not tried",
  );
  makeRoom();
  using other = home.store();
  other.batch(log.batchId)?.append(() => [{ type: "cancel-requested", by: "client" }]);
  expect(await committed).toEqual([]);
});

test("only trouble with the disk is waited for: a runner that was replaced stops at once", async () => {
  await using home = new Home();
  using store = home.store();
  const { log, epoch } = begun(store);
  const runner = new RunnerLog(log, epoch + 1, () => undefined);
  await expect(runner.commit(() => [failure])).rejects.toThrow(Replaced);
  const broken = () => {
    throw new Error("Internal error: no such task");
  };
  await expect(new RunnerLog(log, epoch, () => undefined).commit(broken)).rejects.toThrow("no such task");
});

test("what can as well be done later is left out on a full disk, and a fault of ours is none of it", async () => {
  await using home = new Home();
  using store = home.store();
  const { log, epoch } = begun(store);
  const makeRoom = fill(store);
  expect(new RunnerLog(log, epoch, () => undefined).tryAppend(() => [failure])).toEqual([]);
  makeRoom();
  expect(store.batch(log.batchId)?.state.fileFailures.size).toBe(0);
  const broken = () => {
    throw new Error("Internal error: no such task");
  };
  expect(() => bestEffort(broken, undefined)).toThrow("no such task");
});

test("what others say is a change, and that they say nothing is none", async () => {
  await using home = new Home();
  using store = home.store();
  const { log, epoch } = begun(store);
  let changes = 0;
  const runner = new RunnerLog(log, epoch, () => changes++);
  expect([runner.readOthers(), changes]).toEqual([[], 0]);
  using other = home.store();
  other.batch(log.batchId)?.append(() => [small]);
  expect([runner.readOthers().length, changes]).toEqual([1, 1]);
});
