// How a batch ended, in words: a label, a sentence with the reason, and the next step.
import { z } from "zod";
import { type BatchEnd, batchEnds } from "../model/batch-end.ts";
import {
  type Estimate,
  estimateOf,
  haveAllFailed,
  type PaidSessions,
  paidSessionsOf,
} from "../model/estimate.ts";
import type { Pause } from "../model/event.ts";
import { type AccessKind, type Canceller, cancellers } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { type BatchState, type Counts, completedCount } from "../model/state.ts";
import { givenCount } from "../model/summary.ts";
import { unreachable } from "../model/unreachable.ts";
import { pauserOf } from "../model/wait-reason.ts";
import { costText, countText, numberText } from "./amounts.ts";
import { estimateText } from "./estimate-text.ts";
import { oneLine } from "./harmless.ts";
import { stepText } from "./next-step.ts";
import { type Door, doorOf } from "./option-words.ts";
import type { StatusWord } from "./row.ts";

/** Fields about the end in every answer. */
export const endFields = {
  end: z.enum(batchEnds).optional(),
  stoppedBy: z
    .enum(cancellers)
    .optional()
    .meta({ description: "Who or what stopped the batch, such as `budget` or `user`.", listed: false }),
};

export function endFieldsOf(end: BatchEnd | undefined): z.infer<z.ZodObject<typeof endFields>> {
  if (!end) return {};
  const by = end.kind === "stopped" || end.kind === "succeeded" ? end.by : undefined;
  return { end: end.kind, ...(by === undefined ? {} : { stoppedBy: by }) };
}

/** The facts for the words. A row of the store knows less than the state of a batch. */
export interface EndFacts {
  batchId: string;
  end: BatchEnd;
  counts: Counts;
  costUsd: number;
  costAtLeast?: boolean | undefined;
  /** The budget in force. */
  budgetUsd?: number | undefined;
  /** The budget at which it last stopped. A retry of some tasks may have changed it since. */
  stoppedAtUsd?: number | undefined;
  /** How many of the cancelled tasks never had a session. */
  notStarted?: number | undefined;
  /** For a batch that too many failures stopped: how many that was, if known (`failWhen`). */
  failWhen?: string | undefined;
  /** For one that found enough: how many that was, if known (`stopWhen`). */
  found?: number | undefined;
  /** How many of its tasks are sessions of a summary, if known. */
  summaries?: number | undefined;
  /** Whether only single tasks were cancelled, not the whole batch. */
  isPartial?: boolean | undefined;
  /** What the rest of a batch that has paused will probably cost; a row does not know it. */
  estimate?: Estimate | undefined;
  /** Whether no session succeeded before it paused; a row does not know it. */
  allFailed?: boolean | undefined;
  /** Who has paused it, if not its sample has. */
  pausedBy?: Pause | undefined;
  /** Of a batch that stopped; a row only knows its counts. */
  paid?: PaidSessions | undefined;
}

/** The facts of a batch that has ended. */
export function endFactsOf(state: BatchState, end: BatchEnd): EndFacts {
  const { batch, counts, totalCostUsd, costAtLeast, budgetUsd, stoppedAtUsd, tasks, cancelledBy } = state;
  const notStarted = tasks.filter(
    (task) => task.status === "done" && task.outcome.kind === "cancelled" && task.attempts.length === 0,
  ).length;
  const isPartial = cancelledBy === undefined;
  const money = { costUsd: totalCostUsd, costAtLeast, budgetUsd, stoppedAtUsd };
  const conditions = { failWhen: batch.failWhen, found: batch.stopWhen?.found };
  const estimate = end.kind === "paused" ? estimateOf(state, { now: state.changedAt }) : undefined;
  const allFailed = end.kind === "paused" && haveAllFailed(state);
  const paid = end.kind === "stopped" && end.by === "budget" ? paidSessionsOf(state) : undefined;
  const summaries = tasks.length - givenCount(batch);
  const numbers = { counts, notStarted, summaries };
  const pausedBy = end.kind === "paused" ? state.paused : undefined;
  return {
    batchId: batch.batchId,
    end,
    ...numbers,
    ...money,
    ...conditions,
    isPartial,
    estimate,
    allFailed,
    pausedBy,
    paid,
  };
}

/** "succeeded", "3 failed", "stopped: budget", "2 failed, 1 cancelled": for a cell or a pill. */
export function endLabel({ end, counts }: Pick<EndFacts, "end" | "counts">): string {
  switch (end.kind) {
    case "succeeded":
      return end.by === undefined ? end.kind : "found enough";
    case "interrupted":
      return end.kind;
    case "paused":
      return counts.failed > 0 ? `paused, ${numberText(counts.failed)} failed` : end.kind;
    case "failed":
      return `${numberText(counts.failed)} failed`;
    case "stopped":
      return end.by === "user" || end.by === "client" ? cancelledLabel(counts) : stopLabel(end, end.by);
    default:
      return unreachable(end);
  }
}

// Cancelling a few tasks does not cancel the batch.
function cancelledLabel(counts: Counts): string {
  const { failed, cancelled, succeeded } = counts;
  if (failed + succeeded === 0) return "cancelled";
  const failures = failed > 0 ? `${numberText(failed)} failed, ` : "";
  return `${failures}${numberText(cancelled)} cancelled`;
}

/** The colour and sign of an end. */
export function endClass(end: BatchEnd): StatusWord["className"] {
  if (end.kind === "succeeded") return "ok";
  if (end.kind === "interrupted") return "bad";
  if (end.kind === "failed" || end.kind === "paused") return "warn";
  return end.by === "user" || end.by === "client" ? "off" : "warn";
}

type Stopped = Extract<BatchEnd, { kind: "stopped" }>;

function stopLabel(end: Stopped, by: keyof typeof stopLabels): string {
  if (end.access !== undefined) return accessLabels[end.access];
  return isOfRun(end) ? "stopped: run killed" : stopLabels[by];
}

const stopLabels = {
  budget: "stopped: budget",
  "failure-mode": "stopped: a task failed",
  leash: "stopped: client gone",
  hold: "stopped: no access",
  "fail-when": "stopped: failures",
} satisfies Record<Exclude<Canceller, "user" | "client" | "stop-when">, string>;

const accessLabels = {
  auth: "stopped: not logged in",
  billing: "stopped: billing",
  "usage-limit": "stopped: usage limit",
} satisfies Record<AccessKind, string>;

// Only `run` waits for its batch and handles signals by stopping it properly. So this end means that `run` was killed or
// crashed.
function isOfRun({ by, startedBy }: Stopped): boolean {
  return by === "leash" && startedBy !== undefined && doorOf(startedBy) === "command-line";
}

/** Why it ended, and how its tasks did: "Stopped at its budget of $1.00: 5 of 30 tasks done, 25 not started." */
export function endText(facts: EndFacts): string {
  const { end, counts, summaries = 0 } = facts;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  switch (end.kind) {
    case "succeeded":
      if (end.by !== undefined) return `${foundText(facts)}: ${progressWords(facts, total)}.`;
      return allSucceeded(total - summaries, summaries);
    case "failed":
      return `${total === 1 ? "The task" : `All ${numberText(total)} tasks`} ended: ${doneWords(counts)}.`;
    case "stopped":
      return `${stopReason(end, facts)}: ${progressWords(facts, total)}.${newBudgetText(end.by, facts)}`;
    case "paused":
      return `${pauseText(facts)}: ${progressWords(facts, total)}.${restText(facts)}`;
    case "interrupted":
      return `Interrupted: ${progressWords(facts, total)}. Finished results are kept.`;
    default:
      return unreachable(end);
  }
}

function allSucceeded(given: number, summaries: number): string {
  const tasks = given === 1 ? "The task" : `All ${numberText(given)} tasks`;
  return `${tasks}${summaries > 0 ? " and the summary" : ""} succeeded.`;
}

function foundText({ found }: EndFacts): string {
  return found === undefined ? "Found enough" : `Found ${numberText(found)}, as asked`;
}

/** "Paused by the user", or "Paused after the sample". */
function pauseText({ pausedBy }: EndFacts): string {
  return pausedBy ? `Paused by ${oneLine(pauserOf(pausedBy), 80)}` : "Paused after the sample";
}

// What the rest will probably cost, and whether the budget suffices.
function restText(facts: EndFacts): string {
  const { estimate, allFailed, pausedBy } = facts;
  if (allFailed)
    return ` What the rest will cost cannot be estimated, because no session${pausedBy ? "" : " of the sample"} succeeded.`;
  if (!estimate) return " Nothing is known of what the rest will cost.";
  const over = overBudgetText(facts, estimate);
  return ` ${estimateText(estimate)}${over === undefined ? "" : ` ${over}`}`;
}

/** How a budget compares with what the rest will probably cost; undefined if it is enough in any case. */
function overBudgetText({ budgetUsd, costUsd }: EndFacts, { costUsd: rest }: Estimate): string | undefined {
  if (budgetUsd === undefined || rest === undefined || costUsd + rest.high <= budgetUsd) return undefined;
  const budget = `the budget of ${costText(budgetUsd)}`;
  if (costUsd + rest.expected <= budgetUsd) return `That may exceed ${budget}, which includes what is spent.`;
  return `That exceeds ${budget}, of which ${costText(Math.max(0, budgetUsd - costUsd))} is left, so only part of the tasks would run.`;
}

function stopReason(end: Stopped, facts: EndFacts): string {
  const { by, access } = end;
  const { budgetUsd, stoppedAtUsd = budgetUsd, isPartial } = facts;
  if (isPartial && (by === "user" || by === "client")) return `Tasks were cancelled by the ${by}`;
  if (access !== undefined) return accessReasons[access];
  if (isOfRun(end)) return "Stopped because its `run` command was killed";
  if (by === "fail-when" && facts.failWhen !== undefined)
    return `Stopped because ${failedWords(facts.failWhen)} failed`;
  if (by !== "budget" || stoppedAtUsd === undefined) return stopReasons[by];
  return `Stopped at its ${stoppedAtUsd === budgetUsd ? "" : "earlier "}budget of ${costText(stoppedAtUsd)}`;
}

// "20% of its tasks", "5 tasks".
function failedWords(failWhen: string): string {
  const text = failWhen.trim();
  return text.endsWith("%") ? `${text} of its tasks` : countText(Number(text), "task");
}

// A retry of some tasks that had not started may have ended within its new budget.
function newBudgetText(by: Canceller, { budgetUsd, stoppedAtUsd, costUsd, costAtLeast }: EndFacts): string {
  if (by !== "budget" || budgetUsd === undefined || stoppedAtUsd === undefined) return "";
  if (stoppedAtUsd === budgetUsd) return "";
  return ` Its budget is now ${costText(budgetUsd)}, of which ${costText(costUsd, costAtLeast)} is spent.`;
}

const stopReasons = {
  budget: "Stopped at its budget",
  user: "Cancelled by the user",
  client: "Cancelled by the client",
  "failure-mode": "Stopped because a task failed",
  leash: "Stopped because the client that waited for it ended",
  hold: "Stopped because the account or a model was unavailable for too long",
  "fail-when": "Stopped because too many tasks failed",
} satisfies Record<Stopped["by"], string>;

const accessReasons = {
  auth: "Stopped because Claude is not logged in",
  billing: "Stopped because the API refuses the account for billing reasons",
  "usage-limit": "Stopped because a usage limit was not lifted in time",
} satisfies Record<AccessKind, string>;

// "5 of 30 tasks done (4 succeeded, 1 failed), 2 stopped, 23 not started".
function progressWords({ end, counts, notStarted }: EndFacts, total: number): string {
  if (total === 1) return singleWords(counts, notStarted);
  const done = completedCount(counts);
  const inner = counts.failed > 0 ? ` (${doneWords(counts)})` : "";
  const open = counts.queued + counts.running;
  const parts =
    notStarted === undefined
      ? [[counts.cancelled, "cancelled"] as const]
      : [[counts.cancelled - notStarted, "stopped"] as const, [notStarted, "not started"] as const];
  return [
    `${numberText(done)} of ${countText(total, "task")} done${inner}`,
    ...[...parts, [open, end.kind === "paused" ? "waiting" : "unfinished"] as const].flatMap(
      ([count, word]) => (count > 0 ? [`${numberText(count)} ${word}`] : []),
    ),
  ].join(", ");
}

function singleWords({ queued, running, cancelled }: Counts, notStarted: number | undefined): string {
  if (queued + running > 0) return "the task has not ended";
  if (cancelled === 0) return "the task has ended";
  if (notStarted === undefined) return "the task was cancelled";
  return notStarted > 0 ? "the task was not started" : "the task was stopped";
}

function doneWords({ succeeded, failed }: Counts): string {
  return `${numberText(succeeded)} succeeded${failed > 0 ? `, ${numberText(failed)} failed` : ""}`;
}

/** The command that continues; undefined if all is done. */
export function nextCommand(facts: EndFacts): string | undefined {
  const { end, batchId } = facts;
  if (end.kind === "succeeded") return undefined;
  const usd = newBudgetUsd(facts);
  const command = end.kind === "paused" ? "continue" : "retry";
  return `${product.name} ${command} ${batchId}${usd === undefined ? "" : ` --batch-budget-usd ${usd}`}`;
}

function newBudgetUsd(facts: EndFacts): number | undefined {
  const { end } = facts;
  if (end.kind === "paused") return pausedBudgetUsd(facts);
  return end.kind === "stopped" && end.by === "budget" ? enoughUsd(facts) : undefined;
}

// Enough for what the rest costs at most, if the budget is not enough for what is expected.
function pausedBudgetUsd({ budgetUsd, costUsd, estimate }: EndFacts): number | undefined {
  const rest = estimate?.costUsd;
  if (budgetUsd === undefined || rest === undefined || costUsd + rest.expected <= budgetUsd) return undefined;
  return roundedUp(costUsd + rest.high);
}

/** What to do next, in the words of one door, and where failures are listed; undefined if all is done. */
export function nextText(facts: EndFacts, door: Door): string | undefined {
  const { end, batchId, counts } = facts;
  const onward = onwardText(facts, door);
  const hasFailures = counts.failed > 0 && end.kind !== "interrupted";
  if (onward === undefined || !hasFailures) return onward;
  return `${onward} ${stepText(door, { do: "read-errors", batchId })} says what went wrong and what to change.`;
}

/** Only its first sentence, for a view that lists the failures itself. */
export function onwardText(facts: EndFacts, door: Door): string | undefined {
  const { end, batchId } = facts;
  const command = nextCommand(facts);
  if (command === undefined) return undefined;
  const does =
    end.kind === "failed"
      ? "reruns what failed"
      : end.kind === "interrupted"
        ? "resumes the rest"
        : "runs the rest";
  const first = firstText(end, door);
  const tool = end.kind === "paused" ? "continue_batch" : "retry_batch";
  const usd = newBudgetUsd(facts);
  const budget = usd === undefined ? "" : `, batchBudgetUsd ${usd} or more`;
  const how = door === "command-line" ? `\`${command}\`` : `${tool} (batchId ${batchId}${budget})`;
  const otherwise =
    end.kind === "paused" ? `, and ${stepText(door, { do: "cancel", batchId })} ends the batch` : "";
  return `${first}${how} ${does}${otherwise}.`;
}

/** What to do before that, as the beginning of the sentence. */
function firstText(end: BatchEnd, door: Door): string {
  // The money is the user's.
  if (end.kind === "paused" && door === "tools") return "Ask the user; then ";
  if (end.kind !== "stopped" || end.access === undefined) return "";
  const who = door === "tools" ? "Ask the user to " : "";
  const text = {
    auth: "log in (run `claude` in a terminal, and type `/login`)",
    billing: "check the plan and credit of the account",
    "usage-limit": "wait until the limit resets",
  }[end.access];
  const first = end.access === "usage-limit" ? text : `${who}${text}`;
  return `${first.slice(0, 1).toUpperCase()}${first.slice(1)}; then `;
}

/** Both sentences: how it ended, and what to do next. */
export function endSentences(facts: EndFacts, door: Door): string {
  const next = nextText(facts, door);
  return next === undefined ? endText(facts) : `${endText(facts)} ${next}`;
}

/**
 * The budget for a batch that stopped at one and runs more of its tasks: the probable total, from the sessions so far, plus
 * a reserve of at least half. Undefined if a retry has set a sufficient one since.
 */
export function enoughUsd({
  counts,
  costUsd,
  budgetUsd = 0,
  stoppedAtUsd = budgetUsd,
  paid = paidAccordingTo(counts),
}: Budgeted): number | undefined {
  const each = costUsd / Math.max(1, paid.ended);
  const likely = costUsd + each * paid.toCome * 1.2;
  if (stoppedAtUsd < budgetUsd && likely <= budgetUsd) return undefined;
  return roundedUp(Math.max(likely, 1.5 * budgetUsd, 1.5 * costUsd));
}

type Budgeted = Pick<EndFacts, "counts" | "costUsd" | "budgetUsd" | "stoppedAtUsd" | "paid">;

function paidAccordingTo(counts: Counts): PaidSessions {
  return { ended: completedCount(counts), toCome: counts.cancelled + counts.queued + counts.running };
}

// Two digits, because it is an estimate.
function roundedUp(usd: number): number {
  if (usd <= 0) return 1;
  const step = 10 ** (Math.floor(Math.log10(usd)) - 1);
  // As a binary fraction, 0.15 is slightly more than 15 × 0.01, and must not become 0.16.
  return Number((Math.ceil(usd / step - 1e-6) * step).toPrecision(2));
}
