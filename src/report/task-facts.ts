// The facts on both pages of an ended task, and how to continue its conversation.
import type { CheckResult } from "../model/checks.ts";
import { farDirectoryIn, isOwnTree } from "../model/far-directory.ts";
import type { Usage } from "../model/outcome.ts";
import { shellQuoted } from "../model/shell-quoted.ts";
import type { AdviceFacts } from "./advice.ts";
import { costText, durationText } from "./amounts.ts";

/** An ended task, as its result page or error text gets it. */
export interface TaskFacts {
  batchId: string;
  batchName?: string | undefined;
  /** 1-based. */
  taskNumber: number;
  totalTasks: number;
  prompt: string;
  /** The task's key, if it has one. */
  key?: string | undefined;
  /** The one-line name of the task. */
  label: string;
  usage?: Usage | undefined;
  /** For advice on it. */
  advice: AdviceFacts;
  model?: string | undefined;
  /** Its conversation, if that is on this machine. */
  sessionId?: string | undefined;
  workingDirectory: string;
  /** Where it ran, if not on this machine. On a host of the user's own, its directory begins with it. */
  host?: string | undefined;
  /** Names of the variables that `env` gave the session. */
  variables?: readonly string[] | undefined;
  /** Attempts at the task, including the last one. */
  attempts?: number | undefined;
  /** What the checks of the answer found. */
  checks?: readonly CheckResult[] | undefined;
  /** Path of the page of what its sessions said and did. */
  sessionPage?: string | undefined;
  /** Processes that outlived the session and were stopped. */
  leaked?: number | undefined;
  /** Milliseconds since 1970; absent for a task that never started. */
  startedAt?: number | undefined;
  /** Milliseconds since 1970. */
  endedAt: number;
}

/** "Task 3 of 40 in “nightly review”". */
export function placeText({
  taskNumber,
  totalTasks,
  batchId,
  batchName,
}: Pick<TaskFacts, "taskNumber" | "totalTasks" | "batchId" | "batchName">): string {
  const place = totalTasks === 1 ? "Task 1" : `Task ${taskNumber} of ${totalTasks}`;
  return batchName === undefined ? `${place} in batch ${batchId}` : `${place} in “${batchName}” (${batchId})`;
}

/** What the task cost, if known. */
export function taskCostText({ usage }: TaskFacts): string | undefined {
  return usage && costText(usage.costUsd, usage.atLeast);
}

/** What the session left behind, if anything. */
export function leakedText({ leaked = 0 }: TaskFacts): string | undefined {
  if (leaked === 0) return undefined;
  return `${leaked === 1 ? "1 process" : `${leaked} processes`}, ended with it`;
}

/** The names of its variables, if it had any. */
export function variablesText({ variables = [] }: TaskFacts): string | undefined {
  return variables.length === 0 ? undefined : variables.join(", ");
}

/** Which attempt this is, if not the first. */
export function attemptsText({ attempts = 1 }: TaskFacts): string | undefined {
  return attempts > 1 ? `${attempts}, of which this is the last` : undefined;
}

/** How long the last attempt took. */
export function taskDurationText({ startedAt, endedAt }: TaskFacts): string | undefined {
  return startedAt === undefined ? undefined : durationText(endedAt - startedAt);
}

/** The command that continues the conversation in a terminal. */
export function continueCommand({
  workingDirectory,
  sessionId,
  host,
}: Pick<TaskFacts, "workingDirectory" | "sessionId" | "host">): string | undefined {
  if (sessionId === undefined) return undefined;
  const far = host === undefined ? undefined : farDirectoryIn(workingDirectory, [host]);
  if (far) {
    // A working tree of its own is gone by then.
    if (isOwnTree(far.path)) return undefined;
    const there = continueCommand({ workingDirectory: far.path, sessionId });
    return there && `ssh -t ${sshWords(far.host)} ${shellQuoted(there, "linux")}`;
  }
  // For the shells of the directory: a page may be made elsewhere than the session ran.
  const platform = isOfWindows(workingDirectory) ? "win32" : "linux";
  const claude = `claude --resume ${shellQuoted(sessionId, platform)}`;
  return platform === "win32"
    ? continuedOnWindows(workingDirectory, claude)
    : `cd ${quotedDirectory(workingDirectory, platform)} && ${claude}`;
}

// With the port as ssh takes it.
function sshWords(host: string): string {
  const [, name = host, port] = /^(.*[^:]):(\d+)$/.exec(host) ?? [];
  const bare = name.replace(/^((?:[^@]*@)?)\[(.*)\]$/, "$1$2");
  return [...(port === undefined ? [] : ["-p", port]), shellQuoted(bare, "linux")].join(" ");
}

// In quotation marks, `~` would be a name.
function quotedDirectory(path: string, platform: "linux" | "win32"): string {
  const [, below] = /^~\/(.*)$/.exec(path) ?? [];
  if (path === "~") return path;
  return below === undefined ? shellQuoted(path, platform) : `~/${below && shellQuoted(below, platform)}`;
}

const isOfWindows = (path: string): boolean => /^(?:[A-Za-z]:\\|\\\\)/.test(path);

// Windows PowerShell knows no `&&`, and cmd.exe changes to another drive only by `cd /d`, which takes blanks as they are. For a
// directory that cmd.exe could misread without quotation marks, and for one on a server: cmd.exe and PowerShell 7.
function continuedOnWindows(directory: string, claude: string): string {
  return /^[A-Za-z]:[\p{L}\p{N} _.\\~+#@[\]-]+$/u.test(directory)
    ? `cmd /c "cd /d ${directory} && ${claude}"`
    : `pushd ${shellQuoted(directory, "win32")} && ${claude}`;
}
