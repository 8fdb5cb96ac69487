// A fleet: machines that run each other's tasks through a Redis server. How users and workers configure one. Holds paths of
// secrets, never secrets.
import { z } from "zod";
import { type SessionOptions, sessionOptions } from "./options.ts";

/** Whether a text can name a fleet: it becomes part of the names of queues. */
export function isFleetName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/.test(text);
}

/** Options that run commands or load code. A task may use them only on workers whose policy lists them. */
export const optInOptions = [
  "agent",
  "agents",
  "claudeArguments",
  "mcpConfig",
  "settings",
  "slashCommands",
] as const;

const permissionMode = sessionOptions.shape.permissionMode.unwrap();

/** What the tasks of a fleet may ask of a worker. The worker's own settings apply as well. */
export const workerPolicy = z.strictObject({
  repositories: z
    .array(z.string().min(1))
    .meta({
      description:
        "Addresses of the Git repositories that tasks may work in, with `*` for anything: `https://github.com/acme/*`.",
    })
    .default([]),
  directories: z
    .array(z.string().min(1))
    .meta({ description: "Directories of a shared file system that tasks may work in." })
    .default([]),
  tools: z
    .array(z.string().min(1))
    .meta({
      description:
        "Tools that tasks may use. `Bash` allows all commands, `Bash(git log:*)` only this rule. A task must then name its tools (default: any tools).",
    })
    .optional(),
  permissionModes: z
    .array(permissionMode)
    .meta({ description: "Permission modes that tasks may use. A task that names none uses `default`." })
    .default(["default", "acceptEdits", "plan", "dontAsk"]),
  models: z
    .array(z.string().min(1))
    .meta({ description: "Models that tasks may use; a task must then name its model (default: any model)." })
    .optional(),
  maxBudgetUsd: z
    .number()
    .positive()
    .meta({
      description:
        "The highest budget of a task, which must then have one; once its attempts have cost this, it is not tried again (default: none).",
    })
    .optional(),
  options: z
    .array(z.enum(optInOptions))
    .meta({ description: "Options that tasks may use although they can run commands." })
    .default([]),
  projectSettings: z
    .boolean()
    .meta({
      description:
        "Whether Claude Code may read the settings of the repository, which can run commands (default: only if `tools` is not set).",
    })
    .optional(),
});
export type WorkerPolicy = z.output<typeof workerPolicy>;

function isRedisUrl(text: string): boolean {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || url.password !== "") return false;
  return /^\/?\d{0,3}$/.test(url.pathname) && url.search === "" && url.hash === "";
}

function isBlobPlace(text: string): boolean {
  return !text.includes("://") || /^s3:\/\/[a-z0-9][a-z0-9.-]+[a-z0-9](?:\/[\w.-]+)*\/?$/.test(text);
}

/** How to reach one fleet. Paths may begin with `~`. */
export const fleetSettings = z.strictObject({
  url: z
    .string()
    .refine(
      isRedisUrl,
      "expected an address such as `rediss://user@redis.example.com:6379`, without a password; `passwordFile` has that",
    )
    .meta({ description: "Address of the Redis server, with the user: `rediss://user@host:6379`." }),
  passwordFile: z
    .string()
    .min(1)
    .meta({ description: "File with the password of the Redis user." })
    .optional(),
  ca: z
    .string()
    .min(1)
    .meta({ description: "File with the certificate of the server's authority, if it is your own." })
    .optional(),
  keyFile: z.string().min(1).meta({ description: "File with the key that signs tasks and results." }),
  blobs: z
    .string()
    .min(1)
    .refine(isBlobPlace, "expected a directory, or `s3://bucket/prefix`")
    .meta({ description: "Where texts and transcripts go: a shared directory, or `s3://bucket/prefix`." }),
  s3: z
    .strictObject({
      endpoint: z.url("expected an address such as `https://s3.example.com`").optional(),
      region: z.string().min(1).optional(),
      credentialsFile: z.string().min(1).optional(),
    })
    .meta({
      description:
        "For `s3://`: `endpoint`, `region` and `credentialsFile` (as `~/.aws/credentials`), where the environment does not say.",
    })
    .optional(),
  shared: z
    .array(z.string().min(1))
    .meta({
      description: "Directories that all workers have under the same path. Tasks in them work in place.",
    })
    .default([]),
  policy: z
    .union([z.string().min(1), workerPolicy])
    .meta({ description: "What a worker on this machine lets tasks do: a JSON file, or the policy itself." })
    .optional(),
});
export type FleetSettings = z.output<typeof fleetSettings>;

/** All fleets, by name. */
export const fleets = z.record(
  z.string().refine(isFleetName, "a name has up to 40 letters, digits and hyphens"),
  fleetSettings,
);

/** The fleet of a batch, as its log stores it. */
export const batchFleet = z.object({ name: z.string(), settings: fleetSettings });
export type BatchFleet = z.infer<typeof batchFleet>;

/**
 * What a worker's policy says about each option of a session. `free`: any value. `checked`: some values. `opt-in`: only if the
 * policy lists it. `never`: has no meaning on another machine, or would put a secret into the job.
 */
export const policyOfOption = {
  workingDirectory: "never",
  model: "checked",
  fallbackModel: "checked",
  effort: "free",
  agent: "opt-in",
  agents: "opt-in",
  settings: "opt-in",
  settingSources: "checked",
  restricted: "free",
  fileMentions: "free",
  env: "never",
  claudeArguments: "opt-in",
  allowedTools: "checked",
  disallowedTools: "free",
  tools: "checked",
  systemPrompt: "free",
  appendSystemPrompt: "free",
  permissionMode: "checked",
  maxTurns: "free",
  maxBudgetUsd: "checked",
  outputSchema: "checked",
  expect: "checked",
  mcpConfig: "opt-in",
  addDirectories: "checked",
  resumeSessionId: "never",
  forkSession: "free",
  slashCommands: "opt-in",
  name: "free",
  reuse: "free",
  reuseSessions: "free",
  inputs: "free",
  retries: "free",
  firstEventTimeoutSeconds: "free",
  idleTimeoutSeconds: "free",
  backgroundWaitSeconds: "free",
  timeoutSeconds: "free",
} as const satisfies Record<keyof SessionOptions, "free" | "checked" | "opt-in" | "never">;
