// Times as people write them: "30d", "today", "2026-11-01".
import { spanAround } from "../model/spend-period.ts";

const hourMs = 3_600_000;
const daysOf = { d: 1, w: 7 };

/** What `momentFrom` reads, in words. */
export const momentForms =
  "hours, days or weeks (`12h`, `30d`, `4w`), `today`, `month` for this month, `all`, or a date (`2026-11-01`, `2026-11-01T18:00`)";

/**
 * The beginning of what a text names, in milliseconds since 1970, by the clock of this place; undefined if it names
 * nothing. Days and weeks before today begin at midnight. `now` in milliseconds since 1970.
 */
export function momentFrom(text: string, now: number): number | undefined {
  const given = text.trim().toLowerCase();
  if (given === "all") return 0;
  if (given === "today") return spanAround(now, "day").since;
  if (given === "month") return spanAround(now, "month").since;
  const [, count = "", unit] = /^(\d{1,5}) ?([hdw])$/.exec(given) ?? [];
  if (unit === "h") return now - Number(count) * hourMs;
  if (unit === "d" || unit === "w") return daysAgo(Number(count) * daysOf[unit], now);
  return dateFrom(given);
}

function daysAgo(days: number, now: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days).getTime();
}

// A date alone is midnight here, and not in Greenwich as `Date` has it. One that the calendar lacks is none.
function dateFrom(text: string): number | undefined {
  const parts =
    /^(\d{4})-(\d\d)(?:-(\d\d))?(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (parts[7] !== undefined) {
    const at = Date.parse(text.replace(" ", "T").toUpperCase());
    return Number.isNaN(at) ? undefined : at;
  }
  const date = new Date(year, month - 1, day, hour, minute, second);
  const isThere = date.getMonth() === month - 1 && date.getDate() === day && hour < 24 && minute < 60;
  return isThere && second < 60 ? date.getTime() : undefined;
}
