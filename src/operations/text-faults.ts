// Texts of options that could not be passed to a session: a process takes no NUL, and no argument of any length.
import { toolRuleList } from "../model/options.ts";
import type { RawOptions } from "./raw-options.ts";

/** Longest text or JSON that becomes one argument: Linux takes 131,071 bytes, with the name of the option among them. */
export const mostArgumentBytes = 120_000;

/** What is wrong with the texts of one set of options, as given. No value is in it. */
export function textFaults(options: RawOptions, place: string): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    // Prompts go through standard input, and variables have limits of their own.
    if (name === "task" || name === "tasks" || name === "env") return [];
    const where = `${place}${name}`;
    const texts = Array.isArray(value) ? value : [value];
    const hasNul = texts.some((text) => typeof text === "string" && text.includes("\0"));
    return [
      ...(hasNul ? [`${where} contains a NUL character, which no command line can hold`] : []),
      // Longer settings go into a file.
      ...(name === "settings" || bytesOf(value, name) <= mostArgumentBytes
        ? []
        : [
            `${where} is longer than ${mostArgumentBytes.toLocaleString("en")} bytes, the most that one argument may have; shorten it, or refer to a file`,
          ]),
    ];
  });
}

const ofRules = ["allowedTools", "disallowedTools", "tools"] as const;

/** Rules whose parentheses do not close: Claude Code would take the rules behind them for a part of them. */
export function ruleFaults(options: RawOptions): string[] {
  return ofRules.flatMap((name) => {
    const given = options[name];
    const texts = (Array.isArray(given) ? given : [given]).filter((text) => typeof text === "string");
    const broken = texts.flatMap((text) => toolRuleList(text)).filter((rule) => !isClosed(rule));
    return broken.map(
      (rule) => `${name} has a rule whose parentheses do not match: ${JSON.stringify(rule.slice(0, 60))}`,
    );
  });
}

function isClosed(rule: string): boolean {
  let depth = 0;
  for (const character of rule) {
    if (character === "(") depth++;
    if (character === ")" && --depth < 0) return false;
  }
  return depth === 0;
}

// A list is joined, except where each item is an argument of its own.
function bytesOf(value: unknown, name: string): number {
  const size = (one: unknown) =>
    Buffer.byteLength(typeof one === "string" ? one : (JSON.stringify(one) ?? ""));
  if (!Array.isArray(value)) return size(value);
  const sizes = value.map(size);
  return name === "claudeArguments" || name === "addDirectories"
    ? Math.max(0, ...sizes)
    : sizes.reduce((sum, one) => sum + one + 1, 0);
}
