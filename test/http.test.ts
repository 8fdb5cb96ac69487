// The HTTP door, as clients of both eras and strangers see it.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OlderTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { addressFrom } from "../src/doors/mcp/http/address.ts";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, Home, newerClient, run } from "./harness.ts";
import { expectMode } from "./modes.ts";

/** A door on a free port, with what it printed. */
async function open(home: Home, more: string[] = []) {
  const door = new RunningCommand(home, ["serve", "--http", "0", ...more]);
  await door.says("For a client's configuration");
  const [url = ""] = /http:\S+\/mcp/.exec(door.said) ?? [];
  const token = readFileSync(join(home.state, "http-token"), "utf8").trim();
  return {
    url,
    headers: { Authorization: `Bearer ${token}` },
    pid: door.pid,
    said: () => door.said,
    signal: (signal: NodeJS.Signals) => door.signal(signal),
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  };
}
type Door = Awaited<ReturnType<typeof open>>;

interface CallOptions {
  signal?: AbortSignal;
  /** How long the client waits, in milliseconds. */
  timeout?: number;
  onprogress?: () => void;
}
type Call = (tool: string, input: object, options?: CallOptions) => Promise<Record<string, unknown>>;
interface Connected extends AsyncDisposable {
  /** The version of the protocol that both sides agreed on. */
  protocol: string | undefined;
  call: Call;
  tools(): Promise<number>;
}

async function newer({ url, headers }: Door): Promise<Connected> {
  const client = newerClient();
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    tools: async () => (await client.listTools()).tools.length,
    call: async (name, input, more = {}) => {
      const options = { timeout: 60_000, ...more };
      return record(await client.callTool({ name, arguments: { ...input } }, options));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function older({ url, headers }: Door): Promise<Connected> {
  const client = new OlderClient({ name: "test", version: "1" });
  const transport = new OlderTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    protocol: transport.protocolVersion,
    tools: async () => (await client.listTools()).tools.length,
    call: async (name, input, more = {}) => {
      const options = { timeout: 60_000, ...more };
      return record(await client.callTool({ name, arguments: { ...input } }, undefined, options));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function record(result: object): Record<string, unknown> {
  const data: unknown = Reflect.get(result, "structuredContent");
  return typeof data === "object" && data !== null ? { ...data } : {};
}

// Since 2026-07-28, a client that gives up closes its connection, and cannot say why. If it has waited for 25 s, its
// patience is taken to have run out. The older one must have started its batch by then, on a busy machine too.
const eras = [
  { era: "2026-07-28 client", connect: newer, patienceMs: 30_000 },
  { era: "2025-11-25 client", connect: older, patienceMs: 4_000 },
];

for (const { era, connect, patienceMs } of eras) {
  describe(era, () => {
    test("gets over HTTP what it gets over stdio: tools, and a batch's results", async () => {
      await using home = new Home();
      await using door = await open(home);
      await using client = await connect(door);
      expect(`${client.protocol} client`).toBe(era);
      expect(await client.tools()).toBeGreaterThanOrEqual(7);
      const answer = await client.call("spawn_parallel_claude_sessions", {
        tasks: ['[[answer text="one"]]', "two"],
      });
      expect(answer).toMatchObject({ state: "finished", totalTasks: 2 });
    });

    test("a client that runs out of patience leaves the batch to itself, and loses nothing", async () => {
      await using home = new Home();
      await using door = await open(home);
      await using client = await connect(door);
      const gate = home.file("gate");
      const tasks = [`[[wait-for-file path=${gate}]] [[answer text="late"]]`];
      const call = client.call("spawn_parallel_claude_sessions", { tasks }, { timeout: patienceMs });
      await expect(call).rejects.toThrow(/time/i);
      using store = home.store();
      await eventually(
        () => store.list()[0]?.outputDirectory === home.output,
        () => `the batch is not handed over: ${JSON.stringify(store.list()[0])}`,
      );
      await Bun.write(gate, "");
      const answer = await client.call("wait_for_batch", { batchId: "latest" });
      expect(answer).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
    }, 120_000);

    test("a call that is aborted ends its own batch, and no other client's", async () => {
      await using home = new Home();
      await using door = await open(home);
      await using one = await connect(door);
      await using other = await connect(door);
      const started = home.file("started");
      const gate = home.file("gate");
      const abort = new AbortController();
      const given = one
        .call(
          "spawn_parallel_claude_sessions",
          { tasks: [`[[touch path=${started}]] [[hang]]`] },
          { signal: abort.signal },
        )
        .catch(() => "aborted");
      const kept = other.call("spawn_parallel_claude_sessions", {
        tasks: [`[[wait-for-file path=${gate}]]`],
      });
      await eventually(
        () => existsSync(started),
        () => "the session did not start",
      );
      abort.abort();
      expect(await given).toBe("aborted");
      using store = home.store();
      await eventually(
        () => store.list().some(({ counts }) => counts.cancelled === 1),
        () => JSON.stringify(store.list()),
      );
      await Bun.write(gate, "");
      expect(await kept).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
    });

    testNeeding("signals that can be heard")(
      "a call that waits for a batch is answered when the door is asked to end",
      async () => {
        await using home = new Home();
        await using door = await open(home);
        await using client = await connect(door);
        const input = { tasks: ["[[hang]]"], asyncMode: true };
        const { batchId } = await client.call("spawn_parallel_claude_sessions", input);
        const waits = Promise.withResolvers<void>();
        const options = { onprogress: () => waits.resolve() };
        const waited = client.call("wait_for_batch", { batchId, waitSeconds: 40 }, options);
        await waits.promise;
        door.signal("SIGTERM");
        expect(await waited).toMatchObject({ batchId, state: "running" });
      },
    );
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  test(`when the door ends by ${signal}, nothing of a sync batch is left`, async () => {
    await using home = new Home();
    await using door = await open(home);
    await using client = await newer(door);
    const started = home.file("started");
    client
      .call("spawn_parallel_claude_sessions", { tasks: [`[[touch path=${started}]] [[hang]]`] })
      .catch(() => undefined);
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    door.signal(signal);
    await home.empty();
    using store = home.store();
    expect(store.list()[0]?.counts).toMatchObject({ cancelled: 1 });
  });
}

test("the token is shown when it is made, and later only to whoever asks for it", async () => {
  await using home = new Home();
  await using door = await open(home);
  const { Authorization } = door.headers;
  await eventually(
    () => door.said().trimEnd().endsWith("}"),
    () => door.said(),
  );
  const shown = JSON.parse(door.said().slice(door.said().indexOf("\n{")));
  expect(shown).toEqual({
    mcpServers: { "claude-code": { type: "http", url: door.url, headers: { Authorization } } },
  });
  await using again = await open(home, ["--json"]);
  expect(again.said()).not.toContain(Authorization);
  const { host } = new URL(door.url);
  expect(again.said()).toContain("--show-token");
  const asked = await run(home, ["serve", "--http", host, "--show-token"]);
  expect({ ...asked, out: JSON.parse(asked.out) }).toEqual({ code: 0, out: shown, err: "" });
  expect((await run(home, ["serve", "--show-token"])).err).toContain("--show-token needs `--http");
  expect((await run(home, ["serve", "--http", "0", "--show-token"])).err).toContain("needs the port");
});

test("the word `serve` may be left out, and the option may have the name that others give it", async () => {
  await using home = new Home();
  await using door = new RunningCommand(home, ["--http", "0"]);
  await door.says("listens on http://127.0.0.1:");
  await using other = new RunningCommand(home, ["serve", "--port=0"]);
  await other.says("listens on http://127.0.0.1:");
});

test("the token is made once, kept private, and asked of everybody", async () => {
  await using home = new Home();
  const file = join(home.state, "http-token");
  await using door = await open(home);
  expectMode(file, 0o600);
  expect(door.headers.Authorization).toBe(`Bearer ${readFileSync(file, "utf8").trim()}`);
  chmodSync(file, 0o644);
  await using again = await open(home);
  expect(again.headers).toEqual(door.headers);
  expectMode(file, 0o600);
  for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: "Basic abc" }]) {
    const { status, headers: got } = await fetch(door.url, { method: "POST", body: "{}", headers });
    expect({ status, asks: got.get("www-authenticate") }).toEqual({ status: 401, asks: "Bearer" });
  }
});

test("requests with a strange Host or Origin are refused, with the right token too", async () => {
  await using home = new Home();
  await using door = await open(home);
  for (const strange of [{ Host: "evil.example" }, { Origin: "https://evil.example" }, { Origin: "null" }]) {
    const { status } = await fetch(door.url, {
      method: "POST",
      body: "{}",
      headers: { ...door.headers, ...strange },
    });
    expect(status).toBe(403);
  }
});

test("bad bodies, big bodies, other paths and unknown sessions are refused by the book, and the door lives", async () => {
  await using home = new Home();
  await using door = await open(home);
  const headers = {
    ...door.headers,
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
  };
  const post = (body: string, more: Record<string, string> = {}, url = door.url) =>
    fetch(url, { method: "POST", body, headers: { ...headers, ...more } });
  const bad = await post("{");
  expect({ status: bad.status, body: await bad.json() }).toMatchObject({
    status: 400,
    body: { error: { code: -32_700 } },
  });
  expect((await post("x".repeat(11 * 1024 * 1024))).status).toBe(413);
  expect((await post("{}", {}, new URL("/other", door.url).href)).status).toBe(404);
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  expect((await post(call, { "Mcp-Session-Id": "unknown" })).status).toBe(404);
  expect((await post(call, { "Content-Type": "text/plain" })).status).toBe(415);
  const alone = await post(call);
  expect({ status: alone.status, text: await alone.text() }).toMatchObject({
    status: 200,
    text: expect.stringContaining("spawn_claude_session"),
  });
  const without =
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_batches","arguments":null}}';
  expect(await (await post(without)).text()).toContain("structuredContent");
});

test("clients of 2026-07-28 get no session, and are told that initialize is gone", async () => {
  await using home = new Home();
  await using door = await open(home);
  const version = "2026-07-28";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const response = await fetch(door.url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: { _meta } }),
    headers: {
      ...door.headers,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": version,
      "Mcp-Method": "initialize",
    },
  });
  expect({ status: response.status, body: await response.json() }).toMatchObject({
    status: 404,
    body: { error: { code: -32_601 } },
  });
});

test("an address that others can reach requires the operator's permission, and says what that means", async () => {
  await using home = new Home();
  const { code, out, err } = await run(home, ["serve", "--http", "0.0.0.0:0"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP=true");
  expect(existsSync(home.state)).toBe(false);
});

test("addresses that are none are refused in one line that shows how to write them", async () => {
  await using home = new Home();
  for (const text of [
    "",
    "65536",
    "abc",
    "localhost:",
    "::1:80",
    "http://localhost:80",
    "999.1.1.1:80",
    "a@b:80",
  ]) {
    const { code, err } = await run(home, ["serve", `--http=${text}`]);
    expect(code).toBe(2);
    expect(err).toContain("localhost:8080 or [::1]:8080");
  }
});

test.each([
  ["LOCALHOST:1", "localhost"],
  ["127.1:1", "127.0.0.1"],
  ["0:1", "0.0.0.0"],
  ["[0:0:0:0:0:0:0:1]:1", "[::1]"],
  ["[0:0::0]:1", "[::]"],
  ["[FE80:0::1]:1", "[fe80::1]"],
  ["1", "127.0.0.1"],
])("the address %s is kept as requests name it: %s", (text, host) => {
  expect(addressFrom(text)).toEqual({ ok: true, value: { host, port: 1 } });
});

test("an address of another machine is named as that", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP: "true" });
  const { code, err } = await run(home, ["serve", "--http", "192.0.2.1:0"]);
  expect(code).toBe(2);
  expect(err).toContain("192.0.2.1 is not an address of this machine.");
});

test("a port in use is named", async () => {
  await using home = new Home();
  await using door = await open(home);
  const { port } = new URL(door.url);
  const { code, err } = await run(home, ["serve", "--http", port]);
  expect(code).toBe(2);
  expect(err).toContain(`Port ${port} of 127.0.0.1 is in use.`);
});

test("a token file that holds none is named, with what to do", async () => {
  await using home = new Home();
  await Bun.write(join(home.state, "http-token"), "short");
  const { code, err } = await run(home, ["serve", "--http", "0"]);
  expect(code).toBe(2);
  expect(err).toContain(`${join(home.state, "http-token")} must contain a token`);
});
