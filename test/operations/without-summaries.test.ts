// Sessions that summarize a batch are none of the tasks that were given: exports and comparisons leave them out.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dataLines } from "../../src/engine/output/data-file.ts";
import { compareBatches } from "../../src/operations/compare/compare.ts";
import { planExport } from "../../src/operations/export.ts";
import { databaseOf } from "../../src/operations/export-database.ts";
import { onCommandLine } from "../doors/command-line.ts";
import { Inside, type TestBatch } from "../inside.ts";

const summary = { round: 1, level: 1, first: 1, last: 2, isWhole: true };

/** Two tasks, and the session that summarized them. */
function summarized(inside: Inside, words: string, ends = true): TestBatch {
  const tasks = [{ prompt: "one" }, { prompt: "two" }, { prompt: "Sum up", key: "summary", summary }];
  const batch = inside
    .batch(inside.context(), { tasks })
    .end(1, { kind: "succeeded", length: 0, offset: 0, structured: { says: words } })
    .answer(2, `two ${words}`);
  return ends ? batch.answer(3, `all ${words}`).finish() : batch;
}

test("an export has the given tasks alone, in each format, and says what it leaves out", async () => {
  using inside = new Inside();
  const { id, log } = summarized(inside, "fine");
  const context = inside.context();
  for (const format of ["csv", "jsonl", "md"] as const) {
    const { pieces, notes, tasks } = await planExport(context, { batchId: id, format });
    const text = [...pieces()].join("");
    expect({ format, text }).toEqual({ format, text: expect.stringContaining("two fine") });
    expect({ format, isThere: text.includes("all fine") }).toEqual({ format, isThere: false });
    expect(tasks.map(({ number }) => number)).toEqual([1, 2]);
    expect(notes).toEqual(["The session of the summary is not in it."]);
    // Only the summary has a key.
    if (format === "csv") expect(text).toStartWith("task,status,");
    if (format === "md") expect(text).not.toContain("This document has");
  }
  const { table, state } = await planExport(context, { batchId: id });
  using database = Database.deserialize(databaseOf(table, state));
  const count = database.query("SELECT count(*) AS rows FROM results").get();
  const total = database.query("SELECT value FROM batch WHERE name = 'totalTasks'").get();
  expect([count, total]).toEqual([{ rows: 2 }, { value: 2 }]);
  expect([...(dataLines(log.state, () => undefined) ?? [])].join("")).not.toContain("all fine");
  const { out } = await onCommandLine(inside, ["export", id]);
  expect(out.trim().split("\n")).toHaveLength(3);
});

test("a comparison has the given tasks alone, as data, in the terminal and on the page", async () => {
  using inside = new Inside();
  const [before, after] = [summarized(inside, "fine"), summarized(inside, "worse")];
  const input = { batchId: before.id, other: after.id };
  const answer = await compareBatches.run(inside.context(), input, inside.call());
  expect(answer).toMatchObject({ counts: { changed: 2, same: 0, new: 0, gone: 0 }, tasks: [{}, {}] });
  expect(JSON.stringify(answer)).not.toContain("Sum up");
  expect(JSON.stringify(answer)).toContain('"tasks":2');
  const page = inside.file("page.html");
  const { out } = await onCommandLine(inside, ["compare", before.id, after.id, "--page", page]);
  expect(out).not.toContain("summary");
  expect(existsSync(page)).toBe(true);
  expect(readFileSync(join(page), "utf8")).not.toContain("Sum up");
  // A summary that is still being written keeps nothing open, and one without a counterpart is not gone.
  const unfinished = summarized(inside, "fine", false);
  const open = await compareBatches.run(
    inside.context(),
    { batchId: before.id, other: unfinished.id },
    inside.call(),
  );
  expect(open).toMatchObject({ counts: { same: 2, gone: 0, unfinished: 0 } });
});
