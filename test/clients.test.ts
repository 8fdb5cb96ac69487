// What each kind of client gets of each kind of call, through both eras' clients and a client that takes tasks; as a
// table at the end. Limits are small: nothing waits for a minute.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { clientTable, limitsOf } from "../src/operations/client-limits.ts";
import { readConfiguration } from "../src/operations/configuration.ts";
import {
  type Answer,
  connectNew,
  connectOlder,
  eventually,
  everLongerWaits,
  Home,
  type TestClient,
} from "./harness.ts";
import { RawClient, tasksExtension } from "./raw-client.ts";

setDefaultTimeout(120_000);

type Output = Record<string, unknown>;

/** A kind of client: how it connects, and what its model sees of an answer. */
interface Kind {
  kind: string;
  connect(home: Home): Promise<TestClient>;
  sees(answer: Answer): Output;
}

const text = (answer: Answer): Output => JSON.parse(answer.text);
const data = (answer: Answer): Output => answer.data ?? {};
const kinds: Kind[] = [
  {
    kind: "Claude Desktop (2025, text only)",
    connect: (home) => connectOlder(home, "claude-ai"),
    sees: text,
  },
  { kind: "Claude Code (2026, data only)", connect: (home) => connectNew(home, "claude-code"), sees: data },
  { kind: "Codex (2025)", connect: (home) => connectOlder(home, "codex-mcp-client"), sees: text },
  { kind: "any other, 2025", connect: (home) => connectOlder(home, "something"), sees: text },
  { kind: "any other, 2026", connect: (home) => connectNew(home, "something"), sees: data },
];

const columns = ["sync, short", "sync, long", "async", "cancelled", "2 MB"] as const;
const table = new Map<string, Map<string, string>>();

function note(kind: string, column: (typeof columns)[number], cell: string): void {
  table.set(kind, (table.get(kind) ?? new Map()).set(column, cell));
}

afterAll(() => {
  if (table.size === 0) return;
  const rows = [...table].map(([kind, cells]) => [
    kind,
    ...columns.map((column) => cells.get(column) ?? "–"),
  ]);
  const lines = [["client", ...columns], columns.map(() => "---").concat("---"), ...rows];
  console.log(`\n${lines.map((line) => `| ${line.join(" | ")} |`).join("\n")}`);
});

/** The SDK's time-out stands for the client's, and progress does not extend it. */
const patience = { timeout: 60_000 };
const many = "spawn_parallel_claude_sessions";

for (const { kind, connect, sees } of kinds) {
  describe(kind, () => {
    test("a short call answers with every result", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const tasks = ['[[answer text="one"]]', "[[max-turns]]"];
      const seen = sees(await client.call(many, { tasks }, patience));
      expect(seen).toMatchObject({
        state: "finished",
        pending: [],
        results: [
          { status: "success", result: "one" },
          { status: "error", error: expect.any(String) },
        ],
      });
      note(kind, "sync, short", "finished, every result");
    });

    test("a long call answers before the client gives up, and the rest can be waited for and read", async () => {
      for (const seconds of everLongerWaits) {
        await using home = new Home({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: String(seconds) });
        await using client = await connect(home);
        const gate = home.file("gate");
        const tasks = ['[[answer text="quick"]]', `[[wait-for-file path=${gate}]] [[answer text="late"]]`];
        const seen = sees(await client.call(many, { tasks }, patience));
        if (seconds !== everLongerWaits.at(-1) && Bun.deepEquals(seen["results"], [])) continue;
        expect(seen).toMatchObject({ state: "running", pending: [2], results: [{ result: "quick" }] });
        const batchId = String(seen["batchId"]);
        expect(seen["message"]).toContain(`wait_for_batch (batchId ${batchId})`);
        const still = sees(await client.call("wait_for_batch", { batchId, waitSeconds: 3_600 }, patience));
        expect(still).toMatchObject({ state: "running", nextCheckSeconds: expect.any(Number) });
        await Bun.write(gate, "");
        // The summary stands a moment before the end is in the log, so the log is asked.
        while (sees(await client.call("wait_for_batch", { batchId }, patience))["state"] === "running");
        const rest = sees(await client.call("read_batch_results", { batchId, tasks: [2] }, patience));
        expect(rest).toMatchObject({ state: "finished", results: [{ result: "late" }] });
        note(kind, "sync, long", "running, results so far, what to call; later the rest");
        return;
      }
    });

    test("an async call answers at once", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const gate = home.file("gate");
      const tasks = [`[[wait-for-file path=${gate}]]`];
      const seen = sees(await client.call(many, { tasks, asyncMode: true }, patience));
      expect(seen).toMatchObject({ state: "running", results: [], outputDirectory: home.output });
      await Bun.write(gate, "");
      const { batchId } = seen;
      expect(sees(await client.call("wait_for_batch", { batchId }, patience))).toMatchObject({
        state: "finished",
      });
      note(kind, "async", "running at once, batch and directory");
    });

    test("a cancelled call ends its batch", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const started = home.file("started");
      const cancel = new AbortController();
      const tasks = [`[[touch path=${started}]] [[hang]]`];
      const call = client.call(many, { tasks }, { ...patience, signal: cancel.signal });
      await eventually(
        () => existsSync(started),
        () => "the session did not start",
      );
      cancel.abort("the user changed his mind");
      await call.catch(() => undefined);
      const seen = sees(await client.call("wait_for_batch", { batchId: "latest" }, patience));
      expect(seen).toMatchObject({ state: "cancelled", counts: { cancelled: 1 } });
      note(kind, "cancelled", "batch ends, session too");
    });

    test("a result of 2 MB is cut, and says how long it is, where it is, and how to read on", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const answer = await client.call(many, { tasks: ["[[answer bytes=2000000]]", "short"] }, patience);
      const seen = sees(answer);
      const length = JSON.stringify(seen).length;
      expect(length).toBeWithin(90_000, 100_001);
      expect(seen["results"]).toMatchObject([
        { truncated: true, textLength: 2_000_000, resultFile: expect.any(String) },
        { result: "Answer to: short" },
      ]);
      const [{ result = "", nextFrom = 0 } = {}] = seen["results"] as {
        result?: string;
        nextFrom?: number;
      }[];
      expect(result.indexOf(" […]")).toBe(nextFrom);
      expect(seen["message"]).toContain(`tasks [1], from ${nextFrom}`);
      const input = { batchId: seen["batchId"], tasks: [1], from: nextFrom, characters: 50 };
      const next = sees(await client.call("read_batch_results", input, patience));
      expect(next).toMatchObject({ results: [{ nextFrom: nextFrom + 50, textLength: 2_000_000 }] });
      note(kind, "2 MB", `${length} characters, ${nextFrom} of the text, how to read on`);
    });
  });
}

describe("a client that takes tasks", () => {
  const kind = "Tasks client (2026)";
  const takesTasks = { extensions: { [tasksExtension]: {} }, name: "claude-code" };

  async function ended(client: RawClient, taskId: unknown): Promise<Output> {
    for (;;) {
      const { result = {} } = await client.ask("tasks/get", { taskId });
      if (result["status"] !== "working") return result;
      await Bun.sleep(50);
    }
  }

  test("gets a task of each waiting call, whatever its length, and an async one at once", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1" });
    await using client = new RawClient(home, takesTasks);
    const { result: short } = await client.call(many, { tasks: ['[[answer text="one"]]'] });
    expect(await ended(client, short?.["taskId"])).toMatchObject({
      status: "completed",
      result: { structuredContent: { state: "finished", results: [{ result: "one" }] } },
    });
    note(kind, "sync, short", "a task; at its end every result");
    const gate = home.file("gate");
    const { result: long } = await client.call(many, { tasks: [`[[wait-for-file path=${gate}]]`] });
    expect(long).toMatchObject({ resultType: "task", status: "working" });
    // Longer than a call may take: no leash, and no hand-over, ends it.
    await client.call("wait_for_batch", { batchId: long?.["taskId"], waitSeconds: 2 });
    const { result: still } = await client.ask("tasks/get", { taskId: long?.["taskId"] });
    expect(still).toMatchObject({ status: "working" });
    await Bun.write(gate, "");
    expect(await ended(client, long?.["taskId"])).toMatchObject({ status: "completed" });
    note(kind, "sync, long", "a task; at its end every result");
    const { result } = await client.call(many, { tasks: ["hello"], asyncMode: true });
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { state: "running" } });
    note(kind, "async", "running at once, batch and directory");
  });

  test("cancels the task, and gets of 2 MB what it bears", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const { result: hung } = await client.call(many, { tasks: ["[[hang]]"] });
    await client.ask("tasks/cancel", { taskId: hung?.["taskId"] });
    expect(await ended(client, hung?.["taskId"])).toMatchObject({ status: "cancelled" });
    note(kind, "cancelled", "cancelled task, batch ends");
    const { result: big } = await client.call(many, { tasks: ["[[answer bytes=2000000]]"] });
    const end = await ended(client, big?.["taskId"]);
    const { structuredContent } = end["result"] as { structuredContent: Output };
    const length = JSON.stringify(structuredContent).length;
    expect(length).toBeWithin(90_000, 100_001);
    expect(structuredContent["results"]).toMatchObject([{ truncated: true, textLength: 2_000_000 }]);
    note(kind, "2 MB", `${length} characters, how to read on`);
  });
});

test("the log and the page say which client started a batch, with a task of the protocol too", async () => {
  await using home = new Home();
  await using older = await connectOlder(home, "codex-mcp-client");
  await using tasks = new RawClient(home, { extensions: { [tasksExtension]: {} }, name: "claude-code" });
  await older.call("spawn_claude_session", { task: "one", outputDirectory: home.output });
  const { result } = await tasks.call("spawn_claude_session", { task: "two" });
  using store = home.store();
  const clients = store.list().map(({ batchId }) => store.batch(batchId)?.state.batch.client);
  expect(clients.toSorted()).toEqual(["claude-code", "codex-mcp-client"]);
  await tasks.call("wait_for_batch", { batchId: result?.["taskId"] });
  const page = await Bun.file(join(home.output, `report-${result?.["taskId"]}.html`)).text();
  expect(page).toContain("called by claude-code");
});

describe("what a client bears", () => {
  const inForce = (environment: Record<string, string> = {}) => readConfiguration(environment);

  test("is known by its name, below its own limit, and 45 s for one that nobody knows", () => {
    const waits = ["claude-ai", "claude-code", "codex-mcp-client", "cursor-vscode", "other", undefined].map(
      (name) => limitsOf({ name }, inForce()).waitSeconds,
    );
    expect(waits).toEqual([45, 110, 100, 240, 45, 45]);
  });

  test("Claude Code is answered before it moves a call to the background, which it never does with -p", () => {
    const wait = (environment: Record<string, string>) =>
      limitsOf({ name: "claude-code", environment }, inForce()).waitSeconds;
    expect(wait({ CLAUDE_CODE_ENTRYPOINT: "cli" })).toBe(110);
    for (const entryPoint of ["sdk-cli", "sdk-ts", "sdk-py"])
      expect(wait({ CLAUDE_CODE_ENTRYPOINT: entryPoint })).toBe(1_500);
    expect(wait({ CLAUDE_CODE_ENTRYPOINT: "sdk-cli", CLAUDE_AUTO_BACKGROUND_TASKS: "1" })).toBe(110);
    const moves = (milliseconds: string) =>
      wait({ CLAUDE_CODE_ENTRYPOINT: "cli", CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: milliseconds });
    expect(["60000", "0", "600000000", "5", "soon"].map(moves)).toEqual([55, 1_500, 1_500, 1, 110]);
    expect(wait({ CLAUDE_CODE_ENTRYPOINT: "cli", CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1" })).toBe(1_500);
    // Its variables say nothing about others.
    const other = { name: "other", environment: { CLAUDE_CODE_ENTRYPOINT: "sdk-cli" } };
    expect(limitsOf(other, inForce()).waitSeconds).toBe(45);
  });

  test("of a client that started the server, the environment counts", async () => {
    const maximum = async (environment: Record<string, string>) => {
      await using home = new Home(environment);
      await using client = await connectOlder(home, "claude-code");
      const started = home.file("started");
      const tasks = [`[[touch path=${started}]] [[hang]]`];
      await client.call(many, { tasks, asyncMode: true }, patience);
      const cursor = { batchId: "latest", waitSeconds: 3_600 };
      const call = await client.call("wait_for_batch", cursor, patience);
      return data(call)["state"];
    };
    // A call would last 110 s or 25 minutes; a second is what the variable leaves of it.
    const environment = { CLAUDE_CODE_ENTRYPOINT: "cli", CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "1100" };
    expect(await maximum(environment)).toBe("running");
  });

  test("is what the operator says, where he says it", () => {
    const limits = limitsOf({ name: "claude-code" }, inForce({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "300" }));
    expect(limits.waitSeconds).toBe(300);
  });

  test("stands in the table with its source", () => {
    for (const { client, source } of clientTable) expect(`${client}: ${source}`.length).toBeGreaterThan(30);
  });
});

describe("an answer that would be too long", () => {
  test("a prompt of 5 MB is not echoed", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const prompt = `[[answer text="fine"]] ${"x".repeat(5_000_000)}`;
    const long = await client.call("spawn_claude_session", { task: prompt }, { timeout: 60_000 });
    expect(long.data).toMatchObject({ result: "fine" });
    expect(long.text.length).toBeLessThan(10_000);
    expect(long.data?.["taskDescription"]).toEndWith("… [5,000,023 characters]");
  });

  test("of 2,000 tasks the first are listed, and the answer says what it leaves out and how to read it", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "1" });
    await using client = await connectNew(home);
    const started = home.file("started");
    const tasks = [`[[touch path=${started}]] [[hang]]`, ...Array.from({ length: 1_999 }, () => "never")];
    const begun = await client.call(many, { tasks, asyncMode: true });
    expect(begun.text.length).toBeLessThan(20_000);
    const { pending, morePending } = begun.data as { pending: number[]; morePending: number };
    expect(pending.length + morePending).toBe(2_000);
    expect(pending.length).toBe(50);
    expect(begun.data).toMatchObject({ pendingRanges: ["1-2000"] });
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    await client.call("cancel_batch", { batchId: "latest" });
    await using raw = new RawClient(home);
    const { result } = await raw.ask("resources/read", { uri: "batch://latest" });
    const contents = z.object({ contents: z.array(z.object({ text: z.string() })) });
    const [{ text: whole } = { text: "" }] = contents.parse(result).contents;
    expect(whole.length).toBeLessThan(100_001);
    const answer: { results: unknown[]; resultsLeftOut: number; message: string } = JSON.parse(whole);
    expect(answer.results.length + answer.resultsLeftOut).toBe(2_000);
    expect(answer.message).toContain(`offset ${answer.results.length}) gives them`);
  });

  test("2,000 faults are told as far as a client shows errors, with how many there are more", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = Array.from({ length: 2_000 }, () => ({ task: "x", modle: "opus" }));
    const { isError, text: message } = await client.call(many, { tasks });
    expect(isError).toBe(true);
    expect(message.length).toBeLessThan(10_000);
    expect(message).toMatch(/tasks\[0\]\.modle is not known.*\n/);
    expect(message).toMatch(/\n… and 1,?\d{3} more lines\.$/);
  });
});
