// Two batches, or the variants of one, task by task.
import { describe, expect, test } from "bun:test";
import type { Task } from "../../src/model/event.ts";
import type { Usage } from "../../src/model/outcome.ts";
import { compareBatches } from "../../src/operations/compare/compare.ts";
import { crashed, failed, Inside, type TestBatch } from "../inside.ts";

const cost = (costUsd: number, durationMs = 1_000): { usage: Usage } => ({
  usage: { costUsd, durationMs, numTurns: 1 },
});

function keyed(...keys: string[]): Task[] {
  return keys.map((key) => ({ prompt: `Read ${key}`, key }));
}

function data(batch: TestBatch, task: number, structured: unknown): TestBatch {
  return batch.end(task, { kind: "succeeded", length: 0, offset: 0, structured });
}

/** An earlier and a later batch, with a task for each kind of change. */
function two(inside: Inside): [TestBatch, TestBatch] {
  const context = inside.context();
  const before = inside
    .batch(context, {
      tasks: keyed("same", "text", "worse", "gone", "open", "fails"),
      batch: { name: "monday" },
    })
    .answer(1, "yes", cost(0.1))
    .answer(2, "one\ntwo\nthree", cost(0.1))
    .answer(3, "fine", cost(0.1))
    .answer(4, "old", cost(0.1))
    .answer(5, "done")
    .end(6, failed)
    .finish();
  const after = inside
    .batch(context, { tasks: keyed("new", "same", "text", "worse", "open", "fails") })
    .answer(1, "fresh", cost(0.3))
    .answer(2, "yes", cost(0.2, 3_000))
    .answer(3, "one\n2\nthree", { ...cost(0.2), model: "opus" })
    .end(4, crashed)
    .start(5)
    .end(6, failed);
  return [before, after];
}

function compare(inside: Inside, input: object, limits = { waitSeconds: 0, answerCharacters: 100_000 }) {
  return compareBatches.run(inside.context(), input, inside.call({ limits }));
}

describe("two batches", () => {
  test("are compared by key, and what matters most comes first", async () => {
    using inside = new Inside();
    const [before, after] = two(inside);
    const found = await compare(inside, { batchId: before.id, otherBatchId: after.id, only: "all" });
    expect(found.tasks.map(({ key, change }) => [key, change])).toEqual([
      ["worse", "outcome"],
      ["text", "changed"],
      ["new", "new"],
      ["gone", "gone"],
      ["open", "unfinished"],
      ["fails", "same"],
      ["same", "same"],
    ]);
    expect(found.counts).toEqual({ outcome: 1, changed: 1, new: 1, gone: 1, unfinished: 1, same: 2 });
    expect(found.message).toBe(
      `Of 7 tasks: 1 outcome changed, 1 answer changed, 1 new, 1 gone, 1 not ended, 2 same. Batch ${after.id} is still running: 1 task has not ended.`,
    );
    const [, text, fresh] = found.tasks;
    expect(text?.answers).toEqual([
      { taskIndex: 2, outcome: "succeeded", costUsd: 0.1, durationMs: 1_000, length: 13 },
      {
        taskIndex: 3,
        outcome: "succeeded",
        costUsd: 0.2,
        durationMs: 1_000,
        model: "opus",
        length: 11,
        differs: true,
        diff: "  one\n- two\n+ 2\n  three",
      },
    ]);
    expect(fresh?.answers).toEqual([null, expect.objectContaining({ taskIndex: 1 })]);
    expect(found.columns).toMatchObject([
      {
        name: "monday",
        batchId: before.id,
        state: "finished",
        tasks: 6,
        succeeded: 5,
        failed: 1,
        costUsd: 0.4,
      },
      {
        batchId: after.id,
        state: "running",
        tasks: 6,
        succeeded: 3,
        failed: 2,
        unfinished: 1,
        sessionMs: 5_000,
      },
    ]);
  });

  test("show only the kinds that are asked for, by default what differs", async () => {
    using inside = new Inside();
    const [before, after] = two(inside);
    const keys = async (only?: string) =>
      (
        await compare(inside, { batchId: before.id, otherBatchId: after.id, ...(only ? { only } : {}) })
      ).tasks.map(({ key }) => key);
    expect(await keys()).toEqual(["worse", "text", "new", "gone", "open"]);
    expect(await keys("changed")).toEqual(["text"]);
    expect(await keys("failed")).toEqual(["worse", "fails"]);
    expect(await keys("same")).toEqual(["fails", "same"]);
  });

  test("with answers that are data show the fields that differ", async () => {
    using inside = new Inside();
    const of = () => inside.batch(inside.context(), { tasks: keyed("a", "b") });
    const before = data(data(of(), 1, { n: 1, list: ["x"] }), 2, { a: 1, b: 2 }).finish();
    const after = data(data(of(), 1, { n: 2, list: ["y", "x"] }), 2, { b: 2, a: 1 }).finish();
    const found = await compare(inside, { batchId: before.id, otherBatchId: after.id, only: "all" });
    expect(found.tasks.map(({ change }) => change)).toEqual(["changed", "same"]);
    expect(found.tasks[0]?.answers[1]?.fields).toEqual([
      { path: "n", before: 1, after: 2 },
      { path: "list[0]", after: "y" },
    ]);
  });

  test("whose texts are equally long are read to their ends", async () => {
    using inside = new Inside();
    const of = (end: string) =>
      inside
        .batch(inside.context())
        .answer(1, `${"x".repeat(5_000_000)}${end}`)
        .finish().id;
    const [batchId, otherBatchId, same] = [of("a"), of("b"), of("a")];
    expect((await compare(inside, { batchId, otherBatchId })).counts).toMatchObject({ changed: 1 });
    expect((await compare(inside, { batchId, otherBatchId: same })).counts).toMatchObject({ same: 1 });
  });

  test("are the same where an earlier answer was given again", async () => {
    using inside = new Inside();
    const before = inside.batch(inside.context()).answer(1, "yes").finish();
    const after = inside.batch(inside.context());
    const transcript = before.transcript(1);
    const reused = { batchId: before.id, task: 1, at: 1, sessionId: "s", transcript };
    const outcome = { kind: "succeeded", length: 3, offset: 0, reused } as const;
    after.append({ type: "attempt-ended", task: 1, attempt: 0, outcome }).finish();
    const found = await compare(inside, { batchId: before.id, otherBatchId: after.id, only: "all" });
    expect(found.tasks).toMatchObject([
      { change: "same", answers: [{ outcome: "succeeded" }, { outcome: "reused" }] },
    ]);
  });

  test("with the same key and other prompts say so", async () => {
    using inside = new Inside();
    const of = (prompt: string) =>
      inside
        .batch(inside.context(), { tasks: [{ prompt, key: "a" }] })
        .answer(1, prompt)
        .finish().id;
    const found = await compare(inside, { batchId: of("one"), otherBatchId: of("two") });
    expect(found.tasks[0]?.answers).toMatchObject([{}, { promptDiffers: true, diff: "- one\n+ two" }]);
  });

  test("say which answer cannot be read, and why", async () => {
    using inside = new Inside();
    const of = () => inside.batch(inside.context()).answer(1, "yes").finish();
    const [before, after] = [of(), of()];
    inside.remove(before.transcript(1));
    const found = await compare(inside, { batchId: before.id, otherBatchId: after.id });
    expect(found.counts).toMatchObject({ changed: 1 });
    expect(found.tasks[0]?.answers).toMatchObject([{ unreadable: expect.stringContaining("ENOENT") }, {}]);
    expect(found.tasks[0]?.answers[1]).not.toHaveProperty("unreadable");
  });
});

test("an answer fits its client: differences are cut, tasks left out, and it says how to read on", async () => {
  using inside = new Inside();
  const context = inside.context();
  const keys = Array.from({ length: 60 }, (_, index) => `task-${index}`);
  const of = (word: string) => {
    const batch = inside.batch(context, { tasks: keyed(...keys) });
    for (const index of keys.keys()) batch.answer(index + 1, `${word} ${index} "quoted"\n`.repeat(200));
    return batch.finish().id;
  };
  const input = { batchId: of("one"), otherBatchId: of("two") };
  const limits = { waitSeconds: 0, answerCharacters: 10_000 };
  const seen: string[] = [];
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const found = await compare(inside, { ...input, offset }, limits);
    expect(JSON.stringify(found).length).toBeLessThanOrEqual(limits.answerCharacters);
    expect(found.tasks.length).toBeGreaterThan(5);
    for (const { answers } of found.tasks) {
      expect(answers[1]?.leftOut).toBeGreaterThan(1_000);
      expect(answers[1]?.diff).toStartWith("- one");
    }
    seen.push(...found.tasks.map(({ key }) => key));
    offset = found.nextOffset;
    if (offset !== undefined) expect(found.message).toEndWith(`The next of 60 tasks: \`offset: ${offset}\`.`);
  }
  expect(seen).toEqual(keys);
});

describe("the variants of one batch", () => {
  const models = ["opus", "haiku", "sonnet"];

  test("are columns, each answer against the first", async () => {
    using inside = new Inside();
    const tasks = ["a", "b"].flatMap((key) =>
      models.map(
        (model): Task => ({ prompt: `Read ${key}`, key: `${key} [model=${model}]`, options: { model } }),
      ),
    );
    const batch = inside.batch(inside.context(), { tasks });
    for (const [index, text] of ["yes", "yes", "no", "1", "1", "1"].entries())
      batch.answer(index + 1, text, cost(index));
    const found = await compare(inside, { batchId: batch.finish().id, only: "all" });
    expect(found.columns).toMatchObject([
      { name: "model=opus", tasks: 2, succeeded: 2, costUsd: 3 },
      { name: "model=haiku", costUsd: 5 },
      { name: "model=sonnet", costUsd: 7 },
    ]);
    expect(found.columns[0]).not.toHaveProperty("elapsedMs");
    expect(found.tasks).toMatchObject([
      {
        key: "a",
        change: "changed",
        answers: [{ taskIndex: 1 }, { taskIndex: 2 }, { differs: true, diff: "- yes\n+ no" }],
      },
      { key: "b", change: "same" },
    ]);
    expect(found.tasks[0]?.answers[1]).not.toHaveProperty("differs");
  });

  test("may lack a task, which is then compared with nothing", async () => {
    using inside = new Inside();
    const tasks: Task[] = [
      { prompt: "x", options: { model: "opus" } },
      { prompt: "x", options: { model: "haiku" } },
      { prompt: "y", options: { model: "haiku" } },
    ];
    const batch = inside.batch(inside.context(), { tasks }).answer(1, "a").end(2, failed).answer(3, "b");
    const found = await compare(inside, { batchId: batch.finish().id, only: "all" });
    expect(found.tasks).toMatchObject([
      { key: "x", change: "outcome" },
      { key: "y", change: "same", answers: [null, { taskIndex: 3 }] },
    ]);
    expect(
      (await compare(inside, { batchId: batch.id, only: "failed" })).tasks.map(({ key }) => key),
    ).toEqual(["x"]);
  });
});

describe("nothing is compared", () => {
  const cases: [what: string, input: (one: string, other: string) => object, message: string][] = [
    [
      "with itself",
      (one) => ({ batchId: one, otherBatchId: one.slice(0, 6) }),
      "Both are batch ONE. To compare two batches, name both.",
    ],
    [
      "alone, where there are no variants",
      (one) => ({ batchId: one }),
      "Batch ONE has no tasks that differ only in their options, such as the model. To compare it with another batch, name that too; list_batches shows all batches.",
    ],
    [
      "where no task is in both",
      (one, other) => ({ batchId: one, otherBatchId: other }),
      "Batches ONE and OTHER have no task in common: no key and no prompt is in both.",
    ],
    [
      "with a batch that is not there",
      (one) => ({ batchId: one, otherBatchId: "zzz" }),
      "There is no batch zzz. list_batches shows all batches.",
    ],
    [
      "by a kind that is none",
      (one) => ({ batchId: one, only: "better" }),
      'Nothing was done: only was given as "better": expected one of different, outcome, changed, new, gone, unfinished, same, failed, all',
    ],
  ];
  for (const [what, input, message] of cases) {
    test(what, async () => {
      using inside = new Inside();
      const one = inside.batch(inside.context(), { tasks: [{ prompt: "a" }] }).finish().id;
      const other = inside.batch(inside.context(), { tasks: [{ prompt: "b" }] }).finish().id;
      await expect(compare(inside, input(one, other))).rejects.toThrow(
        message.replace("ONE", one).replace("OTHER", other),
      );
    });
  }
});
