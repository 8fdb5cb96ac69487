// Reads advice on denied tools as its reader does: the options in its text, or the flags as a shell reads them.
import { type SessionOptions, sessionOptions, toolRuleList } from "../../src/model/options.ts";
import type { Denial } from "../../src/model/outcome.ts";
import { adviceFor } from "../../src/report/advice.ts";

/** What a text of advice says to add to the options of a task, and to remove from them. */
export interface PrintedAdvice {
  text: string;
  added: Record<string, unknown>;
  /** Rules to remove from `disallowedTools`. */
  removed: string[];
}

/** The advice in the words of the tools. */
export function printedForTools(denials: readonly Denial[]): PrintedAdvice {
  const text = textFor(denials, "tools");
  return { text, added: addedInText(text), removed: removedIn(text) };
}

/** The advice in the words of the command line. */
export function printedForShell(denials: readonly Denial[]): PrintedAdvice {
  const text = textFor(denials, "command-line");
  return { text, added: optionsOf(shellWords(flagsIn(text))), removed: removedIn(text) };
}

/** The options that a text names with their values: `allowedTools: "Read"`. */
export function addedInText(text: string): Record<string, unknown> {
  const found = text.matchAll(/`(allowedTools|addDirectories|permissionMode|tools): ([^`]*)`/g);
  return Object.fromEntries([...found].map(([, name = "", value = ""]) => [name, JSON.parse(value)]));
}

/** The flags that a text names with their values: `--allowed-tools Read`. */
export function flagsIn(text: string): string {
  const found = text.matchAll(/`(--(?:allowed-tools|add-directories|permission-mode|tools) [^`]*)`/g);
  return [...found].map(([, flags]) => flags).join(" ");
}

/** The options of a task as they are when advice is followed. */
export function followed(options: SessionOptions, { added, removed }: PrintedAdvice): SessionOptions {
  const more = sessionOptions.partial().parse(added);
  const both = (name: "allowedTools" | "tools") => [
    ...toolRuleList(options[name] ?? []),
    ...toolRuleList(more[name] ?? []),
  ];
  return {
    ...options,
    ...(more.allowedTools ? { allowedTools: both("allowedTools") } : {}),
    ...(more.tools ? { tools: both("tools") } : {}),
    ...(more.addDirectories
      ? { addDirectories: [...(options.addDirectories ?? []), ...more.addDirectories] }
      : {}),
    ...(more.permissionMode ? { permissionMode: more.permissionMode } : {}),
    ...(removed.length > 0
      ? {
          disallowedTools: toolRuleList(options.disallowedTools ?? []).filter(
            (rule) => !removed.includes(rule),
          ),
        }
      : {}),
  };
}

function textFor(denials: readonly Denial[], door: "tools" | "command-line"): string {
  return adviceFor({ kind: "succeeded", length: 0, offset: 0 }, { denials, batchId: "bcdfghjk", door }) ?? "";
}

function removedIn(text: string): string[] {
  const list = /Remove (.+?) from `/.exec(text)?.[1] ?? "";
  return [...list.matchAll(/`([^`]*)`/g)].map(([, rule = ""]) => rule);
}

function shellWords(flags: string): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${flags}`]);
  return stdout.toString().split("\0").filter(Boolean);
}

function optionsOf(words: readonly string[]): Record<string, unknown> {
  const added: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at += 2) {
    const name = (words[at] ?? "").slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = words[at + 1];
    const before = added[name];
    added[name] = name === "addDirectories" ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  return added;
}
