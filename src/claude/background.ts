// What runs in a session beside its main turn: subagents, and background commands.
import type { Message, TaskChange } from "./message.ts";

/** One background task. An agent ends by itself; a command or a monitor may never end. */
export interface BackgroundTask {
  id: string;
  kind: "agent" | "command";
  /** Claude's description. */
  description: string;
}

/** All running background tasks, by id, in the order of their start. */
export interface Background {
  open: Map<string, BackgroundTask>;
  /** All background tasks so far, by id. */
  seen: Map<string, BackgroundTask>;
  /** Whether the CLI lists open tasks whenever they change. From then on, its lists decide. */
  isListed: boolean;
}

/** No background tasks. */
export function newBackground(): Background {
  return { open: new Map(), seen: new Map(), isListed: false };
}

/** Applies a message about background tasks. */
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

/** The agent that a message reports as stopped before its work was done; undefined for other messages. */
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

// Versions before 2.1.203 send no lists. They send `task_started` for foreground agents and slow commands too, but report
// these as ended before the turn's result.
function applyChange({ open }: Background, change: TaskChange): void {
  const isBegin = change.subtype === "task_started";
  if (isBegin && change.is_backgrounded !== false && !change.ambient)
    open.set(change.task_id, taskOf(change));
  const status = change.status ?? change.patch?.status;
  if (!isBegin && status !== undefined && status !== "running" && status !== "pending")
    open.delete(change.task_id);
}

// Types that think, and end by themselves. Others are `local_bash`, `monitor_mcp`, `monitor_ws` (2.1.332).
const agentTypes = new Set(["local_agent", "local_workflow", "in_process_teammate", "remote_agent"]);

function taskOf(task: {
  task_id: string;
  task_type?: string | undefined;
  description?: string | undefined;
}): BackgroundTask {
  const kind = agentTypes.has(task.task_type ?? "") ? "agent" : "command";
  return { id: task.task_id, kind, description: task.description ?? kind };
}
