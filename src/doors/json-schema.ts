// The declared schemas as JSON Schema, as small and plain as clients need them.
import { z } from "zod";

/** An input schema. Shown as written, so that no field with a default turns up as required. */
export function inputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return slim(z.toJSONSchema(schema, { io: "input" }), 2);
}

/** An output schema. */
export function outputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return slim(z.toJSONSchema(schema, { io: "output" }), 3);
}

function slim(schema: Record<string, unknown>, described: number): Record<string, unknown> {
  const { $schema: _, ...rest } = z
    .record(z.string(), z.unknown())
    .parse(without(schema, ["placeholder", "verbatim", "aliases", "hints", "flags", "explicit"], described));
  return rest;
}

// The options of one task, and of a retry, are those of a batch, described there: a second time they would only cost
// context. So nothing further in than `described` levels has a description.
function without(value: unknown, names: readonly string[], described: number): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, names, described - 1));
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
        without(inner, described < 0 ? [...names, "description"] : names, described - 1),
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
