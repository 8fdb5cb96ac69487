// What a person can do about how a task ended. Tests follow each claim on options and conversations with the real
// `claude` (`test/real/advice.real.ts`, `test/real/continue.real.ts`), and each retry (`test/advice-followed.test.ts`).
import { limitText } from "../model/limit-types.ts";
import { type Concurrency, mostSeconds, type RetryOptions, type SessionOptions } from "../model/options.ts";
import type { Canceller, Clock, Denial, FailureReason, Outcome } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { unreachable } from "../model/unreachable.ts";
import { denialAdvice } from "./denial-advice.ts";
import { oneLine } from "./harmless.ts";
import {
  type Door,
  optionText,
  type Retry,
  retryCall,
  retryCommand,
  retryText,
  type TaskWord,
  taskListText,
} from "./option-words.ts";

/** What is known of the task besides its outcome, and the door whose words the advice uses. */
export interface AdviceFacts {
  denials: readonly Denial[];
  batchId: string;
  /** Empty if the conversation is on another machine; undefined if there was no session. */
  sessionId?: string | undefined;
  /** By default, the words of the tools. */
  door?: Door | undefined;
  /** The tasks that ended like this, which the advice names. */
  tasks?: readonly TaskWord[] | undefined;
  /** The task's own. */
  options?: SessionOptions | undefined;
  /** Whether another attempt continues the conversation. */
  resumable?: boolean | undefined;
  /** A budget of the batch that is probably enough. */
  enoughUsd?: number | undefined;
  /** Most sessions at once, if the batch has a number. */
  concurrency?: Concurrency | undefined;
}

/** What to try, in a few sentences. Undefined for a success without denied tools. */
export function adviceFor(outcome: Outcome, facts: AdviceFacts): string | undefined {
  const words = wordsFor(facts);
  const own = ownAdvice(outcome, words);
  const denied = denialAdvice(facts.denials, { door: words.door, options: words.options });
  const changes = { ...own?.changes, ...denied?.changes };
  const again =
    outcome.kind === "succeeded"
      ? denied && deniedSuccess(words, changes)
      : againAdvice(outcome, words, changes);
  // If a command does it, that comes first.
  const isCommand = own?.changes !== undefined;
  const sentences = [denied?.text, ...(isCommand ? [again, own?.text] : [own?.text, again])];
  return sentences.filter((sentence) => sentence !== undefined && sentence !== "").join(" ") || undefined;
}

/** The same in parts: for views that show the command on a line of its own, and for grouping what needs the same. */
export interface Remedy {
  /** What to do besides the retry, in a few sentences. */
  text: string | undefined;
  /** The command, or the call of the tool, without marks; undefined if no retry helps. */
  retry: string | undefined;
  /** The options that it sets. */
  changes: RetryOptions;
  /** Whether it lacks something that only its reader can give: options, or values of variables. */
  lacks: "nothing" | "options" | "values";
}

/** What would make a task succeed that ended like this. */
export function remedyFor(outcome: Outcome, facts: AdviceFacts): Remedy {
  const words = wordsFor(facts);
  const own = ownAdvice(outcome, words);
  const denied = denialAdvice(facts.denials, { door: words.door, options: words.options });
  const changes = { ...own?.changes, ...denied?.changes };
  const text = [denied?.text, own?.text].filter(Boolean).join(" ") || undefined;
  const retry: Retry = { batchId: facts.batchId, tasks: facts.tasks, options: changes };
  if (hangsOnOthers(outcome)) return { text, retry: undefined, changes: {}, lacks: "nothing" };
  const lost = outcome.kind === "not-started" ? outcome.lost : undefined;
  if (lost !== undefined)
    return {
      text:
        words.door === "tools" ? text : `${text} FILE is a JSON file with ${oneLine(lost.join(", "), 300)}.`,
      retry: retryLine(words.door, {
        ...retry,
        options: {},
        values: Object.fromEntries(lost.map((name) => [name, "…"])),
      }),
      changes: {},
      lacks: "values",
    };
  if (Object.keys(changes).length > 0)
    return { text, retry: retryLine(words.door, retry), changes, lacks: "nothing" };
  const chance = outcome.kind === "succeeded" ? chanceOfDenied(facts.denials) : chanceOf(outcome);
  if (chance === "with another task") return { text, retry: undefined, changes, lacks: "nothing" };
  return {
    text,
    retry: retryLine(words.door, retry),
    changes,
    lacks: chance === "as it is" ? "nothing" : "options",
  };
}

// A retry of it would first run those again that failed, with options that may not have been enough for them.
function hangsOnOthers(outcome: Outcome): boolean {
  return outcome.kind === "not-started" && (outcome.after ?? []).length > 0;
}

function retryLine(door: Door, retry: Retry): string {
  return door === "command-line" ? retryCommand(retry) : `retry_batch ${retryCall(retry)}`;
}

// Where some option would help, it is too long to be printed.
function chanceOfDenied(denials: readonly Denial[]): Chance {
  return denials.some(({ remedy }) => remedy?.kind !== "none") ? "with options" : "with another task";
}

/** What to do about one reason, and the options of a retry that does it. */
interface OwnAdvice {
  text: string;
  changes?: RetryOptions | undefined;
}

/** The words of one door: options, the command or tool that retries, and who runs commands. */
interface Words {
  door: Door;
  sessionId: string | undefined;
  options: Partial<SessionOptions>;
  resumable: boolean;
  enoughUsd: number | undefined;
  option(name: string, value?: string): string;
  /** "lower `concurrency`"; undefined if only one session runs at a time. */
  lower: string | undefined;
  /** "run `claude`", or for a model, which cannot: "ask the user to run `claude` in a terminal". */
  run(command: string): string;
  /** "the task", or "the tasks". */
  tasks: string;
  /** The subject of a sentence: the command or call. */
  retry(changes?: RetryOptions): string;
  /** A sentence without its end: how to give values of these variables. */
  retryWithValues(names: readonly string[]): string;
}

function wordsFor(facts: AdviceFacts): Words {
  const {
    door = "tools",
    batchId,
    sessionId,
    tasks = [],
    options = {},
    resumable = false,
    enoughUsd,
    concurrency,
  } = facts;
  const called = (text: string) => (door === "tools" ? `Calling ${text}` : text);
  return {
    door,
    sessionId: sessionId === undefined ? undefined : oneLine(sessionId, 100),
    options,
    resumable,
    enoughUsd,
    option: (name, value) => optionText(door, name, value),
    lower: concurrency === 1 ? undefined : `lower ${optionText(door, "concurrency")}`,
    run: (command) =>
      door === "tools" ? `ask the user to run \`${command}\` in a terminal` : `run \`${command}\``,
    tasks: isSeveral(tasks) ? "the tasks" : "the task",
    retry: (changes = {}) => called(retryText(door, { batchId, tasks, options: changes })),
    retryWithValues: (names) => {
      const values = Object.fromEntries(names.map((name) => [name, "…"]));
      const text = called(retryText(door, { batchId, tasks, values }));
      return door === "tools"
        ? text
        : `${text}, where FILE is a JSON file with ${oneLine(names.join(", "), 300)}`;
    },
  };
}

// A word that is no number stands for several.
function isSeveral(tasks: readonly TaskWord[]): boolean {
  return tasks.length > 1 || typeof tasks[0] === "string";
}

/** What a retry can do: it may succeed as it is, with other options, or not at all. */
type Chance = "as it is" | "with options" | "with another task";

type Reason = readonly [
  text: (words: Words, message: string) => string,
  chance: Chance,
  changes?: (options: Partial<SessionOptions>) => RetryOptions | undefined,
];

const reasons = {
  "max-turns": [
    () => "",
    "with options",
    ({ maxTurns = usualTurns }) => ({ maxTurns: Math.min(2 * maxTurns, Number.MAX_SAFE_INTEGER) }),
  ],
  budget: [
    () => "Or split the task.",
    "with options",
    ({ maxBudgetUsd = 1 }) => ({
      maxBudgetUsd: Math.min(Number((2 * maxBudgetUsd).toPrecision(3)), Number.MAX_VALUE),
    }),
  ],
  "usage-limit": [() => "Wait until the limit resets.", "as it is"],
  "rate-limit": [({ lower }) => sentence(lower, "or wait a few minutes"), "as it is"],
  overloaded: [
    ({ option }) => `Wait a few minutes, or name another model in ${option("fallbackModel")}.`,
    "as it is",
  ],
  auth: [
    ({ door, run }) =>
      door === "tools"
        ? `To log in, ${run("claude")} and type \`/login\`; \`${product.name} doctor\` in a terminal checks the login. To use a credential from the environment instead, such as \`ANTHROPIC_API_KEY\`, the user sets it and restarts this client, and you start a new batch.`
        : `Run \`claude\` and log in with \`/login\`; \`${product.name} doctor\` checks the login. To use a credential from the environment instead, such as \`ANTHROPIC_API_KEY\`, set it and start a new batch.`,
    "as it is",
  ],
  billing: [
    ({ run }) =>
      `Check the plan and credit of the account: ${run(`${product.name} doctor`)} to see which one it is.`,
    "as it is",
  ],
  model: [
    () => "Any other model will do: an alias such as `opus`, `sonnet` or `haiku`, or a full name.",
    "with options",
    ({ model = "" }) => ({ model: model.includes("sonnet") ? "opus" : "sonnet" }),
  ],
  schema: [
    ({ option }) => `Simplify ${option("outputSchema")}, or explain in the task what each field means.`,
    "with options",
  ],
  refusal: [
    () => "Reword the task: say what it is for, and omit what it does not need.",
    "with another task",
  ],
  "prompt-too-long": [tooLong, "with options"],
  "output-limit": [
    () => "Ask for a shorter answer, or ask for it in parts, written to a file.",
    "with another task",
  ],
  connection: [({ run }) => `Check the network and the proxy: ${run(`${product.name} doctor`)}.`, "as it is"],
  "server-error": [() => "Wait a few minutes.", "as it is"],
  request: [
    (_, message) =>
      /request too large/i.test(message)
        ? "Attach fewer or smaller images and files: a request is limited to 32 MB."
        : "Change what the message names: the API rejected it.",
    "with options",
  ],
  interrupted: [() => "Another program or person interrupted the session.", "as it is"],
  conversation: [
    ({ option }) =>
      `Check ${option("resumeSessionId")}, and use the ${option("workingDirectory")} in which the conversation began. Without ${option("resumeSessionId")}, in a new batch, the task starts a new one.`,
    "with options",
  ],
  agent: [
    ({ option }) =>
      `Name one of the agents in the message in ${option("agent")}, or define yours in \`.claude/agents\`.`,
    "with options",
  ],
  hook: [
    () =>
      "A UserPromptSubmit hook in your settings or the project's settings rejected the task: change the task or the hook.",
    "as it is",
  ],
  "no-answer": [
    () => "Ask for an answer in the task. A Stop hook, if there is one, must let the session end.",
    "as it is",
  ],
  execution: [() => "Read the message and the last lines of the transcript.", "as it is"],
} satisfies Record<FailureReason, Reason>;

/** "Lower `concurrency`, or wait a few minutes.", or without the first part, "Wait a few minutes." */
function sentence(first: string | undefined, second: string): string {
  const text = first === undefined ? second.replace(/^(?:or|and) /, "") : `${first}, ${second}`;
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** The turns that the CLI presumably had if the task set none. */
const usualTurns = 25;

// The CLI distinguishes two cases: a conversation with only the task in it ("a single exchange"), and any other, which it
// tried to compact before it gave up.
function tooLong({ option }: Words, message: string): string {
  if (/single[- ]exchange/.test(message)) {
    return `The task and its initial context are too long: shorten the task, name fewer files with \`@\`, shorten ${option("appendSystemPrompt")}, or offer fewer tools in ${option("tools")} and ${option("mcpConfig")}.`;
  }
  return `The conversation is too long, even when summarized: split the task, and ask for parts of large files. A task that continued a conversation needs a new one, without ${option("resumeSessionId")}.`;
}

const clocks = {
  "first-event": [
    ({ lower, run }) =>
      sentence(
        lower && `${lower} if the machine is busy`,
        `and ${run(`${product.name} doctor`)} to check that \`claude\` starts`,
      ),
    "as it is",
    ({ firstEventTimeoutSeconds = 120 }) => longer({ firstEventTimeoutSeconds }),
  ],
  idle: [
    ({ options: { idleTimeoutSeconds = 0 } }) =>
      idleTimeoutSeconds < mostSeconds
        ? "More time helps if the task's commands produce no output for a long time."
        : "The session may not be silent for longer than a week: have its commands produce output.",
    "with options",
    ({ idleTimeoutSeconds = 1_200 }) => longer({ idleTimeoutSeconds }),
  ],
  wall: [
    ({ options: { timeoutSeconds = 0 } }) =>
      timeoutSeconds < mostSeconds
        ? "Or split the task."
        : "No session may take longer than a week: split the task.",
    "with options",
    ({ timeoutSeconds = 3_600 }) => longer({ timeoutSeconds }),
  ],
} satisfies Record<Clock, Reason>;

/** Twice the time, up to the maximum; undefined if it is the maximum already. */
function longer(times: RetryOptions): RetryOptions | undefined {
  const [[name, time] = []] = Object.entries(times);
  if (name === undefined || typeof time !== "number" || time >= mostSeconds) return undefined;
  return { [name]: Math.min(2 * time, mostSeconds) };
}

function ownAdvice(outcome: Outcome, words: Words): OwnAdvice | undefined {
  switch (outcome.kind) {
    case "succeeded":
      return undefined;
    case "unverified":
      return { text: unverifiedAdvice(outcome, words) };
    case "failed": {
      const [text, , changes]: Reason = reasons[outcome.reason];
      const ofLimit = limitText(outcome.limitType).advice?.(words.option, words.run);
      if (ofLimit !== undefined) return { text: ofLimit };
      return { text: text(words, outcome.message), changes: changes?.(words.options) };
    }
    case "crashed":
      return { text: crashAdvice(outcome, words) };
    case "timed-out": {
      const [text, , changes]: Reason = clocks[outcome.clock];
      return { text: text(words, ""), changes: changes?.(words.options) };
    }
    case "cancelled":
      return cancelAdvice(outcome.by, words);
    case "not-started":
      return { text: notStartedAdvice(outcome, words) };
    default:
      return unreachable(outcome);
  }
}

function unverifiedAdvice(
  { check }: Extract<Outcome, { kind: "unverified" }>,
  { option, options: { retries = 1 } }: Words,
): string {
  if (check.broken) return "Correct what kept the check from being made.";
  const more = retries < 10 ? ` With more ${option("retries")}, the session hears of it more often.` : "";
  return `The answer is kept: look at it, and at what the check said.${more}`;
}

function crashAdvice(
  { exitCode, signal }: Extract<Outcome, { kind: "crashed" }>,
  { lower, run }: Words,
): string {
  // A shell reports SIGKILL as 137.
  if (signal === "SIGKILL" || exitCode === 137) {
    const rest = lower === undefined ? "close other programs" : lower;
    return `The system may have run out of memory: ${rest}.`;
  }
  return `Read the last lines of its stderr, and ${run(`${product.name} doctor`)} to check \`claude\`.`;
}

function notStartedAdvice(
  { lost = [], after = [] }: Extract<Outcome, { kind: "not-started" }>,
  { tasks }: Words,
): string {
  if (after.length > 0)
    return `See what happened to ${taskListText(after)}. A retry of ${after.length === 1 ? "it" : "them"} also runs ${tasks === "the tasks" ? "these" : "this one"}; nothing was spent.`;
  return lost.length === 0
    ? "Correct what the message names. Nothing was spent."
    : "Nothing was spent: give the values again.";
}

function cancelAdvice(by: Canceller, { door, sessionId, option, enoughUsd }: Words): OwnAdvice {
  const text = sessionId === undefined ? "The task had not started." : "";
  switch (by) {
    case "failure-mode":
      return {
        text: `${text} ${option("failureMode", "continue")} lets the other tasks continue after a failure.`.trim(),
      };
    case "hold":
      return { text: `${text} See the failed task for the reason and what to do.`.trim() };
    case "budget":
      return { text, ...(enoughUsd === undefined ? {} : { changes: { batchBudgetUsd: enoughUsd } }) };
    case "leash":
      return {
        text: `${text} ${door === "tools" ? option("asyncMode") : "`--detach`"} lets a batch continue when what started it ends.`.trim(),
      };
    case "fail-when":
      return { text: `${text} See the failed tasks for the reasons.`.trim() };
    case "stop-when":
      return { text: `${text} The batch had found enough.`.trim() };
    case "client":
    case "user":
      return { text };
    default:
      return unreachable(by);
  }
}

// The same for all tasks of a batch that ended alike, so that equal advice stays equal.
function againAdvice(outcome: Outcome, words: Words, changes: RetryOptions): string {
  const { door, retry, resumable, tasks } = words;
  const reruns = `reruns ${tasks}${resumable ? " and continues the conversation" : ""}`;
  if (hangsOnOthers(outcome)) return "";
  if (outcome.kind === "not-started" && outcome.lost) return `${words.retryWithValues(outcome.lost)}.`;
  if (Object.keys(changes).length > 0) return `${retry(changes)} ${reruns}.`;
  switch (chanceOf(outcome)) {
    case "as it is":
      return `${retry()} ${reruns}.`;
    case "with options":
      return `${retry()} ${reruns} with the options that you give ${door === "tools" ? "in `with`" : "there"}; a changed task needs a new batch.`;
    case "with another task":
      return "A retry would end the same way: start the changed task in a new batch.";
  }
}

// Rerun, not continued, so that the answer is a whole one.
function deniedSuccess({ tasks, retry, sessionId, option }: Words, changes: RetryOptions): string {
  const rerun = `${retry(changes)} reruns ${tasks} from the start.`;
  if (!sessionId) return rerun;
  return `${rerun} To continue the conversation instead, add ${option("resumeSessionId", sessionId)} to a new task in the same working directory.`;
}

function chanceOf(outcome: Outcome): Chance {
  if (outcome.kind === "failed") return reasons[outcome.reason][1];
  return outcome.kind === "timed-out" ? clocks[outcome.clock][1] : "as it is";
}
