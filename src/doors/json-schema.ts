// The declared schemas as JSON Schema, as small and plain as clients need them.
import { z } from "zod";

/** An input schema. Shown as written, so that no field with a default turns up as required. */
export function inputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return slim(z.toJSONSchema(schema, { io: "input" }));
}

/** An output schema. */
export function outputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return slim(z.toJSONSchema(schema, { io: "output" }));
}

function slim(schema: Record<string, unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = z
    .record(z.string(), z.unknown())
    .parse(without(schema, ["placeholder", "verbatim", "aliases", "hints", "flags"], 0));
  return rest;
}

// A task's own options are those of the batch, described there: a second time they would only cost context.
function without(value: unknown, names: readonly string[], depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, names, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  // Several types in one word are not portable: a client that knows one type a schema drops them, or the tool.
  if ("type" in value && Array.isArray(value.type)) {
    const { type: types, ...rest } = value;
    return { ...rest, anyOf: types.map((type: unknown) => ({ type })) };
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => !names.includes(name) && !allowsAnything(name, inner))
      .map(([name, inner]) => [
        name,
        without(inner, depth > 3 ? [...names, "description"] : names, depth + 1),
      ]),
  );
}

// Anything is allowed without a word, and some clients stumble over the empty schema that says it.
function allowsAnything(name: string, value: unknown): boolean {
  return (
    name === "additionalProperties" &&
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 0
  );
}
