// THE declaration of what a session and a batch can be asked for. Types, MCP schemas, flags, help, the
// README's tables and the messages for bad input all derive from the zod objects in this file.
import { z } from "zod";

/** Rules for tools as a comma-separated string, or as a list. A comma inside parentheses belongs to its rule. */
const toolRules = z.union([z.string(), z.array(z.string())]);

/** Longest system prompt that is passed on: one argument may have 131,071 bytes on Linux (`E2BIG` above). */
const systemPrompt = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= 120_000, "at most 120,000 bytes; put longer text in a file");

const seconds = z.number().positive().max(604_800);

/** Where Claude Code looks for settings files. */
export const settingSource = z.enum(["user", "project", "local"]);
export type SettingSource = z.output<typeof settingSource>;

const settingSources = z.union([
  z
    .string()
    .refine(
      (text) => toolRuleList(text).every((name) => settingSource.safeParse(name).success),
      "accepted are user, project, local",
    ),
  z.array(settingSource),
]);

/** One argument of a command line may have 131,071 bytes on Linux. */
const jsonArgument = z
  .record(z.string(), z.unknown())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= 120_000, "at most 120,000 bytes as JSON");

/** Most sessions at once: a number, or as many as turn out to be well. */
export const concurrency = z.union([z.int().min(1).max(10_000), z.literal("auto")]);
export type Concurrency = z.output<typeof concurrency>;

/**
 * Options of one session, batch-wide or on one task, where the task's own wins.
 * Those with a default are always there after parsing; the others stay absent and leave the choice to `claude`.
 */
export const sessionOptions = z.strictObject({
  workingDirectory: z
    .string()
    .min(1)
    .meta({ description: "Directory the session works in; `~` is expanded.", placeholder: "DIR" })
    .optional(),
  model: z
    .string()
    .min(1)
    .meta({ description: "Model alias (`opus`, `sonnet`, `haiku` …) or full name." })
    .optional(),
  fallbackModel: z
    .string()
    .min(1)
    .meta({
      description: "Models to take when that one is overloaded, comma-separated.",
      placeholder: "MODELS",
    })
    .optional(),
  effort: z
    .enum(["low", "medium", "high", "xhigh", "max"])
    .meta({ description: "How hard the model thinks." })
    .optional(),
  agent: z.string().min(1).meta({ description: "Agent definition that the session runs as." }).optional(),
  agents: jsonArgument
    .meta({
      description:
        'Agents for this session, by name: `{"reviewer": {"description": "Reviews code", "prompt": "You review code."}}`.',
      placeholder: "JSON",
    })
    .optional(),
  settings: z
    .union([z.string().min(1), jsonArgument])
    .meta({
      description:
        "Claude Code settings for this session: a file, or the settings themselves. They win over the user's and the project's.",
      placeholder: "FILE|JSON",
    })
    .optional(),
  settingSources: settingSources
    .meta({
      description:
        "Settings files that Claude Code reads: `user`, `project`, `local`, comma-separated (default: all). An empty string means none. Without `project`, neither the repository's settings nor its CLAUDE.md are read.",
      placeholder: "NAMES",
    })
    .optional(),
  restricted: z
    .boolean()
    .meta({
      description:
        "For work on untrusted input: no tools that run code, no WebFetch, no settings files, and file tools only in the working directory and `addDirectories`. Requires Claude Code 2.1.248 or newer.",
    })
    .default(false),
  fileMentions: z
    .boolean()
    .meta({
      description:
        "Whether `@path` in a task attaches that file. Only files in the working directory and `addDirectories` are attached, and none where the session has no `Read` tool.",
    })
    .default(true),
  env: z
    .union([z.string().min(1), z.record(z.string(), z.string())])
    .meta({
      description:
        "Further environment variables for the session: a JSON file, or an object of strings. Names are stored and shown; values never are.",
      placeholder: "FILE|JSON",
    })
    .optional(),
  claudeArguments: z
    .array(z.string().min(1))
    .meta({
      description:
        "Further arguments for `claude`, one each: `--betas=NAME`. Requires the operator's permission.",
      placeholder: "ARGUMENT",
    })
    .optional(),
  allowedTools: toolRules
    .meta({
      description:
        "Tools that may be used without asking, comma-separated: `Read,Edit,Bash(git log:*)`. The default permission mode denies every edit and most commands.",
      placeholder: "RULES",
    })
    .optional(),
  disallowedTools: toolRules
    .meta({ description: "Tools that may not be used, comma-separated.", placeholder: "RULES" })
    .optional(),
  tools: toolRules
    .meta({
      description: "The built-in tools that exist at all (the real boundary); an empty string means none.",
      placeholder: "NAMES",
    })
    .optional(),
  systemPrompt: systemPrompt
    .meta({ description: "Replaces Claude Code's system prompt.", placeholder: "TEXT" })
    .optional(),
  appendSystemPrompt: systemPrompt
    .meta({ description: "Is added to Claude Code's system prompt.", placeholder: "TEXT" })
    .optional(),
  permissionMode: z
    .enum(["default", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"])
    .meta({
      description:
        "What happens with what no rule allows. `acceptEdits` lets edits in the working directory through; `bypassPermissions` requires the operator's permission.",
    })
    .optional(),
  maxTurns: z.int().min(1).meta({ description: "Ends the session after so many API turns." }).optional(),
  maxBudgetUsd: z
    .number()
    .positive()
    .meta({ description: "Ends the session when it has cost so much; may be passed by one reply." })
    .optional(),
  outputSchema: z
    .record(z.string(), z.unknown())
    .meta({
      description: "JSON Schema that the answer must fit; it comes back as data.",
      placeholder: "JSON",
    })
    .optional(),
  mcpConfig: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .meta({
      description: "MCP servers for the session: a file, or the configuration itself. None unless given.",
      placeholder: "FILE|JSON",
    })
    .optional(),
  addDirectories: z
    .array(z.string().min(1))
    .meta({ description: "Further directories that the session may work in.", placeholder: "DIR" })
    .optional(),
  resumeSessionId: z
    .string()
    .min(1)
    .meta({
      description: "Goes on with this earlier conversation, in the same working directory.",
      placeholder: "ID",
    })
    .optional(),
  forkSession: z
    .boolean()
    .meta({ description: "With `resumeSessionId`: goes on in a copy, and leaves the original as it is." })
    .default(false),
  slashCommands: z
    .boolean()
    .meta({ description: "Whether a task that begins with `/word` is a slash command, or just text." })
    .default(false),
  name: z.string().min(1).max(200).meta({ description: "Title of the conversation." }).optional(),
  retries: z
    .int()
    .min(0)
    .max(10)
    .meta({
      description:
        "How often a task is tried again that failed for a passing reason: a crash, silence, an API that was overloaded or out of reach.",
    })
    .default(1),
  firstEventTimeoutSeconds: seconds
    .meta({ description: "Time from the prompt to the session's first sign of life." })
    .default(120),
  idleTimeoutSeconds: seconds.meta({ description: "Longest silence of a running session." }).default(1_200),
  backgroundWaitSeconds: z
    .number()
    .min(0)
    .max(604_800)
    .meta({
      description:
        "How long a session that has answered waits for commands that it left running in the background. Subagents are waited for until `timeoutSeconds`.",
    })
    .default(30),
  timeoutSeconds: seconds.meta({ description: "Longest time that one session may take." }).default(3_600),
});

/** Options of a batch, beside those of its sessions. */
export const batchOptions = z.strictObject({
  batchName: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "Name by which people know the batch.", placeholder: "TEXT" })
    .optional(),
  concurrency: concurrency
    .meta({
      description:
        "Most sessions at once: a number, or `auto` for as many as machine and account carry. Never more than the machine's slots.",
      placeholder: "N|auto",
    })
    .optional(),
  batchBudgetUsd: z
    .number()
    .positive()
    .meta({
      description:
        "Starts no more sessions once the batch has cost so much, what the running ones are expected to cost included; may be passed by one session's cost for each that runs then.",
      placeholder: "USD",
    })
    .optional(),
  failureMode: z
    .enum(["continue", "no-new", "cancel"])
    .meta({
      description:
        "After a failed task: go on, start no new ones (`no-new`), or also end the running ones (`cancel`).",
    })
    .default("continue"),
  asyncMode: z
    .boolean()
    .meta({ description: "Answer at once; results go to files in `outputDirectory`." })
    .default(false),
  outputDirectory: z
    .string()
    .min(1)
    .meta({
      description: "Where result files go; `~` is expanded, and the directory is made when missing.",
      placeholder: "DIR",
    })
    .optional(),
});

/** What Claude is asked. Up to 9 MB, for the CLI takes at most 10 MB on stdin. */
export const prompt = z
  .string()
  .refine((text) => text.trim() !== "", "must not be empty")
  .refine((text) => Buffer.byteLength(text) <= 9_000_000, "at most 9 MB; put longer text in a file")
  .meta({ description: "What the session is asked to do." });

/** Options whose values are in no message, file or log. */
export const secretOptions: readonly string[] = ["env"] satisfies (keyof typeof sessionOptions.shape)[];

export type SessionOptionsInput = z.input<typeof sessionOptions>;
export type SessionOptions = z.output<typeof sessionOptions>;

/** The names in `settingSources`, as a text or a list. */
export function settingSourceList(sources: string | readonly SettingSource[]): SettingSource[] {
  return toolRuleList(sources).map((name) => settingSource.parse(name));
}

/**
 * The rules in a list of tools. Commas and blanks separate, but not inside parentheses, as `claude` reads them.
 * A list is taken item by item: each may hold several rules again.
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
      if (depth === 0 && (character === "," || /\s/.test(character))) {
        found.push(rule);
        rule = "";
      } else rule += character;
    }
    return [...found, rule].filter((text) => text !== "");
  });
}
