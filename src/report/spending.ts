// What a batch has spent and on what, and what the rest may still cost: the same fields in every answer.
import { z } from "zod";
import { costToComeUsd } from "../model/estimate.ts";
import type { BatchState } from "../model/state.ts";
import { costText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { timeLeftMs } from "./time-left.ts";

export const spendingFields = {
  totalCostUsd: z.number(),
  costAtLeast: z.boolean().optional().meta({
    description: "A session ended without reporting its cost, so the batch cost more than `totalCostUsd`.",
    listed: false,
  }),
  costByModel: z
    .record(z.string(), z.number())
    .optional()
    .meta({ description: "Cost by model, in US dollars.", listed: false }),
  billedTo: z
    .array(z.object({ source: z.string(), costUsd: z.number() }))
    .optional()
    .meta({
      description: "Billed credentials, as Claude Code names them. `none` is a login.",
      listed: false,
    }),
  batchBudgetUsd: z.number().optional().meta({ listed: false }),
  secondsLeft: z
    .int()
    .optional()
    .meta({ description: "Estimate of the time left, in seconds.", listed: false }),
  costToComeUsd: z
    .number()
    .optional()
    .meta({ description: "Estimate of the cost still to come, in US dollars.", listed: false }),
};
export type SpendingFields = z.infer<z.ZodObject<typeof spendingFields>>;

/** `now` and `heldUntil`, the end of its hold, in milliseconds since 1970. Estimates only if `running`. */
export function spendingOf(
  state: BatchState,
  { now, running, heldUntil }: { now: number; running: boolean; heldUntil?: number | undefined },
): SpendingFields {
  const { byModel, bySource } = state.spending;
  const models = [...byModel].flatMap(([model, { costUsd }]) =>
    costUsd === undefined ? [] : [[model, rounded(costUsd)] as const],
  );
  const leftMs = running ? timeLeftMs(state, now, heldUntil) : undefined;
  const toComeUsd = running ? costToComeUsd(state) : undefined;
  return {
    totalCostUsd: rounded(state.totalCostUsd),
    ...(state.costAtLeast ? { costAtLeast: true } : {}),
    ...(models.length === 0 ? {} : { costByModel: Object.fromEntries(models) }),
    ...(bySource.size === 0
      ? {}
      : { billedTo: [...bySource].map(([source, costUsd]) => ({ source, costUsd: rounded(costUsd) })) }),
    ...(state.budgetUsd === undefined ? {} : { batchBudgetUsd: state.budgetUsd }),
    ...(leftMs === undefined ? {} : { secondsLeft: Math.round(leftMs / 1000) }),
    ...(toComeUsd === undefined ? {} : { costToComeUsd: rounded(toComeUsd) }),
  };
}

/** Removes errors of binary fractions: six digits are a thousandth of a tenth of a cent. */
export function rounded(costUsd: number): number {
  return Math.round(costUsd * 1e6) / 1e6;
}

/** "$1.20 of a budget of $5.00, about $3.10 to come; claude-opus $0.90, claude-haiku $0.30; billed to the login". */
export function spendingText(state: BatchState, running: boolean): string {
  const { spending, budgetUsd, totalCostUsd, costAtLeast } = state;
  const toComeUsd = running ? costToComeUsd(state) : undefined;
  const of = budgetUsd === undefined ? "" : ` of a budget of ${costText(budgetUsd)}`;
  const toCome = toComeUsd === undefined || toComeUsd === 0 ? "" : `, about ${costText(toComeUsd)} to come`;
  const models = [...spending.byModel].flatMap(([model, { costUsd }]) =>
    costUsd === undefined ? [] : [`${oneLine(model, 60)} ${costText(costUsd)}`],
  );
  const billedTo = billedToText(state);
  return [
    `${costText(totalCostUsd, costAtLeast)}${of}${toCome}`,
    ...(models.length > 1 ? [models.join(", ")] : []),
    ...(billedTo === undefined ? [] : [`billed to ${billedTo}`]),
  ].join("; ");
}

/** "the login and ANTHROPIC_API_KEY"; undefined if nothing was spent. */
export function billedToText({ spending: { bySource } }: BatchState): string | undefined {
  const sources = [...bySource.keys()].map((source) =>
    source === "none" ? "the login" : oneLine(source, 60),
  );
  return sources.length === 0 ? undefined : sources.join(" and ");
}
