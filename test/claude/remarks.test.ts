// What is said of a session that did not run as it was asked to.
import { expect, test } from "bun:test";
import { newReading, type Reading } from "../../src/claude/reading.ts";
import { remarksOf } from "../../src/claude/remarks.ts";
import { type SessionOptionsInput, sessionOptions } from "../../src/model/options.ts";
import { resultMessage } from "./result-message.ts";

type Init = NonNullable<Reading["init"]>;

function remarks(
  init: Partial<Init>,
  options: SessionOptionsInput = {},
  change: Partial<Reading> = {},
): string[] {
  const whole: Init = { type: "system", subtype: "init", mcp_servers: [], ...init } as Init;
  return remarksOf(
    { ...newReading(), init: whole, ...change },
    { task: "x", options: sessionOptions.parse(options), workingDirectory: "/", stopped: [], stderr: "" },
  );
}

test("a session that ran as it was asked to gets no remark", () => {
  for (const [model, asked] of [
    ["claude-opus-5-5", "opus"],
    ["claude-opus-5-5", "opus[1m]"],
    ["claude-sonnet-5", "claude-sonnet-5"],
    ["claude-haiku-4-5-20251001", "claude-haiku-4-5"],
    ["claude-sonnet-5", "best"],
    ["claude-sonnet-5", "opusplan"],
    // A gateway's own model, and one of Bedrock, stand behind an alias by the user's own variables.
    ["glm-4.6", "haiku"],
    ["arn:aws:bedrock:eu-west-1:1:inference-profile/x", "sonnet"],
  ] as const)
    expect(remarks({ model }, { model: asked })).toEqual([]);
  expect(remarks({ permissionMode: "default" })).toEqual([]);
  expect(remarks({ permissionMode: "manual" })).toEqual([]);
  expect(remarks({ permissionMode: "plan" }, { permissionMode: "plan" })).toEqual([]);
  const tools = ["Task", "Bash", "Read"];
  expect(remarks({ tools }, { tools: "Agent,Bash,Read" })).toEqual([]);
  expect(remarks({ tools }, { tools: "default" })).toEqual([]);
  expect(remarks({ tools: ["Read"] }, { tools: "Bash,Read", disallowedTools: "Bash" })).toEqual([]);
  expect(remarks({ mcp_servers: [{ name: "a", status: "connected" }] })).toEqual([]);
});

test("another model is named", () => {
  expect(remarks({ model: "claude-sonnet-5" }, { model: "opus" })).toEqual([
    expect.stringContaining('claude-sonnet-5, not with "opus"'),
  ]);
  expect(remarks({ model: "claude-sonnet-4-5" }, { model: "claude-sonnet-5" })).toHaveLength(1);
  const fallbacks = [{ from: "claude-opus-5-5", to: "claude-sonnet-5" }];
  expect(remarks({}, {}, { fallbacks: [...fallbacks, ...fallbacks] })).toEqual([
    expect.stringMatching(/claude-opus-5-5 by claude-sonnet-5\.$/),
  ]);
});

test("another permission mode is named, and who decides", () => {
  expect(remarks({ permissionMode: "auto" })).toEqual([expect.stringMatching(/"auto", not in "default"/)]);
  expect(remarks({ permissionMode: "default" }, { permissionMode: "acceptEdits" })).toHaveLength(1);
});

test("tools that are not there are named, with the right case where there is one", () => {
  const [wrongCase] = remarks({ tools: ["Bash"] }, { tools: "bash" });
  expect(wrongCase).toMatch(/: bash\..*Bash\./);
  const [unknown] = remarks({ tools: ["Bash"] }, { tools: "TodoWrite,Bash" });
  expect(unknown).toMatch(/: TodoWrite\.$/);
});

test("servers that did not start, warnings of the CLI and what was lost are named", () => {
  const mcp_servers = [
    { name: "a", status: "failed" },
    { name: "b", status: "needs-auth" },
    { name: "c", status: "pending" },
  ];
  expect(remarks({ mcp_servers })).toEqual([expect.stringContaining('"a"'), expect.stringContaining('"b"')]);
  const stderr = "Warning: Unknown --effort value 'x'\nnoise\nIgnoring --allowedTools rule \"*\"\n";
  const facts = { task: "x", options: sessionOptions.parse({}), workingDirectory: "/", stopped: [], stderr };
  expect(remarksOf(newReading(), facts)).toEqual([
    "Claude Code said: Warning: Unknown --effort value 'x'",
    'Claude Code said: Ignoring --allowedTools rule "*"',
  ]);
  expect(remarks({}, {}, { lostResults: 2 })).toEqual([
    expect.stringContaining("2 of the session's results"),
  ]);
  expect(remarks({}, {}, { foreignResults: 1 })).toHaveLength(1);
  expect(remarks({}, {}, { isUnsaved: true })).toHaveLength(1);
});

test("what was lost, stopped or not saved is said in whole sentences, the weightiest first", () => {
  const agent = (description: string) => ({ id: description, kind: "agent" as const, description });
  const answer = { result: resultMessage({}), offset: 0, textLength: 1 };
  const reading: Reading = {
    ...newReading(),
    lostResults: 1,
    foreignResults: 2,
    cutAgents: [agent("look"), agent("read")],
    isUnsaved: true,
    earlier: [answer],
    answer: { ...answer, blockedBy: "" },
  };
  const options = sessionOptions.parse({ backgroundWaitSeconds: 7 });
  const stopped = ["serve", "watch"].map((description) => ({
    id: description,
    kind: "command" as const,
    description,
  }));
  const stderr = [
    "Warning: 1",
    "Ignoring 2",
    "a Warning: no",
    `Warning: ${"x".repeat(400)}`,
    "Warning: 4",
  ].join("\n");
  expect(remarksOf(reading, { task: "x", options, workingDirectory: "/", stopped, stderr })).toEqual([
    "Claude Code did not print 1 of the session's results, so part of the answer may be missing.",
    "Another session sent messages to this one. Its replies to them are not part of the result.",
    'Subagents were stopped before they finished: "look", "read".',
    "A UserPromptSubmit hook blocked the turn that reports the end of background work to Claude.",
    "A background command was stopped because it was still running 7 s after the answer: serve, watch. To let such a command finish, set a longer `backgroundWaitSeconds`.",
    "Claude Code could not save the conversation (no space left), so it cannot be resumed.",
    "Claude Code said: Warning: 1",
    "Claude Code said: Ignoring 2",
    `Claude Code said: Warning: ${"x".repeat(291)}`,
  ]);
  // A hook that blocks the task itself is the failure, and no remark.
  const blocked = { ...newReading(), answer: { ...answer, blockedBy: "no" } };
  const facts = { task: "x", options, workingDirectory: "/", stopped: [], stderr: "" };
  expect(remarksOf(blocked, facts)).toEqual([]);
  expect(remarksOf({ ...reading, answer }, facts)).not.toContainEqual(expect.stringContaining("hook"));
});

test("who decides on another permission mode depends on whether one was asked for", () => {
  const [unasked] = remarks({ permissionMode: "auto" });
  expect(unasked).toContain("No mode was requested, so your settings, an administrator's, or the default");
  const [asked] = remarks({ permissionMode: "manual" }, { permissionMode: "plan" });
  expect(asked).toBe(
    'The session ran in permission mode "default", not in "plan". Your settings or an administrator\'s do not allow the requested mode.',
  );
});

test("a server says whether it did not start or wants a login; a model that took over may have no name", () => {
  const mcp_servers = [
    { name: "a", status: "failed" },
    { name: "b", status: "needs-auth" },
  ];
  expect(remarks({ mcp_servers })).toEqual([
    'The MCP server "a" did not start, so its tools were unavailable.',
    'The MCP server "b" requires a login, so its tools were unavailable.',
  ]);
  expect(remarks({}, {}, { fallbacks: [{}] })).toEqual([
    "A model was replaced because it was not available: the model by another.",
  ]);
});

test("files outside that a task mentions are named", () => {
  const options = sessionOptions.parse({});
  const about = { options, workingDirectory: import.meta.dir, stopped: [], stderr: "" };
  expect(remarksOf(newReading(), { ...about, task: "see @/etc/hostname and @types/node" })).toEqual([
    expect.stringContaining(": @/etc/hostname."),
  ]);
});
