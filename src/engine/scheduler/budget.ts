// Whether the budget of a batch allows one more session.
import { medianCostUsd } from "../../model/estimate.ts";
import type { BatchState } from "../../model/state.ts";

/** `wait`: perhaps, when running ones have ended and cost less than expected. `spent`: none any more. */
export type BudgetVerdict = "go" | "wait" | "spent";

/**
 * A running session is expected to cost the median of those that ended, and so is one that was cut off before it could
 * say what it spent. So the batch may cost more than its budget by what is left of the sessions that run when it is
 * reached, and by no more.
 */
export function budgetVerdict(state: BatchState): BudgetVerdict {
  const { budgetUsd, counts } = state;
  if (budgetUsd === undefined) return "go";
  const usualUsd = medianCostUsd(state) ?? 0;
  const spent = spentUsd(state);
  if (spent >= budgetUsd) return "spent";
  return spent + counts.running * usualUsd < budgetUsd ? "go" : "wait";
}

/** What a batch has spent, with what its sessions that were cut off may have spent beyond what they said. */
export function spentUsd(state: BatchState): number {
  return state.totalCostUsd + unsaidCostUsd(state);
}

// As long as nothing is known of any session, one that was cut off may have spent all that it was allowed to.
function unsaidCostUsd(state: BatchState): number {
  const { unknownCosts, batch } = state;
  const allowedUsd = batch.sessionOptions["maxBudgetUsd"];
  const usualUsd = medianCostUsd(state) ?? (typeof allowedUsd === "number" ? allowedUsd : 0);
  return unknownCosts.reduce((sum, saidUsd) => sum + Math.max(0, usualUsd - saidUsd), 0);
}
