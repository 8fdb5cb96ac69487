// What a session has going on beside its main turn: subagents, and commands that it put into the background.
import type { Message, TaskChange } from "./message.ts";

/** One of them. An agent brings its work to an end; a command, or a monitor, may be one that never does. */
export interface BackgroundTask {
  id: string;
  kind: "agent" | "command";
  /** What Claude called it. */
  description: string;
}

/** All that goes on, by id, in the order in which it began. */
export interface Background {
  open: Map<string, BackgroundTask>;
  /** All background work so far, by id. */
  seen: Map<string, BackgroundTask>;
  /** Whether the CLI lists what is open whenever that changes. From then on, its lists decide. */
  isListed: boolean;
}

/** Nothing has begun. */
export function newBackground(): Background {
  return { open: new Map(), seen: new Map(), isListed: false };
}

/** Takes a message about background work in. */
export function applyBackground(
  background: Background,
  message: Extract<Message, { kind: "background" | "task" }>,
): void {
  if (message.kind === "background") {
    background.isListed = true;
    const tasks = message.tasks.filter(({ ambient, off_host }) => !ambient && !off_host);
    background.open = new Map(tasks.map((task) => [task.task_id, taskOf(task)]));
  } else if (!background.isListed) {
    applyChange(background, message.change);
  }
  for (const task of background.open.values()) background.seen.set(task.id, task);
}

/** The agent that a message says was ended before its work was done; nothing where it says no such thing. */
export function stoppedAgent({ seen }: Background, { task_id, status, patch }: TaskChange) {
  const word = status ?? patch?.status;
  if (word !== "stopped" && word !== "killed") return undefined;
  const task = seen.get(task_id);
  return task?.kind === "agent" ? task : undefined;
}

/** Agents still running. */
export function openAgents({ open }: Background): BackgroundTask[] {
  return [...open.values()].filter(({ kind }) => kind === "agent");
}

// Versions before 2.1.203 send no lists. They say `task_started` of foreground agents and slow commands too, but
// those have ended, and have been reported as ended, before the turn's result.
function applyChange({ open }: Background, change: TaskChange): void {
  const isBegin = change.subtype === "task_started";
  if (isBegin && change.is_backgrounded !== false && !change.ambient)
    open.set(change.task_id, taskOf(change));
  const status = change.status ?? change.patch?.status;
  if (!isBegin && status !== undefined && status !== "running" && status !== "pending")
    open.delete(change.task_id);
}

// What thinks, and comes to an end by itself. Others are `local_bash`, `monitor_mcp`, `monitor_ws` (2.1.332).
const agentTypes = new Set(["local_agent", "local_workflow", "in_process_teammate", "remote_agent"]);

function taskOf(task: {
  task_id: string;
  task_type?: string | undefined;
  description?: string | undefined;
}): BackgroundTask {
  const kind = agentTypes.has(task.task_type ?? "") ? "agent" : "command";
  return { id: task.task_id, kind, description: task.description ?? kind };
}
