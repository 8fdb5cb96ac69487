// Which tasks fail most over batches that are alike.
import { expect, test } from "bun:test";
import type { Task } from "../../src/model/event.ts";
import { reportFailures } from "../../src/operations/failures.ts";
import { crashed, failed, Inside } from "../inside.ts";

const keyed = (...keys: string[]): Task[] => keys.map((key) => ({ prompt: `Read ${key}`, key }));
const cost = { usage: { costUsd: 0.25, durationMs: 1_000, numTurns: 1 } };

const failures = (inside: Inside, input: object) =>
  reportFailures.run(inside.context(), input, inside.call());

test("tasks are counted by key over the batches of a template, those that failed most first", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = { template: "Read {{path}}" };
  inside
    .batch(context, { tasks: keyed("a.ts", "b.ts", "c.ts"), batch })
    .end(1, failed, cost)
    .end(2, failed, cost)
    .answer(3, "fine")
    .finish();
  // The same keys in another order, and one that is new.
  const newer = inside
    .batch(context, { tasks: keyed("d.ts", "b.ts", "a.ts"), batch })
    .answer(1, "fine")
    .end(2, crashed, cost)
    .answer(3, "fine")
    .finish();
  inside.batch(context, { tasks: keyed("c.ts"), batch: { template: "Write {{path}}" } }).end(1, failed);
  const found = await failures(inside, { batchId: newer.id });
  expect(found).toMatchObject({ by: "template", batches: 2, tasks: 4, failing: 2 });
  expect(found.rows).toMatchObject([
    {
      task: "b.ts",
      runs: 2,
      failed: 2,
      failedCostUsd: 0.5,
      last: { batchId: newer.id, taskIndex: 2 },
    },
    { task: "a.ts", runs: 2, failed: 1, failedCostUsd: 0.25 },
  ]);
  expect(found.rows[0]?.last?.says).toContain("Crashed");
  expect(found.message).toContain("2 failed at least once, and 1 each time");
  expect((await failures(inside, { batchId: newer.id, batches: 1 })).rows.map(({ task }) => task)).toEqual([
    "b.ts",
  ]);
  expect((await failures(inside, { batchId: newer.id, limit: 1 })).rows).toHaveLength(1);
});

test("a name that several batches have means them all, and tasks without keys are the same by their prompts", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = { name: "nightly" };
  inside
    .batch(context, { tasks: [{ prompt: "one" }, { prompt: "two" }], batch })
    .end(1, failed)
    .finish();
  inside
    .batch(context, {
      // A retry has added to its prompt.
      tasks: [{ prompt: "two" }, { prompt: "one, please", appended: ", please".length }],
      batch,
    })
    .answer(1, "fine")
    .end(2, failed)
    .finish();
  const found = await failures(inside, { batchId: "nightly" });
  expect(found).toMatchObject({ by: "name", batches: 2, tasks: 2, failing: 1 });
  expect(found.rows).toMatchObject([{ runs: 2, failed: 2 }]);
});

test("cancelled tasks are no failures, and one that needed more attempts is listed", async () => {
  using inside = new Inside();
  const context = inside.context();
  inside
    .batch(context, { tasks: keyed("a", "b"), batch: { name: "aaa" } })
    .end(1, { kind: "cancelled", by: "user" })
    .end(2, failed)
    .append({ type: "retry-requested", tasks: [2] })
    .answer(2, "fine");
  const found = await failures(inside, { batchId: "aaa" });
  expect(found.rows).toMatchObject([{ task: "b", runs: 1, failed: 0, retried: 1 }]);
  expect(found.failing).toBe(0);
});

test("a batch with neither a template nor a name is like no other one", async () => {
  using inside = new Inside();
  const { id } = inside.batch(inside.context(), { tasks: keyed("a") });
  await expect(failures(inside, { batchId: id })).rejects.toThrow("--batch-name");
});
