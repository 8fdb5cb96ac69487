// What goes with old batches beside their logs: result files and conversations, by `prune` or by itself, and never what
// somebody else needs or has written. One folder for each batch, where the operator wants that.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outputFiles } from "../src/store/layout.ts";
import { databaseIn, filesIn, Home, run } from "./harness.ts";

const dayMs = 24 * 60 * 60_000;

/** Runs a batch to its end, and returns its id. */
async function ended(home: Home, ...words: string[]): Promise<string> {
  const { err } = await run(home, ["run", ...words]);
  await home.empty();
  return /Batch (\w{8})/.exec(err)?.[1] ?? err;
}

/** As if these batches had ended this number of days ago. */
function age(home: Home, days: number, ...batches: string[]): void {
  using database = databaseIn(home.state);
  const change = database.query("UPDATE batches SET ended_at = ended_at - ? WHERE batch_id = ?");
  for (const batchId of batches) change.run(days * dayMs, batchId);
}

async function pruned(home: Home, ...words: string[]) {
  return JSON.parse((await run(home, ["prune", "--json", ...words])).out);
}

async function conversationsOf(home: Home, batchId: string): Promise<string[]> {
  const { out } = await run(home, ["results", batchId, "--json"]);
  const { results }: { results: { sessionId: string }[] } = JSON.parse(out);
  return results.map(({ sessionId }) => sessionId);
}

/** All files below a folder. */
function filesBelow(folder: string): string[] {
  return [...new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })].sort();
}

/** The files that Claude Code keeps of conversations, by their ids. */
function keptConversations(home: Home): Map<string, string> {
  const folder = join(home.path, ".claude", "projects");
  return new Map(
    filesBelow(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => [/([^/\\]+)\.jsonl$/.exec(name)?.[1] ?? "", join(folder, name)]),
  );
}

test("each batch has a folder of its own where that is set, its links lead on, and prune takes only what the batch wrote", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_OUTPUT_LAYOUT: "by-batch" });
  const first = await ended(home, "one", "[[max-turns]]");
  const second = await ended(home, "two");
  const folders = [first, second].map((batchId) => join(home.output, `batch-${batchId}`));
  const [own = "", other = ""] = folders;
  const names = filesIn(own).map((name) => name.replace(/-\d+\.(html|txt)$/, "-AT.$1"));
  expect(names).toEqual(
    [
      "error-002-AT.txt",
      "result-001-AT.html",
      outputFiles.index,
      outputFiles.report(first),
      outputFiles.feed(first),
      outputFiles.texts(first),
      outputFiles.lines(first),
      outputFiles.summary(first),
    ].sort(),
  );
  const { out } = await run(home, ["results", first, "--json"]);
  for (const { resultFile } of JSON.parse(out).results) expect(existsSync(resultFile)).toBe(true);
  const index = join(home.output, outputFiles.index);
  expect(readFileSync(index, "utf8")).toContain(`url=batch-${second}/index.html`);
  const link = `../batch-${first}/${outputFiles.report(first)}`;
  expect(readFileSync(join(other, outputFiles.index), "utf8")).toContain(`href="${link}"`);
  expect(existsSync(join(other, link))).toBe(true);

  writeFileSync(join(own, "notes.txt"), "mine");
  writeFileSync(join(own, "result-001-1.html"), "mine");
  age(home, 31, first);
  const { resultFiles, bytes } = await pruned(home, "--output", "--dry-run");
  expect(filesIn(own).length).toBe(10);
  expect(await pruned(home, "--output")).toMatchObject({ batches: 1, resultFiles, bytes, failures: [] });
  expect(resultFiles).toBe(8);
  expect(filesIn(own)).toEqual(["notes.txt", "result-001-1.html"]);
  expect(readFileSync(index, "utf8")).toContain(`batch-${second}/`);
  age(home, 31, second);
  expect(await pruned(home, "--output")).toMatchObject({ batches: 1, failures: [] });
  // Of the second nothing is left, nor the page that led to it.
  expect(filesBelow(home.output).map((name) => name.replaceAll("\\", "/"))).toEqual([
    `batch-${first}/notes.txt`,
    `batch-${first}/result-001-1.html`,
  ]);
});

test("in a directory of several batches, prune takes the files of the old ones alone", async () => {
  await using home = new Home();
  // Its name is like that of the folder of a batch, and it is none.
  const output = join(home.output, "batch-analysis");
  home.set({ PARALLEL_CLAUDE_OUTPUT_DIRECTORY: output });
  const first = await ended(home, "one", "[[max-turns]]");
  const second = await ended(home, "two");
  writeFileSync(join(output, "result-001-1.html"), "mine");
  age(home, 31, first);
  const before = filesIn(output);
  expect(await pruned(home)).toMatchObject({ batches: 1, resultFiles: 0 });
  expect(filesIn(output)).toEqual(before);
  const third = await ended(home, "three");
  age(home, 31, second);
  expect(await pruned(home, "--output")).toMatchObject({ batches: 1, failures: [] });
  const left = filesIn(output).filter((name) => name.includes(second));
  expect(left).toEqual([]);
  // Nobody knows any more what the first one has written.
  expect(filesIn(output)).toContain(outputFiles.report(first));
  expect(filesIn(output)).toContain(outputFiles.report(third));
  expect(readFileSync(join(output, outputFiles.index), "utf8")).toContain(third);
  expect(filesIn(home.output)).toEqual(["batch-analysis"]);
});

test("conversations go if we began them, nobody has continued them, and no batch that stays needs them", async () => {
  await using home = new Home();
  const old = await ended(home, "plain", "continued by hand", "needed", "[[max-turns]]");
  const [plain = "", continued = "", needed = "", failed = ""] = await conversationsOf(home, old);
  // It goes on in a conversation of the old one, which stays so.
  const young = await ended(home, "more", "--resume", needed);
  const kept = keptConversations(home);
  expect([...kept.keys()]).toEqual(expect.arrayContaining([plain, continued, needed, failed]));
  const later = new Date(Date.now() + 600_000);
  utimesSync(kept.get(continued) ?? "", later, later);
  age(home, 31, old);
  // The end of a batch is moved, and not the times of its conversations.
  const past = new Date(Date.now() - 31 * dayMs);
  for (const id of [plain, needed, failed]) utimesSync(kept.get(id) ?? "", past, past);
  expect(await pruned(home, "--conversations", "--dry-run")).toMatchObject({ conversations: 2 });
  expect(await pruned(home, "--conversations")).toMatchObject({ batches: 1, conversations: 2, failures: [] });
  const left = keptConversations(home);
  expect([plain, continued, needed, failed].map((id) => left.has(id))).toEqual([false, true, true, false]);
  // Another batch had begun it, which is not known any more: it is not ours to remove.
  age(home, 31, young);
  utimesSync(left.get(needed) ?? "", past, past);
  expect(await pruned(home, "--conversations")).toMatchObject({ batches: 1, conversations: 0 });
  expect(keptConversations(home).has(needed)).toBe(true);
});

test("with retainDays, old batches go when another one has ended, once a day, and spend still counts them", async () => {
  await using home = new Home({
    PARALLEL_CLAUDE_RETAIN_DAYS: "7",
    PARALLEL_CLAUDE_RETAIN_OUTPUT: "false",
  });
  const [first, second] = [await ended(home, "one"), await ended(home, "two")];
  const ids = () => {
    using store = home.store();
    return store.list().map(({ batchId }) => String(batchId));
  };
  // The first end has looked, and found nothing.
  expect(ids()).toEqual([second, first]);
  const spent = async () => JSON.parse((await run(home, ["spend", "--json"])).out).total.costUsd;
  const before = await spent();
  age(home, 8, first);
  const third = await ended(home, "three");
  expect(ids()).toEqual([third, second, first]);
  {
    using database = databaseIn(home.state);
    database.run("UPDATE facts SET value = value - 90000000 WHERE name = 'tidied-at'");
  }
  const fourth = await ended(home, "four");
  expect(ids()).toEqual([fourth, third, second]);
  expect(filesIn(home.output).filter((name) => name.includes(first))).toEqual([]);
  expect(filesIn(home.output)).toContain(outputFiles.report(second));
  const log = readFileSync(join(home.state, "batches", fourth, "runner.log"), "utf8");
  expect(log).toContain("retainDays: Removed 1 batch");
  expect(await spent()).toBeGreaterThan(before);
});

test("a batch that a newer version has written is refused in words, and keeps no other one from being used", async () => {
  await using home = new Home();
  const [newer, other] = [await ended(home, "one"), await ended(home, "two")];
  {
    using database = databaseIn(home.state);
    const insert = database.query("INSERT INTO events (batch_id, at, epoch, body) VALUES (?, 1, 1, ?)");
    insert.run(newer, JSON.stringify({ type: "of-the-future" }));
    // Its processes are gone, as far as its row says, and a session runs.
    database
      .query("UPDATE batches SET ended_at = NULL, running = 1, alive_at = 1 WHERE batch_id = ?")
      .run(newer);
  }
  const shown = await run(home, ["show", newer]);
  expect(shown).toMatchObject({ code: 2, err: expect.stringContaining("Update this program") });
  expect((await run(home, ["show", other])).code).toBe(0);
  expect((await run(home, ["list"])).out).toContain(newer);
});
