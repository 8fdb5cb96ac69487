// A session forgets its conversation by `/clear`: what it must say for its process to be used again.
import { describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { Clearing } from "../../src/claude/clearing.ts";
import { answersOf } from "../../src/claude/reading.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { Inside } from "../inside.ts";

const init = {
  type: "system",
  subtype: "init",
  session_id: "one",
  cwd: "/work",
  permissionMode: "default",
  model: "opus",
  tools: ["Bash"],
  agents: [],
  mcp_servers: [],
};
const result = { type: "result", subtype: "success", is_error: false, num_turns: 1, session_id: "one" };
const answer = { ...result, result: "Four", result_index: 0, total_cost_usd: 1 };
const reset = { type: "conversation_reset", session_id: "one" };
const again = { ...init, session_id: "two" };
const cleared = {
  ...result,
  result: "",
  num_turns: 0,
  session_id: "two",
  result_index: 1,
  total_cost_usd: 0,
};

/** A session that has answered and is sent `/clear`. */
function clearingIn(inside: Inside) {
  const transcript = inside.write("t.ndjson", "");
  const says = (...messages: object[]) =>
    appendFileSync(transcript, messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  says(init, answer);
  const before = new TranscriptReader(transcript);
  before.read();
  const { began } = before.reading;
  if (!began) throw new Error("It said nothing");
  const written: string[] = [];
  const exited = Promise.withResolvers<void>();
  const session = { write: (line: string) => void written.push(line), exited: exited.promise };
  const clearing = new Clearing(session, { transcript, reading: before.reading, end: before.end, began });
  return { transcript, says, before, clearing, written, exits: () => exited.resolve() };
}

test("it is sent `/clear`, and the new conversation begins behind what it says to that", async () => {
  using inside = new Inside();
  const { transcript, says, before, clearing, written } = clearingIn(inside);
  using _before = before;
  expect(written.map((line) => JSON.parse(line))).toEqual([
    { type: "user", message: { role: "user", content: "/clear" } },
  ]);
  clearing.read();
  says(reset, again);
  clearing.read();
  says(cleared);
  clearing.read();
  const now = await clearing.ended;
  if (!now) throw new Error("Its process is not used again");
  expect(now).toMatchObject({ sessionId: "two", offset: Bun.file(transcript).size });
  says(again, { ...answer, session_id: "two", result: "Five", result_index: 2, total_cost_usd: 3 });
  using next = now.output;
  next.read();
  const { reading } = next;
  expect(answersOf(reading).map((one) => one.result.result)).toEqual(["Five"]);
  expect(reading).toMatchObject({ lostResults: 0, spending: { total: { costUsd: 3 } } });
  // The one before does not read what is not its own.
  before.read();
  expect(answersOf(before.reading).map((one) => one.result.result)).toEqual(["Four"]);
  expect(before.reading.resetAt).toBe(await beginOfLine(transcript, 2));
});

describe("its process is not used again if it", () => {
  const rows: [string, object[]][] = [
    ["works in another directory", [reset, { ...again, cwd: "/work/tree" }, cleared]],
    ["has another permission mode", [reset, { ...again, permissionMode: "plan" }, cleared]],
    ["has other tools", [reset, { ...again, tools: [] }, cleared]],
    ["goes on in the same conversation", [init, { ...cleared, session_id: "one" }]],
    ["names no conversation", [reset, again, { ...cleared, session_id: undefined }]],
    ["answers as if it was asked", [reset, again, { ...cleared, num_turns: 1 }]],
    ["fails", [reset, again, { ...cleared, is_error: true }]],
    ["runs a hook", [reset, { type: "system", subtype: "hook_started" }, again, cleared]],
    [
      "speaks of work in the background",
      [reset, again, { ...cleared, origin: { kind: "task-notification" } }, cleared],
    ],
    ["begins a turn of its own", [reset, again, cleared, again]],
    [
      "has work in the background",
      [
        reset,
        { type: "system", subtype: "background_tasks_changed", tasks: [{ task_id: "b" }] },
        again,
        cleared,
      ],
    ],
  ];

  test.each(rows)("%s", async (_title, messages) => {
    using inside = new Inside();
    const { says, before, clearing } = clearingIn(inside);
    using _before = before;
    says(...messages);
    clearing.read();
    expect(await clearing.ended).toBeUndefined();
  });

  test("exits, or must end for another reason", async () => {
    using inside = new Inside();
    const one = clearingIn(inside);
    using _one = one.before;
    one.exits();
    expect(await one.clearing.ended).toBeUndefined();
    const other = clearingIn(inside);
    using _other = other.before;
    other.clearing.abandon();
    other.says(reset, again, cleared);
    other.clearing.read();
    expect(await other.clearing.ended).toBeUndefined();
  });
});

/** Where a line of a file begins, in bytes. */
async function beginOfLine(path: string, count: number): Promise<number> {
  const lines = (await Bun.file(path).text()).split("\n").slice(0, count);
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}
