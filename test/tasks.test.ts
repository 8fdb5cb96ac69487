// The Tasks extension: calls that go on as tasks, whose ids are those of their batches.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { eventually, Home } from "./harness.ts";
import { RawClient, type Reply, tasksExtension } from "./raw-client.ts";

setDefaultTimeout(120_000);

const takesTasks = { extensions: { [tasksExtension]: {} } };

async function spawned(client: RawClient, tasks: string[]): Promise<string> {
  const { result } = await client.call("spawn_parallel_claude_sessions", { tasks });
  return String(result?.["taskId"]);
}

async function ended(client: RawClient, taskId: string): Promise<Reply["result"]> {
  for (;;) {
    const { result } = await client.ask("tasks/get", { taskId });
    if (result?.["status"] !== "working") return result;
    await Bun.sleep(50);
  }
}

describe("the Tasks extension", () => {
  test("is offered to clients of 2026-07-28", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const { result } = await client.ask("server/discover");
    expect(result?.["capabilities"]).toMatchObject({ extensions: { [tasksExtension]: {} } });
  });

  test("a call is answered with a task, and the task at last with what the plain call answers", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const gate = home.file("gate");
    const tasks = [`[[wait-for-file path=${gate}]] [[answer text="late"]]`, "[[max-turns]]"];
    const { result: created } = await client.call("spawn_parallel_claude_sessions", { tasks });
    expect(created).toMatchObject({ resultType: "task", status: "working", ttlMs: null });
    expect(created?.["createdAt"]).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(Number.isInteger(created?.["pollIntervalMs"])).toBe(true);
    for (const name of ["task", "result", "error", "structuredContent", "ttl", "requestState"])
      expect(created).not.toHaveProperty(name);
    const taskId = String(created?.["taskId"]);
    const { result: now } = await client.ask("tasks/get", { taskId });
    expect(now).toMatchObject({ resultType: "complete", taskId, status: "working" });
    expect(now).not.toHaveProperty("result");
    await Bun.write(gate, "");
    const end = await ended(client, taskId);
    expect(end).toMatchObject({
      status: "completed",
      result: {
        structuredContent: {
          batchId: taskId,
          state: "finished",
          results: [
            { taskIndex: 1, result: "late" },
            { taskIndex: 2, status: "error" },
          ],
        },
      },
    });
  });

  test("one session as a task answers with its one result", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const { result } = await client.call("spawn_claude_session", { task: '[[answer text="4"]]' });
    const end = await ended(client, String(result?.["taskId"]));
    expect(end?.["result"]).toMatchObject({ structuredContent: { result: "4", taskIndex: 1 } });
  });

  test("a task outlives the server that started it, and another one answers for it", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    const first = new RawClient(home, takesTasks);
    const taskId = await spawned(first, [`[[wait-for-file path=${gate}]] [[answer text="kept"]]`]);
    await first.kill();
    await using second = new RawClient(home, takesTasks);
    const { result } = await second.ask("tasks/get", { taskId });
    expect(result).toMatchObject({ taskId, status: "working" });
    await Bun.write(gate, "");
    expect(await ended(second, taskId)).toMatchObject({
      result: { structuredContent: { results: [{ result: "kept" }] } },
    });
  });

  test("a cancelled task says where the results are that had come by then", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const taskId = await spawned(client, ["one", "[[hang]]"]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 1 && store.list()[0]?.counts.running === 1,
      () => "the first task does not succeed",
    );
    await client.ask("tasks/cancel", { taskId });
    expect(await ended(client, taskId)).toMatchObject({
      status: "cancelled",
      statusMessage: expect.stringMatching(
        /^Cancelled by the client: 1 of 2 tasks done, 1 stopped\. .*read_batch_results \(batchId \w{8}\) returns them\.$/,
      ),
    });
  });

  test("lists that never change may be kept for an hour", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    for (const method of ["tools/list", "prompts/list", "resources/templates/list"])
      expect((await client.ask(method, {})).result).toMatchObject({ ttlMs: 3_600_000 });
    expect((await client.ask("resources/list", {})).result).toMatchObject({ ttlMs: 0 });
  });

  test("a task that is cancelled ends its batch, and cancelling it again says the same", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const started = home.file("started");
    const taskId = await spawned(client, [`[[touch path=${started}]] [[grandchild double-fork]] [[hang]]`]);
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    const { result } = await client.ask("tasks/cancel", { taskId });
    expect(result).toMatchObject({ resultType: "complete" });
    expect(result).not.toHaveProperty("status");
    const end = await ended(client, taskId);
    expect(end).toMatchObject({ status: "cancelled" });
    expect(end).not.toHaveProperty("result");
    expect((await client.ask("tasks/cancel", { taskId })).result).toMatchObject({ resultType: "complete" });
    await home.empty({ but: client.pid });
  });

  test("a task that nobody knows is an error, and so is a client that takes none", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const taskId = await spawned(client, ["hello"]);
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      const params = { taskId: "no-such-task", inputResponses: {} };
      expect((await client.ask(method, params)).error).toMatchObject({ code: -32602 });
      const { error } = await client.ask(method, { ...params, taskId }, {});
      expect(error).toMatchObject({
        code: -32021,
        data: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
      });
    }
    const { result } = await client.ask("tasks/update", { taskId, inputResponses: { "no-such-key": {} } });
    expect(result).toMatchObject({ resultType: "complete" });
    for (const method of ["tasks/result", "tasks/list"])
      expect((await client.ask(method, { taskId })).error).toMatchObject({ code: -32601 });
  });

  test("what wants an answer at once gets one: bad input, asyncMode, and tools that start nothing", async () => {
    await using home = new Home();
    await using client = new RawClient(home, takesTasks);
    const bad = await client.call("spawn_claude_session", { task: "x", modle: "y" });
    expect(bad.result).toMatchObject({ isError: true, resultType: "complete" });
    const input = { tasks: ["hello"], asyncMode: true };
    const { result } = await client.call("spawn_parallel_claude_sessions", input);
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { state: "running" } });
    const { result: batches } = await client.call("list_batches", {});
    expect(batches).toMatchObject({ resultType: "complete" });
  });
});
