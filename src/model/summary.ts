// Summaries: sessions that read the results of the other tasks. They are tasks of the batch behind the others, so costs,
// retries, logs and kills are those of any task. Which come next follows from the state alone.
import { hasNewerAnswers } from "./answers-read.ts";
import type { Batch, Task } from "./event.ts";
import type { Canceller, Outcome } from "./outcome.ts";
import type { BatchState, DoneTask, TaskState } from "./state.ts";

/** Most results that one session reads, and most characters of them. */
const mostAtOnce = 40;
const mostCharactersAtOnce = 400_000;
/** The same for each session of a group, if there are more. */
const perGroup = 25;
const charactersPerGroup = 200_000;

/** What comes next for the summary of a batch whose tasks have all ended: new tasks, or some of them again. */
export type NextSummary = { kind: "add"; tasks: Task[] } | { kind: "again"; tasks: number[] };

/** How many tasks were given. Summaries are behind them. */
export function givenCount({ tasks }: Pick<Batch, "tasks">): number {
  return tasks.findLastIndex(({ summary }) => summary === undefined) + 1;
}

/**
 * The number of tasks by which names of files have their digits: that of the beginning, because a file keeps its name when
 * tasks are added.
 */
export function numberedCount(batch: Pick<Batch, "tasks" | "givenAtFirst">): number {
  return batch.givenAtFirst ?? givenCount(batch);
}

/** The tasks that were given, without the sessions that summarize them. */
export function givenTasks({ batch, tasks }: Pick<BatchState, "batch" | "tasks">): TaskState[] {
  return tasks.slice(0, givenCount(batch));
}

/** The newest summary of the whole batch that succeeded. */
export function summaryOf({ batch, tasks }: Pick<BatchState, "batch" | "tasks">): SucceededTask | undefined {
  for (let index = batch.tasks.length - 1; batch.tasks[index]?.summary; index--) {
    const task = tasks[index];
    if (batch.tasks[index]?.summary?.isWhole && task && hasSucceeded(task)) return task;
  }
  return undefined;
}

/** The ended tasks to list: once there is a summary, without the sessions that wrote it. */
export function listedTasks(state: Pick<BatchState, "batch" | "tasks">): DoneTask[] {
  const done = state.tasks.filter((task) => task.status === "done");
  if (!summaryOf(state)) return done;
  return done.filter((task) => !state.batch.tasks[task.number - 1]?.summary || !hasSucceeded(task));
}

/** What the model does not know. */
export interface SummaryMeans {
  /** Where the sessions work, which is where the results are. */
  folder: string;
  /** Whether the text of a summary can still be read: transcripts may have been removed. */
  isThere(task: SucceededTask): boolean;
}

/** Undefined if there is nothing to add: no summary is wanted, it is there, or nothing succeeded that it could read. */
export function nextSummary(state: BatchState, { folder, isThere }: SummaryMeans): NextSummary | undefined {
  const { batch, tasks, summaryAsked: asked } = state;
  if (!asked || isWithoutSummary(state)) return undefined;
  const own = tasks.filter(({ number }) => batch.tasks[number - 1]?.summary?.round === asked.round);
  const isLost = (task: TaskState) => hasSucceeded(task) && !isThere(task);
  const outdated = own.filter((task) => isOutdated(state, task) || isLost(task)).map(({ number }) => number);
  if (outdated.length > 0) return { kind: "again", tasks: outdated };
  if (own.some(({ number }) => batch.tasks[number - 1]?.summary?.isWhole)) return undefined;
  const level = Math.max(0, ...own.map(({ number }) => batch.tasks[number - 1]?.summary?.level ?? 0));
  const items =
    level === 0
      ? tasks.slice(0, givenCount(batch))
      : own.filter(({ number }) => batch.tasks[number - 1]?.summary?.level === level);
  if (!tasks.slice(0, givenCount(batch)).some(hasSucceeded)) return undefined;
  return { kind: "add", tasks: tasksFor(state, items, { level: level + 1, folder }) };
}

/** Sessions of a summary that are no tasks yet. */
export interface SummaryToCome {
  sessions: number;
  /** How many run one after another. */
  steps: number;
}

/**
 * What a summary that is wanted still takes, if all open tasks succeed: sessions that come in addition, or run again
 * because of what they read. Answers are expected to be as long as those so far.
 */
export function summaryToCome(state: BatchState): SummaryToCome {
  const { batch, tasks, summaryAsked: asked } = state;
  const none = { sessions: 0, steps: 0 };
  if (!asked || isWithoutSummary(state)) return none;
  const own = tasks.filter(({ number }) => batch.tasks[number - 1]?.summary?.round === asked.round);
  const again = againAfter(state, own);
  if (again.length > 0)
    return { sessions: again.length, steps: new Set(again.map(({ level }) => level)).size };
  const summaries = own.flatMap(({ number }) => batch.tasks[number - 1]?.summary ?? []);
  if (summaries.some(({ isWhole }) => isWhole)) return none;
  const level = Math.max(0, ...summaries.map((summary) => summary.level));
  if (level > 0) return sessionsToRead(summaries.filter((one) => one.level === level).length, asked);
  const given = tasks.slice(0, givenCount(batch));
  const read = given.filter(hasSucceeded);
  const answers = read.length + given.filter(({ status }) => status !== "done").length;
  const usualLength = read.reduce((sum, task) => sum + lengthOf(task), 0) / Math.max(1, read.length);
  return answers === 0 ? none : sessionsToRead(answers, { ...asked, length: usualLength });
}

// Summaries that were written, and of which something that they read is not there any more, or not yet again.
function againAfter(state: BatchState, own: readonly TaskState[]): { level: number }[] {
  const { batch, tasks } = state;
  const changing = new Set<number>();
  return own.flatMap((task) => {
    const { summary } = batch.tasks[task.number - 1] ?? {};
    if (!summary || !hasSucceeded(task)) return [];
    const range = tasks.slice(summary.first - 1, summary.last);
    const isOpen = range.some(({ status, number }) => status !== "done" || changing.has(number));
    if (!isOpen && !isOutdated(state, task)) return [];
    changing.add(task.number);
    return [{ level: summary.level }];
  });
}

// As `partsOf` makes groups, level by level. `length`: of each answer, in characters; those of groups are short.
function sessionsToRead(
  answers: number,
  { groups: most, length = 0 }: { groups?: number | undefined; length?: number },
): SummaryToCome {
  const isSmall = most !== undefined || answers * length <= mostCharactersAtOnce;
  const fitting = Math.max(1, Math.floor(charactersPerGroup / Math.max(1, length)));
  const parts = Math.ceil(answers / (most ?? Math.min(perGroup, fitting)));
  if (parts === 1 || (answers <= (most ?? mostAtOnce) && isSmall)) return { sessions: 1, steps: 1 };
  const above = sessionsToRead(parts, { groups: most });
  return { sessions: parts + above.sessions, steps: 1 + above.steps };
}

// A batch that found enough has ended as it was meant to; and who asks for a summary of one that was stopped knows that.
function isWithoutSummary({ batch, tasks, summaryAsked: asked, cancelledBy }: BatchState): boolean {
  if (cancelledBy !== undefined && cancelledBy !== "stop-when") return true;
  return batch.summarize !== undefined && asked?.round === 1 && tasks.some(wasStopped);
}

/** What stops a batch stops its summary, which would cost money too. */
const stoppers: readonly Canceller[] = ["client", "failure-mode", "fail-when", "budget", "leash", "hold"];

function wasStopped(task: TaskState): boolean {
  return task.status === "done" && task.outcome.kind === "cancelled" && stoppers.includes(task.outcome.by);
}

/**
 * The tasks whose results a summary reads or misses, 1-based: those of its range, and instead of a group's summary that
 * failed, what that one would have read.
 */
export function readBySummary(state: BatchState, number: number): number[] {
  const { summary } = state.batch.tasks[number - 1] ?? {};
  if (!summary) return [];
  const range = state.tasks.slice(summary.first - 1, summary.last);
  return range.flatMap((task) => {
    const isFailedGroup = state.batch.tasks[task.number - 1]?.summary !== undefined && !hasSucceeded(task);
    return isFailedGroup ? readBySummary(state, task.number) : [task.number];
  });
}

/** A task with an answer. */
export type SucceededTask = DoneTask & { outcome: Extract<Outcome, { kind: "succeeded" }> };

export function hasSucceeded(task: TaskState): task is SucceededTask {
  return task.status === "done" && task.outcome.kind === "succeeded";
}

// Something that it read has ended again since it began to read.
function isOutdated(state: BatchState, task: TaskState): boolean {
  const { summary } = state.batch.tasks[task.number - 1] ?? {};
  if (!summary || !hasSucceeded(task)) return false;
  // An answer from earlier has never begun.
  if (task.startedAt !== undefined) return hasNewerAnswers(state, task.number);
  return state.tasks
    .slice(summary.first - 1, summary.last)
    .some((one) => one.status === "done" && one.endedAt > task.endedAt);
}

function tasksFor(
  { batch, summaryAsked: asked }: BatchState,
  items: readonly TaskState[],
  { level, folder }: { level: number; folder: string },
): Task[] {
  const { round = 1, text = "", groups, model } = asked ?? {};
  const shared = { workingDirectory: folder, ...(model === undefined ? {} : { model }) };
  const taken = new Set(batch.tasks.map(({ key }) => key));
  const parts = partsOf(items, { most: groups, isFirst: level === 1 });
  const name = round === 1 ? "summary" : `summary.${round}`;
  const before = batch.tasks.filter(({ summary }) => summary?.round === round).length;
  return parts.map(({ first, last }, index) => {
    const isWhole = parts.length === 1;
    const options = { ...shared, name: isWhole ? "Summary" : `Summary of tasks ${first} to ${last}` };
    const key = freeKey(isWhole ? name : `${name}-${before + index + 1}`, taken);
    return {
      prompt: text,
      key,
      options,
      summary: { round, level, first, last, ...(isWhole ? { isWhole } : {}) },
    };
  });
}

// A file may be called `summary`.
function freeKey(wanted: string, taken: ReadonlySet<string | undefined>): string {
  return taken.has(wanted) ? freeKey(`${wanted}+`, taken) : wanted;
}

interface Part {
  /** 1-based task numbers. */
  first: number;
  last: number;
}

// Successive results, so that each part is a range. Tasks without a result cost nothing to read.
function partsOf(
  items: readonly TaskState[],
  { most, isFirst }: { most: number | undefined; isFirst: boolean },
): Part[] {
  const read = items.filter(hasSucceeded);
  const characters = read.reduce((sum, task) => sum + lengthOf(task), 0);
  // Answers of groups are short; and each level has fewer than the one before only if their number alone decides.
  const isSmall = most === undefined && (!isFirst || characters <= mostCharactersAtOnce);
  if (read.length <= (most ?? mostAtOnce) && (most !== undefined || isSmall)) return [rangeOf(items)];
  const parts: TaskState[][] = [];
  let [count, length] = [0, 0];
  for (const task of items) {
    const isRead = hasSucceeded(task);
    const own = isRead ? lengthOf(task) : 0;
    const isFull =
      count >= (most ?? perGroup) ||
      (most === undefined && isFirst && count > 0 && length + own > charactersPerGroup);
    if (parts.length === 0 || (isRead && isFull)) {
      parts.push([]);
      [count, length] = [0, 0];
    }
    parts.at(-1)?.push(task);
    count += Number(isRead);
    length += own;
  }
  return parts.map(rangeOf);
}

function rangeOf(tasks: readonly TaskState[]): Part {
  return { first: tasks[0]?.number ?? 1, last: tasks.at(-1)?.number ?? 1 };
}

/** How much of an answer there is to read, in characters. */
export function lengthOf({ outcome: { length, structured } }: SucceededTask): number {
  return structured === undefined ? length : JSON.stringify(structured).length;
}
