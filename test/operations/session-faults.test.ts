// What is wrong with the options of a session, beyond what a schema says.
import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import type { SessionOptionsInput } from "../../src/model/options.ts";
import { combinedFaults, sessionFaults, versionNeeded } from "../../src/operations/session-faults.ts";
import { settingsWarnings } from "../../src/operations/settings-warnings.ts";
import { textFaults } from "../../src/operations/text-faults.ts";
import { readVariables, variableFaults, variablesIn } from "../../src/operations/variables.ts";
import { readPath } from "../../src/operations/written-path.ts";
import { homeDirectory } from "../../src/platform/paths.ts";
import type { Door } from "../../src/report/option-words.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { inWords } from "./in-words.ts";

function faults(inside: Inside, options: SessionOptionsInput, claudeVersion?: string): string[] {
  const surroundings = { context: inside.context(), claudeVersion, workingDirectory: inside.work };
  return inWords(sessionFaults(options, surroundings)).map((fault) => inside.named(fault));
}

describe("models", () => {
  const expected = "expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model";
  const bad: [model: string, hint?: string][] = [
    ["gpt-4"],
    ["openai/anything"],
    ["o3"],
    ["gemini"],
    ["code-davinci-002"],
    ["Claude Sonnet"],
    ["opsu", "opus"],
    ["Sonet[1m]", "sonnet"],
  ];
  for (const [model, hint] of bad)
    test(`${model} is none`, () => {
      using inside = new Inside();
      expect(faults(inside, { model })).toEqual([
        `model was given as ${JSON.stringify(model)}: ${expected}${hint ? `; did you mean \`${hint}\`?` : ""}`,
      ]);
    });

  const good = [
    "opus",
    "OPUS",
    "sonnet[1m]",
    "default",
    "claude-opus-4-5",
    "o3x",
    "grokking",
    "us.anthropic.claude-x",
  ];
  for (const model of good)
    test(`${model} may be one`, () => {
      using inside = new Inside();
      expect(faults(inside, { model, fallbackModel: ` ${model}, ` })).toEqual([]);
    });

  test("each fallback is looked at", () => {
    using inside = new Inside();
    expect(faults(inside, { fallbackModel: "haiku,, gpt-4 ,grok" })).toEqual([
      `fallbackModel was given as "gpt-4": ${expected}`,
      `fallbackModel was given as "grok": ${expected}`,
    ]);
  });

  const addresses: [what: string, make: (inside: Inside) => SessionOptionsInput][] = [
    ["our environment", () => ({})],
    ["the session's variables", () => ({ env: { ANTHROPIC_DEFAULT_OPUS_MODEL: "x" } })],
    ["its settings", () => ({ settings: { env: { ANTHROPIC_DEFAULT_OPUS_MODEL: "x" } } })],
    ["names of its own", () => ({ settings: { modelOverrides: {} } })],
    [
      "the user's settings",
      (inside) => {
        inside.write("claude/settings.json", '{"env": {"ANTHROPIC_BASE_URL": "https://x"}}');
        return {};
      },
    ],
    [
      "the project's settings",
      (inside) => {
        inside.write("work/.claude/settings.json", '{"env": {"ANTHROPIC_BEDROCK_BASE_URL": "https://x"}}');
        return {};
      },
    ],
    [
      "the project's local settings",
      (inside) => {
        inside.write("work/.claude/settings.local.json", '{"modelOverrides": {"a": "b"}}');
        return {};
      },
    ],
  ];
  for (const [what, make] of addresses)
    test(`any may be one where ${what} names another address`, () => {
      using inside = new Inside();
      const options = make(inside);
      if (what === "our environment") process.env["ANTHROPIC_BASE_URL"] = "https://x";
      const ofModels = faults(inside, { model: "gpt-4", ...options }).filter((fault) =>
        fault.startsWith("model"),
      );
      expect(ofModels).toEqual([]);
    });

  test("other variables and settings say nothing of an address", () => {
    using inside = new Inside();
    inside.write("claude/settings.json", '{"env": {"ANTHROPIC_LOG": "x"}, "model": "opus"}');
    inside.write("work/.claude/settings.json", "[]");
    expect(faults(inside, { model: "gpt-4", env: { LANGUAGE: "x" }, settings: { env: "x" } })).toHaveLength(
      1,
    );
  });
});

describe("rules for tools", () => {
  const cases: [options: SessionOptionsInput, version: string | undefined, ...faults: string[]][] = [
    [{ allowedTools: "Read,Bash(git log:*)", disallowedTools: "mcp__x__*", tools: "default" }, "2.1.332"],
    [{ tools: "*", disallowedTools: "Web*,mcp__*", allowedTools: "mcp__a__*,mcp__a__b" }, "2.1.332"],
    [
      { allowedTools: "default" },
      "2.1.332",
      "allowedTools names default, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`",
    ],
    [
      { tools: "Web*" },
      "2.1.332",
      "tools has the pattern Web*, which Claude Code does not accept here; name each tool",
    ],
    [
      { allowedTools: "mcp__*" },
      "2.1.332",
      "allowedTools has the pattern mcp__*, which Claude Code does not accept here; name each tool",
    ],
    [
      { disallowedTools: "Wep*" },
      "2.1.332",
      "disallowedTools has the pattern Wep*, and no tool has such a name",
    ],
    [
      { disallowedTools: "R.ad*" },
      "2.1.332",
      "disallowedTools has the pattern R.ad*, and no tool has such a name",
    ],
    [
      { allowedTools: "Bash(a" },
      "2.1.332",
      'allowedTools has a rule whose parentheses do not match: "Bash(a"',
    ],
    [
      { allowedTools: ["Bash(a))"] },
      "2.1.332",
      'allowedTools has a rule whose parentheses do not match: "Bash(a))"',
    ],
    [{ allowedTools: ["a)b("] }, "2.1.332", 'allowedTools has a rule whose parentheses do not match: "a)b("'],
    [
      { allowedTools: "bash" },
      "2.1.332",
      "allowedTools names bash, and no tool has this name; did you mean `Bash`?",
    ],
    [
      { allowedTools: "Grp" },
      "2.1.332",
      "allowedTools names Grp, and no tool has this name; did you mean `Grep`?",
    ],
    [
      { allowedTools: "-x" },
      "2.1.332",
      'allowedTools has "-x", which is no rule; write `Read,Bash(git log:*)`',
    ],
    [
      { allowedTools: "MCP-x-y" },
      "2.1.332",
      "allowedTools names MCP-x-y, and a tool of an MCP server is called `mcp__SERVER__TOOL`, with two underscores each",
    ],
    [{ allowedTools: "Frobnicate" }, "9.0.0"],
    [{ allowedTools: "Frobnicate" }, undefined],
    [
      { allowedTools: "Grp" },
      "9.0.0",
      "allowedTools names Grp, and no tool has this name; did you mean `Grep`?",
    ],
  ];
  for (const [options, version, ...expected] of cases)
    test(`${JSON.stringify(options)} with ${version ?? "an unknown version"}`, () => {
      using inside = new Inside();
      expect(faults(inside, options, version)).toEqual(expected);
    });
});

describe("agents", () => {
  const needed = "; an agent needs `description` and `prompt`";
  const cases: [agents: Record<string, unknown>, ...faults: string[]][] = [
    [{ a: { description: "d", prompt: "p", tools: ["Read"], colour: "red" } }],
    [{ a: { description: "d" } }, `agents.a.prompt is missing: expected text${needed}`],
    [
      { a: { description: "", prompt: 3 } },
      `agents.a.description was given as "": must not be empty${needed}`,
      `agents.a.prompt was given as 3: expected text${needed}`,
    ],
    [{ a: "x" }, `agents.a was given as "x": expected an object${needed}`],
    [
      { a: { description: "d", prompt: "p", tools: "Read" } },
      'agents.a.tools was given as "Read": expected a list',
    ],
    [{ a: { description: "d", prompt: "p", tools: [1] } }, "agents.a.tools[0] was given as 1: expected text"],
  ];
  for (const [agents, ...expected] of cases)
    test(JSON.stringify(agents), () => {
      using inside = new Inside();
      expect(faults(inside, { agents })).toEqual(expected);
    });
});

describe("what needs the operator's permission", () => {
  const bypass = (name: string) =>
    `${name} was given as "bypassPermissions", which requires the operator's permission (\`allowBypassPermissions\` in HOME/config/parallel-claude-code-mcp/config.json); give the tools it needs in \`allowedTools\`, or use "acceptEdits"`;
  const options: SessionOptionsInput = {
    permissionMode: "bypassPermissions",
    settings: { permissions: { defaultMode: "bypassPermissions" } },
    agents: {
      a: { description: "d", prompt: "p", permissionMode: "bypassPermissions" },
      b: { description: "d", prompt: "p", permissionMode: "plan" },
    },
  };

  test("bypassPermissions, in each place", () => {
    using inside = new Inside();
    expect(faults(inside, options)).toEqual(
      ["permissionMode", "settings.permissions.defaultMode", "agents.a.permissionMode"].map(bypass),
    );
    expect(faults(inside, { permissionMode: "plan", settings: { permissions: {} } })).toEqual([]);
    using allowed = new Inside({ PARALLEL_CLAUDE_ALLOW_BYPASS_PERMISSIONS: "true" });
    expect(faults(allowed, options)).toEqual([]);
  });

  test("arguments, and of these some are refused all the same", () => {
    using inside = new Inside({ PARALLEL_CLAUDE_ALLOW_CLAUDE_ARGUMENTS: "true" });
    expect(faults(inside, { claudeArguments: ["--betas=x"] })).toEqual([]);
    expect(faults(inside, { claudeArguments: ["--betas=x", "--output-format=text"] })).toEqual([
      expect.stringMatching(/^claudeArguments\[1\] --output-format=text: /),
    ]);
    using refused = new Inside();
    expect(faults(refused, { claudeArguments: [] })).toEqual([]);
    expect(faults(refused, { claudeArguments: ["--x"] })).toHaveLength(1);
  });
});

test("restricted sessions need a version that knows them", () => {
  using inside = new Inside();
  expect(versionNeeded({ restricted: true })).toBe("2.1.248");
  expect(versionNeeded({ restricted: false })).toBeUndefined();
  expect(faults(inside, { restricted: true }, "2.1.247")).toEqual([
    "restricted requires Claude Code 2.1.248 or newer, and this is 2.1.247; update it with `claude update`",
  ]);
  expect(faults(inside, { restricted: true }, "2.1.248")).toEqual([]);
  expect(faults(inside, { restricted: true })).toEqual([]);
  expect(faults(inside, { restricted: false }, "2.1.247")).toEqual([]);
});

test("what a task and its batch say together", () => {
  const cases: [options: SessionOptionsInput, ...faults: string[]][] = [
    [{ forkSession: true }, "forkSession requires `resumeSessionId`, the conversation to copy"],
    [{ forkSession: true, resumeSessionId: "x" }],
    [{ forkSession: false }],
    [
      { restricted: true, tools: "Bash,Read" },
      "tools names Bash, which `restricted` is there to keep away; leave it out, or leave out `restricted`",
    ],
    [
      { restricted: true, tools: ["Bash(ls)", "WebFetch"] },
      "tools names Bash, WebFetch, which `restricted` is there to keep away; leave them out, or leave out `restricted`",
    ],
    [{ restricted: true, tools: "Read" }],
    [{ restricted: false, tools: "Bash" }],
    [{ restricted: true }],
  ];
  for (const [options, ...expected] of cases) expect(inWords(combinedFaults(options))).toEqual(expected);
});

describe("servers", () => {
  const fault = (inside: Inside, server: unknown) =>
    faults(inside, { mcpConfig: { mcpServers: { s: server } } });
  testNeeding("sh")("have a command that can be run, or an address", () => {
    using inside = new Inside();
    const text = inside.write("work/text", "");
    const good = [
      { command: "sh" },
      { command: inside.claude },
      { command: "$HOME/x" },
      { command: "$TOOL" },
      { command: "./relative" },
      { command: "of-another-path", env: { PATH: "/x" } },
      { url: "https://x" },
      { type: "sdk" },
      { type: "stdio", command: "sh", env: { A: "1" } },
    ];
    for (const server of good) expect(fault(inside, server)).toEqual([]);
    const neither = "mcpConfig mcpServers.s has neither `command` nor `url`";
    for (const server of [{}, { command: "" }, { type: "http" }, { type: "stdio" }, "x"])
      expect(fault(inside, server)).toEqual([neither]);
    expect(fault(inside, { command: text })).toEqual([
      "mcpConfig mcpServers.s.command HOME/work/text is not an executable file",
    ]);
    expect(fault(inside, { command: "not-to-be-found", env: {} })).toEqual([
      expect.stringMatching(
        /^mcpConfig mcpServers\.s\.command not-to-be-found was not found on the sessions' PATH \(HOME\/bin, .*\); give its absolute path$/,
      ),
    ]);
  });

  test("are read from a text, which is not repeated, and from a file, which is", () => {
    using inside = new Inside();
    expect(faults(inside, { mcpConfig: '{"mcpServers": {"s": {}}}' })).toEqual([
      "mcpConfig mcpServers.s has neither `command` nor `url`",
    ]);
    expect(faults(inside, { mcpConfig: "{ broken" })).toEqual([
      expect.stringMatching(/^mcpConfig is not JSON: /),
    ]);
    const file = inside.write("servers.json", '{"mcpServers": {"s": {}}}');
    expect(faults(inside, { mcpConfig: file })).toEqual([
      "mcpConfig HOME/servers.json mcpServers.s has neither `command` nor `url`",
    ]);
  });
});

describe("texts", () => {
  const most = 120_000;
  const long =
    "is longer than 120,000 bytes, the most that one argument may have; shorten it, or refer to a file";
  const cases: [what: string, options: Record<string, unknown>, ...faults: string[]][] = [
    ["that just fit", { a: "x".repeat(most) }],
    ["that are too long", { a: "x".repeat(most + 1) }, `a ${long}`],
    ["that are too long in bytes", { a: "€".repeat(most / 3 + 1) }, `a ${long}`],
    ["in a list that is joined", { a: ["x".repeat(most / 2), "y".repeat(most / 2)] }, `a ${long}`],
    ["in a list that just fits", { a: ["x".repeat(most / 2 - 1), "y".repeat(most / 2 - 1)] }],
    [
      "in a list of arguments",
      { claudeArguments: ["x".repeat(most), "y".repeat(most)], addDirectories: ["x".repeat(most), "y"] },
    ],
    ["in a list of no arguments", { claudeArguments: [] }],
    [
      "in a list with one that is too long",
      { addDirectories: ["x", "y".repeat(most + 1)] },
      `addDirectories ${long}`,
    ],
    ["in objects", { a: { b: "x".repeat(most) } }, `a ${long}`],
    ["of settings, which go into a file", { settings: "x".repeat(most + 1) }],
    [
      "of prompts and variables, which are no arguments",
      { task: `\0${"x".repeat(most)}`, tasks: "\0", env: "\0" },
    ],
    [
      "with a NUL character",
      { a: "\0", b: ["x", "\0"], c: 3, d: undefined },
      "a contains a NUL character, which no command line can hold",
      "b contains a NUL character, which no command line can hold",
    ],
  ];
  for (const [what, options, ...expected] of cases) {
    test(what, () => expect(inWords(textFaults(options))).toEqual(expected));
  }
});

describe("variables", () => {
  test("are read from a file, a text or an object", () => {
    using inside = new Inside();
    const path = inside.write("env.json", '{"A": "1"}');
    const bad = inside.write("bad.json", '{"A": 1}');
    const noFile = "was given as a text that is no file: expected a JSON file, or a JSON object of strings";
    const from = inside.path;
    const context = inside.context();
    expect(readVariables(context, path, "/")).toEqual({ variables: { A: "1" } });
    expect(readVariables(context, "env.json", from)).toEqual({ variables: { A: "1" } });
    expect(readVariables(context, '{"A": "2"}', "/")).toEqual({ variables: { A: "2" } });
    expect(readVariables(context, '{"A": 2}', "/")).toEqual({ fault: "is not a JSON object of strings" });
    expect(readVariables(context, bad, "/")).toEqual({
      fault: "was given as a file that is not a JSON object of strings",
    });
    for (const text of ["none.json", "work", "https://x", "\0"])
      expect(readVariables(context, text, from)).toEqual({ fault: noFile });
    expect(variablesIn({ A: "1" })).toEqual({ A: "1" });
    expect(variablesIn({ A: 1 })).toEqual({});
    expect(variablesIn(undefined)).toEqual({});
  });

  test("must have a name that may be set and fit into what a process takes, and are not repeated", () => {
    const long = (bytes: number, name = "A") => ({ [name]: "x".repeat(bytes - name.length - 2) });
    expect(variableFaults({ A: "1", ...long(131_072, "B") })).toEqual([]);
    expect(inWords(variableFaults(long(131_073)))).toEqual([
      "env.A is longer than a variable may be (131072 bytes with its name)",
    ]);
    const four = { ...long(125_000, "A"), ...long(125_000, "B"), ...long(125_000, "C") };
    expect(variableFaults({ ...four, ...long(125_000, "D") })).toEqual([]);
    expect(inWords(variableFaults({ ...four, ...long(125_001, "D") }))).toEqual([
      "env is longer than 500000 bytes in all; put values in files",
    ]);
    expect(inWords(variableFaults({ A: "a\0secret" }))).toEqual([
      "env.A contains a NUL character, which no variable can hold",
    ]);
    expect(inWords(variableFaults({ "A B=": "\0" }))).toEqual([
      expect.stringMatching(/^env\.A B= cannot be set: /),
    ]);
  });
});

describe("paths", () => {
  const home = homeDirectory();
  const good: [written: string, path: string][] = [
    ["a/b", "/from/a/b"],
    ["/aa//b/..", "/aa"],
    ["~", home],
    ["~/a", `${home}/a`],
    ["$HOME/a", `${home}/a`],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would have expanded.
    ["${HOME}", home],
    ["file:///a%20b", "/a b"],
    ["file://localhost/a", "/a"],
    ["./~x", "/from/~x"],
    ["a/~x", "/from/a/~x"],
    ["$lower", "/from/$lower"],
    ["x".repeat(255), `/from/${"x".repeat(255)}`],
  ];
  for (const [written, path] of good)
    test(`${written.slice(0, 30)} is read`, () =>
      // With the drive on Windows.
      expect(readPath(written, "/from")).toEqual({ path: resolve(path) }));

  const long = "is longer than a path may be (255 bytes a name, 4096 in all)";
  // A path of Windows itself there.
  const ofWindows: typeof good = [
    ["C:\\a", "is a path of Windows, and this is another system; under WSL, drive C is /mnt/c"],
    ["c:/a", "is a path of Windows, and this is another system; under WSL, drive C is /mnt/c"],
    ["\\\\server\\a", "is a path of Windows, and this is another system; under WSL, drive C is /mnt/c"],
    ["%USERPROFILE%\\a", "contains %USERPROFILE%, and only ~ and $HOME are expanded; write the path"],
  ];
  const bad: [written: string, fault: string][] = [
    ...(process.platform === "win32" ? [] : ofWindows),
    ["a\0", "contains a NUL character, which no path can hold"],
    ["https://x/y", "is an address; expected a path"],
    ["file://host/a", "is the address of a file on another machine; write its path"],
    [
      "~you/a",
      "begins with ~you, which is not expanded; write the path of that home directory, or ./~you for a name",
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would have expanded.
    ["a/${B}/c", "contains ${B}, and only ~ and $HOME are expanded; write the path"],
    ["a/$B_1", "contains $B_1, and only ~ and $HOME are expanded; write the path"],
    ["x".repeat(256), long],
    ["€".repeat(86), long],
    ["x/".repeat(2_050), long],
  ];
  for (const [written, fault] of bad)
    test(`${JSON.stringify(written.slice(0, 30))} ${fault.slice(0, 40)}`, () =>
      expect(readPath(written, "/from")).toEqual({ fault }));
});

test("settings warnings name the projects that decide for their sessions", () => {
  using inside = new Inside();
  const dangerous = JSON.stringify({ permissions: { defaultMode: "bypassPermissions" } });
  inside.write("work/.claude/settings.json", dangerous);
  const warnings = (common: object, door: Door) =>
    settingsWarnings({ ...common }, [{ prompt: "a" }], { defaultDirectory: inside.work, door });
  expect(warnings({}, "tools")).toEqual([expect.stringMatching(/\. `settingSources: "user"` ignores it\.$/)]);
  expect(warnings({}, "command-line")).toEqual([
    expect.stringMatching(/\. `--setting-sources user` ignores it\.$/),
  ]);
  expect(warnings({ settingSources: "user" }, "tools")).toEqual([]);
});
