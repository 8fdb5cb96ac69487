// The servers behind the HTTP door, counted in this process: one for each session, and none for what was refused.
import { expect, test } from "bun:test";
import { type HttpDoor, openHttp } from "../src/doors/http.ts";
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
      const server = newServer({ context, ...connection }, { tells });
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

const params = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

async function post(
  { door }: Counted,
  { method = "initialize", headers = {} }: { method?: string; headers?: Record<string, string> },
): Promise<Response> {
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
  await response.text();
  return response;
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
