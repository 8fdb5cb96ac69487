// Days and months of the place where this computer is, in which budgets count and spending is shown.

export const spendPeriods = ["day", "month"] as const;
export type SpendPeriod = (typeof spendPeriods)[number];

/** From when until before when a day or month lasts that a time is in, in milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

/** The day or month around a time (milliseconds since 1970). */
export function spanAround(at: number, period: SpendPeriod): Span {
  const date = new Date(at);
  const [year, month] = [date.getFullYear(), date.getMonth()];
  if (period === "month")
    return { since: new Date(year, month, 1).getTime(), until: new Date(year, month + 1, 1).getTime() };
  const day = date.getDate();
  return { since: new Date(year, month, day).getTime(), until: new Date(year, month, day + 1).getTime() };
}

/** The name of the day or month that a time is in: "2026-11-30", "2026-11". */
export function periodName(at: number, period: SpendPeriod): string {
  const date = new Date(at);
  const parts = [date.getFullYear(), date.getMonth() + 1, ...(period === "day" ? [date.getDate()] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}
