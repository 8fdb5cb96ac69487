// What Claude Code reads by itself before a session's first turn, and which hooks it runs.
import { type SessionOptions, settingSourceList } from "../model/options.ts";
import type { Environment } from "../platform/environment.ts";
import { exists, fileIdentity, fileStamp, realPath } from "../platform/files.ts";
import { namesIn } from "../platform/folders.ts";
import { absolutePath, dirname, homeDirectory, join } from "../platform/paths.ts";
import { systemCode } from "../platform/system-error.ts";
import type { Look } from "./looks.ts";
import { mentionsIn } from "./mention-scan.ts";
import { repositoryOf } from "./repository.ts";
import { readSettingsFile, settingsIn } from "./settings-file.ts";

/** Where an administrator's settings and instructions are. */
const managedDirectories = {
  darwin: "/Library/Application Support/ClaudeCode",
  win32: "C:\\Program Files\\ClaudeCode",
} as const;

interface Whose {
  workingDirectory: string;
  options: Pick<SessionOptions, "addDirectories">;
  environment: Environment;
}

/** What it reads of the working directory and all above it, of the user, and of an administrator. */
export function ownLooks({ workingDirectory, options, environment }: Whose): Look[] {
  const real = realPath(workingDirectory);
  const repository = repositoryOf(real);
  const main = repository?.main;
  const projects = new Set([
    ...ancestorsOf(workingDirectory),
    ...ancestorsOf(real),
    ...(main === undefined ? [] : [main]),
    ...(options.addDirectories ?? []),
  ]);
  const home = environment["HOME"] ?? homeDirectory();
  const user = environment["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude");
  return [
    ...[...projects].map((path): Look => ({ kind: "project", path })),
    ...[real, repository?.root ?? real, main ?? real].map(
      (path): Look => ({ kind: "file", path: memoryFile(user, path) }),
    ),
    ...[...ancestorsOf(real), home].map((path): Look => ({ kind: "ignores", path })),
    { kind: "user", path: user },
    { kind: "input", path: managedDirectory() },
  ];
}

/** The instructions that it reads when a session reads a file in one of these directories. */
export function nestedLooks(directories: readonly string[], workingDirectory: string): Look[] {
  const own = new Set([...ancestorsOf(workingDirectory), ...ancestorsOf(realPath(workingDirectory))]);
  const nested = new Set(directories.flatMap(ancestorsOf).filter((path) => !own.has(path)));
  return [...nested].flatMap((path): Look[] => [
    { kind: "project", path },
    { kind: "ignores", path },
  ]);
}

/** The files that a prompt mentions by `@path`, whether they exist or not: they would be attached. */
export function mentionLooks(prompt: string, workingDirectory: string): Look[] {
  return [...mentionsIn(prompt)]
    .filter(({ name }) => name !== "")
    .flatMap(({ name }): Look[] => {
      const path = absolutePath(name.split("#")[0] ?? "", workingDirectory);
      return [
        { kind: "file", path },
        // Of a directory, the names are attached.
        { kind: "names", path },
      ];
    });
}

/**
 * Another text after any change of what a process has at its start and keeps through all conversations: its directory, and
 * the settings and agents there, in the directories above, and of the user.
 */
export function startStamp({ workingDirectory, environment }: Omit<Whose, "options">): string {
  const real = realPath(workingDirectory);
  const files = configurationFolders({ workingDirectory, environment }).flatMap((folder) =>
    visible(() => {
      const agents = join(folder, "agents");
      const own = ["settings.json", "settings.local.json"].map((name) => join(folder, name));
      const named = [...namesIn(agents)].sort().map((name) => join(agents, name));
      return [...own, ...named].flatMap((path) => fileStamp(path) ?? []);
    }),
  );
  const managed = visible(() => [fileStamp(join(managedDirectory(), "managed-settings.json"))]);
  return JSON.stringify([fileIdentity(real), files, managed]);
}

// What this user may not look into, Claude Code does not see either. What cannot be read for another reason may change.
function visible<Seen>(look: () => Seen[]): (Seen | string)[] {
  try {
    return look();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return [["EACCES", "EPERM"].includes(code) ? code : crypto.randomUUID()];
  }
}

/**
 * Whether somebody has a command or a skill with the name `clear`: instead of forgetting its conversation, Claude Code does
 * what that says, at a cost (2.1.332).
 */
export function hasOwnClear({ options: { addDirectories = [] }, ...whose }: Whose): boolean {
  const added = addDirectories.map((path) => join(path, ".claude"));
  return [...configurationFolders(whose), ...added].some((folder) =>
    [join(folder, "commands", "clear.md"), join(folder, "skills", "clear")].some(exists),
  );
}

// The user's folder, and those of the working directory and all above it.
function configurationFolders({ workingDirectory, environment }: Omit<Whose, "options">): string[] {
  const real = realPath(workingDirectory);
  const main = repositoryOf(real)?.main;
  const home = environment["HOME"] ?? homeDirectory();
  const user = environment["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude");
  const projects = [...ancestorsOf(real), ...(main === undefined ? [] : [main])];
  return [...new Set([user, ...projects.map((path) => join(path, ".claude"))])];
}

/** Hooks that say nothing to Claude. */
const silentHooks = new Set(["Notification", "SessionEnd"]);

/** Hooks that run only for a prompt, so not at the start of a session, or at the end of one without a prompt. */
export const promptHooks: ReadonlySet<string> = new Set([
  "Notification",
  "PermissionRequest",
  "PostToolUse",
  "PostToolUseFailure",
  "PreCompact",
  "PreToolUse",
  "Stop",
  "SubagentStart",
  "SubagentStop",
  "UserPromptSubmit",
]);

/**
 * Whether hooks are set that may show Claude what nobody sees, besides those of `harmless` events. True if it cannot be known.
 */
export function hasHooks(
  { workingDirectory, environment }: Whose,
  {
    settings,
    settingSources,
    restricted,
  }: Pick<SessionOptions, "settings" | "settingSources" | "restricted">,
  harmless: ReadonlySet<string> = silentHooks,
): boolean {
  const home = environment["HOME"] ?? homeDirectory();
  const user = environment["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude");
  const sources = settingSources === undefined ? undefined : settingSourceList(settingSources);
  const isRead = (source: "user" | "project" | "local") => !restricted && (sources?.includes(source) ?? true);
  const real = realPath(workingDirectory);
  const roots = [workingDirectory, real, repositoryOf(real)?.root ?? real, repositoryOf(real)?.main ?? real];
  const files = [
    ...(isRead("user") ? [join(user, "settings.json")] : []),
    ...roots.flatMap((root) => [
      ...(isRead("project") ? [join(root, ".claude", "settings.json")] : []),
      ...(isRead("local") ? [join(root, ".claude", "settings.local.json")] : []),
    ]),
    join(managedDirectory(), "managed-settings.json"),
  ];
  const read = files.map(readSettingsFile);
  if (read.some(({ kind }) => kind === "unreadable")) return true;
  const own = typeof settings === "string" ? settingsIn(settings) : settings;
  if (settings !== undefined && own === undefined) return true;
  const all = [
    ...read.flatMap((one) => (one.kind === "settings" ? [one.settings] : [])),
    ...(own ? [own] : []),
  ];
  return all.some(({ hooks }) => Object.keys(Object(hooks)).some((event) => !harmless.has(event)));
}

// Where Claude Code remembers what it learned about a project; `init` says which of them it reads.
function memoryFile(user: string, directory: string): string {
  return join(user, "projects", directory.replace(/[^A-Za-z0-9]/g, "-"), "memory", "MEMORY.md");
}

function managedDirectory(): string {
  return process.platform === "darwin" || process.platform === "win32"
    ? managedDirectories[process.platform]
    : "/etc/claude-code";
}

// A directory and all above it.
function ancestorsOf(directory: string): string[] {
  const found: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    found.push(at);
    if (dirname(at) === at) return found;
  }
}
