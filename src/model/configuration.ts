// What the operator decides, in `config.json` and in `PARALLEL_CLAUDE_<NAME>` variables. One declaration.
import { z } from "zod";

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
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .meta({ description: "The machine's slots: most sessions at once." })
    .default(8),
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

/** The names, in the order of the declaration. */
export const settingNames = Object.keys(configurationSchema.shape) as SettingName[];

/** `claudePath` → `PARALLEL_CLAUDE_CLAUDE_PATH`. */
export function variableOf(setting: string): string {
  return `PARALLEL_CLAUDE_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * A variable's text as the value that its setting takes: JSON where it is a number, a boolean or a list;
 * a list may also be written with the system's path separator.
 */
export function valueFromText(setting: SettingName, text: string, separator: string): unknown {
  const field: z.ZodType = configurationSchema.shape[setting];
  if (field.safeParse(text).success) return text;
  if (setting === "allowedRoots" && !text.startsWith("[")) return text.split(separator).filter(Boolean);
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON either: the schema names what it wants.
    return text;
  }
}
