// Times as clocks and calendars of a zone show them, daylight saving included.

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export interface CivilTime {
  year: number;
  /** 0-based. */
  month: number;
  /** 1-based; may lie outside of the month, and then counts on. */
  day: number;
  hour: number;
  minute: number;
}

/** What the clock of a zone shows at a time in milliseconds since 1970; without a name, ours. `undefined` for an unknown zone. */
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
 * When the clock of a zone shows that, in milliseconds since 1970: two times in the night in which clocks are set back,
 * in their order, and otherwise one. The zone must be known.
 */
export function instantsOf(
  { year, month, day, hour, minute }: CivilTime,
  zone: string | undefined,
): number[] {
  const local = Date.UTC(year, month, day, hour, minute);
  // The offset is that of then, and clocks change at most once in the day around it.
  const offsets = [local - dayMs, local + dayMs].map((at) => offsetAt(at, zone) ?? 0);
  const guesses = offsets.map((offsetMs) => local - offsetMs).sort((a, b) => a - b);
  const shown = guesses.filter((at) => at + (offsetAt(at, zone) ?? 0) === local);
  // In the hour that is left out in spring, no clock shows that.
  return shown.length > 0 ? [...new Set(shown)] : guesses.slice(-1);
}

// How far a zone's clock is ahead of UTC at that time, in milliseconds.
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
