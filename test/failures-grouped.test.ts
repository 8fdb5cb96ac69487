// Failures with one cause are one thing to read, at the end of a batch and afterwards.
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { wrapped } from "../src/doors/cli/terminal/wrapped.ts";
import { rowsOf } from "../src/doors/cli/view/cause-lines.ts";
import { endingText } from "../src/doors/cli/view/ending.ts";
import { progressLines } from "../src/doors/cli/view/progress-lines.ts";
import type { Outcome } from "../src/model/outcome.ts";
import { shellQuoted } from "../src/model/shell-quoted.ts";
import { tasksNamed } from "../src/operations/named-tasks.ts";
import { causesOf } from "../src/report/causes.ts";
import { RunningCommand, typed } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, program, run } from "./harness.ts";
import { batchState, ended, started, succeeded } from "./report/samples.ts";

describe("a batch in which several tasks fail alike", () => {
  test("ends with each cause once, how many tasks it hit, and the command that runs them again", async () => {
    await using home = new Home();
    const tasks = [...Array<string>(5).fill("[[max-turns]]"), "[[exit code=3]]", "fine"];
    writeFileSync(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const { code, err } = await run(home, ["run", "-f", home.file("tasks.txt"), "--retries", "0"]);
    expect(code).toBe(1);
    // What to do stands below the first of them, and not below each.
    expect(err.match(/^ {4}`.*--max-turns/gm)).toHaveLength(1);
    expect(err).toMatch(/ {2}5 × Reached its turn limit\. Claude said: .* \(such as task 1\)/);
    expect(err).toMatch(/ {6}`parallel-claude-code-mcp retry \w{8} 1-5 --max-turns \d+`\n/);
    expect(err).toMatch(/ {2}1 × Crashed with exit code 3.* \(task 6\)/);
    expect(err).toMatch(/parallel-claude-code-mcp retry \w{8}/);

    const { out: shown } = await run(home, ["show", "latest"]);
    expect(shown.match(/^ {2}.*--max-turns/gm)).toHaveLength(1);
    expect(shown).toMatch(/5 tasks: Reached its turn limit\..*\n {2}Tasks 1 to 5\.\n/);

    // What has ended is not told again, task by task.
    for (const command of ["watch", "wait"]) {
      const { out } = await run(home, [command, "latest"]);
      expect(out).not.toMatch(/^\s*\d+\/7 /m);
      expect(out).toMatch(/ {2}5 × Reached its turn limit/);
      expect(out).toMatch(/All 7 tasks ended: 1 succeeded, 6 failed\. .* s, (at least )?\$\d/);
      expect(out).toContain("Report: ");
      expect(out).toContain("retry ");
    }
  });

  test("has a cause for each rule that is missing, with the command that adds it for all", async () => {
    await using home = new Home();
    const denied = ["npm test", "git push", "npm test"].map(
      (command) => `[[denied tool=Bash input="${command}"]]`,
    );
    writeFileSync(home.file("tasks.txt"), `${denied.join("\n")}\n`);
    const { err } = await run(home, ["run", "-f", home.file("tasks.txt")]);
    expect(err.match(/ × /g)).toHaveLength(2);
    expect(err).toContain("  2 × Succeeded, with tools denied. (such as task 1)\n");
    const [, batchId = ""] = /Batch (\w{8})/.exec(err) ?? [];
    for (const [tasks, rule] of [
      ["1,3", "Bash(npm test:*)"],
      ["2", "Bash(git push:*)"],
    ] as const)
      expect(err).toContain(
        `\n      \`parallel-claude-code-mcp retry ${batchId} ${tasks} --allowed-tools ${shellQuoted(rule)}\`\n`,
      );
  });

  test("is shown without advice to show it", async () => {
    await using home = new Home();
    const { err } = await run(home, ["run", "[[max-turns]]", "--retries", "0"]);
    expect(err).toMatch(/`parallel-claude-code-mcp show \w{8}` says what went wrong/);
    const { out } = await run(home, ["show", "latest"]);
    expect(out).toMatch(/next +`parallel-claude-code-mcp retry \w{8}` reruns what failed\.\n/);
    expect(out).not.toContain("says what went wrong");
  });

  testNeeding("signals that can be heard")(
    "that is cancelled does not name each task that never started",
    async () => {
      await using home = new Home();
      const started = home.file("started");
      const tasks = Array<string>(300).fill(`[[touch path=${started}]] [[hang]]`);
      writeFileSync(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
      await using command = new RunningCommand(home, [
        "run",
        "-f",
        home.file("tasks.txt"),
        "--concurrency",
        "2",
      ]);
      await eventually(
        () => existsSync(started),
        () => "no session starts",
      );
      command.signal("SIGINT");
      expect(await command.ended()).toBe(130);
      // The second one may be about to start.
      expect(command.said).toMatch(/29[89] not started/);
      expect(command.said.split("\n").length).toBeLessThan(15);
    },
  );
});

test("`watch --json` prints no line while only time goes on", async () => {
  await using home = new Home();
  await using command = new RunningCommand(home, ["run", "[[hang]]", "[[answer text=4]]"]);
  await command.says("1/2");
  const watching = Bun.spawn([...program(), "watch", "latest", "--json"], {
    cwd: home.work,
    env: home.environment,
    stdout: "pipe",
    stderr: "ignore",
  });
  const reader = watching.stdout.getReader();
  let said = new TextDecoder().decode((await reader.read()).value);
  // The pause is the case: seconds go by, in which nothing happens.
  await Bun.sleep(3_000);
  command.signal("SIGINT");
  await command.ended();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    said += new TextDecoder().decode(piece.value);
  const lines = said
    .trim()
    .split("\n")
    .map((line): { state: string; counts: { running: number } } => JSON.parse(line));
  // At the beginning, and as it is cancelled and ends.
  expect(lines.length).toBeLessThanOrEqual(4);
  expect(lines.at(-1)).toMatchObject({ state: "cancelled" });
});

const turns = {
  kind: "failed",
  reason: "max-turns",
  message: "Reached maximum number of turns (3)",
} as const;
const sixCauses: { count: number; outcome: Outcome }[] = [
  { count: 120, outcome: turns },
  {
    count: 39,
    outcome: { kind: "failed", reason: "request", message: "API Error: 400 messages.1: too long" },
  },
  { count: 12, outcome: { kind: "timed-out", clock: "idle", afterMs: 600_000 } },
  { count: 9, outcome: { kind: "crashed", signal: "SIGKILL", stderrTail: "" } },
  { count: 6, outcome: { kind: "failed", reason: "overloaded", message: "API Error: 529" } },
  { count: 3, outcome: { kind: "failed", reason: "refusal", message: "I cannot help with that" } },
];

/** 2,000 tasks, of which 189 fail here and there, for six causes. */
function night() {
  const numbers = Array.from({ length: 2_000 }, (_, index) => index + 1);
  const failing = sixCauses.flatMap(({ count, outcome }) => Array<Outcome>(count).fill(outcome));
  // Every tenth, so that no range is long; causes take turns.
  const outcomeOf = (number: number): Outcome =>
    number % 10 === 0 && number <= 1_890 ? (failing[(number * 5) % failing.length] ?? succeeded) : succeeded;
  return batchState(
    numbers.map((number) => `task ${number}`),
    [
      ...numbers.flatMap((number) => [started(number), ended(number, outcomeOf(number))]),
      { type: "batch-ended" },
    ],
  );
}

test("of 2,000 tasks with 189 failures a line each is printed, and what to do about a cause once", () => {
  const said: string[] = [];
  progressLines((line) => said.push(line), { paint: (_, text) => text })(night());
  const lines = said.join("\n").split("\n");
  expect(lines.filter((line) => / {2}task \d+ /.test(line))).toHaveLength(2_000);
  expect(lines.length).toBeLessThan(2_000 + 6 * 6);
});

test("189 failures of six causes end in one screen, each with an example, advice and the command for all", () => {
  const state = night();
  expect(state.counts).toMatchObject({ succeeded: 1_811, failed: 189 });
  const screen = wrapped(endingText(state, "finished", { isTerminal: true, width: 80 }), {
    isTerminal: true,
    width: 80,
  }).split("\n");
  expect(rowsOf(screen, 80)).toBeLessThan(24);
  const counts = screen.flatMap((line) => /^ {2}(\d+) × .* \(such as task \d+\)$/.exec(line)?.[1] ?? []);
  expect(counts).toEqual(["120", "39", "12", "9", "6", "3"]);
  const commands = screen.filter((line) =>
    line.startsWith("      `parallel-claude-code-mcp retry bcdfghjk "),
  );
  expect(commands.length).toBeGreaterThanOrEqual(4);
  expect(commands[0]).toMatch(/ retry bcdfghjk cause:max-turns-\w{5} --max-turns 50`$/);
});

test("what a cause stands for is what a command takes by its name", () => {
  const state = night();
  for (const cause of causesOf(state)) {
    const named = tasksNamed(state, [`cause:${cause.id}`]);
    expect(named).toEqual(cause.tasks.map(({ number }) => number));
  }
  expect(() => tasksNamed(state, ["cause:nothing"])).toThrow("there are `cause:max-turns-");
});

testNeeding("sh")(
  "the command of a cause, run as it is printed, reruns all of its tasks, which then succeed",
  async () => {
    await using home = new Home();
    const tools = "[[tool name=Read input=a]] [[tool name=Read input=b]] [[tool name=Read input=c]] done";
    // Every other one, so that no list of numbers is short.
    const tasks = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? tools : "fine"));
    writeFileSync(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const { err } = await run(home, [
      "run",
      "-q",
      "-f",
      home.file("tasks.txt"),
      "--max-turns",
      "3",
      "--retries",
      "0",
    ]);
    expect(err).toContain("  30 × Reached its turn limit.");
    const command =
      /`parallel-claude-code-mcp (retry \w+ cause:max-turns-\w+ --max-turns 6)`/.exec(err)?.[1] ?? "";
    const { code, out } = await typed(home, `P ${command} --wait --quiet`);
    expect(out).toContain("All 60 tasks succeeded.");
    expect(code).toBe(0);
  },
);

test("the call of a cause, made as an answer has it, reruns all of its tasks", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const tools = "[[tool name=Read input=a]] [[tool name=Read input=b]] [[tool name=Read input=c]] done";
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [tools, "fine", tools],
    maxTurns: 3,
    retries: 0,
  });
  expect(data).toMatchObject({
    message: expect.stringContaining("Causes: 2 × Reached its turn limit."),
    causes: [{ count: 2, tasks: "1, 3", outcome: "failed: max-turns", example: { taskIndex: 1 } }],
  });
  const { batchId, causes }: { batchId: string; causes: { cause: string; retry: string }[] } = JSON.parse(
    JSON.stringify(data),
  );
  const [cause] = causes;
  const named = await client.call("read_batch_results", { batchId, tasks: [`cause:${cause?.cause}`] });
  expect(named.data).toMatchObject({ matching: 2, results: [{ taskIndex: 1 }, { taskIndex: 3 }] });
  const call: unknown = JSON.parse(cause?.retry.replace(/^retry_batch /, "") ?? "");
  expect(call).toEqual({ batchId, tasks: [1, 3], with: { maxTurns: 6 } });
  await client.call("retry_batch", { ...Object(call) });
  const waited = await client.call("wait_for_batch", { batchId });
  expect(waited.data).toMatchObject({ end: "succeeded" });
  expect(waited.data).not.toHaveProperty("causes");
});
