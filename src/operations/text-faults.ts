// Faults of texts that cannot be passed to a session: arguments cannot contain NUL, or be arbitrarily long.
import { type Fault, wrong } from "./fault.ts";
import type { RawOptions } from "./raw-options.ts";

/** Longest text or JSON in one argument, in bytes: Linux takes 131,071, including the option's name. */
export const mostArgumentBytes = 120_000;

/** Prompts, which go through standard input, and what they are made from; and variables, which have their own limits. */
const notArguments = new Set(["task", "tasks", "env", "template", "forEach", "matrix"]);

/** Faults of the texts in one set of options, as given. Contains no values. */
export function textFaults(options: RawOptions): Fault[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (notArguments.has(name)) return [];
    const texts = Array.isArray(value) ? value : [value];
    const hasNul = texts.some((text) => typeof text === "string" && text.includes("\0"));
    return [
      ...(hasNul ? [wrong([name], "contains a NUL character, which no command line can hold")] : []),
      // Longer settings go into a file, and checks are ours.
      ...(name === "settings" || name === "expect" || bytesOf(value, name) <= mostArgumentBytes
        ? []
        : [
            wrong(
              [name],
              `is longer than ${mostArgumentBytes.toLocaleString("en")} bytes, the most that one argument may have; shorten it, or refer to a file`,
            ),
          ]),
    ];
  });
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
