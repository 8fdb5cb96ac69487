// A state directory that is moved, restored elsewhere, or copied: what was answered is there, and nothing runs twice.
import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { homeVariables } from "./fixtures/run-fake-claude.ts";
import { connectNew, databaseIn, Home, kill, program, run } from "./harness.ts";
import { newestRow, untilAsked, untilKept, untilRunning } from "./running.ts";

const testInContainers = testNeeding("namespaces of one's own");

/** By which Claude Code finds a home. */
const homeVariable = process.platform === "win32" ? "USERPROFILE" : "HOME";

/** A home whose state directory, and more of its environment, can become another. */
class MovingHome extends Home {
  readonly changes: Record<string, string> = {};

  override get environment(): Record<string, string> {
    return { ...super.environment, ...this.changes };
  }

  get stateNow(): string {
    return this.changes["PARALLEL_CLAUDE_STATE_DIRECTORY"] ?? this.state;
  }

  /** From now on, the state directory is this one. */
  useState(name: string): string {
    this.changes["PARALLEL_CLAUDE_STATE_DIRECTORY"] = this.file(name);
    return this.file(name);
  }
}

/** A sync batch, whose pages stand in the state directory: one success, one failure, settings in a private file. */
async function ended(home: Home): Promise<void> {
  const settings = join(home.work, "settings.json");
  await Bun.write(settings, JSON.stringify({ env: { X: "1" } }));
  await using client = await connectNew(home);
  const { text } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ['[[answer text="the answer of one"]]', "[[max-turns]]"],
    settings,
    retries: 0,
  });
  expect(text).toContain("the answer of one");
  await client.close();
  await home.empty();
}

/** Everything that can be asked of the batch says what it said before, with its pages in this directory. */
async function isWhole(home: MovingHome, pages = home.stateNow): Promise<void> {
  expect((await run(home, ["results", "latest", "1"])).out).toContain("the answer of one");
  const shown = JSON.parse((await run(home, ["show", "latest", "--json"])).out);
  for (const { resultFile } of shown.results) expect(existsSync(resultFile)).toBe(true);
  expect(shown).toMatchObject({
    state: "finished",
    outputDirectory: expect.stringContaining(pages),
    results: [{ result: "the answer of one", resultFile: expect.stringContaining(pages) }, {}],
  });
  expect((await run(home, ["logs", "latest", "1"])).out).toContain("the answer of one");
  const page = (await run(home, ["open", "latest", "--print"])).out.trim();
  expect(page).toStartWith(pages);
  for (const [, href = ""] of readFileSync(page, "utf8").matchAll(/href="(result-[^"]+)"/g))
    expect(existsSync(join(page, "..", href))).toBe(true);
}

/** The failed task can be run again, with all that belongs to it. */
async function canRetry(home: MovingHome): Promise<void> {
  const retried = await run(home, ["retry", "latest"]);
  expect(retried.out).toContain("1 task is run again");
  await run(home, ["wait", "latest"]);
  await home.empty();
  using database = databaseIn(home.stateNow, { readonly: true });
  const [last] = database
    .query<{ body: string }, []>("SELECT body FROM events ORDER BY sequence DESC LIMIT 2")
    .all();
  expect(last?.body).toContain("batch-ended");
  const lines = readFileSync(home.startsLog, "utf8").trim().split("\n");
  const words = lines.flatMap((line): string[] => JSON.parse(line).argv ?? []);
  const settings = words.filter((word) => word.startsWith("--settings="));
  expect(settings.at(-1)).toStartWith(`--settings=${join(home.stateNow, "batches")}`);
  // Nobody waited for it: its pages are now where the user looks for them.
  await isWhole(home, home.output);
}

test("a state directory that was moved has every answer, page and log, and its tasks can be retried", async () => {
  await using home = new MovingHome();
  await ended(home);
  const former = home.stateNow;
  renameSync(former, home.useState("moved"));
  expect(databaseText(home)).not.toContain(former);
  await isWhole(home);
  await canRetry(home);
});

test("a state directory that was moved is opened, though something else has its place now", async () => {
  await using home = new MovingHome();
  await ended(home);
  const former = home.stateNow;
  renameSync(former, home.useState("moved"));
  await Bun.write(former, "a file");
  await isWhole(home);
});

// Older programs never ran on Windows.
testNeeding("paths that begin with a slash")(
  "one that an older program wrote, with absolute paths, has them too",
  async () => {
    await using home = new MovingHome();
    await ended(home);
    const former = home.stateNow;
    renameSync(former, home.useState("moved"));
    using database = databaseIn(home.stateNow);
    database
      .query(`UPDATE events SET body = replace(replace(body, '"batches/', ?), ',"relativePaths":true', '')`)
      .run(`"${former}/batches/`);
    database.query("UPDATE batches SET output_directory = ? || '/' || output_directory").run(former);
    expect(databaseText(home)).toContain(`${former}/batches/`);
    database.close();
    await isWhole(home);
    await canRetry(home);
  },
);

test("a backup that is restored in another home is whole, and is retried with the login of that home", async () => {
  await using home = new MovingHome();
  const one = home.file("one");
  mkdirSync(one);
  Object.assign(home.changes, homeVariables(one));
  await ended(home);
  const backup = home.file("backup");
  cpSync(home.stateNow, backup, { recursive: true });
  renameSync(home.stateNow, home.file("lost"));
  const other = home.file("other");
  mkdirSync(other);
  Object.assign(home.changes, homeVariables(other));
  cpSync(backup, home.useState("other/state"), { recursive: true });
  await isWhole(home);
  const refused = await run(home, ["retry", "latest"]);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringContaining(`another login: ${homeVariable}=${one}`),
  });
  renameSync(one, home.file("gone"));
  await canRetry(home);
});

test("a copy of a batch that runs is interrupted, touches nothing of the original, and is run again only when asked", async () => {
  await using home = new MovingHome();
  const gate = home.file("gate");
  await run(home, [
    "run",
    `[[wait-for-file path=${gate}]] [[answer text="done"]]`,
    "later",
    "--concurrency",
    "1",
    "--detach",
  ]);
  await untilRunning(home);
  // Nobody writes then: files that change while they are copied would be no store.
  await untilKept(home);
  await untilAsked(home);
  const original = home.stateNow;
  cpSync(original, home.useState("copy"), { recursive: true });
  const listed = JSON.parse((await run(home, ["list", "--json"])).out);
  expect(listed.batches).toMatchObject([{ state: "interrupted", counts: { queued: 2, running: 0 } }]);
  await run(home, ["cancel", "latest"]);
  await run(home, ["wait", "latest"]);
  const cancelled = JSON.parse((await run(home, ["show", "latest", "--json"])).out);
  expect(cancelled).toMatchObject({ state: "cancelled", counts: { cancelled: 2 } });
  // The original does not notice.
  home.useState("state");
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 2 } });
  const prompts = readFileSync(home.startsLog, "utf8").match(/"kind":"prompt"/g);
  expect(prompts).toHaveLength(2);
  await home.empty();
});

testNeeding("sqlite3")(
  "the commands of docs/backup.md back up the answers, while another batch runs too",
  async () => {
    await using home = new MovingHome();
    await ended(home);
    const former = newestRow(home)?.batchId ?? "";
    const gate = home.file("gate");
    await run(home, ["run", `[[wait-for-file path=${gate}]] one`, "--detach"]);
    const { batchId } = await untilRunning(home);
    const doc = readFileSync(join(import.meta.dir, "../docs/backup.md"), "utf8");
    const [, commands = ""] = /```sh\n(sqlite3 [^`]+)```/.exec(doc) ?? [];
    const backup = home.file("backup");
    mkdirSync(backup);
    const line = commands
      .replaceAll("~/.local/state/parallel-claude-code-mcp", home.stateNow)
      .replaceAll("/backup", backup);
    expect(Bun.spawnSync(["sh", "-ec", line])).toMatchObject({ exitCode: 0 });
    await Bun.write(gate, "");
    await run(home, ["wait", batchId]);
    await home.empty();
    renameSync(home.stateNow, home.file("lost"));
    renameSync(backup, home.useState("state"));
    // It was lost a moment ago, so that the next call goes on with what ran.
    expect((await run(home, ["results", former, "1"])).out).toContain("the answer of one");
    expect((await run(home, ["wait", batchId])).code).toBe(0);
    await home.empty();
  },
);

test("in a copy of a batch that runs, retry runs what is open, beside the original", async () => {
  await using home = new MovingHome();
  const gate = home.file("gate");
  await run(home, ["run", `[[wait-for-file path=${gate}]] [[answer text="done"]]`, "--detach"]);
  const { batchId } = await untilRunning(home);
  await untilKept(home);
  await untilAsked(home);
  cpSync(home.stateNow, home.useState("copy"), { recursive: true });
  expect((await run(home, ["retry", "latest"])).out).toContain("The batch has resumed.");
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  expect((await run(home, ["results", "latest", "1"])).out).toContain("done");
  home.useState("state");
  await run(home, ["wait", "latest"]);
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 1 } });
  using store = home.store();
  expect(store.batch(batchId)?.state.tasks[0]?.attempts).toHaveLength(1);
  await home.empty();
});

test("a batch whose processes are gone resumes where its state directory was moved to", async () => {
  await using home = new MovingHome();
  const gate = home.file("gate");
  await run(home, ["run", `[[wait-for-file path=${gate}]] [[answer text="done"]]`, "--detach"]);
  await untilRunning(home);
  await untilAsked(home);
  await kill(...(await untilKept(home)));
  renameSync(home.stateNow, home.useState("moved"));
  await Bun.write(gate, "");
  // The session goes on in the file that it has open, wherever that is now, and is adopted there.
  await run(home, ["wait", "latest"]);
  expect((await run(home, ["results", "latest", "1"])).out).toContain("done");
  await home.empty();
});

/** What the program prints where directories are mounted at other places, as in a container. */
async function printedWhereMounted(home: Home, mounts: [string, string][], ...args: string[]) {
  const binds = mounts.map(([from, to]) => `mount --bind "${from}" "${to}" && `).join("");
  const child = Bun.spawn(
    ["unshare", "--mount", "sh", "-c", `${binds} exec "$@"`, "sh", ...program(), ...args],
    { cwd: home.work, env: home.environment, stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  return child.stdout.text();
}

testInContainers(
  "a state directory that is mounted elsewhere is the same one, whatever is in its place there",
  async () => {
    await using home = new MovingHome();
    const gate = home.file("gate");
    await run(home, ["run", `[[wait-for-file path=${gate}]] [[answer text="done"]]`, "--detach"]);
    const { runner, epoch } = await untilRunning(home);
    const original = home.stateNow;
    const own = home.useState("own");
    await run(home, ["run", "something else"]);
    const mounted = home.useState("mounted");
    mkdirSync(mounted);
    expect(await printedWhereMounted(home, [[original, mounted]], "list")).toContain("running");
    home.useState("state");
    expect((await run(home, ["list"])).out).toContain("running");
    home.useState("mounted");
    // A container may have a store of its own at the very path that the host knows this one by.
    const both: [string, string][] = [
      [original, mounted],
      [own, original],
    ];
    expect(await printedWhereMounted(home, both, "list")).toContain("running");
    home.useState("state");
    await Bun.write(gate, "");
    await run(home, ["wait", "latest"]);
    expect(newestRow(home)).toMatchObject({ runner, epoch, counts: { succeeded: 1 } });
    await home.empty();
  },
);

function databaseText(home: MovingHome): string {
  using database = databaseIn(home.stateNow, { readonly: true });
  const rows = [
    ...database.query("SELECT body FROM events").values(),
    ...database.query("SELECT output_directory FROM batches").values(),
  ];
  return rows.flat().join("\n");
}
