// The option `env`: read from a file, so that its values are in no call and on no command line, and checked.
import { z } from "zod";
import { refusedVariable } from "../claude/environment.ts";
import { isJsonText, readSettingsFile, settingsInText } from "../claude/settings-file.ts";
import { cut } from "../model/cut.ts";
import { prose } from "../model/prose.ts";
import { kindAt } from "../platform/files.ts";
import { whyNotRead } from "./allowed-roots.ts";
import type { Context } from "./context.ts";
import { type Fault, type Place, wrong } from "./fault.ts";
import { refusedProse } from "./refused-prose.ts";
import { readPath } from "./written-path.ts";

const variables = z.record(z.string(), z.string());

/** Linux takes 131,072 bytes for `NAME=value` and its NUL. */
const mostBytes = 131_072;
/**
 * All together: with the operator's variables and the arguments, they must fit into what a process takes at its start.
 */
const mostBytesInAll = 500_000;

/**
 * The variables in a JSON file (or in a JSON text), or what is wrong. Does not repeat the input, which may be a value by
 * mistake.
 */
export function readVariables(
  context: Context,
  given: string,
  from: string,
): { variables: Record<string, string> } | { fault: string } {
  if (isJsonText(given)) {
    const parsed = variables.safeParse(settingsInText(given));
    return parsed.success ? { variables: parsed.data } : { fault: "is not a JSON object of strings" };
  }
  const read = readPath(given, from);
  const refused = "path" in read ? whyNotRead(context, read.path) : undefined;
  if (refused !== undefined) return { fault: `was given as a text that, as the path of a file, ${refused}` };
  if ("fault" in read || kindAt(read.path) !== "file")
    return {
      fault: "was given as a text that is no file: expected a JSON file, or a JSON object of strings",
    };
  const file = readSettingsFile(read.path);
  if (file.kind === "unreadable") return { fault: `was given as a file that ${file.reason}` };
  const parsed = variables.safeParse(file.kind === "settings" ? file.settings : undefined);
  return parsed.success
    ? { variables: parsed.data }
    : { fault: "was given as a file that is not a JSON object of strings" };
}

/** The variables in an option after reading. */
export function variablesIn(env: unknown): Record<string, string> {
  const parsed = variables.safeParse(env);
  return parsed.success ? parsed.data : {};
}

/** Faults of the variables of an option `env`, without values. */
export function variableFaults(env: Record<string, string>): Fault[] {
  const sizes = Object.entries(env).map(
    ([name, value]) => [name, Buffer.byteLength(name) + Buffer.byteLength(value) + 2] as const,
  );
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  return [
    ...Object.entries(env).flatMap(([name, value]) => {
      const refused = refusedVariable(name);
      if (refused !== undefined)
        return [wrong(placeOf(name), prose`cannot be set: ${refusedProse(refused)}`)];
      return value.includes("\0")
        ? [wrong(placeOf(name), "contains a NUL character, which no variable can hold")]
        : [];
    }),
    ...sizes
      .filter(([, size]) => size > mostBytes)
      .map(([name]) =>
        wrong(placeOf(name), `is longer than a variable may be (${mostBytes} bytes with its name)`),
      ),
    ...(total > mostBytesInAll
      ? [wrong(["env"], `is longer than ${mostBytesInAll} bytes in all; put values in files`)]
      : []),
  ];
}

function placeOf(name: string): Place {
  return ["env", cut(name, 100)];
}
