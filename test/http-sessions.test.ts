// The servers behind the HTTP door, counted in this process: one for each session, and none for what was refused.
import { expect, test } from "bun:test";
import { ContextAtFirstUse } from "../src/doors/mcp/context-at-first-use.ts";
import { type HttpDoor, openHttp } from "../src/doors/mcp/http/serve.ts";
import { newServer } from "../src/doors/mcp/server.ts";
import { newContext } from "../src/operations/context.ts";

const token = "secret";

interface Counted extends AsyncDisposable {
  door: HttpDoor;
  /** Servers that were made and not closed; each has a timer. */
  alive(): number;
  made(): number;
}

function open(): Counted {
  const context = newContext("tools");
  const alive = new Set<object>();
  let made = 0;
  const door = openHttp({ host: "127.0.0.1", port: 0 }, token, {
    server: ({ tells, ...connection }) => {
      const server = newServer({ context: new ContextAtFirstUse(() => context), ...connection }, { tells });
      made++;
      alive.add(server);
      const closed = server.server.onclose;
      server.server.onclose = () => {
        alive.delete(server);
        closed?.();
      };
      return server;
    },
  });
  return {
    door,
    alive: () => alive.size,
    made: () => made,
    [Symbol.asyncDispose]: async () => {
      await door.close();
      context[Symbol.dispose]();
    },
  };
}

const client = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

async function post(
  { door }: Counted,
  {
    method = "initialize",
    params = client,
    headers = {},
  }: { method?: string; params?: object; headers?: Record<string, string> },
): Promise<Response & { said: string }> {
  const response = await fetch(`http://127.0.0.1:${door.port}/mcp`, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      ...headers,
    },
  });
  return Object.assign(response, { said: await response.text() });
}

/** What the protocol refuses: an answer could not be understood. */
const refused = { headers: { Accept: "application/json" } };

test("2,000 refused initialize requests leave no server and no timer behind", async () => {
  await using counted = open();
  for (let count = 0; count < 2_000; count += 50) {
    const statuses = await Promise.all(Array.from({ length: 50 }, () => post(counted, refused)));
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([406]));
  }
  expect(counted.made()).toBe(2_000);
  expect(counted.alive()).toBe(0);
});

test("an initialize that is refused costs no session its place, and the limit holds whoever comes at once", async () => {
  await using counted = open();
  const first = (await post(counted, {})).headers.get("mcp-session-id") ?? "";
  const others = () => Array.from({ length: 255 }, () => post(counted, {}));
  await Promise.all(others());
  expect(counted.alive()).toBe(256);
  await post(counted, refused);
  const ofFirst = { method: "tools/list", headers: { "Mcp-Session-Id": first } };
  expect((await post(counted, ofFirst)).status).toBe(200);
  await Promise.all(others());
  expect(counted.alive()).toBe(256);
  expect((await post(counted, ofFirst)).status).toBe(200);
});

test("params that do not fit are answered with a sentence, with a session and without one", async () => {
  await using counted = open();
  const headers = { "mcp-session-id": (await post(counted, {})).headers.get("mcp-session-id") ?? "" };
  const call = { method: "tools/call", params: { name: "list_batches", arguments: [] } };
  for (const asked of [call, { ...call, headers }]) {
    const { said } = await post(counted, asked);
    expect(said).toContain('"error":{"code":-32602,"message":"`arguments` must be an object."}');
  }
});

test("a page in a browser is no client: a preflight is refused, and no answer may be read by another origin", async () => {
  await using counted = open();
  const origin = { Origin: "http://localhost:6274" };
  const preflight = await fetch(`http://127.0.0.1:${counted.door.port}/mcp`, {
    method: "OPTIONS",
    headers: {
      ...origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization",
    },
  });
  const answered = await post(counted, { headers: origin });
  expect([preflight.status, answered.status]).toEqual([401, 200]);
  for (const { headers } of [preflight, answered])
    expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
});
