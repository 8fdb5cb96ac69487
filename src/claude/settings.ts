// What a session may not receive and do unless its caller allows it: denied tools, and settings.
import { type SessionOptions, toolRuleList } from "../model/options.ts";
import { settingsIn } from "./settings-file.ts";

/**
 * Tools that work without permission and reach beyond the session: they write to other sessions, start work that outlives
 * it, or leave worktrees and schedules in the working directory. Seen with 2.1.197 and 2.1.332; a version that lacks one
 * ignores its name.
 */
export const toolsThatReachOut = [
  "SendMessage",
  "ListAgents",
  "CronCreate",
  "CronDelete",
  "EnterWorktree",
  "ExitWorktree",
  "Monitor",
  "RemoteTrigger",
  "ScheduleWakeup",
  "Workflow",
] as const;

type ToolOptions = Pick<SessionOptions, "allowedTools" | "disallowedTools" | "tools">;

/**
 * The rules for `--disallowedTools`: each tool that reaches out and was not allowed, then the caller's own. These come
 * last, because Claude Code takes everything after an unclosed parenthesis for one rule.
 */
export function deniedRules({ allowedTools, disallowedTools, tools }: ToolOptions): string[] {
  const named = new Set([...toolRuleList(allowedTools ?? ""), ...toolRuleList(tools ?? "")].map(toolOfRule));
  const denied = toolRuleList(disallowedTools ?? "");
  return [...toolsThatReachOut.filter((tool) => !named.has(tool) && !denied.includes(tool)), ...denied];
}

/** `Bash(git log:*)` → `Bash`. */
export function toolOfRule(rule: string): string {
  return rule.split("(", 1)[0] ?? rule;
}

/** The setting that refuses messages from other sessions; versions without an inbox ignore it. */
const inbound = "crossSessionInbound";

/**
 * The value of `--settings`: the caller's own, with messages from other sessions refused unless these settings decide
 * about that. Claude Code uses only the last `--settings`, so both are merged. A file that decides itself is passed on as
 * a file, as is one that cannot be read: Claude Code then says why.
 */
export function settingsArgument({ settings }: Pick<SessionOptions, "settings">): string {
  const refused = { [inbound]: "refuse" };
  if (settings === undefined) return JSON.stringify(refused);
  const own = typeof settings === "string" ? settingsIn(settings) : settings;
  if (own === undefined || (typeof settings === "string" && inbound in own)) return String(settings);
  return JSON.stringify({ ...refused, ...own });
}
