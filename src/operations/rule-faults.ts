// What is wrong with rules for tools. Claude Code passes over a rule that it cannot use without a word: nothing is then
// allowed, or, what is worse, nothing forbidden.
import { toolOfRule } from "../claude/settings.ts";
import { toolNames, toolNamesOf } from "../claude/tool-names.ts";
import { isOlder } from "../claude/versions.ts";
import { type SessionOptionsInput, toolRuleList } from "../model/options.ts";
import { excerpt, nearest } from "./faults.ts";

const ofRules = ["allowedTools", "disallowedTools", "tools"] as const;
type RuleOption = (typeof ofRules)[number];

/** Every fault of the rules in one set of options. `claudeVersion` is absent where it is not known. */
export function ruleFaults(options: SessionOptionsInput, claudeVersion: string | undefined): string[] {
  return ofRules.flatMap((option) =>
    toolRuleList(options[option] ?? "").flatMap((rule) => {
      const fault = isClosed(rule) ? nameFault(rule, option, claudeVersion) : unmatched(rule);
      return fault === undefined ? [] : [`${option} ${fault}`];
    }),
  );
}

/** What to know about names that a newer Claude Code may have, and we do not. */
export function ruleWarnings(options: SessionOptionsInput, claudeVersion: string | undefined): string[] {
  if (!isNewer(claudeVersion)) return [];
  return ofRules.flatMap((option) => {
    const unknown = toolRuleList(options[option] ?? "")
      .map(toolOfRule)
      .filter((name) => !isPattern(name) && !isOfServer(name) && !isKnown(name));
    if (unknown.length === 0) return [];
    return [
      `\`${option}\` names ${[...new Set(unknown)].join(", ")}, which this program does not know. If Claude Code ${claudeVersion ?? ""} has no such tool either, it passes over the name without a word.`,
    ];
  });
}

// Claude Code would take the rules behind them for a part of them.
function unmatched(rule: string): string {
  return `has a rule whose parentheses do not match: ${excerpt(rule)}`;
}

function nameFault(rule: string, option: RuleOption, claudeVersion: string | undefined): string | undefined {
  const name = toolOfRule(rule);
  if (isPattern(name)) return patternFault(name, option);
  if (isKnown(name) || (option === "tools" && name === "default")) return undefined;
  if (!/^[A-Za-z][\w.:-]*$/.test(name))
    return `has ${excerpt(rule)}, which is no rule; write \`Read,Bash(git log:*)\``;
  if (isOfServer(name)) return undefined;
  if (/^mcp[-_.:]/i.test(name))
    return `names ${name}, and a tool of an MCP server is called \`mcp__SERVER__TOOL\`, with two underscores each`;
  const same = toolNames.find((known) => known.toLowerCase() === name.toLowerCase());
  const near = same ?? nearest(name, toolNames);
  if (near !== undefined) return `names ${name}, and no tool has this name; did you mean \`${near}\`?`;
  return isNewer(claudeVersion)
    ? undefined
    : `names ${name}, and Claude Code has no tool of this name; the tool of an MCP server is called \`mcp__SERVER__TOOL\``;
}

// Claude Code allows by a pattern only where it names the server; it denies by any.
function patternFault(pattern: string, option: RuleOption): string | undefined {
  if (/^mcp__[^*]+__/.test(pattern) || (option === "tools" && pattern === "*")) return undefined;
  if (option !== "disallowedTools")
    return `has the pattern ${pattern}, which Claude Code does not accept here; name each tool`;
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const matches = new RegExp(`^${parts.join(".*")}$`);
  if (pattern.startsWith("mcp__") || toolNames.some((name) => matches.test(name))) return undefined;
  return `has the pattern ${pattern}, and no tool has such a name`;
}

function isPattern(name: string): boolean {
  return name.includes("*");
}

function isKnown(name: string): boolean {
  return toolNames.includes(name);
}

function isOfServer(name: string): boolean {
  return /^mcp__[^_]/.test(name);
}

function isNewer(version: string | undefined): boolean {
  return version === undefined || isOlder(toolNamesOf, version);
}

function isClosed(rule: string): boolean {
  let depth = 0;
  for (const character of rule) {
    if (character === "(") depth++;
    if (character === ")" && --depth < 0) return false;
  }
  return depth === 0;
}
