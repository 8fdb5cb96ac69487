// The HTTP door's limits and ends: what one client cannot take from the others, and what is left when it or the door goes.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { z } from "zod";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, Home } from "./harness.ts";

interface Door extends AsyncDisposable {
  url: string;
  headers: Record<string, string>;
  process: RunningCommand;
}

async function open(home: Home, address = "0"): Promise<Door> {
  const door = new RunningCommand(home, ["serve", "--http", address]);
  await eventually(
    () => door.said.trimEnd().endsWith("\n}"),
    () => door.said,
  );
  const { url, headers } = JSON.parse(door.said.slice(door.said.indexOf("\n{"))).mcpServers["claude-code"];
  return {
    url,
    headers: {
      ...headers,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
    },
    process: door,
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  };
}

const initialize = message("initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
});

function message(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

function post({ url, headers }: Door, body: string, more: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", body, headers: { ...headers, ...more } });
}

async function newSession(door: Door): Promise<Record<string, string>> {
  const response = await post(door, initialize);
  await response.text();
  const id = response.headers.get("mcp-session-id");
  if (id === null) throw new Error(`No session: ${response.status}`);
  return { "Mcp-Session-Id": id, "MCP-Protocol-Version": "2025-11-25" };
}

const list = message("tools/list", {});

test("a session that its client deletes is gone, and its batch with it", async () => {
  await using home = new Home();
  await using door = await open(home);
  const session = await newSession(door);
  const started = home.file("started");
  const params = {
    name: "spawn_claude_session",
    arguments: { task: `[[touch path=${started}]] [[hang]]` },
  };
  const call = post(door, message("tools/call", params), session).then((response) => response.text());
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  const deleted = await fetch(door.url, { method: "DELETE", headers: { ...door.headers, ...session } });
  expect(deleted.status).toBe(200);
  await call.catch(() => undefined);
  await home.empty({ but: door.process.pid });
  expect((await post(door, list, session)).status).toBe(404);
  using store = home.store();
  expect(store.list()[0]?.counts).toMatchObject({ cancelled: 1 });
});

test("the 257th session makes room by ending the one that was idle the longest", async () => {
  await using home = new Home();
  await using door = await open(home);
  const first = await newSession(door);
  const second = await newSession(door);
  for (let count = 2; count < 256; count++) await newSession(door);
  expect((await post(door, list, first)).status).toBe(200);
  const last = await newSession(door);
  expect((await post(door, list, second)).status).toBe(404);
  expect((await post(door, list, first)).status).toBe(200);
  expect((await post(door, list, last)).status).toBe(200);
});

const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Calls, and tears the socket off once the session of the call has touched `started`. */
async function tornOff(
  door: Door,
  call: { body: string; headers: Record<string, string> },
  started: string,
): Promise<void> {
  const { hostname, port } = new URL(door.url);
  const socket = connect(Number(port), hostname);
  const headers = { ...door.headers, ...call.headers, Host: `${hostname}:${port}` };
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
  const length = Buffer.byteLength(call.body);
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.join("")}Content-Length: ${length}\r\n\r\n${call.body}`);
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  socket.resetAndDestroy();
}

test("2026-07-28: a socket that is torn off in a sync call ends the batch", async () => {
  await using home = new Home();
  await using door = await open(home);
  const started = home.file("started");
  const name = "spawn_claude_session";
  const headers = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": name };
  const task = `[[touch path=${started}]] [[hang]]`;
  const body = message("tools/call", { name, arguments: { task }, _meta: modernMeta });
  await tornOff(door, { body, headers }, started);
  await home.empty({ but: door.process.pid });
  using store = home.store();
  expect(store.list()[0]).toMatchObject({ cancelledBy: "client", counts: { cancelled: 1 } });
});

for (const [who, begin] of [
  ["in a session", newSession],
  ["in a request that stands alone", async () => ({})],
] as const) {
  test(`2025-11-25: a socket that is torn off ${who} hands the batch over, which goes on`, async () => {
    await using home = new Home();
    await using door = await open(home);
    const [started, gate] = [home.file("started"), home.file("gate")];
    const task = `[[touch path=${started}]] [[wait-for-file path=${gate}]] [[answer text="kept"]]`;
    const body = message("tools/call", { name: "spawn_claude_session", arguments: { task } });
    const headers = await begin(door);
    await tornOff(door, { body, headers }, started);
    using store = home.store();
    const log = () => {
      const batchId = store.list()[0]?.batchId;
      return batchId === undefined ? undefined : store.batch(batchId);
    };
    await eventually(
      () => log()?.state.leash === undefined,
      () => "the batch was not handed over",
    );
    // Its files go where the user looks for them.
    expect(log()?.state).toMatchObject({ outputDirectory: home.output, counts: { running: 1 } });
    await Bun.write(gate, "");
    await eventually(
      () => log()?.state.endedAt !== undefined,
      () => "the batch does not end",
    );
    expect(store.list()[0]?.counts).toMatchObject({ succeeded: 1, cancelled: 0 });
    expect(store.list()[0]?.cancelledBy).toBeUndefined();
  });
}

test("2025-11-25: a cancellation over HTTP still cancels", async () => {
  await using home = new Home();
  await using door = await open(home);
  const session = await newSession(door);
  const started = home.file("started");
  const task = `[[touch path=${started}]] [[hang]]`;
  const call = post(
    door,
    message("tools/call", { name: "spawn_claude_session", arguments: { task } }),
    session,
  );
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  const params = { requestId: 1, reason: "The user changed his mind." };
  const cancelled = JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  expect((await post(door, cancelled, session)).status).toBe(202);
  await home.empty({ but: door.process.pid });
  using store = home.store();
  expect(store.list()[0]).toMatchObject({ cancelledBy: "client", counts: { cancelled: 1 } });
  await (await call).body?.cancel();
});

for (const host of ["0.0.0.0", "[::]"]) {
  test(`with leave it listens on ${host}, and prints an address that a client here can use`, async () => {
    await using home = new Home({ PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP: "true" });
    await using door = await open(home, `${host}:0`);
    expect(new URL(door.url).hostname).toBe(host === "[::]" ? "[::1]" : "127.0.0.1");
    expect((await post(door, list)).status).toBe(200);
    expect((await post(door, list, { Authorization: "Bearer no" })).status).toBe(401);
  });
}

testNeeding("signals that can be heard")(
  "after SIGTERM the door itself ends with status 0, and its batch is cancelled",
  async () => {
    await using home = new Home();
    await using door = await open(home);
    const started = home.file("started");
    const task = `[[touch path=${started}]] [[ignore-everything]] [[hang]]`;
    const params = { name: "spawn_claude_session", arguments: { task } };
    const call = post(door, message("tools/call", params), await newSession(door));
    call.then((response) => response.text()).catch(() => undefined);
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    door.process.signal("SIGTERM");
    expect(await door.process.ended()).toBe(0);
    await home.empty();
    using store = home.store();
    expect(store.list()[0]).toMatchObject({ cancelledBy: "client", counts: { cancelled: 1 } });
  },
);

test("128 streams of notifications are served, each told of a new batch; the next one is refused", async () => {
  await using home = new Home();
  await using door = await open(home);
  const streams = new AbortController();
  const listen = async (id: number) =>
    fetch(door.url, {
      method: "POST",
      body: JSON.stringify({
        jsonrpc: "2.0",
        id,
        method: "subscriptions/listen",
        params: { notifications: { resourcesListChanged: true }, _meta: modernMeta },
      }),
      headers: {
        ...door.headers,
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "subscriptions/listen",
      },
      signal: streams.signal,
    });
  const open128 = await Promise.all(Array.from({ length: 128 }, (_, index) => listen(index + 1)));
  expect(new Set(open128.map(({ headers }) => headers.get("content-type")))).toEqual(
    new Set(["text/event-stream"]),
  );
  const refused = await (await listen(129)).text();
  expect(refused).toContain('"error"');
  const heard = told(open128[0]);
  await post(door, message("tools/call", { name: "spawn_claude_session", arguments: { task: "hello" } }));
  await heard;
  streams.abort();
});

test("a client of 2025-11-25 is told of a new batch over HTTP", async () => {
  await using home = new Home();
  await using door = await open(home);
  const session = await newSession(door);
  const stream = new AbortController();
  // Its headers come with its first event only: nothing to wait for before the call.
  const opened = fetch(door.url, { headers: { ...door.headers, ...session }, signal: stream.signal });
  const call = message("tools/call", { name: "spawn_claude_session", arguments: { task: "hello" } });
  await (await post(door, call, session)).text();
  await told(await opened);
  stream.abort();
});

const uri = z.object({ uri: z.string() });

for (const era of ["2026-07-28", "2025-11-25"] as const) {
  test(`a client of ${era} is told over HTTP of what it has asked to be told of, and of nothing else`, async () => {
    await using home = new Home();
    await using door = await open(home);
    const modern = era === "2026-07-28";
    const session = modern ? {} : await newSession(door);
    const gate = home.file("gate");
    const tasks = [`[[wait-for-file path=${gate}]]`, "hello"];
    const input = { tasks, asyncMode: true };
    const call = message("tools/call", { name: "spawn_parallel_claude_sessions", arguments: input });
    await (await post(door, call, session)).text();
    using store = home.store();
    const wanted = `batch://${store.list()[0]?.batchId}/tasks/1`;
    const stream = new AbortController();
    const { signal } = stream;
    const notifications = { resourceSubscriptions: [wanted] };
    const method = "subscriptions/listen";
    const opened = modern
      ? fetch(door.url, {
          method: "POST",
          body: message(method, { notifications, _meta: modernMeta }),
          headers: { ...door.headers, "MCP-Protocol-Version": era, "Mcp-Method": method },
          signal,
        })
      : fetch(door.url, { headers: { ...door.headers, ...session }, signal });
    if (!modern) await (await post(door, message("resources/subscribe", { uri: wanted }), session)).text();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 1,
      () => "the other task does not end",
    );
    await Bun.write(gate, "");
    const { params } = await heard(await opened, "notifications/resources/updated");
    expect(uri.parse(params).uri).toBe(wanted);
    stream.abort();
  });
}

test("512 requests are served at once, and the next one is sent away until one of them has ended", async () => {
  await using home = new Home();
  await using door = await open(home);
  // Requests whose bodies do not come: they cost next to nothing, and last as long as their sockets.
  const sockets = await Promise.all(Array.from({ length: 512 }, () => halfRequest(door)));
  while ((await statusOf(door)) !== 503);
  const response = await post(door, list);
  expect(response.headers.get("retry-after")).toBe("5");
  expect(await response.text()).toContain("Too many requests at once");
  sockets.pop()?.destroy();
  while ((await statusOf(door)) !== 200);
  for (const socket of sockets) socket.destroy();
});

async function statusOf(door: Door): Promise<number> {
  const response = await post(door, list);
  await response.text();
  return response.status;
}

async function halfRequest(door: Door): Promise<Socket> {
  const { hostname, port } = new URL(door.url);
  const socket = connect(Number(port), hostname);
  const headers = { ...door.headers, Host: `${hostname}:${port}`, "Content-Length": "100" };
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
  // That the door closes it at the end is as it should be.
  socket.on("error", () => undefined);
  await new Promise<void>((written) =>
    socket.write(`POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n{`, () => written()),
  );
  return socket;
}

const notification = z.object({ method: z.string(), params: z.record(z.string(), z.unknown()).optional() });

/** The first notification of its kind on a stream. */
async function heard(response: Response | undefined, kind: string): Promise<z.infer<typeof notification>> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of response?.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    // What stands behind the last newline has not come whole.
    for (const line of text.split("\n").slice(0, -1)) {
      const { data } = notification.safeParse(line.startsWith("data: {") ? JSON.parse(line.slice(6)) : {});
      if (data?.method === kind) return data;
    }
  }
  throw new Error(`The stream ended, and said ${text}`);
}

/** Waits until a stream tells that there are other batches than before. */
async function told(response: Response | undefined): Promise<void> {
  await heard(response, "notifications/resources/list_changed");
}
