// The files that a task depends on, as its caller names them.
import type { SessionOptions } from "./options.ts";

const placeholder = /\{\{([^{}]*)\}\}/g;

/** A task's inputs with its placeholders filled in; undefined if its caller names none. */
export function inputsOf(
  { inputs }: Pick<SessionOptions, "inputs">,
  values: Readonly<Record<string, string>> = {},
): string[] | undefined {
  return inputs?.map((input) =>
    input.replace(placeholder, (written, name: string) => values[name.trim()] ?? written),
  );
}

/** Placeholders in a task's inputs that stand for nothing. */
export function unknownPlaceholders(
  { inputs = [] }: Pick<SessionOptions, "inputs">,
  values: Readonly<Record<string, string>> = {},
): string[] {
  const names = inputs.flatMap((input) =>
    [...input.matchAll(placeholder)].map(([, name = ""]) => name.trim()),
  );
  return [...new Set(names)].filter((name) => values[name] === undefined);
}
