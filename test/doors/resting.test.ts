// What servers give back once nobody has asked them for a while.
import { expect, jest, spyOn, test } from "bun:test";
import { ContextAtFirstUse } from "../../src/doors/mcp/context-at-first-use.ts";
import { openHttp } from "../../src/doors/mcp/http/serve.ts";
import { newServer } from "../../src/doors/mcp/server.ts";
import { openUi } from "../../src/doors/ui/server.ts";
import { Store } from "../../src/store/store.ts";
import { Inside } from "../inside.ts";

const token = "secret";
const quietMs = 10_000;

/** How often the memory of a store is given back while somebody asks, and then nobody does. */
async function givenBack(ask: (isRested: () => void) => Promise<void>): Promise<number> {
  using given = spyOn(Store.prototype, "giveMemoryBack");
  jest.useFakeTimers();
  try {
    await ask(() => void jest.advanceTimersByTime(quietMs));
    return given.mock.calls.length;
  } finally {
    jest.useRealTimers();
  }
}

test("the MCP server over HTTP gives back the memory of its store, once it has one, and answers as before", async () => {
  using inside = new Inside();
  const context = inside.context();
  inside.batch(context, { batch: { name: "known" } }).finish();
  const shared = new ContextAtFirstUse(() => context);
  const door = openHttp({ host: "127.0.0.1", port: 0 }, token, {
    server: ({ tells, ...connection }) => newServer({ context: shared, ...connection }, { tells }),
    rests: () => shared.giveMemoryBack(),
  });
  const asked = async (method: string, params: object, sent = token) => {
    const response = await fetch(`http://127.0.0.1:${door.port}/mcp`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${sent}`,
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    return response.text();
  };
  const list = () => asked("tools/call", { name: "list_batches", arguments: {} });
  try {
    const times = await givenBack(async (rested) => {
      await asked("tools/list", {});
      // Nothing was opened for this.
      rested();
      expect(await list()).toContain("known");
      rested();
      // Nobody has asked since.
      rested();
      await asked("tools/list", {}, "wrong");
      rested();
      expect(await list()).toContain("known");
      rested();
    });
    expect(times).toBe(2);
  } finally {
    await door.close();
  }
});

test("the server of `ui` gives back the memory of its store, and shows the same page afterwards", async () => {
  using inside = new Inside();
  const context = inside.context("command-line");
  const batch = inside.batch(context, { batch: { name: "known" } }).finish();
  using server = openUi(context, { port: 0, token });
  const page = async (sent = token) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/batches/${batch.id}`, {
      headers: { Authorization: `Bearer ${sent}` },
    });
    return response.text();
  };
  const times = await givenBack(async (rested) => {
    expect(await page()).toContain("known");
    rested();
    // Nobody has asked since who may.
    await page("wrong");
    rested();
    expect(await page()).toContain("known");
    rested();
    expect(await page()).toContain("known");
    server[Symbol.dispose]();
    rested();
  });
  expect(times).toBe(2);
});
