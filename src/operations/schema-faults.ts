// Faults of a JSON Schema. A session with an invalid one fails at its start, or after it has been paid for.
import { type Fault, faultsAt, instead, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";

const types = ["object", "array", "string", "number", "integer", "boolean", "null"];
/** Keywords whose value is a schema, a list of schemas, or an object of schemas. */
const ofOne = ["additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"];
const ofSeveral = ["anyOf", "allOf", "oneOf", "prefixItems"];
const ofNamed = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/** Every fault of a schema that Claude is given for its answer, with its place in there. */
export function schemaFaults(schema: unknown): Fault[] {
  const type = isObject(schema) ? schema["type"] : undefined;
  if (typeof type === "string" && types.includes(type) && type !== "object")
    return [
      instead(
        ["type"],
        excerpt(type),
        `the API takes only "object" at the top; put the ${type} into a property`,
      ),
    ];
  return answerSchemaFaults(schema);
}

/** Every fault of a schema by which we check an answer: that may be of any type. */
export function answerSchemaFaults(schema: unknown): Fault[] {
  if (!isObject(schema)) return [noSchema(schema)];
  if (Object.keys(schema).length > 0 && !Object.keys(schema).some(isKeyword))
    return [
      wrong(
        [],
        'is no JSON Schema: expected `{"type": "object", "properties": {"name": {"type": "string"}}}` or the like',
      ),
    ];
  return faultsOf(schema);
}

function noSchema(given: unknown): Fault {
  return instead([], excerpt(given), "expected a JSON Schema");
}

function faultsOf(schema: unknown): Fault[] {
  if (typeof schema === "boolean") return [];
  if (!isObject(schema)) return [noSchema(schema)];
  const { type, items, required, enum: values, pattern } = schema;
  const given = Array.isArray(type) ? type : type === undefined ? [] : [type];
  return [
    ...given.flatMap(typeFault),
    ...(required === undefined || isList(required, (one) => typeof one === "string")
      ? []
      : [instead(["required"], excerpt(required), "expected a list of names of properties")]),
    ...(values === undefined || Array.isArray(values)
      ? []
      : [instead(["enum"], excerpt(values), "expected a list of values")]),
    ...(typeof pattern === "string" && !isPattern(pattern)
      ? [instead(["pattern"], excerpt(pattern), "expected a regular expression")]
      : []),
    ...ofOne.flatMap((key) => (key in schema ? faultsAt([key], faultsOf(schema[key])) : [])),
    ...(items === undefined
      ? []
      : faultsAt(["items"], Array.isArray(items) ? faultsOfEach(items) : faultsOf(items))),
    ...ofSeveral.flatMap((key) => (key in schema ? faultsAt([key], faultsOfList(schema[key])) : [])),
    ...ofNamed.flatMap((key) => (key in schema ? faultsAt([key], faultsOfNamed(schema[key])) : [])),
  ];
}

function typeFault(type: unknown): Fault[] {
  if (typeof type === "string" && types.includes(type)) return [];
  const near = typeof type === "string" ? (synonyms[type.toLowerCase()] ?? nearest(type, types)) : undefined;
  return [instead(["type"], excerpt(type), `expected one of ${types.join(", ")}`, near)];
}

const synonyms: Readonly<Record<string, string>> = {
  text: "string",
  str: "string",
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
  list: "array",
  dict: "object",
  map: "object",
};

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    // The caller reports it with its place.
    return false;
  }
}

function faultsOfEach(schemas: readonly unknown[]): Fault[] {
  return schemas.flatMap((one, index) => faultsAt([index], faultsOf(one)));
}

function faultsOfList(value: unknown): Fault[] {
  if (!Array.isArray(value) || value.length === 0)
    return [instead([], excerpt(value), "expected a list of JSON Schemas")];
  return faultsOfEach(value);
}

function faultsOfNamed(value: unknown): Fault[] {
  if (!isObject(value)) return [instead([], excerpt(value), "expected an object of JSON Schemas")];
  return Object.entries(value).flatMap(([name, one]) => faultsAt([name], faultsOf(one)));
}

function isKeyword(key: string): boolean {
  return key.startsWith("$") || [...ofOne, ...ofSeveral, ...ofNamed, ...plainKeywords].includes(key);
}

const plainKeywords = [
  "type",
  "enum",
  "const",
  "required",
  "items",
  "minProperties",
  "maxProperties",
  "dependentRequired",
];

function isList(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
