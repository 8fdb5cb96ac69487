import { expect, test } from "bun:test";
import { toolRuleList } from "../../src/model/options.ts";
import { ruleFaults, ruleWarnings } from "../../src/operations/rule-faults.ts";
import { inWords } from "../operations/in-words.ts";

test("a list of rules is read in every form in which people write lists", () => {
  const written = [
    "Bash,Write",
    "Bash Write",
    "Bash; Write",
    "Bash;Write,",
    "\"Bash\", 'Write'",
    "Bash\nWrite",
    ["Bash", "Write"],
    ["Bash,Write"],
  ];
  for (const rules of written) expect(toolRuleList(rules)).toEqual(["Bash", "Write"]);
  expect(toolRuleList('"Bash(git log; a, b)" Read')).toEqual(["Bash(git log; a, b)", "Read"]);
});

test("rules of servers, patterns and earlier names are no faults", () => {
  const rules =
    "mcp__github,mcp__github__create_issue,mcp__github__*,Task(Explore),MultiEdit,Bash(*),KillShell";
  expect(ruleFaults({ allowedTools: rules, disallowedTools: `${rules},Web*,mcp__*,*` }, "2.1.332")).toEqual(
    [],
  );
  expect(ruleFaults({ tools: "default" }, "2.1.197")).toEqual([]);
  expect(ruleFaults({ tools: "" }, "2.1.197")).toEqual([]);
});

test("a name that a newer Claude Code may have is a warning there, and one near a known name stays a fault", () => {
  const options = { disallowedTools: "Teleport,Bash", allowedTools: "Grp" };
  expect(inWords(ruleFaults(options, "2.1.332"))).toEqual([
    "allowedTools names Grp, and no tool has this name; did you mean `Grep`?",
    "disallowedTools names Teleport, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`",
  ]);
  expect(inWords(ruleFaults(options, "2.1.400"))).toEqual([
    "allowedTools names Grp, and no tool has this name; did you mean `Grep`?",
  ]);
  expect(ruleWarnings({ disallowedTools: "Teleport,Bash" }, "2.1.400", "tools")).toEqual([
    "`disallowedTools` names Teleport, which this program does not know. If Claude Code 2.1.400 has no such tool either, it ignores the name silently.",
  ]);
  expect(ruleWarnings({ disallowedTools: "Teleport,Bash" }, "2.1.332", "tools")).toEqual([]);
  expect(ruleWarnings({ disallowedTools: "Teleport" }, undefined, "command-line")).toEqual([
    "`--disallowed-tools` names Teleport, which this program does not know. If your Claude Code has no such tool either, it ignores the name silently.",
  ]);
  const agents = { reviewer: { tools: ["Teleport"] } };
  expect(ruleWarnings({ agents }, undefined, "command-line")[0]).toStartWith(
    "`--agents.reviewer.tools` names Teleport, which",
  );
});

test("the rules of agents and of settings are looked at as those of the session", () => {
  const options = {
    agents: {
      fine: {
        description: "d",
        prompt: "p",
        tools: ["Read", "*", "mcp__docs__search"],
        disallowedTools: ["Web*"],
      },
      wrong: { description: "d", prompt: "p", tools: ["bash", "Grep("], disallowedTools: ["Teleport"] },
      "no object": "x",
    },
    settings: { permissions: { allow: ["read", "Web*"], deny: ["Bash(rm:*)", "webfetch"], ask: ["edit"] } },
  };
  expect(inWords(ruleFaults(options, "2.1.332"))).toEqual([
    "agents.wrong.tools names bash, and no tool has this name; did you mean `Bash`?",
    'agents.wrong.tools has a rule whose parentheses do not match: "Grep("',
    "agents.wrong.disallowedTools names Teleport, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`",
    "settings.permissions.allow names read, and no tool has this name; did you mean `Read`?",
    "settings.permissions.allow has the pattern Web*, which Claude Code does not accept here; name each tool",
    "settings.permissions.deny names webfetch, and no tool has this name; did you mean `WebFetch`?",
    "settings.permissions.ask names edit, and no tool has this name; did you mean `Edit`?",
  ]);
  expect(ruleFaults({ settings: { permissions: { deny: ["bash"] } } }, "2.1.332")).toHaveLength(1);
  expect(ruleFaults({ settings: "settings.json" }, "2.1.332")).toEqual([]);
});
