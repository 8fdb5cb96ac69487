// Bad input in words: each fault with its place, what was given, and what is accepted.
import type { z } from "zod";
import { secretOptions } from "../model/options.ts";

/** What came of something that a user can get wrong. */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; faults: string[] };

/** Parses, and words what is wrong. `what` names the input as a whole. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  known: readonly string[] = [],
): Checked<z.output<Schema>> {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => wordsOf(issue, input, known)) };
}

/** One message of all faults. */
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

function wordsOf(issue: z.core.$ZodIssue, input: unknown, known: readonly string[]): string[] {
  const place = placeText(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const where = placeText([...issue.path, key]);
      return `${where} is not known${near === undefined ? "" : `; did you mean \`${near}\`?`}`;
    });
  }
  const given = valueAt(input, issue.path);
  if (given === undefined) return [`${place} is missing: ${expectation(issue)}`];
  if (issue.code === "invalid_union") return unionWords(issue, input, known);
  return [
    `${place === "" ? "the input" : place} was given as ${shown(given, issue.path)}: ${expectation(issue)}`,
  ];
}

// Of several accepted shapes, the one that was meant is that whose faults lie deeper than the top.
function unionWords(
  issue: Extract<z.core.$ZodIssue, { code: "invalid_union" }>,
  input: unknown,
  known: readonly string[],
): string[] {
  const given = valueAt(input, issue.path);
  const meant = issue.errors.find(
    (faults) =>
      !faults.some(
        ({ code, path }) => (code === "invalid_type" || code === "invalid_value") && path.length === 0,
      ),
  );
  if (meant) {
    return meant.flatMap((fault) =>
      wordsOf({ ...fault, path: [...issue.path, ...fault.path] }, input, known),
    );
  }
  const accepted = issue.errors.flatMap((faults) => faults.map(expectation));
  return [
    `${placeText(issue.path)} was given as ${shown(given, issue.path)}: ${[...new Set(accepted)].join(", or ")}`,
  ];
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value" && issue.values.length === 1)
    return `expected ${JSON.stringify(String(issue.values[0]))}`;
  if (issue.code === "invalid_value") return `accepted are ${issue.values.map(String).join(", ")}`;
  const words = issue.message.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
  return words
    .replace(/^(Too (?:small|big)): expected /, "expected ")
    .replace(/^expected int$/, "expected a whole number");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null) return undefined;
    return Reflect.get(value, key);
  }, input);
}

function shown(given: unknown, path: readonly PropertyKey[]): string {
  return path.some((key) => secretOptions.includes(String(key))) ? "something else" : excerpt(given);
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** The known name that was probably meant; nothing when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

// Levenshtein's, one row at a time.
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
