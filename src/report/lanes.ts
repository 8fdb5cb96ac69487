// Which lane each session had, from its times: the lowest that was free when it began.
import { type Attempt, type BatchState, isTakenOver, type TaskState } from "../model/state.ts";

/** One session as a bar. Times in milliseconds since 1970. */
export interface Bar {
  lane: number;
  from: number;
  /** Absent while it runs. */
  to?: number;
  attempt: Attempt;
}

/** Assigns lanes to sessions as they begin. A session keeps its lane. */
export class Lanes {
  /** The last session in each lane. */
  readonly #last: { task: number; index: number }[] = [];
  readonly #laneOf = new WeakMap<Attempt, number>();

  /** The most sessions that ran at once. */
  get count(): number {
    return this.#last.length;
  }

  /** Places the sessions that have begun since the last call. */
  place(state: BatchState): void {
    const fresh: { task: TaskState; attempt: Attempt; index: number }[] = [];
    for (const task of state.tasks) {
      for (const [index, attempt] of task.attempts.entries())
        if (!isTakenOver(attempt) && !this.#laneOf.has(attempt)) fresh.push({ task, attempt, index });
    }
    // Of sessions that began at the same time, the lower task number comes first.
    fresh.sort((a, b) => a.attempt.startedAt - b.attempt.startedAt);
    for (const { task, attempt, index } of fresh) {
      const free = this.#last.findIndex((last) => {
        const end = endOf(state.tasks[last.task - 1], last.index);
        return end !== undefined && end <= attempt.startedAt;
      });
      const lane = free < 0 ? this.#last.length : free;
      this.#last[lane] = { task: task.number, index };
      this.#laneOf.set(attempt, lane);
    }
  }

  /** The sessions of a task, in order. */
  barsOf(task: TaskState): Bar[] {
    return task.attempts.flatMap((attempt, index) => {
      // It ran in another batch.
      if (isTakenOver(attempt)) return [];
      const to = endOf(task, index);
      const lane = this.#laneOf.get(attempt) ?? 0;
      return { lane, from: attempt.startedAt, attempt, ...(to === undefined ? {} : { to }) };
    });
  }
}

// An attempt whose runner died may have no end in the log.
function endOf(task: TaskState | undefined, index: number): number | undefined {
  const attempt = task?.attempts[index];
  if (!task || !attempt) return undefined;
  const next = task.attempts[index + 1]?.startedAt;
  const last = task.status === "done" ? task.endedAt : undefined;
  return attempt.endedAt ?? next ?? last;
}
