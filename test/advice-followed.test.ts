// Each advice that names a retry, followed as it is printed: the command in a shell's words, the call as it stands.
import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeNeeding, testNeeding } from "./facilities.ts";
import { connectNew, filesIn, Home, run } from "./harness.ts";

/** A task that fails with what it was given, and succeeds once the advice is followed. */
interface Case {
  prompt: string;
  /** On a command line. */
  flags: string[];
  /** The same, in the words of the tools. */
  options: Record<string, unknown>;
  outcome: string;
  /** The same in a terminal. */
  words: string;
  /** What the command adds. */
  adds: string;
}

const threeTools = "[[tool name=Read input=a]] [[tool name=Read input=b]] [[tool name=Read input=c]] done";
const cases: Record<string, Case> = {
  "the turn limit": {
    prompt: threeTools,
    flags: ["--max-turns", "3"],
    options: { maxTurns: 3 },
    outcome: "failed: max-turns",
    words: "failed: turn limit",
    adds: "--max-turns 6",
  },
  "the budget of a session": {
    prompt: "[[cost usd=0.015]] one",
    flags: ["--max-budget-usd", "0.01"],
    options: { maxBudgetUsd: 0.01 },
    outcome: "failed: budget",
    words: "failed: budget spent",
    adds: "--max-budget-usd 0.02",
  },
  "the wall clock": {
    prompt: "[[wait-for-file path=GATE]] one",
    flags: ["--timeout-seconds", "4", "--retries", "0"],
    options: { timeoutSeconds: 4, retries: 0 },
    outcome: "timed-out: wall",
    words: "timed out: total time",
    adds: "--timeout-seconds 8",
  },
};

function wordsOf(command: string): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${command}`]);
  return stdout.toString().split("\0").slice(1, -1);
}

describeNeeding("sh")("advice on a command line is a command that works:", () => {
  test.each(Object.entries(cases))("%s", async (_, { prompt, flags, words, adds }) => {
    await using home = new Home();
    const gate = home.file("gate");
    const slow = prompt.replace("GATE", gate);
    const { code, err } = await run(home, ["run", ...flags, "[[cost usd=0.001]] fine", slow]);
    expect(code).toBe(1);
    expect(err).toContain(words);
    const command = /`(parallel-claude-code-mcp retry \w+ 2 [^`]*)`/.exec(err)?.[1] ?? "";
    expect(command).toEndWith(` 2 ${adds}`);
    const shown = await run(home, ["show", "latest"]);
    expect(shown.out).toContain(`\`${command}\``);
    await Bun.write(gate, "");
    const retried = await run(home, wordsOf(command));
    expect(retried.out).toContain(`1 task is run again with \`${adds}\`.`);
    expect((await run(home, ["wait", "latest"])).out).toContain("All 2 tasks succeeded.");
    expect((await run(home, ["show", "latest"])).out).toMatch(new RegExp(`changed +task 2: \`${adds}\``));
    const page =
      filesIn(home.output).find((name) => name.startsWith("report-") && name.endsWith(".html")) ?? "";
    expect(readFileSync(join(home.output, page), "utf8")).toContain(`<code>${adds}</code>`);
  });
});

describe("advice of the tools is a call that works:", () => {
  test.each(Object.entries(cases))("%s", async (_, { prompt, options, outcome }) => {
    await using home = new Home();
    const gate = home.file("gate");
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: ["fine", { task: prompt.replace("GATE", gate), ...options }],
    });
    expect(data).toMatchObject({ results: [{}, { outcome }] });
    const [, failed]: { advice?: string }[] = JSON.parse(JSON.stringify(data?.["results"]));
    const call = JSON.parse(/retry_batch with `(\{.*?\})`/.exec(failed?.advice ?? "")?.[1] ?? "{}");
    expect(Object.keys(call)).toEqual(["batchId", "tasks", "with"]);
    expect(call.tasks).toEqual([2]);
    await Bun.write(gate, "");
    const retried = await client.call("retry_batch", call);
    expect(retried.data?.["message"]).toContain("1 task is run again with `");
    const { batchId } = call;
    expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({ end: "succeeded" });
  });
});

testNeeding("sh")(
  "a success whose tools were denied is rerun from its start, with all that it had and what it lacked",
  async () => {
    await using home = new Home();
    const args = ["fine", "[[denied tool=Write path=a.txt]] two", "--allowed-tools", "Read,Bash(git log:*)"];
    const { code, err } = await run(home, ["run", ...args]);
    expect(code).toBe(0);
    const command = /`(parallel-claude-code-mcp retry \w+ 2 [^`]*)`/.exec(err)?.[1] ?? "";
    expect(command).not.toBe("");
    const before = startsOf(home);
    const retried = await run(home, wordsOf(command));
    expect(retried.out).toContain("1 task is run again with");
    await run(home, ["wait", "latest"]);
    const [again = []] = startsOf(home).slice(before.length);
    expect(startsOf(home)).toHaveLength(before.length + 1);
    expect(again.filter((word) => word.startsWith("--resume"))).toEqual([]);
    for (const [flag, value] of flagsOf(command)) expect(again).toContain(`${flag}=${value}`);
    // One page a task: the answer of before has gone for the new one.
    expect(filesIn(home.output).filter((name) => name.startsWith("result-"))).toHaveLength(2);
  },
);

test("a plain success is kept unless it is named and something is changed", async () => {
  await using home = new Home();
  await run(home, ["run", "one", "two"]);
  const kept = await run(home, ["retry", "latest", "2"]);
  expect(kept.code).toBe(2);
  expect(kept.err).toContain("task 2 succeeded, and would only run again with the same options");
  // By what a command line has: numbers, and no flag.
  const { err } = await run(home, ["retry", "latest"]);
  expect(err).toContain("write their numbers after the batch, as in `retry BATCH 3 5`, with the options");
  expect(err).not.toContain("--tasks");
  const other = await run(home, ["retry", "latest", "2", "--model", "opus"]);
  expect(other.out).toContain("1 task is run again with `--model opus`.");
  await run(home, ["wait", "latest"]);
  expect(startsOf(home).at(-1)).toContain("--model=opus");
});

test("without names, the options are for what failed; a list replaces the list of before", async () => {
  await using home = new Home();
  await run(home, ["run", "fine", "[[max-turns]]", "[[max-turns]]", "--allowed-tools", "Read,Grep"]);
  const retried = await run(home, ["retry", "latest", "--allowed-tools", "Glob", "--effort", "low"]);
  expect(retried.out).toContain("2 tasks are run again with `--effort low`, `--allowed-tools Glob`.");
  await run(home, ["wait", "latest"]);
  const again = startsOf(home).slice(3);
  expect(again).toHaveLength(2);
  for (const words of again) {
    expect(words).toContain("--allowedTools=Glob");
    expect(words).toContain("--effort=low");
    expect(words.some((word) => word.startsWith("--resume="))).toBe(true);
  }
  // What was changed stays changed.
  await run(home, ["retry", "latest"]);
  await run(home, ["wait", "latest"]);
  expect(startsOf(home).at(-1)).toContain("--effort=low");
});

test("in another working directory a conversation begins anew, and the answer says so", async () => {
  await using home = new Home();
  await Bun.write(join(home.work, "other/x"), "");
  await run(home, ["run", "[[max-turns]]"]);
  const retried = await run(home, ["retry", "latest", "--working-directory", "other"]);
  expect(retried.out).toContain("In another working directory, their conversations begin anew.");
  await run(home, ["wait", "latest"]);
  expect(startsOf(home)).toHaveLength(2);
  expect(
    startsOf(home)
      .at(-1)
      ?.some((word) => word.startsWith("--resume=")),
  ).toBe(false);
});

test("bad options of a retry are refused before anything runs, in the words of the door", async () => {
  await using home = new Home();
  await run(home, ["run", "[[max-turns]]"]);
  const onLine = await run(home, ["retry", "latest", "--working-directory", "/nowhere", "--max-turns", "0"]);
  expect(onLine.code).toBe(2);
  expect(onLine.err).toContain("--max-turns was given as 0");
  const place = await run(home, ["retry", "latest", "--working-directory", "/nowhere"]);
  expect(place.err).toContain(`--working-directory ${resolve(home.path, "/nowhere")} does not exist`);
  await using client = await connectNew(home);
  const called = await client.call("retry_batch", {
    batchId: "latest",
    with: { workingDirectory: "/nowhere", permissionMode: "bypassPermissions" },
  });
  expect(called.isError).toBe(true);
  expect(called.text).toContain(`with.workingDirectory ${resolve(home.path, "/nowhere")} does not exist`);
  expect(called.text).toContain("with.permissionMode was given as");
  const typo = await client.call("retry_batch", { batchId: "latest", with: { maxTurn: 3 } });
  expect(typo.text).toContain("maxTurns");
  expect(startsOf(home)).toHaveLength(1);
});

test("a batch whose call waited is handed over by its retry: files go where the user looks for them", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("dir");
  await Bun.write(join(gate, "x"), "");
  const { data } = await client.call("spawn_parallel_claude_sessions", { tasks: ["one", "[[max-turns]]"] });
  expect(String(data?.["outputDirectory"])).toStartWith(home.state);
  rmSync(gate, { recursive: true });
  const { batchId } = data ?? {};
  const retried = await client.call("retry_batch", { batchId });
  expect(retried.data).toMatchObject({
    outputDirectory: home.output,
    message: expect.stringContaining(`Results go to ${home.output}.`),
  });
  await client.call("wait_for_batch", { batchId });
  await home.empty({ but: client.pid });
  const files = filesIn(home.output).map((name) =>
    name.replace(/-\d{13}/, "").replace(String(batchId), "ID"),
  );
  expect(files).toEqual([
    "error-002.txt",
    "index.html",
    "report-ID-texts.js",
    "report-ID.html",
    "report-ID.js",
    "result-001.html",
    "results-ID.jsonl",
    "summary-ID.json",
  ]);
});

/** The arguments of every session so far. */
function startsOf(home: Home): string[][] {
  return readFileSync(home.startsLog, "utf8")
    .trim()
    .split("\n")
    .map((line): { kind: string; argv?: string[] } => JSON.parse(line))
    .flatMap(({ kind, argv }) => (kind === "start" && argv ? [argv] : []));
}

// As `claude` names them.
function flagsOf(command: string): [string, string][] {
  const names: Record<string, string> = {
    "--allowed-tools": "--allowedTools",
    "--permission-mode": "--permission-mode",
  };
  const words = wordsOf(command);
  return words.flatMap((word, index) => {
    const name = names[word];
    return name === undefined ? [] : [[name, words[index + 1] ?? ""] satisfies [string, string]];
  });
}
