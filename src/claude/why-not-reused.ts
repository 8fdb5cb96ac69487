// Whether the process of a session may run another task after `/clear`. What a conversation leaves to the next one was seen
// with the real CLI: `test/real/reuse-of-sessions.real.ts` has a row for each thing.
import { checksOf } from "../model/checks.ts";
import type { SessionOptions } from "../model/options.ts";
import type { InitMessage } from "./message.ts";
import type { Reading } from "./reading.ts";
import { isOlder } from "./versions.ts";

/** The first version whose results say what each turn cost, and with which all that was tried. */
export const firstReusable = "2.1.309";

/** How many tasks one process runs at most: its memory grows by about 2 MB a task (2.1.332). */
export const mostTasks = 20;

/** A process that was measured while it still started grows to as much as this by itself, in bytes. */
const usualGrowthBytes = 300e6;

/** What is known of a session that has answered. */
export interface Candidate {
  reading: Reading;
  options: SessionOptions;
  /** How many tasks its process has run, this one included. */
  tasks: number;
  /** Whether hooks are set. */
  hasHooks: boolean;
  /** Whether somebody has a command with the name `clear`. */
  hasOwnClear: boolean;
  /** Whether it has written to its standard error: that is in one file for all tasks of a process. */
  hasWarned: boolean;
  /** Whether settings or agents that a process reads at its start have changed since. */
  hasChanged: boolean;
  /** What its process uses now, and after its first task, in bytes; 0 if nobody has measured it. */
  bytes: { now: number; first: number };
}

/** Options with which a process serves one task alone: nobody can see what they change in it. */
const preventing = ["mcpConfig", "claudeArguments", "resumeSessionId", "agent"] as const;

/** Why it may not run another task, as it follows "its process ended, because"; undefined if it may. */
export function whyNotReused(candidate: Candidate): string | undefined {
  return optionsPrevent(candidate) ?? conversationPrevents(candidate.reading) ?? processPrevents(candidate);
}

function optionsPrevent({ options }: Candidate): string | undefined {
  if (options.reuseSessions !== "auto") return "it was asked for one task alone";
  const name = preventing.find((one) => options[one] !== undefined);
  if (name !== undefined) return `it has the option \`${name}\``;
  if (options.slashCommands) return "its tasks may be commands of Claude Code";
  // The command has the marker of the process, and what has it ends with the command.
  return checksOf(options.expect).some(({ kind }) => kind === "command")
    ? "a command checks its answer"
    : undefined;
}

function conversationPrevents(reading: Reading): string | undefined {
  const { began, init, answer, last, background, lastingTool } = reading;
  if (!began || !init || !answer || reading.turnIsOpen) return "it has not answered";
  const { claude_code_version: version } = began;
  if (version === undefined) return "its version is not known";
  if (isOlder(version, firstReusable)) return `it is older than ${firstReusable}`;
  if (last?.is_error || last?.subtype !== "success") return "its task failed";
  if (reading.earlier.length > 0 || reading.foreignResults > 0) return "it had more than one turn";
  if (reading.lostResults > 0 || reading.isUnsaved) return "some of what it did was lost";
  if (background.seen.size > 0) return "it had work in the background";
  if (lastingTool !== undefined) return `it called ${lastingTool}`;
  if (reading.fallbacks.length > 0) return "it changed to another model";
  if (reading.limitRejected) return "a limit is reached";
  return whyChanged(began, init);
}

function processPrevents({
  reading,
  tasks,
  hasHooks,
  hasOwnClear,
  hasWarned,
  hasChanged,
  bytes,
}: Candidate): string | undefined {
  if (hasHooks || reading.hasHooks) return "it has hooks";
  if (hasOwnClear) return "somebody has another command `/clear`";
  if (hasWarned) return "it has written to its standard error";
  if ((reading.began?.mcp_servers ?? []).length > 0) return "it has MCP servers";
  if (tasks >= mostTasks) return `it has run ${mostTasks} tasks`;
  const { first, now } = bytes;
  if (first > 0 && now > 2 * first && now - first > usualGrowthBytes)
    return "it uses much more memory than at first";
  return hasChanged ? "the settings or agents of its directory have changed" : undefined;
}

/** What differs between two introductions of one process, as it follows "because"; undefined if nothing that matters. */
export function whyChanged(before: InitMessage, now: InitMessage): string | undefined {
  if (before.cwd !== now.cwd) return "it works in another directory";
  if (before.permissionMode !== now.permissionMode) return "it has another permission mode";
  if (before.model !== now.model) return "it has another model";
  if (!Bun.deepEquals(before.tools, now.tools)) return "it has other tools";
  if (!Bun.deepEquals(before.agents, now.agents)) return "it has other agents";
  return Bun.deepEquals(before.mcp_servers, now.mcp_servers) ? undefined : "it has other MCP servers";
}
