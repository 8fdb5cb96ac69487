// Failures with one cause are one thing to read, at the end of a batch and afterwards.
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { endingText } from "../src/doors/cli/view/ending.ts";
import { progressLines } from "../src/doors/cli/view/progress-lines.ts";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, Home, program, run } from "./harness.ts";
import { batchState, ended, started, succeeded } from "./report/samples.ts";

describe("a batch in which several tasks fail alike", () => {
  test("ends with each cause once, how many tasks it hit, and the command that runs them again", async () => {
    await using home = new Home();
    const tasks = [...Array<string>(5).fill("[[max-turns]]"), "[[exit code=3]]", "fine"];
    writeFileSync(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const { code, err } = await run(home, ["run", "-f", home.file("tasks.txt"), "--retries", "0"]);
    expect(code).toBe(1);
    // What to do stands below the first of them, and not below each.
    expect(err.match(/^ {4}.*--max-turns/gm)).toHaveLength(1);
    expect(err).toMatch(/ {2}5 × Reached its turn limit\. Claude said: .* \(tasks 1 to 5\)/);
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

  test("says the same of several tasks once, also where each needs another rule", async () => {
    await using home = new Home();
    const denied = ["npm test", "git push"].map((command) => `[[denied tool=Bash input="${command}"]]`);
    writeFileSync(home.file("tasks.txt"), `${denied.join("\n")}\n`);
    const { err } = await run(home, ["run", "-f", home.file("tasks.txt")]);
    expect(err.match(/ × /g)).toHaveLength(1);
    expect(err).toContain("  2 × Succeeded, with tools denied. (tasks 1, 2)\n");
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

test("of 2,000 tasks with 189 failures a line each is printed, and what to do about a cause once", () => {
  const turns = {
    kind: "failed",
    reason: "max-turns",
    message: "Reached maximum number of turns (3)",
  } as const;
  const rejected = { kind: "failed", reason: "request", message: "API Error: 400" } as const;
  const outcomeOf = (number: number) => (number <= 150 ? turns : number <= 189 ? rejected : succeeded);
  const numbers = Array.from({ length: 2_000 }, (_, index) => index + 1);
  const state = batchState(
    numbers.map((number) => `task ${number}`),
    [
      ...numbers.flatMap((number) => [started(number), ended(number, outcomeOf(number))]),
      { type: "batch-ended" },
    ],
  );
  const said: string[] = [];
  progressLines((line) => said.push(line), { paint: (_, text) => text })(state);
  const lines = said.join("\n").split("\n");
  // The first of each cause has two lines more.
  expect(lines.length).toBe(2_000 + 2 * 2);
  expect(lines.filter((line) => line.includes(" retry "))).toHaveLength(2);
  const end = endingText(state, "finished");
  expect(end.split("\n").length).toBeLessThan(8);
  expect(end).toContain("  150 × Reached its turn limit.");
  expect(end).toContain("  39 × The API rejected a request.");
  expect(end.match(/ retry /g)).toHaveLength(1);
});
