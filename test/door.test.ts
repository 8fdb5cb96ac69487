import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { descendantsIn, processTable } from "../src/platform/process-table.ts";
import { testNeeding } from "./facilities.ts";
import {
  clients,
  connectNew,
  eventually,
  everLongerWaits,
  filesIn,
  Home,
  killIfThere,
  run,
} from "./harness.ts";

for (const { era, connect } of clients) {
  describe(era, () => {
    test("agrees with the server on the version of the protocol that it is named after", async () => {
      await using home = new Home();
      await using client = await connect(home);
      expect(`${client.protocol} client`).toBe(era);
    });

    test("a sync batch answers with every result, in the order of the tasks, as text and as data", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const tasks = Array.from({ length: 20 }, (_, index) => `[[answer text="answer ${index + 1}"]]`);
      const answer = await client.call("spawn_parallel_claude_sessions", { tasks });
      expect(answer.data).toMatchObject({ state: "finished", totalTasks: 20, pending: [] });
      expect(answer.data?.["results"]).toMatchObject(
        tasks.map((task, index) => ({
          taskIndex: index + 1,
          taskDescription: task,
          status: "success",
          result: `answer ${index + 1}`,
        })),
      );
      expect(JSON.parse(answer.text)).toEqual(answer.data);
      await home.empty({ but: client.pid });
    });

    test("one session answers with its result and the batch's fields beside it", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const { data } = await client.call("spawn_claude_session", { task: '[[answer text="it is 4"]]' });
      expect(data).toMatchObject({
        status: "success",
        result: "it is 4",
        taskIndex: 1,
        state: "finished",
        totalTasks: 1,
      });
      expect(data).not.toHaveProperty("results");
    });

    test("an async batch answers at once, and its files appear", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const gate = home.file("gate");
      const tasks = ["hello", `[[wait-for-file path=${gate}]]`, "[[error status=400]]"];
      const { data } = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
      expect(data).toMatchObject({
        state: "running",
        outputDirectory: home.output,
        results: [],
        pending: [1, 2, 3],
      });
      await Bun.write(gate, "");
      const waited = await client.call("wait_for_batch", { batchId: String(data?.["batchId"]) });
      expect(waited.data).toMatchObject({ state: "finished", counts: { succeeded: 2, failed: 1 } });
      const names = filesIn(home.output).map((name) =>
        name.replace(/-\d{13}/, "-TIME").replace(String(data?.["batchId"]), "ID"),
      );
      expect(names).toEqual([
        "error-003-TIME.txt",
        "index.html",
        "report-ID-texts.js",
        "report-ID.html",
        "report-ID.js",
        "result-001-TIME.html",
        "result-002-TIME.html",
        "results-ID.jsonl",
        "summary-ID.json",
      ]);
      const summary: unknown = JSON.parse(
        readFileSync(join(home.output, `summary-${data?.["batchId"]}.json`), "utf8"),
      );
      expect(summary).toMatchObject({
        state: "finished",
        totalTasks: 3,
        counts: { succeeded: 2, failed: 1 },
      });
    });

    test("a cancelled call ends its batch, and everything that its sessions started", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const started = home.file("started");
      const cancel = new AbortController();
      const call = client.call(
        "spawn_parallel_claude_sessions",
        { tasks: [`[[grandchild double-fork]] [[touch path=${started}]] [[hang]]`, "[[hang]]"] },
        { signal: cancel.signal },
      );
      await eventually(
        () => existsSync(started),
        () => "the session did not start",
      );
      cancel.abort("the user changed his mind");
      await call.catch(() => undefined);
      await home.empty({ but: client.pid });
      using store = home.store();
      const [row] = store.list();
      expect(row).toMatchObject({ cancelledBy: "client", counts: { cancelled: 2 } });
    });

    test("a client that runs out of patience leaves the batch to itself, and loses nothing", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const gate = home.file("gate");
      const call = client.call(
        "spawn_parallel_claude_sessions",
        { tasks: [`[[wait-for-file path=${gate}]] [[answer text="late"]]`] },
        { timeout: 1_000 },
      );
      await expect(call).rejects.toThrow(/time/i);
      using store = home.store();
      await eventually(
        () => store.list()[0]?.outputDirectory === home.output,
        () => "the batch is not handed over",
      );
      await Bun.write(gate, "");
      const { data } = await client.call("wait_for_batch", { batchId: "latest" });
      expect(data).toMatchObject({
        state: "finished",
        counts: { succeeded: 1 },
        outputDirectory: home.output,
      });
      expect(filesIn(home.output).join(" ")).toMatch(/result-001-\d{13}\.html/);
    });

    test("a call that would take too long is handed over with what has ended so far", async () => {
      for (const seconds of everLongerWaits) {
        await using home = new Home({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: String(seconds) });
        await using client = await connect(home);
        const gate = home.file("gate");
        const { data } = await client.call("spawn_parallel_claude_sessions", {
          tasks: ["quick", `[[wait-for-file path=${gate}]]`],
        });
        if (seconds !== everLongerWaits.at(-1) && Bun.deepEquals(data?.["results"], [])) continue;
        expect(data).toMatchObject({
          state: "running",
          pending: [2],
          results: [{ taskIndex: 1, status: "success" }],
        });
        await Bun.write(gate, "");
        const batchId = String(data?.["batchId"]);
        await eventually(
          () => existsSync(join(home.output, `summary-${batchId}.json`)),
          () => "no summary in the output directory",
        );
        expect(filesIn(home.output).filter((name) => name.startsWith("result-"))).toHaveLength(2);
        return;
      }
    });

    test("progress only ever grows, and tells how many have ended", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const seen: { progress: number; total?: number | undefined; message?: string | undefined }[] = [];
      await client.call(
        "spawn_parallel_claude_sessions",
        { tasks: Array.from({ length: 12 }, () => "hello") },
        { onprogress: (told) => seen.push(told) },
      );
      const values = seen.map(({ progress }) => progress);
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
      // The last one comes before the answer, and says all.
      expect(seen.at(-1)).toMatchObject({
        progress: 12,
        total: 12,
        message: expect.stringContaining("12 of 12 ended, 0 running"),
      });
    });

    test("bad input names every fault with its place, and starts nothing", async () => {
      await using home = new Home();
      await using client = await connect(home);
      const { isError, text, data } = await client.call("spawn_parallel_claude_sessions", {
        tasks: ["fine", { task: " ", modle: "opus" }, { task: "x", effort: "huge" }],
        workingDirectory: "/nowhere",
        concurency: 3,
      });
      expect(isError).toBe(true);
      // What a test prints that expects data.
      expect(data).toEqual({ refused: text });
      for (const words of [
        "tasks[1].task",
        "did you mean `model`",
        "tasks[2].effort",
        "low, medium",
        "did you mean `concurrency`",
      ]) {
        expect(text).toContain(words);
      }
      expect(existsSync(home.startsLog)).toBe(false);
      expect(existsSync(home.state)).toBe(false);
    });
  });
}

/** The ways in which a client's end reaches us. */
const ends: Record<string, (client: { pid: number; close(): Promise<void> }) => void> = {
  "stdin closes": (client) => void client.close(),
  SIGTERM: ({ pid }) => process.kill(pid, "SIGTERM"),
  SIGINT: ({ pid }) => process.kill(pid, "SIGINT"),
  SIGKILL: ({ pid }) => process.kill(pid, "SIGKILL"),
};
for (const [how, end] of Object.entries(ends)) {
  test(`when the client's end comes as ${how}, no process of a sync batch lives on`, async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const started = home.file("started");
    const task = `[[grandchild double-fork]] [[touch path=${started}]] [[hang]]`;
    client
      .call("spawn_parallel_claude_sessions", { tasks: [task, "[[ignore-everything]] [[hang]]"] })
      .catch(() => undefined);
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    end(client);
    await home.empty();
    using store = home.store();
    const [row] = store.list();
    expect(row?.endedAt).toBeNumber();
    expect(row?.cancelledBy).toBeOneOf(how === "SIGKILL" ? ["leash"] : ["client", "leash"]);
    expect(row?.counts).toMatchObject({ cancelled: 2 });
  });
}

test("an async batch goes on when the door and all its descendants are killed", async () => {
  await using home = new Home();
  const client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from({ length: 4 }, () => `[[wait-for-file path=${gate}]]`);
  const { data } = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  for (const pid of [...descendantsIn(processTable(), [client.pid]), client.pid]) killIfThere(pid);
  await Bun.write(gate, "");
  await home.empty();
  expect(existsSync(join(home.output, `summary-${data?.["batchId"]}.json`))).toBe(true);
  expect(filesIn(home.output).filter((name) => name.startsWith("result-"))).toHaveLength(4);
});

test("a request on stdin is answered before the program exits, without a handshake", async () => {
  await using home = new Home();
  const { code, out } = await run(home, [], '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}\n');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    id: 1,
    result: { tools: expect.arrayContaining([expect.objectContaining({ name: "spawn_claude_session" })]) },
  });
  expect(existsSync(home.state)).toBe(false);
});

test("the schema of each tool is plain at its top", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  for (const tool of await client.listTools()) {
    const schema: unknown = Reflect.get(tool, "inputSchema");
    expect(schema).toMatchObject({ type: "object" });
    expect(Object.keys(schema ?? {})).not.toContain("anyOf");
    expect(tool).toMatchObject({
      annotations: {
        title: expect.any(String),
        readOnlyHint: expect.any(Boolean),
        destructiveHint: expect.any(Boolean),
        idempotentHint: expect.any(Boolean),
        openWorldHint: expect.any(Boolean),
      },
    });
    expect(tool.name).toMatch(/^[a-z_]{1,64}$/);
    // Those that only read are what they say: nothing else is run again, ended, or begun by them.
    const reads = ["wait_for_batch", "read_batch_results", "list_batches"].includes(tool.name);
    expect(tool).toMatchObject({ annotations: { readOnlyHint: reads, destructiveHint: !reads } });
  }
});

test("the contract of the tools is the one that was reviewed", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  expect(await client.listTools()).toMatchSnapshot();
});

test("a request that is none is answered, with its id, and the server goes on", async () => {
  await using home = new Home();
  const requests = [
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":"x"}',
    '{"jsonrpc":"2.0","id":2,"method":7}',
    '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"_meta":5}}',
    "no JSON at all",
    '{"jsonrpc":"2.0","id":4,"method":"tools/list","params":{}}',
  ];
  const { code, out } = await run(home, [], `${requests.join("\n")}\n`);
  expect(code).toBe(0);
  const answers = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const id of [1, 2, 3]) {
    expect(answers).toContainEqual(
      expect.objectContaining({ id, error: expect.objectContaining({ code: -32600 }) }),
    );
  }
  expect(answers).toContainEqual(
    expect.objectContaining({ error: expect.objectContaining({ code: -32700 }) }),
  );
  expect(answers).toContainEqual(expect.objectContaining({ id: 4, result: expect.anything() }));
});

testNeeding("files that can be removed while open")(
  "a state directory that was removed under a server is made anew at the next call",
  async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await client.call("spawn_claude_session", { task: "before" });
    // The processes of the batch write there until they have gone.
    await home.empty({ but: client.pid });
    rmSync(home.state, { recursive: true });
    const { data } = await client.call("spawn_claude_session", { task: '[[answer text="after"]]' });
    expect(data).toMatchObject({ status: "success", result: "after" });
  },
);
