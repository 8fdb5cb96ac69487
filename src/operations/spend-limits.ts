// What all batches together may cost, as the operator has set it.
import type { Configuration } from "../model/configuration.ts";
import type { SpendLimits } from "../model/event.ts";
import type { BatchState } from "../model/state.ts";
import type { Context } from "./context.ts";

/** The operator's budgets now. */
export function spendLimitsOf({ dailyBudgetUsd, monthlyBudgetUsd }: Configuration): SpendLimits {
  return {
    ...(dailyBudgetUsd === undefined ? {} : { dayUsd: dailyBudgetUsd }),
    ...(monthlyBudgetUsd === undefined ? {} : { monthUsd: monthlyBudgetUsd }),
  };
}

/** For an event, the budgets of a batch from now on: none if they are the same as before. */
export function changedSpendLimits(
  { configuration }: Context,
  state: Pick<BatchState, "spendLimits">,
): { spendLimits?: SpendLimits } {
  const now = spendLimitsOf(configuration);
  return Bun.deepEquals(now, state.spendLimits) ? {} : { spendLimits: now };
}
