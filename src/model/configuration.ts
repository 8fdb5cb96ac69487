// Settings of the operator, in `config.json` and in `PARALLEL_CLAUDE_<NAME>` variables. One declaration.
import { z } from "zod";
import { fleets } from "./fleet.ts";
import { batchOptions, concurrency, hostSource } from "./options.ts";

/** Daemons that build tools and shells start once and use everywhere. */
const usualDaemons = [
  "adb",
  "bazel(*",
  "buck2d*",
  "dirmngr",
  "dotnet *VBCSCompiler*",
  "dotnet *nodeReuse:true*",
  "git fsmonitor--daemon*",
  "git credential-cache--daemon*",
  "gpg-agent",
  "java *GradleDaemon*",
  "java *KotlinCompileDaemon*",
  "keyboxd",
  "node *nx/src/daemon/server/start.js*",
  "sccache",
  "scdaemon",
  "ssh-agent",
  "ssh: * [mux]",
  "watchman",
];

/** Every setting of the operator. Paths may begin with `~`. */
export const configurationSchema = z.strictObject({
  allowedRoots: z
    .array(z.string().min(1))
    .meta({
      description:
        "Directories sessions may work in, and from which files are read for a model (default: the home and temporary directories).",
    })
    .optional(),
  allowBypassPermissions: z
    .boolean()
    .meta({ description: "Whether callers may use `permissionMode: bypassPermissions`." })
    .default(false),
  allowClaudeArguments: z
    .boolean()
    .meta({ description: "Whether callers may use `claudeArguments`." })
    .default(false),
  allowCheckCommands: z
    .boolean()
    .meta({ description: "Whether callers may check answers by commands of their own (`expect.command`)." })
    .default(false),
  allowRemoteHttp: z
    .boolean()
    .meta({ description: "Whether `serve --http` may listen on addresses that other machines can reach." })
    .default(false),
  workingDirectory: z
    .string()
    .min(1)
    .meta({
      description:
        "Working directory of sessions if neither the task nor the batch gives one (default: the one this program was started in).",
    })
    .optional(),
  outputDirectory: z
    .string()
    .min(1)
    .meta({ description: "Directory for result files." })
    .default("~/Desktop/claude-code-results"),
  outputLayout: z
    .enum(["flat", "by-batch"])
    .meta({
      description:
        "Whether the result files of all batches go into the output directory itself (`flat`), or those of each batch into a folder `batch-ID` in it (`by-batch`).",
    })
    .default("flat"),
  concurrency: concurrency
    .meta({
      description:
        "The machine's slots: the maximum number of sessions to run in parallel across all batches, or `auto` for as many as your machine and account allow.",
    })
    .default("auto"),
  batchBudgetUsd: batchOptions.shape.batchBudgetUsd
    .unwrap()
    .meta({
      description:
        "Budget of each batch that does not set its own `batchBudgetUsd`. A batch can set a higher or lower one (default: none).",
    })
    .optional(),
  hosts: batchOptions.shape.hosts
    .unwrap()
    .meta({
      description: "Machines for batches that do not set their own `hosts` (default: this machine).",
    })
    .optional(),
  hostLeaseSeconds: z
    .number()
    .min(1)
    .max(86_400)
    .meta({
      description:
        "How long another machine may hear nothing from a batch before its sessions there get no more input and finish alone. After three times as long out of reach, `onLostHost` applies.",
    })
    .default(60),
  hostSource: hostSource
    .meta({
      description:
        "How other machines get a Git repository that is here: what has been pushed from its remote, if they can, and the rest from here (`auto`); or everything from here (`here`).",
    })
    .default("auto"),
  dailyBudgetUsd: z
    .number()
    .positive()
    .meta({
      description:
        "Most that all batches together may cost in a day, from midnight to midnight, in US dollars (default: no limit). At the limit, no session starts until the next day; running sessions end.",
    })
    .optional(),
  monthlyBudgetUsd: z
    .number()
    .positive()
    .meta({
      description:
        "Most that all batches together may cost in a calendar month, in US dollars (default: no limit). At the limit, no session starts until the next month; running sessions end.",
    })
    .optional(),
  memoryLimitMb: z
    .int()
    .min(1)
    .meta({
      description: "Maximum memory that all sessions together may use (default: what the machine has free).",
    })
    .optional(),
  loginProofSeconds: z
    .number()
    .min(0)
    .max(3_600)
    .meta({
      description:
        "How long a batch waits for the first reply of its first session, which proves that the login works, before the others get their prompts. The proof is valid for five minutes, for all batches of the login. With 0, the batch does not wait.",
    })
    .default(10),
  loginPatienceSeconds: z
    .number()
    .min(0)
    .max(30 * 86_400)
    .meta({
      description:
        "How long a batch waits for a login, for credit, or for a usage limit with no known reset. Then the task that hit it fails, and the tasks it affects are cancelled. While no session can start because `claude` is missing or the machine is out of disk space, processes or file descriptors, the batch waits equally long (at least 10 s); then its queued tasks fail.",
    })
    .default(86_400),
  maxDepth: z
    .int()
    .min(1)
    .max(10)
    .meta({
      description:
        "How deep sessions may be nested. With 1, sessions cannot start sessions. A batch that a session starts ends with that session, even in the background.",
    })
    .default(1),
  sharedDaemons: z
    .array(z.string().min(1))
    .meta({
      description:
        "Programs that may outlive the session that started them, because other sessions use them. They end with the batch at the latest. Each entry is a program's name, or its command line without directories, with `*` for anything. An empty list allows none.",
    })
    .default([...usualDaemons]),
  reuseDays: z
    .number()
    .min(0)
    .max(3_650)
    .meta({
      description:
        "How many days an answer is remembered for `reuse` after it was last used. With 0, none is.",
    })
    .default(30),
  reuseLimitMb: z
    .number()
    .min(0)
    .meta({
      description:
        "Maximum size of the remembered answers, in megabytes. The ones that were not used for the longest time go first.",
    })
    .default(1_000),
  retainDays: z
    .number()
    // With 0, a batch would go before anybody has read its results.
    .min(1)
    .max(36_500)
    .meta({
      description:
        "How many days after its end a batch stays, before it is removed by itself as `prune` would; at least 1 (default: for ever). Looks at most once a day, when a batch has ended and no other one runs. `spend` still counts what removed batches cost.",
    })
    .optional(),
  retainConversations: z
    .boolean()
    .meta({
      description:
        "Whether what Claude Code keeps in `~/.claude/projects` of the conversations of our sessions stays when `retainDays` removes their batch. Conversations that were not begun by our sessions, that somebody has continued, or that another batch needs stay in any case.",
    })
    .default(true),
  retainOutput: z
    .boolean()
    .meta({ description: "Whether result files stay when `retainDays` removes their batch." })
    .default(true),
  fleets: fleets
    .meta({
      description:
        "Fleets of machines that can run tasks, by name: `url`, `keyFile`, `blobs` and more, as docs/fleet.md describes (default: none).",
    })
    .optional(),
  fleet: batchOptions.shape.fleet
    .unwrap()
    .meta({
      description:
        "Fleet for batches that set neither `fleet` nor `hosts` of their own: a name in `fleets` (default: none). It precedes the setting `hosts`.",
    })
    .optional(),
  stateDirectory: z
    .string()
    .min(1)
    .meta({ description: "Directory for logs and transcripts (default: the user's state directory)." })
    .optional(),
  claudePath: z
    .string()
    .min(1)
    .meta({ description: "Path of the `claude` executable (default: found automatically)." })
    .optional(),
  notifications: z
    .boolean()
    .meta({
      description:
        "Whether to show a desktop notification when a background batch that took a minute or more ends, and to ring the terminal bell when `wait` or `watch` ends.",
    })
    .default(true),
  notifyCommand: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({
      description:
        "Command to run when a background batch ends, without a shell. `BATCH_ID`, `BATCH_END`, `BATCH_REASON` and other variables describe the batch.",
    })
    .optional(),
  otlpEndpoint: z
    .string()
    .refine(isPlainAddress, "must be an http or https address without a name, a password or a query")
    .meta({
      description:
        "Where to send the traces of batches, as OTLP over HTTP: an address to which `/v1/traces` is added, such as `http://127.0.0.1:4318` (default: what OTEL_EXPORTER_OTLP_ENDPOINT says, or else nowhere). docs/observability.md describes them.",
    })
    .optional(),
  syncWaitSeconds: z
    .number()
    .positive()
    .max(86_400)
    .meta({
      description:
        "How long a call waits for its batch before it answers and the batch continues in the background. If set, it applies to every client; otherwise each client has its own limit.",
    })
    .default(45),
});

// It is stored with batches, so it must have nothing secret in it.
function isPlainAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== "http:" && url?.protocol !== "https:") return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

export type Configuration = z.output<typeof configurationSchema>;
export type SettingName = keyof Configuration;

/** The words of a command, split as a shell would. Quotes keep blanks; nothing else is special. */
export function commandWords(command: string | readonly string[]): string[] {
  if (typeof command !== "string") return [...command];
  const words = command.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""),
  );
}

/** All names, in the order of declaration. */
export const settingNames = Object.keys(configurationSchema.shape) as SettingName[];

/** Begins the names of our variables. */
export const variablePrefix = "PARALLEL_CLAUDE_";

/** `claudePath` → `PARALLEL_CLAUDE_CLAUDE_PATH`. */
export function variableOf(setting: string): string {
  return `${variablePrefix}${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Whether a variable has a value. A client with a form for it passes an empty field as an empty text, as the placeholder
 * in the bundle's manifest, or as its language's word for nothing.
 */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && !/^\s*(?:\$\{user_config\.[^}]*\}|null|undefined)?\s*$/.test(text);
}
