// Arguments of a call as some clients send them: `null` for none, and an object as its text.
import { expect, test } from "bun:test";
import { callAsMeant } from "../src/doors/mcp/call-as-meant.ts";
import { Home } from "./harness.ts";
import { RawClient } from "./raw-client.ts";

const call = (given: unknown) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "list_batches", arguments: given, _meta: { progressToken: 7 } },
});

test.each([
  [null, {}],
  ["", {}],
  ["{}", {}],
  ['{"limit": 2}', { limit: 2 }],
])("arguments that are %j are %j", (given, meant) => {
  expect(callAsMeant(call(given))).toEqual(call(meant));
});

test("whatever else comes stays as it is", () => {
  const others = [call({ limit: 2 }), call("[1]"), call("limit"), call([]), { method: "ping" }, null, []];
  for (const message of others) expect(callAsMeant(message)).toBe(message);
});

test.each([
  ["tools/call", { name: "list_batches", arguments: [] }, "`arguments` must be an object."],
  ["tools/call", { name: "list_batches", arguments: [1] }, "`arguments` must be an object."],
  ["tools/call", { name: "list_batches", arguments: 5 }, "`arguments` must be an object."],
  ["tools/call", { name: "list_batches", arguments: "[1]" }, "`arguments` must be an object."],
  ["tools/call", { name: 5 }, "`name` must be text."],
  ["tools/call", {}, "`name` is missing: expected text."],
  ["prompts/get", { name: "x", arguments: [] }, "`arguments` must be an object."],
  ["resources/read", { uri: 4 }, "`uri` must be text."],
  ["completion/complete", { ref: 4 }, "`ref` is not valid. `argument` is missing: expected an object."],
])("%s with %j is answered with a sentence", async (method, params, message) => {
  await using home = new Home();
  await using client = new RawClient(home);
  expect(await client.ask(method, params)).toMatchObject({ error: { code: -32602, message } });
});

test("a client that sends them so gets its answer", async () => {
  await using home = new Home();
  await using client = new RawClient(home);
  for (const given of [null, "{}", '{"limit": 1}']) {
    const { result, error } = await client.ask("tools/call", { name: "list_batches", arguments: given });
    expect({ result, error }).toMatchObject({
      result: { structuredContent: { batches: [] } },
      error: undefined,
    });
  }
});
