// The one-line name of a task, by which tasks of a batch can be distinguished.
import { cut } from "../model/cut.ts";
import type { Batch } from "../model/event.ts";
import type { BatchState } from "../model/state.ts";
import { firstLine, oneLine } from "./harmless.ts";

/** The longest label; narrower views cut it. */
const longest = 200;
/** The distinguishing part of a task must be within this many characters, the width of a narrow terminal. */
const seen = 40;
/** A shorter common beginning, such as "Review", is kept. */
const leastCommon = 16;
/** How much is left of a beginning that only some tasks share. */
const shownHead = 20;
/** How much of a prompt is compared, after the common beginning. */
const compared = 2_000;

const known = new WeakMap<Batch, readonly string[]>();

/**
 * The task's key, in a batch from a template alone, otherwise before the rest. The rest is the task's own `name`, or its
 * prompt, without the beginning shared with others if that would hide the difference.
 */
export function labelOf({ batch }: Pick<BatchState, "batch">, taskNumber: number): string {
  let labels = known.get(batch);
  if (!labels) {
    labels = labelsOf(batch);
    known.set(batch, labels);
  }
  return labels[taskNumber - 1] ?? "";
}

/** How much of a key stands beside a number, in characters. */
const longestKey = 80;

/** "3", or with its key "3 (src/a.ts)". */
export function numberAndKey({ tasks }: Pick<Batch, "tasks">, taskNumber: number): string {
  const key = tasks[taskNumber - 1]?.key;
  return key === undefined ? String(taskNumber) : `${taskNumber} (${oneLine(key, longestKey)})`;
}

function labelsOf({ tasks, template }: Batch): string[] {
  const keys = tasks.map(({ key }) => (key === undefined ? "" : oneLine(key, longest)));
  // Its prompts say the same of every key.
  if (template !== undefined) return keys;
  const names = tasks.map(({ options }) => {
    const name = options?.["name"];
    return typeof name === "string" ? oneLine(name, longest) : "";
  });
  const prompts = tasks.map(({ prompt }) => prompt.trimStart());
  const others = new Set(prompts.filter((_, index) => names[index] === ""));
  const labelOfPrompt = promptLabels([...others]);
  return prompts.map((prompt, index) => {
    const label = names[index] || labelOfPrompt(prompt);
    return keys[index] ? cut(`${keys[index]} · ${label}`, longest) : label;
  });
}

// `prompts` differ from each other.
function promptLabels(prompts: readonly string[]): (prompt: string) => string {
  const common = commonBeginning(prompts);
  const start = common < leastCommon ? 0 : common;
  const tailOf = (prompt: string) => oneLine(prompt.slice(start, start + 4 * compared), compared);
  const apart = differences(prompts.map(tailOf));
  const isEnough = [...apart.values()].every((at) => start + at <= seen);
  return (prompt) => {
    const tail = tailOf(prompt);
    const at = apart.get(tail) ?? 0;
    if (!isEnough) return `${start === 0 ? "" : "…"}${cut(at <= seen ? tail : cutInside(tail, at), longest)}`;
    // The first line, unless several tasks share it.
    const line = firstLine(prompt, longest);
    return start + at < line.length || prompts.length < 2 ? line : oneLine(prompt, longest);
  };
}

// Its beginning, which identifies its group of prompts, and the part that differs within the group.
function cutInside(text: string, at: number): string {
  return `${text.slice(0, wordAt(text, shownHead)).trimEnd()} … ${text.slice(at)}`;
}

// The length of the common beginning of all, in whole words.
function commonBeginning([first = "", ...others]: readonly string[]): number {
  if (others.length === 0) return 0;
  const length = others.reduce((most, other) => commonLength(first, other, most), first.length);
  return wordAt(first, length);
}

// Where each begins to differ from the most similar one, which is a neighbour when sorted.
function differences(texts: readonly string[]): Map<string, number> {
  const ordered = [...new Set(texts)].sort();
  return new Map(
    ordered.map((text, index) => {
      const neighbours = [ordered[index - 1], ordered[index + 1]].filter((other) => other !== undefined);
      const alike = neighbours.map((other) => commonLength(text, other, text.length));
      return [text, wordAt(text, Math.max(0, ...alike))];
    }),
  );
}

function commonLength(one: string, other: string, most: number): number {
  const end = Math.min(most, one.length, other.length);
  let at = 0;
  while (at < end && one.charCodeAt(at) === other.charCodeAt(at)) at++;
  return at;
}

// Where the word around a place begins; in text without words, the place itself.
function wordAt(text: string, at: number): number {
  const before = text.slice(Math.max(0, at - 100), at);
  const word = /\S*$/.exec(before)?.[0] ?? "";
  return word.length === before.length && at > word.length ? at : at - word.length;
}
