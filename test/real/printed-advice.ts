// Reads advice on denied tools as its reader does: the call that it gives, or the command as a shell reads it.
import { z } from "zod";
import { type SessionOptions, sessionOptions } from "../../src/model/options.ts";
import type { Denial } from "../../src/model/outcome.ts";
import { adviceFor } from "../../src/report/advice.ts";
import type { Door } from "../../src/report/option-words.ts";

/** The options that a retry gives to a task, as advice has them. */
export interface PrintedAdvice {
  text: string;
  changes: Record<string, unknown>;
}

/** The advice in the words of the tools. `options` are those of the task. */
export function printedForTools(denials: readonly Denial[], options: SessionOptions): PrintedAdvice {
  const text = textFor(denials, options, "tools");
  return { text, changes: changesInText(text) };
}

/** The advice in the words of the command line. */
export function printedForShell(denials: readonly Denial[], options: SessionOptions): PrintedAdvice {
  const text = textFor(denials, options, "command-line");
  const command = /`(parallel-claude-code-mcp retry bcdfghjk 1(?: [^`]*)?)`/.exec(text)?.[1] ?? "";
  return { text, changes: optionsOf(shellWords(command).slice(4)) };
}

/** The options of the call that a text gives. */
export function changesInText(text: string): Record<string, unknown> {
  const call: unknown = JSON.parse(/retry_batch with `(\{[^`]*\})`/.exec(text)?.[1] ?? "{}");
  return z.object({ with: z.record(z.string(), z.unknown()).default({}) }).parse(call).with;
}

/** The options of a task as they are when advice is followed. */
export function followed(options: SessionOptions, { changes }: PrintedAdvice): SessionOptions {
  return sessionOptions.parse({ ...options, ...changes });
}

function textFor(denials: readonly Denial[], options: SessionOptions, door: Door): string {
  const facts = { denials, batchId: "bcdfghjk", door, tasks: [1], options };
  return adviceFor({ kind: "succeeded", length: 0, offset: 0 }, facts) ?? "";
}

function shellWords(command: string): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${command}`]);
  return stdout.toString().split("\0").slice(0, -1);
}

function optionsOf(words: readonly string[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at++) {
    const [flag = "", inline] = (words[at] ?? "").split(/=(.*)/s, 2);
    const name = flag.slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = (words[at] ?? "").includes("=") ? (inline ?? "") : (words[++at] ?? "");
    const before = found[name];
    found[name] = name === "addDirectories" ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  return found;
}
