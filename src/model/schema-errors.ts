// Whether a value fits a JSON Schema, and what is wrong if not.
import { type Schema, Validator } from "@cfworker/json-schema";
import { messageOf } from "../platform/system-error.ts";
import { cut } from "./cut.ts";

/** Most faults that are listed. */
const mostErrors = 10;

/** What is wrong with a value, a sentence each; empty if it fits. Throws for a schema that refers to nothing. */
export function schemaErrors(schema: Record<string, unknown>, value: unknown): string[] {
  const { valid, errors } = new Validator(schema satisfies Schema, "2020-12", false).validate(value);
  if (valid) return [];
  // Of a fault in a part, the parts around it say only that there is one.
  const said = errors.filter(({ keyword }) => !around.has(keyword));
  const texts = (said.length > 0 ? said : errors).map(
    ({ instanceLocation, error }) => `${placeOf(instanceLocation)}: ${cut(error, 300)}`,
  );
  const distinct = [...new Set(texts)];
  const more = distinct.length - mostErrors;
  return [...distinct.slice(0, mostErrors), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** Why a schema cannot be used, though each of its parts may be right; undefined if it can. */
export function schemaTrouble(schema: Record<string, unknown>): string | undefined {
  try {
    schemaErrors(schema, {});
    return undefined;
  } catch (error) {
    // The library also names an address that it made up.
    return messageOf(error).replace(/\.?\s+Absolute URI[\s\S]*$|\.$/, "");
  }
}

const around = new Set(["properties", "items", "prefixItems", "$ref", "additionalProperties"]);

// `#/a/0` → `/a/0`.
function placeOf(location: string): string {
  const place = location.replace(/^#/, "");
  return place === "" ? "the answer" : place;
}
