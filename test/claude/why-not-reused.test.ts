// Which sessions may give their process to another task: a row for each reason why not.
import { describe, expect, test } from "bun:test";
import { LineCutter } from "../../src/claude/lines.ts";
import { applyLine, newReading, type Reading } from "../../src/claude/reading.ts";
import { mostTasks, whyChanged, whyNotReused } from "../../src/claude/why-not-reused.ts";
import { type SessionOptionsInput, sessionOptions } from "../../src/model/options.ts";

type Fields = Record<string, unknown>;

const init: Fields = {
  type: "system",
  subtype: "init",
  session_id: "one",
  model: "opus",
  cwd: "/work",
  permissionMode: "default",
  claude_code_version: "2.1.332",
  tools: ["Bash", "Read"],
  agents: ["Plan"],
  mcp_servers: [],
};
const result: Fields = { type: "result", subtype: "success", result: "done", num_turns: 1, result_index: 0 };
const calls = (name: string): Fields => ({
  type: "assistant",
  message: { content: [{ type: "tool_use", name }] },
});
const listed = (...ids: string[]): Fields => ({
  type: "system",
  subtype: "background_tasks_changed",
  tasks: ids.map((task_id) => ({ task_id, task_type: "local_bash" })),
});

function read(lines: Fields[]): Reading {
  const reading = newReading();
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  for (const line of new LineCutter().push(new TextEncoder().encode(text))) applyLine(reading, line);
  return reading;
}

interface Given {
  lines?: Fields[];
  options?: SessionOptionsInput;
  process?: Partial<Omit<Parameters<typeof whyNotReused>[0], "reading" | "options">>;
}

function why({ lines = [init, result], options = {}, process = {} }: Given = {}): string | undefined {
  return whyNotReused({
    reading: read(lines),
    options: sessionOptions.parse({ reuseSessions: "auto", ...options }),
    tasks: 1,
    hasHooks: false,
    hasOwnClear: false,
    hasWarned: false,
    hasChanged: false,
    bytes: { now: 200, first: 200 },
    ...process,
  });
}

test("a session that has answered, and has left nothing, may", () => {
  expect(why()).toBeUndefined();
  expect(why({ lines: [init, calls("Bash"), listed(), result] })).toBeUndefined();
  expect(why({ process: { tasks: mostTasks - 1, bytes: { now: 800e6, first: 400e6 } } })).toBeUndefined();
  // Nobody has measured it, or too early.
  expect(why({ process: { bytes: { now: 900e6, first: 0 } } })).toBeUndefined();
  expect(why({ process: { bytes: { now: 280e6, first: 5e6 } } })).toBeUndefined();
});

const limit = { type: "rate_limit_event", rate_limit_info: { status: "rejected" } };
const rows: [string, Given][] = [
  ["it was asked for one task alone", { options: { reuseSessions: "never" } }],
  ["it has the option `mcpConfig`", { options: { mcpConfig: { mcpServers: {} } } }],
  ["it has the option `claudeArguments`", { options: { claudeArguments: ["--x"] } }],
  ["it has the option `resumeSessionId`", { options: { resumeSessionId: crypto.randomUUID() } }],
  ["it has the option `agent`", { options: { agent: "Plan" } }],
  ["its tasks may be commands of Claude Code", { options: { slashCommands: true } }],
  ["a command checks its answer", { options: { expect: { command: "true" } } }],
  ["it has not answered", { lines: [init] }],
  ["it has not answered", { lines: [init, result, init] }],
  ["it has not answered", { lines: [] }],
  ["its version is not known", { lines: [{ ...init, claude_code_version: undefined }, result] }],
  ["it is older than 2.1.309", { lines: [{ ...init, claude_code_version: "2.1.308" }, result] }],
  ["its task failed", { lines: [init, { ...result, is_error: true }] }],
  ["its task failed", { lines: [init, { ...result, subtype: "error_max_turns" }] }],
  ["its task failed", { lines: [init, { ...result, subtype: "error_during_execution" }] }],
  ["it had more than one turn", { lines: [init, result, init, { ...result, result_index: 1 }] }],
  [
    "it had more than one turn",
    { lines: [init, { ...result, origin: { kind: "peer" } }, { ...result, result_index: 1 }] },
  ],
  ["some of what it did was lost", { lines: [init, { ...result, result_index: 1 }] }],
  [
    "some of what it did was lost",
    { lines: [init, result, { type: "system", subtype: "session_writes_lost", lost: ["transcript"] }] },
  ],
  ["it had work in the background", { lines: [init, listed("b1"), listed(), result] }],
  ["it had work in the background", { lines: [init, listed("b1"), result] }],
  ["it called CronCreate", { lines: [init, calls("CronCreate"), result] }],
  ["it called EnterWorktree", { lines: [init, calls("EnterWorktree"), result] }],
  ["it called ScheduleWakeup", { lines: [init, calls("ScheduleWakeup"), result] }],
  ["it called Monitor", { lines: [init, calls("Monitor"), result] }],
  ["it called EnterPlanMode", { lines: [init, calls("EnterPlanMode"), result] }],
  [
    "it changed to another model",
    {
      lines: [
        init,
        { type: "system", subtype: "model_fallback", original_model: "a", fallback_model: "b" },
        result,
      ],
    },
  ],
  ["a limit is reached", { lines: [init, result, limit] }],
  ["it works in another directory", { lines: [init, { ...init, cwd: "/work/tree" }, result] }],
  ["it has another permission mode", { lines: [init, { ...init, permissionMode: "plan" }, result] }],
  ["it has another model", { lines: [init, { ...init, model: "haiku" }, result] }],
  ["it has hooks", { process: { hasHooks: true } }],
  ["it has written to its standard error", { process: { hasWarned: true } }],
  ["somebody has another command `/clear`", { process: { hasOwnClear: true } }],
  ["it has hooks", { lines: [init, { type: "system", subtype: "hook_started" }, result] }],
  ["it has MCP servers", { lines: [{ ...init, mcp_servers: [{ name: "a" }] }, result] }],
  ["it has run 20 tasks", { process: { tasks: 20 } }],
  ["it uses much more memory than at first", { process: { bytes: { now: 801e6, first: 400e6 } } }],
  ["the settings or agents of its directory have changed", { process: { hasChanged: true } }],
];

describe("its process ends, because", () => {
  test.each(rows)("%s: %#", (reason, given) => {
    expect(why(given)).toBe(reason);
  });
});

test("what `/clear` says must be what the process said first", () => {
  const introduction = (more: Fields) => {
    const { began } = read([{ ...init, ...more }]);
    if (!began) throw new Error("There is no introduction");
    return began;
  };
  const before = introduction({});
  expect(whyChanged(before, introduction({ session_id: "two", skills: ["new"] }))).toBeUndefined();
  expect(whyChanged(before, introduction({ tools: ["Bash"] }))).toBe("it has other tools");
  expect(whyChanged(before, introduction({ agents: [] }))).toBe("it has other agents");
  expect(whyChanged(before, introduction({ mcp_servers: [{ name: "a" }] }))).toBe("it has other MCP servers");
});
