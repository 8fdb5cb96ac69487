// The settings files that a working directory brings along, and what in them changes what a session may do. Claude Code
// obeys them in `-p` without asking whether the directory is trusted.
import { type SessionOptions, settingSourceList } from "../model/options.ts";
import { kindAt, readHead, realPath } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";
import { toolOfRule } from "./settings.ts";
import { readSettingsFile } from "./settings-file.ts";

/** What one settings file holds that matters; `effects` is empty where nothing does. */
export interface ProjectSettings {
  /** Absolute. */
  file: string;
  effects: string[];
}

type Sources = Pick<SessionOptions, "settingSources" | "restricted">;

/** The files of a directory that are in force with these options, and that change something. */
export function projectSettings(workingDirectory: string, options: Sources): ProjectSettings[] {
  try {
    return filesInForce(workingDirectory, options).flatMap((file) => {
      const effects = effectsOf(file);
      return effects.length === 0 ? [] : [{ file, effects }];
    });
  } catch {
    // A directory that we may not enter. A session runs as the same user, and cannot work there either.
    return [];
  }
}

/** What to know about a directory before sessions work in it: a sentence for each file. */
export function projectWarnings(workingDirectory: string, options: Sources): string[] {
  return projectSettings(workingDirectory, options).map(
    ({ file, effects }) =>
      `${file} is in force for sessions in ${workingDirectory}: it sets ${effects.join("; ")}. \`settingSources: ["user"]\` ignores it.`,
  );
}

// Of the project's settings, only those of the directory itself count. The local ones may also lie at the root of the
// repository, of the main one where this is a linked worktree (2.1.332; 2.1.197 reads the directory's own alone).
function filesInForce(workingDirectory: string, { settingSources, restricted }: Sources): string[] {
  if (restricted) return [];
  const sources = settingSources === undefined ? undefined : settingSourceList(settingSources);
  const isInForce = (source: "project" | "local") => sources?.includes(source) ?? true;
  const own = join(workingDirectory, ".claude");
  const root = repositoryRoot(realPath(workingDirectory));
  return [
    ...(isInForce("project") ? [join(own, "settings.json")] : []),
    ...(isInForce("local") ? [join(own, "settings.local.json")] : []),
    ...(isInForce("local") && root !== undefined && root !== realPath(workingDirectory)
      ? [join(root, ".claude", "settings.local.json")]
      : []),
  ];
}

function repositoryRoot(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const git = join(at, ".git");
    const kind = kindAt(git);
    if (kind === "directory") return at;
    if (kind === "file") {
      const [, main] = /^gitdir: (.+)[\\/]\.git[\\/]worktrees[\\/]/.exec(readHead(git, 5_000) ?? "") ?? [];
      return main ?? at;
    }
    if (dirname(at) === at) return undefined;
  }
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
    ...mcpKeys.flatMap((key) => (settings[key] === undefined ? [] : [`\`${key}\``])),
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

/** Where the login is sent, and by which login it is done. */
const ofLogin =
  /^(?:ANTHROPIC_.*|CLAUDE_CODE_(?:OAUTH|API_KEY|USE_).*|HTTPS?_PROXY|ALL_PROXY|NODE_EXTRA_CA_CERTS|NODE_TLS_.*)$/i;

function environmentEffect(names: readonly string[]): string {
  const dangerous = names.filter((name) => ofLogin.test(name));
  const listed = `variables (${wordList(names)})`;
  return dangerous.length === 0
    ? listed
    : `${listed}, of which ${wordList(dangerous)} can send your login elsewhere`;
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

// The file may be a stranger's, and a model reads the warning: what is no plain name is not repeated.
function wordList(names: readonly string[]): string {
  const plain = names.filter((name) => /^\w{1,60}$/.test(name)).slice(0, mostNames);
  const others = names.length - plain.length;
  return [...plain, ...(others > 0 ? [plain.length === 0 ? `${others}` : `${others} more`] : [])].join(", ");
}

function isFilled(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
