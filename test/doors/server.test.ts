// The MCP server behind a door of this process, as clients of either era see it.
import { describe, expect, test } from "bun:test";
import { type Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OlderTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  type JSONRPCMessage,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { ContextAtFirstUse } from "../../src/doors/mcp/context-at-first-use.ts";
import { addressFrom, isLoopback, urlHost } from "../../src/doors/mcp/http/address.ts";
import { type HttpDoor, openHttp } from "../../src/doors/mcp/http/serve.ts";
import { newServer } from "../../src/doors/mcp/server.ts";
import { idInEnds } from "../../src/doors/mcp/stdio/message-id.ts";
import { errorResult, toolResult } from "../../src/doors/mcp/tool-result.ts";
import { UserError } from "../../src/operations/user-error.ts";
import { eventually, newerClient } from "../harness.ts";
import { failed, Inside } from "../inside.ts";

const token = "secret";

function open(inside: Inside): HttpDoor & AsyncDisposable {
  const context = inside.context();
  return openWith(() => new ContextAtFirstUse(() => context));
}

function openWith(contextNow: () => ContextAtFirstUse): HttpDoor & AsyncDisposable {
  const door = openHttp({ host: "127.0.0.1", port: 0 }, token, {
    server: ({ tells, ...connection }) => newServer({ context: contextNow(), ...connection }, { tells }),
  });
  return { ...door, [Symbol.asyncDispose]: () => door.close() };
}

const headers = { Authorization: `Bearer ${token}` };
const urlOf = ({ port }: HttpDoor) => new URL(`http://127.0.0.1:${port}/mcp`);

async function newer(door: HttpDoor): Promise<Client> {
  const client = newerClient();
  await client.connect(new StreamableHTTPClientTransport(urlOf(door), { requestInit: { headers } }));
  return client;
}

async function older(door: HttpDoor): Promise<OlderClient> {
  const client = new OlderClient({ name: "test", version: "1" });
  const transport = new OlderTransport(urlOf(door), { requestInit: { headers } });
  // Its types disagree about `sessionId` with its own interface.
  await client.connect({
    start: () => transport.start(),
    close: () => transport.close(),
    send: (message) => transport.send(message),
    setProtocolVersion: (version) => transport.setProtocolVersion(version),
    set onmessage(heard: (message: JSONRPCMessage) => void) {
      transport.onmessage = heard;
    },
    set onclose(closed: () => void) {
      transport.onclose = closed;
    },
  });
  return client;
}

describe("a client of the newer era", () => {
  test("lists tools, calls them, and gets text and data", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes");
    await using door = open(inside);
    const client = await newer(door);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "spawn_claude_session",
      "spawn_parallel_claude_sessions",
      "wait_for_batch",
      "read_batch_results",
      "list_batches",
      "cancel_batch",
      "change_batch",
      "retry_batch",
      "compare_batches",
      "export_batch",
      "continue_batch",
    ]);
    const hintsOf = (name: string) => tools.find((tool) => tool.name === name)?._meta;
    expect(hintsOf("spawn_parallel_claude_sessions")).toEqual({
      "anthropic/maxResultSizeChars": 150_000,
      "anthropic/alwaysLoad": true,
    });
    expect(hintsOf("read_batch_results")).toEqual({ "anthropic/maxResultSizeChars": 150_000 });
    expect(hintsOf("list_batches")).toBeUndefined();
    const { content, structuredContent } = await client.callTool({
      name: "read_batch_results",
      arguments: { batchId: "latest" },
    });
    expect(structuredContent).toMatchObject({ batchId: batch.id, results: [{ result: "yes" }] });
    expect(content).toEqual([{ type: "text", text: JSON.stringify(structuredContent) }]);
    const refused = await client.callTool({ name: "wait_for_batch", arguments: { batchId: "aaa" } });
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: "There is no batch aaa. list_batches shows all batches." }],
    });
    await expect(client.callTool({ name: "wait_for_bach", arguments: {} })).rejects.toThrow(
      "Tool wait_for_bach not found; did you mean wait_for_batch?",
    );
    await expect(client.callTool({ name: "qqq", arguments: {} })).rejects.toThrow(
      "there are spawn_claude_session, ",
    );
    await client.close();
  });

  test("reads batches as resources, page by page", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside
      .batch(context, { batch: { name: "first" } })
      .answer(1, "yes")
      .finish();
    for (let count = 0; count < 50; count++) inside.batch(context, { isRun: false });
    await using door = open(inside);
    const client = await newer(door);
    const pages = async (cursor?: string) =>
      client.request({ method: "resources/list", params: cursor === undefined ? {} : { cursor } });
    const first = await pages();
    expect(first).toMatchObject({ resources: { length: 50 }, nextCursor: "50" });
    const second = await pages("50");
    expect(second).toMatchObject({
      resources: [
        { uri: `batch://${batch.id}`, title: "first: finished, 1 succeeded", mimeType: "application/json" },
      ],
    });
    expect(second).not.toHaveProperty("nextCursor");
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ name }) => name)).toEqual(["batch", "task", "transcript"]);
    const { contents } = await client.readResource({ uri: `batch://${batch.id}/tasks/1` });
    expect(contents).toEqual([{ uri: `batch://${batch.id}/tasks/1`, mimeType: "text/plain", text: "yes" }]);
    await expect(client.readResource({ uri: "batch://aaa" })).rejects.toThrow();
    await expect(client.readResource({ uri: "file:///x" })).rejects.toThrow();
    await client.close();
  });

  test("completes batches and task numbers", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 12 }).answer(1, "yes").end(2, failed);
    await using door = open(inside);
    const client = await newer(door);
    const complete = async (
      ref: { type: "ref/prompt"; name: string } | { type: "ref/resource"; uri: string },
      name: string,
      value: string,
      given?: Record<string, string>,
    ) => {
      const { completion } = await client.complete({
        ref,
        argument: { name, value },
        ...(given ? { context: { arguments: given } } : {}),
      });
      return completion;
    };
    const task = { type: "ref/resource" as const, uri: "batch://{batchId}/tasks/{n}{?offset}" };
    const retry = { type: "ref/prompt" as const, name: "retry_what_failed" };
    expect(await complete(task, "batchId", "")).toEqual({
      values: ["latest", batch.id],
      total: 2,
      hasMore: false,
    });
    expect((await complete(task, "n", "1", { batchId: batch.id })).values).toEqual(["1", "10", "11", "12"]);
    expect((await complete(task, "n", "", { batchId: "aaa" })).values).toEqual([]);
    expect((await complete(retry, "tasks", "", { batchId: "latest" })).values).toEqual(["2"]);
    expect(
      (await complete({ type: "ref/prompt", name: "fan_out_over_files" }, "changes", "y")).values,
    ).toEqual(["yes"]);
    expect((await complete(retry, "other", "")).values).toEqual([]);
    await client.close();
  });

  test("has prompts, with what is missing named", async () => {
    using inside = new Inside();
    await using door = open(inside);
    const client = await newer(door);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual([
      "fan_out_over_files",
      "review_from_several_sides",
      "retry_what_failed",
    ]);
    const textOf = async (name: string, given: Record<string, string> = {}) => {
      const { messages } = await client.getPrompt({ name, arguments: given });
      return JSON.stringify(messages[0]?.content);
    };
    const files = { files: "src/*.ts", task: "Review" };
    expect(await textOf("fan_out_over_files", files)).toContain("Read,Grep,Glob");
    expect(await textOf("fan_out_over_files", { ...files, changes: "yes" })).toContain("acceptEdits");
    expect(await textOf("retry_what_failed")).toContain("Rerun the tasks that failed of the batch latest.");
    expect(await textOf("retry_what_failed", { batchId: "b4", tasks: "2" })).toContain(
      "Rerun the tasks 2 of the batch b4.",
    );
    await expect(textOf("fan_out_over_files", { files: " " })).rejects.toThrow(
      /`files` is missing: .*\n`task` is missing: /,
    );
    await expect(textOf("qqq")).rejects.toThrow("There is no prompt qqq; there are fan_out_over_files, ");
    await client.close();
  });
});

describe("a client of the older era", () => {
  test("has a session of its own, and hears of what it has subscribed to", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 2 });
    await using door = open(inside);
    const client = await older(door);
    const heard = Promise.withResolvers<string>();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
      heard.resolve(params.uri),
    );
    const answer = await client.callTool({ name: "list_batches", arguments: { limit: 1 } });
    expect(answer.structuredContent).toMatchObject({ batches: [{ batchId: batch.id }] });
    await client.subscribeResource({ uri: `batch://${batch.id}/tasks/2` });
    batch.answer(2, "yes");
    expect(await heard.promise).toBe(`batch://${batch.id}/tasks/2`);
    await client.close();
  });

  test("hears that a batch is new, and that one has changed, until it unsubscribes", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 });
    await using door = open(inside);
    const client = await older(door);
    const heard: string[] = [];
    const hears = (count: number) =>
      eventually(
        () => heard.length >= count,
        () => `it hears ${count}, but only ${heard.join(", ")}`,
      );
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      heard.push(params.uri);
    });
    client.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
      heard.push("new");
    });
    await client.callTool({ name: "list_batches", arguments: {} });
    const uri = `batch://${batch.id}`;
    await client.subscribeResource({ uri });
    batch.answer(1, "yes");
    await hears(1);
    expect(heard).toEqual([uri]);
    await client.unsubscribeResource({ uri });
    await client.subscribeResource({ uri: `${uri}/tasks/3/transcript` });
    batch.answer(2, "yes").answer(3, "yes");
    await hears(2);
    inside.batch(context);
    await hears(3);
    expect(heard).toEqual([uri, `${uri}/tasks/3/transcript`, "new"]);
    await client.close();
  });

  test("waits for a batch as long as its connection is there, and hears how it goes on meanwhile", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes");
    await using door = open(inside);
    const client = await older(door);
    const waits = Promise.withResolvers<void>();
    const answer = client.callTool(
      { name: "wait_for_batch", arguments: { batchId: batch.id, waitSeconds: 50 } },
      undefined,
      { onprogress: () => waits.resolve() },
    );
    await waits.promise;
    batch.answer(2, "yes").finish();
    expect((await answer).structuredContent).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
    await client.close();
  });
});

describe("a client of either era", () => {
  const offered = {
    tools: { listChanged: false },
    prompts: { listChanged: false },
    completions: {},
    resources: { subscribe: true, listChanged: true },
  };

  test("is told what the server can, and only the newer one that calls may go on as tasks", async () => {
    using inside = new Inside();
    await using door = open(inside);
    const one = await newer(door);
    expect(one.getServerCapabilities()).toEqual({
      ...offered,
      extensions: { "io.modelcontextprotocol/tasks": {} },
    });
    const other = await older(door);
    expect(other.getServerCapabilities()).toEqual(offered);
    await Promise.all([one.close(), other.close()]);
  });

  test("hears in a sentence what is wrong with a request", async () => {
    using inside = new Inside();
    await using door = open(inside);
    const client = await newer(door);
    const told = (params: Record<string, unknown>) =>
      client.request({ method: "resources/read", params }).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await told({})).toEndWith("`uri` is missing: expected text.");
    expect(await told({ uri: 3 })).toEndWith("`uri` must be text.");
    await client.close();
  });
});

describe("the context of a server", () => {
  test("that could not be made once is made for the next call", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    let tries = 0;
    const context = new ContextAtFirstUse(() => {
      if (++tries <= 2) throw new UserError("not yet");
      return inside.context();
    });
    await using door = openWith(() => context);
    const client = await newer(door);
    const call = () => client.callTool({ name: "list_batches", arguments: {} });
    const first = await Promise.allSettled([call(), call()]);
    expect(JSON.stringify(first)).toContain("not yet");
    while (tries < 2) await call().catch(() => undefined);
    expect((await call()).structuredContent).toMatchObject({ batches: [{ batchId: batch.id }] });
    await call();
    expect(tries).toBe(3);
    await client.close();
  });

  test("is disposed of at the end, if it could be made", async () => {
    using inside = new Inside();
    const none = new ContextAtFirstUse(() => Promise.reject(new Error("never")));
    await none.end();
    await expect(none.get()).rejects.toThrow("never");
    await none.end();
    const ends: string[] = [];
    const one = new ContextAtFirstUse(() =>
      Object.assign(inside.context(), { [Symbol.dispose]: () => void ends.push("disposed of") }),
    );
    const both = await Promise.all([one.get(), one.get(), one.made]);
    expect(new Set(both).size).toBe(1);
    await one.end();
    expect(ends).toEqual(["disposed of"]);
  });
});

describe("the HTTP door", () => {
  const post = (door: HttpDoor, body: string, more: Record<string, string> = {}) =>
    fetch(urlOf(door), {
      method: "POST",
      body,
      headers: {
        ...headers,
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
        ...more,
      },
    });

  test("refuses strangers before it reads anything of them", async () => {
    using inside = new Inside();
    await using door = open(inside);
    const refused = async (response: Promise<Response>) => {
      const { status, body } = await response.then(async (one) => ({
        status: one.status,
        body: await one.json(),
      }));
      const { error } = z.object({ error: z.object({ message: z.string(), code: z.number() }) }).parse(body);
      return { status, ...error };
    };
    expect(await refused(fetch(urlOf(door)))).toEqual({
      status: 401,
      code: -32_000,
      message: "The request has no token: send `Authorization: Bearer …` with what `serve --http` printed.",
    });
    expect(await refused(post(door, "{}", { Authorization: "Bearer wrong" }))).toMatchObject({
      status: 401,
      message: expect.stringMatching(/^The token is wrong: /),
    });
    expect((await post(door, "{}", { Origin: "https://example.org" })).status).toBe(403);
    expect(await refused(fetch(new URL("/other", urlOf(door)), { headers }))).toMatchObject({
      status: 404,
      message: "There is nothing here; the server is at /mcp.",
    });
    expect(await refused(post(door, "{ broken"))).toMatchObject({
      status: 400,
      code: -32_700,
      message: "Parse error: the body is not JSON.",
    });
    expect(
      await refused(
        post(door, '{"jsonrpc": "2.0", "id": 1, "method": "ping"}', { "Mcp-Session-Id": "gone" }),
      ),
    ).toMatchObject({
      status: 404,
      code: -32_001,
      message: "There is no such session (any more). Initialize again.",
    });
  });

  test("has an address that is a port, or a host and a port", () => {
    const cases: [text: string, address: object | undefined][] = [
      ["8080", { host: "127.0.0.1", port: 8_080 }],
      ["0", { host: "127.0.0.1", port: 0 }],
      ["LocalHost:80", { host: "localhost", port: 80 }],
      ["[::1]:65535", { host: "[::1]", port: 65_535 }],
      ["65536", undefined],
      ["a b:1", undefined],
      [":1", undefined],
      ["x", undefined],
    ];
    for (const [text, address] of cases) {
      const read = addressFrom(text);
      expect<unknown>(read.ok ? read.value : undefined).toEqual(address);
    }
    expect(["localhost", "[::1]", "127.0.0.1", "127.1.2.3"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "example.org", "128.0.0.1", "localhost.x"].some(isLoopback)).toBe(false);
    expect(["0.0.0.0", "[::]", "localhost"].map(urlHost)).toEqual(["127.0.0.1", "[::1]", "localhost"]);
  });
});

describe("the result of a tool", () => {
  test("has links to the whole of what was cut, to the first five", () => {
    const result = (taskIndex: number) => ({ taskIndex, truncated: true, textLength: 9 });
    const { content } = toolResult({
      batchId: "b",
      results: [{ taskIndex: 9 }, ...[1, 2, 3, 4, 5, 6].map(result)],
    });
    expect(content.slice(1).map((one) => ("uri" in one ? one.uri : ""))).toEqual(
      [1, 2, 3, 4, 5].map((task) => `batch://b/tasks/${task}`),
    );
    expect(content[1]).toMatchObject({ description: "The whole text of task 1, 9 characters." });
    expect(toolResult({ batchId: "b", taskIndex: 3, truncated: true }).content[1]).toMatchObject({
      description: "The whole text of task 3.",
    });
    expect(toolResult({ batches: [] }).content).toHaveLength(1);
  });

  test("that is an error is shortened at its end, between its lines", () => {
    const text = (message: string) => errorResult(message).content[0]?.text ?? "";
    expect(text("x".repeat(9_000))).toBe("x".repeat(9_000));
    expect(text("x".repeat(9_010))).toBe(`${"x".repeat(9_000)}\n… and 10 more characters.`);
    const line = "y".repeat(99);
    expect(text(Array.from({ length: 100 }, () => line).join("\n"))).toBe(
      `${Array.from({ length: 90 }, () => line).join("\n")}\n… and 10 more lines.`,
    );
  });
});

describe("the id of a message that is too long", () => {
  const cases: [head: string, tail: string, id: string | number | undefined][] = [
    ['{"id": 7, "method": "x"', "", 7],
    ['{"jsonrpc":"2.0","id":"a\\"b","params":{', "", 'a"b'],
    ['{"params":{"id": 3, "x', '"}},"id": 8}', 8],
    ['{"x', '}},"id":"z","jsonrpc":"2.0","method":"y"}', "z"],
    ['{"a":"\\"id\\": 3, ', "}", undefined],
    ['{"id": null, ', "}", undefined],
    ['{"id": {"a": 1}, ', "}", undefined],
    ["{", '"text with \\"id\\": 3"}', undefined],
  ];
  for (const [head, tail, id] of cases)
    test(`${head} … ${tail}`, () => expect<unknown>(idInEnds({ head, tail })).toBe(id));
});
