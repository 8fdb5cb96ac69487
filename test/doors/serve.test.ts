// `serve` over HTTP in the process of the test, and the Tasks extension as a client of it sees that.

import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";
import { product } from "../../src/model/product.ts";
import { testNeeding } from "../facilities.ts";
import { newerClient, program } from "../harness.ts";
import { failed, Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";
import { Command } from "./own-terminal.ts";

const tasksExtension = "io.modelcontextprotocol/tasks";
const configuration = z.object({
  mcpServers: z.object({
    "claude-code": z.object({
      type: z.literal("http"),
      url: z.string(),
      headers: z.object({ Authorization: z.string() }),
    }),
  }),
});
const printed = z.object({ url: z.string(), tokenFile: z.string(), mcpServers: z.unknown().optional() });

/** Serves on a free port, until disposed of. */
async function serving(inside: Inside) {
  const command = new Command(inside, ["serve", "--http", "0", "--json"], {
    isPiped: true,
    columns: 200,
  });
  await command.prints("\n}\n");
  const { url, ...whole } = printed.parse(JSON.parse(command.out));
  const shown = await onCommandLine(inside, ["serve", "--http", new URL(url).port, "--show-token"]);
  const { headers } = configuration.parse(JSON.parse(shown.out)).mcpServers["claude-code"];
  return { command, url, whole, headers, shown };
}

interface Reply {
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

/** A request of 2026-07-28, of a client that takes tasks or does not. */
async function ask(
  { url, headers }: { url: string; headers: Record<string, string> },
  { method, taskId, takesTasks = true }: { method: string; taskId: string; takesTasks?: boolean },
): Promise<Reply> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {
      extensions: takesTasks ? { [tasksExtension]: {} } : {},
    },
  };
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { taskId, _meta } }),
    headers: {
      ...headers,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": method,
      "Mcp-Name": taskId,
    },
  });
  const text = await response.text();
  const [, data = text] = /^data: (.*)$/m.exec(text) ?? [];
  return JSON.parse(data);
}

describe("serve --http", () => {
  testNeeding("Linux")(
    "says once how a client reaches it, serves who has the token, and ends with a signal",
    async () => {
      using inside = new Inside();
      inside.batch(inside.context()).answer(1, "yes").finish();
      const { command, url, whole, headers, shown } = await serving(inside);
      await using _ = command;
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
      expect(statSync(whole.tokenFile).mode & 0o777).toBe(0o600);
      const own = { "claude-code": { type: "http", url, headers } };
      expect(whole.mcpServers).toEqual(own);
      expect(shown).toEqual({
        code: 0,
        out: `${JSON.stringify({ mcpServers: own }, null, 2)}\n`,
        err: "",
      });
      await command.terminal.shows("(shown this once; `--show-token` prints it again):");
      expect(command.terminal.screen.text).toContain(`${product.name} ${product.version} listens on`);
      const client = newerClient();
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
      const { structuredContent } = await client.callTool({ name: "list_batches", arguments: {} });
      expect(structuredContent).toMatchObject({ batches: [{ totalTasks: 1 }] });
      await client.close();
      expect((await fetch(url)).status).toBe(401);
      command.signal("SIGTERM");
      expect(await command.ended).toBe(0);
      await expect(fetch(url)).rejects.toThrow();
    },
  );

  testNeeding("Linux")("shows no token again, and says how to have it printed", async () => {
    using inside = new Inside();
    const first = await serving(inside);
    first.command.signal("SIGINT");
    expect(await first.command.ended).toBe(0);
    await first.command[Symbol.asyncDispose]();
    const { command, url, whole } = await serving(inside);
    await using _ = command;
    expect(whole).not.toHaveProperty("mcpServers");
    await command.terminal.shows(/configuration: `\S+ serve --http 127\.0\.0\.1:\d+ --show-token`/);
    expect(command.terminal.screen.text).toContain(new URL(url).port);
    expect(command.out + command.terminal.screen.text).not.toContain("Bearer");
    command.signal("SIGHUP");
    expect(await command.ended).toBe(0);
  });

  testNeeding("Linux")("without --json prints nothing on standard output", async () => {
    using inside = new Inside();
    await using command = new Command(inside, ["serve", "--http", "0"], { isPiped: true });
    await command.terminal.shows("listens on http://127.0.0.1:");
    expect(command.out).toBe("");
    command.signal("SIGTERM");
    expect(await command.ended).toBe(0);
  });

  test("may be left out before its option", async () => {
    using inside = new Inside();
    const { err, code } = await onCommandLine(inside, ["--show-token", "--http", "0"]);
    expect({ err, code }).toMatchObject({
      code: 2,
      err: expect.stringContaining("--show-token needs the port"),
    });
  });

  const refusals: [argv: string[], err: RegExp][] = [
    [["serve", "--show-token"], /^--show-token needs `--http \[HOST:\]PORT`, the address of the server\n/],
    [["serve", "--json"], /^--json needs --http, because standard output carries the answers/],
    [["serve", "--http", "x"], /^--http .*x/],
    [
      ["serve", "--http", "0.0.0.0:0"],
      /^Other machines can reach 0\.0\.0\.0\. .*PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP=true/,
    ],
    [["serve", "--http", "192.0.2.1:9"], /^Other machines can reach 192\.0\.2\.1\./],
  ];
  for (const [argv, err] of refusals)
    test(`${argv.join(" ")} is refused`, async () => {
      using inside = new Inside();
      const ran = await onCommandLine(inside, argv);
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      expect(ran.err).toMatch(err);
    });

  test("says why it cannot listen, or keep its token", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP: "true" });
    const taken = createServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    taken.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const busy = await onCommandLine(inside, ["serve", "--http", String(port)]);
    expect(busy).toMatchObject({
      code: 2,
      out: "",
      err: `Port ${port} of 127.0.0.1 is in use. Choose another port, or use any free one with \`--http 127.0.0.1:0\`.\n`,
    });
    taken.close();
    const strange = await onCommandLine(inside, ["serve", "--http", "192.0.2.1:9"]);
    expect(strange.err).toContain("192.0.2.1");
    expect(strange.code).toBe(2);
    await Bun.write(join(inside.state, "http-token"), "short\n");
    const layout = await onCommandLine(inside, ["serve", "--http", "0"]);
    expect(layout.err).toMatch(/must contain a token of at least 32 letters/);
  });
});

describe("a batch as a task of the protocol", () => {
  testNeeding("Linux")("is working, completed with the answer of its call, or cancelled", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 2 }).answer(1, "yes").start(2);
    const door = await serving(inside);
    await using command = door.command;
    const get = (taskId: string) => ask(door, { method: "tasks/get", taskId });
    const { result: working } = await get(batch.id);
    expect(working).toMatchObject({
      taskId: batch.id,
      status: "working",
      statusMessage: expect.stringContaining("1 of 2 tasks"),
      ttlMs: null,
      pollIntervalMs: expect.any(Number),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(working).not.toHaveProperty("result");
    batch.end(2, failed).finish();
    const { result: completed } = await get(batch.id);
    expect(completed).toMatchObject({
      status: "completed",
      result: { structuredContent: { batchId: batch.id, results: [{ result: "yes" }, { status: "error" }] } },
    });
    const other = inside.batch(context);
    expect(await ask(door, { method: "tasks/update", taskId: other.id })).toMatchObject({
      result: {},
    });
    expect(await ask(door, { method: "tasks/cancel", taskId: other.id })).toMatchObject({
      result: {},
    });
    other.log.refresh();
    expect(other.log.state.cancelledBy).toBe("client");
    other.finish();
    expect((await get(other.id)).result).toMatchObject({ status: "cancelled" });
    command.signal("SIGTERM");
    await command.ended;
  });

  testNeeding("Linux")("is refused where there is none, and to clients that take no tasks", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    const door = await serving(inside);
    await using command = door.command;
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      const unknown = await ask(door, { method, taskId: "zzzzzzzz" });
      expect(unknown.error).toMatchObject({ code: -32_602, message: "There is no task zzzzzzzz." });
      const refused = await ask(door, { method, taskId: batch.id, takesTasks: false });
      expect(refused.error?.message).toContain("capabilit");
    }
    batch.log.refresh();
    expect(batch.log.state).not.toHaveProperty("cancelledBy");
    command.signal("SIGTERM");
    await command.ended;
  });
});

/** Gives a server of its own these lines, and ends its input when each is answered. */
async function answered(inside: Inside, lines: string[]) {
  const child = Bun.spawn(program(), {
    cwd: inside.work,
    env: process.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  child.stdin.write(lines.join(""));
  child.stdin.flush();
  const replies = new Map<number, Reply>();
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of child.stdout) {
    const whole = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = whole.pop() ?? "";
    for (const line of whole) replies.set(JSON.parse(line).id, JSON.parse(line));
    if (replies.size === lines.length) child.stdin.end();
  }
  return { code: await child.exited, replies };
}

describe("serve on standard input and output", () => {
  test("answers what was asked before its end, with a task to those who take one", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "yes\ud83d").finish();
    const _meta = (extensions: object) => ({
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": { extensions },
    });
    const call = (id: number, name: string, input: object, extensions: object = {}) =>
      `${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: input, _meta: _meta(extensions) } })}\n`;
    const takes = { [tasksExtension]: {} };
    const lines = [
      call(1, "read_batch_results", { batchId: batch.id }, takes),
      call(2, "spawn_parallel_claude_sessions", { tasks: ["one"] }, takes),
      call(3, "spawn_parallel_claude_sessions", { tasks: [] }, takes),
    ];
    const { code, replies } = await answered(inside, lines);
    expect(code).toBe(0);
    expect(replies.get(1)?.result).toMatchObject({
      structuredContent: { results: [{ result: "yes\ufffd" }] },
    });
    expect(replies.get(2)?.result).toMatchObject({ resultType: "task", status: "working", content: [] });
    expect(replies.get(3)?.result).toMatchObject({ isError: true });
    const taskId = String(replies.get(2)?.result?.["taskId"]);
    expect((await onCommandLine(inside, ["cancel", taskId])).code).toBe(0);
    await onCommandLine(inside, ["wait", taskId]);
  });
});
