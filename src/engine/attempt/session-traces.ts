// Which span the sessions of a batch are parts of, for what Claude Code itself sends of them.
import type { Attempt, BatchState } from "../../model/state.ts";
import { attemptContext, startContext, traceparentOf } from "../../model/trace.ts";

export interface SessionTraces {
  /** For the session of an attempt, which may have started before its task was known. */
  ofStart(startName: string): string;
  /** For a session that checks the answer of an attempt at a task (1-based). */
  ofAttempt(task: number, attempt: Attempt): string;
}

/** Those of a batch whose trace is sent. */
export function sessionTraces(state: () => BatchState): SessionTraces {
  return {
    ofStart: (startName) => traceparentOf(startContext(state(), startName)),
    ofAttempt: (task, attempt) => traceparentOf(attemptContext(state(), task, attempt)),
  };
}
