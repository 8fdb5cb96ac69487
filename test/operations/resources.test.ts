// Batches as documents that are read by address.
import { describe, expect, test } from "bun:test";
import { batchUri, parseBatchUri, taskUri, transcriptUri } from "../../src/operations/batch-uri.ts";
import { Changes } from "../../src/operations/changes.ts";
import { readDocument, recentBatches, titleInList } from "../../src/operations/resources.ts";
import { crashed, failed, Inside } from "../inside.ts";

const limits = { waitSeconds: 0, answerCharacters: 1_000 };

test("addresses and what they mean", async () => {
  const meanings: [uri: string, meaning: object | undefined][] = [
    ["batch://bcdfghjk", { kind: "batch", batchId: "bcdfghjk", task: 0, offset: 0 }],
    ["batch://latest/tasks/12", { kind: "task", batchId: "latest", task: 12, offset: 0 }],
    ["batch://b/tasks/1?offset=30", { kind: "task", batchId: "b", task: 1, offset: 30 }],
    ["batch://b/tasks/1/transcript?offset=7", { kind: "transcript", batchId: "b", task: 1, offset: 7 }],
    ["batch://b/tasks/0", undefined],
    ["batch://b/tasks", undefined],
    ["batch://B", undefined],
    ["batch://b/tasks/1/other", undefined],
    ["file:///b", undefined],
  ];
  for (const [uri, meaning] of meanings) expect<unknown>(parseBatchUri(uri)).toEqual(meaning);
  expect([
    batchUri("b"),
    taskUri("b", 3),
    taskUri("b", 3, 1),
    transcriptUri("b", 3),
    transcriptUri("b", 3, 9),
  ]).toEqual([
    "batch://b",
    "batch://b/tasks/3",
    "batch://b/tasks/3?offset=1",
    "batch://b/tasks/3/transcript",
    "batch://b/tasks/3/transcript?offset=9",
  ]);
});

describe("a task is read", () => {
  const read = (inside: Inside, task: number, offset = 0) =>
    readDocument(inside.context(), { kind: "task", batchId: "latest", task, offset }, limits);

  test("as its text, with what went wrong before it, or as what it does", async () => {
    using inside = new Inside();
    const { id } = inside.batch(inside.context(), { tasks: 4 }).answer(1, "yes").end(2, failed).start(3);
    expect(await read(inside, 1)).toEqual({
      uri: `batch://${id}/tasks/1`,
      mimeType: "text/plain",
      text: "yes",
    });
    expect((await read(inside, 2)).text).toBe("[failed: max-turns] Reached its turn limit");
    expect((await read(inside, 3)).text).toBe("[Task 3 is running.]");
    expect((await read(inside, 4)).text).toBe("[Task 4 is queued.]");
    await expect(read(inside, 5)).rejects.toThrow(`Batch ${id} has tasks 1 to 4; there is no task 5.`);
  });

  test("piece by piece", async () => {
    using inside = new Inside();
    const text = "0123456789".repeat(150);
    const { id } = inside.batch(inside.context()).answer(1, text).finish();
    expect((await read(inside, 1)).text).toBe(
      `${text.slice(0, 1_000)}\n\n[These are the characters 0 to 1000 of 1500. Read on at batch://${id}/tasks/1?offset=1000.]`,
    );
    expect(await read(inside, 1, 1_000)).toEqual({
      uri: `batch://${id}/tasks/1?offset=1000`,
      mimeType: "text/plain",
      text: text.slice(1_000),
    });
  });

  test("without the words before it in a later piece", async () => {
    using inside = new Inside();
    inside.batch(inside.context()).end(1, crashed);
    const whole = (await read(inside, 1)).text;
    expect(whole).toStartWith("[crashed] ");
    expect((await read(inside, 1, 2)).text).toBe(whole.slice("[crashed] ".length + 2));
  });
});

describe("a transcript is read", () => {
  const read = (inside: Inside, task: number, offset = 0) =>
    readDocument(inside.context(), { kind: "transcript", batchId: "latest", task, offset }, limits);

  test("in whole lines, with a line that says where the next part is", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 }).start(1).start(2);
    const line = (letter: string, length: number) => `${JSON.stringify(letter.repeat(length - 3))}\n`;
    inside.write(`${batch.id}-1.ndjson`, line("a", 600) + line("b", 600) + line("c", 100));
    const note = (to: number) =>
      `{"type":"cut","from":0,"to":${to},"of":1300,"next":"batch://${batch.id}/tasks/1/transcript?offset=${to}"}\n`;
    expect(await read(inside, 1)).toEqual({
      uri: `batch://${batch.id}/tasks/1/transcript`,
      mimeType: "application/x-ndjson",
      text: line("a", 600) + note(600),
    });
    expect((await read(inside, 1, 600)).text).toBe(line("b", 600) + line("c", 100));
    expect((await read(inside, 1, 1_300)).text).toBe("");
    expect((await read(inside, 2)).text).toBe("");
    expect((await read(inside, 3)).text).toBe("");
  });

  test("in whole characters where a line is longer than a part", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).start(1);
    inside.write(`${batch.id}-1.ndjson`, `${"x".repeat(998)}€€€${"y".repeat(100)}\n`);
    const [text, note] = (await read(inside, 1)).text.split("\n");
    expect(text).toBe("x".repeat(998));
    expect(JSON.parse(note ?? "")).toMatchObject({ from: 0, to: 998, of: 1_108 });
    expect((await read(inside, 1, 998)).text).toBe(`€€€${"y".repeat(100)}\n`);
  });
});

test("a batch is read as its whole answer", async () => {
  using inside = new Inside();
  const { id } = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes");
  const { uri, mimeType, text } = await readDocument(
    inside.context(),
    { kind: "batch", batchId: "latest", task: 0, offset: 0 },
    { waitSeconds: 0, answerCharacters: 10_000 },
  );
  expect({ uri, mimeType }).toEqual({ uri: `batch://${id}`, mimeType: "application/json" });
  expect(JSON.parse(text)).toMatchObject({ batchId: id, results: [{ result: "yes" }], pending: [2] });
});

test("a title has the name, how the batch stands, and its counts", async () => {
  using inside = new Inside();
  const context = inside.context();
  const titles = () => recentBatches(context, 9).map(titleInList);
  expect(recentBatches(context, 9)).toEqual([]);
  const plain = inside.batch(context, { tasks: 3 }).answer(1, "yes").start(2);
  inside
    .batch(context, { batch: { name: "good" } })
    .answer(1, "yes")
    .finish();
  inside
    .batch(context, { tasks: 2, batch: { name: "bad" } })
    .answer(1, "yes")
    .end(2, failed)
    .finish();
  inside
    .batch(context, { tasks: 2, batch: { name: "poor" } })
    .answer(1, "yes")
    .append({ type: "cancel-requested", by: "budget" }, { type: "batch-ended" });
  inside.batch(context, { batch: { name: "lost" }, isRun: false });
  expect(titles()).toEqual([
    "lost: interrupted, 1 queued",
    "poor: stopped: budget, 1 succeeded, 1 cancelled",
    "bad: finished, 1 succeeded, 1 failed",
    "good: finished, 1 succeeded",
    `Batch ${plain.id}: running, 1 succeeded, 1 running, 1 queued`,
  ]);
  expect(recentBatches(context, 1, 1).map(titleInList)).toEqual([
    "poor: stopped: budget, 1 succeeded, 1 cancelled",
  ]);
});

test("where the state directory is unknown, there is no batch to be seen", async () => {
  using inside = new Inside({ PARALLEL_CLAUDE_STATE_DIRECTORY: "https://example.org" });
  expect(recentBatches(inside.context(), 9)).toEqual([]);
});

test("what has changed is told once, and only of a store that is open", async () => {
  using inside = new Inside();
  const context = inside.context();
  const changes = new Changes(context);
  expect(changes.next()).toEqual([]);
  const one = inside.batch(context, { tasks: 3 }).start(1).answer(2, "yes");
  const two = inside.batch(context);
  expect(changes.next()).toEqual([
    { batchId: one.log.batchId, isNew: true, tasks: new Set([1, 2]) },
    { batchId: two.log.batchId, isNew: true, tasks: new Set() },
  ]);
  expect(changes.next()).toEqual([]);
  one.answer(3, "yes");
  expect(changes.next()).toEqual([{ batchId: one.log.batchId, isNew: false, tasks: new Set([3]) }]);
});
