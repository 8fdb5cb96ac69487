// Whether the budget of a batch allows one more session.
import { medianCostUsd } from "../model/estimate.ts";
import type { BatchState } from "../model/state.ts";

/** `wait`: perhaps, when running ones have ended and cost less than expected. `spent`: none any more. */
export type BudgetVerdict = "go" | "wait" | "spent";

/**
 * A running session is expected to cost the median of those that ended, and so is one that was cut off before it could
 * say what it spent. So the batch may cost more than its budget by what is left of the sessions that run when it is
 * reached, and by no more.
 */
export function budgetVerdict(state: BatchState): BudgetVerdict {
  const { budgetUsd, totalCostUsd, counts } = state;
  if (budgetUsd === undefined) return "go";
  const usualUsd = medianCostUsd(state) ?? 0;
  const spentUsd = totalCostUsd + unsaidCostUsd(state);
  if (spentUsd >= budgetUsd) return "spent";
  return spentUsd + counts.running * usualUsd < budgetUsd ? "go" : "wait";
}

// As long as nothing is known of any session, one that was cut off may have spent all that it was allowed to.
function unsaidCostUsd(state: BatchState): number {
  const { unknownCosts, batch } = state;
  const allowedUsd = batch.sessionOptions["maxBudgetUsd"];
  const usualUsd = medianCostUsd(state) ?? (typeof allowedUsd === "number" ? allowedUsd : 0);
  return unknownCosts.reduce((sum, saidUsd) => sum + Math.max(0, usualUsd - saidUsd), 0);
}
