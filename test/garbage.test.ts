// What stdin may hold besides good requests: it is answered by the book of JSON-RPC, and the server lives.
import { expect, test } from "bun:test";
import { testNeeding } from "./facilities.ts";
import { garbage, numbersFrom } from "./garbage.ts";
import { eventually, Home, program } from "./harness.ts";

const seed = 20_260_728;

interface Reply {
  id?: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

const ping = `${JSON.stringify({ jsonrpc: "2.0", id: "alive", method: "tools/list", params: {} })}\n`;

/** Sends bytes, then a good request, then the end; gives what was answered and how the server ended. */
async function answersTo(home: Home, ...pieces: (string | Uint8Array)[]) {
  const child = Bun.spawn(program(), {
    cwd: home.work,
    env: home.environment,
    stdin: new Blob([
      ...pieces.map((piece) => (typeof piece === "string" ? piece : piece.slice())),
      "\n",
      ping,
    ]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  const replies = out
    .split("\n")
    .filter(Boolean)
    .map((line): Reply => JSON.parse(line));
  return { code, replies, codes: replies.flatMap(({ error }) => error?.code ?? []) };
}

const message = (fields: object) => JSON.stringify({ jsonrpc: "2.0", ...fields });

const refused: [what: string, input: string | Uint8Array, code: number][] = [
  ["JSON that breaks off", '{"jsonrpc":"2.0","id":1', -32_700],
  ["a line of 11 MB", `"${"x".repeat(11 * 1024 * 1024)}"`, -32_700],
  ["NUL bytes", new Uint8Array(64), -32_700],
  ["half a character of UTF-8", new Uint8Array([0xe2, 0x82]), -32_700],
  ["a version of JSON-RPC that is none", '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', -32_600],
  ["no version", '{"id":1,"method":"tools/list"}', -32_600],
  ["a batch of messages", `[${message({ id: 1, method: "tools/list" })}]`, -32_600],
  ["an empty batch", "[]", -32_600],
  ["a bare value", "42", -32_600],
  ["a method that is a number", message({ id: 1, method: 7 }), -32_600],
  ["parameters that are text", message({ id: 1, method: "tools/list", params: "x" }), -32_600],
  ["an id that is null", message({ id: null, method: "tools/list" }), -32_600],
  ["an id that is an object", message({ id: {}, method: "tools/list" }), -32_600],
  ["an id that is true", message({ id: true, method: "tools/list" }), -32_600],
  ["a method that is unknown", message({ id: 1, method: "no/such", params: {} }), -32_601],
];

for (const [what, input, code] of refused) {
  test(`${what}: refused with ${code}, and the next request is served`, async () => {
    await using home = new Home();
    const { code: status, replies, codes } = await answersTo(home, input);
    expect({ status, codes }).toEqual({ status: 0, codes: [code] });
    expect(replies.find(({ id }) => id === "alive")?.result).toBeDefined();
  });
}

testNeeding("a system other than Windows")(
  "a call in progress at the end of input is answered, though others were answered before",
  async () => {
    await using home = new Home();
    await using child = Bun.spawn(program(), {
      cwd: home.work,
      env: home.environment,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    child.stdin.write(ping);
    child.stdin.flush();
    let said = "";
    const read = (async () => {
      for await (const piece of child.stdout) said += new TextDecoder().decode(piece);
    })();
    await eventually(
      () => said.includes('"alive"'),
      () => said,
    );
    const params = { name: "spawn_claude_session", arguments: { task: "[[hang]]" } };
    child.stdin.write(`${message({ id: "open", method: "tools/call", params })}\n`);
    child.stdin.end();
    await read;
    expect(said).toContain('"id":"open"');
  },
);

test("two requests with one id get two answers", async () => {
  await using home = new Home();
  const twice = `${message({ id: 5, method: "tools/list", params: {} })}\n`;
  const { code, replies } = await answersTo(home, twice, twice);
  expect(code).toBe(0);
  expect(replies.filter(({ id }) => id === 5)).toHaveLength(2);
});

test("notifications and answers that nobody asked for are passed over", async () => {
  await using home = new Home();
  const stray = [
    message({ method: "no/such" }),
    message({ method: "notifications/cancelled", params: { requestId: 99 } }),
    message({ id: 99, result: {} }),
    message({ id: 98, error: { code: 1, message: "x" } }),
  ].join("\n");
  const { code, replies } = await answersTo(home, stray);
  expect(code).toBe(0);
  expect(replies.map(({ id }) => id)).toEqual(["alive"]);
});

test(`300 lines of garbage (seed ${seed}): every answer is a message, and the server lives`, async () => {
  await using home = new Home();
  const { code, replies } = await answersTo(home, ...garbage(numbersFrom(seed), 300));
  expect(code).toBe(0);
  expect(replies.find(({ id }) => id === "alive")?.result).toBeDefined();
});
