// Removing what old batches left behind, and nothing else.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { databaseIn, eventually, filesIn, Home, killAllOf, run } from "./harness.ts";

const dayMs = 24 * 60 * 60_000;

/** Runs a batch to its end, and gives its id. */
async function endedBatch(home: Home, ...args: string[]): Promise<string> {
  const { err } = await run(home, ["run", "hello", ...args]);
  const id = /Batch (\w{8})/.exec(err)?.[1] ?? "";
  await home.empty();
  return id;
}

/** As if the batch had ended this many days ago. */
function age(home: Home, batchId: string, days: number): void {
  using database = databaseIn(home.state);
  database.query("UPDATE batches SET ended_at = ended_at - ? WHERE batch_id = ?").run(days * dayMs, batchId);
}

function folderOf(home: Home, batchId: string): string {
  return join(home.state, "batches", batchId);
}

async function pruned(home: Home, ...args: string[]) {
  const { code, out, err } = await run(home, ["prune", "--json", ...args]);
  return { code, err, data: out === "" ? {} : JSON.parse(out) };
}

test("batches that ended more than 30 days ago go, with log and transcripts; younger ones stay", async () => {
  await using home = new Home();
  const [old, young] = [await endedBatch(home), await endedBatch(home)];
  age(home, old, 31);
  age(home, young, 29);
  const results = filesIn(home.output);
  const { code, data } = await pruned(home);
  expect(code).toBe(0);
  expect(data).toMatchObject({ batches: 1, orphans: 0, failures: [], removed: [{ batchId: old }] });
  expect(data.bytes).toBeGreaterThan(1_000);
  expect(existsSync(folderOf(home, old))).toBe(false);
  expect(existsSync(folderOf(home, young))).toBe(true);
  using store = home.store();
  expect(store.list().map(({ batchId }) => String(batchId))).toEqual([young]);
  const events = store.database.query("SELECT DISTINCT batch_id FROM events").values();
  expect(events).toEqual([[young]]);
  // Result files belong to the user.
  expect(filesIn(home.output)).toEqual(results);
});

test("a dry run says the same and removes nothing", async () => {
  await using home = new Home();
  const batchId = await endedBatch(home);
  age(home, batchId, 31);
  const { out } = await run(home, ["prune", "--dry-run"]);
  expect(out).toMatch(new RegExp(`^${batchId} +31 d +\\d`, "m"));
  expect(out).toMatch(/Would remove 1 batch, and free \d+\.\d kB\./);
  expect(existsSync(folderOf(home, batchId))).toBe(true);
  const said = /free (\S+ kB)/.exec(out)?.[1] ?? "";
  expect((await run(home, ["prune"])).out).toContain(`Removed 1 batch, and freed ${said}.`);
});

test("--keep keeps the newest, however old they are", async () => {
  await using home = new Home();
  const [first, second] = [await endedBatch(home), await endedBatch(home)];
  const { data } = await pruned(home, "--older-than", "0", "--keep", "1");
  expect(data.removed).toMatchObject([{ batchId: first }]);
  expect(existsSync(folderOf(home, second))).toBe(true);
});

test("a batch that has not ended is never touched, whether it runs or was interrupted", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  const { out } = await run(home, ["run", "--detach", `[[wait-for-file path=${gate}]]`]);
  const batchId = /Batch (\w{8})/.exec(out)?.[1] ?? "";
  // From then on nothing in the batch changes, so that it is older than the command.
  await eventually(
    () => existsSync(home.startsLog) && readFileSync(home.startsLog, "utf8").includes('"prompt"'),
    () => "no session got its prompt",
  );
  expect((await pruned(home, "--older-than", "0")).data).toMatchObject({ batches: 0, unended: 1 });
  killAllOf(home);
  await home.empty();
  {
    // So long ago that no command resumes it.
    using store = home.store();
    store.database.run("UPDATE batches SET alive_at = alive_at - 3600000");
    expect(store.list().map((row) => row.endedAt)).toEqual([undefined]);
  }
  const { data } = await pruned(home, "--older-than", "0");
  expect(data).toMatchObject({ batches: 0, unended: 1, message: expect.stringContaining("has not ended") });
  expect(existsSync(folderOf(home, batchId))).toBe(true);
});

test("a batch that was started again since is not forgotten", async () => {
  await using home = new Home();
  const batchId = await endedBatch(home);
  using store = home.store();
  const [id] = store.withPrefix(batchId);
  if (!id) throw new Error("no batch");
  store.database.query("UPDATE batches SET ended_at = NULL WHERE batch_id = ?").run(id);
  expect(store.forget(id)).toBe(false);
  expect(store.batch(id)).toBeDefined();
});

test("folders without a batch go when they are older than a day; what is not ours stays", async () => {
  await using home = new Home();
  await endedBatch(home);
  const [orphan, fresh, notOurs] = ["bbbbbbbb", "cccccccc", "my notes"].map((name) => folderOf(home, name));
  const longAgo = new Date(Date.now() - 2 * dayMs);
  for (const folder of [orphan, fresh, notOurs]) {
    mkdirSync(folder ?? "");
    await Bun.write(join(folder ?? "", "some.txt"), "words");
    if (folder === fresh) continue;
    utimesSync(join(folder ?? "", "some.txt"), longAgo, longAgo);
    utimesSync(folder ?? "", longAgo, longAgo);
  }
  const { data } = await pruned(home);
  expect(data).toMatchObject({ batches: 0, orphans: 1, bytes: 5, removed: [{ batchId: "bbbbbbbb" }] });
  expect([orphan, fresh, notOurs].map((folder) => existsSync(folder ?? ""))).toEqual([false, true, true]);
});

testNeeding("symbolic links")(
  "nothing outside the state directory is ever removed, though links lead there",
  async () => {
    await using home = new Home();
    const batchId = await endedBatch(home);
    age(home, batchId, 31);
    const outside = home.file("outside");
    mkdirSync(outside);
    await Bun.write(join(outside, "precious.txt"), "words");
    // A link in the place of the batch's folder goes, and what it leads to stays.
    rmSync(folderOf(home, batchId), { recursive: true });
    symlinkSync(outside, folderOf(home, batchId));
    expect((await pruned(home)).data).toMatchObject({ batches: 1 });
    expect(filesIn(outside)).toEqual(["precious.txt"]);
    // A link in the place of all folders: nothing is removed at all.
    rmSync(join(home.state, "batches"), { recursive: true });
    symlinkSync(outside, join(home.state, "batches"));
    const refused = await pruned(home, "--older-than", "0");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("outside the state directory") });
    expect(filesIn(outside)).toEqual(["precious.txt"]);
  },
);

test("with nothing to remove, it says what it looked for", async () => {
  await using home = new Home();
  const { code, out } = await run(home, ["prune"]);
  expect({ code, out }).toEqual({
    code: 0,
    out: "Nothing to remove. Looked for batches that ended more than 30 days ago.\n",
  });
  expect((await run(home, ["prune", "--older-than", "-1"])).code).toBe(2);
});
