// Each line of bad input that users make: one message, before anything runs.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { configurationFolder, connectNew, Home, run } from "./harness.ts";

/** What was given, as a function of the home, and what the message must name. */
type Case = [
  what: string,
  input: (home: Home) => Record<string, unknown>,
  named: (home: Home) => string[],
  more?: Record<string, string>,
];

/** A directory that every machine has, and no home. */
const systemDirectory = process.platform === "win32" ? "C:\\Windows" : "/usr";

const table: Case[] = [
  ["no tasks at all", () => ({}), () => ["tasks is missing"]],
  ["an empty list of tasks", () => ({ tasks: [] }), () => ["tasks", "at least one task"]],
  ["an empty task", () => ({ tasks: ["fine", "  "] }), () => ["tasks[1]", "must not be empty"]],
  ["a task that is a number", () => ({ tasks: [4] }), () => ["tasks[0]", "4", "expected text or an object"]],
  ["an unknown option", () => ({ tasks: ["x"], modell: "opus" }), () => ["modell is not known", "`model`"]],
  [
    "an unknown option of a task",
    () => ({ tasks: ["x", "y", "z", { task: "x", alowedTools: "Read" }] }),
    () => ["tasks[3].alowedTools", "`allowedTools`"],
  ],
  [
    "a value that is not accepted",
    () => ({ tasks: ["x"], effort: "huge" }),
    () => ["effort", '"huge"', "low, medium, high"],
  ],
  ["a negative number", () => ({ tasks: ["x"], maxTurns: 0 }), () => ["maxTurns", "0"]],
  [
    "a working directory that does not exist",
    (home) => ({ tasks: [{ task: "x", workingDirectory: home.file("nowhere") }] }),
    (home) => ["tasks[0].workingDirectory", home.file("nowhere"), "does not exist"],
  ],
  [
    "a directory outside the allowed roots",
    () => ({ tasks: ["x"], workingDirectory: systemDirectory }),
    (home) => [`workingDirectory ${systemDirectory}`, "outside the allowed roots", home.path, "allowedRoots"],
  ],
  [
    "an output directory that cannot be written",
    (home) => ({ tasks: ["x"], outputDirectory: home.file("a-file/results") }),
    (home) => ["outputDirectory", home.file("a-file/results"), "cannot be written"],
  ],
  [
    "bypassPermissions without the operator's permission",
    () => ({ tasks: ["x"], permissionMode: "bypassPermissions" }),
    () => ["permissionMode", "operator", "allowBypassPermissions", "allowedTools"],
  ],
  [
    "a fork of nothing",
    () => ({ tasks: ["x"], forkSession: true }),
    () => ["forkSession requires `resumeSessionId`"],
  ],
  [
    "an MCP configuration that is not there",
    (home) => ({ tasks: ["x"], mcpConfig: home.file("mcp.json") }),
    (home) => [`Nothing was done`, `mcpConfig ${home.file("mcp.json")} does not exist`],
  ],
  [
    "bypassPermissions by way of settings or of an agent",
    () => ({
      tasks: ["x"],
      settings: { permissions: { defaultMode: "bypassPermissions" } },
      agents: { a: { description: "d", prompt: "p", permissionMode: "bypassPermissions" } },
    }),
    () => ["settings.permissions.defaultMode", "agents.a.permissionMode", "allowBypassPermissions"],
  ],
  [
    "an MCP configuration without servers",
    () => ({ tasks: ["x", { task: "y", mcpConfig: '{"docs": {"command": "x"}}' }], mcpConfig: {} }),
    () => ["- mcpConfig has no `mcpServers`", "tasks[1].mcpConfig has no `mcpServers`"],
  ],
  [
    "an MCP configuration in a file that is not JSON",
    (home) => ({ tasks: ["x"], mcpConfig: home.file("broken.json") }),
    (home) => [`mcpConfig ${home.file("broken.json")} is not JSON`],
  ],
  [
    "agents without a prompt, or whose tools are no list, and rules and models that do not exist, in agents and settings",
    () => ({
      tasks: ["x"],
      agents: {
        one: { description: "d" },
        two: { description: "d", prompt: "p", tools: "Read" },
        three: { description: "", prompt: "p" },
        four: { description: "d", prompt: "p", model: "gpt-4" },
        five: { description: "d", prompt: "p", model: "Inherit", disallowedTools: "Bash" },
        six: { description: "d", prompt: "p", disallowedTools: ["bash"] },
      },
      settings: { permissions: { deny: ["bash"] } },
    }),
    () => [
      "agents.one.prompt is missing: expected text; an agent needs `description` and `prompt`",
      'agents.two.tools was given as "Read": expected a list\n',
      'agents.three.description was given as "": must not be empty',
      'agents.four.model was given as "gpt-4": expected an alias',
      'agents.five.disallowedTools was given as "Bash": expected a list\n',
      "agents.six.disallowedTools names bash, and no tool has this name; did you mean `Bash`?",
      "settings.permissions.deny names bash, and no tool has this name; did you mean `Bash`?",
    ],
  ],
  [
    "settings that are no JSON object",
    (home) => ({ tasks: ["x", { task: "y", settings: "{ broken" }], settings: home.file("broken.json") }),
    (home) => [
      `settings ${home.file("broken.json")} is not a JSON object`,
      "tasks[1].settings is not a JSON",
    ],
  ],
  [
    "a source of settings that does not exist",
    () => ({ tasks: ["x", { task: "y", settingSources: "user,home" }], settingSources: ["global"] }),
    () => ["settingSources", "user, project, local", "tasks[1].settingSources"],
  ],
  [
    "arguments for claude without the operator's permission",
    () => ({ tasks: ["x"], claudeArguments: ["--betas=x"] }),
    () => ["claudeArguments requires the operator's permission", "allowClaudeArguments"],
  ],
  [
    "a rule whose parenthesis is not closed",
    () => ({ tasks: ["x", { task: "y", allowedTools: ["Read", "Bash(ls))"] }], disallowedTools: "Bash(rm" }),
    () => [
      'disallowedTools has a rule whose parentheses do not match: "Bash(rm"',
      'tasks[1].allowedTools has a rule whose parentheses do not match: "Bash(ls))"',
    ],
  ],
  [
    "a NUL in a text",
    (home) => ({
      tasks: ["x", { task: "y", name: "a\0b" }],
      appendSystemPrompt: "a\0b",
      addDirectories: [`${home.path}\0`],
      settings: "a\0b",
    }),
    () => [
      "appendSystemPrompt contains a NUL",
      "addDirectories contains a NUL",
      "settings contains a NUL",
      "tasks[1].name contains a NUL",
    ],
  ],
  [
    "a text that no argument can hold",
    () => ({
      tasks: ["x"],
      mcpConfig: { mcpServers: { a: { command: "sh", args: ["y".repeat(130_000)] } } },
    }),
    () => ["mcpConfig is longer than 120,000 bytes, the most that one argument may have; shorten it"],
  ],
  [
    "an agent and a system prompt that no argument can hold",
    () => ({
      tasks: ["x", { task: "y", agents: { a: { description: "d", prompt: "y".repeat(130_000) } } }],
      systemPrompt: "y".repeat(130_000),
    }),
    () => ["2 problems", "systemPrompt is longer than", "tasks[1].agents is longer than"],
  ],
  [
    "texts where paths belong",
    (home) => ({
      tasks: ["x", { task: "y", workingDirectory: `${home.path}/${"d".repeat(300)}` }],
      settings: `a: ${"b".repeat(300)}`,
      mcpConfig: `a: ${"b".repeat(300)}`,
      outputDirectory: home.file("c".repeat(300)),
    }),
    () => [
      "4 problems",
      "tasks[1].workingDirectory",
      "settings",
      "mcpConfig",
      "is longer than a path may be",
      "outputDirectory",
    ],
  ],
  [
    "restricted mode with tools that run code",
    () => ({ tasks: ["x", { task: "y", tools: "Read,Bash(ls),WebFetch" }], restricted: true }),
    () => ["tasks[1].tools names Bash, WebFetch, which `restricted` is there to keep away"],
  ],
  [
    "several faults at once",
    (home) => ({
      tasks: [""],
      effort: "huge",
      workingDirectory: home.file("nowhere"),
      outputDirectory: home.output,
      colour: "red",
    }),
    () => ["problems", "tasks[0]", "effort", "colour is not known"],
  ],
];

/** Windows has no such devices, and its ways of finding a command are left to Claude Code. */
const tableElsewhere: Case[] = [
  [
    "MCP servers whose commands are not there",
    () => ({
      tasks: ["x"],
      mcpConfig: {
        mcpServers: {
          one: { command: "/nowhere/server" },
          two: { command: "no-such-command-anywhere" },
          three: "npx",
          four: {},
          fine: { command: "sh" },
          remote: { type: "http", url: "http://127.0.0.1:9" },
        },
      },
    }),
    () => [
      "4 problems",
      "mcpServers.three has neither `command` nor `url`",
      "mcpServers.four has neither `command` nor `url`",
      "mcpServers.one.command /nowhere/server is not an executable file",
      "mcpServers.two.command no-such-command-anywhere was not found on the sessions' PATH",
    ],
  ],
  [
    "settings and MCP servers in what is no regular file",
    () => ({ tasks: ["x"], settings: "/dev/zero", mcpConfig: "/dev/zero", env: "/dev/zero" }),
    () => [
      "settings /dev/zero is not a file",
      "mcpConfig /dev/zero is not a file",
      "env was given as a text",
    ],
    { PARALLEL_CLAUDE_ALLOWED_ROOTS: ["/tmp", "/dev"].join(delimiter) },
  ],
];

for (const [cases, tester] of [
  [table, test],
  [tableElsewhere, testNeeding("a system other than Windows")],
] as const)
  for (const [what, input, named, more] of cases) {
    tester(`${what} is answered with one message that names the place, and nothing runs`, async () => {
      await using home = new Home(more);
      await Bun.write(home.file("a-file"), "");
      await Bun.write(home.file("broken.json"), "{ broken");
      await using client = await connectNew(home);
      const { isError, text } = await client.call("spawn_parallel_claude_sessions", input(home));
      expect(isError).toBe(true);
      for (const words of named(home)) expect(text).toContain(words);
      expect(existsSync(home.startsLog)).toBe(false);
      expect(existsSync(home.state)).toBe(false);
      expect(existsSync(home.output)).toBe(false);
    });
  }

test("arguments that would break the session, or have an option of their own, are refused", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_ALLOW_CLAUDE_ARGUMENTS: "true" });
  await using client = await connectNew(home);
  const ask = (claudeArguments: string[]) =>
    client.call("spawn_claude_session", { task: "[[args]]", claudeArguments });
  for (const argument of ["--output-format=text", "-p", "--print", "--session-id=x", "-cfoo", "--bg"])
    expect((await ask([argument])).text).toContain(`claudeArguments[0] ${argument}: this program sets it`);
  for (const argument of [
    "--inherit-permission-mode=bypassPermissions",
    "--managed-settings={}",
    "--rc=x",
    "--remote=x",
    "--teleport=x",
    "--sdk-url=ws://127.0.0.1:9",
    "--attach-serve=x",
    "--await-initialize",
    "--messaging-socket-path=/x",
    "--some-option-of-tomorrow",
  ])
    expect((await ask([argument])).text).toContain("is not on the list of arguments that leave permissions");
  expect((await ask(["--dangerously-skip-permissions"])).text).toContain("use the option `permissionMode`");
  for (const argument of ["Read", "--", "x=y"])
    expect((await ask([argument])).text).toContain("write an option with its value after `=`");
  expect((await ask(["--exclude-dynamic-system-prompt-sections", "--betas=one"])).text).toContain(
    "--exclude-dynamic-system-prompt-sections",
  );
});

test("restricted mode is refused where Claude Code does not know it, before anything has run", async () => {
  await using home = new Home({ FAKE_CLAUDE_VERSION: "2.1.247" });
  await using client = await connectNew(home);
  const refused = await client.call("spawn_claude_session", { task: "x", restricted: true });
  expect(refused).toMatchObject({ isError: true });
  expect(refused.text).toContain("restricted requires Claude Code 2.1.248 or newer, and this is 2.1.247");
  expect(existsSync(home.startsLog)).toBe(false);
});

testNeeding("a machine without claude")(
  "a claude that is nowhere is answered with the places searched and how to install it",
  async () => {
    await using home = new Home({ PATH: "/nonexistent-one:/nonexistent-two", SHELL: "/bin/false" });
    const { code, err } = await run(home, ["run", "x"]);
    expect(code).toBe(2);
    for (const words of [
      "/nonexistent-one",
      "/nonexistent-two",
      join(home.path, ".local/bin"),
      "npm install -g",
    ]) {
      expect(err).toContain(words);
    }
  },
);

test("a server that stands in / asks for a working directory", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_WORKING_DIRECTORY: "/" });
  await using client = await connectNew(home);
  const { text } = await client.call("spawn_claude_session", { task: "x" });
  expect(text).toContain("workingDirectory is missing");
  const { data } = await client.call("spawn_claude_session", {
    task: "[[cwd]]",
    workingDirectory: home.work,
  });
  expect(data).toMatchObject({ result: home.work });
});

test("a configuration that cannot be read is named with its place", async () => {
  await using home = new Home({ XDG_CONFIG_HOME: "" });
  const directory = join(home.path, configurationFolder, "parallel-claude-code-mcp");
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "config.json");
  await Bun.write(file, "{ broken");
  const { code, err } = await run(home, ["run", "x"]);
  expect(code).toBe(2);
  expect(err).toContain(file);
});
