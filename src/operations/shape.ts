// The shape of a declared input, for understanding what was written: its types, names and choices.
import { z } from "zod";

/** What is accepted in one place. */
export interface Shape {
  /** In the words of JSON Schema: `string`, `number`, `integer`, `boolean`, `array`, `object`. */
  types: ReadonlySet<string>;
  /** The accepted texts, if only some are. */
  choices: readonly string[];
  /** Whether an empty text means something. */
  mayBeEmpty: boolean;
  /** Whether a text is passed on unchanged, whatever it looks like. */
  isVerbatim: boolean;
  /** Of a list. */
  item?: Shape;
  /** Of an object, in the order of the declaration. */
  properties: ReadonlyMap<string, PropertyShape>;
  /** The required properties of an object. */
  required: readonly string[];
  /** Of the values of an object with any names. */
  values?: Shape;
}

export interface PropertyShape extends Shape {
  /** Other unambiguous names. Declared by `.meta({ aliases })`. */
  aliases: readonly string[];
  /** Names that probably mean this one, for suggestions. Declared by `.meta({ hints })`. */
  hints: readonly string[];
  /** Whether `null` differs from leaving the property out. Declared by `.meta({ explicit: true })`. */
  isExplicit: boolean;
}

const declaredSchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  minLength: z.number().optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
  anyOf: z.array(z.unknown()).default([]),
  verbatim: z.boolean().default(false),
  aliases: z.array(z.string()).default([]),
  hints: z.array(z.string()).default([]),
  explicit: z.boolean().default(false),
});

const known = new WeakMap<z.ZodType, Shape>();

/** The shape of a declared input. */
export function shapeOf(schema: z.ZodType): Shape {
  return known.get(schema) ?? shapeBy(schema, inputSchemaOf(schema));
}

/** The same, by its JSON Schema, which takes most of the time. */
export function shapeBy(schema: z.ZodType, declared: InputSchema): Shape {
  const shape = shapeIn(declared);
  known.set(schema, shape);
  return shape;
}

export type InputSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of a declared input, with everything that `.meta` says. */
export function inputSchemaOf(schema: z.ZodType): InputSchema {
  return z.toJSONSchema(schema, { io: "input" });
}

function shapeIn(schema: unknown): PropertyShape {
  const declared = declaredSchema.parse(schema);
  const branches = declared.anyOf.map(shapeIn);
  const choices = [...(declared.enum ?? []), ...(declared.const === undefined ? [] : [declared.const])];
  const { items, properties, additionalProperties } = declared;
  const own: PropertyShape = {
    types: new Set(declared.type === undefined ? [] : [declared.type]),
    choices: choices.filter((choice) => typeof choice === "string"),
    mayBeEmpty: declared.type === "string" && (declared.minLength ?? 0) === 0 && choices.length === 0,
    isVerbatim: declared.verbatim,
    properties: new Map(Object.entries(properties ?? {}).map(([name, inner]) => [name, shapeIn(inner)])),
    required: declared.required,
    aliases: declared.aliases,
    hints: declared.hints,
    isExplicit: declared.explicit,
    ...(items === undefined ? {} : { item: shapeIn(items) }),
    ...(typeof additionalProperties === "object" ? { values: shapeIn(additionalProperties) } : {}),
  };
  return branches.reduce(together, own);
}

// The union of two accepted shapes.
function together(one: PropertyShape, other: PropertyShape): PropertyShape {
  return {
    ...other,
    ...one,
    types: one.types.union(other.types),
    choices: [...one.choices, ...other.choices],
    mayBeEmpty: one.mayBeEmpty || other.mayBeEmpty,
    isVerbatim: one.isVerbatim || other.isVerbatim,
    properties: new Map([...one.properties, ...other.properties]),
    required: [...one.required, ...other.required],
  };
}

/** The shape at a place of an input; undefined if anything is accepted. */
export function shapeAt(shape: Shape, path: readonly PropertyKey[]): Shape | undefined {
  return path.reduce<Shape | undefined>((outer, key) => {
    if (typeof key === "number") return outer?.item;
    return outer?.properties.get(String(key)) ?? outer?.values;
  }, shape);
}

/** The properties that a name may mean, in the order of the declaration: `max_turns` is `maxTurns`. */
export function propertiesMeant({ properties }: Shape, name: string): string[] {
  if (properties.has(name)) return [name];
  const letters = lettersOf(name);
  const all = [...properties];
  const same = all.filter(([property]) => lettersOf(property) === letters);
  const meant = same.length > 0 ? same : all.filter(([, { aliases }]) => has(aliases, letters));
  return meant.map(([property]) => property);
}

/** The properties for which a name is a declared hint; several if it is ambiguous. */
export function propertiesHinted({ properties }: Shape, name: string): string[] {
  const letters = lettersOf(name);
  return [...properties].flatMap(([property, { hints }]) => (has(hints, letters) ? [property] : []));
}

/** A name without differences of spelling, such as case and separators. */
export function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}

function has(names: readonly string[], letters: string): boolean {
  return names.some((name) => lettersOf(name) === letters);
}
