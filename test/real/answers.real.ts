// What an attempt cost and what it answered, through our program on the real `claude`. `bun run test:real`.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { conversationFile } from "../../src/claude/conversation.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { localProcess } from "../../src/model/session-ref.ts";
import { type Answer, connectNew, eventually, Home, kill, type TestClient } from "../harness.ts";
import { type MessagesApi, type MessagesBody, startMessagesApi } from "./messages-api.ts";
import { claude, describeReal, has, sinceMark } from "./version.ts";

setDefaultTimeout(120_000);

/** A call of the Agent tool, which newer versions run in the background. */
function agent(prompt: string): string {
  return `TOOL: Agent ${JSON.stringify({ description: "look", prompt, subagent_type: "general-purpose" })}`;
}

function backgroundCommand(command: string): string {
  return `TOOL: Bash ${JSON.stringify({ command, run_in_background: true })}`;
}

function entriesOf({ data, text }: Answer): Record<string, unknown>[] {
  const results = data?.["results"];
  if (!Array.isArray(results)) throw new Error(text);
  return results;
}

/** Whether a call has the result of a tool with a text in it. */
function toldOf(body: MessagesBody | undefined, text: string): boolean {
  const messages = (body?.messages ?? []).map((message) => JSON.stringify(message));
  return messages.some((message) => message.includes('"tool_result"') && message.includes(text));
}

/** What Claude has saved of a conversation; empty as long as there is nothing. */
function savedText(sessionId: string | undefined, { work, environment }: Home): string {
  const file = sessionId && conversationFile(sessionId, work, environment);
  return file ? readFileSync(file, "utf8") : "";
}

describeReal("our program on the real claude, about answers and money", () => {
  let api: MessagesApi;
  beforeAll(() => {
    api = startMessagesApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  function home(more: Record<string, string> = {}): Home {
    return new Home({
      PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "0",
      DISABLE_AUTOUPDATER: "1",
      ...api.environment,
      ...more,
    });
  }

  /** What `run` cost, in prices of a call, and how many calls it made. The first session tells the price. */
  async function pricedIn(client: TestClient, run: () => Promise<Answer>) {
    const first = await client.call("spawn_claude_session", { task: "what does a call cost?" });
    const price = Number(first.data?.["costUsd"]);
    const before = api.calls().length;
    const answer = await run();
    const inCalls = (usd: unknown) => Math.round((Number(usd) / price) * 1e4) / 1e4;
    const models: Record<string, unknown> = { ...(answer.data?.["costByModel"] ?? {}) };
    return {
      answer,
      calls: api.calls().length - before,
      cost: inCalls(answer.data?.["totalCostUsd"]),
      byModel: inCalls(Object.values(models).reduce((sum: number, usd) => sum + Number(usd), 0)),
    };
  }

  test("going on with a conversation, and a copy of it, cost what they themselves did", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const first = await client.call("spawn_claude_session", { task: "first" });
    const resumeSessionId = String(first.data?.["sessionId"]);
    for (const options of [{}, { forkSession: true }, {}, { forkSession: true }]) {
      const input = { task: "again", resumeSessionId, ...options };
      const { cost, calls, byModel } = await pricedIn(client, () =>
        client.call("spawn_claude_session", input),
      );
      expect({ cost, calls, byModel }).toEqual({ cost: 1, calls: 1, byModel: 1 });
    }
  });

  test("an attempt that goes on where the one before failed is not charged what that one cost", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const { answer, cost, byModel } = await pricedIn(client, () =>
      client.call("spawn_claude_session", {
        task: "RUN: echo one\n THEN RUN: echo two\n THEN FAIL 500",
        allowedTools: "Bash",
      }),
    );
    // Two calls and a refused one; then, in a second attempt, one.
    expect(answer.data).toMatchObject({ status: "success", attempts: 2 });
    expect({ cost, byModel }).toEqual({ cost: 3, byModel: 3 });
  });

  test("a session that is killed in the middle costs at least what it said, and the next one its own", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const { answer, cost, byModel } = await pricedIn(client, async () => {
      const started = await client.call("spawn_claude_session", {
        task: "RUN: echo to-be-killed\n THEN HOLD",
        allowedTools: "Bash",
        timeoutSeconds: 600,
        asyncMode: true,
      });
      const batchId = String(started.data?.["batchId"]);
      await api.request(({ body }) => toldOf(body, "to-be-killed"));
      using store = at.store();
      const { data } = await client.call("list_batches", {});
      const known = store.list().find((row) => row.batchId === batchId);
      const attempt = known && store.batch(known.batchId)?.state.tasks[0]?.attempts.at(-1);
      // Claude writes its conversation a little after it said it; the attempt that follows can only go on from there.
      const written = () => savedText(attempt?.sessionId, at);
      await eventually(
        () => written().includes("to-be-killed"),
        () => `the conversation is not saved: ${written()}`,
      );
      await kill(localProcess(attempt?.identity));
      expect(data?.["batches"]).toHaveLength(2);
      return client.call("wait_for_batch", { batchId });
    });
    expect(answer.data).toMatchObject({ state: "finished", counts: { succeeded: 1 }, costAtLeast: true });
    expect({ cost, byModel }).toEqual({ cost: 1, byModel: 1 });
  });

  test("the answer is what Claude says once its subagents have ended, and all of it is paid for", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const task = `${agent("AFTER subagents: found it")}\n THEN SAY: I wait\n THEN SAY: it is found`;
    const { answer, cost, calls } = await pricedIn(client, async () => {
      const call = client.call("spawn_claude_session", { task, allowedTools: "Agent" });
      await api.request(({ userText }) => userText.startsWith("AFTER subagents"));
      api.open("subagents");
      return call;
    });
    // Older versions wait within the turn, and have one answer.
    const isLater = has("2.1.198");
    expect(answer.data?.["result"]).toBe(
      isLater
        ? "it is found\n\nEarlier answer, while background work was still running:\n\nI wait"
        : "I wait",
    );
    expect(calls).toBe(isLater ? 4 : 3);
    expect(cost).toBe(calls);
    await at.empty({ but: client.pid });
  });

  test("a command that does not end is waited for as long as asked, and then stopped", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const { data } = await client.call("spawn_claude_session", {
      task: `${backgroundCommand("sleep 7700042")}\n THEN SAY: it runs`,
      allowedTools: "Bash",
      backgroundWaitSeconds: 0,
    });
    expect(data).toMatchObject({ status: "success", result: "it runs" });
    expect(data?.["remarks"]).toEqual([expect.stringMatching(/was stopped .*: sleep 7700042\. /)]);
    await at.empty({ but: client.pid });
  });

  test("a command that ends in time brings the answer", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const { data } = await client.call("spawn_claude_session", {
      task: `${backgroundCommand("echo built")}\n THEN SAY: I wait\n THEN SAY: it is built`,
      allowedTools: "Bash",
    });
    expect(data).toMatchObject({ status: "success" });
    expect(String(data?.["result"])).toStartWith("it is built");
  });

  describe.skipIf(!has("2.1.198"))(`while subagents work in the background ${sinceMark("2.1.198")}`, () => {
    /** Starts a task, waits until its session says that it waits for a subagent, and goes on. */
    async function waiting(client: TestClient, at: Home, input: Record<string, unknown>): Promise<string> {
      const { data } = await client.call("spawn_parallel_claude_sessions", { asyncMode: true, ...input });
      const batchId = String(data?.["batchId"]);
      using store = at.store();
      const row = () => store.list().find((one) => one.batchId === batchId);
      const activity = () => [...(row() ? store.activities(batchIdSchema.parse(batchId)) : [])].join();
      await eventually(
        () => activity().includes("waiting for a subagent: look"),
        () => `it does not say what it waits for: ${activity()}`,
      );
      return batchId;
    }

    test("an error in the turn after them is the outcome, and the interim answer is kept", async () => {
      await using at = home();
      await using client = await connectNew(at);
      const task = `${agent("AFTER failing: found it")}\n THEN SAY: I wait\n THEN FAIL 400: no more`;
      const batchId = await waiting(client, at, { tasks: [task], allowedTools: "Agent", retries: 0 });
      api.open("failing");
      await client.call("wait_for_batch", { batchId });
      const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
      expect(entry).toMatchObject({ status: "error", outcome: "failed: request" });
      expect(entry?.["error"]).toMatch(/no more[\s\S]*Interim answer[\s\S]*I wait/);
    });

    test("a cancelled session ends with them, says what it spent, and keeps its interim answer", async () => {
      await using at = home();
      await using client = await connectNew(at);
      const task = `${agent("AFTER never: found it")}\n THEN SAY: I wait`;
      const batchId = await waiting(client, at, { tasks: [task], allowedTools: "Agent" });
      await client.call("cancel_batch", { batchId });
      // That is answered after four seconds, whether its session has ended by then or not.
      const { data } = await client.call("wait_for_batch", { batchId });
      expect(data).toMatchObject({ state: "cancelled", counts: { cancelled: 1 } });
      const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
      expect(entry).toMatchObject({ status: "error", outcome: "cancelled: user" });
      expect(entry?.["error"]).toMatch(/Interim answer[\s\S]*I wait/);
      await at.empty({ but: client.pid });
    });

    test("the wall clock ends them, and the interim answer is kept", async () => {
      await using at = home();
      await using client = await connectNew(at);
      const task = `${agent("AFTER never: found it")}\n THEN SAY: I wait`;
      const batchId = await waiting(client, at, { tasks: [task], allowedTools: "Agent", timeoutSeconds: 20 });
      await client.call("wait_for_batch", { batchId });
      const [entry] = entriesOf(await client.call("read_batch_results", { batchId }));
      expect(entry).toMatchObject({ status: "error", outcome: "timed-out: wall" });
      expect(entry?.["error"]).toMatch(/wall clock[\s\S]*Interim answer[\s\S]*I wait/);
      await at.empty({ but: client.pid });
    });
  });

  test("an agent that does not exist is a failure, and nothing is asked", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const before = api.calls().length;
    const { data } = await client.call("spawn_claude_session", { task: "hello", agent: "nobody" });
    expect(data).toMatchObject({ status: "error", outcome: "failed: agent", totalCostUsd: 0 });
    expect(data?.["error"]).toMatch(/nobody[\s\S]*general-purpose/);
    expect(api.calls().length).toBe(before);
    await at.empty({ but: client.pid });
  });

  test("an agent of the project's is found, and asked", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const definition = "---\nname: reviewer\ndescription: Reviews.\n---\nYou review.\n";
    await Bun.write(join(at.work, ".claude", "agents", "reviewer.md"), definition);
    const { data } = await client.call("spawn_claude_session", { task: "hello", agent: "reviewer" });
    expect(data).toMatchObject({ status: "success", result: "You said: hello" });
    expect(data).not.toHaveProperty("remarks");
  });

  test("what did not take effect is said with the result", async () => {
    await using at = home();
    await using client = await connectNew(at);
    await Bun.write(join(at.path, ".claude", "settings.json"), '{"permissions":{"defaultMode":"plan"}}');
    const { data } = await client.call("spawn_claude_session", {
      task: "hello",
      // Claude Code knows this tool, but has it on Windows alone.
      tools: "Read,PowerShell",
      mcpConfig: { mcpServers: { broken: { command: process.execPath, args: ["-e", "process.exit(1)"] } } },
    });
    expect(data).toMatchObject({ status: "success" });
    expect(data?.["remarks"]).toEqual([
      expect.stringContaining('permission mode "plan"'),
      expect.stringContaining("no tools with these names: PowerShell"),
      expect.stringContaining('MCP server "broken" did not start'),
    ]);
  });

  test("a conversation that is not there fails with what to do, and one that is broken is begun anew", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const resumeSessionId = crypto.randomUUID();
    const gone = await client.call("spawn_claude_session", { task: "hello", resumeSessionId });
    expect(gone.data).toMatchObject({ status: "error", outcome: "failed: conversation" });
    expect(gone.data?.["advice"]).toContain("`resumeSessionId`");
    // The first attempt is cut off after a command; the second continues it and is refused; the third starts over.
    const broken =
      "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.";
    const task = "RUN: echo broken\n THEN FAIL 500";
    api.refuse(
      ({ userText }) => userText.startsWith("Your last turn was cut off") && userText.includes("echo broken"),
      400,
      broken,
    );
    const { data } = await client.call("spawn_claude_session", { task, allowedTools: "Bash" });
    expect(data).toMatchObject({ status: "error", outcome: "failed: server-error", attempts: 3 });
    expect(data?.["remarks"]).toEqual([
      expect.stringMatching(/could not be continued[\s\S]*began again from its start/),
    ]);
  });

  test("a continued attempt that the API refuses once is continued again, and its work is not repeated", async () => {
    await using at = home();
    await using client = await connectNew(at);
    let refusals = 0;
    api.refuse(
      ({ userText }) =>
        userText.includes("echo dear-work") && userText.startsWith("Your last") && refusals++ === 0,
      500,
      "once",
    );
    const { answer, cost } = await pricedIn(client, () =>
      client.call("spawn_claude_session", {
        task: "RUN: echo dear-work\n THEN FAIL 500",
        allowedTools: "Bash",
        retries: 2,
      }),
    );
    expect(answer.data).toMatchObject({ status: "success", attempts: 3 });
    expect(answer.data).not.toHaveProperty("remarks");
    expect({ refusals, cost }).toEqual({ refusals: 2, cost: 2 });
  });

  test("a conversation that the caller named is not silently begun anew when it breaks", async () => {
    await using at = home();
    await using client = await connectNew(at);
    const first = await client.call("spawn_claude_session", { task: "first" });
    const broken =
      "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.";
    api.refuse(
      ({ userText }) => userText.startsWith("Your last") && userText.includes("echo named"),
      400,
      broken,
    );
    const { data } = await client.call("spawn_claude_session", {
      task: "RUN: echo named\n THEN FAIL 500",
      allowedTools: "Bash",
      resumeSessionId: String(first.data?.["sessionId"]),
    });
    expect(data).toMatchObject({ status: "error", outcome: "failed: request", attempts: 2 });
    expect(data).not.toHaveProperty("remarks");
  });

  describe.skipIf(!has("2.1.203"))(`with subagents open ${sinceMark("2.1.203")}`, () => {
    test("a budget that is spent ends the task at once, and it is not paid for again", async () => {
      await using at = home();
      await using client = await connectNew(at);
      const { data } = await client.call("spawn_claude_session", {
        task: `${agent("AFTER never: found it")}\n THEN RUN: echo more\n THEN SAY: done`,
        allowedTools: "Agent,Bash",
        maxBudgetUsd: 0.05,
      });
      expect(data).toMatchObject({ status: "error", outcome: "failed: budget" });
      expect(data).not.toHaveProperty("attempts");
      await at.empty({ but: client.pid });
    });
  });
});
