// Answers that are used again, through real processes and the fake `claude`, which really reads files.
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "./fixtures/fake-claude/behaviours/looks.ts";
import { connectNew, eventually, filesIn, Home, killIfThere, run } from "./harness.ts";
import { untilAsked } from "./running.ts";
import { settled } from "./settled.ts";

interface Entry {
  outcome: string;
  result?: string;
  costUsd?: number;
  error?: string;
  reusedFrom?: { batchId: string; task: number; answeredAt: string };
}
interface Answer {
  batchId: string;
  totalCostUsd: number;
  reused?: number;
  summary?: string;
  message: string;
  counts: Record<string, number>;
  results: Entry[];
}

/** Runs tasks with `--reuse auto`, and other arguments. */
async function ask(home: Home, tasks: readonly string[], ...args: string[]): Promise<Answer> {
  await settled(home);
  const given = args.includes("--reuse") ? args : ["--reuse", "auto", ...args];
  const { out, err } = await run(home, ["run", ...tasks, ...given, "--json"]);
  if (out === "") throw new Error(err);
  return JSON.parse(out);
}

/** How many sessions the fake has started. */
function started(home: Home): number {
  if (!existsSync(home.startsLog)) return 0;
  return readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"start"')).length;
}

function outcomes({ results }: Answer): string[] {
  return results.map(({ outcome }) => outcome);
}

/** A home with files in its working directory. */
async function homeWith(files: Record<string, string>): Promise<Home> {
  const home = new Home();
  for (const [name, text] of Object.entries(files)) await write(home, name, text);
  return home;
}

async function write(home: Home, name: string, text: string): Promise<void> {
  await Bun.write(join(home.work, name), text);
}

const reads = (name: string) => `[[read path=${name}]][[instructions]][[digest]]`;

test("an unchanged task gets its earlier answer for nothing; one whose file changed runs again", async () => {
  await using home = await homeWith({ "a.ts": "a", "b.ts": "b" });
  const tasks = [reads("a.ts"), reads("b.ts")];
  const first = await ask(home, tasks);
  expect(outcomes(first)).toEqual(["succeeded", "succeeded"]);
  expect(started(home)).toBe(2);

  const second = await ask(home, tasks);
  expect(outcomes(second)).toEqual(["reused", "reused"]);
  expect(second).toMatchObject({ totalCostUsd: 0, reused: 2, counts: { succeeded: 2 } });
  expect(second.message).toBe("All 2 tasks succeeded. 2 reused. `--fresh` runs all again.");
  expect(second.results.map(({ result }) => result)).toEqual(first.results.map(({ result }) => result));
  expect(second.results[1]).toMatchObject({ costUsd: 0, reusedFrom: { batchId: first.batchId, task: 2 } });
  expect(started(home)).toBe(2);

  await write(home, "b.ts", "other");
  const third = await ask(home, tasks);
  expect(outcomes(third)).toEqual(["reused", "succeeded"]);
  expect(third.message).toBe(
    "All 2 tasks succeeded. 1 reused, 1 run: b.ts changed. `--fresh` runs all again.",
  );
  expect(third.results[1]?.result).not.toBe(first.results[1]?.result);

  await write(home, "b.ts", "b");
  expect(outcomes(await ask(home, tasks))).toEqual(["reused", "reused"]);
  expect(started(home)).toBe(3);
}, 120_000);

test("the earlier batch can be gone: its answers, pages and logs are in the batch that reuses them", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  const first = await ask(home, [reads("a.ts")]);
  const second = await ask(home, [reads("a.ts")]);
  rmSync(join(home.state, "batches", first.batchId), { recursive: true });
  const again = await run(home, ["results", second.batchId, "--json"]);
  expect(again.out).toContain(String(first.results[0]?.result));
  const logs = await run(home, ["logs", second.batchId, "1"]);
  expect(logs.out).toContain("digest ");
  const page = filesIn(home.output).find((name) => name.startsWith("result-001"));
  expect(page).toBeDefined();
  const shown = await run(home, ["show", second.batchId]);
  expect(shown.out).toContain("reused");
}, 120_000);

test("a task that is added to a batch while it runs gets its earlier answer, too", async () => {
  await using home = await homeWith({ "a.txt": "one" });
  await ask(home, [reads("a.txt")]);
  await settled(home);
  const gate = home.file("gate");
  await run(home, ["run", "--detach", "--reuse", "auto", `[[wait-for-file path=${gate}]]`]);
  await untilAsked(home, 2);
  await run(home, ["change", "latest", reads("a.txt")]);
  await eventually(
    () => home.store().list()[0]?.counts.succeeded === 1,
    () => "the added task has no answer",
  );
  await Bun.write(gate, "");
  const { out } = await run(home, ["wait", "latest", "--json"]);
  expect(JSON.parse(out).message).toStartWith("All 2 tasks succeeded. 1 reused, 1 run: new.");
  expect(started(home)).toBe(2);
});

test("without being asked, plain tasks run each time, and three equal ones get three answers", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  const same = [reads("a.ts"), reads("a.ts"), reads("a.ts")];
  for (const _ of [1, 2]) {
    await settled(home);
    const { out } = await run(home, ["run", ...same, "--json"]);
    expect(outcomes(JSON.parse(out))).toEqual(["succeeded", "succeeded", "succeeded"]);
  }
  expect(started(home)).toBe(6);
  expect(existsSync(join(home.state, "remembered"))).toBe(false);
  const first = await ask(home, same);
  const second = await ask(home, [...same, reads("a.ts")]);
  expect(outcomes(second)).toEqual(["reused", "reused", "reused", "succeeded"]);
  expect(second.results.slice(0, 3).map(({ reusedFrom }) => reusedFrom?.task)).toEqual([1, 2, 3]);
  expect(second.results[0]?.reusedFrom?.batchId).toBe(first.batchId);
}, 120_000);

test("tasks of a template are reused without being asked, also with `inputs` for each file", async () => {
  await using home = await homeWith({ "src/a.ts": "a", "src/b.ts": "b", "lib/a.ts": "a" });
  const over = async (...args: string[]): Promise<Answer> => {
    await settled(home);
    const { out, err } = await run(home, ["run", ...args, "--json"]);
    if (out === "") throw new Error(err);
    return JSON.parse(out);
  };
  const template = ["--template", "[[read path={{file}}]][[digest]]", "--for-each", "src/*.ts"];
  expect(outcomes(await over(...template))).toEqual(["succeeded", "succeeded"]);
  await write(home, "src/b.ts", "changed");
  const again = await over(...template);
  expect(outcomes(again)).toEqual(["reused", "succeeded"]);
  expect(again.message).toContain(`1 reused, 1 run: ${join("src", "b.ts")} changed.`);
  expect(again.results[0]?.reusedFrom).toMatchObject({ task: 1, key: "src/a.ts" });
  expect(outcomes(await over(...template, "--reuse", "never"))).toEqual(["succeeded", "succeeded"]);

  const runs = [
    "--template",
    "[[tool name=Bash input=cat]][[answer text={{file}}]]",
    "--for-each",
    "src/*.ts",
  ];
  const inputs = ["--inputs", "{{file}}", "--inputs", "lib/a.ts"];
  await over(...runs, ...inputs);
  await write(home, "src/a.ts", "new");
  expect(outcomes(await over(...runs, ...inputs))).toEqual(["succeeded", "reused"]);
  const unknown = await run(home, ["run", ...runs, "--inputs", "{{path}}x", "--inputs", "{{fil}}"]);
  expect(unknown.err).toContain("--inputs[1] has the unknown placeholder {{fil}}; this task has {{");
  // Equal ones run once, and answer for all.
  const same = [
    "--template",
    "[[read path=src/{{stem}}.ts]][[instructions]][[digest]]",
    "--for-each",
    "{lib,src}/a.ts",
  ];
  const equal = await over(...same);
  expect(outcomes(equal)).toEqual(["succeeded", "reused"]);
  expect(equal.message).toBe("All 2 tasks succeeded. 1 task got the answer of an equal task.");
}, 120_000);

test("a summary is reused as long as the answers that it reads are the same, group by group", async () => {
  await using home = new Home();
  for (const name of ["a", "b", "c", "d"]) await Bun.write(join(home.work, `${name}.txt`), name);
  const summarized = async (text: string, ...args: string[]) => {
    const before = started(home);
    const template = ["--template", "[[read path={{path}}]] [[digest]]", "--for-each", "*.txt"];
    const summary = ["--summarize", text, "--summarize-groups", "2", "--reuse", "auto"];
    const answer = await ask(home, [], ...template, ...summary, ...args);
    return { ...answer, sessions: started(home) - before };
  };
  const first = await summarized("[[recite]]");
  expect(first).toMatchObject({ sessions: 7, summary: first.results.map(({ result }) => result).join("\n") });
  const second = await summarized("[[recite]]");
  expect(second).toMatchObject({ sessions: 0, totalCostUsd: 0, summary: first.summary, reused: 7 });
  expect(second.message).toBe(
    "All 4 tasks and the summary succeeded. 4 reused. `--fresh` runs all again. The summary is reused, too.",
  );
  await Bun.write(join(home.work, "d.txt"), "the new d");
  const third = await summarized("[[recite]]");
  // The task, its group, and the whole.
  expect(third).toMatchObject({ sessions: 3, reused: 4 });
  expect(third.summary).toBe(third.results.map(({ result }) => result).join("\n"));
  expect(third.message).toContain("3 reused, 1 run: d.txt changed.");
  expect(third.message).toContain("Of the 3 sessions for the summary, 1 reused.");
  expect(await summarized("[[recite]] in short")).toMatchObject({ sessions: 3, reused: 4 });
  expect(await summarized("[[recite]]", "--fresh")).toMatchObject({ sessions: 7 });
  expect(await summarized("[[recite]]", "--reuse", "never")).toMatchObject({ sessions: 7 });
});

test("who asks later for a summary of the same batch gets another one", async () => {
  await using home = new Home();
  await ask(home, ["[[answer text=one]]"], "--summarize", "[[recite]]");
  expect(started(home)).toBe(2);
  await settled(home);
  await run(home, ["summarize", "latest", "[[recite]]"]);
  expect((await run(home, ["wait", "latest"])).code).toBe(0);
  expect(started(home)).toBe(3);
});

test("`fresh` runs all again, and remembers the new answers", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  await ask(home, [reads("a.ts")]);
  const fresh = await ask(home, [reads("a.ts")], "--fresh");
  expect(outcomes(fresh)).toEqual(["succeeded"]);
  expect(fresh.message).toBe("The task succeeded.");
  const third = await ask(home, [reads("a.ts")]);
  expect(third.results[0]?.reusedFrom?.batchId).toBe(fresh.batchId);
}, 120_000);

test("an answer is remembered only if it is good, and if it is certain what it depends on", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  const done = "[[answer text=done]]";
  const never: [string, string][] = [
    [`[[tool name=Bash input=ls]]${done}`, "used Bash"],
    [`[[tool name=WebFetch input=x]]${done}`, "used WebFetch"],
    [`[[tool name=mcp__a__b input=x]]${done}`, "used an MCP tool"],
    [`[[tool name=Oracle input=x]]${done}`, "used Oracle"],
    [`[[tool name=Write input=x]]${done}`, "may have changed files (Write)"],
    ["[[denied tool=Write]]", "was denied tools"],
    [`[[hook]]${done}`, "ran hooks"],
    ["[[read path=a.ts]][[write-file path=a.ts text=new]][[digest]]", "read what changed meanwhile: "],
    ["[[subagent text=done]]", "used Bash"],
    ["[[good-result-bad-exit code=1]]", "had a remark"],
  ];
  const tasks = never.map(([task]) => task);
  await ask(home, tasks);
  await write(home, "a.ts", "a");
  const second = await ask(home, tasks);
  expect(outcomes(second)).toEqual(tasks.map(() => "succeeded"));
  using database = answersOf(home);
  const whys = database.query<{ because: string }, []>("SELECT because FROM refusals").all();
  const told = whys.map(({ because }) => because.replace(/(?<=meanwhile: ).*/, "")).sort();
  expect(told).toEqual(never.map(([, why]) => why).sort());
  expect(second.message).toContain(
    "0 reused, 10 run: not remembered because the session used Bash (2), not remembered because the session ",
  );
}, 120_000);

test("an answer depends on all that its session read, and on what Claude Code reads by itself", async () => {
  const grep = "[[grep pattern=b path=lib]][[digest]]";
  const only = "[[grep pattern=b path=lib glob=*.ts]][[digest]]";
  const glob = "[[glob pattern=**/*.ts path=lib]][[digest]]";
  const mention = "look at @a.ts [[answer text=seen]]";
  type Change = (at: (name: string) => string) => unknown;
  const put =
    (name: string, text: string): Change =>
    (at) =>
      Bun.write(at(name), text);
  const cases: [string, Change, "reused" | "succeeded"][] = [
    [reads("a.ts"), put("CLAUDE.md", "be strict"), "succeeded"],
    [reads("a.ts"), put("more.md", "what CLAUDE.md imports"), "succeeded"],
    [reads("a.ts"), put(".claude/settings.json", "{}"), "succeeded"],
    [reads("a.ts"), put(".claude/agents/new.md", "an agent"), "succeeded"],
    [reads("lib/b.ts"), put("lib/CLAUDE.md", "instructions where it read"), "succeeded"],
    [reads("a.ts"), (at) => rmSync(at("a.ts")), "succeeded"],
    [reads("a.ts"), (at) => renameSync(at("lib/b.ts"), at("a.ts")), "succeeded"],
    [reads("none.ts"), put("none.ts", "there now"), "succeeded"],
    [reads("a.ts"), sameSizeAndTime, "succeeded"],
    [mention, put("a.ts", "new"), "succeeded"],
    [grep, put("lib/new.ts", "no match"), "succeeded"],
    [glob, put("lib/new.ts", ""), "succeeded"],
    [glob, (at) => utimesSync(at("lib/b.ts"), 1, 1), "succeeded"],
    [reads("a.ts"), put("lib/b.ts", "another file"), "reused"],
    [reads("a.ts"), (at) => chmodSync(at("a.ts"), 0o600), "reused"],
    [reads("a.ts"), (at) => utimesSync(at("a.ts"), 1, 1), "reused"],
    [grep, put("a.ts", "b"), "reused"],
    [only, put("lib/new.md", "b"), "reused"],
    [glob, put("a.ts", "not below"), "reused"],
    [mention, put("lib/b.ts", "not mentioned"), "reused"],
  ];
  const files = { "a.ts": "a", "lib/b.ts": "b", "CLAUDE.md": "be kind, see @more.md", "more.md": "1" };
  await using home = new Home();
  const tasks = cases.map(([task], index) => ({ task, workingDirectory: `${index}` }));
  for (const { workingDirectory } of tasks)
    for (const [name, text] of Object.entries(files)) await write(home, join(workingDirectory, name), text);
  await write(home, "tasks.json", JSON.stringify(tasks));
  await ask(home, [], "-f", "tasks.json");
  for (const [index, [, change]] of cases.entries())
    await change((name) => join(home.work, `${index}`, name));
  const again = await ask(home, [], "-f", "tasks.json");
  expect(outcomes(again)).toEqual(cases.map(([, , expected]) => expected));
  expect(outcomes(await ask(home, [], "-f", "tasks.json", "--model", "haiku"))).not.toContain("reused");
}, 180_000);

/** Other contents, of which only the file system knows. */
async function sameSizeAndTime(at: (name: string) => string): Promise<void> {
  const { atime, mtime } = statSync(at("a.ts"));
  await Bun.write(at("a.ts"), "z");
  utimesSync(at("a.ts"), atime, mtime);
}

function answersOf(home: Home): Database {
  return new Database(join(home.state, "remembered", "answers.sqlite"));
}

test("with `inputs`, a session that ran commands is remembered by those files", async () => {
  await using home = await homeWith({ "a.ts": "a", "b.ts": "b", "lib/c.ts": "c" });
  const task = "[[tool name=Bash input=make]][[answer text=built]]";
  const inputs = ["--inputs", "a.ts", "--inputs", "lib/*.ts"];
  await ask(home, [task], ...inputs);
  await write(home, "b.ts", "changed");
  expect(outcomes(await ask(home, [task], ...inputs))).toEqual(["reused"]);
  await write(home, "lib/d.ts", "new");
  const changed = await ask(home, [task], ...inputs);
  expect(changed.message).toContain("0 reused, 1 run: the files that match *.ts changed.");
  await write(home, "a.ts", "changed");
  expect(outcomes(await ask(home, [task], ...inputs))).toEqual(["succeeded"]);
  // One that wrote is not, whatever it depends on.
  const writes = "[[tool name=Edit input=a.ts]][[answer text=edited]]";
  await ask(home, [writes], ...inputs);
  expect(outcomes(await ask(home, [writes], ...inputs))).toEqual(["succeeded"]);
}, 120_000);

test("with `inputs`, a session whose commands may have changed files is not remembered", async () => {
  await using home = await homeWith({
    "a.ts": "a",
    "lib/b.ts": "b",
    ".git/HEAD": "",
    ".gitignore": "build/\n",
  });
  const inputs = ["--inputs", "a.ts"];
  const command = "[[tool name=Bash input=make]]";
  const writing = (path: string) =>
    `${command}[[write-file path="${join(home.work, path)}" text=x]][[answer text=done]]`;
  const cases: [task: string, why: string | undefined][] = [
    [writing("lib/new.ts"), "used Bash, and may have changed lib"],
    [writing("lib/b.ts"), "used Bash, and may have changed lib/b.ts"],
    [writing(".git/logs/HEAD"), "used Bash, and may have changed commits"],
    // Ignored, and outside of its directory, nobody looks.
    [writing("build/out.js"), undefined],
    [writing("../elsewhere.ts"), undefined],
    [`${command}[[answer text=done]]`, undefined],
  ];
  await Bun.write(join(home.work, "build/old.js"), "");
  await Bun.write(join(home.work, ".git/logs/HEAD"), "");
  for (const [task, why] of cases) {
    await ask(home, [task], ...inputs);
    const again = await ask(home, [task], ...inputs);
    expect(outcomes(again)).toEqual([why === undefined ? "reused" : "succeeded"]);
    if (why !== undefined) expect(again.message).toContain(why);
  }
}, 120_000);

test("a damaged or missing transcript is no answer, and costs nothing but the run", async () => {
  await using home = await homeWith({ "a.ts": "a", "b.ts": "b" });
  const tasks = [reads("a.ts"), reads("b.ts")];
  const first = await ask(home, tasks);
  rmSync(join(home.state, "batches", first.batchId), { recursive: true });
  const folder = join(home.state, "remembered");
  const [one = "", other = ""] = filesIn(folder).filter((name) => name.endsWith(".ndjson"));
  rmSync(join(folder, one));
  await Bun.write(join(folder, other), "{}");
  expect(outcomes(await ask(home, tasks))).toEqual(["succeeded", "succeeded"]);
  expect(outcomes(await ask(home, tasks))).toEqual(["reused", "reused"]);
  // Nor does a database that is none fail a batch.
  for (const name of filesIn(folder).filter((file) => file.startsWith("answers"))) rmSync(join(folder, name));
  await Bun.write(join(folder, "answers.sqlite"), "x".repeat(5_000));
  const after = await ask(home, tasks);
  expect(after.counts).toMatchObject({ succeeded: 2 });
}, 120_000);

test("prune forgets answers that were not used for as long, and the rest stays", async () => {
  await using home = await homeWith({ "a.ts": "a", "b.ts": "b" });
  await ask(home, [reads("a.ts"), reads("b.ts")]);
  const folder = join(home.state, "remembered");
  {
    using database = answersOf(home);
    database.run("UPDATE answers SET used_at = used_at - 40 * 86400000 WHERE id = 1");
  }
  const dry = await run(home, ["prune", "--dry-run"]);
  expect(dry.out).toContain("Would remove 0 batches and 1 remembered answer");
  const pruned = await run(home, ["prune"]);
  expect(pruned.out).toContain("Removed 0 batches and 1 remembered answer");
  expect(filesIn(folder).filter((name) => name.endsWith(".ndjson"))).toHaveLength(1);
}, 120_000);

test("a limit of the configuration keeps only what was used last; with 0, nothing is remembered", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  home.set({ PARALLEL_CLAUDE_REUSE_LIMIT_MB: "0" });
  await ask(home, [reads("a.ts")]);
  expect(outcomes(await ask(home, [reads("a.ts")]))).toEqual(["succeeded"]);
  home.set({ PARALLEL_CLAUDE_REUSE_LIMIT_MB: "0.000001" });
  await ask(home, [reads("a.ts")]);
  expect(outcomes(await ask(home, [reads("a.ts")]))).toEqual(["succeeded"]);
}, 120_000);

test("a call of the tool reuses answers too, and says whose they are", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  await using client = await connectNew(home);
  const call = () =>
    client.call("spawn_parallel_claude_sessions", {
      tasks: [reads("a.ts")],
      reuse: "auto",
      workingDirectory: home.work,
    });
  const first = await call();
  const second = await call();
  expect(second.data).toMatchObject({
    totalCostUsd: 0,
    reused: 1,
    message: "The task succeeded. 1 reused. `fresh` runs all again.",
    results: [{ outcome: "reused", reusedFrom: { batchId: first.data?.["batchId"], task: 1 } }],
  });
}, 120_000);

describe("a runner that is killed", () => {
  test("while it remembers or looks up loses and invents nothing", async () => {
    await using home = await homeWith({ "a.ts": "a", "b.ts": "b" });
    const tasks = [reads("a.ts"), reads("b.ts")];
    const first = await ask(home, tasks);
    for (const _ of [1, 2, 3]) {
      await settled(home);
      await run(home, ["run", ...tasks, "--reuse", "auto", "--detach"]);
      using store = home.store();
      // Whenever it comes: before, in, or after the look-up.
      const row = store.list({ limit: 1 })[0];
      if (row?.runner && row.endedAt === undefined) killIfThere(row.runner.pid);
      await eventually(
        () => store.list({ limit: 1 })[0]?.endedAt !== undefined,
        () => "the batch ends",
      );
      const { out } = await run(home, ["results", row?.batchId ?? "", "--json"]);
      for (const { result } of first.results) expect(out).toContain(String(result));
    }
    expect(started(home)).toBe(2);
  }, 120_000);
});

test("the fake's digest is what it read", async () => {
  await using home = await homeWith({ "a.ts": "a" });
  const { results } = await ask(home, ["[[read path=a.ts]][[digest]]"]);
  expect(results[0]?.result).toBe(digestOf([`read ${join(home.work, "a.ts")} a`]));
}, 120_000);
