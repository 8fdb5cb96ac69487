// How a text names an option: in the words of the tools, or in those of the command line.
import { kebabCase } from "../model/kebab-case.ts";
import { shellQuoted } from "../model/shell-quoted.ts";

/** Who is addressed: a caller of the MCP tools, or somebody at a command line. */
export type Door = "tools" | "command-line";

/** Whose words a batch's own pages use: those of the door that started it. */
export function doorOf(startedBy: string): Door {
  return startedBy === "run" ? "command-line" : "tools";
}

/**
 * An option in backticks, ready to be copied: `maxTurns` or `--max-turns`; with a value `allowedTools: "Read"` or
 * `--allowed-tools Read`, quoted for a POSIX shell. A list is JSON to the tools, and a flag for each of its items.
 */
export function optionText(door: Door, option: string, value?: string | readonly string[]): string {
  if (value === undefined) return door === "tools" ? `\`${option}\`` : `\`--${kebabCase(option)}\``;
  if (door === "tools") return `\`${option}: ${JSON.stringify(value)}\``;
  const values = typeof value === "string" ? [value] : value;
  return `\`${values.map((item) => `--${kebabCase(option)} ${shellQuoted(item)}`).join(" ")}\``;
}
