// Reads input as models, clients and people write it: lists as JSON text, `"true"`, `"5"`, `null`, one value for a list,
// names in snake_case. Converts only what is unambiguous; the schema refuses the rest.
import type { z } from "zod";
import { numbersOfRange } from "../model/number-ranges.ts";
import { lettersOf, type PropertyShape, propertiesMeant, type Shape, shapeOf } from "./shape.ts";

/** The meaning of an input by its schema. Not parsed yet, and without defaults. Idempotent. */
export function asMeant(schema: z.ZodType, raw: unknown): unknown {
  return valueMeant(shapeOf(schema), raw);
}

/** The meaning of one value in its place. */
export function valueMeant(shape: Shape, value: unknown): unknown {
  // Anything is accepted, so nothing is converted.
  if (shape.types.size === 0) return value;
  if (typeof value === "string") return textMeant(shape, value);
  if (typeof value === "number") return numberMeant(shape, value);
  if (Array.isArray(value)) return listMeant(shape, value);
  if (typeof value === "object" && value !== null) return objectMeant(shape, value);
  return value;
}

function textMeant(shape: Shape, text: string): unknown {
  const { types, choices, isVerbatim, item } = shape;
  const data = jsonMeant(shape, text);
  if (data !== undefined) return data.value;
  if (isVerbatim) return text;
  if (takesNumber(shape) && isNumeric(text)) return Number(text);
  const choice = choices.find((one) => lettersOf(one) === lettersOf(text));
  if (choice !== undefined) return choice;
  if (types.has("string")) return text;
  if (types.has("boolean")) return switchWords[text.trim().toLowerCase()] ?? text;
  if (item && types.has("array")) return looksLikeJson(text) ? text : itemsMeant(item, text);
  return text;
}

const switchWords: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

// A list or an object sent as text. A prompt may itself be JSON: it is a task only if it has exactly a task's fields.
function jsonMeant(shape: Shape, text: string): { value: unknown } | undefined {
  const { types, isVerbatim } = shape;
  const [first] = text.trimStart();
  const isList = first === "[" && types.has("array");
  const isObject = first === "{" && (types.has("object") || takesObjects(shape));
  const parsed = isList || isObject ? parsedJson(text) : undefined;
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const value = valueMeant(shape, parsed);
  if (isList || (types.has("object") && !isVerbatim)) return { value };
  const [one] = Array.isArray(value) ? value : [value];
  return isWhole(types.has("object") ? shape : shape.item, one) ? { value } : undefined;
}

function isWhole(shape: Shape | undefined, value: unknown): boolean {
  if (typeof value !== "object" || value === null || !shape) return false;
  const names = Object.keys(value);
  return (
    names.every((name) => shape.properties.has(name)) && shape.required.every((name) => names.includes(name))
  );
}

// A text in place of a list: a list with one item, or numbers as people write them.
function itemsMeant(item: Shape, text: string): unknown {
  if (text.trim() === "") return [];
  if (!item.types.has("integer")) return [valueMeant(item, text)];
  const words = text
    .trim()
    .replaceAll(/(\d)\s+([-–])\s+(?=\d)/g, "$1$2")
    .split(/[\s,;]+/);
  const numbers = words.map((word) => numbersIn(word));
  if (numbers.every((some) => some !== undefined)) return numbers.flat();
  // A key, unless it can only be meant as numbers, or as all of them.
  return item.types.has("string") && !/^(?:[\d\s,;–-]+|null|undefined|all)$/i.test(text.trim())
    ? [text]
    : text;
}

/** The numbers that one word means: `7`, or all of `12-15`. Undefined if it is neither. */
export function numbersIn(word: string): number[] | undefined {
  return isNumeric(word) ? [Number(word)] : numbersOfRange(word);
}

function numberMeant(shape: Shape, value: number): unknown {
  const { types, isVerbatim, item } = shape;
  if (takesNumber(shape)) return value;
  if (types.has("boolean") && (value === 0 || value === 1)) return value === 1;
  if (types.has("string")) return isVerbatim ? value : String(value);
  return types.has("array") && item && !isVerbatim && !item.isVerbatim && hasWords(item)
    ? [valueMeant(item, value)]
    : value;
}

function listMeant(shape: Shape, values: readonly unknown[]): unknown {
  const { types, item } = shape;
  if (types.has("array")) return item ? values.flatMap((value) => itemMeant(item, value)) : values;
  const [only] = values;
  const isOne = values.length === 1 && typeof only !== "object" && !types.has("object");
  return isOne ? valueMeant(shape, only) : values;
}

// Lists of numbers may contain ranges, as answers print them.
function itemMeant(item: Shape, value: unknown): unknown[] {
  const isRange = typeof value === "string" && item.types.has("integer") && !isNumeric(value);
  return (isRange ? numbersIn(value) : undefined) ?? [valueMeant(item, value)];
}

function objectMeant(shape: Shape, value: object): unknown {
  const { types, properties, values, item } = shape;
  if (!types.has("object")) return takesObjects(shape) && item ? [objectMeant(item, value)] : value;
  if (properties.size === 0) return values ? recordMeant(values, value) : value;
  const named = namesMeant(shape, Object.keys(value));
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const name = named.get(key);
    const property = name === undefined ? undefined : properties.get(name);
    if (name === undefined || !property) return [[key, inner]];
    return isAbsent(property, inner) ? [] : [[name, valueMeant(property, inner)]];
  });
  return Object.fromEntries(entries);
}

// Values of environment variables are texts, whatever their JSON type.
function recordMeant(shape: Shape, value: object): unknown {
  const textOf = (inner: unknown) =>
    typeof inner === "boolean" && shape.types.has("string") ? String(inner) : valueMeant(shape, inner);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, textOf(inner)]));
}

/** The property that each key means. If another key has that property, the key stays unchanged. */
function namesMeant(shape: Shape, keys: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const taken = new Set<string>();
  // Unambiguous keys come first: beside `prompt`, a `description` is not the task.
  const wishes = keys
    .map((key) => ({ key, meant: propertiesMeant(shape, key) }))
    .sort(
      (a, b) =>
        Number(b.key === b.meant[0]) - Number(a.key === a.meant[0]) || a.meant.length - b.meant.length,
    );
  for (const { key, meant } of wishes) {
    const name = meant.find((candidate) => !taken.has(candidate));
    if (name === undefined) continue;
    found.set(key, name);
    taken.add(name);
  }
  return found;
}

// Some clients send a value for every empty field.
function isAbsent(
  { types, choices, mayBeEmpty, isVerbatim, isExplicit }: PropertyShape,
  value: unknown,
): boolean {
  if (value === undefined) return true;
  if (isExplicit) return false;
  if (value === null) return true;
  if (typeof value !== "string" || isVerbatim) return false;
  const isFree = types.has("string") && choices.length === 0;
  if (!isFree && /^\s*(?:null|undefined)\s*$/.test(value)) return true;
  return value.trim() === "" && !mayBeEmpty && !types.has("array");
}

/** Whether a number can stand there, as one or as a text. */
function hasWords(shape: Shape): boolean {
  return takesNumber(shape) || shape.types.has("string");
}

function takesNumber({ types }: Shape): boolean {
  return types.has("number") || types.has("integer");
}

/** Whether a list of objects is expected, so that one object is a list with one item. */
function takesObjects({ types, item }: Shape): boolean {
  return types.has("array") && item?.types.has("object") === true;
}

function isNumeric(text: string): boolean {
  return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text);
}

/** Whether a text begins like JSON, and so is no plain value. */
export function looksLikeJson(text: string): boolean {
  return /^\s*(?:\[\s*(?:["{[\]]|$)|\{\s*(?:["}]|$))/.test(text);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: it stays a text, and the schema decides.
    return undefined;
  }
}
