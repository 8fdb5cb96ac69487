import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { localProcess } from "../src/model/session-ref.ts";
import { shellQuoted } from "../src/model/shell-quoted.ts";
import { connectNew, eventually, filesIn, Home, kill, run } from "./harness.ts";
import { untilKept } from "./running.ts";

test("failed tasks are run again, what succeeded is kept, and the files tell the last state", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  // Fails as long as its working directory is missing.
  const tasks = ["first", { task: "second", workingDirectory: home.file("later") }];
  await Bun.write(join(home.file("later"), "x"), "");
  const blocker = client.call("spawn_parallel_claude_sessions", {
    tasks: [`[[wait-for-file path=${gate}]]`, ...tasks],
    concurrency: 1,
    asyncMode: true,
  });
  const batchId = String((await blocker).data?.["batchId"]);
  rmSync(home.file("later"), { recursive: true });
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 2, failed: 1 } });
  expect(filesIn(home.output).filter((name) => name.startsWith("error-003"))).toHaveLength(1);

  await Bun.write(join(home.file("later"), "x"), "");
  const retried = await client.call("retry_batch", { batchId });
  expect(retried.data).toMatchObject({ message: expect.stringContaining("1 task is run again") });
  const again = await client.call("wait_for_batch", { batchId });
  expect(again.data).toMatchObject({ state: "finished", counts: { succeeded: 3, failed: 0 } });
  const files = filesIn(home.output);
  expect(files.filter((name) => name.startsWith("error-"))).toEqual([]);
  expect(files.filter((name) => name.startsWith("result-"))).toHaveLength(3);
  const lines = readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line).status)).toEqual(["success", "success", "success"]);
  const prompts = readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"prompt"'));
  expect(prompts).toHaveLength(3);
  const nothing = await client.call("retry_batch", { batchId });
  expect(nothing).toMatchObject({
    isError: true,
    text: expect.stringContaining("all its tasks have succeeded"),
  });
});

test("a text that a retry adds reaches the session, and stands in the page, the answer and the dry run", async () => {
  await using home = new Home();
  const prompt = `[[refused status=400 once=${home.file("refused")}]] [[prompt]]`;
  expect(await run(home, ["run", prompt])).toMatchObject({ code: 1 });
  const dry = await run(home, ["retry", "latest", "--append-prompt", "Be brief.", "--dry-run"]);
  expect(dry.out).toContain("added to prompts  Be brief.");
  const retried = await run(home, ["retry", "latest", "--append-prompt", "Be brief."]);
  expect(retried.out).toContain(`1 task is run again with \`--append-prompt ${shellQuoted("Be brief.")}\`.`);
  await run(home, ["wait", "latest"]);
  const { out: answer } = await run(home, ["results", "latest", "1"]);
  expect(answer).toBe(`${JSON.stringify(`${prompt}\n\nBe brief.`)}\n`);
  const { out: shown } = await run(home, ["show", "latest"]);
  expect(shown).toMatch(/changed +task 1: `--append-prompt ['"]Be brief\.['"]`/);
  const { out: json } = await run(home, ["show", "latest", "--json"]);
  expect(JSON.parse(json)).toMatchObject({ results: [{ taskDescription: `${prompt}\n\nBe brief.` }] });
  const page = readFileSync(join(home.output, "index.html"), "utf8");
  expect(page).toMatch(/task 1: <code>--append-prompt &[^;]+;Be brief\.&[^;]+;<\/code>/);
});

test("a task can be tried again while its batch still runs", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [`[[wait-for-file path=${gate}]]`, "[[max-turns]]"],
    asyncMode: true,
  });
  const batchId = String(data?.["batchId"]);
  using store = home.store();
  const attempts = () => store.batch(store.list()[0]?.batchId ?? never())?.state.tasks[1]?.attempts ?? [];
  await eventually(
    () => attempts()[0]?.endedAt !== undefined,
    () => "the second task does not fail",
  );
  await client.call("retry_batch", { batchId, tasks: [2] });
  await eventually(
    () => attempts()[1]?.endedAt !== undefined,
    () => "the second task is not tried again",
  );
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 1, failed: 1 } });
});

test("a batch of another login is not resumed, and the message says whose it is", async () => {
  await using home = new Home();
  const { code } = await run(home, ["run", "[[max-turns]]"]);
  expect(code).toBe(1);
  await using other = new Home({ PARALLEL_CLAUDE_STATE_DIRECTORY: home.state, ANTHROPIC_API_KEY: "another" });
  const { err, code: refused } = await run(other, ["retry", "latest"]);
  expect(refused).toBe(2);
  expect(err).toContain(`${process.platform === "win32" ? "USERPROFILE" : "HOME"}=${home.path}`);
});

test("an interrupted batch whose time has passed waits for a retry, and is then resumed", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = [`[[wait-for-file path=${gate}]]`, `[[wait-for-file path=${gate}]]`];
  await client.call("spawn_parallel_claude_sessions", { tasks, concurrency: 1, asyncMode: true });
  using store = home.store();
  const batchId = store.list()[0]?.batchId ?? never();
  await eventually(
    () => store.row(batchId)?.counts.running === 1,
    () => "no session runs",
  );
  const kept = await untilKept(home);
  const [session] = store.batch(batchId)?.state.tasks[0]?.attempts ?? [];
  await kill(...kept, localProcess(session?.identity));
  store.database.run("UPDATE batches SET alive_at = alive_at - 700000");
  const listed = await client.call("list_batches", {});
  expect(listed.data).toMatchObject({ batches: [{ state: "interrupted" }] });
  await Bun.write(gate, "");
  const dry = await run(home, ["retry", batchId, "--dry-run"]);
  expect(dry.out).toContain(`this would resume batch ${batchId} with 2 tasks to run, at most 1 at once.`);
  expect(store.row(batchId)?.epoch).toBe(1);
  const retried = await run(home, ["retry", batchId]);
  expect(retried.out).toContain("has resumed");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
  expect(existsSync(join(home.output, `summary-${batchId}.json`))).toBe(true);
});

test("a task that is cancelled and asked for again in a busy batch runs once", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gates = [1, 2, 3, 4].map((number) => home.file(`gate-${number}`));
  const tasks = gates.map(
    (gate, index) => `[[wait-for-file path=${gate}]] [[answer text="answer ${index + 1}"]]`,
  );
  await client.call("spawn_parallel_claude_sessions", { tasks, concurrency: 3, asyncMode: true });
  using store = home.store();
  const batchId = store.list()[0]?.batchId ?? never();
  await eventually(
    () => store.row(batchId)?.counts.running === 3,
    () => "three sessions do not run",
  );
  await client.call("cancel_batch", { batchId, tasks: [4] });
  await client.call("retry_batch", { batchId, tasks: [4] });
  for (const [index, gate] of gates.entries()) {
    await Bun.write(gate, "");
    await eventually(
      () => (store.row(batchId)?.counts.succeeded ?? 0) >= index + 1,
      () => `task ${index + 1} does not succeed`,
    );
  }
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
  expect(store.batch(batchId)?.state.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
  const lines = readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line).status)).toEqual(["success", "success", "success", "success"]);
});

test("a task that is asked for again has all its retries again", async () => {
  await using home = new Home();
  await run(home, ["run", "[[exit code=3]]"]);
  await run(home, ["retry", "latest"]);
  await run(home, ["wait", "latest"]);
  using store = home.store();
  const attempts = store.batch(store.list()[0]?.batchId ?? never())?.state.tasks[0]?.attempts;
  expect(attempts).toHaveLength(4);
});

function never(): never {
  throw new Error("no batch");
}

test("a dry run of a retry shows what would run again, with its options, and does nothing", async () => {
  await using home = new Home();
  await run(home, ["run", "fine", "[[max-turns]]", "[[crash]]", "--name", "n", "--retries", "0"]);
  // A keeper that is still starting is entered in the row.
  await home.empty();
  using store = home.store();
  const before = JSON.stringify(store.list());
  const starts = readFileSync(home.startsLog, "utf8");
  const dry = await run(home, [
    "retry",
    "latest",
    "--max-turns",
    "40",
    "--batch-budget-usd",
    "9",
    "--dry-run",
  ]);
  const { batchId = "" } = store.list()[0] ?? {};
  expect({ code: dry.code, err: dry.err }).toEqual({ code: 0, err: "" });
  expect(dry.out).toContain(
    `Dry run: nothing was started. Without \`--dry-run\`, this would run 2 tasks of batch ${batchId} again, `,
  );
  expect(dry.out).toContain("budget     $9");
  expect(dry.out.trimEnd()).toEndWith("2  [[max-turns]]\n   --max-turns 40\n3  [[crash]]\n   --max-turns 40");
  const json = await run(home, ["retry", "latest", "1", "3", "--model", "opus", "--dry-run", "--json"]);
  expect(JSON.parse(json.out)).toMatchObject({
    dryRun: true,
    totalTasks: 3,
    tasks: [
      { taskIndex: 1, task: "fine", options: { model: "opus" } },
      { taskIndex: 3, task: "[[crash]]", options: { model: "opus" } },
    ],
  });
  const nothing = await run(home, ["retry", "latest", "1", "--dry-run"]);
  expect({ code: nothing.code, out: nothing.out }).toEqual({ code: 2, out: "" });
  expect(nothing.err).toContain("would only run again with the same options");
  expect({ rows: JSON.stringify(store.list()), starts: readFileSync(home.startsLog, "utf8") }).toEqual({
    rows: before,
    starts,
  });
});
