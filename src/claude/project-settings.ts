// Files in a working directory that change what a session may do: settings and agents. With `-p`, Claude Code obeys them
// without asking whether the directory is trusted.
import { type SessionOptions, settingSourceList } from "../model/options.ts";
import { realPath } from "../platform/files.ts";
import { join } from "../platform/paths.ts";
import { agentFiles } from "./agent-files.ts";
import { decidesLogin } from "./login-variables.ts";
import { repositoryOf } from "./repository.ts";
import { toolOfRule } from "./settings.ts";
import { readSettingsFile } from "./settings-file.ts";

/** What matters in one file. */
interface ProjectFile {
  /** Absolute. */
  file: string;
  effects: string[];
}

/** The options that decide which files are in force. */
export type Sources = Pick<SessionOptions, "settingSources" | "restricted" | "addDirectories">;

/** Most agents that are named for one directory. */
const mostAgents = 10;

/** What to know about a directory before sessions work in it: a sentence for each file. */
export function projectWarnings(workingDirectory: string, options: Sources): string[] {
  try {
    const agents = agentsInForce(workingDirectory, options);
    const more = agents.length - mostAgents;
    return [
      ...settingsInForce(workingDirectory, options).map(
        ({ file, effects }) =>
          `${file} is in force for sessions in ${workingDirectory}: it sets ${effects.join("; ")}.`,
      ),
      ...agents
        .slice(0, mostAgents)
        .map(
          ({ file, effects }) =>
            `${file} defines an agent for sessions in ${workingDirectory}: it sets ${effects.join("; ")}. A permission mode such as \`acceptEdits\` is obeyed; before Claude Code 2.1.277, so is \`bypassPermissions\`, and hooks run in some versions.`,
        ),
      ...(more > 0
        ? [
            `${more === 1 ? "1 more agent" : `${more} more agents`} in ${workingDirectory} ${more === 1 ? "sets" : "set"} such things.`,
          ]
        : []),
    ];
  } catch {
    // No permission. A session runs as the same user, and cannot work there either.
    return [];
  }
}

// Only the directory's own project settings count. Local settings may also be at the root of the repository, or of the
// main worktree for a linked one (2.1.332; 2.1.197 reads only the directory's own).
function settingsInForce(workingDirectory: string, options: Sources): ProjectFile[] {
  const own = join(workingDirectory, ".claude");
  const real = realPath(workingDirectory);
  const root = repositoryOf(real)?.main;
  const files = [
    ...(isInForce("project", options) ? [join(own, "settings.json")] : []),
    ...(isInForce("local", options) ? [join(own, "settings.local.json")] : []),
    ...(isInForce("local", options) && root !== undefined && root !== real
      ? [join(root, ".claude", "settings.local.json")]
      : []),
  ];
  return files
    .map((file) => ({ file, effects: effectsOf(file) }))
    .filter(({ effects }) => effects.length > 0);
}

function agentsInForce(workingDirectory: string, options: Sources): ProjectFile[] {
  if (!isInForce("project", options)) return [];
  return agentFiles(workingDirectory, options.addDirectories).filter(({ effects }) => effects.length > 0);
}

function isInForce(source: "project" | "local", { settingSources, restricted }: Sources): boolean {
  if (restricted) return false;
  return settingSources === undefined || settingSourceList(settingSources).includes(source);
}

function effectsOf(file: string): string[] {
  const read = readSettingsFile(file);
  if (read.kind === "empty") return [];
  if (read.kind === "unreadable") return ["what cannot be read here"];
  const { settings } = read;
  const { env, hooks, permissions } = settings;
  return [
    ...(isFilled(env) ? [environmentEffect(Object.keys(env))] : []),
    ...commandKeys.flatMap((key) =>
      settings[key] === undefined ? [] : [`\`${key}\`, which runs a command`],
    ),
    ...(isFilled(hooks) ? [`hooks, which run commands (${wordList(Object.keys(hooks))})`] : []),
    ...(isFilled(permissions) ? permissionEffects(permissions) : []),
    ...mcpKeys.flatMap((key) => (isOff(settings[key]) ? [] : [`\`${key}\``])),
    ...(settings["disableAllHooks"] === true
      ? ["`disableAllHooks`, which switches off your own hooks as well"]
      : []),
  ];
}

const commandKeys = [
  "apiKeyHelper",
  "awsAuthRefresh",
  "awsCredentialExport",
  "gcpAuthRefresh",
  "otelHeadersHelper",
  "proxyAuthHelper",
] as const;
const mcpKeys = ["enableAllProjectMcpServers", "enabledMcpjsonServers", "enabledPlugins"] as const;

function environmentEffect(names: readonly string[]): string {
  const dangerous = names.filter(decidesLogin);
  const listed = `variables (${wordList(names)})`;
  return dangerous.length === 0
    ? listed
    : `${listed}, of which ${wordList(dangerous)} can replace your login or send it elsewhere`;
}

function permissionEffects(permissions: Record<string, unknown>): string[] {
  const { allow, defaultMode, additionalDirectories } = permissions;
  const rules = Array.isArray(allow) ? allow.map((rule) => toolOfRule(String(rule))) : [];
  const count = Array.isArray(additionalDirectories) ? additionalDirectories.length : 0;
  return [
    ...(rules.length > 0 ? [`permissions for ${wordList([...new Set(rules)])}`] : []),
    ...(typeof defaultMode === "string" && defaultMode !== "default"
      ? [`the permission mode ${wordList([defaultMode])}`]
      : []),
    ...(count > 0 ? [`${count === 1 ? "1 further directory" : `${count} further directories`}`] : []),
  ];
}

/** Most names in one list. */
const mostNames = 10;

// The file may be a stranger's, and a model reads the warning, so only plain names are repeated.
function wordList(names: readonly string[]): string {
  const plain = names.filter((name) => /^\w{1,60}$/.test(name)).slice(0, mostNames);
  const others = names.length - plain.length;
  return [...plain, ...(others > 0 ? [plain.length === 0 ? `${others}` : `${others} more`] : [])].join(", ");
}

function isFilled(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function isOff(value: unknown): boolean {
  return value === undefined || value === false || (typeof value === "object" && !isFilled(value));
}
