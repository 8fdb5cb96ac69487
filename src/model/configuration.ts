// What the operator decides, in `config.json` and in `PARALLEL_CLAUDE_<NAME>` variables. One declaration.
import { z } from "zod";
import { batchOptions, concurrency } from "./options.ts";

/** Every setting of the operator. Paths may begin with `~`. */
export const configurationSchema = z.strictObject({
  allowedRoots: z
    .array(z.string().min(1))
    .meta({ description: "Directories that sessions may work in (default: home and the temporary one)." })
    .optional(),
  allowBypassPermissions: z
    .boolean()
    .meta({ description: "Whether `permissionMode: bypassPermissions` may be asked for." })
    .default(false),
  allowClaudeArguments: z
    .boolean()
    .meta({ description: "Whether `claudeArguments` may be asked for." })
    .default(false),
  allowRemoteHttp: z
    .boolean()
    .meta({ description: "Whether `serve --http` may listen where other machines reach it." })
    .default(false),
  workingDirectory: z
    .string()
    .min(1)
    .meta({ description: "Where sessions work when neither task nor batch says (default: ours)." })
    .optional(),
  outputDirectory: z
    .string()
    .min(1)
    .meta({ description: "Where result files go." })
    .default("~/Desktop/claude-code-results"),
  concurrency: concurrency
    .meta({
      description:
        "The machine's slots, most sessions at once of all batches: a number, or `auto` for as many as machine and account carry.",
    })
    .default("auto"),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd
    .unwrap()
    .meta({
      description:
        "Budget of every batch whose call gives no `batchBudgetUsd` of its own, higher or lower (default: none).",
    })
    .optional(),
  memoryLimitMb: z
    .int()
    .min(1)
    .meta({ description: "Most memory of all sessions together (default: what the machine has left)." })
    .optional(),
  loginProofSeconds: z
    .number()
    .min(0)
    .max(3_600)
    .meta({
      description:
        "How long the others of a batch wait for the first session's first reply, which shows that the login works; with 0 they do not.",
    })
    .default(10),
  loginPatienceSeconds: z
    .number()
    .min(0)
    .max(30 * 86_400)
    .meta({
      description:
        "How long a batch waits for a login, for credit, or for a limit that names no reset. Then the task that met it fails, and the rest is cancelled.",
    })
    .default(86_400),
  maxDepth: z
    .int()
    .min(1)
    .max(10)
    .meta({ description: "How many sessions deep sessions may be: with 1, sessions start none themselves." })
    .default(1),
  stateDirectory: z
    .string()
    .min(1)
    .meta({ description: "Where log and transcripts are kept (default: the user's state directory)." })
    .optional(),
  claudePath: z
    .string()
    .min(1)
    .meta({ description: "The `claude` executable (default: searched for)." })
    .optional(),
  notifications: z
    .boolean()
    .meta({
      description:
        "Whether the desktop tells of the end of a batch in the background that took a minute or more, and the terminal rings where one is waited for.",
    })
    .default(true),
  notifyCommand: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({
      description:
        "Command to run when a batch in the background has ended; no shell is between. `BATCH_ID`, `BATCH_STATE`, `BATCH_FAILED` and others tell it which and how.",
    })
    .optional(),
  syncWaitSeconds: z
    .number()
    .positive()
    .max(86_400)
    .meta({
      description:
        "How long a call waits for its batch before it hands it over; when set, for every client (else what the client bears).",
    })
    .default(45),
});

export type Configuration = z.output<typeof configurationSchema>;
export type SettingName = keyof Configuration;

/** The words of a command as a shell would part them; quotes hold blanks together, and nothing else is special. */
export function commandWords(command: string | readonly string[]): string[] {
  if (typeof command !== "string") return [...command];
  const words = command.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""),
  );
}

/** The names, in the order of the declaration. */
export const settingNames = Object.keys(configurationSchema.shape) as SettingName[];

/** `claudePath` → `PARALLEL_CLAUDE_CLAUDE_PATH`. */
export function variableOf(setting: string): string {
  return `PARALLEL_CLAUDE_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Whether a variable says anything. A client whose form has a field for it leaves an empty text where the field is
 * empty, or the placeholder as it stood in the bundle's manifest, or its language's word for nothing.
 */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && !/^\s*(?:\$\{user_config\.[^}]*\}|null|undefined)?\s*$/.test(text);
}

/**
 * A variable's text as the value that its setting takes: JSON where it is a number, a boolean or a list;
 * a list may also be written with the system's path separator.
 */
export function valueFromText(setting: SettingName, text: string, separator: string): unknown {
  const field: z.ZodType = configurationSchema.shape[setting];
  // A list fits as text too; what looks like one is meant as one.
  if (setting === "notifyCommand" && text.trimStart().startsWith("[")) return parsedOr(text);
  if (field.safeParse(text).success) return text;
  if (setting === "allowedRoots" && !text.startsWith("[")) return text.split(separator).filter(Boolean);
  return parsedOr(text);
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON either: the schema names what it wants.
    return text;
  }
}
