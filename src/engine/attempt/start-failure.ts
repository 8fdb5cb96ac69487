// Why a session did not start on this machine: for a reason of its own task, which ends the task, or for one that may pass.
import type { SessionPlan, StartFailure } from "../../claude/session.ts";
import { product } from "../../model/product.ts";
import { lacksMemory } from "../../model/wait-reason.ts";
import { canEnter, isExecutable, kindAt } from "../../platform/files.ts";
import { dirname } from "../../platform/paths.ts";
import type { StartVerdict } from "./session-host.ts";

/** What a failed start on this machine means. */
export function startVerdict(
  { code, message, atOutput }: StartFailure,
  { command, workingDirectory, transcript }: SessionPlan,
): StartVerdict {
  const [claudePath = ""] = command;
  // A missing directory is reported as a missing command.
  if (kindAt(workingDirectory) !== "directory")
    return { kind: "task", message: `The working directory ${workingDirectory} no longer exists.` };
  if (!canEnter(workingDirectory))
    return {
      kind: "task",
      message: `The working directory ${workingDirectory} cannot be entered: permission denied.`,
    };
  if (code === undefined || tasksOwn.has(code)) return { kind: "task", message };
  if (!atOutput && !isExecutable(claudePath)) return { kind: "passing", because: missingText(claudePath) };
  const what = shortages[code];
  if (what !== undefined) return { kind: "passing", because: `${what} (${message})` };
  const where = atOutput ? `the directory ${dirname(transcript)}` : `\`claude\` (${claudePath})`;
  return { kind: "passing", because: `Waits for ${where}: ${message}` };
}

/** Why nothing starts while `claude` is missing. */
export function missingText(claudePath: string): string {
  return `Waits for claude: ${claudePath} is not there, or is not executable. After an update, sessions start by themselves. Otherwise, install it there again, or check with \`${product.name} doctor\` in a terminal.`;
}

// Arguments and names that are always too long.
const tasksOwn = new Set(["E2BIG", "ENAMETOOLONG"]);

const shortages: Record<string, string> = {
  EMFILE:
    "Waits for file descriptors: this process may not open more. Raise the limit (`ulimit -n`), or lower `concurrency`.",
  ENFILE: "Waits for file descriptors: the system has none left. Close other programs.",
  EAGAIN:
    "Waits for processes: the system allows no more. Raise the limit (`ulimit -u`, or a container's limit of processes), or lower `concurrency`.",
  ENOMEM: `${lacksMemory} Close other programs, or lower \`concurrency\`.`,
  ENOSPC: "Waits for disk space: the state directory's disk is full, or has no inodes left. Free some space.",
  EDQUOT: "Waits for disk space: your disk quota is used up. Free some space.",
};
