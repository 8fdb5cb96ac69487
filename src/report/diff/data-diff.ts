// The differences between two values of JSON, field by field.
import { isRecord } from "../../model/json-values.ts";
import { blocksOf } from "./edits.ts";

/** A field that differs. Without `before` it came, without `after` it went. */
export interface FieldChange {
  /** Its place, as in JavaScript: `findings[2].severity`. Items of lists have their index in the later value, unless they went. */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** Nested deeper, two values are compared as a whole. */
const deepest = 30;
/** Most fields. What differs more has nothing in common. */
const mostFields = 300;

/** The fields that differ, in the order of the earlier value. Empty if both are equal. The order of names does not count. */
export function fieldChanges(before: unknown, after: unknown): FieldChange[] {
  const changes: FieldChange[] = [];
  compare({ before, after, path: "", depth: 0 }, changes);
  return changes.length > mostFields ? [{ path: "", before, after }] : changes;
}

/** JSON with sorted names: the same for equal values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (isRecord(one) ? sorted(one) : one)) ?? "";
}

interface Compared {
  before: unknown;
  after: unknown;
  path: string;
  depth: number;
}

function compare({ before, after, path, depth }: Compared, changes: FieldChange[]): void {
  if (changes.length > mostFields || canonicalJson(before) === canonicalJson(after)) return;
  const within = { path, depth };
  if (depth < deepest && isRecord(before) && isRecord(after)) compareRecords(before, after, within, changes);
  else if (depth < deepest && Array.isArray(before) && Array.isArray(after))
    compareLists(before, after, within, changes);
  else changes.push({ path, before, after });
}

type Within = Pick<Compared, "path" | "depth">;

function compareRecords(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  { path, depth }: Within,
  changes: FieldChange[],
): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const place = fieldPath(path, name);
    if (!Object.hasOwn(after, name)) changes.push({ path: place, before: before[name] });
    else if (!Object.hasOwn(before, name)) changes.push({ path: place, after: after[name] });
    else compare({ before: before[name], after: after[name], path: place, depth: depth + 1 }, changes);
  }
}

// An item that comes first must not make all others differ. Between equal items, those that went and came are compared in
// pairs.
function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  { path, depth }: Within,
  changes: FieldChange[],
): void {
  for (const block of blocksOf(before.map(canonicalJson), after.map(canonicalJson))) {
    if (block.kind === "same") continue;
    const [went, came] = [block.to - block.from, block.freshTo - block.freshFrom];
    for (let index = 0; index < Math.max(went, came); index++) {
      const [at, freshAt] = [block.from + index, block.freshFrom + index];
      if (index >= came) changes.push({ path: `${path}[${at}]`, before: before[at] });
      else if (index >= went) changes.push({ path: `${path}[${freshAt}]`, after: after[freshAt] });
      else
        compare(
          { before: before[at], after: after[freshAt], path: `${path}[${freshAt}]`, depth: depth + 1 },
          changes,
        );
    }
  }
}

function fieldPath(path: string, name: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
