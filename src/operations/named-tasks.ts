// Tasks that a caller names, by number or by key.
import type { Prose } from "../model/prose.ts";
import type { BatchState } from "../model/state.ts";
import { countText } from "../report/amounts.ts";
import { causeMark, causesOf } from "../report/causes.ts";
import { taskListText } from "../report/option-words.ts";
import { UserError } from "./context.ts";
import { nearest } from "./nearest.ts";

/** A task by number (1-based), or by key. */
export type TaskName = number | string;

/** Says that what follows is a key, or a number, where it could be the other. */
const keyMark = "key:";
const numberMark = "#";

/** The numbers of the named tasks, each once; undefined if none were named. Throws `UserError` for unknown ones. */
export function tasksNamed(state: BatchState, names: readonly TaskName[] | undefined): number[] | undefined {
  if (names === undefined) return undefined;
  const { batch, tasks } = state;
  const byKey = new Map(
    batch.tasks.flatMap(({ key }, index) => (key === undefined ? [] : [[key, index + 1]])),
  );
  const numbers = new Set<number>();
  const unknown: number[] = [];
  for (const name of names) {
    const alike = typeof name === "string" && !byKey.has(name) ? tasksWithCause(state, name) : undefined;
    for (const one of alike ?? []) numbers.add(one);
    if (alike) continue;
    const number = typeof name === "number" ? plainNumber(name, byKey, tasks.length) : numberOf(name, byKey);
    if (number === undefined) throw new UserError(unknownKey(state, String(name)));
    if (number > tasks.length) unknown.push(number);
    else numbers.add(number);
  }
  if (unknown.length > 0) throw new UserError(unknownNumbers(state, unknown));
  return [...numbers];
}

// By the name that views and answers print of a cause with many tasks.
function tasksWithCause(state: BatchState, name: string): number[] | undefined {
  if (!name.startsWith(causeMark)) return undefined;
  const id = name.slice(causeMark.length);
  const causes = causesOf(state);
  const found = causes.filter((cause) => cause.id === id).flatMap(({ tasks }) => tasks);
  if (found.length > 0) return found.map(({ number }) => number);
  const there = causes.slice(0, mostKeys).map((cause) => `\`${causeMark}${cause.id}\``);
  throw new UserError(
    `No task of batch ${state.batch.batchId} ended for the cause ${JSON.stringify(id)}${there.length === 0 ? "." : `; there ${there.length === 1 ? "is" : "are"} ${there.join(", ")}.`}`,
  );
}

/** The number of one named task. Throws `UserError` if there is none. */
export function taskNamed(state: BatchState, name: TaskName): number {
  const [number, ...others] = tasksNamed(state, [name]) ?? [];
  if (others.length > 0) throw new UserError(`${JSON.stringify(name)} names several tasks; name one.`);
  if (number === undefined) throw new Error("Internal error: a task was named, and not found");
  return number;
}

type Keys = ReadonlyMap<string, number>;

function numberOf(name: string, byKey: Keys): number | undefined {
  const number = byKey.get(name);
  if (number !== undefined) return number;
  if (name.startsWith(keyMark)) return byKey.get(name.slice(keyMark.length));
  const [, marked] = /^#([1-9]\d{0,8})$/.exec(name) ?? [];
  return marked === undefined ? undefined : Number(marked);
}

function plainNumber(name: number, byKey: Keys, total: number): number {
  const other = byKey.get(String(name));
  if (other !== undefined && other !== name) throw new UserError(eitherText(name, other, total));
  return name;
}

// Ids may be numbers, too, and the wrong task would cost money.
function eitherText(name: number, other: number, total: number): string {
  const number = name <= total ? " and the number of another" : "";
  return `${name} is the key of task ${other}${number}. Write \`${keyMark}${name}\` for the key, or \`${numberMark}${name}\` for the number.`;
}

/** Most keys in a message. */
const mostKeys = 5;

function unknownKey({ batch }: BatchState, given: string): Prose {
  const name = given.startsWith(keyMark) ? given.slice(keyMark.length) : given;
  const keys = batch.tasks.flatMap(({ key }) => key ?? []);
  const what = `Batch ${batch.batchId} has no task with the key ${JSON.stringify(name)}`;
  if (keys.length === 0) return `${what}: its tasks have no keys. Give a task's number.`;
  const near = nearest(name, keys) ?? keys.find((key) => key.endsWith(`/${name}`));
  if (near !== undefined) return `${what}; did you mean \`${near}\`?`;
  const more = keys.length - mostKeys;
  return `${what}. Its keys are ${keys.slice(0, mostKeys).join(", ")}${more > 0 ? ` and ${countText(more, "more", "more")}` : ""}.`;
}

/** What is wrong with numbers that are no task's. */
export function unknownNumbers({ batch, tasks }: BatchState, unknown: readonly number[]): string {
  const has = tasks.length === 1 ? "one task" : `tasks 1 to ${tasks.length}`;
  return `Batch ${batch.batchId} has ${has}; there ${unknown.length === 1 ? "is" : "are"} no ${taskListText(unknown)}.`;
}
