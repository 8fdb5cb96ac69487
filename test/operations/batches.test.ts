// Looking at batches, and waiting for one, as a client sees them.
import { describe, expect, test } from "bun:test";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { batchTask } from "../../src/operations/batch-tasks.ts";
import { cancelBatch, listBatches, showBatch, waitForBatch } from "../../src/operations/batches.ts";
import { crashed, failed, Inside } from "../inside.ts";

describe("list_batches", () => {
  test("gives the newest batches first, and says whether there are more", async () => {
    using inside = new Inside();
    const context = inside.context();
    const ids = [1, 2, 3].map(() => inside.batch(context).id);
    const listed = async (input: object) => {
      const { batches, more } = await listBatches.run(context, input, inside.call());
      return { ids: batches.map(({ batchId }) => batchId), more };
    };
    expect(await listed({})).toEqual({ ids: ids.toReversed(), more: false });
    expect(await listed({ limit: 3 })).toEqual({ ids: ids.toReversed(), more: false });
    expect(await listed({ limit: 2 })).toEqual({ ids: ids.slice(1).toReversed(), more: true });
    expect(await listed({ limit: 1, offset: 2 })).toEqual({ ids: ids.slice(0, 1), more: false });
    expect(await listed({ offset: 3 })).toEqual({ ids: [], more: false });
  });

  test("says how each stands, and of an end without success what to do next", async () => {
    using inside = new Inside();
    const context = inside.context();
    inside
      .batch(context, { batch: { name: "Good" } })
      .answer(1, "yes")
      .finish();
    inside.batch(context, { tasks: 2 }).answer(1, "yes").end(2, failed).finish();
    inside.batch(context).start(1);
    inside.batch(context, { isRun: false });
    const held = inside.batch(context);
    context.store.setHeld(held.log.batchId, { because: "a limit", until: Date.UTC(2100, 0, 1) });
    const { batches } = await listBatches.run(context, {}, inside.call());
    const when = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const [waiting, lost, running, broken, good] = batches;
    expect(good).toEqual({
      batchId: expect.any(String),
      name: "Good",
      state: "finished",
      createdAt: when,
      endedAt: when,
      counts: { queued: 0, running: 0, succeeded: 1, failed: 0, cancelled: 0 },
      totalTasks: 1,
      models: [],
      end: "succeeded",
      totalCostUsd: 0,
      outputDirectory: inside.output,
    });
    expect(broken).toMatchObject({
      state: "finished",
      end: "failed",
      message: expect.stringMatching(/^All 2 tasks ended: 1 succeeded, 1 failed\. retry_batch /),
    });
    expect(Object.keys(broken ?? {})).not.toContain("name");
    expect(running).toMatchObject({ state: "running", counts: { running: 1 } });
    expect(Object.keys(running ?? {})).not.toContain("endedAt");
    expect(Object.keys(running ?? {})).not.toContain("message");
    expect(lost).toMatchObject({ state: "interrupted", end: "interrupted", message: expect.any(String) });
    expect(waiting).toMatchObject({ heldBecause: "a limit", heldUntil: "2100-01-01T00:00:00.000Z" });
  });
});

describe("wait_for_batch", () => {
  test("says what runs, what failed and when to ask again", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 14 }).start(1).start(2).end(3, crashed).answer(4, "yes");
    context.store.setActivities(batch.log.batchId, new Map([[1, "Reads a.ts"]]));
    const answer = await waitForBatch.run(context, { batchId: batch.id }, inside.call());
    expect(answer).toMatchObject({
      batchId: batch.id,
      state: "running",
      counts: { queued: 10, running: 2, succeeded: 1, failed: 1, cancelled: 0 },
      totalTasks: 14,
      running: [{ taskIndex: 1, activity: "Reads a.ts" }, { taskIndex: 2 }],
      failed: [{ taskIndex: 3, outcome: "crashed" }],
      cursor: String(batch.log.sequence),
      nextCheckSeconds: 5,
      outputDirectory: inside.output,
      message: "2 of 14 tasks have ended: 1 succeeded, 1 failed. It is still running; ask again later.",
    });
    expect(answer.running[1]).toEqual({ taskIndex: 2 });
    expect(Object.keys(answer)).not.toContain("changed");
    expect(Object.keys(answer)).not.toContain("end");
  });

  test("names only the first of many", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 80 });
    const { cursor } = await waitForBatch.run(context, { batchId: batch.id }, inside.call());
    for (let task = 1; task <= 11; task++) batch.start(task);
    for (let task = 12; task <= 62; task++) batch.end(task, failed);
    const answer = await waitForBatch.run(context, { batchId: batch.id, cursor }, inside.call());
    expect(answer.running.map(({ taskIndex }) => taskIndex)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(answer.failed.map(({ taskIndex }) => taskIndex)).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
    expect(answer.changed?.map(({ taskIndex }) => taskIndex)).toEqual(
      Array.from({ length: 50 }, (_, index) => 12 + index),
    );
    expect(answer.moreChanged).toBe(1);
    batch.answer(63, "yes");
    const next = await waitForBatch.run(context, { batchId: batch.id, cursor: answer.cursor }, inside.call());
    expect(next.changed).toEqual([{ taskIndex: 63, outcome: "succeeded" }]);
    expect(Object.keys(next)).not.toContain("moreChanged");
  });

  test("answers at once of a batch that has ended, with its end and without a time to ask again", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside
      .batch(context, { tasks: 2 })
      .answer(1, "yes")
      .append({ type: "cancel-requested", by: "user" }, { type: "batch-ended" });
    const call = inside.call({ limits: { waitSeconds: 600, answerCharacters: 1 } });
    const answer = await waitForBatch.run(context, { batchId: batch.id }, call);
    expect(answer).toMatchObject({ state: "cancelled", end: "stopped", stoppedBy: "user" });
    expect(Object.keys(answer)).not.toContain("nextCheckSeconds");
  });

  test("tells of progress while it waits, and ends with the batch", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 2 });
    const told: string[] = [];
    const call = inside.call({
      limits: { waitSeconds: 600, answerCharacters: 1 },
      progress: (done, total, message) => {
        told.push(`${done} of ${total}: ${message}`);
        if (done === 1) another.answer(2, "yes").finish();
      },
    });
    // Another process, as far as the store can tell.
    const other = inside.context();
    const log = other.store.batch(batch.log.batchId);
    if (!log) throw new Error("no batch");
    const another = batch.over(log);
    const waiting = waitForBatch.run(context, { batchId: batch.id }, call);
    another.answer(1, "yes");
    expect(await waiting).toMatchObject({ state: "finished", end: "succeeded" });
    expect(told).toEqual(["1 of 2: 1 of 2 ended, 0 running", "2 of 2: 2 of 2 ended, 0 running"]);
  });

  test("answers when the batch is put on hold, once, and before its end only with a cursor", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context);
    const wait = (cursor: string, waitSeconds: number) =>
      waitForBatch.run(
        context,
        { batchId: batch.id, cursor },
        inside.call({ limits: { waitSeconds, answerCharacters: 1 } }),
      );
    context.store.setHeld(batch.log.batchId, { because: "a limit" });
    const first = await wait("0", 600);
    expect(first.cursor).toMatch(new RegExp(`^${batch.log.sequence}-[a-z0-9]+$`));
    expect(first).toMatchObject({ heldBecause: "a limit", message: expect.stringContaining("a limit") });
    // Known already: it waits as long as it may.
    expect((await wait(first.cursor, 0)).cursor).toBe(first.cursor);
    context.store.setHeld(batch.log.batchId, { because: "another limit" });
    expect((await wait(first.cursor, 600)).cursor).not.toBe(first.cursor);
  });

  test("answers at once of a batch that nobody runs", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { isRun: false });
    const call = inside.call({ limits: { waitSeconds: 600, answerCharacters: 1 } });
    expect(await waitForBatch.run(context, { batchId: batch.id }, call)).toMatchObject({
      state: "interrupted",
      end: "interrupted",
      message: expect.stringContaining("Its processes are gone."),
    });
  });

  test("waits no longer than is asked, and ends with the call", async () => {
    using inside = new Inside();
    const context = inside.context();
    const { id: batchId } = inside.batch(context);
    const limits = { waitSeconds: 600, answerCharacters: 1 };
    const short = await waitForBatch.run(context, { batchId, waitSeconds: 0 }, inside.call({ limits }));
    expect(short.state).toBe("running");
    const aborted = inside.call({ limits, signal: AbortSignal.abort() });
    expect((await waitForBatch.run(context, { batchId }, aborted)).state).toBe("running");
  });
});

describe("cancel_batch", () => {
  test("of a batch that has ended changes nothing", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context).answer(1, "yes").finish();
    const { sequence } = batch.log;
    const answer = await cancelBatch.run(context, { batchId: batch.id }, inside.call());
    expect(answer).toMatchObject({ state: "finished", end: "succeeded" });
    batch.log.refresh();
    expect(batch.log.sequence).toBe(sequence);
  });

  test("of tasks that wait answers as soon as they are cancelled", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 }).start(1);
    const answer = await cancelBatch.run(context, { batchId: batch.id, tasks: [2, 3] }, inside.call());
    expect(answer).toMatchObject({ state: "running", counts: { running: 1, cancelled: 2 } });
    batch.log.refresh();
    expect(batch.log.state.cancelledBy).toBeUndefined();
    expect(batch.log.state.tasks[0]).not.toHaveProperty("cancelling");
  });

  test("names tasks that there are not", async () => {
    using inside = new Inside();
    const context = inside.context();
    const { id: batchId } = inside.batch(context, { tasks: 3 });
    await expect(cancelBatch.run(context, { batchId, tasks: [3, 4, 9] }, inside.call())).rejects.toThrow(
      `Batch ${batchId} has tasks 1 to 3; there are no tasks 4, 9.`,
    );
    // Of the batch that has gone wrong, nothing was cancelled.
    expect(context.store.list()[0]?.counts.cancelled).toBe(0);
  });
});

describe("a batch is found", () => {
  test("by the beginning of its id, or as the latest one", async () => {
    using inside = new Inside();
    const context = inside.context("command-line");
    const show = async (batchId: string) =>
      (await showBatch.run(context, { batchId }, inside.call())).batchId;
    await expect(show("latest")).rejects.toThrow("There is no batch yet.");
    const ids = ["bcdfghjk", "bcdfghjm", "cdfghjkm"];
    for (const batchId of ids) inside.batch(context, { batch: { batchId: batchIdSchema.parse(batchId) } });
    expect(await show("latest")).toBe("cdfghjkm");
    expect(await show("c")).toBe("cdfghjkm");
    expect(await show("bcdfghjm")).toBe("bcdfghjm");
    await expect(show("bcd")).rejects.toThrow(
      /^"bcd" is the beginning of several ids: bcdfghjk \(running, .*\), bcdfghjm \(running, .*\)\. Give the id of one\.$/,
    );
    await expect(show("xyz")).rejects.toThrow("There is no batch xyz. list_batches shows all batches.");
  });
});

test("a batch that ends between a look at it and one at its processes is not interrupted", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context, { isRun: false });
  const { batchId } = batch.log;
  const stale = context.store.row(batchId);
  if (!stale) throw new Error("The batch has no row");
  batch.append({ type: "cancel-requested", by: "client" });
  batch.end(1, { kind: "cancelled", by: "client" }).finish();
  let looks = 0;
  const store = new Proxy(context.store, {
    get: (target, name) => {
      if (name === "row")
        return (id: string) => (looks++ === 0 ? stale : target.row(batchIdSchema.parse(id)));
      if (name === "list") return () => [stale];
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const seen = { ...context, store };
  expect(batchTask(seen, batchId)).toMatchObject({
    status: "cancelled",
    message: expect.stringContaining("Cancelled by the client"),
  });
  const { batches } = await listBatches.run(seen, {}, inside.call());
  expect(batches).toMatchObject([{ batchId, state: "cancelled", stoppedBy: "client" }]);
});
