// What prune removes from the state directory, and what it keeps.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Context } from "../../src/operations/context.ts";
import { prune } from "../../src/operations/prune.ts";
import { bytesText } from "../../src/report/amounts.ts";
import { testNeeding } from "../facilities.ts";
import { Inside, type TestBatch } from "../inside.ts";

const day = 24 * 60 * 60_000;

/** Sets when a batch ended and last changed, and strikes out who ran it. */
function age(context: Context, { id }: TestBatch, days: number, ended = true): void {
  const at = Date.now() - days * day - 60_000;
  context.store.database.run(
    "UPDATE batches SET ended_at = ?, changed_at = ?, runner = NULL WHERE batch_id = ?",
    [ended ? at : null, at, id],
  );
}

function folderOf(context: Context, { log }: TestBatch, bytes = 0): string {
  const folder = context.store.layout.batchDirectory(log.batchId);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/task.ndjson`, "x".repeat(bytes));
  return folder;
}

test("removes batches that ended long ago, and says what it looked for", async () => {
  using inside = new Inside();
  const context = inside.context();
  const run = (input: object) => prune.run(context, input, inside.call());
  const ended = (days: number) => {
    const batch = inside.batch(context).answer(1, "yes").finish();
    age(context, batch, days);
    return batch;
  };
  const [oldest, old, recent] = [ended(40), ended(31), ended(29)];
  const open = inside.batch(context);
  age(context, open, 50, false);
  const folder = folderOf(context, oldest, 1_500);
  const kept =
    " 1 batch of that age has not ended and is kept. `list` shows them; `cancel BATCH` ends one that nobody runs any more, and the next `prune` removes it.";
  const dry = await run({ dryRun: true });
  expect(dry).toMatchObject({
    dryRun: true,
    stateDirectory: inside.state,
    batches: 2,
    orphans: 0,
    bytes: 1_500,
    failures: [],
    unended: 1,
    message: `Would remove 2 batches, and free 1.5 kB. Looked for batches that ended more than 30 days ago.${kept}`,
  });
  expect(dry.removed.map(({ batchId }) => batchId).sort()).toEqual([oldest.id, old.id].sort());
  expect(dry.removed[0]?.endedAt).toMatch(/^\d{4}-.*Z$/);
  expect(existsSync(folder)).toBe(true);
  expect(await run({ keep: 3 })).toMatchObject({
    batches: 1,
    message: `Removed 1 batch, and freed 1.5 kB. Looked for batches that ended more than 30 days ago, except the newest 3.${kept}`,
  });
  expect(existsSync(folder)).toBe(false);
  expect(context.store.row(oldest.log.batchId)).toBeUndefined();
  expect(context.store.row(old.log.batchId)).toBeDefined();
  age(context, open, 1, false);
  expect(await run({ olderThan: 0 })).toMatchObject({ batches: 2, unended: 1 });
  expect(context.store.row(recent.log.batchId)).toBeUndefined();
  age(context, open, 1, false);
  expect((await run({ olderThan: 1.5 })).message).toBe(
    "Nothing to remove. Looked for batches that ended more than 1.5 days ago.",
  );
});

test("keeps a batch whose runner still lives, though it has ended", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context).answer(1, "yes").finish();
  expect(await prune.run(context, { olderThan: 0 }, inside.call())).toMatchObject({ batches: 0 });
  age(context, batch, 1);
  expect(await prune.run(context, { olderThan: 0 }, inside.call())).toMatchObject({ batches: 1 });
});

test("removes folders that belong to no batch, a day after they last changed", async () => {
  using inside = new Inside();
  const context = inside.context();
  const run = (input: object) => prune.run(context, input, inside.call());
  const folder = context.store.layout.batchDirectory(newBatchId());
  mkdirSync(folder, { recursive: true });
  const other = join(dirname(folder), "no-batch");
  mkdirSync(other);
  expect(await run({})).toMatchObject({ orphans: 0, message: expect.stringContaining("Nothing to remove") });
  const before = (Date.now() - day - 60_000) / 1000;
  utimesSync(folder, before, before);
  utimesSync(other, before, before);
  expect(await run({ dryRun: true })).toMatchObject({ orphans: 1 });
  expect(existsSync(folder)).toBe(true);
  const removed = await run({});
  expect(removed).toMatchObject({
    orphans: 1,
    message:
      "Removed 0 batches and 1 folder without a batch, and freed 0 bytes. Looked for batches that ended more than 30 days ago.",
  });
  expect(removed.removed[0]).not.toHaveProperty("endedAt");
  expect([existsSync(folder), existsSync(other)]).toEqual([false, true]);
});

testNeeding("symbolic links")("removes nothing behind a link", async () => {
  using inside = new Inside();
  const context = inside.context();
  const folder = `${context.store.layout.stateDirectory}/batches`;
  rmSync(folder, { recursive: true, force: true });
  symlinkSync(inside.work, folder);
  await expect(prune.run(context, {}, inside.call())).rejects.toThrow(
    `${folder} leads to ${inside.work}, outside the state directory, and nothing is removed there. Set PARALLEL_CLAUDE_STATE_DIRECTORY to the intended directory.`,
  );
});

test("sizes as people read them", () => {
  const cases: [bytes: number, text: string][] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1_000, "1.0 kB"],
    [999_949, "999.9 kB"],
    [1e6, "1.0 MB"],
    [1e9, "1.00 GB"],
    [12_345_000_000, "12.35 GB"],
  ];
  for (const [bytes, text] of cases) expect(bytesText(bytes)).toBe(text);
});
