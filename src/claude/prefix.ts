// What the beginning of a session's requests is made of: tools and system prompt. The API keeps it in a cache, and bills
// other sessions with the same beginning a tenth of its price. `test/real/prefix.real.ts` compares requests of the real CLI.
import { type SessionOptions, toolRuleList } from "../model/options.ts";
import { deniedRules } from "./settings.ts";

/** How an option changes the beginning of requests: by its value, by what a function makes of the options, or not at all. */
type Effect = "counts" | "does-not-count" | ((options: SessionOptions) => unknown);

const effects = {
  // Changes only the later part of the system prompt, so it is a level of its own (`PrefixIndex`).
  workingDirectory: "does-not-count",
  model: "counts",
  fallbackModel: "does-not-count",
  effort: "does-not-count",
  agent: "counts",
  agents: "counts",
  // These may set a model, an output style, variables …
  settings: "counts",
  settingSources: "counts",
  restricted: "counts",
  fileMentions: "does-not-count",
  // Only the names: `PrefixIndex` adds the values.
  env: "counts",
  claudeArguments: "counts",
  // Permissions are the CLI's own business, except that a tool which is denied as a whole is not offered.
  allowedTools: "does-not-count",
  disallowedTools: (options) => deniedRules(options).sort(),
  tools: ({ tools }) => tools && toolRuleList(tools).sort(),
  systemPrompt: "counts",
  appendSystemPrompt: "counts",
  // Plan mode has other tools; the others only decide what happens with calls.
  permissionMode: ({ permissionMode }) => (permissionMode === "plan" ? permissionMode : undefined),
  maxTurns: "does-not-count",
  maxBudgetUsd: "does-not-count",
  outputSchema: "counts",
  expect: "does-not-count",
  mcpConfig: "counts",
  addDirectories: "does-not-count",
  resumeSessionId: "does-not-count",
  forkSession: "does-not-count",
  slashCommands: "does-not-count",
  name: "does-not-count",
  reuse: "does-not-count",
  // What `/clear` adds stands behind the beginning.
  reuseSessions: "does-not-count",
  inputs: "does-not-count",
  retries: "does-not-count",
  firstEventTimeoutSeconds: "does-not-count",
  idleTimeoutSeconds: "does-not-count",
  backgroundWaitSeconds: "does-not-count",
  timeoutSeconds: "does-not-count",
} satisfies Record<keyof SessionOptions, Effect>;

const every: [string, Effect][] = Object.entries(effects);

/** The names of all options that change the beginning of requests. */
export const prefixOptions: readonly string[] = every.flatMap(([name, effect]) =>
  effect === "does-not-count" ? [] : [name],
);

/** A text that is the same for sessions whose requests begin alike, as far as their options decide. */
export function prefixOf(options: SessionOptions): string {
  const given: Record<string, unknown> = options;
  const values = every.flatMap(([name, effect]) => {
    if (effect === "does-not-count") return [];
    const value = effect === "counts" ? given[name] : effect(options);
    return value === undefined ? [] : [[name, value]];
  });
  return JSON.stringify(values);
}

/**
 * How long the cache keeps a beginning after its last use, in milliseconds: an hour with a login, five minutes with an API
 * key. A minute less than that, because a reply is seen later than its request reached the cache.
 */
export const keptMs = { short: 4 * 60_000, long: 59 * 60_000 };
