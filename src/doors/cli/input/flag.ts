// What a flag is, and by which names it is written.
import { kebabCase } from "../../../model/kebab-case.ts";
import type { Shape } from "../../../operations/shape.ts";

/** The type of a flag's value. `joined`: a list that may also be one text with commas. */
export type FlagKind =
  | "boolean"
  | "number"
  | "text"
  | "choice"
  | "list"
  | "joined"
  | "object"
  | "text-or-object"
  | "text-or-number";

/** One flag: `--max-turns` for the property `maxTurns`. */
export interface Flag {
  /** Of a part of an option: `expect.pattern`. */
  property: string;
  /** Without dashes. */
  name: string;
  /** One letter, from `.meta({ short })`. */
  short?: string;
  /** Other accepted names, without dashes (`.meta({ aliases, flags })`); not shown in help. */
  aliases: string[];
  kind: FlagKind;
  /** How its text is interpreted. */
  shape: Shape;
  placeholder: string;
  description: string;
  choices: string[];
  fallback?: unknown;
  /** Whether it may be written without a value, from `.meta({ mayBeBare })`; it is an empty text then. */
  mayBeBare?: boolean;
}

/** What is shown of a flag, as plain data. */
export type ShownFlag = Omit<Flag, "shape">;

/** Whether its values are, or may be, paths of files or directories. */
export function namesPath({ placeholder }: ShownFlag): boolean {
  return /^(?:DIR|FILE|PATH)\b/.test(placeholder);
}

/** The flag with this name, or a name that means the same, without dashes: `max-turns`, `maxTurns`, `max_turns`. */
export function flagNamed<Named extends ShownFlag>(
  flags: readonly Named[],
  name: string,
): { flag: Named; negated: boolean } | undefined {
  const found = (one: string) => flags.find((flag) => spellingsOf(flag).includes(one));
  const flag = found(name);
  if (flag) return { flag, negated: false };
  const negated = /^no[-_]?(.+)$/.exec(name)?.[1];
  const switched = negated === undefined ? undefined : (found(negated) ?? found(lowered(negated)));
  return switched ? { flag: switched, negated: true } : undefined;
}

// `noForkSession` → forkSession.
function lowered(name: string): string {
  return `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
}

/** All names by which flags can be written, without dashes. */
export function spellingsIn(flags: readonly ShownFlag[]): string[] {
  return flags.flatMap(spellingsOf);
}

/** All names of a flag, without dashes. */
export function spellingsOf({ name, property, aliases }: ShownFlag): string[] {
  const names = [name, property, ...aliases];
  return [...new Set(names.flatMap((one) => [one, dashed(one), dashed(one).replaceAll("-", "_")]))];
}

// A single capital letter is a short flag.
function dashed(name: string): string {
  return name.length === 1 ? name : kebabCase(name);
}
