// Rules for tools, as Claude Code reads them.
import { describe, expect, test } from "bun:test";
import { deniedRules, settingsArgument, toolOfRule, toolsThatReachOut } from "../../src/claude/settings.ts";
import { coversCommand, mismatchOf, toolRuleOf } from "../../src/claude/tool-rules.ts";

describe("a rule", () => {
  test.each([
    ["Bash", { text: "Bash", tool: "Bash" }],
    ["Bash(git log:*)", { text: "Bash(git log:*)", tool: "Bash", content: "git log:*" }],
    ["Bash()", { text: "Bash()", tool: "Bash" }],
    ["Bash(*)", { text: "Bash(*)", tool: "Bash" }],
    ["Bash (a\nb)", { text: "Bash (a\nb)", tool: "Bash", content: "a\nb" }],
    ["Bash(a", { text: "Bash(a", tool: "Bash(a" }],
  ])("%j is taken apart", (text, rule) => {
    expect(toolRuleOf(text)).toEqual(rule);
  });

  test.each([
    ["Bash", "anything", true],
    ["Read", "anything", false],
    ["Bash(git log)", "git log", true],
    ["Bash(git log)", "git log -1", false],
    ["Bash(git log:*)", "git log", true],
    ["Bash(git log:*)", "git log -1", true],
    ["Bash(git log:*)", "git logs", false],
    ["Bash(git log *)", "git log -1", true],
    ["Bash(git log *)", "git log", true],
    ["Bash(git * --all)", "git log --all", true],
    ["Bash(git * --all)", "git log --all -1", false],
    ["Bash(a.b)", "axb", false],
    ["Bash(* *)", "a b", true],
    ["Bash(npm*)", "npm\ntest", true],
  ])("%s covers %j: %p", (rule, command, covers) => {
    expect(coversCommand(toolRuleOf(rule), command)).toBe(covers);
  });

  test.each([
    ["*", "Bash", ["ls"], "wildcard"],
    ["bash", "Bash", ["ls"], "case"],
    ["Write(/a)", "Write", [], "path-rule"],
    ["Edit(/a)", "Edit", [], undefined],
    ["Write", "Write", [], undefined],
    ["Bash(f(1))", "Bash", ["f(1)"], "parentheses"],
    ["Bash(ls", "Bash", ["ls"], "parentheses"],
    ["Bash(ls", "Read", ["ls"], undefined],
    ["Bash(ls,pwd)", "Bash", ["ls"], "list"],
    ["Bash(ls)", "Bash", ["ls -l"], "exact"],
    ["Bash(ls)", "Bash", ["lsof"], undefined],
    ["Bash(ls:*)", "Bash", ["A=1 ls -l"], "assignment"],
    ["Bash(ls:*)", "Bash", ["pwd"], undefined],
    ["Bash", "Bash", ["ls"], undefined],
    ["Read(/a)", "Bash", ["ls"], undefined],
  ] as const)("%s does not allow %s of %j: %p", (rule, tool, commands, why) => {
    expect(mismatchOf(toolRuleOf(rule), tool, commands)).toBe(why);
  });

  test("is about one tool", () => {
    expect(toolOfRule("Bash(git log:*)")).toBe("Bash");
    expect(toolOfRule("Read")).toBe("Read");
  });
});

describe("the rules that are denied", () => {
  test("are all tools that reach out, and behind them the caller's own", () => {
    expect(deniedRules({ disallowedTools: "Write,Bash(rm:*)" })).toEqual([
      ...toolsThatReachOut,
      "Write",
      "Bash(rm:*)",
    ]);
    expect(deniedRules({})).toEqual([...toolsThatReachOut]);
  });

  test("leave out what somebody allowed by name, and name nothing twice", () => {
    const denied = deniedRules({
      allowedTools: "Monitor(x)",
      tools: ["Workflow"],
      disallowedTools: ["CronCreate"],
    });
    for (const tool of ["Monitor", "Workflow"]) expect(denied).not.toContain(tool);
    expect(denied.filter((tool) => tool === "CronCreate")).toEqual(["CronCreate"]);
    expect(denied).toContain("SendMessage");
  });
});

describe("the settings of a session", () => {
  const refused = { crossSessionInbound: "refuse" };

  test("refuse messages of others, unless they say something about that", () => {
    expect(JSON.parse(settingsArgument({}))).toEqual(refused);
    expect(JSON.parse(settingsArgument({ settings: { model: "opus" } }))).toEqual({
      ...refused,
      model: "opus",
    });
    expect(JSON.parse(settingsArgument({ settings: { crossSessionInbound: "allow" } }))).toEqual({
      crossSessionInbound: "allow",
    });
  });

  test("stay a file where that cannot be read", () => {
    expect(settingsArgument({ settings: "/nowhere/settings.json" })).toBe("/nowhere/settings.json");
  });
});
