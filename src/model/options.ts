// The only declaration of every option of a session and of a batch. Types, MCP schemas, flags, help, generated tables and
// messages for bad input derive from these zod objects. `aliases`: other names of an option, from `claude` and similar
// tools. `flags`: names on the command line only; one letter is a short flag. `short`: the one that help shows. `more`: continues a description in help and
// tables for people; models do not need it, and pay for each word. `negated`: describes
// `--no-…`, where that is the flag.
import { z } from "zod";
import { expectation, failureLimit, stopCondition } from "./checks.ts";
import { described, option, prose } from "./prose.ts";

/** Rules for tools as a comma-separated string, or as a list. A comma inside parentheses belongs to its rule. */
const toolRules = z.union([z.string(), z.array(z.string())]);

/** The longest time that a session may take, or wait for anything: a week, in seconds. */
export const mostSeconds = 604_800;

const seconds = z.number().positive().max(mostSeconds);

/** Where Claude Code looks for settings files. */
const settingSource = z.enum(["user", "project", "local"]);
export type SettingSource = z.output<typeof settingSource>;

const settingSources = z.union([
  z
    .string()
    .refine(
      (text) => toolRuleList(text).every((name) => settingSource.safeParse(name).success),
      "expected one of user, project, local",
    ),
  z.array(settingSource),
]);

/** May mean the budget of each session or of all together, which is 300 times as much. */
const budgetHints = ["budget", "budgetUsd", "maxCost", "maxCostUsd", "maxBudget"];

const jsonArgument = z.record(z.string(), z.unknown());

/** Most sessions at once: a number, or `auto` to find one. */
export const concurrency = z.union([z.int().min(1).max(10_000), z.literal("auto")]);
export type Concurrency = z.output<typeof concurrency>;

/** What becomes of the sessions of a machine that cannot be reached any more. */
export const onLostHost = z.enum(["wait", "elsewhere"]);

/** From where other machines get the history of a repository that is here. */
export const hostSource = z.enum(["auto", "here"]);

/** What a failed task means for the others. */
export const failureMode = z.enum(["continue", "no-new", "cancel"]);

/**
 * Options of one session, given for the batch or for one task, where the task's own wins. Those with a default are always
 * set after parsing; the others stay absent and leave the choice to `claude`.
 */
export const sessionOptions = z.strictObject({
  workingDirectory: z
    .string()
    .min(1)
    .meta({
      description: "Directory the session works in. `~` is expanded.",
      placeholder: "DIR",
      aliases: ["cwd", "workdir", "workingDir"],
      hints: ["directory", "dir", "path", "folder", "root", "repo"],
      flags: ["cd", "dir", "directory"],
      short: "C",
    })
    .optional(),
  model: z
    .string()
    .min(1)
    .meta({ description: "Model alias (`opus`, `sonnet`, `haiku` …) or full name.", short: "m" })
    .optional(),
  fallbackModel: z
    .string()
    .min(1)
    .meta({
      description: "Models to use when the first one is overloaded, comma-separated.",
      placeholder: "MODELS",
    })
    .optional(),
  effort: z
    .enum(["low", "medium", "high", "xhigh", "max"])
    .meta({ description: "How hard the model thinks." })
    .optional(),
  agent: z
    .string()
    .min(1)
    .meta({ description: "Agent that the session runs as.", aliases: ["subagentType"] })
    .optional(),
  agents: jsonArgument
    .meta({
      description:
        'Agents for this session, by name: `{"reviewer": {"description": "Reviews code", "prompt": "You review code."}}`.',
      placeholder: "JSON",
      aliases: ["subagents"],
    })
    .optional(),
  settings: z
    .union([z.string().min(1), jsonArgument])
    .meta({
      description: "Claude Code settings for this session: a file or a JSON object.",
      more: "They take precedence over user and project settings.",
      placeholder: "FILE|JSON",
    })
    .optional(),
  settingSources: settingSources
    .meta({
      description:
        "Settings files that Claude Code reads: `user`, `project`, `local`, comma-separated (default: all). An empty string means none. Without `project`, Claude Code reads neither the repository's settings nor its CLAUDE.md.",
      placeholder: "NAMES",
    })
    .optional(),
  restricted: z
    .boolean()
    .meta({
      ...described`For work on untrusted input: no tools that run code, no WebFetch, no settings files, and file tools only in the working directory and ${option("addDirectories")}.`,
      more: "Requires Claude Code 2.1.248 or newer.",
    })
    .default(false),
  fileMentions: z
    .boolean()
    .meta({
      description: "Attaches the files that a task mentions as `@path`.",
      negated: "Does not attach the files that a task mentions as `@path`.",
      more: prose`Only files in the working directory and ${option("addDirectories")} can be attached, and only if the session has the \`Read\` tool.`,
    })
    .default(true),
  env: z
    .union([z.string().min(1), z.record(z.string(), z.string())])
    .meta({
      description: "Additional environment variables for the session: a JSON file, or an object of strings.",
      more: "Names are stored and shown; values never are.",
      placeholder: "FILE|JSON",
      aliases: ["environment", "envVars", "environmentVariables"],
    })
    .optional(),
  claudeArguments: z
    .array(z.string().min(1))
    .meta({
      description:
        "Additional arguments for `claude`, one per item: `--betas=NAME`. Requires the operator's permission.",
      placeholder: "ARGUMENT",
      aliases: ["claudeArgs"],
      hints: ["args", "arguments", "extraArgs", "flags"],
    })
    .optional(),
  allowedTools: toolRules
    .meta({
      description: "Tools the session may use without asking, comma-separated: `Read,Edit,Bash(git log:*)`.",
      more: "The default permission mode denies every edit and most commands.",
      placeholder: "RULES",
    })
    .optional(),
  disallowedTools: toolRules
    .meta({
      description: "Tools the session may not use, comma-separated.",
      more: prose`They take precedence over ${option("allowedTools")}.`,
      placeholder: "RULES",
    })
    .optional(),
  tools: toolRules
    .meta({
      description: "Built-in tools the session has at all (the real boundary). An empty string means none.",
      placeholder: "NAMES",
    })
    .optional(),
  systemPrompt: z
    .string()
    .meta({ description: "System prompt to use instead of Claude Code's own.", placeholder: "TEXT" })
    .optional(),
  appendSystemPrompt: z
    .string()
    .meta({ description: "Text to add to Claude Code's system prompt.", placeholder: "TEXT" })
    .optional(),
  permissionMode: z
    .enum(["default", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"])
    .meta({
      description:
        "How to handle tool calls that no rule allows. `acceptEdits` allows edits in the working directory. `bypassPermissions` requires the operator's permission.",
      hints: ["dangerouslySkipPermissions", "skipPermissions", "permissions", "mode", "autoApprove"],
    })
    .optional(),
  maxTurns: z.int().min(1).meta({ description: "Stops the session after this many API turns." }).optional(),
  maxBudgetUsd: z
    .number()
    .positive()
    .meta({
      description: "Stops the session once it has cost this much (USD).",
      more: "The last reply may exceed it.",
      hints: budgetHints,
    })
    .optional(),
  outputSchema: z
    .union([z.string().min(1), jsonArgument])
    .meta({
      description:
        "JSON Schema that the answer must match: a file, or the schema as JSON. The answer is then also returned as data, in `structuredResult`.",
      placeholder: "FILE|JSON",
      aliases: ["jsonSchema"],
      flags: ["schema"],
      hints: ["schema", "responseFormat", "outputFormat"],
    })
    .optional(),
  expect: expectation
    .meta({
      description: "Checks an answer: `pattern`, `schema`, `command`, `question`.",
      more: prose`An answer that fails one is continued in the same conversation with what the check said, up to ${option("retries")} times. Then the task ends as \`unverified\`.`,
      listed: [],
      aliases: ["checks", "expects"],
      hints: ["check", "verify", "assert", "validate", "test", "grader"],
    })
    .optional(),
  mcpConfig: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .meta({
      description: "MCP servers for the session: a file, or JSON (default: none).",
      placeholder: "FILE|JSON",
    })
    .optional(),
  addDirectories: z
    .array(z.string().min(1))
    .meta({
      description: "Additional directories the session may work in.",
      placeholder: "DIR",
      aliases: ["addDir", "addDirs", "addDirectory", "additionalDirectories"],
      hints: ["directories", "dirs"],
    })
    .optional(),
  resumeSessionId: z
    .string()
    .min(1)
    .meta({
      description: "Earlier conversation to continue, in the same working directory.",
      placeholder: "ID",
      aliases: ["resume"],
      hints: ["sessionId", "session", "continue"],
      flags: ["r"],
    })
    .optional(),
  forkSession: z
    .boolean()
    .meta(
      described`With ${option("resumeSessionId")}: continues in a copy, and leaves the original unchanged.`,
    )
    .default(false),
  slashCommands: z
    .boolean()
    .meta({
      description: "Runs a task that begins with `/word` as a slash command. Otherwise it is plain text.",
    })
    .default(false),
  name: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "Title of the conversation.", flags: ["n"] })
    .optional(),
  reuse: z
    .enum(["auto", "never"])
    .meta({
      description: "`auto`: an unchanged task gets its earlier answer for free.",
      more: prose`Default: \`auto\` for tasks made from a template, otherwise \`never\`. A new answer is remembered with everything that the session read. One that ran commands, used the web or an MCP server is remembered only with ${option("inputs")}; one that changed files in its directory never is.`,
      hints: ["cache", "cached", "useCache"],
    })
    .optional(),
  reuseSessions: z
    .enum(["auto", "never"])
    .meta({
      description: "`auto`: one process runs several tasks in turn.",
      more: prose`So most tasks need no start. Each conversation is new, but Claude sees the command \`/clear\` in all but the first. A process ends with its task if that failed, worked in the background, left something running, wrote to its standard error, or changed the settings or agents of its directory; if there are hooks, another command \`/clear\`, or any of ${option("mcpConfig")}, ${option("agent")}, ${option("claudeArguments")}, ${option("slashCommands")} and ${option("resumeSessionId")}; if a command checks its answer (${option("expect")}); and after 20 tasks. Remembered answers (${option("reuse")}) of tasks that saw \`/clear\` serve only tasks with \`auto\`. Requires Claude Code 2.1.309.`,
      hints: ["reuseProcesses", "reuseProcess", "keepAlive", "warm"],
    })
    .default("never"),
  inputs: z
    .array(z.string().min(1))
    .meta({
      description: "All files the task depends on, for reuse. `{{file}}` works.",
      more: "Files, directories or globs.",
      placeholder: "INPUT",
      hints: ["dependencies", "inputFiles"],
    })
    .optional(),
  retries: z
    .int()
    .min(0)
    .max(10)
    .meta({
      description: "How many times to retry a task that failed for a temporary reason.",
      more: prose`Such reasons are a crash, silence, and an overloaded or unreachable API. Also how many times to continue one whose answer fails a check of ${option("expect")}, or does not fit ${option("outputSchema")}.`,
      aliases: ["maxRetries"],
    })
    .default(1),
  firstEventTimeoutSeconds: seconds
    .meta({ description: "How long to wait for a session's first output after the prompt." })
    .default(120),
  idleTimeoutSeconds: seconds
    .meta({ description: "How long a running session may produce no output." })
    .default(1_200),
  backgroundWaitSeconds: z
    .number()
    .min(0)
    .max(mostSeconds)
    .meta({
      description:
        "How long to wait, after the session has answered, for commands it started in the background.",
      more: prose`Subagents may run until ${option("timeoutSeconds")}.`,
    })
    .default(30),
  timeoutSeconds: seconds
    .meta({
      description: "How long one session may take in total.",
      hints: ["timeout", "timeoutMs", "maxSeconds", "timeLimit", "maxDuration"],
      flags: ["timeout"],
    })
    .default(3_600),
});

/** Options of a batch, in addition to those of its sessions. */
export const batchOptions = z.strictObject({
  batchName: z
    .string()
    .min(1)
    .max(200)
    .meta({
      description: "Name of the batch, for people.",
      placeholder: "TEXT",
      hints: ["description", "title", "label"],
    })
    .optional(),
  concurrency: concurrency
    .meta({
      description:
        "Maximum number of sessions to run in parallel, or `auto` for as many as your machine and account allow.",
      more: "Never more than the machine's slots (the `concurrency` setting).",
      placeholder: "N|auto",
      aliases: ["maxConcurrency", "maxParallel"],
      hints: ["parallel", "parallelism", "workers", "jobs", "maxWorkers", "maxSessions"],
      flags: ["jobs", "parallel", "parallelism", "P", "workers"],
      short: "j",
    })
    .optional(),
  batchBudgetUsd: z
    .number()
    .positive()
    .meta({
      description: "Stops starting sessions once spent plus expected cost reaches this (USD).",
      more: "Sessions that are already running can push the total over it, by up to one session's cost each.",
      placeholder: "USD",
      hints: ["totalBudget", "totalBudgetUsd", ...budgetHints],
    })
    .optional(),
  failureMode: failureMode
    .meta({
      description:
        "What to do after a failed task: start the others as usual (`continue`), start no more (`no-new`), or also stop the running ones (`cancel`).",
    })
    .default("continue"),
  hosts: z
    .array(z.string().min(1))
    .max(100)
    .meta({
      description:
        "Machines to run on by ssh: on a copy of `workingDirectory`, or there, in `HOST:/path` or `*:/path`.",
      more: "Names that `host add` has added. `*:/path` is that path on each of them. An empty list means this machine.",
      placeholder: "HOST",
      hints: ["host", "machines", "ssh", "remotes"],
    })
    .optional(),
  onLostHost: onLostHost
    .meta({
      ...described`With ${option("hosts")}: what to do with tasks whose machine stays out of reach: wait for it (\`wait\`), or run them again on another one (\`elsewhere\`).`,
      listed: false,
    })
    .optional(),
  fresh: z
    .boolean()
    .meta({
      description: "Runs all tasks again, whatever is remembered.",
      more: "The new answers are remembered.",
      hints: ["force", "noCache", "refresh"],
    })
    .default(false),
  summarize: z
    .string()
    .refine((text) => text.trim() !== "", "must not be empty")
    .meta({
      description: "Once all have ended, one more session reads the results and does this.",
      more: "Its answer comes first. It is a task behind the others, and sees which of them failed. Many results are summarized in groups first.",
      placeholder: "TEXT",
      aliases: ["summary", "summarise"],
      hints: ["reduce", "aggregate", "combine", "synthesize"],
      verbatim: true,
    })
    .optional(),
  summarizeGroups: z
    .int()
    .min(2)
    .max(200)
    .meta({
      ...described`With ${option("summarize")}: how many results one session reads. More than that are summarized in groups first (default: by their number and length).`,
      placeholder: "N",
      listed: false,
    })
    .optional(),
  summarizeModel: z
    .string()
    .min(1)
    .meta({
      ...described`With ${option("summarize")}: the model for it (default: that of the batch).`,
      placeholder: "MODEL",
      listed: false,
    })
    .optional(),
  failWhen: z
    .string()
    .refine(
      (text) => failureLimit(text, 1) !== undefined,
      "expected a number of tasks, or a percentage of them up to 100%",
    )
    .meta({
      description: "Failures that end the batch: `5` or `20%`.",
      more: "Percentages count of all tasks. A failure counts with the equal tasks and those that start `after` it, which fail with it. Running sessions are stopped, and the rest is cancelled.",
      placeholder: "N|N%",
      hints: ["maxFailures", "failFast", "failureThreshold", "maxFailed", "bail"],
    })
    .optional(),
  stopWhen: stopCondition
    .meta({
      description: "Ends the batch after `found` successes.",
      more: "Running sessions are stopped, the rest is cancelled, and the batch has succeeded.",
      listed: [],
      hints: ["stopAfter", "until", "enough"],
    })
    .optional(),
  sample: z
    .int()
    .min(1)
    .meta({
      description: "Runs this many tasks first, then pauses and estimates the rest.",
      more: "They are spread evenly over the list. If there are no more tasks than that, nothing pauses.",
      placeholder: "N",
      aliases: ["sampleSize"],
      hints: ["pilot", "trial"],
    })
    .optional(),
  fleet: z
    .string()
    .meta({
      description:
        "Fleet of machines to run on: a name in the `fleets` setting. The tasks run on its workers instead of on this machine.",
      more: "An empty text means no fleet.",
      listed: false,
      placeholder: "NAME",
      hints: ["cluster", "queue", "machines"],
    })
    .optional(),
  asyncMode: z
    .boolean()
    .meta({
      description: "Answers at once, and writes results to files in `outputDirectory`.",
      aliases: ["async", "isAsync"],
      hints: ["background", "detach", "wait", "sync"],
    })
    .default(false),
  outputDirectory: z
    .string()
    .min(1)
    .meta({
      description: "Directory for result files. `~` is expanded, and a missing directory is created.",
      placeholder: "DIR",
      aliases: ["outputDir", "outDir"],
      hints: ["output", "outputPath", "resultsDirectory", "out"],
    })
    .optional(),
});

/** How many sessions of a batch may run at once, as far as the batch is concerned. */
export function mostAtOnce({ concurrency }: { concurrency: Concurrency }): number {
  return concurrency === "auto" ? Number.POSITIVE_INFINITY : concurrency;
}

/** Options of a batch that the list of tools leaves out. */
export const rareOfBatch = {
  summarizeGroups: true,
  summarizeModel: true,
  onLostHost: true,
  fleet: true,
} as const;

/** The longest prompt: the CLI accepts at most 10 MB on stdin. */
export const mostPromptBytes = 9_000_000;

/** What Claude is asked. */
export const prompt = promptOf("expected text");

/** The same, with another message for what is no text. */
export function promptOf(expectation: string) {
  return z
    .string(expectation)
    .refine((text) => text.trim() !== "", "must not be empty")
    .refine((text) => Buffer.byteLength(text) <= mostPromptBytes, "at most 9 MB; put longer text in a file")
    .meta({ description: "What the session should do.", verbatim: true });
}

const given = sessionOptions.shape;

/** What a retry can change. Nothing has a default here, because only given options count. */
export const retryOptions = z.strictObject({
  ...sessionOptions.omit({ env: true, reuse: true }).shape,
  restricted: given.restricted.unwrap().optional(),
  fileMentions: given.fileMentions.unwrap().optional(),
  forkSession: given.forkSession.unwrap().optional(),
  slashCommands: given.slashCommands.unwrap().optional(),
  reuseSessions: given.reuseSessions.unwrap().optional(),
  retries: given.retries.unwrap().optional(),
  firstEventTimeoutSeconds: given.firstEventTimeoutSeconds.unwrap().optional(),
  idleTimeoutSeconds: given.idleTimeoutSeconds.unwrap().optional(),
  backgroundWaitSeconds: given.backgroundWaitSeconds.unwrap().optional(),
  timeoutSeconds: given.timeoutSeconds.unwrap().optional(),
  ...batchOptions.pick({ batchBudgetUsd: true, concurrency: true }).shape,
  failureMode: batchOptions.shape.failureMode.unwrap().optional(),
  appendPrompt: z
    .string("expected text")
    .refine((text) => text.trim() !== "", "must not be empty")
    .meta({
      description: "Text to add to the end of the tasks' prompts.",
      more: "It stays there for later retries. A conversation that continues gets it too.",
      placeholder: "TEXT",
      aliases: ["promptSuffix", "appendTask"],
      verbatim: true,
    })
    .optional(),
});
export type RetryOptions = z.output<typeof retryOptions>;

/** A retry that changes nothing. Does not compile if an option still has a default above. */
export const noChanges: RetryOptions = {};

/** Options whose values appear in no message, file or log. */
export const secretOptions: readonly string[] = ["env"] satisfies (keyof typeof sessionOptions.shape)[];

/** Options whose parts are flags of their own: `--expect-pattern`. */
export const spreadOptions: readonly string[] = ["expect", "stopWhen"] satisfies (
  | keyof typeof sessionOptions.shape
  | keyof typeof batchOptions.shape
)[];

export type SessionOptionsInput = z.input<typeof sessionOptions>;
export type SessionOptions = z.output<typeof sessionOptions>;

/** The names in `settingSources`, as a text or a list. */
export function settingSourceList(sources: string | readonly SettingSource[]): SettingSource[] {
  return toolRuleList(sources).map((name) => settingSource.parse(name));
}

/**
 * The rules in a list of tools. Commas, blanks and semicolons separate, except inside parentheses, as in `claude`. Each
 * item of a list may contain several rules; quotes around one are removed.
 */
export function toolRuleList(rules: string | readonly string[]): string[] {
  const items = typeof rules === "string" ? [rules] : rules;
  return items.flatMap((item) => {
    const found: string[] = [];
    let depth = 0;
    let rule = "";
    for (const character of item) {
      if (character === "(") depth++;
      if (character === ")") depth = Math.max(0, depth - 1);
      if (depth === 0 && /[,;\s]/.test(character)) {
        found.push(rule);
        rule = "";
      } else rule += character;
    }
    return [...found, rule]
      .map((text) => text.replace(/^(["'])(.*)\1$/s, "$2"))
      .filter((text) => text !== "");
  });
}
