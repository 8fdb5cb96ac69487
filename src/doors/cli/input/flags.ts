// Command-line flags, derived from a declared input: which can be written, and which were.
import { z } from "zod";
import { isRecord } from "../../../model/json-values.ts";
import { kebabCase } from "../../../model/kebab-case.ts";
import { secretOptions, spreadOptions } from "../../../model/options.ts";
import { declaredProse, type Prose, proseText } from "../../../model/prose.ts";
import { shellQuoted } from "../../../model/shell-quoted.ts";
import { looksLikeJson, valueMeant } from "../../../operations/as-meant.ts";
import { type Fault, instead } from "../../../operations/fault.ts";
import { faultText, toolWording } from "../../../operations/fault-text.ts";
import { type Checked, jsonFault } from "../../../operations/faults.ts";
import { nearest } from "../../../operations/nearest.ts";
import { inputSchemaOf, type Shape, shapeBy } from "../../../operations/shape.ts";
import { parseArgs } from "../../../platform/arguments.ts";
import { speechOf } from "../../../report/speech.ts";
import { type Flag, type FlagKind, flagNamed, spellingsOf } from "./flag.ts";

/** A command line as written: options by property, not parsed by their schema yet. */
export interface Written {
  options: Record<string, unknown>;
  positionals: string[];
  /** How many of the positionals came after `--`: they are taken literally. */
  literal: number;
}

/** What to say about an unknown option that people may expect; undefined if there is nothing to say. */
export type Hints = (name: string) => string | undefined;

const propertySchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.object({ type: z.string().optional() })).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  description: z.string().default(""),
  prose: declaredProse.optional(),
  negated: z.string().optional(),
  more: declaredProse.default(""),
  placeholder: z.string().optional(),
  short: z.string().optional(),
  aliases: z.array(z.string()).default([]),
  flags: z.array(z.string()).default([]),
  mayBeBare: z.boolean().default(false),
  default: z.unknown().optional(),
});
type Property = z.infer<typeof propertySchema>;

const objectSchema = z.object({ properties: z.record(z.string(), propertySchema) });

const known = new WeakMap<z.ZodType, readonly Flag[]>();

/** The flags of an object schema, in the order of its declaration, except the properties in `without`. */
export function flagsOf(schema: z.ZodType, without: readonly string[] = []): Flag[] {
  const all = known.get(schema) ?? declaredFlags(schema);
  known.set(schema, all);
  return all.filter(({ property }) => !without.includes(property.replace(/\..*/, "")));
}

function declaredFlags(schema: z.ZodType): Flag[] {
  const json = inputSchemaOf(schema);
  const { properties } = objectSchema.parse(json);
  const shapes = shapeBy(schema, json).properties;
  return Object.entries(properties).flatMap(([property, declared]) => {
    const shape = shapes.get(property);
    if (shape === undefined) return [];
    return spreadOptions.includes(property)
      ? partsOf(property, declared, shape)
      : [flagOf(property, declared, shape)];
  });
}

// A flag for each part of an option, and of its parts: `--stop-when-found`, `--stop-when-where-pattern`.
function partsOf(outer: string, declared: Property, { properties: shapes }: Shape): Flag[] {
  const { properties } = objectSchema.parse(declared);
  return Object.entries(properties).flatMap(([name, part]) => {
    const shape = shapes.get(name);
    const property = `${outer}.${name}`;
    if (!shape) return [];
    return part.properties ? partsOf(property, part, shape) : [flagOf(property, part, shape)];
  });
}

/** The value of a flag's option, or of the part that it stands for. */
export function valueAt(options: Readonly<Record<string, unknown>>, property: string): unknown {
  return property
    .split(".")
    .reduce<unknown>((outer, name) => (isRecord(outer) ? outer[name] : undefined), options);
}

/** Sets the value of an option, or of the part that a flag stands for. */
export function putValue(options: Record<string, unknown>, property: string, value: unknown): void {
  const [first = "", ...rest] = property.split(".");
  if (rest.length === 0) {
    options[first] = value;
    return;
  }
  const before = options[first];
  const inner = isRecord(before) ? before : {};
  options[first] = inner;
  putValue(inner, rest.join("."), value);
}

/** Parses a command line: what was written, or everything that is wrong with it. */
export function parseFlags(
  flags: readonly Flag[],
  argv: readonly string[],
  hints: Hints = () => undefined,
): Checked<Written, string> {
  const { tokens } = parseArgs({
    args: withEmptyValues(flags, argv),
    options: declarations(flags),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const faults: string[] = [];
  const written: Written = { options: {}, positionals: [], literal: 0 };
  const end = tokens.find(({ kind }) => kind === "option-terminator")?.index ?? Number.POSITIVE_INFINITY;
  /** A flag that takes several values, and the position of the word after its value. */
  let open: { flag: Flag; rawName: string; value: string; next: number } | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (token.index > end) written.literal++;
      else if (open?.next === token.index && isOneWord(token.value))
        faults.push(strayFault(open, token.value));
      written.positionals.push(token.value);
    }
    if (token.kind !== "option") continue;
    const { rawName, value, index } = token;
    const named = flagNamed(flags, token.name);
    const isList = named?.flag.kind === "joined" || named?.flag.kind === "list";
    // `--tools=Read` takes no further values.
    if (named && isList && value !== undefined && !token.inlineValue)
      open = { flag: named.flag, rawName, value, next: index + 2 };
    const fault = named
      ? take(written.options, named.flag, { ...token, negated: named.negated })
      : unknownFlag(rawName, flags, hints);
    if (fault !== undefined) faults.push(fault);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: written };
}

// A flag that may stand without a value gets an empty one where no value follows.
function withEmptyValues(flags: readonly Flag[], argv: readonly string[]): string[] {
  const bare = flags.filter(({ mayBeBare }) => mayBeBare).flatMap(spellingsOf);
  const end = argv.indexOf("--");
  return argv.map((word, index) => {
    const isBare = word.startsWith("--") && bare.includes(word.slice(2)) && (end < 0 || index < end);
    return isBare && (argv[index + 1]?.startsWith("-") ?? true) ? `${word}=` : word;
  });
}

/** A word that `claude` would take as one more value of the option before it. A task has several words. */
function isOneWord(text: string): boolean {
  return !/\s/.test(text) || /^\w+\(.*\)$/.test(text);
}

function strayFault(
  { flag, rawName, value }: { flag: Flag; rawName: string; value: string },
  word: string,
): string {
  const meant =
    flag.kind === "joined"
      ? `write \`${rawName} ${shellQuoted(`${value},${word}`)}\``
      : `repeat the option: \`${rawName} ${shellQuoted(word)}\``;
  const expanded =
    flag.placeholder === "GLOB"
      ? ` If your shell has expanded a pattern, put it in quotes: \`${rawName} 'src/**/*.ts'\`.`
      : "";
  return `unexpected ${JSON.stringify(word)} after the value of ${rawName}.${expanded} If it is another value, ${meant}. If it is a task, write it before the options, or after \`--\``;
}

function flagOf(property: string, declared: Property, shape: Shape): Flag {
  const kind = kindOf(declared);
  return {
    property,
    name: kebabCase(property.replaceAll(".", "-")),
    ...(declared.short === undefined ? {} : { short: declared.short }),
    aliases: [...declared.aliases, ...declared.flags],
    kind,
    shape,
    placeholder: declared.placeholder ?? placeholderOf(property, declared),
    description: [asSwitch(declared), declared.more]
      .map((given) => proseText(given, speechOf("command-line")))
      .filter(Boolean)
      .join(" "),
    choices: (declared.enum ?? []).map(String),
    ...(declared.mayBeBare ? { mayBeBare: true } : {}),
    ...(declared.default === undefined ? {} : { fallback: declared.default }),
  };
}

// A switch that is on by default is written and described as `--no-…`.
function asSwitch({ default: fallback, description, prose, negated }: Property): Prose {
  return (fallback === true ? negated : undefined) ?? prose ?? description;
}

function kindOf({ type, enum: choices, anyOf }: Property): FlagKind {
  if (choices) return "choice";
  const types = new Set(anyOf ? anyOf.map((one) => one.type) : [type]);
  const text = types.has("string");
  if (types.has("array")) return text ? "joined" : "list";
  if (types.has("object")) return text ? "text-or-object" : "object";
  if (types.has("number") || types.has("integer")) return text ? "text-or-number" : "number";
  return types.has("boolean") ? "boolean" : "text";
}

// `maxBudgetUsd` → USD, `model` → MODEL; integers are counts.
function placeholderOf(property: string, { type }: Property): string {
  if (type === "integer") return "N";
  return kebabCase(property).split("-").at(-1)?.toUpperCase() ?? "VALUE";
}

function declarations(flags: readonly Flag[]) {
  return Object.fromEntries(
    flags.flatMap((flag) => {
      const { name, short } = flag;
      const type = flag.kind === "boolean" ? ("boolean" as const) : ("string" as const);
      return spellingsOf(flag).flatMap((one) => {
        const letter = one === name ? short : one.length === 1 ? one : undefined;
        const own = [one, { type, ...(letter === undefined ? {} : { short: letter }) }] as const;
        return flag.kind === "boolean" ? [own, [`no-${one}`, { type }] as const] : [own];
      });
    }),
  );
}

interface WrittenFlag {
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
  negated: boolean;
}

// Stores the value, or says what is wrong with it.
function take(options: Record<string, unknown>, flag: Flag, token: WrittenFlag): string | undefined {
  const { rawName, value, inlineValue, negated } = token;
  if (flag.kind === "boolean") {
    if (value !== undefined)
      return `${rawName} takes no value, and was given ${JSON.stringify(value)}; \`--no-${flag.name}\` turns it off`;
    options[flag.property] = !negated;
    return undefined;
  }
  if (negated) return `${rawName} is not known: only switches can be turned off`;
  if (value === undefined) return `${rawName} needs a value: ${expected(flag)}`;
  // Another flag in place of a value is probably a mistake.
  if (!inlineValue && /^-[^-\d]|^--/.test(value))
    return `${rawName} needs a value: ${expected(flag)}. Write \`${rawName}=${value}\` if ${value} is meant`;
  return put(options, flag, rawName, value);
}

function put(
  options: Record<string, unknown>,
  flag: Flag,
  rawName: string,
  value: string,
): string | undefined {
  const { property, kind } = flag;
  const before = valueAt(options, property);
  const read = valueIn(flag, value);
  if (!read.ok) return read.faults.map((fault) => wordedAs(fault, rawName)).join("; ");
  const meant = read.value;
  if (kind === "list") putValue(options, property, [...itemsOf(before), ...itemsOf(meant)]);
  else if (kind === "joined" && before !== undefined) {
    const isText = typeof before === "string" && typeof meant === "string";
    putValue(options, property, isText ? `${before},${meant}` : [...itemsOf(before), ...itemsOf(meant)]);
  } else putValue(options, property, meant);
  return undefined;
}

/** What a text means as the value of a flag, or what is accepted instead. Its schema has not looked at it yet. */
export function valueIn(
  { property, kind, shape, choices, placeholder }: Flag,
  text: string,
): Checked<unknown> {
  const isSecret = secretOptions.includes(property);
  const meant = valueMeant(shape, text);
  const refused = (expected: string, near?: string): Checked<unknown> => ({
    ok: false,
    faults: [instead([property], isSecret ? "something else" : JSON.stringify(text), expected, near)],
  });
  if (kind === "boolean" && typeof meant !== "boolean") return refused("expected true or false");
  if (kind === "choice" && !choices.some((choice) => choice === meant))
    return refused(`expected one of ${choices.join(", ")}`, nearest(text, choices));
  if (kind === "number" && typeof meant !== "number")
    return refused(`expected a number${units[placeholder] ?? ""}`);
  if (typeof meant === "string" && takesData(kind) && (kind === "object" || looksLikeJson(text)))
    return refused(`expected a JSON object${isSecret ? "" : jsonFault(text)}`);
  return { ok: true, value: meant };
}

/** A fault of a value whose option is called `name` where it stands. */
export function wordedAs(fault: Fault, name: string): string {
  return faultText(fault, { ...toolWording, place: () => name });
}

/** The unit of a number, by its placeholder. */
const units: Record<string, string> = {
  SECONDS: " of seconds",
  DAYS: " of days",
  USD: " of US dollars, without a sign",
};

function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

function takesData(kind: FlagKind): boolean {
  return kind === "object" || kind === "text-or-object";
}

function expected({ kind, placeholder, choices, name }: Flag): string {
  if (kind === "choice") return `one of ${choices.join(", ")}`;
  return `\`--${name} ${placeholder}\``;
}

function unknownFlag(rawName: string, flags: readonly Flag[], hints: Hints): string {
  const name = rawName.replace(/^-+/, "");
  const hint = hints(name);
  if (hint !== undefined) return `${rawName} is not an option here: ${hint}`;
  const parts = flags.filter(({ property }) => property.startsWith(`${name}.`));
  if (parts.length > 0)
    return `${rawName} is no option of its own: write ${parts.map((part) => `\`--${part.name}\``).join(", ")}`;
  const near = nearest(
    kebabCase(name),
    flags.map((flag) => flag.name),
  );
  return `${rawName} is not known${near === undefined ? "" : `; did you mean \`--${near}\`?`}`;
}
