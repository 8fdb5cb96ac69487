// Converts texts written for callers of tools for use on a command line.
import type { Flag } from "./flags.ts";

/** Words about options, for a command line: `maxTurns` becomes `--max-turns`, `tasks[2]` task 3. */
export function inFlagWords(text: string, flags: readonly Flag[]): string {
  const names = new Map(flags.map(({ property, name }) => [property, `--${name}`]));
  return (
    text
      .replace(/`(\w+)(?:: ([^`]*))?`/g, (whole, property: string, value: string | undefined) => {
        const name = names.get(property);
        if (name === undefined) return whole;
        return value === undefined ? `\`${name}\`` : `\`${name} ${value.replace(/^"(.*)"$/, "'$1'")}\``;
      })
      .replace(
        /^((?:- |Nothing was done: )?)(\w+)(?= was given| is missing| needs | \/|[.[])/gm,
        (whole, before: string, property: string) => {
          const name = names.get(property);
          return name === undefined ? whole : `${before}${name}`;
        },
      )
      // Only camelCase names, so that no plain word is replaced.
      .replace(/(?<![\w."'`/-])([a-z]+[A-Z]\w*)(?![\w"'`])/g, (whole) => names.get(whole) ?? whole)
      .replace(/\btasks\[(\d+)\]/g, (_, index: string) => `task ${Number(index) + 1}`)
  );
}
