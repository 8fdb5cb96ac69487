import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { faultInFlags, flagWording } from "../src/doors/cli/input/flag-wording.ts";
import { flagsOf, parseFlags } from "../src/doors/cli/input/flags.ts";
import { helpLines } from "../src/doors/cli/view/flag-help.ts";
import { batchOptions, sessionOptions } from "../src/model/options.ts";
import { option, prose } from "../src/model/prose.ts";
import { shellQuoted } from "../src/model/shell-quoted.ts";
import { type Fault, instead, type Place, wrong } from "../src/operations/fault.ts";
import { faultText, toolWording } from "../src/operations/fault-text.ts";
import { UserError } from "../src/operations/user-error.ts";
import { Home, run } from "./harness.ts";

const options = z.strictObject({ ...sessionOptions.shape, ...batchOptions.shape });
const flags = flagsOf(options);

function written(...argv: string[]) {
  const parsed = parseFlags(flags, argv);
  return parsed.ok ? parsed.value.options : parsed.faults;
}

describe("what is written becomes options, and nothing else does", () => {
  const cases: [string[], Record<string, unknown>][] = [
    [[], {}],
    [["--model", "opus"], { model: "opus" }],
    [["--model=opus", "--model=haiku"], { model: "haiku" }],
    [["--max-turns", "3", "--max-budget-usd=0.5"], { maxTurns: 3, maxBudgetUsd: 0.5 }],
    [["--max-turns", "-1"], { maxTurns: -1 }],
    [["--effort", "high"], { effort: "high" }],
    [["--fork-session"], { forkSession: true }],
    [["--fork-session", "--no-fork-session"], { forkSession: false }],
    [["--add-directories", "a", "--add-directories", "b"], { addDirectories: ["a", "b"] }],
    [["--allowed-tools", "Read", "--allowed-tools=Bash(a, b)"], { allowedTools: "Read,Bash(a, b)" }],
    [["--tools="], { tools: "" }],
    [["--output-schema", '{"type":"object"}'], { outputSchema: { type: "object" } }],
    [["--mcp-config", "servers.json"], { mcpConfig: "servers.json" }],
    [["--mcp-config", '{"mcpServers":{}}'], { mcpConfig: { mcpServers: {} } }],
    // As people know them from `claude`, and write them.
    [["--maxTurns", "3"], { maxTurns: 3 }],
    [["--max_turns=3"], { maxTurns: 3 }],
    [["--allowedTools", "Read"], { allowedTools: "Read" }],
    [["--add-dir", "a", "--addDir=b"], { addDirectories: ["a", "b"] }],
    [["--json-schema", "schema.json"], { outputSchema: "schema.json" }],
    [
      ["-r", "id", "--cwd=x", "--timeout", "5"],
      { resumeSessionId: "id", workingDirectory: "x", timeoutSeconds: 5 },
    ],
    [["-j4"], { concurrency: 4 }],
    [["-j", "auto"], { concurrency: "auto" }],
    [["--noForkSession"], { forkSession: false }],
    [["--no_fork_session"], { forkSession: false }],
    [["--append-system-prompt=--be brief"], { appendSystemPrompt: "--be brief" }],
  ];
  for (const [argv, expected] of cases) {
    test(argv.join(" ") || "nothing", () => expect(written(...argv)).toEqual(expected));
  }
});

test("a number or a word is told apart where both are accepted", () => {
  const slots = flagsOf(z.object({ slots: z.union([z.int(), z.literal("auto"), z.string()]) }));
  expect(parseFlags(slots, ["--slots", "4"])).toMatchObject({ value: { options: { slots: 4 } } });
  expect(parseFlags(slots, ["--slots", "auto"])).toMatchObject({ value: { options: { slots: "auto" } } });
});

test("a task of several words may stand behind an option, and one of a single word before it or after `--`", () => {
  for (const argv of [
    ["--allowed-tools", "Read", "look at it"],
    ["one", "--allowed-tools", "Read"],
    ["--allowed-tools=Read", "one"],
    ["--allowed-tools", "Read", "--", "one"],
    ["--allowed-tools", "Read", "--json-schema", "x", "one"],
  ])
    expect(parseFlags(flags, argv)).toMatchObject({ ok: true, value: { positionals: [expect.any(String)] } });
});

test("what stands behind `--` is no flag", () => {
  expect(parseFlags(flags, ["a", "--", "--model", "-x"])).toEqual({
    ok: true,
    value: { options: {}, positionals: ["a", "--model", "-x"], literal: 2 },
  });
});

describe("what is wrong is named with what was given and what is accepted", () => {
  const cases: [string[], string][] = [
    [["--modle", "x"], "--modle is not known; did you mean `--model`?"],
    [["-z"], "-z is not known"],
    [["--model"], "--model needs a value: `--model MODEL`"],
    [
      ["--model", "--fork-session"],
      "--model needs a value: `--model MODEL`. Write `--model=--fork-session` if --fork-session is meant",
    ],
    [["--max-turns", "many"], '--max-turns was given as "many": expected a number'],
    [["--max-turns="], '--max-turns was given as "": expected a number'],
    [
      ["--effort", "hgih"],
      '--effort was given as "hgih": expected one of low, medium, high, xhigh, max; did you mean `high`?',
    ],
    [["--agents", "[]"], '--agents was given as "[]": expected a JSON object'],
    [
      ["--allowed-tools", "Read", "Edit"],
      `unexpected "Edit" after the value of --allowed-tools. If it is another value, write \`--allowed-tools ${shellQuoted("Read,Edit")}\`.`,
    ],
    [
      ["--allowed-tools", "Read", "Bash(git log:*)"],
      `write \`--allowed-tools ${shellQuoted("Read,Bash(git log:*)")}\``,
    ],
    [["--add-directories", "a", "b"], "repeat the option: `--add-directories b`"],
    [
      ["--fork-session=no"],
      '--fork-session takes no value, and was given "no"; `--no-fork-session` turns it off',
    ],
    [["--no-model"], "--no-model is not known"],
  ];
  for (const [argv, fault] of cases) {
    test(argv.join(" "), () => expect(written(...argv)).toEqual([expect.stringContaining(fault)]));
  }
});

test("all that is wrong is told at once", () => {
  expect(written("--modle", "--effort", "x", "--max-turns", "y")).toHaveLength(3);
});

test("the parts of an option are flags, and come together as the option", () => {
  const read = parseFlags(flags, [
    ...["--expect-pattern", "^OK$", "--expect-schema", '{"type":"object"}', "--expect.model=opus"],
    ...["--stop-when-found", "3", "--stop-when-where-pattern", "x"],
  ]);
  expect(read).toMatchObject({
    ok: true,
    value: {
      options: {
        expect: { pattern: "^OK$", schema: { type: "object" }, model: "opus" },
        stopWhen: { found: 3, where: { pattern: "x" } },
      },
    },
  });
});

test("every option of a session and a batch has a flag, with a description", () => {
  // Of an option with parts, each part has one.
  const named = flags.map(({ property }) => property.split(".", 1)[0]);
  expect([...new Set(named)]).toEqual(Object.keys(options.shape));
  expect(flags.filter(({ description }) => description === "")).toEqual([]);
});

test("help fits the width, tells choices and defaults, and speaks of flags", () => {
  for (const width of [40, 80, 120]) {
    const lines = helpLines(flags, width);
    const tooLong = lines.filter((line) => line.length > width && line.trim().includes(" ") && width > 40);
    expect(tooLong).toEqual([]);
  }
  const help = helpLines(flags, 200).join("\n");
  expect(help).toContain("--effort EFFORT");
  expect(help).toContain("One of low, medium, high, xhigh, max.");
  expect(help).toContain("[default: 3600]");
  expect(help).toContain("With `--resume-session-id`");
});

test("what an error mentions is a flag on the command line, and an argument in a tool's answer", () => {
  const error = new UserError(prose`Raise ${option("maxTurns")}; ${option("allowedTools", "Write")} helps.`);
  expect(error.textIn(flagWording(flags))).toBe("Raise `--max-turns`; `--allowed-tools Write` helps.");
  expect(error.message).toBe('Raise `maxTurns`; `allowedTools: "Write"` helps.');
});

describe("a fault names its place as its reader does", () => {
  const cases: [fault: Fault, inFlags: string, inFile: string, ofTool: string][] = [
    [
      instead(["tasks", 1, "maxTurns"], "0", "expected at least 1"),
      "task 2.maxTurns was given as 0: expected at least 1",
      "tasks.csv, line 3: maxTurns was given as 0: expected at least 1",
      "tasks[1].maxTurns was given as 0: expected at least 1",
    ],
    [wrong(["tasks", 1], "is odd"), "task 2 is odd", "tasks.csv, line 3: the task is odd", "tasks[1] is odd"],
    [
      { kind: "of-batch", place: ["tasks", 1, "batch_name"], meant: "batchName" },
      "task 2.batch_name is an option of the batch, not of one task; give `--batch-name`",
      "tasks.csv, line 3: batch_name is an option of the batch, not of one task; give `--batch-name`",
      "tasks[1].batch_name is an option of the batch, not of one task; give `batchName` beside `tasks`",
    ],
    [
      { kind: "unknown", place: ["tasks", 1, "modle"], near: ["model"] },
      "task 2.modle is not known; did you mean `--model`?",
      "tasks.csv, line 3: modle is not known; did you mean `model`?",
      "tasks[1].modle is not known; did you mean `model`?",
    ],
  ];
  for (const [fault, inFlags, inFile, ofTool] of cases)
    test(ofTool, () => {
      expect(faultInFlags(fault, flags, [])).toBe(inFlags);
      expect(faultInFlags(fault, flags, [undefined, "tasks.csv, line 3"])).toBe(inFile);
      expect(faultText(fault, toolWording)).toBe(ofTool);
    });

  test("and a property that is no flag keeps its name", () => {
    const inFlags = (place: Place) => faultInFlags(wrong(place, "is odd"), flags, []);
    expect(inFlags(["maxTurns"])).toBe("--max-turns is odd");
    expect(inFlags(["settings", "permissions"])).toBe("--settings.permissions is odd");
    expect(inFlags(["addDirectories", 0])).toBe("--add-directories[0] is odd");
    expect(inFlags(["shell"])).toBe("shell is odd");
    expect(inFlags([])).toBe("the input is odd");
  });
});

test("what a session may reach is said by flags as well as by properties", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_ALLOW_CLAUDE_ARGUMENTS: "true" });
  await Bun.write(home.file("settings.json"), '{"model":"opus"}');
  const { out, err } = await run(home, [
    "run",
    "[[args]]",
    '--agents={"reviewer":{"description":"Reviews","prompt":"Review."}}',
    `--settings=${home.file("settings.json")}`,
    "--setting-sources=user",
    "--setting-sources=local",
    "--no-file-mentions",
    "--claude-arguments=--betas=one",
    "--claude-arguments=--exclude-dynamic-system-prompt-sections",
    '--env={"LANGUAGE":"de"}',
  ]);
  expect(err).not.toContain("Nothing was done");
  for (const argument of [
    "--setting-sources=user,local",
    "--betas=one",
    "--exclude-dynamic-system-prompt-sections",
  ])
    expect(out).toContain(JSON.stringify(argument).slice(1, -1));
  const words: string[] = JSON.parse(out);
  const settings = words.find((word) => word.startsWith("--settings="))?.slice("--settings=".length);
  expect(await Bun.file(settings ?? "").json()).toEqual({ crossSessionInbound: "refuse", model: "opus" });
});
