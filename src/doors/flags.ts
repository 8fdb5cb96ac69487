// Command-line flags, derived from a declared input: what can be written, and what was.
import { z } from "zod";
import { kebabCase } from "../model/kebab-case.ts";
import { secretOptions } from "../model/options.ts";
import { looksLikeJson, valueMeant } from "../operations/as-meant.ts";
import { type Checked, jsonFault, nearest } from "../operations/faults.ts";
import { type Shape, shapeOf } from "../operations/shape.ts";
import { parseArgs } from "../platform/arguments.ts";

/** What a flag's text becomes. `joined`: a list that is also taken as one text with commas. */
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
  property: string;
  /** Without its dashes. */
  name: string;
  /** One letter, where `.meta({ short })` gives it. */
  short?: string;
  kind: FlagKind;
  /** What its text is understood by. */
  shape: Shape;
  placeholder: string;
  description: string;
  choices: string[];
  fallback?: unknown;
}

/** What was written on a command line: options by property, not parsed by their schema yet. */
export interface Written {
  options: Record<string, unknown>;
  positionals: string[];
}

const propertySchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.object({ type: z.string().optional() })).optional(),
  description: z.string().default(""),
  placeholder: z.string().optional(),
  short: z.string().optional(),
  default: z.unknown().optional(),
});
type Property = z.infer<typeof propertySchema>;

const objectSchema = z.object({ properties: z.record(z.string(), propertySchema) });

/** The flags of an object schema, in the order of its declaration; `without` names those that are none. */
export function flagsOf(schema: z.ZodType, without: readonly string[] = []): Flag[] {
  const { properties } = objectSchema.parse(z.toJSONSchema(schema, { io: "input" }));
  const shapes = shapeOf(schema).properties;
  return Object.entries(properties).flatMap(([property, declared]) => {
    const shape = shapes.get(property);
    return shape === undefined || without.includes(property) ? [] : [flagOf(property, declared, shape)];
  });
}

/** Reads a command line: what was written, or everything that is wrong with it. */
export function parseFlags(flags: readonly Flag[], argv: readonly string[]): Checked<Written> {
  const { tokens } = parseArgs({
    args: [...argv],
    options: declarations(flags),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const faults: string[] = [];
  const written: Written = { options: {}, positionals: [] };
  for (const token of tokens) {
    if (token.kind === "positional") written.positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.find(({ name }) => token.name === name || token.name === `no-${name}`);
    const fault = flag
      ? take(written.options, flag, { ...token, negated: token.name !== flag.name })
      : unknownFlag(token.rawName, flags);
    if (fault !== undefined) faults.push(fault);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: written };
}

function flagOf(property: string, declared: Property, shape: Shape): Flag {
  const kind = kindOf(declared);
  return {
    property,
    name: kebabCase(property),
    ...(declared.short === undefined ? {} : { short: declared.short }),
    kind,
    shape,
    placeholder: declared.placeholder ?? placeholderOf(property, declared),
    description: declared.description,
    choices: (declared.enum ?? []).map(String),
    ...(declared.default === undefined ? {} : { fallback: declared.default }),
  };
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

// `maxBudgetUsd` → USD, `model` → MODEL; whole numbers are counts.
function placeholderOf(property: string, { type }: Property): string {
  if (type === "integer") return "N";
  return kebabCase(property).split("-").at(-1)?.toUpperCase() ?? "VALUE";
}

function declarations(flags: readonly Flag[]) {
  return Object.fromEntries(
    flags.flatMap(({ name, short, kind }) => {
      const type = kind === "boolean" ? ("boolean" as const) : ("string" as const);
      const own = [name, { type, ...(short === undefined ? {} : { short }) }] as const;
      return kind === "boolean" ? [own, [`no-${name}`, { type }] as const] : [own];
    }),
  );
}

interface WrittenFlag {
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
  negated: boolean;
}

// Puts the value in its place, or says what is wrong with it.
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
  // What looks like another flag was hardly meant as a value.
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
  const { property, kind, choices } = flag;
  const shown = secretOptions.includes(property) ? "something else" : JSON.stringify(value);
  const given = `${rawName} was given as ${shown}`;
  const before = options[property];
  const meant = valueMeant(flag.shape, value);
  if (kind === "list") options[property] = [...itemsOf(before), ...itemsOf(meant)];
  else if (kind === "joined") {
    const isText = typeof before === "string" && typeof meant === "string";
    if (before === undefined) options[property] = meant;
    else options[property] = isText ? `${before},${meant}` : [...itemsOf(before), ...itemsOf(meant)];
  } else if (kind === "choice" && !choices.some((choice) => choice === meant)) {
    const near = nearest(value, choices);
    return `${given}: accepted are ${choices.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`;
  } else if (kind === "number" && typeof meant !== "number") return `${given}: expected a number`;
  else if (typeof meant === "string" && takesData(kind) && (kind === "object" || looksLikeJson(value))) {
    const reason = secretOptions.includes(property) ? "" : jsonFault(value);
    return `${given}: expected a JSON object${reason}`;
  } else options[property] = meant;
  return undefined;
}

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

function unknownFlag(rawName: string, flags: readonly Flag[]): string {
  const near = nearest(
    kebabCase(rawName.replace(/^-+/, "")),
    flags.map(({ name }) => name),
  );
  return `${rawName} is not known${near === undefined ? "" : `; did you mean \`--${near}\`?`}`;
}
