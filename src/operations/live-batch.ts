// A running batch, as views read it again and again.

import type { BatchState } from "../model/state.ts";
import type { WaitReason } from "../model/wait-reason.ts";

export interface LiveBatch {
  /** Always the same object, which changes. */
  readonly state: BatchState;
  /** What running tasks are doing, by task number. */
  activities(): ReadonlyMap<number, string>;
  /** What prevents its tasks from starting. */
  held(): WaitReason | undefined;
}
