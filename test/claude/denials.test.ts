// What lets a denied call through. The real `claude` agrees: test/real/advice.real.ts.
import { describe, expect, test } from "bun:test";
import type { GivenOptions } from "../../src/claude/call-context.ts";
import { denialsOf } from "../../src/claude/denials.ts";
import { refusalsIn } from "../../src/claude/refusals.ts";
import { shellCommandOf } from "../../src/claude/shell-command.ts";
import { advisedOptions, withAdvice } from "../../src/model/advised-options.ts";
import { sessionOptions } from "../../src/model/options.ts";
import { denial, type Remedy } from "../../src/model/outcome.ts";
import { resultMessage } from "./result-message.ts";

const bash = (command: string, given: GivenOptions = {}, message = "This command requires approval") =>
  denied({ tool_name: "Bash", tool_input: { command } }, given, message)?.remedy;

function denied(
  call: { tool_name: string; tool_input: Record<string, unknown> },
  given: GivenOptions = {},
  message = "",
) {
  return denialsOf(
    {
      results: [resultMessage({ permission_denials: [{ ...call, tool_use_id: "t1" }] })],
      init: { type: "system", subtype: "init", cwd: "/", mcp_servers: [] },
      refusals: new Map([["t1", { id: "t1", message, byHook: false }]]),
    },
    given,
  )[0];
}

const rules = (...allowedTools: string[]): Remedy => ({ kind: "options", allowedTools });

describe("the narrowest rule that is of use for a command", () => {
  test.each([
    ["git push -q origin", "Bash(git push:*)"],
    ["git -C sub commit -m 'a (b)'", "Bash(git -C sub commit:*)"],
    ["npm run test:unit -- --watch", "Bash(npm run test:unit:*)"],
    ["npx -y tsc --noEmit", "Bash(npx -y tsc:*)"],
    ["bun run test", "Bash(bun run test:*)"],
    ["docker compose up -d", "Bash(docker compose up:*)"],
    ["python3 -m pytest -q", "Bash(python3 -m pytest:*)"],
    ["python3 script.py", "Bash(python3:*)"],
    ["sudo -u me apt install x", "Bash(sudo -u me apt:*)"],
    ["timeout -k 1 5s nice -n 5 make all", "Bash(make:*)"],
    ["A=1 B='2 3' make", "Bash(A=1 B='2 3' make:*)"],
    ["./run.sh a", "Bash(./run.sh:*)"],
    ["make 2>&1 | tail -5 > /dev/null", "Bash(make:*)"],
    ["make # all of it", "Bash(make:*)"],
    ["node <<'EOF'\nf($x) > y\nEOF", "Bash(node:*)"],
  ])("%s", (command, rule) => expect(bash(command)).toEqual(rules(rule)));
});

test("a command of several parts needs a rule for each, once, and none for what only reads", () => {
  expect(bash("mkdir a && cat b | make; make x || exit 1")).toEqual(
    rules("Bash(mkdir:*)", "Bash(make:*)", "Bash(exit:*)"),
  );
});

test("a rule that was given is not named again", () => {
  expect(bash("make a && npm ci", { allowedTools: "Bash(make *)" })).toEqual(rules("Bash(npm ci:*)"));
});

test("what the check refuses to look into needs all of Bash, with the reason", () => {
  const reasons = [
    "make $(nproc)",
    "make `nproc`",
    "diff <(a) <(b)",
    "for f in a; do make; done",
    "X=1; make",
    "make $X",
    "make {a,b}",
    "cat <<EOF\nx\nEOF",
    "(make)",
    "{ make; }",
    "make &",
    "eval make",
    "find . -delete",
    "cd sub && git log",
    "cd sub && rm x",
    "cd sub && echo > x",
    "rm *",
  ].map((command) => {
    const remedy = bash(command);
    return remedy?.kind === "options" && remedy.allowedTools?.[0] === "Bash" ? remedy.broad : remedy;
  });
  expect(reasons).toEqual([
    ...Array(8).fill("expansion"),
    "group",
    "group",
    "background",
    "evaluates",
    "find",
    "cd-and-git",
    "cd-and-write",
    "cd-and-write",
    "path",
  ]);
});

test("quotes hide what they hold", () => {
  const { commands, unchecked } = shellCommandOf(`git commit -m 'a; b && (c) $d' -m "e | f > g" h\\;i; ls`);
  expect(commands.map(({ words }) => words[0])).toEqual(["git", "ls"]);
  expect(unchecked).toBeUndefined();
});

test("any text is taken apart, and any call gets a remedy", () => {
  const pieces = [
    "'",
    '"',
    "$(",
    "`",
    "<<E",
    "\n",
    "\\",
    "&",
    "|",
    ";",
    ">",
    "{a,",
    "(",
    ")",
    "a",
    " ",
    "\0",
    "é",
  ];
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from(
      { length: round % 13 },
      (_, index) => pieces[(round * 7 + index * index * 5) % 18],
    ).join("");
    expect(bash(text)?.kind).toBe("options");
  }
  expect(bash("$".repeat(9_000_000))).toMatchObject({ broad: "unknown" });
  expect(
    denied({ tool_name: "Read", tool_input: { file_path: `/${"x".repeat(9_000)}\0` } })?.remedy?.kind,
  ).toBe("options");
});

test("a text that no rule lifts is an obstacle", () => {
  const obstacle = (message: string) => bash("make", { allowedTools: "Bash" }, message);
  expect(obstacle("PreToolUse:Bash hook error: [x]: no")).toEqual({ kind: "none", obstacle: "hook" });
  expect(obstacle("Claude requested permissions to edit /x/.git/y which is a sensitive file.")).toEqual({
    kind: "none",
    obstacle: "protected-path",
  });
  expect(obstacle("Permission to use Bash with command make has been denied.")).toEqual({
    kind: "none",
    obstacle: "settings-deny",
  });
});

test("a call that two results list is one denial", () => {
  const permission_denials = [{ tool_name: "WebSearch", tool_use_id: "t1", tool_input: {} }];
  const results = [resultMessage({ permission_denials }), resultMessage({ permission_denials })];
  expect(denialsOf({ results, refusals: new Map() })).toEqual([
    { tool: "WebSearch", rule: "WebSearch", remedy: rules("WebSearch") },
  ]);
});

test("a tool that was never there is no denial", () => {
  const message = "<tool_use_error>Error: No such tool available: Nonsense.</tool_use_error>";
  const refusals = new Map([["t1", { id: "t1", message, byHook: false }]]);
  expect(denialsOf({ results: [], refusals })).toEqual([]);
});

test("a tool that is denied unless it is named comes back by its name", () => {
  const message =
    "<tool_use_error>Error: No such tool available: CronCreate. It is disabled.</tool_use_error>";
  const refusals = new Map([["t1", { id: "t1", message, byHook: false }]]);
  expect(denialsOf({ results: [], refusals })).toEqual([
    { tool: "CronCreate", rule: "CronCreate", remedy: rules("CronCreate") },
  ]);
});

test("the tool result says who decided and why", () => {
  const content = [{ type: "tool_result", tool_use_id: "t1", is_error: true, content: "no" }];
  const tool_result_meta = [{ id: "t1", permission_decision: { decision: "reject", source: "hook" } }];
  expect(refusalsIn({ message: { content }, tool_result_meta })).toEqual([
    { id: "t1", message: "no", byHook: true },
  ]);
  expect(refusalsIn({ message: { content: "hello" } })).toEqual([]);
});

test("a denial of an old log still reads, and its rule is what it advises", () => {
  const old = denial.parse({ tool: "Bash", rule: "Bash(npm:*)" });
  expect(advisedOptions([old]).allowedTools).toEqual(["Bash(npm:*)"]);
});

test("advice of several denials is one set of options, in which a wide rule replaces the narrow ones", () => {
  const remedies: Remedy[] = [
    rules("Bash(make:*)"),
    rules("Bash"),
    rules("WebFetch(domain:a)"),
    rules("Bash"),
  ];
  const advised = advisedOptions(remedies.map((remedy) => ({ tool: "T", rule: "r", remedy })));
  expect(advised.allowedTools).toEqual(["Bash", "WebFetch(domain:a)"]);
  const followed = withAdvice(sessionOptions.parse({ allowedTools: "Read" }), advised);
  expect(followed.allowedTools).toEqual(["Read", "Bash", "WebFetch(domain:a)"]);
});
