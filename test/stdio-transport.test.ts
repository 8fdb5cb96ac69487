// The transport on standard input and output, on wires of the test's own: what it still waits for at the end of input, and
// to whom it answers that a message is too long. With a wait of ten minutes, whoever waited in vain would fail the test.
import { describe, expect, test } from "bun:test";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { StdioTransport } from "../src/doors/mcp/stdio/transport.ts";

const tenMinutesMs = 600_000;

/** Gives the transport these lines and the end of input, and waits until it closes. */
async function endOf(
  lines: (object | string)[],
  answers: (message: JSONRPCMessage, transport: StdioTransport) => void = () => undefined,
): Promise<Record<string, unknown>[]> {
  const written: string[] = [];
  async function* input() {
    for (const line of lines)
      yield Buffer.from(`${typeof line === "string" ? line : JSON.stringify({ jsonrpc: "2.0", ...line })}\n`);
  }
  const output = { write: (text: string) => written.push(text), flush: () => undefined };
  const transport = new StdioTransport(() => undefined, {
    input: input(),
    output,
    drainMs: tenMinutesMs,
  });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  transport.onclose = resolve;
  transport.onmessage = (message) => answers(message, transport);
  await transport.start();
  await closed;
  return written.map((text): Record<string, unknown> => JSON.parse(text));
}

const call = (id: string | number) => ({ id, method: "tools/call", params: {} });
const cancel = (requestId: unknown) => ({ method: "notifications/cancelled", params: { requestId } });

describe("at the end of input", () => {
  test("a request in progress is waited for", async () => {
    const answered = await endOf([call(1)], (_, transport) => {
      setTimeout(() => void transport.send({ jsonrpc: "2.0", id: 1, result: {} }));
    });
    expect(answered).toEqual([{ jsonrpc: "2.0", id: 1, result: {} }]);
  });

  test("one that was cancelled is not, for nobody answers it", async () => {
    expect(await endOf([call(1), call("two"), cancel(1), cancel("two")])).toEqual([]);
  });

  test("a stream of notifications is not, for it is answered when it ends", async () => {
    expect(await endOf([{ id: 1, method: "subscriptions/listen", params: {} }])).toEqual([]);
  });

  test("a cancellation of nothing, or of another request, takes nobody's answer away", async () => {
    const answered = await endOf(
      [cancel({}), cancel(7), { method: "notifications/cancelled" }, call(1)],
      (message, transport) => {
        if ("id" in message) setTimeout(() => void transport.send({ jsonrpc: "2.0", id: 1, result: {} }));
      },
    );
    expect(answered).toHaveLength(1);
  });
});

describe("a message over 10 MB is answered", () => {
  const long = "x".repeat(11 * 1024 * 1024);
  const deep = { nested: { id: 99, text: '"id":98}' }, list: [{ id: 97 }] };
  const error = { code: -32_700, message: "The message is longer than 10 MB." };
  const cases: [what: string, line: string, id: string | number | undefined][] = [
    [
      "with the id that it begins with",
      JSON.stringify({ jsonrpc: "2.0", id: 5, method: "m", params: { long } }),
      5,
    ],
    [
      "with the id that it ends with",
      JSON.stringify({ method: "m", params: { ...deep, long }, jsonrpc: "2.0", id: 'a"b' }),
      'a"b',
    ],
    [
      "with the id before its last fields",
      JSON.stringify({ params: { long, ...deep }, id: 7, jsonrpc: "2.0", method: "m" }),
      7,
    ],
    ["with an id between blanks", `{ "id" : 12 , "method" : "m", "params" : "${long}" }`, 12],
    ["with its own id and none of what it holds", JSON.stringify({ params: { ...deep, long }, id: 3 }), 3],
    [
      "without an id where it has none",
      JSON.stringify({ method: "m", params: { id: 4, long, last: { id: 5 } } }),
      undefined,
    ],
    [
      "without an id where one only seems to be there",
      JSON.stringify({ method: "m", params: { long }, text: ',"id":6}' }),
      undefined,
    ],
    ["without an id where it is no JSON", long, undefined],
  ];
  for (const [what, line, id] of cases) {
    test(what, async () => {
      expect(await endOf([line])).toEqual([{ jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error }]);
    });
  }
});
