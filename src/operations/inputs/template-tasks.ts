// The tasks of a template: its text, filled in for each item and each combination of options.
import { cut } from "../../model/cut.ts";
import { mostPromptBytes, type SessionOptionsInput } from "../../model/options.ts";
import { option, prose } from "../../model/prose.ts";
import { filled, type Template, templateIn } from "../../model/template.ts";
import { countText, numberText } from "../../report/amounts.ts";
import type { Context } from "../context.ts";
import { type Fault, type Place, wrong } from "../fault.ts";
import type { Checked } from "../faults.ts";
import { nearest } from "../nearest.ts";
import { failedBefore } from "./earlier-batches.ts";
import { type ForEach, type Matrix, mostTasks, type Order } from "./for-each.ts";
import type { Item } from "./item.ts";
import type { Found } from "./sources.ts";

/** A task of a template. Those with the same options share one object of them. */
export interface TemplateTask {
  prompt: string;
  place: Place;
  options: SessionOptionsInput;
  key: string;
  values: Record<string, string>;
  sameAs?: number;
}

interface Asked {
  template: string;
  forEach: ForEach;
  matrix: Matrix | undefined;
  maxTasks: number;
  order: Order;
}

/** The tasks, in the order in which they start, or every fault. */
export function templateTasks(context: Context, asked: Asked, found: Found): Checked<TemplateTask[]> {
  const { items } = found;
  const template = templateIn(asked.template);
  const tooMany = numberFaults(asked, found, combinationCount(asked.matrix));
  const faults = [
    ...placeholderFaults(template, items),
    ...matrixFaults(asked.matrix),
    // Of a hundred thousand items, nobody needs to know which are there twice.
    ...(tooMany.length > 0 ? tooMany : keyFaults(found)),
  ];
  if (faults.length > 0) return { ok: false, faults };
  const combinations = combinationsOf(asked.matrix);
  const tasks: TemplateTask[] = [];
  const sizes: number[] = [];
  for (const [index, item] of items.entries()) {
    const values = { index: String(index + 1), ...item.values };
    const prompt = filled(template, values);
    const fault = promptFault(prompt, item);
    if (fault) return { ok: false, faults: [fault] };
    for (const { label, options } of combinations) {
      const key = label === "" ? item.key : `${item.key} [${label}]`;
      tasks.push({ prompt, place: ["matrix"], options, key, values });
      if (asked.order === "small-first") sizes.push(item.size());
    }
  }
  return { ok: true, value: marked(ordered(context, asked, tasks, sizes)) };
}

interface Combination {
  /** "model=opus, effort=high"; empty without a matrix. */
  label: string;
  options: SessionOptionsInput;
}

/** How much of a value is in a key, in characters. */
const longestValue = 40;

// Before they are made: a few options with many values have millions.
function combinationCount(matrix: Matrix = {}): number {
  return Object.values(matrix).reduce((count, values = []) => count * values.length, 1);
}

// A value that is there twice would give two tasks one key.
function matrixFaults(matrix: Matrix = {}): Fault[] {
  return Object.entries(matrix).flatMap(([name, values = []]) => {
    const texts = values.map(textOf);
    const twice = texts.find((text, index) => texts.indexOf(text) !== index);
    return twice === undefined
      ? []
      : [wrong(["matrix", name], `has ${JSON.stringify(cut(twice, 100))} twice; leave one of them out`)];
  });
}

function combinationsOf(matrix: Matrix = {}): Combination[] {
  return Object.entries(matrix).reduce<Combination[]>(
    (before, [name, values = []]) => {
      const labels = labelsOf(values);
      return before.flatMap(({ label, options }) =>
        values.map((value, index) => {
          const own = `${name}=${labels[index]}`;
          return { label: label === "" ? own : `${label}, ${own}`, options: { ...options, [name]: value } };
        }),
      );
    },
    [{ label: "", options: {} }],
  );
}

// Long values that begin alike are numbered.
function labelsOf(values: readonly unknown[]): string[] {
  const labels = values.map((value) => cut(textOf(value), longestValue));
  return labels.map((label, index) =>
    labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} #${index + 1}`,
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Most names of placeholders in a message. */
const mostNames = 30;

function placeholderFaults({ names, broken }: Template, items: readonly Item[]): Fault[] {
  const literal = "for a literal `{{`, write `{{{{`";
  if (broken.length > 0)
    return broken.map((text) =>
      wrong(["template"], `has \`${text}\`, which begins no placeholder; ${literal}`),
    );
  const known = ["index", ...Object.keys(items[0]?.values ?? {})];
  const list = known
    .slice(0, mostNames)
    .map((name) => `{{${name}}}`)
    .join(", ");
  if (names.length === 0 && items.length > 1)
    return [
      wrong(
        ["template"],
        `has no placeholder, so ${countText(items.length, "task")} would have the same prompt; use ${list}`,
      ),
    ];
  return names.flatMap((name) => {
    if (name === "index") return [];
    const lacking = items.find(({ values }) => !Object.hasOwn(values, name));
    if (!lacking) return [];
    if (items.some(({ values }) => Object.hasOwn(values, name)))
      return [
        wrong(["template"], `has the placeholder {{${name}}}, and ${lacking.place} has no \`${name}\``),
      ];
    const near = nearest(name, known);
    const meant = near === undefined ? literal : `did you mean {{${near}}}?`;
    return [
      wrong(
        ["template"],
        `has the placeholder {{${name}}}, which is not known; ${meant}${near === undefined ? "." : ""} Known here: ${list}`,
      ),
    ];
  });
}

// A wrong pattern must not start thousands of sessions.
function numberFaults({ maxTasks }: Asked, { source, items }: Found, combinations: number): Fault[] {
  const count = items.length * combinations;
  if (count <= maxTasks) return [];
  const place = ["forEach", source];
  const each = combinations === 1 ? "" : `, ${countText(count, "task")} with \`matrix\``;
  const gives = `gives ${countText(items.length, "item")}${each}`;
  if (count > mostTasks)
    return [
      wrong(
        place,
        `${gives}, and one batch has at most ${numberText(mostTasks)} tasks; narrow it, or run several batches`,
      ),
    ];
  return [
    wrong(
      place,
      prose`${gives}, and at most ${numberText(maxTasks)} are allowed; narrow it, or allow them all with ${option("maxTasks", count)}`,
    ),
  ];
}

/** Most keys that are there twice to name. */
const mostTwice = 5;

function keyFaults({ source, items }: Found): Fault[] {
  const place = ["forEach", source];
  const first = new Map<string, Item>();
  const twice: Fault[] = [];
  let more = 0;
  for (const item of items) {
    const before = first.get(item.key);
    if (!before) first.set(item.key, item);
    else if (twice.length < mostTwice)
      twice.push(
        wrong(
          place,
          `has the key ${JSON.stringify(item.key)} twice: in ${before.place}, and in ${item.place}`,
        ),
      );
    else more++;
  }
  return more === 0 ? twice : [...twice, wrong(place, `has ${countText(more, "more key")} twice`)];
}

function promptFault(prompt: string, { place }: Item): Fault | undefined {
  if (prompt.trim() === "") return wrong(["template"], `becomes an empty task for ${place}`);
  // A character has at most three bytes for each of its units.
  if (prompt.length * 3 <= mostPromptBytes || Buffer.byteLength(prompt) <= mostPromptBytes) return undefined;
  return wrong(["template"], `becomes longer than 9 MB for ${place}; put longer text in a file`);
}

function ordered(
  context: Context,
  { order, template }: Asked,
  tasks: readonly TemplateTask[],
  sizes: readonly number[],
): readonly TemplateTask[] {
  switch (order) {
    case "given":
      return tasks;
    case "shuffle":
      return shuffled(tasks);
    case "small-first":
      return tasks
        .map((task, index) => ({ task, size: sizes[index] ?? 0 }))
        .sort((a, b) => a.size - b.size)
        .map(({ task }) => task);
    case "failed-first": {
      const failed = failedBefore(context, template);
      return [...tasks.filter(({ key }) => failed.has(key)), ...tasks.filter(({ key }) => !failed.has(key))];
    }
  }
}

// Every order is equally likely (Fisher and Yates).
function shuffled<Value>(values: readonly Value[]): Value[] {
  const all = [...values];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    const [a, b] = [all[last], all[other]];
    if (a === undefined || b === undefined) continue;
    all[last] = b;
    all[other] = a;
  }
  return all;
}

// Tasks that would ask the same with the same options.
function marked(tasks: readonly TemplateTask[]): TemplateTask[] {
  const first = new Map<SessionOptionsInput, Map<string, number>>();
  return tasks.map((task, index) => {
    const byPrompt = first.get(task.options) ?? new Map<string, number>();
    first.set(task.options, byPrompt);
    const sameAs = byPrompt.get(task.prompt);
    if (sameAs === undefined) byPrompt.set(task.prompt, index + 1);
    return sameAs === undefined ? task : { ...task, sameAs };
  });
}
