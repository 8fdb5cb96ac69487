// What runs for a task: the session of its attempt, or what checks its answer.
import type { Ending } from "../../claude/outcome.ts";

export interface Running {
  /** What it is doing, for people. */
  readonly activity: string | undefined;
  /** Reads what is new in its transcript. */
  readTranscript(): void;
  /** Ends it if its time is over. */
  checkClocks(): void;
  /** Ends it early. */
  end(ending: Ending): void;
  /** Ends it at once, because memory is short. */
  evict(): void;
}
