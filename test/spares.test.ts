// Sessions that start before their task is known, and get its prompt as soon as there is a slot.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BatchId } from "../src/model/batch-id.ts";
import { localProcess } from "../src/model/session-ref.ts";
import { testNeeding } from "./facilities.ts";
import { notes, processesOf, startsOf } from "./fake-notes.ts";
import { connectNew, eventually, Home, kill, program, run } from "./harness.ts";
import { newestRow, startRunning, untilAsked, untilRunning } from "./running.ts";
import { settled } from "./settled.ts";

/** A program that starts within 20 ms gets no spares, and on an idle machine the fake does. */
const slowly = { FAKE_CLAUDE_START_MS: "60" };

const sessions = (home: Home) =>
  home.processes().filter(({ command }) => command.includes("--session-id")).length;

/** What was noted of a task, as `kind`, with who it was of. */
function placeOf(home: Home, kind: string, prompt: string): { index: number; pid: number } {
  const all = notes(home);
  const index = all.findIndex((note) => note.kind === kind && note.prompt?.startsWith(prompt));
  return { index, pid: all[index]?.pid ?? 0 };
}

/** Tasks of which each waits for a gate of its own. */
function gated(home: Home, count: number) {
  const gate = (number: number) => home.file(`gate-${number}`);
  const tasks = Array.from(
    { length: count },
    (_, index) => `Task ${index + 1}. [[wait-for-file path=${gate(index + 1)}]]`,
  );
  const open = (...numbers: number[]) => {
    for (const number of numbers) writeFileSync(gate(number), "");
  };
  return { tasks, open };
}

const all = [1, 2, 3, 4, 5, 6, 7, 8];

/** Until `count` sessions have started. A look may come late, and find more. */
async function untilStarted(home: Home, count: number): Promise<void> {
  await eventually(
    () => startsOf(home) >= count,
    () => `${startsOf(home)} started instead of ${count}`,
  );
}

/** The sessions that have started and were asked nothing, once `running` others were asked something. */
async function spareAmong(home: Home, running: number): Promise<number[]> {
  // A task's own session may start later than a spare: only the prompts say which is which.
  await untilAsked(home, running);
  const asked = processesOf(home);
  return notes(home).flatMap(({ kind, pid }) => (kind === "start" && !asked.includes(pid) ? [pid] : []));
}

/** Until a session waits for a task, besides `running`. */
async function untilSpare(home: Home, running: number, spares = 1): Promise<void> {
  await eventually(
    () => sessions(home) === running + spares,
    () => `${sessions(home)} sessions instead of ${running} and ${spares}`,
  );
}

async function untilEnded(home: Home) {
  await eventually(
    () => newestRow(home)?.endedAt !== undefined,
    () => JSON.stringify(newestRow(home)),
  );
  const row = newestRow(home);
  if (!row) throw new Error("There is no batch");
  return row;
}

function stateOf(home: Home, batchId: BatchId) {
  using store = home.store();
  const state = store.batch(batchId)?.state;
  if (!state) throw new Error("There is no such batch");
  return state;
}

test("a session is started while the next task waits for a slot, and that task gets it", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 3);
  const batchId = await startRunning(home, client, { tasks });
  await untilStarted(home, 2);
  expect(stateOf(home, batchId).counts).toMatchObject({ running: 1, queued: 2 });
  open(...all);
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
  for (const number of [2, 3]) {
    const { pid } = placeOf(home, "prompt", `Task ${number}.`);
    const startedAt = notes(home).findIndex((note) => note.kind === "start" && note.pid === pid);
    if (number === 2) expect(startedAt).toBeLessThan(placeOf(home, "result", "Task 1.").index);
    // The log and the page name the session that ran it.
    const [attempt] = stateOf(home, batchId).tasks[number - 1]?.attempts ?? [];
    expect(localProcess(attempt?.identity ?? { host: "", id: "" })?.pid).toBe(pid);
    expect(readFileSync(attempt?.transcript ?? "", "utf8")).toContain(attempt?.sessionId ?? "none");
    expect(readFileSync(attempt?.transcript ?? "", "utf8")).toContain(`Task ${number}.`);
  }
  // None was started in vain, and nothing of them is left.
  expect(startsOf(home)).toBe(3);
  await home.empty({ but: client.pid });
}, 120_000);

test("a batch of one, and one that has a slot for every task, start no more sessions than tasks", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  for (const [count, concurrency] of [
    [1, 1],
    [3, 4],
  ] as const) {
    const before = startsOf(home);
    const { tasks, open } = gated(home, count);
    const batchId = await startRunning(home, client, { tasks, concurrency }, count);
    await untilStarted(home, before + count);
    open(...all);
    await client.call("wait_for_batch", { batchId });
    expect(startsOf(home)).toBe(before + count);
    for (const number of all) rmSync(home.file(`gate-${number}`), { force: true });
  }
}, 120_000);

test("a runner that is killed leaves no spare behind, and the next one asks each task once", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 4);
  const batchId = await startRunning(home, client, { tasks, concurrency: 2 }, 2);
  await untilStarted(home, 4);
  const spares = await spareAmong(home, 2);
  expect(spares).toHaveLength(2);
  const { runner } = await untilRunning(home, 2);
  await kill(runner);
  await eventually(
    () => home.processes().every(({ pid }) => !spares.includes(pid)),
    () => "a spare lives without its runner",
  );
  open(...all);
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
  expect(stateOf(home, batchId).tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
  expect(notes(home).filter(({ kind }) => kind === "prompt")).toHaveLength(4);
  await home.empty({ but: client.pid });
}, 120_000);

test("spares are gone once nothing more will start: after a cancel, while a limit holds, and when the budget is spent", async () => {
  for (const end of ["cancel", "limit", "budget"] as const) {
    await using home = new Home(slowly);
    await using client = await connectNew(home);
    const { tasks, open } = gated(home, 4);
    const last =
      end === "limit"
        ? `${tasks[1]} [[usage-limit resets-in=3600]]`
        : end === "budget"
          ? `${tasks[1]} [[cost usd=2]]`
          : tasks[1];
    const given = { tasks: [tasks[0], last, ...tasks.slice(2)], concurrency: 2 };
    const batchId = await startRunning(
      home,
      client,
      { ...given, ...(end === "budget" ? { batchBudgetUsd: 1 } : {}) },
      2,
    );
    await untilSpare(home, 2, 2);
    if (end === "cancel") await run(home, ["cancel", batchId, "3", "4"]);
    else open(2);
    await eventually(
      () => sessions(home) === (end === "cancel" ? 2 : 1),
      () => `${sessions(home)} sessions after the ${end}`,
    );
    // Neither an attempt nor a transcript is left of them.
    const { tasks: states } = stateOf(home, batchId);
    expect(states.slice(2).flatMap(({ attempts }) => attempts)).toEqual([]);
    const folder = join(home.state, "batches", batchId);
    await eventually(
      () => readdirSync(folder).filter((name) => name.endsWith(".ndjson")).length === 2,
      () => readdirSync(folder).join(", "),
    );
    await run(home, ["cancel", batchId]);
    await home.empty({ but: client.pid });
  }
}, 120_000);

test("a batch that pauses after its sample has no spare for the rest, and Ctrl-C leaves none", async () => {
  await using home = new Home(slowly);
  const { tasks, open } = gated(home, 4);
  open(...all);
  const sample = ["run", ...tasks, "--sample", "2", "--concurrency", "1"];
  expect((await run(home, sample)).code).toBe(4);
  expect(startsOf(home)).toBe(2);
  await home.empty();
  await using other = new Home(slowly);
  const waiting = gated(other, 3);
  const running = Bun.spawn([...program(), "run", ...waiting.tasks, "--concurrency", "1"], {
    cwd: other.work,
    env: other.environment,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await untilStarted(other, 2);
  await untilAsked(other, 1);
  running.kill("SIGINT");
  await running.exited;
  await other.empty();
  expect(notes(other).filter(({ kind }) => kind === "prompt")).toHaveLength(1);
}, 120_000);

testNeeding("sh")(
  "a spare leaves when the sessions at work need its memory, and they go on",
  async () => {
    await using home = new Home(slowly);
    // The first session takes 500 MB more as soon as a file is there.
    const grow = home.file("grow");
    const claude = home.file("claude-that-grows");
    writeFileSync(
      claude,
      `#!/bin/sh
if [ "$1" = -p ] && mkdir "${home.file("first")}" 2>/dev/null; then
  (until [ -e "${grow}" ]; do sleep 0.05; done; (head -c 500000000 /dev/zero; sleep 100) | tail >/dev/null) </dev/null >/dev/null 2>&1 &
fi
exec claude "$@"
`,
      { mode: 0o755 },
    );
    home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: claude, PARALLEL_CLAUDE_MEMORY_LIMIT_MB: "900" });
    await using client = await connectNew(home);
    const { tasks, open } = gated(home, 2);
    const batchId = await startRunning(home, client, { tasks });
    await untilStarted(home, 2);
    const [spare] = await spareAmong(home, 1);
    expect(home.processes().map(({ pid }) => pid)).toContain(spare ?? 0);
    writeFileSync(grow, "");
    await eventually(
      () => !home.processes().some(({ pid }) => pid === spare),
      () => "the spare stays",
    );
    expect(stateOf(home, batchId).counts).toMatchObject({ running: 1, queued: 1 });
    open(...all);
    const ended = await client.call("wait_for_batch", { batchId });
    expect(ended.data).toMatchObject({ counts: { succeeded: 2 } });
    expect(stateOf(home, batchId).tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
  },
  120_000,
);

test("an answer of a spare is remembered, unless what it depends on has changed since the spare started", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  writeFileSync(join(home.work, "a.txt"), "a");
  await settled(home);
  const gates = gated(home, 1);
  const reads = (name: string) => `Read ${name}. [[read path=${name}]]`;
  const tasks = [...gates.tasks, reads("a.txt"), reads("b.txt")];
  const batch = { tasks, reuse: "auto", retries: 0 };
  await startRunning(home, client, batch);
  await untilStarted(home, 2);
  const [spare] = await spareAmong(home, 1);
  // Both tasks read it later, so both saw the new one; but who knows that?
  writeFileSync(join(home.work, "b.txt"), "b");
  gates.open(1);
  const row = await untilEnded(home);
  const pids = tasks.map((task) => placeOf(home, "prompt", task.slice(0, 8)).pid);
  expect(pids[1]).toBe(spare ?? 0);
  expect(row.counts.succeeded).toBe(3);
  const again = await client.call("spawn_parallel_claude_sessions", { ...batch, concurrency: 1 });
  const results = again.data?.["results"];
  expect(results).toMatchObject([{}, { outcome: "reused" }, {}]);
  await home.empty({ but: client.pid });
}, 120_000);

test("a spare that dies is no attempt, and another one takes its place", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 4);
  const batchId = await startRunning(home, client, { tasks });
  await untilStarted(home, 2);
  const spares = await spareAmong(home, 1);
  expect(spares).toHaveLength(1);
  // Ready or not, the next one takes its place.
  for (const pid of spares) process.kill(pid, "SIGKILL");
  await untilStarted(home, 3);
  open(...all);
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
  expect(stateOf(home, batchId).tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1]);
}, 120_000);

test("instructions that change after a spare has started are read by a session that starts then", async () => {
  await using home = new Home(slowly);
  await using client = await connectNew(home);
  const { tasks, open } = gated(home, 2);
  const batchId = await startRunning(home, client, { tasks });
  await untilStarted(home, 2);
  const [spare] = await spareAmong(home, 1);
  expect(spare).toBeNumber();
  writeFileSync(join(home.work, "CLAUDE.md"), "Say it in French.");
  open(...all);
  await client.call("wait_for_batch", { batchId });
  expect(startsOf(home)).toBe(3);
  expect(placeOf(home, "prompt", "Task 2.").pid).not.toBe(spare ?? 0);
  expect(stateOf(home, batchId).counts.succeeded).toBe(2);
}, 120_000);

test("tasks that run one after the other in a repository start one after the other, as do tasks with hooks", async () => {
  for (const prepare of [
    (home: Home) => mkdirSync(join(home.work, ".git")),
    (home: Home) => {
      const hook = { hooks: [{ type: "command", command: "true" }] };
      mkdirSync(join(home.work, ".claude"));
      writeFileSync(
        join(home.work, ".claude", "settings.json"),
        JSON.stringify({ hooks: { SessionStart: [hook] } }),
      );
    },
  ]) {
    await using home = new Home(slowly);
    await using client = await connectNew(home);
    prepare(home);
    const { tasks, open } = gated(home, 3);
    const batchId = await startRunning(home, client, { tasks });
    open(...all);
    await client.call("wait_for_batch", { batchId });
    const order = notes(home).map(({ kind }) => kind);
    expect(order).toEqual(Array(3).fill(["start", "prompt", "result"]).flat());
  }
}, 120_000);
