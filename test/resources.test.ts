// Batches as resources: listed, read in parts, completed, and watched in both eras; and the prompts beside them.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { batchIdSchema } from "../src/model/batch-id.ts";
import { eventually, Home, kill, program } from "./harness.ts";
import { RawClient } from "./raw-client.ts";
import { untilKept } from "./running.ts";

setDefaultTimeout(120_000);

const batchOfAnswer = z.object({ structuredContent: z.object({ batchId: z.string() }) });
const readAnswer = z.object({ contents: z.array(z.object({ uri: z.string(), text: z.string() })) });
const completed = z.object({ completion: z.object({ values: z.array(z.string()) }) });

async function batchOf(client: RawClient, tasks: string[]): Promise<string> {
  const { result } = await client.call("spawn_parallel_claude_sessions", { tasks });
  return batchOfAnswer.parse(result).structuredContent.batchId;
}

async function read(client: RawClient, uri: string): Promise<string> {
  const { result, error } = await client.ask("resources/read", { uri });
  if (error) throw new Error(error.message);
  const [first] = readAnswer.parse(result).contents;
  expect(first?.uri).toBe(uri);
  return first?.text ?? "";
}

describe("resources", () => {
  test("listing makes no store where there is none", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    expect((await client.ask("resources/list")).result).toMatchObject({ resources: [] });
    const argument = { name: "batchId", value: "" };
    const ref = { type: "ref/resource", uri: "batch://{batchId}" };
    const { result } = await client.ask("completion/complete", { ref, argument });
    expect(result).toMatchObject({ completion: { values: ["latest"] } });
    expect(existsSync(home.state)).toBe(false);
  });

  test("a batch, the text of a task and its transcript can be read by their addresses", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const batchId = await batchOf(client, ['[[answer text="it is 4"]]', "[[max-turns]]"]);
    const { result } = await client.ask("resources/list");
    expect(result?.["resources"]).toMatchObject([
      { uri: `batch://${batchId}`, title: `Batch ${batchId}: finished, 1 succeeded, 1 failed` },
    ]);
    expect(JSON.parse(await read(client, `batch://${batchId}`))).toMatchObject({
      batchId,
      state: "finished",
      results: [{ result: "it is 4" }, { status: "error" }],
    });
    expect(await read(client, `batch://${batchId}/tasks/1`)).toBe("it is 4");
    expect(await read(client, "batch://latest/tasks/2")).toStartWith("[failed: max-turns] ");
    const lines = (await read(client, `batch://${batchId}/tasks/1/transcript`)).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).type)).toContain("result");
    const { result: listed } = await client.ask("resources/templates/list");
    expect(listed?.["resourceTemplates"]).toMatchObject([
      { uriTemplate: "batch://{batchId}" },
      { uriTemplate: "batch://{batchId}/tasks/{n}{?offset}" },
      { uriTemplate: "batch://{batchId}/tasks/{n}/transcript{?offset}" },
    ]);
  });

  test("a long text comes in parts that say where the next begins, and the parts make the whole", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const batchId = await batchOf(client, ["[[answer bytes=250000]]"]);
    let whole = "";
    let parts = 0;
    for (let uri: string | undefined = `batch://${batchId}/tasks/1`; uri !== undefined; parts++) {
      const text = await read(client, uri);
      const [note, next] = /\n\n\[These are .* Read on at (\S+)\.\]$/.exec(text) ?? [""];
      whole += note === "" ? text : text.slice(0, -note.length);
      uri = next;
    }
    expect({ parts, length: whole.length }).toEqual({ parts: 3, length: 250_000 });
    let lines = "";
    for (let uri: string | undefined = `batch://${batchId}/tasks/1/transcript`; uri !== undefined; ) {
      const text = await read(client, uri);
      const last = text.trimEnd().split("\n").at(-1) ?? "";
      const cut = last.startsWith('{"type":"cut"') ? JSON.parse(last) : undefined;
      lines += cut ? text.slice(0, cut.to - cut.from) : text;
      uri = cut?.next;
    }
    using store = home.store();
    const [task] = store.batch(batchIdSchema.parse(batchId))?.state.tasks ?? [];
    // Compared as numbers: what differs would be a screenful.
    const file = readFileSync(task?.attempts[0]?.transcript ?? "", "utf8");
    expect(Bun.hash(lines)).toBe(Bun.hash(file));
  });

  test("looking resumes nothing; the next tool call does, for it opens the store", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const gate = home.file("gate");
    const input = { tasks: [`[[wait-for-file path=${gate}]]`, "hello"], asyncMode: true, concurrency: 1 };
    const { result } = await client.call("spawn_parallel_claude_sessions", input);
    const { batchId } = batchOfAnswer.parse(result).structuredContent;
    using store = home.store();
    await eventually(
      () => store.list()[0]?.runner !== undefined && store.list()[0]?.counts.running === 1,
      () => "no runner",
    );
    await kill(...(await untilKept(home)));
    for (let look = 0; look < 2; look++) {
      await client.ask("resources/list");
      const seen: unknown = JSON.parse(await read(client, `batch://${batchId}`));
      expect(seen).toMatchObject({ state: "interrupted" });
    }
    await Bun.write(gate, "");
    const { result: waited } = await client.call("wait_for_batch", { batchId });
    expect(waited).toMatchObject({
      structuredContent: { state: "finished", counts: { succeeded: 2 } },
    });
  });

  test("an address that means nothing is told what there is", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    await batchOf(client, ["hello"]);
    for (const [uri, words] of [
      ["batch://latest/tasks/7", "there is no task 7"],
      ["batch://zzzzzzzz", "There is no batch zzzzzzzz"],
      ["file:///etc/passwd", "expected batch://"],
      ["batch://latest/tasks/0", "expected batch://"],
    ] as const) {
      const { error } = await client.ask("resources/read", { uri });
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining(words), data: { uri } });
    }
    expect((await client.ask("resources/list", { cursor: "nonsense" })).error).toMatchObject({
      code: -32602,
    });
  });

  test("more batches than a page are listed page by page", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "1" });
    await using client = new RawClient(home);
    const batchId = await batchOf(client, ["hello"]);
    {
      // The same batch 54 times over: what is listed is rows.
      using store = home.store();
      for (let copy = 0; copy < 54; copy++) {
        const id = `bbbbbb${"bcdfghjk"[copy % 8]}${"bcdfghjk"[Math.floor(copy / 8)]}`;
        store.database.run("CREATE TEMP TABLE copy AS SELECT * FROM batches WHERE batch_id = ?", [batchId]);
        store.database.run("UPDATE copy SET batch_id = ?", [id]);
        store.database.run("INSERT INTO batches SELECT * FROM copy");
        store.database.run("DROP TABLE copy");
      }
    }
    const { result: first } = await client.ask("resources/list");
    expect(first?.["resources"]).toHaveLength(50);
    const { result: second } = await client.ask("resources/list", { cursor: first?.["nextCursor"] });
    expect(second?.["resources"]).toHaveLength(5);
    expect(second).not.toHaveProperty("nextCursor");
  });

  test("batches and task numbers are suggested while an address is typed", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const batchId = await batchOf(client, ["one", "[[max-turns]]", "three"]);
    const suggested = async (ref: object, name: string, value: string, given: object = {}) => {
      const params = { ref, argument: { name, value }, context: { arguments: given } };
      const { result } = await client.ask("completion/complete", params);
      return completed.parse(result).completion.values;
    };
    const task = { type: "ref/resource", uri: "batch://{batchId}/tasks/{n}{?offset}" };
    expect(await suggested(task, "batchId", batchId.slice(0, 2))).toEqual([batchId]);
    expect(await suggested(task, "n", "", { batchId })).toEqual(["1", "2", "3"]);
    const retry = { type: "ref/prompt", name: "retry_what_failed" };
    expect(await suggested(retry, "tasks", "", { batchId })).toEqual(["2"]);
    const fanOut = { type: "ref/prompt", name: "fan_out_over_files" };
    expect(await suggested(fanOut, "changes", "y")).toEqual(["yes"]);
  });

  test("a client of 2026-07-28 hears on its stream of new batches, and of those that it has asked for", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    await using other = new RawClient(home);
    const gate = home.file("gate");
    const input = { tasks: [`[[wait-for-file path=${gate}]]`, "hello"], asyncMode: true };
    const { result } = await other.call("spawn_parallel_claude_sessions", input);
    const { batchId } = batchOfAnswer.parse(result).structuredContent;
    const uri = `batch://${batchId}/tasks/1`;
    client.listen({ resourceSubscriptions: [uri], resourcesListChanged: true });
    // A store that nobody has looked into is not watched.
    await client.ask("resources/list");
    await other.call("spawn_parallel_claude_sessions", { tasks: ["another"] });
    const heard = () => client.notifications.map(({ method, params }) => ({ method, uri: params?.["uri"] }));
    await eventually(
      () => heard().some(({ method }) => method === "notifications/resources/list_changed"),
      () => JSON.stringify(heard()),
    );
    const before = heard().length;
    await Bun.write(gate, "");
    await eventually(
      () =>
        heard()
          .slice(before)
          .some((one) => one.uri === uri),
      () => JSON.stringify(heard()),
    );
    expect(heard().flatMap((one) => one.uri ?? [])).toEqual(heard().flatMap((one) => (one.uri ? [uri] : [])));
  });

  test("a client of 2025-11-25 hears of what it has subscribed to, until it no longer wants to", async () => {
    await using home = new Home();
    const [command = "", ...args] = program();
    const client = new Client({ name: "test", version: "1" });
    const updated: string[] = [];
    let lists = 0;
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updated.push(params.uri);
    });
    client.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
      lists++;
    });
    await client.connect(
      new StdioClientTransport({ command, args, cwd: home.work, env: home.environment, stderr: "ignore" }),
    );
    const gates = [home.file("gate-1"), home.file("gate-2")];
    const tasks = gates.map((gate) => `[[wait-for-file path=${gate}]]`);
    await client.callTool({
      name: "spawn_parallel_claude_sessions",
      arguments: { tasks, asyncMode: true },
    });
    await eventually(
      () => lists > 0,
      () => "no word of the new batch",
    );
    const [first] = (await client.listResources()).resources;
    const one = `${first?.uri}/tasks/1`;
    const two = `${first?.uri}/tasks/2`;
    await client.subscribeResource({ uri: one });
    await client.subscribeResource({ uri: two });
    await client.unsubscribeResource({ uri: one });
    updated.length = 0;
    for (const gate of gates) await Bun.write(gate, "");
    await eventually(
      () => updated.includes(two),
      () => JSON.stringify(updated),
    );
    expect(updated).not.toContain(one);
    await client.close();
  });
});

describe("prompts", () => {
  test("each is listed with its arguments, and gives a text that names the tool to use", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const { result } = await client.ask("prompts/list");
    const prompts = result?.["prompts"] as {
      name: string;
      title: string;
      arguments: { name: string; required: boolean }[];
    }[];
    expect(prompts.map(({ name }) => name)).toEqual([
      "fan_out_over_files",
      "review_from_several_sides",
      "retry_what_failed",
    ]);
    for (const prompt of prompts) {
      const required = prompt.arguments.filter((argument) => argument.required);
      const given = Object.fromEntries(required.map(({ name }) => [name, `the ${name} that are meant`]));
      const got = await client.ask("prompts/get", { name: prompt.name, arguments: given });
      const text = JSON.stringify(got.result?.["messages"]);
      expect(text).toMatch(/spawn_parallel_claude_sessions|retry_batch/);
      for (const words of Object.values(given)) expect(text).toContain(words);
    }
    expect(existsSync(home.state)).toBe(false);
  });

  test("what is missing, and a prompt that is none, is said", async () => {
    await using home = new Home();
    await using client = new RawClient(home);
    const missing = await client.ask("prompts/get", {
      name: "fan_out_over_files",
      arguments: { files: "x" },
    });
    expect(missing.error).toMatchObject({
      code: -32602,
      message: expect.stringContaining("`task` is missing"),
    });
    const unknown = await client.ask("prompts/get", { name: "nothing" });
    expect(unknown.error).toMatchObject({
      code: -32602,
      message: expect.stringContaining("retry_what_failed"),
    });
  });
});
