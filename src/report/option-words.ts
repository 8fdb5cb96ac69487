// How a text names an option: in the words of the tools, or of the command line.
import { kebabCase } from "../model/kebab-case.ts";
import { rangeWords } from "../model/number-ranges.ts";
import { sessionOptions, spreadOptions } from "../model/options.ts";
import { product } from "../model/product.ts";
import { shellQuoted } from "../model/shell-quoted.ts";
import type { OptionChange } from "../model/state.ts";
import { oneLine } from "./harmless.ts";
import { shownOptions } from "./shown-options.ts";

/** The reader: a caller of the MCP tools, or somebody at a command line. */
export type Door = "tools" | "command-line";

/** The door whose words a batch's own pages use: the one that started it. */
export function doorOf(startedBy: string): Door {
  return startedBy === "run" ? "command-line" : "tools";
}

/**
 * An option in backticks, ready to copy: `maxTurns` or `--max-turns`; with a value `allowedTools: "Read"` or
 * `--allowed-tools Read`, quoted for a POSIX shell.
 */
export function optionText(door: Door, option: string, value?: unknown): string {
  if (value === undefined) return `\`${optionName(door, option)}\``;
  return `\`${door === "tools" ? `${option}: ${JSON.stringify(value)}` : flagText(option, value)}\``;
}

/** `maxTurns` or `--max-turns`, without backticks. */
export function optionName(door: Door, option: string): string {
  if (door === "tools") return option;
  // Only its parts are flags.
  return `--${kebabCase(option)}${spreadOptions.includes(option) ? "-…" : ""}`;
}

/** A stored sentence, in which options have the names that tools give them, in the words of its reader. */
export function wordedFor(door: Door, sentence: string): string {
  if (door === "tools") return sentence;
  return sentence.replaceAll(/`(\w+)`/g, (whole, name: string) =>
    name in sessionOptions.shape ? optionText(door, name) : whole,
  );
}

/** As flags: one for each item of a list, and one without a value for a switch. */
function flagText(option: string, value: unknown): string {
  const name = kebabCase(option);
  if (Array.isArray(value)) return value.map((item) => flagText(option, item)).join(" ");
  if (spreadOptions.includes(option.split("-", 1)[0] ?? "") && typeof value === "object" && value !== null)
    return partsText(option, value);
  if (typeof value === "boolean") return value ? `--${name}` : `--no-${name}`;
  // A text that is empty or looks like a flag must follow a `=`.
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return `--${name}${/^-|^$/.test(text) ? "=" : " "}${text === "" ? "" : shellQuoted(text)}`;
}

// `--expect-pattern OK --expect-model sonnet`.
function partsText(option: string, parts: object): string {
  return Object.entries(parts)
    .map(([name, part]) =>
      // A schema is a value, and has no parts that are flags.
      typeof part === "object" && name !== "where"
        ? flagText(`${kebabCase(option)}-${name}`, JSON.stringify(part))
        : flagText(`${option}-${name}`, part),
    )
    .join(" ");
}

/** A retry with other options, ready to run: a command, or the name of the tool with its arguments. */
export function retryText(door: Door, retry: Retry): string {
  return door === "command-line" ? `\`${retryCommand(retry)}\`` : `retry_batch with \`${retryCall(retry)}\``;
}

/** The same without a mark: a line for a POSIX shell. */
export function retryCommand({ batchId, tasks = [], options = {}, values }: Retry): string {
  const flags = Object.entries(options).map(([name, value]) => flagText(name, value));
  const named = tasks.length === 0 ? [] : [wordsOf(tasks, 0).join(",")];
  return [product.name, "retry", batchId, ...named, ...flags, ...(values ? ["--env FILE"] : [])].join(" ");
}

/** The arguments of `retry_batch`, as JSON. */
export function retryCall({ batchId, tasks = [], options = {}, values }: Retry): string {
  return JSON.stringify({
    batchId,
    ...(tasks.length > 0 ? { tasks: wordsOf(tasks, mostSingle) } : {}),
    ...(Object.keys(options).length > 0 ? { with: options } : {}),
    ...(values ? { env: values } : {}),
  });
}

/** Up to this many numbers are listed one by one in a call; more, as ranges. */
const mostSingle = 10;

function wordsOf(tasks: readonly TaskWord[], mostSingle: number): readonly TaskWord[] {
  const numbers = tasks.filter((task) => typeof task === "number");
  if (tasks.length <= mostSingle || numbers.length < tasks.length) return tasks;
  return rangeWords(numbers);
}

/** A task as a command or call names it: by its number (1-based), or with others of the same cause as `cause:ID`. */
export type TaskWord = number | string;

export interface Retry {
  batchId: string;
  /** Numbers ascend. Without any, all that failed. */
  tasks?: readonly TaskWord[] | undefined;
  options?: Readonly<Record<string, unknown>> | undefined;
  /** Of variables; on a command line they are given in a file. */
  values?: Readonly<Record<string, string>> | undefined;
}

/** Options with their values, except secrets. Long values are cut, because they are shown, not copied. */
export function optionsText(door: Door, options: Readonly<Record<string, unknown>>): string {
  const texts = Object.entries(shownOptions(options)).map(([name, value]) =>
    optionText(door, name, shownValue(value)),
  );
  return texts.join(", ");
}

/** "task 2: `--max-turns 6`": what a retry changed for which tasks. */
export function changeText(door: Door, { tasks, options }: OptionChange): string {
  return `${taskListText(tasks)}: ${optionsText(door, options)}`;
}

/** Most characters of one value. */
const longestValue = 200;

function shownValue(value: unknown): unknown {
  if (typeof value === "string") return oneLine(value, longestValue);
  if (Array.isArray(value)) return value.slice(0, 20).map(shownValue);
  const text = JSON.stringify(value);
  return text.length > longestValue ? oneLine(text, longestValue) : value;
}

/** Most numbers in one text. */
const mostNumbers = 20;

/** "task 3", or "tasks 3, 5, 7". */
export function taskListText(numbers: readonly number[]): string {
  return `${numbers.length === 1 ? "task" : "tasks"} ${listText(numbers)}`;
}

/** "3, 5, 7"; of many, the first ones. */
export function listText(numbers: readonly number[]): string {
  const more = numbers.length - mostNumbers;
  return `${numbers.slice(0, mostNumbers).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
