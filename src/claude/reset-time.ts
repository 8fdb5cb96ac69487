// When a usage limit ends, out of the words that the CLI has for it. The limit's own event tells it more exactly;
// this is for versions and logins that print none.

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** No known limit lasts longer than a week: what says so was misread. */
const longestMs = 8 * dayMs;

// "resets 9pm (UTC)", "resets at 3:30am (Europe/Berlin)", "resets Jan 22, 2030, 9pm (UTC)", "resets Jan 22, 9pm".
const worded =
  /resets?(?: at)? (?:([A-Z][a-z]{2}) (\d{1,2})(?:, (\d{4}))?,? (?:at )?)?(\d{1,2})(?::(\d{2}))? ?([ap]m)(?: \(([\w/+-]+)\))?/;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The end of the limit in milliseconds since 1970; nothing where the text does not tell it. */
export function resetTimeIn(text: string, now: number): number | undefined {
  // Older versions: "Claude AI usage limit reached|1735689600".
  const epoch = /\|(\d{10})\b/.exec(text)?.[1];
  const found = epoch === undefined ? wordedTime(text, now) : Number(epoch) * 1000;
  return found !== undefined && found > now - dayMs && found < now + longestMs ? found : undefined;
}

function wordedTime(text: string, now: number): number | undefined {
  const match = worded.exec(text);
  if (!match) return undefined;
  const [, month, day, year, hour, minute = "0", half, zone] = match;
  const offsetMs = offsetOf(zone, now);
  if (offsetMs === undefined) return undefined;
  const local = new Date(now + offsetMs);
  const hours = (Number(hour) % 12) + (half === "pm" ? 12 : 0);
  const monthIndex = month === undefined ? local.getUTCMonth() : months.indexOf(month);
  const dayOfMonth = day === undefined ? local.getUTCDate() : Number(day);
  const years = year === undefined ? local.getUTCFullYear() : Number(year);
  const found = Date.UTC(years, monthIndex, dayOfMonth, hours, Number(minute)) - offsetMs;
  // Without a date, it is the next time that the clock shows it.
  return day === undefined && found < now - minuteMs ? found + dayMs : found;
}

// How far a zone's clock is ahead of UTC, in milliseconds. Without a name: ours.
function offsetOf(zone: string | undefined, now: number): number | undefined {
  if (zone === undefined) return -new Date(now).getTimezoneOffset() * minuteMs;
  try {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      timeZoneName: "longOffset",
    }).formatToParts(now);
    const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours = "0", minutes = "0"] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs;
  } catch {
    // A zone that nobody knows.
    return undefined;
  }
}
