// The relevant versions of Claude Code: the oldest supported one, and each that changed something.
import { startText } from "../model/shell-quoted.ts";

/** What one version of the CLI changed. */
export interface VersionChange {
  /** The first version that has it. */
  since: string;
  /** What changed, in a few words. */
  what: string;
  /** What users of older versions lack, as it follows "It lacks". */
  lack?: string;
}

/** The oldest version that sessions run with. Older ones are refused, because no test covers them. */
export const oldestVersion = "2.1.197";

/**
 * In order. Each version was found by bisecting all releases: by running a turn if the change shows there, otherwise by
 * searching the program.
 */
export const versionChanges = [
  { since: "2.1.198", what: "Subagents run in the background unless asked otherwise." },
  {
    since: "2.1.203",
    what: "`background_tasks_changed` lists the subagents and commands that still run.",
    lack: "the list of open background tasks",
  },
  { since: "2.1.206", what: "Turns that an API error or a spent budget ends say so (`terminal_reason`)." },
  { since: "2.1.211", what: "`/clear` resets the total cost to 0." },
  { since: "2.1.224", what: "Adds session inboxes and `crossSessionInbound`." },
  { since: "2.1.242", what: "A result says how many turns are queued (`queued_turn_count`)." },
  {
    since: "2.1.248",
    what: "`--restricted`. Headless sessions have an inbox for messages from other sessions.",
    lack: "`restricted`",
  },
  { since: "2.1.268", what: "Results are numbered (`result_index`).", lack: "detection of lost results" },
  {
    since: "2.1.274",
    what: "`CLAUDE_CODE_STARTUP_FAILURE_RESULTS` reports some startup failures as results.",
    lack: "reasons for failed starts",
  },
  // The program knows `cost-state` since 2.1.246, but 2.1.276 neither writes nor restores it.
  { since: "2.1.277", what: "A resumed or forked process begins with the cost of its conversation." },
  { since: "2.1.281", what: "`--await-claim` parks a process." },
  {
    since: "2.1.285",
    what: "`session_title_changed` says the name of a session. Sessions that name no permission mode run in `auto`, which asks a model about tool calls.",
  },
  {
    since: "2.1.299",
    what: "`CLAUDE_CODE_DISABLE_FILE_MENTIONS` keeps subagents from attaching files.",
    lack: "the setting that keeps subagents from attaching files by `@path`",
  },
  { since: "2.1.301", what: "`init` names `additional_directories`." },
  { since: "2.1.302", what: "Sessions that name no permission mode run in `default` again." },
  {
    since: "2.1.309",
    what: "A result says what its turn cost (`model_usage_since_last_result`).",
    lack: "the exact cost of each turn",
  },
  {
    since: "2.1.317",
    what: "`session_writes_lost` says that a conversation was not saved.",
    lack: "warnings of unsaved conversations",
  },
] as const satisfies readonly VersionChange[];

/** A version that changed something. */
export type ChangedVersion = (typeof versionChanges)[number]["since"];

/** The oldest supported version and each that changed something, in order. */
export function notableVersions(): string[] {
  return [...new Set([oldestVersion, ...versionChanges.map(({ since }) => since)])].sort(Bun.semver.order);
}

/** The version in the output of `claude --version`; undefined if a wrapper prints something else. */
export function versionIn(output: string): string | undefined {
  return /^(\d+\.\d+\.\d+\S*) \(Claude Code\)/m.exec(output)?.[1];
}

/** Whether a version is older than all supported ones. False for an unknown one. */
export function isTooOld(version: string | undefined): boolean {
  return version !== undefined && isOlder(version, oldestVersion);
}

/** Whether a version was released before another. */
export function isOlder(version: string, other: string): boolean {
  return Bun.semver.order(version, other) < 0;
}

/** What a version lacks for its users, each with the version that has it. */
export function lacksOf(version: string): string[] {
  const changes: readonly VersionChange[] = versionChanges;
  return changes.flatMap(({ since, lack }) =>
    lack !== undefined && isOlder(version, since) ? [`${lack} (since ${since})`] : [],
  );
}

/** How to get a newer version of the `claude` at a path. */
export function updateAdvice(path: string): string {
  return `Run ${startText(path, { args: "update" })}, or reinstall it: \`npm install -g @anthropic-ai/claude-code\`.`;
}

/** Why a version is refused, where it was found, and what to do. */
export function tooOldText(version: string, path: string): string {
  return `${path} is Claude Code ${version}, and ${oldestVersion} or newer is required. ${updateAdvice(path)}`;
}
