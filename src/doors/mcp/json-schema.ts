// The declared schemas as JSON Schema, as small and plain as clients need: many pass all of it to their model in every
// conversation.
import { z } from "zod";
import { inputSchemaOf } from "../../operations/shape.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;
type Properties = NonNullable<JsonSchema["properties"]>;

/**
 * An input schema. Describes raw input, so that fields with a default are not required. A property that means the same in
 * `elsewhere` is described only there.
 */
export function inputJsonSchema(schema: z.ZodType, elsewhere?: z.ZodType): Record<string, unknown> {
  const own = inputOf(schema);
  return elsewhere ? { ...own, properties: notDescribedBy(inputOf(elsewhere), own) } : own;
}

/** An output schema. It is open: an answer may have fields that the schema does not list. */
export function outputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return listed(z.toJSONSchema(schema, { io: "output" }), { isClosed: false });
}

/**
 * Keywords that are passed on. Our own (`aliases`, `placeholder` …) are not, nor those that matter only for invalid input
 * (`minLength`, `pattern`), whose messages say what is expected.
 */
const keywords = [
  "enum",
  "const",
  "default",
  "description",
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "maxLength",
  "minItems",
  "maxItems",
] as const;

function inputOf(schema: z.ZodType): JsonSchema {
  return listed(inputSchemaOf(schema), { isClosed: true });
}

interface Manner {
  /** Whether an object accepts only the listed properties. */
  isClosed: boolean;
}

function listed(schema: JsonSchema, manner: Manner): JsonSchema {
  const { type, anyOf, items, properties, additionalProperties } = schema;
  const kept = keywords.filter((keyword) => keyword in schema && !goesWithoutSaying(keyword, schema));
  const words = Object.fromEntries(kept.map((keyword) => [keyword, schema[keyword]]));
  if (isTextOrTexts(anyOf)) return { type: "string", ...words };
  return {
    ...(type === undefined ? {} : { type }),
    ...words,
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map((one) => undescribed(listed(one, manner))) }),
    ...(isSchema(items) ? { items: listed(items, manner) } : {}),
    ...(properties === undefined ? {} : listedObject(schema, properties, manner)),
    // Omitted, because anything is allowed by default, and some clients reject an empty schema.
    ...(isSchema(additionalProperties) && Object.keys(additionalProperties).length > 0
      ? { additionalProperties: listed(additionalProperties, manner) }
      : {}),
  };
}

// Several words are one text with commas: every client can show that, and no model gets it wrong. A list is accepted too.
function isTextOrTexts(branches: readonly JsonSchema[] = []): boolean {
  const [text, list] = branches;
  const isList = list?.type === "array" && isSchema(list.items) && list.items.type === "string";
  return branches.length === 2 && text?.type === "string" && isList;
}

// The default limits of integers, which nobody reaches.
function goesWithoutSaying(keyword: (typeof keywords)[number], schema: JsonSchema): boolean {
  return Math.abs(Number(schema[keyword])) === Number.MAX_SAFE_INTEGER;
}

// The description of the whole union covers each branch.
function undescribed({ description: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

// `.meta({ listed: false })` omits a property, `.meta({ listed: "required" })` the optional properties of an object, and
// `.meta({ listed: ["a", "b"] })` all others: repeated, or for few callers, they would only cost context. The object then
// says that it has more.
function listedObject(schema: JsonSchema, properties: Properties, manner: Manner): JsonSchema {
  const all = Object.entries(properties);
  const shown = all.flatMap(([name, property]) => {
    if (!isSchema(property) || property["listed"] === false) return [];
    if (!isListed(schema, name)) return [];
    return [[name, listed(property, manner)] as const];
  });
  const required = shown.map(([name]) => name).filter((name) => schema.required?.includes(name));
  return {
    ...(shown.length === 0 ? {} : { properties: Object.fromEntries(shown) }),
    // Which fields an answer always has is no news to its reader.
    ...(required.length === 0 || !manner.isClosed ? {} : { required }),
    ...(manner.isClosed && schema.additionalProperties === false && shown.length > 0
      ? { additionalProperties: shown.length < all.length }
      : {}),
  };
}

function isListed({ listed, required = [] }: JsonSchema, name: string): boolean {
  if (listed === "required") return required.includes(name);
  return !Array.isArray(listed) || listed.includes(name);
}

function notDescribedBy(other: JsonSchema, { properties = {} }: JsonSchema): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, own]) => {
      const same = other.properties?.[name];
      const isSame = isSchema(own) && isSchema(same) && own.description === same.description;
      return [name, isSame ? bare(own) : own];
    }),
  );
}

const limits = ["description", "minimum", "exclusiveMinimum", "maximum", "maxLength"];

// Only what is needed to write a value: its limits are omitted with the description.
function bare(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !limits.includes(keyword)));
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
