// What makes two tasks the same question. Everything else that an answer depends on is what its session read.
import { settingsIn } from "../../claude/settings-file.ts";
import type { Batch } from "../../model/event.ts";
import { inputsOf } from "../../model/inputs.ts";
import { type SessionOptions, settingSourceList, toolRuleList } from "../../model/options.ts";
import { prerequisitesOf } from "../../model/prerequisites.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { readSmallFile, realPath } from "../../platform/files.ts";

/**
 * How an option counts: its value is part of the question, or what a function makes of it; or it does not count; or its
 * tasks are never remembered, because nobody can see what their answers depend on.
 */
type Bearing = "counts" | "does-not-count" | "prevents" | ((options: SessionOptions) => unknown);

const bearings = {
  // The directory is part of the question, wherever its name comes from.
  workingDirectory: "does-not-count",
  model: "counts",
  fallbackModel: "counts",
  effort: "counts",
  agent: "counts",
  agents: "counts",
  settings: ({ settings }) => contents(settings),
  settingSources: ({ settingSources }) => settingSources && settingSourceList(settingSources).sort(),
  restricted: "counts",
  fileMentions: "counts",
  // Values are not stored anywhere, not even as a hash.
  env: "prevents",
  claudeArguments: "counts",
  allowedTools: ({ allowedTools }) => allowedTools && toolRuleList(allowedTools).sort(),
  disallowedTools: ({ disallowedTools }) => disallowedTools && toolRuleList(disallowedTools).sort(),
  tools: ({ tools }) => tools && toolRuleList(tools).sort(),
  systemPrompt: "counts",
  appendSystemPrompt: "counts",
  permissionMode: "counts",
  // A success reached no limit.
  maxTurns: "does-not-count",
  maxBudgetUsd: "does-not-count",
  // A text is JSON here: files were read before.
  outputSchema: ({ outputSchema }) =>
    typeof outputSchema === "string" ? JSON.parse(outputSchema) : outputSchema,
  // An answer was accepted by these checks alone.
  expect: "counts",
  mcpConfig: ({ mcpConfig }) => contents(mcpConfig),
  addDirectories: "counts",
  // A conversation grows.
  resumeSessionId: "prevents",
  forkSession: "does-not-count",
  slashCommands: "counts",
  name: "does-not-count",
  reuse: "does-not-count",
  // Answers from processes of their own are good for all; the others, only for who asks for `auto`.
  reuseSessions: "does-not-count",
  inputs: "counts",
  retries: "does-not-count",
  firstEventTimeoutSeconds: "does-not-count",
  idleTimeoutSeconds: "does-not-count",
  backgroundWaitSeconds: "does-not-count",
  timeoutSeconds: "does-not-count",
} satisfies Record<keyof SessionOptions, Bearing>;

const every: [string, Bearing][] = Object.entries(bearings);
const preventing = every.flatMap(([name, bearing]) => (bearing === "prevents" ? [name] : []));

/** Variables that change what Claude Code does. Those of the login are part of the account. */
const countedVariables = [
  "CLAUDE_CODE_DISABLE_AUTO_MEMORY",
  "CLAUDE_CODE_DISABLE_CLAUDE_MDS",
  "CLAUDE_CODE_EFFORT_LEVEL",
  "CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS",
  "CLAUDE_CODE_GLOB_HIDDEN",
  "CLAUDE_CODE_GLOB_NO_IGNORE",
  "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
  "CLAUDE_CODE_SAFE_MODE",
  "CLAUDE_CODE_SIMPLE",
  "CLAUDE_CODE_SUBAGENT_MODEL",
  "MAX_THINKING_TOKENS",
];

/** The questions of a batch. */
export interface Question {
  key: string;
  /** The name by which a model was asked for, for this account. */
  askedModel: string;
}

/** Whose questions they are. */
export interface Asker {
  account: string;
  environment: Record<string, string>;
}

/** The part of a version that changes behaviour: `2.1.332` → `2.1`. */
export function behaviourOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** Whether a task's answer may be one from earlier, and may answer later ones. */
export function isReusable(batch: Batch, number: number): boolean {
  // What a session on another machine reads, nobody here sees.
  if (batch.hosts) return false;
  const task = batch.tasks[number - 1];
  // What it reads of them is not known before they have ended. A summary is looked up then.
  if (!task?.summary && prerequisitesOf(task).length > 0) return false;
  const { reuse = batch.template === undefined ? "never" : "auto" } = optionsOf(batch, number);
  const { days = 0, megabytes = 0 } = batch.reuseLimits ?? {};
  return reuse === "auto" && days > 0 && megabytes > 0;
}

/** Why no answer to such a task is remembered, as it follows "the session"; undefined if it may be. */
export function preventedBy(batch: Batch, number: number): string | undefined {
  const options = optionsOf(batch, number);
  if (batch.claudeVersion === undefined) return "ran with a Claude Code that does not report its version";
  const given: Record<string, unknown> = options;
  const name = preventing.find((one) => given[one] !== undefined);
  if (name !== undefined) return `had the option \`${name}\``;
  if (options.claudeArguments && !options.inputs) return "had the option `claudeArguments`";
  if (options.expect?.command !== undefined && !options.inputs) return "was checked by a command";
  const prompt = batch.tasks[number - 1]?.prompt ?? "";
  return options.slashCommands && prompt.startsWith("/") && !options.inputs
    ? "ran a slash command"
    : undefined;
}

/**
 * The questions of the given tasks of a batch, by number: all but summaries. The nth of several equal tasks is a question
 * of its own, because a caller who asks three times wants three answers; one that another task answers (`sameAs`) has none.
 */
export function questionsOf(batch: Batch, asker: Asker): Map<number, Question> {
  const questions = new Map<number, Question>();
  const times = new Map<string, number>();
  const directories = new Map<string, string>();
  for (const [index, { sameAs, summary }] of batch.tasks.entries()) {
    const number = index + 1;
    if (sameAs !== undefined || summary || !mayBeAnswered(batch, number)) continue;
    const given = workingDirectoryOf(batch, optionsOf(batch, number));
    const directory = directories.get(given) ?? realPath(given);
    directories.set(given, directory);
    const prompt = batch.tasks[index]?.prompt ?? "";
    const text = questionText(batch, number, asker, { prompt, directory });
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    questions.set(number, questionFor(`${time} ${text}`, batch, number, asker));
  }
  return questions;
}

/**
 * The question of a summary. `prompt` has in it what each file to read contains, instead of where it is: that is another
 * place in each batch. Undefined if it may not be answered from earlier. A later round is a question of its own, because
 * who asks again wants another text.
 */
export function summaryQuestion(
  batch: Batch,
  number: number,
  { asker, prompt }: { asker: Asker; prompt: string },
): Question | undefined {
  const { summary } = batch.tasks[number - 1] ?? {};
  if (!summary || !mayBeAnswered(batch, number)) return undefined;
  const text = questionText(batch, number, asker, { prompt, directory: "the answers" });
  return questionFor(`${summary.round} ${text}`, batch, number, asker);
}

function mayBeAnswered(batch: Batch, number: number): boolean {
  return isReusable(batch, number) && preventedBy(batch, number) === undefined;
}

function questionFor(text: string, batch: Batch, number: number, { account }: Asker): Question {
  const key = new Bun.CryptoHasher("sha256").update(text).digest("base64url");
  return { key, askedModel: `${account} ${optionsOf(batch, number).model ?? ""}` };
}

function questionText(
  batch: Batch,
  number: number,
  { account, environment }: Asker,
  { prompt, directory }: { prompt: string; directory: string },
): string {
  const options = optionsOf(batch, number);
  const task = batch.tasks[number - 1];
  return JSON.stringify([
    1,
    prompt,
    directory,
    behaviourOf(batch.claudeVersion ?? ""),
    account,
    countedVariables.map((name) => environment[name] ?? null),
    countedOf(options),
    inputsOf(options, task?.values),
    // A check that names them is another one for each task.
    JSON.stringify(options.expect ?? null).includes("{{") ? task?.values : null,
  ]);
}

// Parsed once for many tasks of a batch.
const counted = new WeakMap<SessionOptions, unknown>();

function countedOf(options: SessionOptions): unknown {
  const known = counted.get(options);
  if (known !== undefined) return known;
  const given: Record<string, unknown> = options;
  const values = every.flatMap(([name, bearing]) => {
    if (bearing === "does-not-count" || bearing === "prevents") return [];
    const value = bearing === "counts" ? given[name] : bearing(options);
    return value === undefined ? [] : [[name, sorted(value)]];
  });
  counted.set(options, values);
  return values;
}

// Of a file that was given: what is in it, wherever it is.
function contents(value: string | Record<string, unknown> | undefined): unknown {
  if (typeof value !== "string") return value;
  const settings = settingsIn(value);
  if (settings) return settings;
  const read = readSmallFile(value, 10_000_000);
  return read.kind === "bytes" ? new TextDecoder().decode(read.bytes) : value;
}

// The order of an object's fields does not count.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
