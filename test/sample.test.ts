// A sample of a batch runs first; then the batch pauses, with an estimate, until somebody continues or cancels it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";
import { RawClient, tasksExtension } from "./raw-client.ts";
import { newestRow } from "./running.ts";

setDefaultTimeout(120_000);

const testInTerminal = testNeeding("a terminal of one's own");

/** Ten tasks, each of which answers with its number. A sample of three is 2, 6 and 9. */
const tasks = Array.from({ length: 10 }, (_, index) => `[[answer text="${index + 1}"]]`);

/** The sessions that have got a prompt, which is what costs money. */
function startsIn(home: Home): string[] {
  if (!existsSync(home.startsLog)) return [];
  return readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"prompt"'));
}

/** A detached batch of ten tasks, once it has paused. */
async function pausedBatch(home: Home, ...more: string[]): Promise<string> {
  await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
  const { code } = await run(home, ["run", "-f", home.file("tasks.txt"), "--sample", "3", ...more]);
  expect(code).toBe(4);
  return newestRow(home)?.batchId ?? "";
}

function outcomesIn(home: Home): { status: string; attempts: number }[] {
  using store = home.store();
  const batchId = newestRow(home)?.batchId;
  const state = batchId && store.batch(batchId)?.state;
  return (state ? state.tasks : []).map(({ status, attempts }) => ({ status, attempts: attempts.length }));
}

describe("on the command line", () => {
  test("a sample runs, spread over the list, and the rest when it is continued, each task once", async () => {
    await using home = new Home();
    const batchId = await pausedBatch(home);
    expect(outcomesIn(home).flatMap(({ status }, index) => (status === "done" ? [index + 1] : []))).toEqual([
      2, 6, 9,
    ]);
    expect(startsIn(home)).toHaveLength(3);
    await home.empty();
    expect((await run(home, ["list"])).out).toContain("paused  3/10");
    // The file that says that a batch has ended.
    const summary = join(home.output, `summary-${batchId}.json`);
    expect(existsSync(summary)).toBe(false);

    const { code, out } = await run(home, ["continue", "latest"]);
    expect([code, out]).toEqual([0, expect.stringContaining("The other 7 tasks run now.")]);
    expect((await run(home, ["wait", "latest"])).code).toBe(0);
    expect(outcomesIn(home)).toEqual(tasks.map(() => ({ status: "done", attempts: 1 })));
    expect(startsIn(home)).toHaveLength(10);
    expect(existsSync(summary)).toBe(true);
    await home.empty();
  });

  test("a pause says what the rest will cost, take and use, and how to go on", async () => {
    await using home = new Home();
    await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const { code, err } = await run(home, ["run", "-f", home.file("tasks.txt"), "--sample", "3"]);
    expect(code).toBe(4);
    expect(err).toContain("10 tasks (a sample of 3 first)");
    expect(err).toMatch(
      /Paused after the sample: 3 of 10 tasks done, 7 waiting\. The other 7 tasks will probably cost \$0\.09\d+ \(\$0\.\d+ to \$\d\.\d+\), take .+ \(.+ to .+\), and use \d+K \(\d+K to .+\) tokens, going by 3 tasks\. /,
    );
    const batchId = newestRow(home)?.batchId;
    expect(err).toContain(
      `\`parallel-claude-code-mcp continue ${batchId}\` runs the rest, and \`parallel-claude-code-mcp cancel ${batchId}\` ends the batch.`,
    );
  });

  test("a pause has an exit status of its own for all that follow the batch", async () => {
    await using home = new Home();
    await pausedBatch(home, "--json");
    for (const words of [["wait"], ["watch"], ["wait", "--json"], ["watch", "--json"]]) {
      const [command = "", ...flags] = words;
      const { code, out } = await run(home, [command, "latest", ...flags]);
      expect([words, code, out]).toEqual([words, 4, expect.stringContaining("Paused after the sample")]);
    }
  });

  test("with --json, the answer has the estimate as data", async () => {
    await using home = new Home();
    await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const { out } = await run(home, ["run", "-f", home.file("tasks.txt"), "--sample", "3", "--json"]);
    const interval = { low: expect.any(Number), expected: expect.any(Number), high: expect.any(Number) };
    expect(JSON.parse(out)).toMatchObject({
      state: "paused",
      end: "paused",
      counts: { queued: 7, succeeded: 3 },
      estimate: { tasks: 7, basedOn: 3, costUsd: interval, seconds: interval, tokens: interval },
      pending: [1, 3, 4, 5, 7, 8, 10],
    });
  });

  test("an estimate beyond the budget says so, and names one that is probably enough", async () => {
    await using home = new Home();
    const batchId = await pausedBatch(home, "--batch-budget-usd", "0.05");
    const { out } = await run(home, ["show", "latest"]);
    expect(out).toMatch(
      /That exceeds the budget of \$0\.0500, of which \$0\.008\d is left, so only part of the tasks would run\./,
    );
    expect(out).toMatch(
      new RegExp(`\`parallel-claude-code-mcp continue ${batchId} --batch-budget-usd [\\d.]+\` runs the rest`),
    );
    expect((await run(home, ["continue", "latest", "--batch-budget-usd", "0.01"])).err).toMatch(
      /has already cost \$0\.041\d, and the budget given, which includes that, is only \$0\.0100\./,
    );
    expect((await run(home, ["continue", "latest", "--batch-budget-usd", "9"])).code).toBe(0);
    expect((await run(home, ["wait", "latest"])).code).toBe(0);
  });

  test("a sample that spends the budget ends the batch like any other", async () => {
    await using home = new Home();
    await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const words = ["run", "-f", home.file("tasks.txt"), "--sample", "3", "--batch-budget-usd", "0.001"];
    const { code, err } = await run(home, [...words, "--concurrency", "1"]);
    expect([code, err]).toEqual([1, expect.stringContaining("Stopped at its budget of $0.0010")]);
    expect(startsIn(home)).toHaveLength(1);
  });

  test("a sample as large as the batch is none", async () => {
    await using home = new Home();
    const { code, err } = await run(home, ["run", "one", "two", "--sample", "2"]);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining("Warning: The sample of 2 is all 2 tasks, so the batch does not pause."),
    ]);
    const { err: alone } = await run(home, ["run", "one", "--sample", "5"]);
    expect(alone).toContain("Warning: The sample of 5 is the only task, so the batch does not pause.");
  });

  test("a dry run shows which tasks the sample would be", async () => {
    await using home = new Home();
    const words = ["run", "a", "b", "c", "d", "--sample", "2"];
    const { out } = await run(home, [...words, "--dry-run"]);
    expect(out).toMatch(/sample +tasks 2, 4 first/);
    const { out: json } = await run(home, [...words, "--dry-run", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ sample: [2, 4] });
  });

  testInTerminal("in a terminal, the rest runs at once where that is answered with yes", async () => {
    await using home = new Home();
    await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const words = ["run", "-f", home.file("tasks.txt"), "--sample", "3"];
    await using command = new TerminalCommand(home, words, { columns: 120, rows: 40 });
    await command.shows("Run the rest now? [y/N]");
    expect(command.screen.text).toContain("The other 7 tasks will probably cost");
    expect(newestRow(home)?.counts).toMatchObject({ queued: 7, running: 0, succeeded: 3 });
    command.type("y\n");
    expect(await command.ended()).toBe(0);
    expect(command.screen.text).toContain("All 10 tasks succeeded.");
    expect(outcomesIn(home)).toEqual(tasks.map(() => ({ status: "done", attempts: 1 })));
    await home.empty();
  });

  testInTerminal(
    "in a terminal, the batch stays paused where that is answered with anything else",
    async () => {
      await using home = new Home();
      await Bun.write(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
      const words = ["run", "-f", home.file("tasks.txt"), "--sample", "3"];
      await using command = new TerminalCommand(home, words, { columns: 120, rows: 40 });
      await command.shows("Run the rest now? [y/N]");
      command.type("\n");
      expect(await command.ended()).toBe(4);
      await home.empty();
      expect(startsIn(home)).toHaveLength(3);
      expect((await run(home, ["continue", "latest"])).code).toBe(0);
      expect((await run(home, ["wait", "latest"])).code).toBe(0);
    },
  );

  testInTerminal("in a terminal, `watch` asks whether to run the rest, and goes on watching", async () => {
    await using home = new Home();
    await pausedBatch(home);
    await using command = new TerminalCommand(home, ["watch", "latest"], { columns: 120, rows: 40 });
    await command.shows("Run the rest now? [y/N]");
    command.type("y\n");
    expect(await command.ended()).toBe(0);
    expect(command.screen.text).toContain("The other 7 tasks run now.");
    expect(command.screen.text).toContain("All 10 tasks succeeded.");
    expect(startsIn(home)).toHaveLength(10);
    await home.empty();
  });

  testInTerminal("in a terminal, Ctrl-C at the question of `watch` leaves the batch paused", async () => {
    await using home = new Home();
    await pausedBatch(home);
    await using command = new TerminalCommand(home, ["watch", "latest"], { columns: 120, rows: 40 });
    await command.shows("Run the rest now? [y/N]");
    command.type("\u0003");
    expect(await command.ended()).not.toBe(0);
    expect(newestRow(home)?.counts).toMatchObject({ queued: 7, running: 0, succeeded: 3 });
  });

  testInTerminal("a run that is stopped after it went on ends what it started", async () => {
    await using home = new Home();
    const words = ["run", "sample", "[[hang]]", "--sample", "1", "--concurrency", "1"];
    await Bun.write(home.file("tasks.txt"), "[[hang]]\n[[answer text=ok]]\n");
    words.splice(1, 2, "-f", home.file("tasks.txt"));
    await using command = new TerminalCommand(home, words, { columns: 120, rows: 40 });
    await command.shows("Run the rest now? [y/N]");
    command.type("y\n");
    await eventually(
      () => newestRow(home)?.counts.running === 1,
      () => "the rest does not run",
    );
    command.type("\u0003");
    expect(await command.ended()).toBe(130);
    await home.empty();
    expect(newestRow(home)?.counts).toMatchObject({ succeeded: 1, cancelled: 1 });
  });
});

describe("through the tools", () => {
  test("a call pauses with its estimate, and continue_batch runs the rest", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", { tasks, sample: 3 });
    const { batchId } = data;
    expect(data).toMatchObject({
      state: "paused",
      results: [{ taskIndex: 2 }, { taskIndex: 6 }, { taskIndex: 9 }],
      estimate: { tasks: 7, basedOn: 3 },
      message: expect.stringContaining(
        `Ask the user; then continue_batch (batchId ${batchId}) runs the rest, and cancel_batch (batchId ${batchId}) ends the batch.`,
      ),
    });
    const waited = await client.call("wait_for_batch", { batchId });
    expect(waited.data).toMatchObject({ state: "paused", running: [], estimate: { tasks: 7 } });
    expect(waited.data).not.toHaveProperty("nextCheckSeconds");
    expect(startsIn(home)).toHaveLength(3);

    const { data: going } = await client.call("continue_batch", { batchId, concurrency: 2 });
    expect(going).toMatchObject({ batchId, message: expect.stringContaining("The other 7 tasks run now.") });
    // Nobody waits for it any more, so its files go where the user looks for them.
    expect(going).toMatchObject({ outputDirectory: home.output });
    const { data: end } = await client.call("wait_for_batch", { batchId });
    expect(end).toMatchObject({ state: "finished", counts: { succeeded: 10 } });
    expect(startsIn(home)).toHaveLength(10);
    await client.close();
    await home.empty();
  });

  test("cancelling a paused batch ends it, with all its files", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks,
      sample: 3,
      outputDirectory: home.output,
    });
    const { batchId } = data;
    await client.call("cancel_batch", { batchId });
    // The answer to a cancel comes after four seconds, whether a runner has ended the batch by then or not.
    const { data: ended } = await client.call("wait_for_batch", { batchId });
    expect(ended).toMatchObject({
      state: "cancelled",
      message: expect.stringContaining("Cancelled by the user: 3 of 10 tasks done, 7 not started."),
    });
    const summary = await Bun.file(join(home.output, `summary-${batchId}.json`)).json();
    expect(summary).toMatchObject({ state: "cancelled", counts: { succeeded: 3, cancelled: 7 } });
    expect(startsIn(home)).toHaveLength(3);
    // What was cancelled can be run after all, without another pause.
    await client.call("retry_batch", { batchId });
    expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({
      state: "finished",
      counts: { succeeded: 10 },
    });
    await client.close();
    await home.empty();
  });

  test("of a paused batch, some tasks can be cancelled, and the others continued", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", { tasks, sample: 3 });
    const { batchId } = data;
    await client.call("cancel_batch", { batchId, tasks: [1, 3] });
    const { data: waited } = await client.call("wait_for_batch", { batchId });
    expect(waited).toMatchObject({ state: "paused", counts: { queued: 5, cancelled: 2 } });
    await client.call("continue_batch", { batchId });
    const { data: end } = await client.call("wait_for_batch", { batchId });
    expect(end).toMatchObject({ state: "finished", counts: { succeeded: 8, cancelled: 2 } });
    expect(startsIn(home)).toHaveLength(8);
  });

  test("what failed in a sample can be rerun with other options, which the rest gets too, and it pauses again", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const mixed = tasks.map((task, index) => (index === 5 ? "[[max-turns]]" : task));
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks: mixed,
      sample: 3,
      retries: 0,
    });
    const { batchId } = data;
    expect(data).toMatchObject({ state: "paused", counts: { queued: 7, failed: 1, succeeded: 2 } });
    const retry = await client.call("retry_batch", { batchId, with: { appendSystemPrompt: "Be quick." } });
    expect(retry.text).toContain("1 task is run again with");
    expect(retry.text).toContain("7 waiting tasks will run with the same options.");
    const { data: again } = await client.call("wait_for_batch", { batchId });
    expect(again).toMatchObject({ state: "paused", counts: { queued: 7, failed: 1 } });
    using store = home.store();
    const state = store.list({ limit: 1 }).map((row) => store.batch(row.batchId)?.state)[0];
    expect(state?.batch.tasks[0]?.options).toMatchObject({ appendSystemPrompt: "Be quick." });
    expect(state?.tasks[5]?.attempts).toHaveLength(2);
    expect(startsIn(home)).toHaveLength(4);
  });

  test("options of what waits can be changed while nothing has failed, and nothing starts", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", { tasks, sample: 3 });
    const { batchId } = data;
    const { text } = await client.call("retry_batch", { batchId, with: { model: "haiku" } });
    expect(text).toContain("7 waiting tasks will run with");
    expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({ state: "paused" });
    expect(startsIn(home)).toHaveLength(3);
  });

  test("values of variables are lost at the pause, and must come again", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks,
      sample: 3,
      env: { TOKEN: "secret" },
    });
    const { batchId } = data;
    const refused = await client.call("continue_batch", { batchId });
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringContaining("need TOKEN. Values are never"),
    });
    expect(startsIn(home)).toHaveLength(3);
    await client.call("continue_batch", { batchId, env: { TOKEN: "secret" } });
    expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({
      counts: { succeeded: 10 },
    });
  });

  test("a batch that runs, or has ended, is not continued", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const gate = home.file("gate");
    const gated = tasks.map((task) => `[[wait-for-file path=${gate}]] ${task}`);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks: gated,
      sample: 3,
      asyncMode: true,
    });
    const { batchId } = data;
    const refused = async () => (await client.call("continue_batch", { batchId })).text;
    expect(await refused()).toBe(
      `Batch ${batchId} still runs its sample of 3 tasks. Continue it once it has paused.`,
    );
    await Bun.write(gate, "");
    await client.call("wait_for_batch", { batchId });
    await client.call("continue_batch", { batchId });
    await client.call("wait_for_batch", { batchId });
    expect(await refused()).toBe(`Batch ${batchId} has finished: there is nothing to continue.`);
    const { data: other = {} } = await client.call("spawn_parallel_claude_sessions", { tasks, sample: 3 });
    await client.call("cancel_batch", { batchId: other["batchId"] });
    expect((await client.call("continue_batch", { batchId: other["batchId"] })).text).toBe(
      `Batch ${other["batchId"]} was cancelled: there is nothing to continue. retry_batch (batchId ${other["batchId"]}) reruns what failed or was cancelled.`,
    );
    expect(startsIn(home)).toHaveLength(13);
  });

  test("a call as a task of the protocol is completed by the pause, and its answer says what to do", async () => {
    await using home = new Home();
    await using client = new RawClient(home, { extensions: { [tasksExtension]: {} } });
    const { result } = await client.call("spawn_parallel_claude_sessions", { tasks, sample: 3 });
    const taskId = String(result?.["taskId"]);
    await eventually(
      () => newestRow(home)?.endedAt !== undefined,
      () => "the batch does not pause",
    );
    const { result: now } = await client.ask("tasks/get", { taskId });
    expect(now).toMatchObject({
      status: "completed",
      result: { structuredContent: { state: "paused", message: expect.stringContaining("continue_batch") } },
    });
    await client.ask("tasks/cancel", { taskId });
    await eventually(
      () => newestRow(home)?.counts.cancelled === 7,
      () => "it is not cancelled",
    );
  });
});

test("old batches that have only paused are not pruned", async () => {
  await using home = new Home();
  await pausedBatch(home);
  await home.empty();
  using store = home.store();
  store.database.run("UPDATE batches SET ended_at = 1000, changed_at = 1000");
  const { out } = await run(home, ["prune", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ batches: 0, unended: 1 });
  expect(newestRow(home)?.counts.queued).toBe(7);
});
