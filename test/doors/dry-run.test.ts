// Dry runs show what would be done, and write nothing: no batch, no folder, no line of the store.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { z } from "zod";
import { crashed, Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";

const tableSchema = z.object({ name: z.string() });

/** All that a home's store and its directory hold. */
function kept(inside: Inside) {
  const { database } = inside.context().store;
  const names = database.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const rows = names.map((row) => {
    const { name } = tableSchema.parse(row);
    return [name, database.query(`SELECT * FROM ${name}`).all()];
  });
  return { rows, files: readdirSync(inside.state, { recursive: true }).sort() };
}

const dryRuns: [string, (batchId: string) => string[]][] = [
  ["run", () => ["run", "one", "two"]],
  ["retry", (batchId) => ["retry", batchId, "--max-turns", "40"]],
  ["prune", () => ["prune", "--older-than", "0"]],
  ["install", () => ["install", "--client", "cursor", "--yes"]],
];

describe.each(dryRuns)("a dry run of %s", (_, argvOf) => {
  test("writes nothing into a store, although its batches have lost their processes a moment ago", async () => {
    using inside = new Inside();
    const { id } = inside.batch(inside.context(), { tasks: 2 }).end(1, crashed);
    const { database } = inside.context().store;
    database.run("UPDATE batches SET runner = NULL, alive_at = ?", [Date.now() - 60_000]);
    const before = kept(inside);
    const ran = await onCommandLine(inside, [...argvOf(id), "--dry-run"]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(kept(inside)).toEqual(before);
  });

  test("makes no store", async () => {
    using inside = new Inside();
    inside.remove(inside.state);
    await onCommandLine(inside, [...argvOf("abcd"), "--dry-run"]);
    expect(existsSync(inside.state)).toBe(false);
  });
});

test("a dry run shows which tasks start after which, and the summary", async () => {
  using inside = new Inside();
  const file = inside.write(
    "tasks.json",
    JSON.stringify([
      { key: "a", task: "one" },
      { after: ["a"], task: "two" },
    ]),
  );
  const argv = ["run", "-f", file, "--summarize", "Sum it up", "--dry-run"];
  const { out } = await onCommandLine(inside, argv);
  expect(out).toContain("  summary    Sum it up\n");
  expect(out).toContain("2  two\n   after task 1");
  const asData = JSON.parse((await onCommandLine(inside, [...argv, "--json"])).out);
  expect(asData).toMatchObject({ summarize: "Sum it up", tasks: [{ key: "a" }, { after: [1] }] });
});
