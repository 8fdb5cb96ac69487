import { expect, test } from "bun:test";
import { delimiter, isAbsolute, resolve } from "node:path";
import {
  argumentsFor,
  initializeLine,
  promptLine,
  resumePrompt,
  waitsForInitialize,
} from "../../src/claude/arguments.ts";
import { cleanEnvironment, sessionEnvironment } from "../../src/claude/environment.ts";
import { sessionOptions, toolRuleList } from "../../src/model/options.ts";

const id = "00000000-0000-4000-8000-000000000001";
const argumentsOf = (options: object) => argumentsFor(sessionOptions.parse(options), id);

test("a comma inside parentheses belongs to its rule", () => {
  expect(toolRuleList("Read, Bash(npm run test -- a, b) Edit,,")).toEqual([
    "Read",
    "Bash(npm run test -- a, b)",
    "Edit",
  ]);
  expect(toolRuleList(["Read,Edit", "Bash(a, b)"])).toEqual(["Read", "Edit", "Bash(a, b)"]);
});

test("no MCP server is loaded unless asked", () => {
  expect(argumentsOf({})).toContain("--strict-mcp-config");
  expect(argumentsOf({})).toContain('--mcp-config={"mcpServers":{}}');
  expect(argumentsOf({ mcpConfig: { mcpServers: { a: { command: "x" } } } })).toContain(
    '--mcp-config={"mcpServers":{"a":{"command":"x"}}}',
  );
});

test("no value can be taken for an option, nor swallow what follows", () => {
  const list = argumentsOf({
    allowedTools: "Read,Edit",
    name: "--model x",
    addDirectories: ["/a", "/b"],
    tools: "",
  });
  for (const argument of [
    "--allowedTools=Read,Edit",
    "--name=--model x",
    "--add-dir=/a",
    "--add-dir=/b",
    "--tools=",
  ]) {
    expect(list).toContain(argument);
  }
  expect(list.slice(1).every((argument) => argument.startsWith("--"))).toBe(true);
});

test("a session is resumed under its own id, and forked under a new one", () => {
  expect(argumentsOf({ resumeSessionId: "old" })).toContain("--resume=old");
  expect(argumentsOf({ resumeSessionId: "old" })).not.toContain(`--session-id=${id}`);
  const forked = argumentsOf({ resumeSessionId: "old", forkSession: true });
  for (const argument of ["--resume=old", "--fork-session", `--session-id=${id}`])
    expect(forked).toContain(argument);
});

test("a task that begins with a slash stays text unless slash commands are asked for", () => {
  const contentOf = (prompt: string, slashCommands: boolean) =>
    JSON.parse(promptLine(prompt, sessionOptions.parse({ slashCommands }), "/")).message.content;
  expect(contentOf("/etc is full", false)).toBe(" /etc is full");
  expect(contentOf("/review", true)).toBe("/review");
});

test("a session takes no messages of others unless its settings say otherwise", () => {
  const settingsOf = (options: object) =>
    argumentsOf(options).find((argument) => argument.startsWith("--settings="));
  expect(settingsOf({})).toBe('--settings={"crossSessionInbound":"refuse"}');
  expect(settingsOf({ settings: { model: "opus" } })).toBe(
    '--settings={"crossSessionInbound":"refuse","model":"opus"}',
  );
  expect(settingsOf({ settings: '{"crossSessionInbound":"accept"}' })).toBe(
    '--settings={"crossSessionInbound":"accept"}',
  );
  expect(settingsOf({ settings: "/nowhere.json" })).toBe("--settings=/nowhere.json");
});

test("tools that reach beyond the session are denied, but for those that the caller names", () => {
  const deniedBy = (options: object) =>
    argumentsOf(options).find((argument) => argument.startsWith("--disallowedTools="));
  expect(deniedBy({})).toBe(
    "--disallowedTools=SendMessage,ListAgents,CronCreate,CronDelete,EnterWorktree,ExitWorktree,Monitor,RemoteTrigger,ScheduleWakeup,Workflow",
  );
  const some = deniedBy({
    allowedTools: "SendMessage(x),Read",
    tools: ["Monitor", "Bash"],
    disallowedTools: "Edit,Workflow",
  });
  expect(some).toBe(
    "--disallowedTools=ListAgents,CronCreate,CronDelete,EnterWorktree,ExitWorktree,RemoteTrigger,ScheduleWakeup,Edit,Workflow",
  );
});

test("a rule whose parenthesis is not closed swallows none of ours", () => {
  const denied = argumentsOf({ disallowedTools: "Bash(rm" }).find((one) =>
    one.startsWith("--disallowedTools="),
  );
  expect(denied).toEndWith(",Workflow,Bash(rm");
});

test("every option that claude takes as an argument is one, and what only the runner acts on is none", () => {
  const all = argumentsOf({
    model: "opus",
    fallbackModel: "sonnet,haiku",
    effort: "high",
    agent: "reviewer",
    allowedTools: "Read",
    disallowedTools: "Edit",
    tools: "Read,Edit",
    permissionMode: "acceptEdits",
    maxTurns: 3,
    maxBudgetUsd: 0.5,
    addDirectories: ["/a"],
    name: "one",
    workingDirectory: "/w",
    env: { A: "1" },
    fileMentions: false,
    slashCommands: true,
    retries: 5,
    firstEventTimeoutSeconds: 11,
    idleTimeoutSeconds: 12,
    backgroundWaitSeconds: 13,
    timeoutSeconds: 14,
  });
  expect(all).toEqual([
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--strict-mcp-config",
    '--mcp-config={"mcpServers":{}}',
    `--session-id=${id}`,
    "--model=opus",
    "--fallback-model=sonnet,haiku",
    "--effort=high",
    "--agent=reviewer",
    '--settings={"crossSessionInbound":"refuse"}',
    "--allowedTools=Read",
    expect.stringMatching(/^--disallowedTools=.*,Edit$/),
    "--tools=Read,Edit",
    "--permission-mode=acceptEdits",
    "--max-turns=3",
    "--max-budget-usd=0.5",
    "--add-dir=/a",
    "--name=one",
  ]);
});

test("settings files, restricted mode and arguments of the caller are passed on", () => {
  const list = argumentsOf({
    settingSources: ["user"],
    restricted: true,
    claudeArguments: ["--betas=one"],
  });
  for (const argument of ["--setting-sources=user", "--restricted"]) expect(list).toContain(argument);
  expect(list.at(-1)).toBe("--betas=one");
  expect(argumentsOf({ settingSources: "" })).toContain("--setting-sources=");
  expect(argumentsOf({}).join(" ")).not.toMatch(/--(?:setting-sources|restricted)/);
});

test("what is nobody else's business goes to standard input or into files, and not on the command line", () => {
  const options = sessionOptions.parse({
    systemPrompt: "secret-1",
    appendSystemPrompt: "secret-2",
    agents: { reviewer: { description: "d", prompt: "secret-3" } },
    outputSchema: { type: "object", description: "secret-4" },
    mcpConfig: { mcpServers: { a: { command: "x", env: { TOKEN: "secret-5" } } } },
    settings: { env: { TOKEN: "secret-6" } },
  });
  const aside: string[] = [];
  const list = argumentsFor(options, id, {
    putAside: (kind, text) => {
      aside.push(text);
      return `/private/${kind}`;
    },
  });
  expect(list.join(" ")).not.toContain("secret");
  expect(list).toContain("--mcp-config=/private/servers");
  expect(list).toContain("--settings=/private/settings");
  expect(aside.map((text) => /secret-\d/.exec(text)?.[0])).toEqual(["secret-5", "secret-6"]);
  expect(JSON.parse(initializeLine(options))).toEqual({
    type: "control_request",
    request_id: "begin",
    request: {
      subtype: "initialize",
      systemPrompt: "secret-1",
      appendSystemPrompt: "secret-2",
      agents: { reviewer: { description: "d", prompt: "secret-3" } },
      jsonSchema: { type: "object", description: "secret-4" },
    },
  });
  expect(waitsForInitialize(options)).toBe(true);
  // What is passed has to be taken before the prompt; and an agent, to be there.
  const others = sessionOptions.parse({ mcpConfig: "/a.json" });
  expect(initializeLine(others)).toContain('"request":{"subtype":"initialize"}');
  expect(waitsForInitialize(others)).toBe(false);
  expect(waitsForInitialize(sessionOptions.parse({ agent: "reviewer" }))).toBe(true);
});

test("a slash command that was cut off is given once more as a command, and every other task in words", () => {
  expect(resumePrompt("/review src", { slashCommands: true })).toBe("/review src");
  expect(resumePrompt("/review src", { slashCommands: false })).toEndWith("finish this task:\n\n/review src");
  expect(resumePrompt("Review src", { slashCommands: true })).toEndWith("\n\nReview src");
});

test("a session inherits nothing of Bun, nor of a Claude Code around us", () => {
  const outer = {
    CLAUDECODE: "1",
    CLAUDE_CODE_SSE_PORT: "1",
    BUN_BE_BUN: "1",
    BUN_OPTIONS: "x",
    NODE_OPTIONS: "x",
    AI_AGENT: "x",
    CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS: "x",
    CLAUDE_ENV_FILE: "/x",
    CLAUDE_BG_SOURCE: "x",
  };
  const own = { CLAUDE_CODE_USE_BEDROCK: "1", ANTHROPIC_API_KEY: "k", HOME: "/h" };
  expect(cleanEnvironment({ ...outer, ...own, PARALLEL_CLAUDE_ATTEMPT: "a/1/1/x" })).toEqual(own);
});

test("a session inherits nothing of ours but how deep it is, and does not update the CLI", () => {
  const environment = sessionEnvironment({
    PARALLEL_CLAUDE_MAX_DEPTH: "3",
    PARALLEL_CLAUDE_STATE_DIRECTORY: "/s",
    PARALLEL_CLAUDE_DEPTH: "1",
    HOME: "/h",
  });
  const ours = Object.entries(environment).filter(([name]) => name.startsWith("PARALLEL_CLAUDE_"));
  expect(ours).toEqual([["PARALLEL_CLAUDE_DEPTH", "2"]]);
  expect(environment).toMatchObject({ DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1" });
  expect(sessionEnvironment({ DISABLE_AUTOUPDATER: "0" })).toMatchObject({ DISABLE_AUTOUPDATER: "0" });
});

test("a session's PATH holds only absolute directories, and those that its commands need", () => {
  const own = resolve("/opt/own");
  const { PATH = "" } = sessionEnvironment({ PATH: [".", "", "bin", own].join(delimiter), HOME: "/h" });
  expect(PATH.split(delimiter)[0]).toBe(own);
  if (process.platform !== "win32") expect(PATH.split(":")).toContain("/usr/bin");
  expect(PATH.split(delimiter).every((directory) => isAbsolute(directory))).toBe(true);
});
