// Whether the budget of a batch allows one more session.
import { medianCostUsd } from "../model/estimate.ts";
import type { BatchState } from "../model/state.ts";

/** `wait`: perhaps, when running ones have ended and cost less than expected. `spent`: none any more. */
export type BudgetVerdict = "go" | "wait" | "spent";

/**
 * A running session is expected to cost the median of those that ended. So the batch may cost more than its budget
 * by what is left of the sessions that run when it is reached, and by no more.
 */
export function budgetVerdict(state: BatchState): BudgetVerdict {
  const { budgetUsd, totalCostUsd, counts } = state;
  if (budgetUsd === undefined) return "go";
  if (totalCostUsd >= budgetUsd) return "spent";
  const expectedUsd = counts.running * (medianCostUsd(state) ?? 0);
  return totalCostUsd + expectedUsd < budgetUsd ? "go" : "wait";
}
