// What is wrong with the options of a session, beyond what a schema says and apart from places on disk.
import { z } from "zod";
import { refusedVariable } from "../claude/environment.ts";
import { settingsIn } from "../claude/settings-file.ts";
import { refusedArgument } from "../claude/trusted-arguments.ts";
import { type ChangedVersion, isOlder } from "../claude/versions.ts";
import type { SessionOptionsInput } from "../model/options.ts";
import type { Context } from "./context.ts";
import { mcpFaults } from "./mcp-faults.ts";

/** Claude Code 2.1.332 takes no agent without these; 2.1.197 silently starts without it. */
const agentSchema = z.looseObject({
  description: z.string().min(1),
  prompt: z.string().min(1),
  tools: z.array(z.string()).optional(),
  permissionMode: z.string().optional(),
});

/** An older one does not know `--restricted`: it ends at once, and does nothing. */
const restrictedSince = "2.1.248" satisfies ChangedVersion;

interface Surroundings {
  context: Context;
  /** Goes before the name of each option. */
  place: string;
  /** Of the CLI in use; nothing where it is not known. */
  claudeVersion: string | undefined;
}

/** Every fault of one set of options, each beginning with the name of its option. */
export function sessionFaults(
  options: SessionOptionsInput,
  { context, place, claudeVersion }: Surroundings,
): string[] {
  const { mcpConfig } = options;
  return [
    ...bypassFaults(options, context),
    ...(mcpConfig === undefined ? [] : mcpFaults(mcpConfig, process.env["PATH"])).map(
      (fault) =>
        `mcpConfig ${typeof mcpConfig === "string" && !isText(mcpConfig) ? `${mcpConfig} ` : ""}${fault}`,
    ),
    ...settingsFaults(options),
    ...agentFaults(options),
    ...environmentFaults(options),
    ...argumentFaults(options, context),
    ...restrictedFaults(options, claudeVersion),
  ].map((fault) => `${place}${fault}`);
}

/** A copy of no conversation; what a task and its batch say counts together. */
export function forkFaults({ forkSession, resumeSessionId }: SessionOptionsInput, place: string): string[] {
  if (forkSession !== true || resumeSessionId !== undefined) return [];
  return [`${place}forkSession needs resumeSessionId: which conversation to copy`];
}

// The same thing can be asked for in three places.
function bypassFaults(options: SessionOptionsInput, { configuration, inForce }: Context): string[] {
  if (configuration.allowBypassPermissions) return [];
  const settings = settingsOf(options)?.["permissions"];
  const inSettings = z.object({ defaultMode: z.literal("bypassPermissions") }).safeParse(settings).success;
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

function settingsFaults({ settings }: SessionOptionsInput): string[] {
  if (typeof settings !== "string" || settingsIn(settings) !== undefined) return [];
  return [`settings ${isText(settings) ? "" : `${settings} `}is not a JSON object`];
}

function settingsOf({ settings }: SessionOptionsInput): Record<string, unknown> | undefined {
  return typeof settings === "string" ? settingsIn(settings) : settings;
}

function agentFaults({ agents }: SessionOptionsInput): string[] {
  return Object.entries(agents ?? {}).flatMap(([name, agent]) => {
    const parsed = agentSchema.safeParse(agent);
    if (parsed.success) return [];
    return parsed.error.issues.map(({ path, message }) => {
      const place = ["agents", name, ...path.map(String)].join(".");
      return `${place}: ${message.replace("Invalid input: ", "")}; an agent needs \`description\` and \`prompt\``;
    });
  });
}

// Values are in no message: whoever reads it need not know them.
function environmentFaults({ env }: SessionOptionsInput): string[] {
  if (typeof env !== "object") return [];
  return Object.keys(env).flatMap((name) => {
    const reason = refusedVariable(name);
    return reason === undefined ? [] : [`env.${name} cannot be set: ${reason}`];
  });
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

function isText(given: string): boolean {
  return given.trimStart().startsWith("{");
}
