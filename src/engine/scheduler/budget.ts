// Whether the budget of a batch allows one more session.
import { medianCostUsd } from "../../model/estimate.ts";
import type { BatchState } from "../../model/state.ts";

/** `wait`: perhaps, if running sessions cost less than expected. `spent`: no further session. */
export type BudgetVerdict = "go" | "wait" | "spent";

/**
 * A running session is expected to cost the median of those that ended, as is one that was cut off before it could report
 * its cost. So the batch exceeds its budget at most by the remaining cost of the sessions running when it is reached.
 * `starting`: sessions that have started, and will get their prompts.
 */
export function budgetVerdict(state: BatchState, starting = 0): BudgetVerdict {
  const { budgetUsd, counts } = state;
  if (budgetUsd === undefined) return "go";
  const usualUsd = medianCostUsd(state) ?? 0;
  const spent = spentUsd(state);
  if (spent >= budgetUsd) return "spent";
  return spent + (counts.running + starting) * usualUsd < budgetUsd ? "go" : "wait";
}

/** What a batch has spent, including what sessions that were cut off may have spent beyond their reports. */
export function spentUsd(state: BatchState): number {
  return state.totalCostUsd + unreportedCostUsd(state);
}

// While nothing is known of any session, one that was cut off may have spent its whole budget.
function unreportedCostUsd(state: BatchState): number {
  const { unknownCosts, batch } = state;
  const allowedUsd = batch.sessionOptions["maxBudgetUsd"];
  const usualUsd = medianCostUsd(state) ?? (typeof allowedUsd === "number" ? allowedUsd : 0);
  return unknownCosts.reduce((sum, reportedUsd) => sum + Math.max(0, usualUsd - reportedUsd), 0);
}
