// Several tasks in one process of Claude Code, from the call to the logs: `reuseSessions`.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { batchIdSchema } from "../src/model/batch-id.ts";
import type { BatchState } from "../src/model/state.ts";
import { testNeeding } from "./facilities.ts";
import { asked, processesOf, startsOf } from "./fake-notes.ts";
import { connectNew, eventually, Home, kill, run, type TestClient } from "./harness.ts";
import { RawClient } from "./raw-client.ts";
import { startRunning } from "./running.ts";

/** Runs a batch one task at a time, to its end. */
async function runAll(home: Home, client: TestClient, batch: object) {
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    reuseSessions: "auto",
    concurrency: 1,
    ...batch,
  });
  const batchId = batchIdSchema.parse(data?.["batchId"]);
  using store = home.store();
  const state = store.batch(batchId)?.state;
  if (!state) throw new Error("There is no batch");
  return { batchId, state, data };
}

const attemptsOf = ({ tasks }: BatchState) => tasks.flatMap(({ attempts }) => attempts);

describe("tasks in one process", () => {
  test("have conversations, answers, costs and logs of their own", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = [1, 2, 3].map((n) => `Task ${n} [[cost usd=0.${n}]] [[answer text="Answer ${n}"]]`);
    const { batchId, state, data } = await runAll(home, client, { tasks });
    expect(startsOf(home)).toBe(1);
    expect(new Set(processesOf(home)).size).toBe(1);
    expect(data).toMatchObject({
      counts: { succeeded: 3 },
      results: [1, 2, 3].map((n) => ({ result: `Answer ${n}`, costUsd: n / 10 })),
    });
    const attempts = attemptsOf(state);
    expect(new Set(attempts.map(({ sessionId }) => sessionId)).size).toBe(3);
    expect(new Set(attempts.map(({ transcript }) => transcript)).size).toBe(1);
    // Each part begins behind the one before, and what `/clear` said belongs to none.
    const [one, two, three] = attempts;
    expect([one?.offset, three?.transcriptEnd]).toEqual([undefined, undefined]);
    expect(one?.transcriptEnd).toBeLessThan(two?.offset ?? 0);
    expect(two?.transcriptEnd).toBeLessThan(three?.offset ?? 0);
    for (const n of [1, 2, 3]) {
      const others = [1, 2, 3].filter((other) => other !== n);
      const doors = {
        logs: (await run(home, ["logs", batchId, String(n)])).out,
        json: (await run(home, ["logs", batchId, String(n), "--json"])).out,
        resource: await transcriptOf(home, batchId, n),
      };
      for (const text of Object.values(doors)) {
        expect(text).toContain(`Answer ${n}`);
        for (const other of others) expect(text).not.toContain(`Answer ${other}`);
        expect(text).not.toContain("conversation_reset");
      }
    }
  }, 120_000);

  test("have what the process says at its end only with the last one", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = ["One", "Two [[stderr text=Oops]] [[exit code=3]]"];
    const { batchId } = await runAll(home, client, { tasks, retries: 0 });
    expect(startsOf(home)).toBe(1);
    expect((await run(home, ["logs", batchId, "1"])).out).not.toContain("Oops");
    expect((await run(home, ["logs", batchId, "2"])).out).toContain("Oops");
  }, 120_000);

  test("are those that ask for it, with the same options, in the same directory", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = [
      "One",
      { prompt: "Two", reuseSessions: "never" },
      { prompt: "Three", model: "haiku" },
      { prompt: "Four", name: "Title" },
      { prompt: "Five", env: { A: "b" } },
      { prompt: "Six", workingDirectory: home.path },
      "Seven",
    ];
    await runAll(home, client, { tasks });
    const processes = processesOf(home);
    expect(processes).toHaveLength(7);
    expect(new Set(processes).size).toBe(6);
    expect(processes[6]).toBe(processes[0] ?? 0);
  }, 120_000);

  test("need no more memory than one, and make room for a task that must have a process of its own", async () => {
    // For one session, and not for two.
    await using home = new Home({ PARALLEL_CLAUDE_MEMORY_LIMIT_MB: "300" });
    await using client = await connectNew(home);
    const tasks = ["One", "Two", { prompt: "Three", model: "haiku" }, "Four"];
    const { state } = await runAll(home, client, { tasks, concurrency: 2 });
    expect(state.counts.succeeded).toBe(4);
    const [one, two, three, four] = processesOf(home);
    expect(two).toBe(one ?? 0);
    expect(new Set([one, three, four]).size).toBe(3);
  }, 120_000);

  test("is off unless it is asked for", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await runAll(home, client, { tasks: ["One", "Two"], reuseSessions: undefined });
    expect(startsOf(home)).toBe(2);
  }, 120_000);

  test("are at most 20", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = Array.from({ length: 21 }, (_, index) => `Task ${index}`);
    const { state } = await runAll(home, client, { tasks });
    expect(state.counts.succeeded).toBe(21);
    const [first, ...processes] = processesOf(home);
    expect(processes.filter((pid) => pid === first)).toHaveLength(19);
    expect(startsOf(home)).toBe(2);
  }, 120_000);
});

describe("a process ends with its task", () => {
  const rows: [string, string][] = [
    ["that fails", "[[error status=400]]"],
    ["that starts something and leaves it", "[[grandchild double-fork survive-after-result]]"],
    ["that wrote to its standard error", "[[stderr text=Oops]]"],
    ["that worked in the background", "[[background-task command=true text=runs]]"],
  ];
  test.each(rows)(
    "%s",
    async (_title, directive) => {
      await using home = new Home();
      await using client = await connectNew(home);
      const { state } = await runAll(home, client, {
        tasks: [`One ${directive}`, "Two", "Three"],
        retries: 0,
      });
      const [one, two, three] = processesOf(home);
      expect(two).not.toBe(one);
      expect(three).toBe(two ?? 0);
      expect(state.tasks.slice(1)).toMatchObject([
        { outcome: { kind: "succeeded" } },
        { outcome: { kind: "succeeded" } },
      ]);
      const leaked = directive.includes("grandchild") ? [expect.anything()] : undefined;
      expect(state.tasks[0]).toMatchObject(leaked ? { leaked } : {});
    },
    120_000,
  );

  testNeeding("Linux", "setsid")(
    "that left something with an empty environment",
    async () => {
      await using home = new Home();
      await using client = await connectNew(home);
      const [file, pid] = [home.file("command.sh"), home.file("pid")];
      const daemon = `(setsid env -i sh -c 'echo $$ > ${pid}; exec sleep 7700045' &)`;
      await Bun.write(file, `${daemon}\nwhile [ ! -s ${pid} ]; do sleep 0.01; done\n`);
      const { state } = await runAll(home, client, { tasks: [`One [[shell command="sh ${file}"]]`, "Two"] });
      expect(state.tasks[0]).toMatchObject({ leaked: [expect.anything()] });
      expect(startsOf(home)).toBe(2);
    },
    120_000,
  );

  test("of a Claude Code that is too old", async () => {
    await using home = new Home();
    home.set({ FAKE_CLAUDE_VERSION: "2.1.268" });
    await using client = await connectNew(home);
    const { state } = await runAll(home, client, { tasks: ["One", "Two"] });
    expect([state.counts.succeeded, startsOf(home)]).toEqual([2, 2]);
  }, 120_000);

  testNeeding("sh")(
    "whose answer a command checks",
    async () => {
      await using home = new Home({ PARALLEL_CLAUDE_ALLOW_CHECK_COMMANDS: "true" });
      await using client = await connectNew(home);
      const { state } = await runAll(home, client, {
        tasks: ["One", "Two", "Three", "Four"],
        expect: { command: "true" },
        concurrency: 2,
        retries: 0,
      });
      expect([state.counts.succeeded, startsOf(home)]).toEqual([4, 4]);
    },
    120_000,
  );

  test("that changed the agents of its directory", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const path = join(home.work, ".claude", "agents", "new.md");
    const text = "---\\nname: new\\ndescription: New\\n---\\nBe new.";
    const tasks = [`One [[write-file path=${path} text="${text}"]]`, "Two", "Three"];
    await runAll(home, client, { tasks });
    expect(new Set(processesOf(home).slice(0, 2)).size).toBe(2);
    expect(startsOf(home)).toBe(2);
  }, 120_000);
});

test("a process is nobody else's while the answer of its task is judged", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const verdict = `[[structured value='{"verdict":"yes","reason":"r"}']]`;
  const expected = { question: `[[only]] [[wait-for-file path=${gate}]] ${verdict}` };
  const tasks = [
    { prompt: "One", expect: expected },
    { prompt: `Two [[wait-for-file path=${home.file("two")}]]` },
    { prompt: `Three [[write-file path=${gate} text=x]]`, expect: expected },
  ];
  // One that is judged, and one that waits.
  const batchId = await startRunning(home, client, { tasks, reuseSessions: "auto" }, 2);
  const isJudged = () => asked(home).some(({ prompt }) => prompt?.includes("[[only]]"));
  await eventually(isJudged, () => "nobody judges");
  writeFileSync(home.file("two"), "");
  const { data } = await client.call("wait_for_batch", { batchId });
  expect(data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
  const byPrompt = (word: string) => asked(home).find(({ prompt }) => prompt?.startsWith(word))?.pid;
  expect(byPrompt("One")).toBeNumber();
  expect(byPrompt("Three")).not.toBe(byPrompt("One"));
}, 120_000);

test("a process that dies costs one task an attempt, and not the next one", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const tasks = ["One", "Two [[exit code=3]]", "Three", "Four"];
  const { state } = await runAll(home, client, { tasks, retries: 0 });
  expect(state.tasks.map((task) => (task.status === "done" ? task.outcome.kind : task.status))).toEqual([
    "succeeded",
    "crashed",
    "succeeded",
    "succeeded",
  ]);
  const [one, two, three, four] = processesOf(home);
  expect([two, four]).toEqual([one ?? 0, three ?? 0]);
  expect(startsOf(home)).toBe(2);
}, 120_000);

test("a runner that is killed leaves its process a task, which the next runner reads from where it begins", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = [
    'One [[answer text="Answer 1"]]',
    `Two [[wait-for-file path=${gate}]] [[answer text="Answer 2"]]`,
    "Three",
  ];
  const batchId = await startRunning(home, client, { tasks, reuseSessions: "auto" });
  await eventually(
    () => asked(home).length === 2,
    () => `asked ${asked(home).length}`,
  );
  {
    using store = home.store();
    await kill(store.batch(batchId)?.state.runner);
  }
  writeFileSync(gate, "");
  const { data } = await client.call("wait_for_batch", { batchId });
  expect(data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
  const { out } = await run(home, ["results", batchId]);
  expect([...new Set(out.match(/Answer \d/g))]).toEqual(["Answer 1", "Answer 2"]);
  expect(Number(data?.["totalCostUsd"])).toBeGreaterThan(0);
  using store = home.store();
  const attempts = store.batch(batchId)?.state.tasks.flatMap((task) => task.attempts) ?? [];
  expect(attempts[1]?.offset).toBeGreaterThan(0);
  expect(attempts[1]?.transcript).toBe(attempts[0]?.transcript ?? "");
}, 120_000);

test("who follows the log of a task sees nothing of those that its process runs afterwards", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const first = `One [[wait-for-file path=${gate}]] [[answer text="Answer 1"]]`;
  const others = [2, 3, 4, 5, 6].map((n) => `Task ${n} [[answer text="Answer ${n}"]]`);
  const batchId = await startRunning(home, client, { tasks: [first, ...others], reuseSessions: "auto" });
  const followed = [[], ["--json"]].map((flags) => run(home, ["logs", batchId, "1", "--follow", ...flags]));
  writeFileSync(gate, "");
  for (const { out, code } of await Promise.all(followed)) {
    expect(code).toBe(0);
    expect(new Set(out.match(/Answer \d/g))).toEqual(new Set(["Answer 1"]));
    expect(out).not.toContain("conversation_reset");
  }
  await client.call("wait_for_batch", { batchId });
  expect(startsOf(home)).toBe(1);
}, 120_000);

const contents = z.object({ contents: z.array(z.object({ text: z.string() })) });

async function transcriptOf(home: Home, batchId: string, task: number): Promise<string> {
  await using client = new RawClient(home);
  const uri = `batch://${batchId}/tasks/${task}/transcript`;
  const { result } = await client.ask("resources/read", { uri });
  return contents
    .parse(result)
    .contents.map(({ text }) => text)
    .join("");
}
