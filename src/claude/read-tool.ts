// Whether a session has the Read tool. Claude Code attaches mentioned files even without it.
import { type SessionOptions, toolRuleList } from "../model/options.ts";
import { agentFiles } from "./agent-files.ts";
import { settingsIn } from "./settings-file.ts";
import { toolRuleOf } from "./tool-rules.ts";

export type ReadOptions = Pick<
  SessionOptions,
  "tools" | "disallowedTools" | "settings" | "agents" | "agent" | "addDirectories"
>;

/** Whether nothing that we know of removes Read: options, the caller's settings, or the session's agent. */
export function hasRead(options: ReadOptions, workingDirectory: string): boolean {
  const { tools, disallowedTools, settings } = options;
  const listed = tools === undefined ? ["default"] : toolRuleList(tools);
  const denied = [...toolRuleList(disallowedTools ?? ""), ...rulesIn(deniedBySettings(settings))];
  return isNamed(listed) && !denied.some(isReadAtAll) && agentHasRead(options, workingDirectory);
}

function isNamed(rules: readonly string[]): boolean {
  return rules.some((rule) => ["Read", "default", "*"].includes(toolRuleOf(rule).tool));
}

// Claude Code applies a rule for some paths, such as `Read(./secrets/**)`, to mentions too.
function isReadAtAll(text: string): boolean {
  const { tool, content } = toolRuleOf(text);
  return content === undefined && (tool === "Read" || tool === "*");
}

function deniedBySettings(settings: SessionOptions["settings"]): unknown {
  const read = typeof settings === "string" ? settingsIn(settings) : settings;
  const permissions = read?.["permissions"];
  return typeof permissions === "object" && permissions !== null ? Reflect.get(permissions, "deny") : [];
}

function agentHasRead({ agent, agents, addDirectories }: ReadOptions, workingDirectory: string): boolean {
  if (agent === undefined) return true;
  const own = agents !== undefined && Object.hasOwn(agents, agent) ? [agents[agent]] : undefined;
  const found =
    own ??
    agentFiles(workingDirectory, addDirectories).flatMap(({ fields }) =>
      fields?.["name"] === agent ? fields : [],
    );
  return found.every((definition) => {
    if (typeof definition !== "object" || definition === null) return true;
    const tools: unknown = Reflect.get(definition, "tools");
    const denied = rulesIn(Reflect.get(definition, "disallowedTools"));
    return (tools === undefined || isNamed(rulesIn(tools))) && !denied.some(isReadAtAll);
  });
}

/** Rules as a text or a list; anything else gives none. */
function rulesIn(value: unknown): string[] {
  if (typeof value === "string") return toolRuleList(value);
  return Array.isArray(value) ? toolRuleList(value.filter((one) => typeof one === "string")) : [];
}
