// What to say of a cause: what happened, to which tasks, and what to do about all of them.
import type { Batch } from "../model/event.ts";
import { rangesOf, rangeWords } from "../model/number-ranges.ts";
import type { Outcome } from "../model/outcome.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import { type AdviceFacts, adviceFor, type Remedy, remedyFor } from "./advice.ts";
import { adviceFactsOf } from "./advice-facts.ts";
import { countText, numberText } from "./amounts.ts";
import { type Cause, causeMark, causesOf } from "./causes.ts";
import { numberAndKey } from "./label.ts";
import type { Door, TaskWord } from "./option-words.ts";
import { outcomeText } from "./outcome-text.ts";
import { remarksOf } from "./remarks.ts";

/** What happened to a task, in a sentence. */
export function happenedText(task: DoneTask): string {
  const { outcome, usage } = task;
  const said =
    outcome.kind !== "succeeded"
      ? outcomeText(outcome)
      : usage?.denials?.length
        ? "Succeeded, with tools denied"
        : "Succeeded, with a remark";
  return /[.!?…]$/.test(said) ? said : `${said}.`;
}

/** Whether all of its tasks say exactly the same. */
export function isAlike({ tasks: [first, ...others] }: Cause): boolean {
  const happened = happenedText(first);
  return others.every((task) => happenedText(task) === happened);
}

/** Longer lists of numbers are unreadable, and the cause stands for them. In characters. */
const longestNumbers = 30;

/** How a command or a call names all tasks of a cause. */
export function taskWordsOf({ id, tasks }: Cause, batch: Pick<Batch, "tasks">): TaskWord[] {
  const numbers = tasks.map(({ number }) => number);
  const others = numbersAsKeys(batch);
  const isClear = others.size === 0 || numbers.every((number) => !others.has(number));
  return isClear && rangeWords(numbers).join(",").length <= longestNumbers ? numbers : [`${causeMark}${id}`];
}

/** How a page names one task for an action. */
export function taskWordOf(number: number, batch: Pick<Batch, "tasks">): string {
  return numbersAsKeys(batch).has(number) ? `#${number}` : String(number);
}

const knownKeys = new WeakMap<Batch["tasks"], ReadonlySet<number>>();

// A number that is the key of another task names neither.
function numbersAsKeys({ tasks }: Pick<Batch, "tasks">): ReadonlySet<number> {
  const known = knownKeys.get(tasks);
  if (known) return known;
  const found = new Set(
    tasks.flatMap(({ key = "" }, index) =>
      /^[1-9]\d{0,8}$/.test(key) && Number(key) !== index + 1 ? [Number(key)] : [],
    ),
  );
  knownKeys.set(tasks, found);
  return found;
}

/** What to do about all of its tasks, in a few sentences. */
export function causeAdvice(state: BatchState, cause: Cause, door: Door): string | undefined {
  return adviceFor(outcomeOf(cause), factsOf(state, cause, door));
}

/** The same in parts. */
export function causeRemedy(state: BatchState, cause: Cause, door: Door): Remedy {
  return remedyFor(outcomeOf(cause), factsOf(state, cause, door));
}

/** What to add behind a retry that does not help as it is; empty if it does. */
export function lackText(lacks: Remedy["lacks"]): string {
  return lackTexts[lacks];
}

const lackTexts = {
  nothing: "",
  options: " with other options",
  values: ", where FILE has the values that were lost",
} satisfies Record<Remedy["lacks"], string>;

function factsOf(state: BatchState, cause: Cause, door: Door): AdviceFacts {
  const [first] = cause.tasks;
  const { sessionId, ...facts } = adviceFactsOf(state, first, door);
  return {
    ...facts,
    tasks: taskWordsOf(cause, state.batch),
    resumable: cause.resumable,
    // A conversation is that of one task.
    ...(cause.tasks.length === 1 ? { sessionId } : {}),
  };
}

// Each was kept from starting by others.
function outcomeOf({ tasks }: Cause): Outcome {
  const [{ outcome }] = tasks;
  if (outcome.kind !== "not-started" || !outcome.after) return outcome;
  const after = new Set(
    tasks.flatMap((task) => (task.outcome.kind === "not-started" ? (task.outcome.after ?? []) : [])),
  );
  return { ...outcome, after: [...after].sort((a, b) => a - b) };
}

/** What was odd about all of its tasks, in sentences; about a success, what was odd about the first one. */
export function causeRemarks({ tasks: [first, ...others] }: Cause, door: Door): string[] {
  const remarks = remarksOf(first, door);
  const shared = remarks.filter((remark) => others.every((task) => remarksOf(task, door).includes(remark)));
  return shared.length === 0 && first.outcome.kind === "succeeded" ? remarks : shared;
}

/** How many ranges of numbers to list. */
const mostRanges = 12;
/** How many tasks to list with their keys. */
const mostKeys = 5;

/** "task 3", "tasks 3, 7 to 9, 41"; a few with their keys. */
export function tasksText(tasks: readonly Pick<DoneTask, "number">[], batch: Pick<Batch, "tasks">): string {
  const haveKeys = tasks.some(({ number }) => batch.tasks[number - 1]?.key !== undefined);
  if (haveKeys && tasks.length <= mostKeys)
    return `${tasks.length === 1 ? "task" : "tasks"} ${tasks.map(({ number }) => numberAndKey(batch, number)).join(", ")}`;
  const ranges = rangesOf(tasks.map(({ number }) => number));
  const named = ranges
    .slice(0, mostRanges)
    .map(({ first, last }) =>
      first === last ? String(first) : last === first + 1 ? `${first}, ${last}` : `${first} to ${last}`,
    );
  const left = ranges.slice(mostRanges).reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const more = left > 0 ? `, and ${countText(left, "more", "more")}` : "";
  return `${tasks.length === 1 ? "task" : "tasks"} ${named.join(", ")}${more}`;
}

/** How many causes a sentence names. */
const mostInSentence = 3;

/**
 * "120 × Reached its turn limit; 39 × Not logged in; and 4 other causes (12 tasks)": for a sentence. Undefined if no more
 * than one task failed, for which the answer says it anyway, and where none did.
 */
export function causesSentence(state: BatchState): string | undefined {
  if (state.counts.failed < 2) return undefined;
  const causes = causesOf(state).filter(({ tasks: [{ outcome }] }) => outcome.kind !== "succeeded");
  const named = causes
    .slice(0, mostInSentence)
    .map(({ tasks }) => `${numberText(tasks.length)} × ${happenedShort(tasks[0])}`);
  const rest = causes.slice(mostInSentence);
  const left = rest.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const more =
    rest.length === 0 ? [] : [`and ${countText(rest.length, "other cause")} (${countText(left, "task")})`];
  return `Causes: ${[...named, ...more].join("; ")}.`;
}

/** The same as in a sentence, without what Claude said. */
function happenedShort(task: DoneTask): string {
  return happenedText(task).split(/\. |[.!?…]$/, 1)[0] ?? "";
}
