// Tasks that share the beginning of their requests, from the command to the cost: who is asked first, who waits for that.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { awaitsPrefix } from "../src/model/wait-reason.ts";
import { connectNew, eventually, Home, kill, run } from "./harness.ts";
import { startRunning, untilRunning } from "./running.ts";

/** What the fake has noted, in order. */
function notes(home: Home, kind: "start" | "prompt"): string[] {
  if (!existsSync(home.startsLog)) return [];
  // The last line may be only half there.
  const lines = readFileSync(home.startsLog, "utf8").split("\n").slice(0, -1);
  return lines
    .map((line): { kind: string; prompt?: string } => JSON.parse(line))
    .filter((note) => note.kind === kind)
    .map(({ prompt }) => prompt ?? "");
}

const startsOf = (home: Home) => notes(home, "start").length;
const promptsOf = (home: Home) => notes(home, "prompt").map((text) => text.replace(/ *\[\[.*?\]\] */g, ""));

/** Tasks of which the first one is not answered before the gate is there. */
function gated(home: Home, count: number): { tasks: string[]; open(): void } {
  const gate = home.file("gate");
  const others = Array.from({ length: count - 1 }, (_, index) => `Task ${index + 2}`);
  return { tasks: [`Task 1 [[latency until=${gate}]]`, ...others], open: () => writeFileSync(gate, "") };
}

/** Resolves when so many sessions have started, and only the first task was asked. */
async function untilWarm(home: Home, starts: number): Promise<void> {
  await eventually(
    () => startsOf(home) === starts && promptsOf(home).length === 1,
    () => `${startsOf(home)} started, asked: ${promptsOf(home).join(", ")}`,
  );
}

const cached = (home: Home) => ({ FAKE_CLAUDE_CACHE: home.file("cache") });

test("sessions start while the first of them is not answered yet, get their prompts then, and share what it wrote", async () => {
  await using home = new Home();
  home.set(cached(home));
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 6);
  const batchId = await startRunning(home, client, { tasks, concurrency: 6 });
  await untilWarm(home, 6);
  const waiting = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(waiting.data).toMatchObject({ counts: { running: 1, queued: 5 } });
  {
    using store = home.store();
    await eventually(
      () => store.activities(batchId).get(2) === awaitsPrefix,
      () => "nobody says what they wait for",
    );
  }
  expect((await run(home, ["show", batchId])).out).toContain(awaitsPrefix);
  open();
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 6 } });
  expect(promptsOf(home)[0]).toBe("Task 1");
  using store = home.store();
  const { tasks: done } = store.batch(batchId)?.state ?? { tasks: [] };
  const usages = done.flatMap(({ attempts }) => attempts.map(({ usage }) => usage?.firstCall));
  // Its own part is 2,520 tokens and the prompt; what can be shared is written once.
  const shared = usages.map((usage) => ({
    ...usage,
    cacheWritten: Math.floor((usage?.cacheWritten ?? 0) / 2_500),
  }));
  expect(shared).toEqual([
    expect.objectContaining({ cacheRead: 0, cacheWritten: 4 }),
    ...Array(5).fill(expect.objectContaining({ cacheRead: 9_566, cacheWritten: 1 })),
  ]);
}, 120_000);

test("a first session that fails before it is answered is followed by another one, and costs no other task an attempt", async () => {
  await using home = new Home();
  home.set(cached(home));
  const gate = home.file("gate");
  await using client = await connectNew(home);
  const tasks = [`Task 1 [[latency until=${gate}]] [[error status=400]]`, "Task 2", "Task 3", "Task 4"];
  const batchId = await startRunning(home, client, { tasks, concurrency: 4, retries: 0 });
  await untilWarm(home, 4);
  writeFileSync(gate, "");
  await client.call("wait_for_batch", { batchId });
  using store = home.store();
  const state = store.batch(batchId)?.state;
  expect(state?.counts).toMatchObject({ failed: 1, succeeded: 3 });
  expect(state?.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
  // One of them has started again, to lead.
  expect(startsOf(home)).toBe(5);
  expect(promptsOf(home).length).toBe(4);
  const written = state?.tasks.map(({ attempts }) => attempts[0]?.usage?.firstCall?.cacheRead) ?? [];
  expect(written.filter((read) => read === 9_566)).toHaveLength(2);
}, 120_000);

test("a session that waits while others spend the budget gets no prompt, and nobody calls it ready any more", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 2);
  const dear = { task: "Task 3 [[cost usd=2]]", model: "haiku" };
  const batchId = await startRunning(home, client, {
    tasks: [...tasks, dear],
    concurrency: 3,
    batchBudgetUsd: 1,
  });
  using store = home.store();
  const state = () => store.batch(batchId)?.state;
  await eventually(
    () => state()?.tasks[2]?.status === "done" && store.activities(batchId).get(2) === awaitsPrefix,
    () => "the dear task has not ended, or nobody waits",
  );
  open();
  await client.call("wait_for_batch", { batchId });
  expect(state()?.tasks[1]).toMatchObject({ outcome: { kind: "cancelled", by: "budget" }, attempts: [] });
  expect(promptsOf(home)).not.toContain("Task 2");
  expect((await run(home, ["show", batchId])).out).not.toContain(awaitsPrefix);
}, 120_000);

test("a task that is cancelled while its session waits ends with it, at once and without an attempt", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 3);
  const batchId = await startRunning(home, client, { tasks, concurrency: 3 });
  await untilWarm(home, 3);
  const sessions = () => home.processes().filter(({ command }) => command.includes("--session-id")).length;
  const before = sessions();
  await run(home, ["cancel", batchId, "2"]);
  await eventually(
    () => sessions() < before,
    () => "its session still waits",
  );
  open();
  await client.call("wait_for_batch", { batchId });
  using store = home.store();
  const state = store.batch(batchId)?.state;
  expect(state?.counts).toMatchObject({ cancelled: 1, succeeded: 2 });
  expect(state?.tasks[1]?.attempts).toEqual([]);
  expect(promptsOf(home).sort()).toEqual(["Task 1", "Task 3"]);
}, 120_000);

test("sessions that wait are given back as far as the account turns out to allow fewer, and are asked later", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "auto" });
  await using client = await connectNew(home);
  const [busy, gate, end] = [home.file("busy"), home.file("gate"), home.file("end")];
  const first = `Task 1 [[latency until=${busy}]] [[api-retry status=429 attempts=1]] [[latency until=${gate}]] [[wait-for-file path=${end}]]`;
  const others = [2, 3, 4].map((number) => `Task ${number} [[wait-for-file path=${end}]]`);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [first, ...others],
    asyncMode: true,
  });
  // An account of which nothing is known allows four.
  await untilWarm(home, 4);
  writeFileSync(busy, "");
  const sessions = () => home.processes().filter(({ command }) => command.includes("--session-id")).length;
  await eventually(
    () => sessions() === 2,
    () => `${sessions()} sessions are there`,
  );
  writeFileSync(gate, "");
  await eventually(
    () => promptsOf(home).length >= 2,
    () => `asked: ${promptsOf(home).join(", ")}`,
  );
  writeFileSync(end, "");
  const ended = await client.call("wait_for_batch", { batchId: data?.["batchId"] });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
  expect(promptsOf(home).sort()).toEqual(["Task 1", "Task 2", "Task 3", "Task 4"]);
  using store = home.store();
  const [row] = store.list();
  const { tasks } = (row && store.batch(row.batchId)?.state) ?? { tasks: [] };
  expect(tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
}, 120_000);

test("two batches that begin alike at the same moment have one first session, and share what it wrote", async () => {
  await using home = new Home();
  home.set(cached(home));
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 3);
  const first = await startRunning(home, client, { tasks, concurrency: 3 });
  await untilWarm(home, 3);
  const others = ["Task 4", "Task 5", "Task 6"];
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: others,
    concurrency: 3,
    asyncMode: true,
  });
  // None of the second batch leads, so all of them only wait.
  await untilWarm(home, 6);
  open();
  for (const batchId of [first, data?.["batchId"]])
    expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({
      state: "finished",
      counts: { succeeded: 3 },
    });
  using store = home.store();
  const usages = store
    .list()
    .flatMap(({ batchId }) => store.batch(batchId)?.state.tasks ?? [])
    .flatMap(({ attempts }) => attempts.map(({ usage }) => usage?.firstCall?.cacheRead));
  expect(usages.filter((read) => read === 9_566)).toHaveLength(5);
  expect(startsOf(home)).toBe(6);
}, 120_000);

test("a runner that is killed leaves no waiting session behind, and each task is asked once", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 4);
  const batchId = await startRunning(home, client, { tasks, concurrency: 4 });
  await untilWarm(home, 4);
  const { runner } = await untilRunning(home, 1);
  await kill(runner);
  // The next runner starts them anew; those of the killed one see the end of their input.
  await eventually(
    () => startsOf(home) === 7,
    () => `${startsOf(home)} started`,
  );
  open();
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
  using store = home.store();
  expect(store.batch(batchId)?.state.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
  expect(promptsOf(home).sort()).toEqual(["Task 1", "Task 2", "Task 3", "Task 4"]);
  await home.empty({ but: client.pid });
}, 120_000);

test("the time of a task begins with its prompt, not while its session waits for that", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 3);
  const [first = "", ...others] = tasks;
  const limited = others.map((task) => ({ task, timeoutSeconds: 4, firstEventTimeoutSeconds: 4 }));
  const batchId = await startRunning(home, client, { tasks: [first, ...limited], concurrency: 3 });
  await untilWarm(home, 3);
  const warmAt = performance.now();
  await eventually(
    () => performance.now() - warmAt > 4_500,
    () => "time stands still",
  );
  open();
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 3 } });
}, 120_000);

test("several models have a first session each, and none waits for that of another", async () => {
  await using home = new Home();
  home.set(cached(home));
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const slow = (task: string) => ({ task, model: "opus" });
  const quick = (task: string) => ({ task, model: "haiku" });
  const tasks = [slow(`Task 1 [[latency until=${gate}]]`), quick("Task 2"), slow("Task 3"), quick("Task 4")];
  const batchId = await startRunning(home, client, { tasks, concurrency: 4 });
  using store = home.store();
  await eventually(
    () => store.row(batchId)?.counts.succeeded === 2 && promptsOf(home).length >= 3,
    () => `${JSON.stringify(store.row(batchId)?.counts)}, asked: ${promptsOf(home).join(", ")}`,
  );
  expect(promptsOf(home).sort()).toEqual(["Task 1", "Task 2", "Task 4"]);
  writeFileSync(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 4 } });
}, 120_000);
