// Faults of session options, beyond what a schema finds and apart from places on disk.
import { z } from "zod";
import { sessionEnvironment } from "../claude/environment.ts";
import { toolOfRule } from "../claude/settings.ts";
import { isJsonText } from "../claude/settings-file.ts";
import { refusedArgument } from "../claude/trusted-arguments.ts";
import { type ChangedVersion, isOlder } from "../claude/versions.ts";
import { type SessionOptionsInput, toolRuleList } from "../model/options.ts";
import type { Context } from "./context.ts";
import { excerpt, expectation, valueAt } from "./faults.ts";
import { mcpFaults } from "./mcp-faults.ts";
import { modelFaults } from "./model-faults.ts";
import { ruleFaults } from "./rule-faults.ts";
import { schemaFaults } from "./schema-faults.ts";
import { variableFaults } from "./variables.ts";

/** Claude Code 2.1.332 refuses an agent without these; 2.1.197 silently starts without it. */
const agentSchema = z.looseObject({
  description: z.string().min(1),
  prompt: z.string().min(1),
  tools: z.array(z.string()).optional(),
  disallowedTools: z.array(z.string()).optional(),
  permissionMode: z.string().optional(),
});

/** An older one does not know `--restricted`: it ends at once, and does nothing. */
const restrictedSince = "2.1.248" satisfies ChangedVersion;

interface Surroundings {
  context: Context;
  /** Precedes the name of each option. */
  place: string;
  /** Of the CLI in use; undefined if unknown. */
  claudeVersion: string | undefined;
  workingDirectory: string;
}

/** Every fault of one set of options, each beginning with the name of its option. */
export function sessionFaults(
  options: SessionOptionsInput,
  { context, place, claudeVersion, workingDirectory }: Surroundings,
): string[] {
  const { mcpConfig } = options;
  return [
    ...bypassFaults(options, context),
    ...(mcpConfig === undefined ? [] : mcpFaults(mcpConfig, sessionEnvironment(process.env)["PATH"])).map(
      (fault) =>
        `mcpConfig ${typeof mcpConfig === "string" && !isJsonText(mcpConfig) ? `${mcpConfig} ` : ""}${fault}`,
    ),
    ...agentFaults(options),
    ...environmentFaults(options),
    ...argumentFaults(options, context),
    ...restrictedFaults(options, claudeVersion),
    ...ruleFaults(options, claudeVersion),
    ...modelFaults(options, workingDirectory),
    ...(options.outputSchema === undefined ? [] : schemaFaults(options.outputSchema, "outputSchema")),
  ].map((fault) => `${place}${fault}`);
}

/** Faults of a task's and its batch's options combined. */
export function combinedFaults(options: SessionOptionsInput, place: string): string[] {
  return [...forkFaults(options), ...restrictedToolFaults(options)].map((fault) => `${place}${fault}`);
}

// A fork without a conversation.
function forkFaults({ forkSession, resumeSessionId }: SessionOptionsInput): string[] {
  if (forkSession !== true || resumeSessionId !== undefined) return [];
  return ["forkSession requires resumeSessionId, the conversation to copy"];
}

// The same thing can be requested in three places.
function bypassFaults(options: SessionOptionsInput, { configuration, inForce }: Context): string[] {
  if (configuration.allowBypassPermissions) return [];
  const inSettings = z
    .object({ permissions: z.object({ defaultMode: z.literal("bypassPermissions") }) })
    .safeParse(options.settings).success;
  const agents = Object.entries(options.agents ?? {}).filter(
    ([, agent]) => z.object({ permissionMode: z.literal("bypassPermissions") }).safeParse(agent).success,
  );
  const places = [
    ...(options.permissionMode === "bypassPermissions" ? ["permissionMode"] : []),
    ...(inSettings ? ["settings.permissions.defaultMode"] : []),
    ...agents.map(([name]) => `agents.${name}.permissionMode`),
  ];
  return places.map(
    (name) =>
      `${name} was given as "bypassPermissions", which requires the operator's permission (\`allowBypassPermissions\` in ${inForce.file}); give the tools it needs in \`allowedTools\`, or use "acceptEdits"`,
  );
}

function agentFaults({ agents }: SessionOptionsInput): string[] {
  return Object.entries(agents ?? {}).flatMap(([name, agent]) => {
    const parsed = agentSchema.safeParse(agent);
    if (parsed.success) return [];
    return parsed.error.issues.map((issue) => {
      const { path } = issue;
      const place = ["agents", name, ...path.map(String)].join(".");
      const given = valueAt(agent, path);
      const what = given === undefined ? "is missing" : `was given as ${excerpt(given)}`;
      const isNeeded = path.length === 0 || path[0] === "description" || path[0] === "prompt";
      return `${place} ${what}: ${expectation(issue)}${isNeeded ? "; an agent needs `description` and `prompt`" : ""}`;
    });
  });
}

// Messages never contain values.
function environmentFaults({ env }: SessionOptionsInput): string[] {
  return typeof env === "object" ? variableFaults(env) : [];
}

/** Claude Code (2.1.332) gives these back to a restricted session if they are named. */
const runCode = ["Bash", "PowerShell", "REPL", "Monitor", "Workflow", "WebFetch"];

function restrictedToolFaults({ restricted, tools }: SessionOptionsInput): string[] {
  if (restricted !== true || tools === undefined) return [];
  const named = toolRuleList(tools).map(toolOfRule);
  const given = runCode.filter((tool) => named.includes(tool));
  if (given.length === 0) return [];
  return [
    `tools names ${given.join(", ")}, which \`restricted\` is there to keep away; leave ${given.length === 1 ? "it" : "them"} out, or leave out \`restricted\``,
  ];
}

/** The version that options need; undefined if every supported one will do. */
export function versionNeeded({ restricted }: SessionOptionsInput): ChangedVersion | undefined {
  return restricted === true ? restrictedSince : undefined;
}

function restrictedFaults({ restricted }: SessionOptionsInput, version: string | undefined): string[] {
  if (restricted !== true || version === undefined || !isOlder(version, restrictedSince)) return [];
  return [
    `restricted requires Claude Code ${restrictedSince} or newer, and this is ${version}; update it with \`claude update\``,
  ];
}

function argumentFaults(
  { claudeArguments }: SessionOptionsInput,
  { configuration, inForce }: Context,
): string[] {
  if (claudeArguments === undefined || claudeArguments.length === 0) return [];
  if (!configuration.allowClaudeArguments) {
    return [
      `claudeArguments requires the operator's permission (\`allowClaudeArguments\` in ${inForce.file})`,
    ];
  }
  return claudeArguments.flatMap((argument, index) => {
    const reason = refusedArgument(argument);
    return reason === undefined ? [] : [`claudeArguments[${index}] ${argument}: ${reason}`];
  });
}
