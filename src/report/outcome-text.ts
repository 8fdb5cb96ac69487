// How a task ended, in one line for people.
import { checkName } from "../model/checks.ts";
import type { AccessKind, Canceller, FailureReason, Outcome } from "../model/outcome.ts";
import { unreachable } from "../model/unreachable.ts";
import { numberText } from "./amounts.ts";
import { harmless, oneLine } from "./harmless.ts";
import { reusedText } from "./reuse-text.ts";

/** How a task ended, in one line for people. Claude's words are marked as such, and cut at 500 characters. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "succeeded":
      return outcome.reused ? `Reused: ${reusedText(outcome.reused)}` : "Succeeded";
    case "unverified":
      return unverifiedText(outcome);
    case "failed": {
      const message = oneLine(outcome.message, 500);
      if (message === "" || saysTheSame(message, reasonText[outcome.reason]))
        return reasonText[outcome.reason];
      // The list of agents is from our own request: Claude Code's message lacks it.
      return `${reasonText[outcome.reason]}. ${outcome.reason === "agent" ? "" : "Claude said: "}${message}`;
    }
    case "crashed":
      return crashText(outcome);
    case "timed-out":
      return `Timed out after ${numberText(Math.round(outcome.afterMs / 1000))} s (${outcome.clock} clock)`;
    case "cancelled":
      return outcome.access === undefined ? cancelText[outcome.by] : accessText[outcome.access];
    case "not-started":
      return `Not started: ${oneLine(outcome.message, 500)}`;
    default:
      return unreachable(outcome);
  }
}

function unverifiedText({ check }: Extract<Outcome, { kind: "unverified" }>): string {
  const name = oneLine(checkName(check), 300);
  const what = check.broken ? `Not verified, because ${name} could not be checked` : `Did not pass ${name}`;
  const said = oneLine(check.output, 300);
  return said === "" ? what : `${what}: ${said}`;
}

function saysTheSame(message: string, text: string): boolean {
  return message.replace(/[.!]$/, "").toLowerCase() === text.toLowerCase();
}

const reasonText = {
  "max-turns": "Reached its turn limit",
  budget: "Reached its budget",
  "usage-limit": "Reached the account's usage limit",
  "rate-limit": "Made too many requests for the account's rate limit",
  overloaded: "Stopped because the API was overloaded",
  auth: "Not logged in",
  billing: "Refused for billing reasons",
  model: "The model is unavailable",
  schema: "The answer does not match the output schema",
  refusal: "Declined the task",
  "prompt-too-long": "Exceeded the context window of the model",
  "output-limit": "Exceeded the maximum length of one reply",
  connection: "Lost the connection to the API",
  "server-error": "Stopped by an API error",
  request: "The API rejected a request",
  interrupted: "Interrupted",
  conversation: "Could not continue the earlier conversation",
  agent: "The requested agent does not exist",
  hook: "Blocked by a hook",
  "no-answer": "Ended without an answer",
  execution: "Failed during execution",
} satisfies Record<FailureReason, string>;

const cancelText = {
  client: "Cancelled by the client",
  user: "Cancelled by the user",
  "failure-mode": "Cancelled because another task failed",
  budget: "Cancelled because the batch budget was spent",
  leash: "Cancelled because the process that waited for it ended",
  hold: "Cancelled because the account or model was unavailable for too long",
  "fail-when": "Cancelled because too many tasks had failed (`failWhen`)",
  "stop-when": "Cancelled because enough was found (`stopWhen`)",
} satisfies Record<Canceller, string>;

const accessText = {
  auth: "Cancelled because Claude is not logged in",
  billing: "Cancelled because the API refuses the account for billing reasons",
  "usage-limit": "Cancelled because a usage limit was not lifted in time",
} satisfies Record<AccessKind, string>;

function crashText(outcome: Extract<Outcome, { kind: "crashed" }>): string {
  const { exitCode, signal, stderrTail, interimOffsets } = outcome;
  if (exitCode === 0 && interimOffsets) return "Ended before its subagents had finished";
  const how =
    signal !== undefined
      ? `by signal ${signal}`
      : exitCode !== undefined
        ? `with exit code ${exitCode}`
        : "without an exit code";
  const last = harmless(stderrTail).trimEnd().split("\n").at(-1);
  return last ? `Crashed ${how}: ${oneLine(last, 300)}` : `Crashed ${how}`;
}
