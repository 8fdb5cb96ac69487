// What a person can do about how a task ended, and how it ended in one line.
import type { Clock, Denial, FailureReason, Outcome } from "../model/outcome.ts";
import { unreachable } from "../model/unreachable.ts";
import { numberText } from "./amounts.ts";
import { harmless, oneLine } from "./harmless.ts";

/** What is known of the task beside its outcome. */
export interface AdviceFacts {
  denials: readonly Denial[];
  batchId: string;
  sessionId?: string | undefined;
}

/** One to three sentences on what to try. Nothing for a success at which no tool was denied. */
export function adviceFor(outcome: Outcome, facts: AdviceFacts): string | undefined {
  const denied = denialAdvice(facts.denials);
  const own = ownAdvice(outcome, facts);
  const again = outcome.kind === "succeeded" ? undefined : retryAdvice(facts);
  return [own, denied, again].filter((sentence) => sentence !== undefined).join(" ") || undefined;
}

// The same for all tasks of a batch, so that equal advice stays equal.
function retryAdvice({ batchId }: AdviceFacts): string {
  return `\`parallel-claude-code-mcp retry ${batchId}\` (or retry_batch) runs again what has failed.`;
}

/** How a task ended, in one line for people. Words of Claude are marked as such, and cut at 500 characters. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "succeeded":
      return "Succeeded";
    case "failed": {
      const message = oneLine(outcome.message, 500);
      return message ? `${reasonText[outcome.reason]}. Claude said: ${message}` : reasonText[outcome.reason];
    }
    case "crashed":
      return crashText(outcome);
    case "timed-out":
      return `Timed out after ${numberText(Math.round(outcome.afterMs / 1000))} s (${outcome.clock} clock)`;
    case "cancelled":
      return cancelText[outcome.by];
    case "not-started":
      return `Not started: ${oneLine(outcome.message, 500)}`;
    default:
      return unreachable(outcome);
  }
}

const reasonText = {
  "max-turns": "Reached its limit of turns",
  budget: "Reached its budget",
  "usage-limit": "Reached the usage limit of the account",
  "rate-limit": "Asked too often for the account's rate limit",
  overloaded: "Found the API overloaded",
  auth: "Was not logged in",
  billing: "Was refused for billing reasons",
  model: "Could not use the model",
  schema: "Gave no answer that fits the output schema",
  refusal: "Declined the task",
  "prompt-too-long": "Ran out of context",
  "output-limit": "Reached the limit of one reply",
  connection: "Lost the connection to the API",
  "server-error": "Met an error of the API",
  request: "Had its request rejected by the API",
  interrupted: "Was interrupted",
  conversation: "Could not continue the earlier conversation",
  agent: "Does not have the agent that was asked for",
  hook: "Was blocked by a hook",
  "no-answer": "Ended without an answer",
  execution: "Failed while it worked",
} satisfies Record<FailureReason, string>;

const cancelText = {
  client: "Cancelled by the client",
  user: "Cancelled by the user",
  "failure-mode": "Cancelled because another task failed",
  budget: "Cancelled because the budget of the batch was spent",
  leash: "Cancelled because the process that waited for it ended",
  hold: "Cancelled because the account, or its model, could not be used for too long",
  memory: "Ended because memory had become too little; it goes on when there is room",
};

const reasonAdvice = {
  "max-turns": "Raise `maxTurns`.",
  budget: "Raise `maxBudgetUsd`, or ask for less in one task.",
  "usage-limit": "Wait until the limit resets.",
  "rate-limit": "Lower `concurrency`; in a few minutes it may go through.",
  overloaded: "Wait a few minutes, or name another model in `fallbackModel`.",
  auth: "Run `claude` and log in with `/login`, or set `ANTHROPIC_API_KEY`. `parallel-claude-code-mcp doctor` checks the login.",
  billing: "Check the plan and the credit of the account that `parallel-claude-code-mcp doctor` shows.",
  model: "Name another `model`: an alias such as `opus`, `sonnet` or `haiku`, or a full name.",
  schema: "Make `outputSchema` simpler, or say in the task what each field means.",
  refusal: "Put the task differently: say what it is for, and leave out what is not needed.",
  "prompt-too-long": "Ask for less in one task, or split it into several.",
  "output-limit": "Ask for a shorter answer, or let Claude write it to a file.",
  connection: "Check network and proxy with `parallel-claude-code-mcp doctor`.",
  "server-error": "Wait a few minutes.",
  request: "Check the options of the task: the message above names what the API did not take.",
  interrupted: "Something else ended its turn.",
  conversation:
    "Check `resumeSessionId`, and use the `workingDirectory` that the conversation began in. Without `resumeSessionId` the task begins a new one.",
  agent: "Name one of the agents in the message, or define yours below `.claude/agents`.",
  hook: "A UserPromptSubmit hook in your settings or in the project's rejected the task: change the task or the hook.",
  "no-answer": "Ask for an answer in the task. If a Stop hook is set, check that it lets the session end.",
  execution: "Read the message and the last lines of the transcript.",
} satisfies Record<FailureReason, string>;

const clockAdvice = {
  "first-event":
    "Raise `firstEventTimeoutSeconds`, or lower `concurrency` when the machine is busy. `parallel-claude-code-mcp doctor` checks that `claude` starts.",
  idle: "Raise `idleTimeoutSeconds` when the task has commands that are silent for long.",
  wall: "Raise `timeoutSeconds`, or split the task.",
} satisfies Record<Clock, string>;

// Those after which the conversation holds something that is worth going on with.
const resumable = new Set<FailureReason>(["max-turns", "budget", "usage-limit", "connection", "interrupted"]);
const edits = new Set(["Edit", "MultiEdit", "NotebookEdit", "Write"]);

function ownAdvice(outcome: Outcome, facts: AdviceFacts): string | undefined {
  switch (outcome.kind) {
    case "succeeded":
      return undefined;
    case "failed": {
      const advice = reasonAdvice[outcome.reason];
      return resumable.has(outcome.reason) ? `${advice} ${resumption(facts)}` : advice;
    }
    case "crashed":
      return crashAdvice(outcome);
    case "timed-out":
      if (outcome.clock === "first-event") return clockAdvice[outcome.clock];
      return `${clockAdvice[outcome.clock]} ${resumption(facts)}`;
    case "cancelled":
      return cancelAdvice(outcome.by, facts);
    case "not-started":
      return "Mend what the message names. Nothing was spent on it.";
    default:
      return unreachable(outcome);
  }
}

function resumption({ sessionId }: AdviceFacts): string {
  const value = sessionId === undefined ? "" : `: ${JSON.stringify(oneLine(sessionId, 100))}`;
  return `The conversation can go on with \`resumeSessionId${value}\`, in the same working directory.`;
}

function crashText({ exitCode, signal, stderrTail }: Extract<Outcome, { kind: "crashed" }>): string {
  const how =
    signal !== undefined
      ? `by signal ${signal}`
      : exitCode !== undefined
        ? `with exit code ${exitCode}`
        : "without an exit code";
  const last = harmless(stderrTail).trimEnd().split("\n").at(-1);
  return last ? `Crashed ${how}: ${oneLine(last, 300)}` : `Crashed ${how}`;
}

function crashAdvice({ exitCode, signal }: Extract<Outcome, { kind: "crashed" }>): string {
  // 137 is what a shell makes of SIGKILL.
  if (signal === "SIGKILL" || exitCode === 137) {
    return "The system may have run out of memory: lower `concurrency`.";
  }
  return "Read the last lines of its stderr, and check `claude` with `parallel-claude-code-mcp doctor`.";
}

function cancelAdvice(by: Extract<Outcome, { kind: "cancelled" }>["by"], facts: AdviceFacts): string {
  const again = facts.sessionId === undefined ? "It was not begun." : resumption(facts);
  if (by === "failure-mode")
    return `${again} \`failureMode: "continue"\` lets the others go on after a failure.`;
  if (by === "hold") return `${again} The task that failed says why, and what to do.`;
  if (by === "budget") return `${again} \`retry_batch\` takes a higher \`batchBudgetUsd\`.`;
  if (by === "leash") return `${again} \`asyncMode\` lets a batch go on when its client ends.`;
  return again;
}

function denialAdvice(denials: readonly Denial[]): string | undefined {
  if (denials.length === 0) return undefined;
  const tools = [...new Set(denials.map((denial) => oneLine(denial.tool, 60)))];
  const rules = [...new Set(denials.map((denial) => oneLine(denial.rule, 150)))];
  const named = rules.slice(0, 12).join(",");
  const more = rules.length > 12 ? ` (and ${rules.length - 12} more)` : "";
  const advice = `Claude was not allowed to use ${listed(tools)}; \`allowedTools: ${JSON.stringify(named)}\`${more} lets that through.`;
  if (!denials.some((denial) => edits.has(denial.tool))) return advice;
  return `${advice} \`permissionMode: "acceptEdits"\` lets every edit in the working directory through.`;
}

function listed(names: string[]): string {
  const shown = names.slice(0, 6);
  if (names.length > 6) return `${shown.join(", ")} and others`;
  const last = shown.pop() ?? "";
  return shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
}
