// Times on the clock and calendar of a zone, with daylight saving.

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export interface CivilTime {
  year: number;
  /** 0-based. */
  month: number;
  /** 1-based. Outside of the month, it counts on into the next or previous one. */
  day: number;
  hour: number;
  minute: number;
}

/**
 * The local time of a zone at a time in milliseconds since 1970; without a name, of our zone. `undefined` for an unknown
 * zone.
 */
export function civilTimeAt(
  at: number,
  zone: string | undefined,
): (CivilTime & { weekday: number }) | undefined {
  const offsetMs = offsetAt(at, zone);
  if (offsetMs === undefined) return undefined;
  const local = new Date(at + offsetMs);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    weekday: local.getUTCDay(),
  };
}

/**
 * When the clock of a zone shows this time, in milliseconds since 1970: two times, ascending, in the night when clocks
 * are set back, otherwise one. The zone must be known.
 */
export function instantsOf(
  { year, month, day, hour, minute }: CivilTime,
  zone: string | undefined,
): number[] {
  const local = Date.UTC(year, month, day, hour, minute);
  // Candidates use the offsets of the days before and after, between which clocks change at most once.
  const offsets = [local - dayMs, local + dayMs].map((at) => offsetAt(at, zone) ?? 0);
  const guesses = offsets.map((offsetMs) => local - offsetMs).sort((a, b) => a - b);
  const shown = guesses.filter((at) => at + (offsetAt(at, zone) ?? 0) === local);
  // No clock shows a time in the hour skipped in spring.
  return shown.length > 0 ? [...new Set(shown)] : guesses.slice(-1);
}

// How far a zone's clock is ahead of UTC at a time, in milliseconds.
function offsetAt(at: number, zone: string | undefined): number | undefined {
  if (zone === undefined) return -new Date(at).getTimezoneOffset() * minuteMs;
  const fixed = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?$/i.exec(zone);
  if (fixed) {
    const [, sign, hours, minutes = "0"] = fixed;
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs;
  }
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    const name = format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours = "0", minutes = "0"] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs;
  } catch {
    // An unknown zone.
    return undefined;
  }
}
