// Our own program on the real `claude`: everything that it does with a session, end to end. `bun run test:real`.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { testNeeding } from "../facilities.ts";
import { type Answer, connectNew, eventually, filesIn, Home, type TestClient } from "../harness.ts";
import { announced, type MessagesApi, startMessagesApi, stayingCommand } from "./messages-api.ts";
import { claude, describeReal, setPatience, since } from "./version.ts";

setPatience(120_000);

function resultsOf({ data, text }: Answer): unknown[] {
  const results = data?.["results"];
  if (!Array.isArray(results)) throw new Error(text);
  return results;
}

/** Cancels a batch, and gives its end: a cancel is answered after four seconds, whether its sessions have ended by then or not. */
async function cancelledTo(client: TestClient, data: Answer["data"]): Promise<Answer> {
  const batchId = String(data?.["batchId"]);
  await client.call("cancel_batch", { batchId });
  return client.call("wait_for_batch", { batchId });
}

describeReal("our program on the real claude", () => {
  let api: MessagesApi;
  beforeAll(() => {
    api = startMessagesApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  function homeWith(more: Record<string, string>): Home {
    return new Home({
      PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      ...more,
    });
  }

  test("without a login, the batch waits, and says how to log in", async () => {
    await using home = homeWith({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60" });
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_parallel_claude_sessions", { tasks: ["one", "two", "three"] });
    expect(data).toMatchObject({ state: "running", counts: { queued: 3, failed: 0 } });
    // The moment when the first session has failed, its hold may not be shown yet.
    const waiting = { batchId: String(data?.["batchId"]), waitSeconds: 1 };
    let held = "";
    while (!/\/login.*Not logged in/s.test(held)) {
      const { data: now } = await client.call("wait_for_batch", waiting);
      held = String(now?.["heldBecause"]);
    }
    const cancelled = await cancelledTo(client, data);
    expect(cancelled.data).toMatchObject({ counts: { cancelled: 3 } });
    await home.empty({ but: client.pid });
  });

  test("without a login and patience for one, a task fails with advice on how to log in", async () => {
    await using home = homeWith({ PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "0" });
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_claude_session", { task: "hello" });
    expect(data).toMatchObject({
      status: "error",
      outcome: "failed: auth",
      error: expect.stringContaining("Not logged in"),
      advice: expect.stringContaining("/login"),
    });
    await home.empty({ but: client.pid });
  });

  test("answers and API errors of a batch come out as what they are", async () => {
    await using home = homeWith({ ...api.environment, CLAUDE_CODE_MAX_RETRIES: "0" });
    await using client = await connectNew(home);
    const answer = await client.call(
      "spawn_parallel_claude_sessions",
      { tasks: ["hello", "FAIL 400", { task: "FAIL 500", retries: 0 }, "/hello"] },
      { timeout: 100_000 },
    );
    const results = resultsOf(answer);
    expect(results[0]).toMatchObject({ status: "success", result: "You said: hello", numTurns: 1 });
    expect(results[1]).toMatchObject({ status: "error", outcome: "failed: request" });
    expect(results[2]).toMatchObject({ status: "error", outcome: "failed: server-error" });
    expect(results[3]).toMatchObject({ status: "success", result: expect.stringContaining("/hello") });
    const costs = z.array(z.looseObject({ costUsd: z.number() })).parse(results.filter((_, at) => at !== 2));
    const { totalCostUsd } = z.looseObject({ totalCostUsd: z.number() }).parse(answer.data);
    expect(costs[0]?.costUsd).toBeGreaterThan(0);
    expect(totalCostUsd).toBeCloseTo(costs.reduce((sum, { costUsd }) => sum + costUsd, 0));
    await home.empty({ but: client.pid });
  });

  test("a task may read the answers that it names, and neither change them nor read what lies beside them", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const tool = (name: string, input: object) => `TOOL: ${name} ${JSON.stringify(input)}`;
    const file_path = "{{results.first}}";
    const { data } = await client.call(
      "spawn_parallel_claude_sessions",
      {
        tasks: [
          { key: "first", task: "SAY: words-of-the-first" },
          { after: ["first"], task: tool("Read", { file_path }) },
          { after: ["first"], task: tool("Read", { file_path: `${file_path}/../../runner.log` }) },
          {
            after: ["first"],
            // An older version refuses to write a file that was not read before it asks for permission.
            task: tool("Write", { file_path: `${file_path}.new`, content: "changed" }),
            permissionMode: "acceptEdits",
          },
        ],
      },
      { timeout: 100_000 },
    );
    // A busy machine takes longer than a call waits.
    const batchId = String(data?.["batchId"]);
    await client.call("wait_for_batch", { batchId });
    const results = resultsOf(await client.call("read_batch_results", { batchId }));
    expect(results[1]).toMatchObject({
      status: "success",
      result: expect.stringContaining("words-of-the-first"),
    });
    expect(results[1]).not.toHaveProperty("permissionDenials");
    expect(results[2]).toMatchObject({ permissionDenials: [expect.stringContaining("Read")] });
    expect(results[3]).toMatchObject({ permissionDenials: [expect.stringMatching(/Edit|Write/)] });
    await home.empty({ but: client.pid });
  });

  test("a summary reads the results, and nothing beside them", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const read = (file_path: string) =>
      `TOOL: Read ${JSON.stringify({ file_path })}\n THEN SAY: that was all`;
    const before = api.requests.length;
    const started = await client.call(
      "spawn_parallel_claude_sessions",
      { tasks: ["SAY: words-of-the-first"], summarize: read("001.txt"), permissionMode: "acceptEdits" },
      { timeout: 100_000 },
    );
    expect(started.data).toMatchObject({
      summary: expect.stringContaining("that was all"),
      counts: { succeeded: 2 },
    });
    const results = api.requests.slice(before).map(({ body }) => JSON.stringify(body ?? {}));
    expect(results.some((one) => /tool_result[^}]*words-of-the-first/.test(one))).toBe(true);
    const batchId = String(started.data?.["batchId"]);
    await client.call("retry_batch", { batchId, summarize: read("../runner.log") });
    await client.call("wait_for_batch", { batchId }, { timeout: 100_000 });
    const denied = await client.call("read_batch_results", { batchId, tasks: [3] });
    expect(resultsOf(denied)[0]).toMatchObject({ permissionDenials: [expect.stringContaining("Read")] });
    await home.empty({ but: client.pid });
  });

  since("2.1.248")("a restricted task may read the answers that it names, and not change them", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const answer = await client.call(
      "spawn_parallel_claude_sessions",
      {
        tasks: [
          { key: "first", task: "SAY: words-of-the-first" },
          {
            after: ["first"],
            restricted: true,
            task: `TOOL: Read ${JSON.stringify({ file_path: "{{results.first}}" })}`,
          },
          {
            after: ["first"],
            restricted: true,
            permissionMode: "acceptEdits",
            task: `TOOL: Write ${JSON.stringify({ file_path: "{{results.first}}.new", content: "changed" })}`,
          },
          {
            restricted: true,
            permissionMode: "acceptEdits",
            task: `TOOL: Write ${JSON.stringify({ file_path: join(home.work, "new.txt"), content: "allowed" })}`,
          },
        ],
      },
      { timeout: 100_000 },
    );
    expect(resultsOf(answer)[1]).toMatchObject({
      status: "success",
      result: expect.stringContaining("words-of-the-first"),
    });
    const answers = join(home.state, "batches", String(answer.data?.["batchId"]), "answers");
    expect(filesIn(answers)).toEqual(["001.txt"]);
    expect(readFileSync(join(home.work, "new.txt"), "utf8")).toBe("allowed");
  });

  testNeeding("bash")("commands of a batch run, and what no rule allows is denied", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const answer = await client.call(
      "spawn_parallel_claude_sessions",
      {
        tasks: ["RUN: echo from-bash", { task: "RUN: touch x", allowedTools: "" }],
        allowedTools: "Bash(echo:*)",
      },
      { timeout: 100_000 },
    );
    const results = resultsOf(answer);
    expect(results[0]).toMatchObject({ status: "success", result: expect.stringContaining("from-bash") });
    expect(results[1]).toMatchObject({ status: "success", permissionDenials: ["Bash(touch:*)"] });
    await home.empty({ but: client.pid });
  });

  test("what the API throttles is queued again", async () => {
    await using home = homeWith({ ...api.environment, CLAUDE_CODE_MAX_RETRIES: "0" });
    await using client = await connectNew(home);
    const started = await client.call("spawn_parallel_claude_sessions", {
      tasks: ["FAIL 429", "FAIL 529"],
      retries: 0,
      asyncMode: true,
    });
    const batchId = String(started.data?.["batchId"]);
    using store = home.store();
    const state = () => store.list().flatMap((row) => store.batch(row.batchId)?.state ?? [])[0];
    await eventually(
      () => state()?.tasks.every(({ attempts }) => attempts.length >= 2) === true,
      () => "they are not tried again",
      100_000,
    );
    await client.call("cancel_batch", { batchId });
  });

  test("every option that the CLI has is accepted, and a conversation is continued", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const first = await client.call("spawn_claude_session", {
      task: "first",
      model: "sonnet",
      fallbackModel: "haiku",
      effort: "low",
      agent: "general-purpose",
      allowedTools: "Read,Bash(echo a, b)",
      disallowedTools: ["WebFetch"],
      tools: "Bash,Read",
      systemPrompt: "- be brief",
      appendSystemPrompt: "--really",
      permissionMode: "acceptEdits",
      maxTurns: 3,
      maxBudgetUsd: 1,
      addDirectories: [home.path],
      mcpConfig: { mcpServers: {} },
      name: "-a name, with a comma",
    });
    expect(first.data).toMatchObject({ status: "success", result: "You said: first" });
    const resumeSessionId = String(first.data?.["sessionId"]);
    const second = await client.call("spawn_claude_session", { task: "second", resumeSessionId });
    expect(second.data).toMatchObject({ status: "success", sessionId: resumeSessionId });
    const forked = await client.call("spawn_claude_session", {
      task: "third",
      resumeSessionId,
      forkSession: true,
    });
    expect(forked.data).toMatchObject({ status: "success" });
    expect(forked.data?.["sessionId"]).not.toBe(resumeSessionId);
  });

  test("a session that is cancelled in the middle of an answer says what it spent, or that it was more", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    // By its name, this session's requests are told from those of others.
    const name = crypto.randomUUID();
    const file = join(home.work, name);
    await Bun.write(file, "x");
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [`TOOL: Read ${JSON.stringify({ file_path: file })}\n THEN HOLD`],
      asyncMode: true,
    });
    await api.request(({ body }) => {
      const text = JSON.stringify(body ?? "");
      return text.includes(name) && text.includes("tool_result");
    });
    const cancelled = await cancelledTo(client, data);
    expect(cancelled.data).toMatchObject({ state: "cancelled", counts: { cancelled: 1 } });
    // On a slow machine, its second between the interrupt and the kill is over before it has reported anything.
    const { totalCostUsd, costAtLeast } = cancelled.data ?? {};
    expect(costAtLeast === true || Number(totalCostUsd) > 0).toBe(true);
    await home.empty({ but: client.pid });
  });

  testNeeding("bash")(
    "a cancelled session ends with the commands that it had running, and says what it spent",
    async () => {
      await using home = homeWith(api.environment);
      await using client = await connectNew(home);
      const { data } = await client.call("spawn_parallel_claude_sessions", {
        tasks: [`RUN: ${stayingCommand(api)}`, "HOLD"],
        allowedTools: "Bash",
        asyncMode: true,
      });
      await announced(api);
      const cancelled = await cancelledTo(client, data);
      expect(cancelled.data).toMatchObject({ state: "cancelled", counts: { cancelled: 2 } });
      await home.empty({ but: client.pid });
    },
  );

  test("transcripts are kept where the log says", async () => {
    await using home = homeWith(api.environment);
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_claude_session", { task: "hello" });
    const folder = join(home.state, "batches", String(data?.["batchId"]));
    await eventually(
      () => readdirSync(folder).some((name) => /^session-.*\.ndjson$/.test(name)),
      () => readdirSync(folder).join(),
    );
  });
});
