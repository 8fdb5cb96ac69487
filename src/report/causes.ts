// Why tasks of a batch ended as they did: the only declaration of what a cause is. 300 tasks that fail for one reason are
// one thing to know and to do, so pages, answers, commands and notifications show the same groups.
import { checkName } from "../model/checks.ts";
import type { Batch } from "../model/event.ts";
import type { FailureReason, Outcome } from "../model/outcome.ts";
import { type BatchState, canRetry, type DoneTask } from "../model/state.ts";
import { optionsOf } from "../model/task-options.ts";
import { unreachable } from "../model/unreachable.ts";
import { remedyFor } from "./advice.ts";
import { adviceFactsOf } from "./advice-facts.ts";
import { oneLine } from "./harmless.ts";
import { remarksOf } from "./remarks.ts";

/** What tasks that ended alike have in common. */
export interface Cause {
  /** Short, and the same in every view as long as tasks have this cause: `max-turns-3kx9d`. */
  id: string;
  /** Ascending by number; the first one is the example. */
  tasks: readonly [DoneTask, ...DoneTask[]];
  /** Whether another attempt would continue the conversation of each. */
  resumable: boolean;
}

/**
 * The causes, those of most tasks first. Without cancelled tasks, which somebody wanted, or which a limit stopped that the
 * end of the batch names.
 */
export function causesOf(state: BatchState): Cause[] {
  return causesAmong(
    state.tasks.flatMap((task) => {
      const key = task.status === "done" ? causeKeyOf(state, task) : undefined;
      return task.status === "done" && key !== undefined ? [{ task, key }] : [];
    }),
  );
}

/** The same from tasks in ascending order, whose keys are known. */
export function causesAmong(keyed: readonly { task: DoneTask; key: string }[]): Cause[] {
  const causes = [...Map.groupBy(keyed, ({ key }) => key)].flatMap(([key, members]): Cause[] => {
    const [first, ...others] = members.map(({ task }) => task);
    if (!first) return [];
    const resumable = [first, ...others].every((task) => canRetry(task) && task.attempts.at(-1)?.resumable);
    return [{ id: causeId(key), tasks: [first, ...others], resumable }];
  });
  return causes.sort((a, b) => b.tasks.length - a.tasks.length);
}

/** Whether an ended task is more than a plain success or a cancellation. */
export function isProblem(task: DoneTask): boolean {
  const { outcome, usage } = task;
  if (outcome.kind === "cancelled") return false;
  return (
    outcome.kind !== "succeeded" || (usage?.denials ?? []).length > 0 || remarksOf(task, "tools").length > 0
  );
}

// Those who follow a batch ask after each change, and the state of an ended task does not change.
const known = new WeakMap<DoneTask, string>();

/**
 * Equal texts for tasks with the same cause: they ended in the same way, and the same options of a retry help. Undefined
 * for a plain success and a cancellation.
 */
export function causeKeyOf(state: BatchState, task: DoneTask): string | undefined {
  if (!isProblem(task)) return undefined;
  const key = known.get(task) ?? newKey(state, task);
  known.set(task, key);
  return key;
}

function newKey(state: BatchState, task: DoneTask): string {
  const { outcome } = task;
  const { changes } = remedyFor(outcome, { ...adviceFactsOf(state, task, "tools"), tasks: undefined });
  const denied = deniedIn(task);
  const said = outcome.kind === "succeeded" && denied.length === 0 ? remarksOf(task, "tools") : [];
  return JSON.stringify([
    kindOf(task),
    ...detailsOf(outcome, state.batch),
    // One model may be unknown, and another one gone.
    outcome.kind === "failed" && outcome.reason === "model"
      ? (optionsOf(state.batch, task.number).model ?? "")
      : "",
    ...said.slice(0, 5).map(withoutParticulars),
    denied,
    changes,
  ]);
}

/** How it ended, as a word of an id. */
function kindOf(task: DoneTask): string {
  const { outcome, usage } = task;
  switch (outcome.kind) {
    case "succeeded":
      return usage?.denials?.length ? "tools-denied" : "remark";
    case "failed":
      return outcome.reason;
    case "timed-out":
      return `timed-out-${outcome.clock}`;
    case "unverified":
      return `unverified-${outcome.check.kind}`;
    case "crashed":
    case "not-started":
    case "cancelled":
      return outcome.kind;
    default:
      return unreachable(outcome);
  }
}

// What else distinguishes it, without what differs from task to task.
function detailsOf(outcome: Outcome, { template }: Pick<Batch, "template">): string[] {
  switch (outcome.kind) {
    case "failed":
      return [
        outcome.limitType ?? "",
        ...(isByMessage[outcome.reason]
          ? [httpStatusIn(outcome.message), withoutParticulars(outcome.message)]
          : []),
      ];
    case "crashed":
      return [
        `${outcome.signal ?? outcome.exitCode ?? ""}`,
        outcome.interimOffsets && outcome.exitCode === 0 ? "unfinished" : "",
        withoutParticulars(lastLine(outcome.stderrTail)),
      ];
    case "unverified":
      return [
        // In a template, a check may name what its task is about; otherwise, it is another check.
        template === undefined
          ? Bun.hash(outcome.check.asked).toString(36)
          : withoutParticulars(checkName(outcome.check)),
        outcome.check.broken ? withoutParticulars(outcome.check.output) : "",
      ];
    case "not-started":
      // Those that wait for others hang on the causes of those.
      if (outcome.after) return ["after"];
      return [
        outcome.lost ? outcome.lost.toSorted().join(" ").slice(0, 300) : withoutParticulars(outcome.message),
      ];
    case "succeeded":
    case "timed-out":
    case "cancelled":
      return [];
    default:
      return unreachable(outcome);
  }
}

/** Whether only the message says what happened. Otherwise the reason says it all, and messages merely word it. */
const isByMessage = {
  "max-turns": false,
  budget: false,
  "usage-limit": false,
  "rate-limit": false,
  overloaded: false,
  auth: false,
  billing: false,
  model: true,
  schema: false,
  refusal: false,
  "prompt-too-long": true,
  "output-limit": false,
  connection: false,
  "server-error": true,
  request: true,
  interrupted: false,
  conversation: true,
  agent: true,
  hook: true,
  "no-answer": false,
  execution: true,
} satisfies Record<FailureReason, boolean>;

// The tools that it was denied, where options help, and what no option helps against. The rules are in the options.
function deniedIn({ usage }: DoneTask): string[] {
  const denied = (usage?.denials ?? []).map(({ tool, remedy }) =>
    remedy?.kind === "none" ? remedy.obstacle : oneLine(tool, 60),
  );
  return [...new Set(denied)].toSorted().slice(0, 10);
}

function lastLine(text: string): string {
  return text.trimEnd().slice(-2_000).split("\n").at(-1) ?? "";
}

// "API Error: 529", "HTTP 404", "status code 500": other numbers differ from task to task.
function httpStatusIn(message: string): string {
  return (
    /\b(?:API Error|HTTP|status(?: code)?)\b\D{0,5}([1-5]\d\d)\b/i.exec(message.slice(0, 1_000))?.[1] ?? ""
  );
}

/** Most characters of a message that are compared. */
const compared = 300;

/** A message without numbers, paths, names of files, and ids, which differ from task to task. In one line, and cut. */
export function withoutParticulars(message: string): string {
  return oneLine(message, compared)
    .split(" ")
    .map((word) => {
      const bare = word.replace(/[^\w]+$/, "");
      if (/[\\/]/.test(word) || isFileName(bare) || isId(bare)) return "…";
      return word.replaceAll(/\d+/g, "#");
    })
    .join(" ");
}

function isFileName(word: string): boolean {
  return /^\W?[\w-]{1,100}\.[a-z]\w{0,4}$/i.test(word);
}

// "req_011CTx3", "9f86d081", a UUID: long, with digits, and no word.
function isId(word: string): boolean {
  return word.length >= 8 && /\d/.test(word) && /^\W?[\w-]+$/.test(word) && /\d.*[a-z]|[a-z].*\d/i.test(word);
}

/** How an id begins where tasks are named: `cause:max-turns-3kx9d`. */
export const causeMark = "cause:";

function causeId(key: string): string {
  const [kind] = /[\w-]+/.exec(key) ?? ["cause"];
  return `${kind}-${Bun.hash(key).toString(36).padStart(5, "0").slice(-5)}`;
}
