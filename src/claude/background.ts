// What a session has going on beside its main turn: subagents, and commands that it put into the background.
import type { Message, TaskChange } from "./message.ts";

/** One of them. An agent brings its work to an end; a command may be a server that never does. */
export interface BackgroundTask {
  id: string;
  kind: "agent" | "command";
  /** What Claude called it. */
  description: string;
}

/** All that goes on, by id, in the order in which it began. */
export interface Background {
  open: Map<string, BackgroundTask>;
  /** Whatever has gone on, by id. */
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
    background.open = new Map(message.tasks.map((task) => [task.task_id, taskOf(task)]));
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

/** The agents among what goes on. */
export function openAgents({ open }: Background): BackgroundTask[] {
  return [...open.values()].filter(({ kind }) => kind === "agent");
}

// Versions before 2.1.203 send no lists. They say `task_started` of foreground agents and slow commands too, but
// those have ended, and have been reported as ended, before the turn's result.
function applyChange({ open }: Background, change: TaskChange): void {
  const isBegin = change.subtype === "task_started";
  if (isBegin && change.is_backgrounded !== false) open.set(change.task_id, taskOf(change));
  const status = change.status ?? change.patch?.status;
  if (!isBegin && status !== undefined && status !== "running" && status !== "pending")
    open.delete(change.task_id);
}

function taskOf(task: {
  task_id: string;
  task_type?: string | undefined;
  description?: string | undefined;
}): BackgroundTask {
  // Other kinds (`remote_agent`, `workflow` …) think for themselves, too: only a command is known not to.
  const kind = task.task_type === "local_bash" ? "command" : "agent";
  return { id: task.task_id, kind, description: task.description ?? kind };
}
