// Rules of `allowedTools` and `disallowedTools`, read as Claude Code reads them.
import type { Mismatch } from "../model/outcome.ts";

/** `Bash(git log:*)`, parsed. */
export interface ToolRule {
  /** The rule as written. */
  text: string;
  tool: string;
  /** The text in the parentheses; absent for all uses of the tool. */
  content?: string;
}

export function toolRuleOf(text: string): ToolRule {
  const [, tool = text, content] = /^([^(]*)\((.*)\)$/s.exec(text) ?? [];
  const all = content === undefined || content === "" || content === "*";
  return { text, tool: tool.trim(), ...(all ? {} : { content }) };
}

/** Whether a rule for Bash covers one simple command. `x:*` and `x *` cover `x` and `x 1`, not `xab`. */
export function coversCommand({ tool, content }: ToolRule, command: string): boolean {
  if (tool !== "Bash") return false;
  if (content === undefined) return true;
  const prefix = /^(.*?)(?::\*| \*)$/s.exec(content)?.[1];
  if (prefix !== undefined && !prefix.includes("*")) {
    return command === prefix || command.startsWith(`${prefix} `);
  }
  const pattern = content.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "s").test(command);
}

/** Why a rule that looks as if it allowed a call does not; undefined for an unrelated rule. */
export function mismatchOf(rule: ToolRule, tool: string, commands: readonly string[]): Mismatch | undefined {
  const { text, content } = rule;
  if (text === "*") return "wildcard";
  if (rule.tool !== tool && rule.tool.toLowerCase() === tool.toLowerCase()) return "case";
  if (fileWriters.has(tool) && tool !== "Edit" && rule.tool === tool && content !== undefined)
    return "path-rule";
  if (text.startsWith("Bash(") && !text.endsWith(")") && tool === "Bash") return "parentheses";
  if (rule.tool !== "Bash" || tool !== "Bash" || content === undefined) return undefined;
  if (/[()]/.test(content)) return "parentheses";
  if (content.includes(",")) return "list";
  if (!content.includes("*") && commands.some((command) => command.startsWith(`${content} `))) return "exact";
  const behind = commands.map((command) => withoutAssignments(command));
  const others = behind.filter((command, index) => command !== commands[index]);
  return others.some((command) => coversCommand(rule, command)) ? "assignment" : undefined;
}

/** Tools that write files, whose rules for paths are all spelled `Edit(…)`. */
export const fileWriters: ReadonlySet<string> = new Set(["Edit", "MultiEdit", "NotebookEdit", "Write"]);

function withoutAssignments(command: string): string {
  return command.replace(/^(?:[A-Za-z_]\w*=\S*\s+)+/, "");
}
