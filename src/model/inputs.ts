// The files that a task depends on, as its caller names them.
import { literalPattern } from "./glob-text.ts";
import type { SessionOptions } from "./options.ts";

const placeholder = /\{\{([^{}]*)\}\}/g;

/** What a task depends on: a file or directory, or a pattern for files. */
export interface Input {
  isGlob: boolean;
  text: string;
}

/** A task's inputs with its placeholders filled in; undefined if its caller names none. */
export function inputsOf(
  { inputs }: Pick<SessionOptions, "inputs">,
  values: Readonly<Record<string, string>> = {},
): Input[] | undefined {
  return inputs?.map((input) => {
    // As it was written: `app/[id]/page.tsx` is the name of a file.
    const isGlob = /[*?[{]/.test(input.replaceAll(placeholder, ""));
    const text = input.replaceAll(placeholder, (written, name: string) => {
      const value = values[name.trim()];
      return value === undefined ? written : isGlob ? literalPattern(value) : value;
    });
    return { isGlob, text };
  });
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
