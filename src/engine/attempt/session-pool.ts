// Sessions that started before their task was known. So far there are none: every attempt starts its own.
import type { Need, Session, StartPlan } from "./session-host.ts";

/** A session that has no prompt yet, and the plan it was started by. */
export interface StartedSession {
  plan: StartPlan;
  session: Session;
}

export interface SessionPool {
  /**
   * Gives away a session that is ready for this plan; undefined if there is none. Its name, conversation and files may
   * differ: the attempt gets those of the plan by which the session was started.
   */
  take(plan: StartPlan, need: Need): StartedSession | undefined;
}

/** A pool without sessions. */
export const emptyPool: SessionPool = { take: () => undefined };
