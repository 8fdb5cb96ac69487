// How a task ended, in two or three words: for people in a column, a line or a table, and for programs.
import type { Canceller, Clock, FailureReason } from "../model/outcome.ts";
import type { DoneTask } from "../model/state.ts";
import { unreachable } from "../model/unreachable.ts";

/** "succeeded", "reused", "tools denied", "failed: turn limit", "timed out: no output", "cancelled: budget spent" … */
export function outcomeWords({ outcome, usage }: DoneTask): string {
  switch (outcome.kind) {
    case "succeeded":
      if (outcome.reused) return "reused";
      return usage?.denials?.length ? "tools denied" : "succeeded";
    case "unverified":
      return outcome.check.broken ? "unverified" : `unverified: ${outcome.check.kind}`;
    case "failed":
      return `failed: ${reasonWords[outcome.reason]}`;
    case "timed-out":
      return `timed out: ${clockWords[outcome.clock]}`;
    case "cancelled":
      return outcome.access === undefined
        ? cancelWords[outcome.by]
        : `cancelled: ${reasonWords[outcome.access]}`;
    case "crashed":
      return "crashed";
    case "not-started":
      return "not started";
    default:
      return unreachable(outcome);
  }
}

const reasonWords = {
  "max-turns": "turn limit",
  budget: "budget spent",
  "usage-limit": "usage limit",
  "rate-limit": "rate limit",
  overloaded: "API overloaded",
  auth: "not logged in",
  billing: "billing",
  model: "model unavailable",
  schema: "schema not met",
  refusal: "declined",
  "prompt-too-long": "prompt too long",
  "output-limit": "answer too long",
  connection: "connection lost",
  "server-error": "API error",
  request: "request rejected",
  interrupted: "interrupted",
  conversation: "conversation lost",
  agent: "no such agent",
  hook: "blocked by a hook",
  "no-answer": "no answer",
  execution: "error",
} satisfies Record<FailureReason, string>;

const clockWords = {
  "first-event": "no first output",
  idle: "no output",
  wall: "total time",
} satisfies Record<Clock, string>;

// Who cancels a task knows why; the others need the words.
const cancelWords = {
  client: "cancelled",
  user: "cancelled",
  "failure-mode": "cancelled: another failed",
  budget: "cancelled: budget spent",
  leash: "cancelled: caller ended",
  hold: "cancelled: held too long",
  "fail-when": "cancelled: too many failed",
  "stop-when": "cancelled: enough found",
} satisfies Record<Canceller, string>;

/** `failed: max-turns`, `timed-out: idle`, `succeeded`, `reused` … */
export function outcomeWord(task: DoneTask): string {
  const { outcome } = task;
  switch (outcome.kind) {
    case "failed":
      return `failed: ${outcome.reason}`;
    case "timed-out":
      return `timed-out: ${outcome.clock}`;
    case "cancelled":
      return `cancelled: ${outcome.by}`;
    case "succeeded":
      return outcome.reused ? "reused" : "succeeded";
    case "unverified":
      return `unverified: ${outcome.check.kind}`;
    default:
      return outcome.kind;
  }
}
