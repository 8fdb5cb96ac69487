// Faults of rules for tools. Claude Code silently ignores a rule that it cannot use: then nothing is allowed or, worse,
// nothing forbidden.
import { z } from "zod";
import { toolOfRule } from "../claude/settings.ts";
import { toolNames, toolNamesOf } from "../claude/tool-names.ts";
import { isOlder } from "../claude/versions.ts";
import { type SessionOptionsInput, toolRuleList } from "../model/options.ts";
import { type Door, optionName } from "../report/option-words.ts";
import { type Fault, type Place, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { placeText } from "./place-text.ts";

/** What rules do: permit tools, forbid them or have a person asked, or list all that a session has. */
type Purpose = "permit" | "forbid" | "have";

/** The rules of one option, such as `agents.reviewer.tools`. */
interface Rules {
  place: Place;
  purpose: Purpose;
  rules: readonly string[];
}

const listSchema = z.array(z.string()).catch([]);
const agentsSchema = z.record(
  z.string(),
  z.object({ tools: listSchema, disallowedTools: listSchema }).catch({ tools: [], disallowedTools: [] }),
);
const permissionsSchema = z
  .object({ permissions: z.object({ allow: listSchema, deny: listSchema, ask: listSchema }) })
  .catch({ permissions: { allow: [], deny: [], ask: [] } });

function rulesIn({ allowedTools, disallowedTools, tools, agents, settings }: SessionOptionsInput): Rules[] {
  const { permissions } = permissionsSchema.parse(settings);
  return [
    { place: ["allowedTools"], purpose: "permit", rules: toolRuleList(allowedTools ?? "") },
    { place: ["disallowedTools"], purpose: "forbid", rules: toolRuleList(disallowedTools ?? "") },
    { place: ["tools"], purpose: "have", rules: toolRuleList(tools ?? "") },
    ...Object.entries(agentsSchema.parse(agents ?? {})).flatMap(([name, agent]): Rules[] => [
      { place: ["agents", name, "tools"], purpose: "have", rules: agent.tools },
      { place: ["agents", name, "disallowedTools"], purpose: "forbid", rules: agent.disallowedTools },
    ]),
    { place: ["settings", "permissions", "allow"], purpose: "permit", rules: permissions.allow },
    { place: ["settings", "permissions", "deny"], purpose: "forbid", rules: permissions.deny },
    { place: ["settings", "permissions", "ask"], purpose: "forbid", rules: permissions.ask },
  ];
}

/** Every fault of the rules in one set of options. `claudeVersion` is absent if unknown. */
export function ruleFaults(options: SessionOptionsInput, claudeVersion: string | undefined): Fault[] {
  return rulesIn(options).flatMap(({ place, purpose, rules }) =>
    rules.flatMap((rule) => {
      const fault = isClosed(rule) ? nameFault(rule, purpose, claudeVersion) : unmatched(rule);
      return fault === undefined ? [] : [wrong(place, fault)];
    }),
  );
}

/** Warnings about names that only a newer Claude Code may have, in the words of one door. */
export function ruleWarnings(
  options: SessionOptionsInput,
  claudeVersion: string | undefined,
  door: Door,
): string[] {
  if (!isNewer(claudeVersion)) return [];
  return rulesIn(options).flatMap(({ place: [option = "", ...inner], rules }) => {
    const unknown = rules
      .map(toolOfRule)
      .filter((name) => !isPattern(name) && !isOfServer(name) && !isKnown(name));
    if (unknown.length === 0) return [];
    return [
      `\`${placeText([optionName(door, String(option)), ...inner])}\` names ${[...new Set(unknown)].join(", ")}, which this program does not know. If ${claudeVersion === undefined ? "your Claude Code" : `Claude Code ${claudeVersion}`} has no such tool either, it ignores the name silently.`,
    ];
  });
}

// Claude Code would take the rules after it for a part of it.
function unmatched(rule: string): string {
  return `has a rule whose parentheses do not match: ${excerpt(rule)}`;
}

function nameFault(rule: string, purpose: Purpose, claudeVersion: string | undefined): string | undefined {
  const name = toolOfRule(rule);
  if (isPattern(name)) return patternFault(name, purpose);
  if (isKnown(name) || (purpose === "have" && name === "default")) return undefined;
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

// Claude Code allows a pattern only if it names the server; it denies by any pattern.
function patternFault(pattern: string, purpose: Purpose): string | undefined {
  if (/^mcp__[^*]+__/.test(pattern) || (purpose === "have" && pattern === "*")) return undefined;
  if (purpose !== "forbid")
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
