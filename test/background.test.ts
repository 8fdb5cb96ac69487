// Sessions that answer while something of theirs still goes on: subagents, commands, messages of others.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { BatchId } from "../src/model/batch-id.ts";
import { localProcess } from "../src/model/session-ref.ts";
import type { Store } from "../src/store/store.ts";
import { testNeeding } from "./facilities.ts";
import { type Answer, connectNew, eventually, filesIn, Home, kill, run, type TestClient } from "./harness.ts";

const spawn = "spawn_parallel_claude_sessions";

function entriesOf({ data, text }: Answer): Record<string, unknown>[] {
  const results = data?.["results"];
  if (!Array.isArray(results)) throw new Error(text);
  return results;
}

/** Starts a batch in the background, and waits until each of its sessions says that it waits for this. */
async function waiting(
  store: Store,
  client: TestClient,
  what: string,
  input: Record<string, unknown>,
): Promise<BatchId> {
  await client.call(spawn, { asyncMode: true, ...input });
  const batchId = store.list()[0]?.batchId;
  if (!batchId) throw new Error("no batch");
  const activities = () => [...store.activities(batchId).values()];
  await eventually(
    () => activities().length > 0 && activities().every((activity) => activity.includes(what)),
    () => `nobody says what is waited for: ${activities().join()}`,
  );
  return batchId;
}

/** The prompts that the fake was given. */
function promptsIn(home: Home): string[] {
  const lines = readFileSync(home.startsLog, "utf8").split("\n");
  return lines.filter((line) => line.includes('"kind":"prompt"')).map((line) => JSON.parse(line).prompt);
}

test("a session that waits for its subagents keeps its slot, and its answer is what it says after them", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const gate = home.file("gate");
  const agents = `[[background-agent until=${gate}]] [[background-agent text=interim until=${gate} then=final]]`;
  const batchId = await waiting(store, client, "waiting for 2 subagents: look, look", {
    tasks: [agents, "next"],
    concurrency: 1,
  });
  expect(store.row(batchId)?.counts).toMatchObject({ running: 1, queued: 1 });
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
  const [entry] = entriesOf(await client.call("read_batch_results", { batchId, full: true }));
  expect(entry?.["result"]).toStartWith(
    "final\n\nEarlier answer, while background work was still running:\n\n",
  );
  expect(entry?.["result"]).toContain("interim");
  const page = readFileSync(String(entry?.["resultFile"]), "utf8");
  expect(page).toMatch(/final[\s\S]*Other answers of this session[\s\S]*interim/);
});

test("a runner that takes over waits for the subagents of the sessions that it adopts", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const gate = home.file("gate");
  const batchId = await waiting(store, client, "waiting for a subagent", {
    tasks: [`[[background-agent text=interim until=${gate} then=final]]`],
  });
  await kill(store.row(batchId)?.runner);
  await eventually(
    () => store.row(batchId)?.epoch === 2,
    () => "nobody took the batch over",
  );
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });
  const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
  expect(entry).toMatchObject({ status: "success" });
  expect(entry?.["result"]).toStartWith("final\n");
  expect(promptsIn(home)).toHaveLength(1);
});

test("a session that is killed while its subagent works is continued, and its interim answer is no success", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const gate = home.file("gate");
  const batchId = await waiting(store, client, "waiting for a subagent", {
    tasks: [`[[background-agent text=interim until=${gate} then=final]]`],
  });
  const attempts = () => store.batch(batchId)?.state.tasks[0]?.attempts ?? [];
  await kill(localProcess(attempts()[0]?.identity));
  await eventually(
    () => attempts().length === 2,
    () => "there is no second attempt",
  );
  expect(attempts()[0]?.outcome).toMatchObject({ kind: "crashed", interimOffsets: [expect.any(Number)] });
  expect(attempts()[1]?.resumes).toBe(true);
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });
  const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
  expect(entry?.["result"]).toStartWith("final\n");
});

test.each(["the session", "the runner and the session"])(
  "where %s is killed while a command runs in the background, the conversation is continued",
  async (what) => {
    await using home = new Home();
    await using client = await connectNew(home);
    using store = home.store();
    const gate = home.file("gate");
    const batchId = await waiting(store, client, "waiting for a background command", {
      tasks: [`[[background-task command='npm test' text=interim until=${gate} then=final]]`],
    });
    const attempts = () => store.batch(batchId)?.state.tasks[0]?.attempts ?? [];
    const { runner } = store.row(batchId) ?? {};
    await kill(...(what === "the session" ? [] : [runner]), localProcess(attempts()[0]?.identity));
    await eventually(
      () => attempts().length === 2,
      () => "there is no second attempt",
    );
    expect(attempts()[0]?.outcome).toMatchObject({ kind: "crashed", interimOffsets: [expect.any(Number)] });
    expect(attempts()[1]?.resumes).toBe(true);
    await Bun.write(gate, "");
    await client.call("wait_for_batch", { batchId });
    const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
    expect(entry?.["result"]).toStartWith("final\n");
  },
);

test("the interim answer of a task that did not end well is in its error, its file, its line and the summary", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const batchId = await waiting(store, client, "waiting for a subagent: look", {
    tasks: ["[[background-agent text='half of it' never]]"],
    retries: 0,
  });
  await client.call("cancel_batch", { batchId });
  await client.call("wait_for_batch", { batchId });
  const interim = /Interim answer, before the work was finished:?[\s\S]*half of it/;
  const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
  expect(entry).toMatchObject({ status: "error", outcome: "cancelled: user" });
  expect(entry?.["error"]).toMatch(interim);
  expect(entry).not.toHaveProperty("result");
  await home.empty({ but: client.pid });
  for (const pattern of [/^error-001-/, /^results-/, /^summary-/]) {
    const name = filesIn(home.output).find((file) => pattern.test(file));
    expect(readFileSync(join(home.output, name ?? ""), "utf8")).toMatch(interim);
  }
  const { out } = await run(home, ["results", batchId, "1"]);
  expect(out).toMatch(interim);
});

test("a command that does not end is stopped when its time is over, and that is said", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_claude_session", {
    task: "[[background-task command='npm run dev' text='It runs.' never]]",
    backgroundWaitSeconds: 0.2,
  });
  expect(data).toMatchObject({ status: "success", result: "It runs." });
  expect(data?.["remarks"]).toEqual([
    "A background command was stopped because it was still running 0.2 s after the answer: npm run dev. To let such a command finish, set a longer `backgroundWaitSeconds`.",
  ]);
  const shown = await run(home, ["show", "latest"]);
  expect(shown.out).toContain("set a longer `--background-wait-seconds`");
  await home.empty({ but: client.pid });
});

test("an error after the subagent is the outcome", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_claude_session", {
    task: "[[background-agent text=interim error=400 message=no]]",
  });
  expect(data).toMatchObject({ status: "error", outcome: "failed: request" });
  expect(data?.["error"]).toMatch(/Interim answer[\s\S]*interim/);
});

test("data that comes with a later result is the answer", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_claude_session", {
    task: `[[background-agent text=interim structured='{"n":2}']]`,
    outputSchema: { type: "object", properties: { n: { type: "integer" } } },
  });
  expect(data).toMatchObject({ status: "success", structuredResult: { n: 2 } });
});

test("what another session sends is in no answer, whenever it comes", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  for (const when of ["first", ""]) {
    const { data } = await client.call("spawn_claude_session", {
      task: `[[peer text=TAKEN ${when}]] [[answer text=mine]]`,
    });
    expect(data?.["result"]).toBe("mine");
    expect(data?.["remarks"]).toEqual([expect.stringContaining("Another session sent messages")]);
  }
});

test("a task that a hook blocks and one without an answer fail, and say why", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const answer = await client.call(spawn, {
    tasks: [
      "[[blocked-prompt reason='not today']]",
      "[[empty-result]]",
      "[[empty-result text='said before']]",
    ],
  });
  const entries = entriesOf(answer);
  expect(entries).toMatchObject([
    { outcome: "failed: hook", error: "Blocked by a hook. Claude said: not today" },
    { outcome: "failed: no-answer" },
    { status: "success", result: "said before" },
  ]);
  expect(entries[0]?.["advice"]).toContain("UserPromptSubmit");
});

testNeeding("symbolic links")(
  "a conversation that begins behind a link is found, and continued",
  async () => {
    await using home = new Home();
    const real = join(home.path, "real");
    mkdirSync(real);
    const link = join(home.path, "link");
    symlinkSync(real, link);
    await using client = await connectNew(home);
    using store = home.store();
    const started = home.file("started");
    const gate = home.file("gate");
    await client.call(spawn, {
      tasks: [`[[stream parts=1]] [[touch path=${started}]] [[wait-for-file path=${gate}]]`],
      workingDirectory: link,
      asyncMode: true,
    });
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    const batchId = store.list()[0]?.batchId;
    const attempts = () => (batchId && store.batch(batchId)?.state.tasks[0]?.attempts) || [];
    await kill(localProcess(attempts()[0]?.identity));
    await eventually(
      () => attempts().length === 2,
      () => "there is no second attempt",
    );
    expect(attempts()[1]).toMatchObject({ resumes: true, sessionId: attempts()[0]?.sessionId });
    await Bun.write(gate, "");
  },
);

test("sessions that are ended before they can say what they spent use up the budget all the same", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  // One says what it cost; the others are killed before they can, and count as much.
  const killed = "[[cost usd=1]] [[stream parts=1]] [[signal name=SIGKILL]]";
  const { data } = await client.call(spawn, {
    tasks: ["[[cost usd=1]]", ...Array.from({ length: 6 }, () => killed)],
    concurrency: 1,
    retries: 0,
    batchBudgetUsd: 3.5,
  });
  expect(data).toMatchObject({
    totalCostUsd: 1,
    costAtLeast: true,
    counts: { succeeded: 1, failed: 3, cancelled: 3 },
  });
  // A retry that the budget would cancel again at once is refused.
  const batchId = String(data?.["batchId"]);
  expect(await client.call("retry_batch", { batchId })).toMatchObject({
    isError: true,
    text: expect.stringContaining(
      "has already cost at least $1.00 (about $4.00 with what sessions that were cut off did not report), and its budget is $3.50",
    ),
  });
  expect((await client.call("retry_batch", { batchId, batchBudgetUsd: 4.5 })).isError).toBeFalsy();
});

test("each attempt of a conversation costs what it itself spent", async () => {
  for (const version of ["2.1.197", "2.1.277", "2.1.332"]) {
    await using home = new Home({ FAKE_CLAUDE_VERSION: version });
    await using client = await connectNew(home);
    const first = await client.call("spawn_claude_session", { task: "[[cost usd=2]] first" });
    const resumeSessionId = String(first.data?.["sessionId"]);
    for (const forkSession of [false, true, false]) {
      const { data } = await client.call("spawn_claude_session", {
        task: "[[cost usd=0.5]] [[history]]",
        resumeSessionId,
        forkSession,
      });
      expect(data).toMatchObject({ totalCostUsd: 0.5, costByModel: { [String(data?.["model"])]: 0.5 } });
      expect(data?.["result"]).toContain("first");
    }
  }
});
