// What the rest of a batch will probably cost, in words.
import type { Estimate, Interval } from "../model/estimate.ts";
import { costText, countText, roughText } from "./amounts.ts";
import { timeLeftText } from "./time-left.ts";

/** The interval from fewer tasks would span a factor of forty or more, which helps nobody. */
const leastForInterval = 3;

/** "The other 195 tasks and the summary will probably cost $9.80 ($6.10 to $17.00), take 12 min (8 min to 20 min), and …". */
export function estimateText(estimate: Estimate): string {
  const { tasks, summarySessions, basedOn, tokens } = estimate;
  const costUsd = costToComeText(estimate);
  const parts = [
    ...(costUsd === undefined ? [] : [`cost ${costUsd}`]),
    `take ${timeToComeText(estimate)}`,
    ...(tokens ? [`use ${amountText(tokens, basedOn, compact)} tokens`] : []),
  ];
  const others = `The other ${countText(tasks, "task")}`;
  const summary = summarySessions === 0 ? "" : tasks === 0 ? "The summary" : `${others} and the summary`;
  return `${summary || others} will probably ${listed.format(parts)}, going by ${countText(basedOn, "task")}.`;
}

/** "$9.80 ($6.10 to $17.00)"; undefined if no cost is known. `spentUsd` is added. */
export function costToComeText({ costUsd, basedOn }: Estimate, spentUsd = 0): string | undefined {
  return costUsd && amountText(costUsd, basedOn, (value) => costText(value + spentUsd));
}

/** "about 12 min (8 min to 20 min)". */
export function timeToComeText({ milliseconds, basedOn }: Estimate): string {
  const { expected, low, high } = milliseconds;
  const interval = basedOn < leastForInterval ? "" : ` (${timeText(low)} to ${timeText(high)})`;
  return `${timeLeftText(expected)}${interval}`;
}

function amountText(
  { expected, low, high }: Interval,
  basedOn: number,
  text: (value: number) => string,
): string {
  const interval = basedOn < leastForInterval ? "" : ` (${text(low)} to ${text(high)})`;
  return `${text(expected)}${interval}`;
}

// "3.1M": an estimate has no more digits.
function compact(value: number): string {
  return short.format(value);
}

function timeText(milliseconds: number): string {
  return roughText(Math.max(1_000, Math.round(milliseconds / 1_000) * 1_000));
}

const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 2 });
const listed = new Intl.ListFormat("en");
