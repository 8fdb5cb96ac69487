// Faults of a JSON Schema. A session with an invalid one fails at its start, or after it has been paid for.
import { excerpt, nearest } from "./faults.ts";

const types = ["object", "array", "string", "number", "integer", "boolean", "null"];
/** Keywords whose value is a schema, a list of schemas, or an object of schemas. */
const ofOne = ["additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"];
const ofSeveral = ["anyOf", "allOf", "oneOf", "prefixItems"];
const ofNamed = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/** Every fault of a schema, each beginning with its place below `place`. */
export function schemaFaults(schema: unknown, place: string): string[] {
  if (!isObject(schema)) return [`${place} was given as ${excerpt(schema)}: expected a JSON Schema`];
  const { type } = schema;
  if (Object.keys(schema).length > 0 && !Object.keys(schema).some(isKeyword)) return [`${place} ${noneText}`];
  if (typeof type === "string" && types.includes(type) && type !== "object")
    return [
      `${place}.type was given as ${excerpt(type)}: the API takes only "object" at the top; put the ${type} into a property`,
    ];
  return faultsOf(schema, place);
}

const noneText =
  'is no JSON Schema: expected `{"type": "object", "properties": {"name": {"type": "string"}}}` or the like';

function faultsOf(schema: unknown, place: string): string[] {
  if (typeof schema === "boolean") return [];
  if (!isObject(schema)) return [`${place} was given as ${excerpt(schema)}: expected a JSON Schema`];
  const { type, items, required, enum: values, pattern } = schema;
  const given = Array.isArray(type) ? type : type === undefined ? [] : [type];
  return [
    ...given.flatMap((one) => typeFault(one, `${place}.type`)),
    ...(required === undefined || isList(required, (one) => typeof one === "string")
      ? []
      : [`${place}.required was given as ${excerpt(required)}: expected a list of names of properties`]),
    ...(values === undefined || Array.isArray(values)
      ? []
      : [`${place}.enum was given as ${excerpt(values)}: expected a list of values`]),
    ...(typeof pattern === "string" ? patternFault(pattern, `${place}.pattern`) : []),
    ...ofOne.flatMap((key) => (key in schema ? faultsOf(schema[key], `${place}.${key}`) : [])),
    ...(Array.isArray(items)
      ? items.flatMap((one, index) => faultsOf(one, `${place}.items[${index}]`))
      : items === undefined
        ? []
        : faultsOf(items, `${place}.items`)),
    ...ofSeveral.flatMap((key) => (key in schema ? faultsOfList(schema[key], `${place}.${key}`) : [])),
    ...ofNamed.flatMap((key) => (key in schema ? faultsOfNamed(schema[key], `${place}.${key}`) : [])),
  ];
}

function typeFault(type: unknown, place: string): string[] {
  if (typeof type === "string" && types.includes(type)) return [];
  const near = typeof type === "string" ? (synonyms[type.toLowerCase()] ?? nearest(type, types)) : undefined;
  const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
  return [`${place} was given as ${excerpt(type)}: expected one of ${types.join(", ")}${hint}`];
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

function patternFault(pattern: string, place: string): string[] {
  try {
    new RegExp(pattern, "u");
    return [];
  } catch {
    // Reported with its place.
    return [`${place} was given as ${excerpt(pattern)}: expected a regular expression`];
  }
}

function faultsOfList(value: unknown, place: string): string[] {
  if (!Array.isArray(value) || value.length === 0)
    return [`${place} was given as ${excerpt(value)}: expected a list of JSON Schemas`];
  return value.flatMap((one, index) => faultsOf(one, `${place}[${index}]`));
}

function faultsOfNamed(value: unknown, place: string): string[] {
  if (!isObject(value))
    return [`${place} was given as ${excerpt(value)}: expected an object of JSON Schemas`];
  return Object.entries(value).flatMap(([name, one]) => faultsOf(one, `${place}.${name}`));
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
