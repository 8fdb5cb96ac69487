// The answers of other tasks that a task reads: which they are, and whether it has read earlier ones.
import type { Task } from "./event.ts";
import { prerequisitesOf } from "./prerequisites.ts";
import { type Attempt, type BatchState, isTakenOver } from "./state.ts";

/**
 * Which answers a task would read now: the same text as long as none of these tasks has run again. A retry can ask for that
 * at any moment.
 */
export function answersRead({ batch, tasks }: BatchState, number: number): string {
  const read = readBy(batch.tasks[number - 1]).map((one) => {
    const { status = "queued", attempts = [] } = tasks[one - 1] ?? {};
    return `${one} ${status} ${attempts.length}`;
  });
  return read.join(", ");
}

/** Whether an answer that a task reads is newer than its conversation so far, which has read the earlier one. */
export function hasNewerAnswers({ batch, tasks }: BatchState, number: number): boolean {
  const beganAt = conversationBegan(tasks[number - 1]?.attempts ?? []);
  if (beganAt === undefined) return false;
  return readBy(batch.tasks[number - 1]).some((one) => {
    const task = tasks[one - 1];
    return task?.status === "done" && task.endedAt > beganAt;
  });
}

/** When the conversation of the last attempt began, which may be that of earlier ones; undefined if there is none. */
function conversationBegan(attempts: readonly Attempt[]): number | undefined {
  const own = attempts.filter((attempt) => !isTakenOver(attempt));
  return (own.findLast(({ resumes }) => !resumes) ?? own[0])?.startedAt;
}

/** The tasks whose answers a task reads; 1-based. */
function readBy(task: Task | undefined): readonly number[] {
  return task?.summary ? prerequisitesOf(task) : Object.values(task?.results ?? {});
}
