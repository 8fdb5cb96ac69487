// Words for bad input: each fault with its place, what was given, and what is accepted.

import type { z } from "zod";
import { cut } from "../model/cut.ts";
import { secretOptions, sessionOptions } from "../model/options.ts";
import { asMeant, looksLikeJson } from "./as-meant.ts";
import { propertiesHinted, propertiesMeant, type Shape, shapeAt, shapeOf } from "./shape.ts";

/** A value that a user can get wrong, or its faults. */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; faults: string[] };

/** Another thing of ours that takes options, by name. */
interface Elsewhere {
  name: string;
  schema: z.ZodType;
}

/** Reads, parses and words the faults of an input. Distinguishes options that belong `elsewhere` from unknown ones. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  elsewhere?: Elsewhere,
): Checked<z.output<Schema>> {
  const meant = asMeant(schema, input);
  const parsed = schema.safeParse(meant, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  const asked = { input: meant, shape: shapeOf(schema), elsewhere };
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => wordsOf(issue, asked)) };
}

interface Asked {
  input: unknown;
  shape: Shape;
  elsewhere: Elsewhere | undefined;
}

/** One message for all faults. */
export function faultText(faults: readonly string[]): string {
  const [only] = faults;
  if (faults.length === 1 && only !== undefined) return `Nothing was done: ${only}`;
  const list = faults.map((fault) => `- ${fault}`).join("\n");
  return `Nothing was done. ${faults.length} problems:\n${list}`;
}

/** `["tasks", 3, "model"]` → `tasks[3].model`. */
export function placeText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((place, key) => {
    if (typeof key === "number") return `${place}[${key}]`;
    return place === "" ? String(key) : `${place}.${String(key)}`;
  }, "");
}

function wordsOf(issue: z.core.$ZodIssue, asked: Asked): string[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${placeText([...path, key])} ${unknownText(key, path, asked)}`);
  const place = path.length === 0 ? "the input" : placeText(path);
  const given = valueAt(asked.input, path);
  const shape = shapeAt(asked.shape, path);
  if (given === undefined) return [`${place} is missing: ${expectation(issue, shape)}`];
  // Of several accepted shapes, the one that was meant has faults below the top level.
  const meant =
    issue.code === "invalid_union" ? issue.errors.find((faults) => !faults.some(isOfTop)) : undefined;
  if (meant) return meant.flatMap((fault) => wordsOf({ ...fault, path: [...path, ...fault.path] }, asked));
  return [`${place} was given as ${shown(given, issue, shape)}`];
}

function isOfTop({ code, path }: z.core.$ZodIssue): boolean {
  return (code === "invalid_type" || code === "invalid_value") && path.length === 0;
}

function unknownText(
  key: string,
  path: readonly PropertyKey[],
  { input, shape: whole, elsewhere }: Asked,
): string {
  const shape = shapeAt(whole, path);
  const siblings = valueAt(input, path);
  const [meant] = shape ? propertiesMeant(shape, key) : [];
  if (meant !== undefined && typeof siblings === "object" && siblings !== null && meant in siblings)
    return `means \`${meant}\`, which is given too; give one of the two`;
  const [outside] = path;
  const [outer] = outside === undefined ? [] : propertiesMeant(whole, key);
  // `prompts` in a task means `tasks`, which cannot be inside itself.
  if (outer !== undefined && outer !== outside)
    return outside === "tasks"
      ? `is an option of the batch, not of one task; give \`${outer}\` beside \`tasks\``
      : `belongs beside \`${String(outside)}\`; give \`${outer}\` there`;
  const inner = outside === undefined ? within(whole, key) : undefined;
  if (inner) return `belongs in \`${inner.holder}\`: \`{"${inner.holder}": {"${inner.name}": …}}\``;
  const [other] = elsewhere ? propertiesMeant(shapeOf(elsewhere.schema), key) : [];
  if (elsewhere && other !== undefined) return `is an option of ${elsewhere.name} only`;
  const near = shape ? namesNear(shape, key).map((name) => `\`${name}\``) : [];
  return `is not known${near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`}`;
}

function namesNear(shape: Shape, key: string): string[] {
  const hinted = propertiesHinted(shape, key);
  if (hinted.length > 0) return hinted;
  const near = nearest(key, [...shape.properties.keys()]);
  return near === undefined ? [] : [near];
}

/** The option that is an object with this property, and what the name means in it. */
function within({ properties }: Shape, key: string): { holder: string; name: string } | undefined {
  for (const [holder, shape] of properties) {
    const [name] = propertiesMeant(shape, key);
    if (name !== undefined) return { holder, name };
  }
  return undefined;
}

/** What is accepted instead, in words for people. */
export function expectation(issue: z.core.$ZodIssue, shape?: Shape): string {
  switch (issue.code) {
    case "invalid_union": {
      const accepted = issue.errors.flatMap((faults) => faults.map((fault) => expectation(fault, shape)));
      const [first = "", ...others] = [...new Set(accepted)];
      return [first, ...others.map((words) => words.replace(/^expected /, ""))].join(" or ");
    }
    case "invalid_value": {
      const [only] = issue.values;
      if (issue.values.length === 1) return `expected ${JSON.stringify(String(only))}`;
      return `expected one of ${issue.values.map(String).join(", ")}`;
    }
    case "invalid_type":
      return ownWords(issue) ?? `expected ${typeText(issue.expected, shape)}`;
    case "too_small":
      return ownWords(issue) ?? leastText(issue);
    case "too_big":
      return ownWords(issue) ?? `expected at most ${amountText(issue.origin, issue.maximum)}`;
    default:
      return issue.message;
  }
}

// The schema checks for a number first, then for an integer.
function typeText(type: string, shape: Shape | undefined): string {
  if (type === "number" && shape?.types.has("integer")) return "a whole number";
  if (type === "array" && shape?.item?.types.has("integer")) return "a list of whole numbers";
  return typeWords[type] ?? type;
}

/** Names of schema types in messages. */
export const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** Messages of our own schemas; the others are written for programmers. */
function ownWords({ message }: z.core.$ZodIssue): string | undefined {
  return /^(?:Invalid|Too|Unrecognized)\b/.test(message) ? undefined : message;
}

function leastText({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  if (origin === "string" && minimum === 1) return "must not be empty";
  if (origin === "number" && inclusive === false) return `expected more than ${minimum}`;
  return `expected at least ${amountText(origin, minimum)}`;
}

function amountText(origin: string, amount: number | bigint): string {
  if (origin === "string") return `${amount} character${amount === 1 ? "" : "s"}`;
  return origin === "array" ? `${amount} item${amount === 1 ? "" : "s"}` : String(amount);
}

/** The value at a place of an input. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null) return undefined;
    return Reflect.get(value, key);
  }, input);
}

// What was given, and what is accepted instead.
function shown(given: unknown, issue: z.core.$ZodIssue, shape: Shape | undefined): string {
  const isSecret = issue.path.some((key) => secretOptions.includes(String(key)));
  const accepted = expectation(issue, shape);
  if (isSecret) return `something else: ${accepted}`;
  if (typeof given !== "string") return `${excerpt(given)}: ${accepted}`;
  const near = nearest(given, shape?.choices ?? []);
  const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
  return `${excerpt(given)}: ${accepted}${looksLikeJson(given) ? jsonFault(given) : ""}${hint}`;
}

/** Why a text that looks like JSON is not, as the end of a sentence; empty if it is. */
export function jsonFault(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^JSON Parse error: /, "") : String(error);
    return ` (this text is not valid JSON: ${reason})`;
  }
}

/** The beginning of a value as JSON, without secrets. */
export function excerpt(value: unknown): string {
  const open = typeof value === "string" ? beforeSecrets(value) : value;
  const text =
    JSON.stringify(open, (key, inner: unknown) => (isSecretName(key) ? "…" : inner)) ?? String(open);
  return text.length > 80 ? cut(text, 79) : text;
}

function isSecretName(name: string): boolean {
  return propertiesMeant(shapeOf(sessionOptions), name).some((meant) => secretOptions.includes(meant));
}

// JSON that is broken, or in the wrong place, may contain secrets too.
function beforeSecrets(text: string): string {
  if (!looksLikeJson(text)) return text;
  const first = [...text.matchAll(/["']([\w-]+)\\?["']\s*:/g)].find(([, name = ""]) => isSecretName(name));
  return first ? `${text.slice(0, first.index + first[0].length)}…` : text;
}

/** The known name that was probably meant; undefined if none is near, or several are equally near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = name.toLowerCase();
  const most = letters.length <= 5 ? 1 : Math.max(2, Math.floor(letters.length / 3));
  const ranked = known
    // A larger difference in length is not near; a name may have millions of letters.
    .filter((candidate) => Math.abs(candidate.length - letters.length) <= most)
    .map((candidate) => ({
      candidate,
      distance: distance(letters, candidate.toLowerCase()),
      shared: sharedWords(name, candidate),
    }))
    .filter((one) => one.distance <= most)
    .sort((a, b) => a.distance - b.distance || b.shared - a.shared);
  const [best, second] = ranked;
  if (!best || (second?.distance === best.distance && second.shared === best.shared)) return undefined;
  return best.candidate;
}

function sharedWords(one: string, other: string): number {
  const words = (name: string) => name.split(/[-_\s]|(?=[A-Z])/).map((word) => word.toLowerCase());
  const known = new Set(words(other));
  return words(one).filter((word) => known.has(word)).length;
}

// Levenshtein distance, one row at a time; two swapped letters count as one mistake.
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index++) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (from[index] === to[column] ? 0 : 1);
      const isSwapped = index > 0 && from[index] === to[column - 1] && from[index - 1] === to[column];
      const swapped = isSwapped ? (before[column - 1] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
