// The faults of bad input: each with its place, what was given, and what is accepted.
import type { z } from "zod";
import { cut } from "../model/cut.ts";
import { secretOptions, sessionOptions } from "../model/options.ts";
import { asMeant, looksLikeJson } from "./as-meant.ts";
import type { Fault, Place } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { propertiesHinted, propertiesMeant, type Shape, shapeAt, shapeOf } from "./shape.ts";
import { typeWords } from "./type-words.ts";

/** A value that a user can get wrong, or its faults. */
export type Checked<Value, Wrong = Fault> = { ok: true; value: Value } | { ok: false; faults: Wrong[] };

/** Another thing of ours that takes options, by name. */
interface Elsewhere {
  name: string;
  schema: z.ZodType;
}

/** Reads and parses an input, or finds its faults. Distinguishes options that belong `elsewhere` from unknown ones. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  elsewhere?: Elsewhere,
): Checked<z.output<Schema>> {
  const meant = asMeant(schema, input);
  const parsed = parsedBy(schema, meant);
  if (parsed.success) return { ok: true, value: parsed.data };
  const asked = { input: meant, shape: shapeOf(schema), elsewhere };
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => faultsOf(issue, asked)) };
}

/** Parses with a schema. Only messages of our own schemas are in its issues; zod's are written for programmers. */
export function parsedBy<Schema extends z.ZodType>(schema: Schema, input: unknown) {
  return schema.safeParse(input, { reportInput: true, error: () => "" });
}

interface GivenInput {
  input: unknown;
  shape: Shape;
  elsewhere: Elsewhere | undefined;
}

function faultsOf(issue: z.core.$ZodIssue, asked: GivenInput): Fault[] {
  const { path: place } = issue;
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownFault(key, place, asked));
  const given = valueAt(asked.input, place);
  const shape = shapeAt(asked.shape, place);
  if (given === undefined) return [{ kind: "missing", place, expected: expectation(issue, shape) }];
  // Of several accepted shapes, the one that was meant has faults below the top level.
  const meant =
    issue.code === "invalid_union" ? issue.errors.find((issues) => !issues.some(isOfTop)) : undefined;
  if (meant) return meant.flatMap((inner) => faultsOf({ ...inner, path: [...place, ...inner.path] }, asked));
  return [givenFault(given, issue, shape)];
}

function isOfTop({ code, path }: z.core.$ZodIssue): boolean {
  return (code === "invalid_type" || code === "invalid_value") && path.length === 0;
}

function unknownFault(key: string, around: Place, { input, shape: whole, elsewhere }: GivenInput): Fault {
  const place = [...around, key];
  const shape = shapeAt(whole, around);
  const siblings = valueAt(input, around);
  const [meant] = shape ? propertiesMeant(shape, key) : [];
  if (meant !== undefined && typeof siblings === "object" && siblings !== null && meant in siblings)
    return { kind: "twice", place, meant };
  const [outside] = around;
  const [outer] = outside === undefined ? [] : propertiesMeant(whole, key);
  // `prompts` in a task means `tasks`, which cannot be inside itself.
  if (outer !== undefined && outer !== outside)
    return outside === "tasks"
      ? { kind: "of-batch", place, meant: outer }
      : { kind: "too-deep", place, beside: String(outside), meant: outer };
  const inner = outside === undefined ? within(whole, key) : undefined;
  if (inner) return { kind: "too-high", place, holder: inner.holder, meant: inner.name };
  const [other] = elsewhere ? propertiesMeant(shapeOf(elsewhere.schema), key) : [];
  if (elsewhere && other !== undefined) return { kind: "elsewhere", place, owner: elsewhere.name };
  return { kind: "unknown", place, near: shape ? namesNear(shape, key) : [] };
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

/** What is accepted instead, in words for people. `shape` is that of the place. */
export function expectation(issue: z.core.$ZodIssue, shape?: Shape): string {
  const [first = unnamed, ...others] = accepted(issue, shape);
  // "expected a whole number or "auto"", with one verb for all.
  return [sentence(first), ...others.map((one) => (one.verb === "expected" ? one.what : sentence(one)))].join(
    " or ",
  );
}

/** What is accepted, behind its verb; what a schema says itself is whole. */
interface Accepted {
  verb: "expected" | "";
  what: string;
}

const unnamed: Accepted = { verb: "expected", what: "another value" };

function sentence({ verb, what }: Accepted): string {
  return verb === "" ? what : `${verb} ${what}`;
}

/** More than one of a union. */
function accepted(issue: z.core.$ZodIssue, shape: Shape | undefined): Accepted[] {
  if (issue.code !== "invalid_union") return [acceptedOne(issue, shape)];
  const all = issue.errors.flatMap((issues) => issues.flatMap((one) => accepted(one, shape)));
  return [...new Map(all.map((one) => [sentence(one), one])).values()];
}

function acceptedOne(issue: z.core.$ZodIssue, shape: Shape | undefined): Accepted {
  if (issue.message !== "") return { verb: "", what: issue.message };
  switch (issue.code) {
    case "invalid_value": {
      const [only] = issue.values;
      if (issue.values.length === 1) return { verb: "expected", what: JSON.stringify(String(only)) };
      return { verb: "expected", what: `one of ${issue.values.map(String).join(", ")}` };
    }
    case "invalid_type":
      return { verb: "expected", what: typeText(issue.expected, shape) };
    case "too_small":
      return least(issue);
    case "too_big":
      return { verb: "expected", what: `at most ${amountText(issue.origin, issue.maximum)}` };
    default:
      return unnamed;
  }
}

// The schema checks for a number first, then for an integer.
function typeText(type: string, shape: Shape | undefined): string {
  if (type === "number" && shape?.types.has("integer")) return "a whole number";
  if (type === "array" && shape?.item?.types.has("integer")) return "a list of whole numbers";
  return typeWords[type] ?? type;
}

function least({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): Accepted {
  if (origin === "string" && minimum === 1) return { verb: "", what: "must not be empty" };
  const more = origin === "number" && inclusive === false;
  return {
    verb: "expected",
    what: more ? `more than ${minimum}` : `at least ${amountText(origin, minimum)}`,
  };
}

function amountText(origin: string, amount: number | bigint): string {
  if (origin === "string") return `${amount} character${amount === 1 ? "" : "s"}`;
  return origin === "array" ? `${amount} item${amount === 1 ? "" : "s"}` : String(amount);
}

/** The value at a place of an input. */
export function valueAt(input: unknown, path: Place): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null) return undefined;
    return Reflect.get(value, key);
  }, input);
}

function givenFault(given: unknown, issue: z.core.$ZodIssue, shape: Shape | undefined): Fault {
  const { path: place } = issue;
  const expected = expectation(issue, shape);
  const isSecret = place.some((key) => secretOptions.includes(String(key)));
  if (isSecret) return { kind: "given", place, given: "something else", expected };
  if (typeof given !== "string") return { kind: "given", place, given: excerpt(given), expected };
  return {
    kind: "given",
    place,
    given: excerpt(given),
    expected: `${expected}${looksLikeJson(given) ? jsonFault(given) : ""}`,
    near: nearest(given, shape?.choices ?? []),
  };
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
  const open = typeof value === "string" ? withoutPassword(beforeSecrets(value)) : value;
  const text =
    JSON.stringify(open, (key, inner: unknown) => (isSecretName(key) ? "…" : inner)) ?? String(open);
  return text.length > 80 ? cut(text, 79) : text;
}

function isSecretName(name: string): boolean {
  return propertiesMeant(shapeOf(sessionOptions), name).some((meant) => secretOptions.includes(meant));
}

// Of an address: `redis://user:password@host`.
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/@:\s]*):[^/@\s]*@/, "$1:…@");
}

// JSON that is broken, or in the wrong place, may contain secrets too.
function beforeSecrets(text: string): string {
  if (!looksLikeJson(text)) return text;
  const first = [...text.matchAll(/["']([\w-]+)\\?["']\s*:/g)].find(([, name = ""]) => isSecretName(name));
  return first ? `${text.slice(0, first.index + first[0].length)}…` : text;
}
