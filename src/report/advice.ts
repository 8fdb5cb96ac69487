// What a person can do about how a task ended. Each claim on options and conversations is followed with the real
// `claude` in `test/real/advice.real.ts` and `test/real/continue.real.ts`.
import { limitText } from "../model/limit-types.ts";
import type { Canceller, Clock, Denial, FailureReason, Outcome } from "../model/outcome.ts";
import { unreachable } from "../model/unreachable.ts";
import { denialAdvice } from "./denial-advice.ts";
import { oneLine } from "./harmless.ts";
import { type Door, optionText } from "./option-words.ts";

/** What is known of the task beside its outcome, and whose words the advice is in. */
export interface AdviceFacts {
  denials: readonly Denial[];
  batchId: string;
  sessionId?: string | undefined;
  /** The words of the tools unless given. */
  door?: Door | undefined;
}

/** What to try, in a few sentences. Nothing for a success at which no tool was denied. */
export function adviceFor(outcome: Outcome, facts: AdviceFacts): string | undefined {
  const words = wordsFor(facts);
  const own = ownAdvice(outcome, words);
  const denied = denialAdvice(facts.denials, words.door);
  const again = againAdvice(outcome, words, denied !== undefined);
  return [own, denied, again].filter((sentence) => sentence !== undefined).join(" ") || undefined;
}

/** The words of one door: options, the command or tool that retries, and what continues the conversation. */
interface Words {
  door: Door;
  hasSession: boolean;
  option(name: string, value?: string): string;
  retry: string;
  resumption: string;
}

// A call of a tool names the batch as its argument; a command is whole, to be copied.
function wordsFor({ door = "tools", batchId, sessionId }: AdviceFacts): Words {
  const option = (name: string, value?: string) => optionText(door, name, value);
  const id = sessionId === undefined ? undefined : oneLine(sessionId, 100);
  return {
    door,
    hasSession: sessionId !== undefined,
    option,
    retry: door === "tools" ? "`retry_batch`" : `\`parallel-claude-code-mcp retry ${batchId}\``,
    resumption: `The conversation can continue with ${option("resumeSessionId", id)}, in the same working directory.`,
  };
}

/** How a retry with the same options may end: as the first time, or well. */
type Chance = "none" | "some";

const reasons = {
  "max-turns": [({ option }) => `Raise ${option("maxTurns")}.`, "none"],
  budget: [({ option }) => `Raise ${option("maxBudgetUsd")}, or split the task.`, "none"],
  "usage-limit": [() => "Wait until the limit resets.", "some"],
  "rate-limit": [({ option }) => `Lower ${option("concurrency")}, or wait a few minutes.`, "some"],
  overloaded: [
    ({ option }) => `Wait a few minutes, or name another model in ${option("fallbackModel")}.`,
    "some",
  ],
  auth: [
    () =>
      "Run `claude` and log in with `/login`, or set `ANTHROPIC_API_KEY`. `parallel-claude-code-mcp doctor` checks the login.",
    "some",
  ],
  billing: [
    () => "Check the plan and credit of the account that `parallel-claude-code-mcp doctor` shows.",
    "some",
  ],
  model: [
    ({ option }) =>
      `Name another ${option("model")}: an alias such as \`opus\`, \`sonnet\` or \`haiku\`, or a full name.`,
    "none",
  ],
  schema: [
    ({ option }) => `Simplify ${option("outputSchema")}, or explain in the task what each field means.`,
    "none",
  ],
  refusal: [() => "Reword the task: say what it is for, and omit what it does not need.", "none"],
  "prompt-too-long": [tooLong, "none"],
  "output-limit": [() => "Ask for a shorter answer, or ask for it in parts, written to a file.", "none"],
  connection: [() => "Check the network and the proxy with `parallel-claude-code-mcp doctor`.", "some"],
  "server-error": [() => "Wait a few minutes.", "some"],
  request: [
    (_, message) =>
      /request too large/i.test(message)
        ? "Attach fewer or smaller images and files: a request is limited to 32 MB."
        : "Change what the message names: the API rejected it.",
    "none",
  ],
  interrupted: [() => "Another program or person interrupted the session.", "some"],
  conversation: [
    ({ option }) =>
      `Check ${option("resumeSessionId")}, and use the ${option("workingDirectory")} in which the conversation began. Without ${option("resumeSessionId")}, the task starts a new one.`,
    "none",
  ],
  agent: [() => "Name one of the agents in the message, or define yours in `.claude/agents`.", "none"],
  hook: [
    () =>
      "A UserPromptSubmit hook in your settings or the project's settings rejected the task: change the task or the hook.",
    "some",
  ],
  "no-answer": [
    () => "Ask for an answer in the task. A Stop hook, if there is one, must let the session end.",
    "some",
  ],
  execution: [() => "Read the message and the last lines of the transcript.", "some"],
} satisfies Record<FailureReason, readonly [(words: Words, message: string) => string, Chance]>;

// The CLI says which it is: of a conversation with nothing but the task in it, "a single exchange"; any other it has
// tried to summarize before it gave up.
function tooLong({ option }: Words, message: string): string {
  if (/single[- ]exchange/.test(message)) {
    return `The task and its initial context are too long: shorten the task, name fewer files with \`@\`, shorten ${option("appendSystemPrompt")}, or offer fewer tools in ${option("tools")} and ${option("mcpConfig")}.`;
  }
  return `The conversation is too long, even when summarized: split the task, and ask for parts of large files. A task that continued a conversation needs a new one, without ${option("resumeSessionId")}.`;
}

const clocks = {
  "first-event": [
    ({ option }) =>
      `Raise ${option("firstEventTimeoutSeconds")}, or lower ${option("concurrency")} if the machine is busy. \`parallel-claude-code-mcp doctor\` checks that \`claude\` starts.`,
    "some",
  ],
  idle: [
    ({ option }) =>
      `Raise ${option("idleTimeoutSeconds")} if the task's commands produce no output for a long time.`,
    "none",
  ],
  wall: [({ option }) => `Raise ${option("timeoutSeconds")}, or split the task.`, "none"],
} satisfies Record<Clock, readonly [(words: Words) => string, Chance]>;

// Those after which the conversation holds something worth continuing.
const resumable = new Set<FailureReason>(["max-turns", "budget", "usage-limit", "connection", "interrupted"]);

function ownAdvice(outcome: Outcome, words: Words): string | undefined {
  switch (outcome.kind) {
    case "succeeded":
      return undefined;
    case "failed": {
      const advice =
        limitText(outcome.limitType).advice?.(words.option) ??
        reasons[outcome.reason][0](words, outcome.message);
      return resumable.has(outcome.reason) ? `${advice} ${words.resumption}` : advice;
    }
    case "crashed":
      return crashAdvice(outcome, words);
    case "timed-out": {
      const advice = clocks[outcome.clock][0](words);
      return outcome.clock === "first-event" ? advice : `${advice} ${words.resumption}`;
    }
    case "cancelled":
      return cancelAdvice(outcome.by, words);
    case "not-started":
      return "Correct what the message names. Nothing was spent.";
    default:
      return unreachable(outcome);
  }
}

function crashAdvice({ exitCode, signal }: Extract<Outcome, { kind: "crashed" }>, { option }: Words): string {
  // 137 is what a shell makes of SIGKILL.
  if (signal === "SIGKILL" || exitCode === 137) {
    return `The system may have run out of memory: lower ${option("concurrency")}.`;
  }
  return "Read the last lines of its stderr, and check `claude` with `parallel-claude-code-mcp doctor`.";
}

function cancelAdvice(by: Canceller, { door, hasSession, option, resumption, retry }: Words): string {
  const state = hasSession ? resumption : "The task had not started.";
  switch (by) {
    case "failure-mode":
      return `${state} ${option("failureMode", "continue")} lets the other tasks continue after a failure.`;
    case "hold":
      return `${state} See the failed task for the reason and what to do.`;
    case "budget":
      return `${state} ${retry} takes a higher ${option("batchBudgetUsd")}.`;
    case "leash":
      return `${state} ${door === "tools" ? option("asyncMode") : "`--detach`"} lets a batch continue when its client ends.`;
    case "client":
    case "user":
    case "memory":
      return state;
    default:
      return unreachable(by);
  }
}

// The same for all tasks of a batch that ended alike, so that equal advice stays equal.
function againAdvice(outcome: Outcome, words: Words, denied: boolean): string | undefined {
  if (outcome.kind === "succeeded") {
    if (!denied) return undefined;
    const sentence = "Then start the task again; a retry skips tasks that succeeded.";
    return words.hasSession ? `${sentence} ${words.resumption}` : sentence;
  }
  if (denied || chanceOf(outcome) === "none") {
    return `${words.retry} repeats the failed tasks with the same options; to change options, start them in a new batch.`;
  }
  return `${words.retry} repeats the failed tasks.`;
}

function chanceOf(outcome: Outcome): Chance {
  if (outcome.kind === "failed") return reasons[outcome.reason][1];
  return outcome.kind === "timed-out" ? clocks[outcome.clock][1] : "some";
}
