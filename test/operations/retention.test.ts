// What goes with old batches beside their logs, seen from close by: conversations and files that somebody else may need.
import { expect, spyOn, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Context } from "../../src/operations/context.ts";
import { prune } from "../../src/operations/prune.ts";
import { tidy } from "../../src/operations/retention/tidy.ts";
import { outputFiles } from "../../src/store/layout.ts";
import { Inside, type TestBatch } from "../inside.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** As if a batch had ended 31 days ago, and nobody ran it any more. */
function age(context: Context, { id }: TestBatch): void {
  context.store.database.run("UPDATE batches SET ended_at = ended_at - ?, runner = NULL WHERE batch_id = ?", [
    31 * dayMs,
    id,
  ]);
}

/** A conversation that Claude Code keeps, last changed at this time. */
function conversation(inside: Inside, changedAt = Date.now()) {
  const id = crypto.randomUUID();
  const path = inside.write(`claude/projects/work/${id}.jsonl`, "{}\n");
  utimesSync(path, changedAt / 1_000, changedAt / 1_000);
  return { id, path, isThere: () => existsSync(path) };
}

test("a conversation that somebody has continued while its batch still ran stays", async () => {
  using inside = new Inside();
  const context = inside.context();
  const [untouched, continued] = [conversation(inside), conversation(inside, Date.now() + hourMs / 2)];
  const batch = inside
    .batch(context, { tasks: 2 })
    .answer(1, "yes", { sessionId: untouched.id })
    .answer(2, "yes", { sessionId: continued.id })
    .finish();
  // An hour after the sessions of its tasks.
  const end = "UPDATE events SET at = at + ? WHERE json_extract(body, '$.type') = 'batch-ended'";
  context.store.database.run(end, [hourMs]);
  age(context, batch);
  const run = (dryRun: boolean) => prune.run(context, { conversations: true, dryRun }, inside.call());
  expect(await run(true)).toMatchObject({ batches: 1, conversations: 1 });
  expect(await run(false)).toMatchObject({ batches: 1, conversations: 1, failures: [] });
  expect([untouched, continued].map(({ isThere }) => isThere())).toEqual([false, true]);
});

test("the conversations of a batch that was started again meanwhile stay, for its tasks to go on in them", async () => {
  using inside = new Inside();
  const context = inside.context();
  const [needed, other] = [conversation(inside), conversation(inside)];
  const [retried, ended] = [needed, other].map(({ id }) =>
    inside.batch(context).answer(1, "yes", { sessionId: id }).finish(),
  );
  if (!retried || !ended) throw new Error("no batches");
  for (const batch of [retried, ended]) age(context, batch);
  const forget = context.store.forget.bind(context.store);
  using _ = spyOn(context.store, "forget").mockImplementation(
    (batchId, how) => batchId !== retried.log.batchId && forget(batchId, how),
  );
  const removed = await prune.run(context, { conversations: true, output: true }, inside.call());
  expect(removed).toMatchObject({ batches: 1, conversations: 1 });
  expect([needed, other].map(({ isThere }) => isThere())).toEqual([true, false]);
});

test("a batch whose log a newer version has written stays, and the others go", async () => {
  using inside = new Inside();
  const context = inside.context();
  const [newer, other] = [1, 2].map(() => inside.batch(context).answer(1, "yes").finish());
  if (!newer || !other) throw new Error("no batches");
  for (const batch of [newer, other]) age(context, batch);
  context.store.database.run("INSERT INTO events (batch_id, at, epoch, body) VALUES (?, 1, 1, ?)", [
    newer.id,
    JSON.stringify({ type: "of-the-future" }),
  ]);
  const removed = await prune.run(context, { output: true }, inside.call());
  expect(removed).toMatchObject({ batches: 1, failures: [expect.stringContaining(`batch ${newer.id}: `)] });
  expect(context.store.row(newer.log.batchId)).toBeDefined();
});

test("a folder that is called as a result file would be stays, and so does the directory", async () => {
  using inside = new Inside();
  const context = inside.context();
  const outputDirectory = inside.file("batch-analysis");
  const batch = inside.batch(context, { batch: { outputDirectory } }).answer(1, "yes").finish();
  age(context, batch);
  inside.write(`batch-analysis/${outputFiles.data(batch.id)}/mine.csv`, "mine");
  const summary = inside.write(`batch-analysis/${outputFiles.summary(batch.id)}`, "{}");
  expect(await prune.run(context, { output: true }, inside.call())).toMatchObject({ resultFiles: 1 });
  expect(existsSync(summary)).toBe(false);
  expect(existsSync(join(outputDirectory, outputFiles.data(batch.id), "mine.csv"))).toBe(true);
});

test("by itself, a folder that belongs to no batch goes no sooner than a batch would", async () => {
  using inside = new Inside();
  const context = inside.context();
  const retention = { days: 30, conversations: true, output: true };
  const batch = inside.batch(context, { batch: { retention } }).answer(1, "yes").finish();
  // As after a backup of the store was put back.
  const lost = [2, 31].map((days) => {
    const folder = context.store.layout.batchDirectory(newBatchId());
    mkdirSync(folder, { recursive: true });
    utimesSync(folder, (Date.now() - days * dayMs) / 1_000, (Date.now() - days * dayMs) / 1_000);
    return folder;
  });
  using said = spyOn(console, "error").mockImplementation(() => undefined);
  await tidy(context.store, batch.log.state);
  expect(said.mock.calls).toEqual([[expect.stringContaining("1 folder without a batch")]]);
  expect(lost.map(existsSync)).toEqual([true, false]);
});

test("in a copy of the state directory, nothing goes that the original has", async () => {
  using inside = new Inside();
  const context = inside.context();
  const kept = conversation(inside);
  const batch = inside.batch(context).answer(1, "yes", { sessionId: kept.id }).finish();
  age(context, batch);
  const summary = inside.write(`output/${outputFiles.summary(batch.id)}`, "{}");
  const copy = inside.file("copy");
  cpSync(inside.state, copy, { recursive: true });
  const asked = { output: true, conversations: true };
  process.env["PARALLEL_CLAUDE_STATE_DIRECTORY"] = copy;
  const there = await prune.run(inside.context(), asked, inside.call());
  expect(there).toMatchObject({ batches: 1, resultFiles: 0, conversations: 0 });
  expect([kept.isThere(), existsSync(summary)]).toEqual([true, true]);
  expect(await prune.run(context, asked, inside.call())).toMatchObject({ resultFiles: 1, conversations: 1 });
});
