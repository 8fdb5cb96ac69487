// Faults of session options, beyond what a schema finds and apart from places on disk.
import { z } from "zod";
import { sessionEnvironment } from "../claude/environment.ts";
import { toolOfRule } from "../claude/settings.ts";
import { isJsonText } from "../claude/settings-file.ts";
import { refusedArgument } from "../claude/trusted-arguments.ts";
import { type ChangedVersion, isOlder } from "../claude/versions.ts";
import { type SessionOptionsInput, toolRuleList } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { expectFaults } from "./check-faults.ts";
import type { Context } from "./context.ts";
import { type Fault, faultsAt, instead, type Place, wrong } from "./fault.ts";
import { excerpt, expectation, parsedBy, valueAt } from "./faults.ts";
import { mcpFaults } from "./mcp-faults.ts";
import { modelFaults } from "./model-faults.ts";
import { refusedProse } from "./refused-prose.ts";
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
  /** Of the CLI in use; undefined if unknown. */
  claudeVersion: string | undefined;
  workingDirectory: string;
}

/** Every fault of one set of options. */
export function sessionFaults(
  options: SessionOptionsInput,
  { context, claudeVersion, workingDirectory }: Surroundings,
): Fault[] {
  return [
    ...bypassFaults(options, context),
    ...mcpConfigFaults(options),
    ...agentFaults(options),
    ...environmentFaults(options),
    ...argumentFaults(options, context),
    ...restrictedFaults(options, claudeVersion),
    ...ruleFaults(options, claudeVersion),
    ...modelFaults(options, workingDirectory),
    ...(options.expect ? faultsAt(["expect"], expectFaults(options.expect, context)) : []),
    ...(options.outputSchema === undefined
      ? []
      : faultsAt(["outputSchema"], schemaFaults(options.outputSchema))),
  ];
}

/** Faults of a task's and its batch's options combined. */
export function combinedFaults(options: SessionOptionsInput): Fault[] {
  return [...forkFaults(options), ...restrictedToolFaults(options)];
}

// A fork without a conversation.
function forkFaults({ forkSession, resumeSessionId }: SessionOptionsInput): Fault[] {
  if (forkSession !== true || resumeSessionId !== undefined) return [];
  return [wrong(["forkSession"], prose`requires ${option("resumeSessionId")}, the conversation to copy`)];
}

const bypassing = z.literal("bypassPermissions");
const bypassingSettings = z.object({ permissions: z.object({ defaultMode: bypassing }) });
const bypassingAgent = z.object({ permissionMode: bypassing });

// The same thing can be requested in three places.
function bypassFaults(options: SessionOptionsInput, { configuration, inForce }: Context): Fault[] {
  if (configuration.allowBypassPermissions) return [];
  const inSettings = bypassingSettings.safeParse(options.settings).success;
  const agents = Object.entries(options.agents ?? {}).filter(
    ([, agent]) => bypassingAgent.safeParse(agent).success,
  );
  const places: Place[] = [
    ...(options.permissionMode === "bypassPermissions" ? [["permissionMode"]] : []),
    ...(inSettings ? [["settings", "permissions", "defaultMode"]] : []),
    ...agents.map(([name]) => ["agents", name, "permissionMode"]),
  ];
  return places.map((place) =>
    wrong(
      place,
      prose`was given as "bypassPermissions", which requires the operator's permission (\`allowBypassPermissions\` in ${inForce.file}); give the tools it needs in ${option("allowedTools")}, or use "acceptEdits"`,
    ),
  );
}

function mcpConfigFaults({ mcpConfig }: SessionOptionsInput): Fault[] {
  if (mcpConfig === undefined) return [];
  const file = typeof mcpConfig === "string" && !isJsonText(mcpConfig) ? `${mcpConfig} ` : "";
  return mcpFaults(mcpConfig, sessionEnvironment(process.env)["PATH"]).map((fault) =>
    wrong(["mcpConfig"], `${file}${fault}`),
  );
}

function agentFaults({ agents }: SessionOptionsInput): Fault[] {
  return Object.entries(agents ?? {}).flatMap(([name, agent]) => {
    const parsed = parsedBy(agentSchema, agent);
    if (parsed.success) return [];
    return parsed.error.issues.map((issue): Fault => {
      const { path } = issue;
      const given = valueAt(agent, path);
      const isNeeded = path.length === 0 || path[0] === "description" || path[0] === "prompt";
      const expected = `${expectation(issue)}${isNeeded ? "; an agent needs `description` and `prompt`" : ""}`;
      const place = ["agents", name, ...path];
      return given === undefined
        ? { kind: "missing", place, expected }
        : instead(place, excerpt(given), expected);
    });
  });
}

// Messages never contain values.
function environmentFaults({ env }: SessionOptionsInput): Fault[] {
  return typeof env === "object" ? variableFaults(env) : [];
}

/** Claude Code (2.1.332) gives these back to a restricted session if they are named. */
const runCode = ["Bash", "PowerShell", "REPL", "Monitor", "Workflow", "WebFetch"];

function restrictedToolFaults({ restricted, tools }: SessionOptionsInput): Fault[] {
  if (restricted !== true || tools === undefined) return [];
  const named = toolRuleList(tools).map(toolOfRule);
  const given = runCode.filter((tool) => named.includes(tool));
  if (given.length === 0) return [];
  return [
    wrong(
      ["tools"],
      prose`names ${given.join(", ")}, which ${option("restricted")} is there to keep away; leave ${given.length === 1 ? "it" : "them"} out, or leave out ${option("restricted")}`,
    ),
  ];
}

/** The version that options need; undefined if every supported one will do. */
export function versionNeeded({ restricted }: SessionOptionsInput): ChangedVersion | undefined {
  return restricted === true ? restrictedSince : undefined;
}

function restrictedFaults({ restricted }: SessionOptionsInput, version: string | undefined): Fault[] {
  if (restricted !== true || version === undefined || !isOlder(version, restrictedSince)) return [];
  return [
    wrong(
      ["restricted"],
      `requires Claude Code ${restrictedSince} or newer, and this is ${version}; update it with \`claude update\``,
    ),
  ];
}

function argumentFaults(
  { claudeArguments }: SessionOptionsInput,
  { configuration, inForce }: Context,
): Fault[] {
  if (claudeArguments === undefined || claudeArguments.length === 0) return [];
  if (!configuration.allowClaudeArguments) {
    return [
      wrong(
        ["claudeArguments"],
        `requires the operator's permission (\`allowClaudeArguments\` in ${inForce.file})`,
      ),
    ];
  }
  return claudeArguments.flatMap((argument, index) => {
    const refused = refusedArgument(argument);
    if (refused === undefined) return [];
    return [wrong(["claudeArguments", index], prose`${argument}: ${refusedProse(refused)}`)];
  });
}
