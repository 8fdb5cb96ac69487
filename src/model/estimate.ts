// Estimates what the rest of a batch will cost, take and use, from the tasks that ended. Costs of sessions have a heavy
// tail: most cost little, a few many times as much, and these decide the sum. The mean of a small sample usually contains
// none of them, and its standard deviation says nothing about them. So the interval assumes a tail until enough tasks
// have shown that there is none. `bun run bench:estimate` prints how often it holds the truth, and how wide it is.
import { sessionsFor } from "./equal-groups.ts";
import { sessionsToCome } from "./equal-tasks.ts";
import type { BatchState, DoneTask, TaskState } from "./state.ts";
import { type SummaryToCome, summaryToCome } from "./summary.ts";

/** What to expect, and the interval that holds the truth in at least nine of ten batches. */
export interface Interval {
  low: number;
  expected: number;
  high: number;
}

/** What the tasks of a batch that have not ended will probably cost, take and use. */
export interface Estimate {
  /** How many tasks have not ended, running ones included; without those that others answer. */
  tasks: number;
  /** How many more sessions the summary takes; 0 if none is wanted, or they are tasks already. Each counts like a task. */
  summarySessions: number;
  /** The number of ended tasks that it is based on. */
  basedOn: number;
  /** US dollars. Undefined if no session has reported a cost; likewise the tokens. */
  costUsd: Interval | undefined;
  /** Until the end of the batch, with as many sessions at once as it has had, or after a sample, as it may have. */
  milliseconds: Interval;
  /** Read and written, by all models. */
  tokens: Interval | undefined;
}

/** When to estimate: milliseconds since 1970. */
interface Moment {
  now: number;
  /** The end of a hold, during which no session starts. */
  heldUntil?: number | undefined;
}

/** What a session of the batch costs, in US dollars: the median of those that ended and cost something. */
export function medianCostUsd({ spending: { ascending } }: BatchState): number | undefined {
  return ascending[Math.floor(ascending.length / 2)];
}

/**
 * Undefined before the first session has succeeded, if nothing is left, while the batch is being cancelled, and once it has
 * ended.
 */
export function estimateOf(state: BatchState, moment: Moment): Estimate | undefined {
  const tasks = sessionsToCome(state);
  const summary = summaryToCome(state);
  const sessions = tasks + summary.sessions;
  if (state.cancelledBy !== undefined || sessions === 0) return undefined;
  const shown = state.tasks.filter(showsCost);
  // How soon tasks fail, and at what cost, says nothing of those that work.
  if (!shown.some(hasSucceeded)) return undefined;
  const costs = shown.map(({ usage }) => usage?.costUsd ?? 0);
  return {
    tasks,
    summarySessions: summary.sessions,
    basedOn: shown.length,
    costUsd: sumOfMore(costs, sessions),
    milliseconds: timeToCome(state, moment, { shown, tasks, summary }),
    tokens: sumOfMore(shown.map(tokensOf), sessions),
  };
}

/** Whether tasks have ended by themselves, and none of them succeeded: then nothing can be estimated. */
export function haveAllFailed(state: BatchState): boolean {
  const shown = state.tasks.filter(showsCost);
  return shown.length > 0 && !shown.some(hasSucceeded);
}

/** How many sessions of a batch have been paid, and how many more its rest takes. */
export interface PaidSessions {
  /** Of tasks that ended by themselves. Answers that were used again cost nothing. */
  ended: number;
  /** Those of the tasks to run, equal ones once, and of the summary. */
  toCome: number;
}

/** `more`: the numbers of the tasks that would run; by default, of all that were cancelled or have not ended. */
export function paidSessionsOf(state: BatchState, more?: readonly number[]): PaidSessions {
  const runs = new Set(more ?? state.tasks.filter(isLeft).map(({ number }) => number));
  const { cancelledBy: _, ...rest } = state;
  const tasks = state.tasks.map(
    (task): TaskState =>
      runs.has(task.number) && task.status === "done"
        ? { number: task.number, attempts: task.attempts, status: "queued" }
        : task,
  );
  const again = { ...rest, tasks };
  return {
    ended: endedSessions(state),
    toCome: (more ? sessionsFor(again.batch, more) : sessionsToCome(again)) + summaryToCome(again).sessions,
  };
}

const endedKnown = new WeakMap<BatchState, { at: number; sessions: number }>();

/** How many tasks ended by themselves, with a session of their own. Counted once between two events, because advice on each task asks for it. */
export function endedSessions(state: BatchState): number {
  const known = endedKnown.get(state);
  if (known?.at === state.changedAt) return known.sessions;
  const sessions = state.tasks.filter(showsCost).length;
  endedKnown.set(state, { at: state.changedAt, sessions });
  return sessions;
}

function isLeft(task: TaskState): boolean {
  return task.status !== "done" || task.outcome.kind === "cancelled";
}

type Shown = DoneTask & { startedAt: number };

// Cancelled tasks, those that never started, and answers that were reused do not show what one costs.
function showsCost(task: BatchState["tasks"][number]): task is Shown {
  return task.status === "done" && task.startedAt !== undefined && task.outcome.kind !== "cancelled";
}

function hasSucceeded({ outcome }: Shown): boolean {
  return outcome.kind === "succeeded";
}

function durationOf({ startedAt, endedAt }: Shown): number {
  return Math.max(0, endedAt - startedAt);
}

function tokensOf({ usage }: Shown): number {
  return Object.values(usage?.models ?? {}).reduce(
    (sum, { input, output, cacheRead, cacheWritten }) => sum + input + output + cacheRead + cacheWritten,
    0,
  );
}

/**
 * The sum of `count` more values like these, none of which is negative. Undefined if none of them is positive. Spans two
 * ranges. One takes the values for lognormal, with a prior for their variance: with few values, it alone is wide enough.
 * The other, about their mean, is right for other tails, too, once there are enough values to show one.
 */
export function sumOfMore(values: readonly number[], count: number): Interval | undefined {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0 || count <= 0) return undefined;
  const ranges = [lognormalRange(positive, count), ...meanRange(positive, count)];
  // Those that cost nothing failed at once; the next ones may succeed.
  const share = positive.length / values.length;
  const low = share * count * Math.exp(Math.min(...ranges.map((range) => range.low)));
  const high = count * Math.exp(Math.max(...ranges.map((range) => range.high)));
  return { low, expected: Math.min(high, Math.max(low, count * meanOf(values))), high };
}

/** Of the mean of the values to come, as logarithms. */
interface Range {
  low: number;
  high: number;
}

/**
 * What is assumed of the variance of logarithms, as if this number of values with that variance had been seen. About the variance
 * of sessions that do similar work; somewhat more, because too narrow a range is the worse error.
 */
const prior = { count: 5, variance: 1.25 };

/** Sums above the range are worse news than those below it. */
const probabilities = { below: 0.045, above: 0.03 };

// The predictive distribution of a lognormal whose mean and variance are both unknown: the average over probable variances.
function lognormalRange(positive: readonly number[], count: number): Range {
  const logarithms = positive.map(Math.log);
  const mean = meanOf(logarithms);
  const parts = probableVariances(logarithms, mean).map((variance) => {
    // A sum of lognormals is about lognormal (Fenton, Wilkinson).
    const ofSum = Math.log1p((Math.exp(variance) - 1) / count);
    const spread = Math.sqrt(variance / positive.length + ofSum);
    return { middle: mean + (variance - ofSum) / 2, spread };
  });
  const below = (value: number) => meanOf(parts.map((part) => normal((value - part.middle) / part.spread)));
  const bounds = { least: mean - farthest, most: mean + farthest };
  return {
    low: solved(below, probabilities.below, bounds),
    high: solved(below, 1 - probabilities.above, bounds),
  };
}

/** More than any range is wide: e^20 is half a billion. */
const farthest = 20;
/** Beyond this, a mean would be decided by values that never occur. */
const mostVariance = 6;

/** Quantiles of the standard normal distribution, in the middle of each of sixteen parts of equal probability. */
const sixteenths = Array.from({ length: 16 }, (_, index) =>
  solved(normal, (index + 0.5) / 16, { least: -4, most: 4 }),
);

// Sixteen equally probable ones: an inverse chi-squared distribution, by the approximation of Wilson and Hilferty.
function probableVariances(logarithms: readonly number[], mean: number): number[] {
  const squares = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const freedom = prior.count + logarithms.length - 1;
  const scale = prior.count * prior.variance + squares;
  const ninth = 2 / (9 * freedom);
  return sixteenths.map((quantile) => {
    const chiSquared = freedom * (1 - ninth + quantile * Math.sqrt(ninth)) ** 3;
    return Math.min(mostVariance, scale / Math.max(chiSquared, 1e-3));
  });
}

/** A standard deviation of fewer values says too little. */
const leastForMean = 8;
/** Standard errors below and above the mean. */
const errors = { below: 1.5, above: 1.75 };
/** What a tail that none of the values has shown may add to the mean: this much of a standard error of logarithms. */
const unseenTail = 2.2;

// About the mean of the values, on a logarithmic scale. Finds what is too rare to have been seen by experience alone: the
// constants are the smallest that hold for all distributions of the bench.
function meanRange(positive: readonly number[], count: number): Range[] {
  const number = positive.length;
  if (number < leastForMean) return [];
  const mean = meanOf(positive);
  const variance = positive.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (number - 1);
  const error = Math.sqrt(Math.log1p((variance / mean ** 2) * (1 / number + 1 / count)));
  return [
    {
      low: Math.log(mean) - studentFactor(errors.below, number - 1) * error,
      high: Math.log(mean) + errors.above * error + unseenTail / Math.sqrt(number),
    },
  ];
}

// A quantile of Student's distribution, from that of the normal one (Cornish and Fisher).
function studentFactor(quantile: number, freedom: number): number {
  const first = (quantile ** 3 + quantile) / 4;
  const second = (5 * quantile ** 5 + 16 * quantile ** 3 + 3 * quantile) / 96;
  return quantile + first / freedom + second / freedom ** 2;
}

// The standard normal distribution function (Abramowitz and Stegun 7.1.26), right to seven digits.
function normal(value: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(value)) / Math.SQRT2);
  const polynomial =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const half = (polynomial * Math.exp(-(value ** 2) / 2)) / 2;
  return value >= 0 ? 1 - half : half;
}

// Where a growing function has a value.
function solved(
  growing: (value: number) => number,
  wanted: number,
  { least, most }: { least: number; most: number },
): number {
  let [from, to] = [least, most];
  // Each step halves the distance; forty leave 1e-10 of it.
  for (let step = 0; step < 40; step++) {
    const middle = (from + to) / 2;
    if (growing(middle) < wanted) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Milliseconds until the batch ends if the rest is like the tasks so far. Undefined before the first success, once it has ended
 * or paused, and while it is being cancelled. `now` and `heldUntil`, the end of a hold, in milliseconds since 1970.
 */
export function timeLeftMs(state: BatchState, now: number, heldUntil?: number): number | undefined {
  if (state.endedAt !== undefined) return undefined;
  return estimateOf(state, { now, heldUntil })?.milliseconds?.expected;
}

// Of the work of all sessions, as an interval, to the time until the last of them ends.
function timeToCome(
  state: BatchState,
  { now, heldUntil }: Moment,
  { shown, tasks, summary }: { shown: readonly Shown[]; tasks: number; summary: SummaryToCome },
): Interval {
  const { running } = state.counts;
  const queued = Math.max(0, tasks - running);
  const durations = shown.map(durationOf);
  const mean = meanOf(durations);
  const elapsed = state.tasks.flatMap((task) =>
    task.status === "running" ? [Math.max(0, now - task.startedAt)] : [],
  );
  // One that has already exceeded the mean gets another quarter of it.
  const rests = elapsed.map((one) => Math.max(mean - one, mean / 4));
  const work = rests.reduce((sum, rest) => sum + rest, queued * mean);
  const longest = rests.reduce((most, rest) => Math.max(most, rest), 0);
  const sessions = sessionsOf(state);
  // The sessions of each step run together, after all others.
  const atSummary = Math.max((summary.sessions * mean) / sessions, summary.steps * mean);
  const atWork = Math.max(work / sessions, longest) + atSummary;
  const hold = queued > 0 && heldUntil !== undefined ? Math.max(0, heldUntil - now) : 0;
  const sum = sumOfMore(durations, queued + running + summary.sessions);
  if (!sum) return { low: hold, expected: hold + atWork, high: hold + atWork };
  // At the end, all others may have to wait for a long one that began late.
  const last = sessions > 1 ? Math.max(longest, ...durations) : 0;
  return {
    low: hold + (atWork * sum.low) / sum.expected,
    expected: hold + atWork,
    high: hold + (atWork * sum.high) / sum.expected + last,
  };
}

// How many run at once. During a hold, or while all wait for something, that may be none; then as many as have run so
// far. After a sample, more may run than it had tasks.
function sessionsOf(state: BatchState): number {
  const { running, queued } = state.counts;
  const { concurrency, slots = concurrency } = state.batch;
  const most = [concurrency, slots].filter((limit) => limit !== "auto");
  if (state.sample !== undefined && most.length > 0) return Math.min(...most, running + queued);
  const worked = state.tasks.reduce(
    (sum, task) =>
      task.status === "done" && task.startedAt !== undefined ? sum + task.endedAt - task.startedAt : sum,
    0,
  );
  const average = worked / Math.max(1, state.changedAt - state.createdAt);
  return Math.max(1, running, Math.min(average, running + queued));
}
