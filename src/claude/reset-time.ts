// When a limit ends, from the words that the CLI or the API has for it. The limit's own event says it more exactly;
// this is for what comes without one.
import { type CivilTime, civilTimeAt, instantOf } from "./civil-time.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** No known limit lasts longer than a month, an organization's spend: what says so was misread, or made up. */
const longestMs = 32 * dayMs;
/** A reset that has just passed is read as today's, and not as tomorrow's. */
const toleranceMs = minuteMs;

/**
 * The end of the limit in milliseconds since 1970, never before `now`; nothing where the text does not say it, or
 * says one that is more than a day past or further away than any known limit lasts.
 */
export function resetTimeIn(text: string, now: number): number | undefined {
  // Times of `toLocaleString` have a narrow no-break space before "PM".
  const plain = text.replace(/[\u00a0\u202f]/g, " ");
  const found = epochIn(plain) ?? isoIn(plain) ?? durationIn(plain, now) ?? clockIn(plain, now);
  if (found === undefined || found < now - dayMs || found > now + longestMs) return undefined;
  return Math.max(found, now);
}

// Older versions: "Claude AI usage limit reached|1735689600".
function epochIn(text: string): number | undefined {
  const seconds = /\|(\d{10})\b/.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

// "resets at 2026-11-29T10:00:00Z", "resets 2026-11-29 10:00 UTC". Without a zone it may be anyone's, and is not read.
function isoIn(text: string): number | undefined {
  const match =
    /resets?(?: at)? (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:\d\d)/i.exec(text);
  if (!match) return undefined;
  const [, day, time, zone = "Z"] = match;
  const found = Date.parse(`${day}T${time}${/^[+-]/.test(zone) ? zone : "Z"}`);
  return Number.isNaN(found) ? undefined : found;
}

const unitMs: Record<string, number> = { s: 1_000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const duration = /(?:resets?|try again|available(?: again)?) in((?:,? (?:and )?(?:about )?\d+ ?[a-z]+)+)/i;

// "resets in 2 hours", "resets in 1h 30m", "Try again in 45 minutes".
function durationIn(text: string, now: number): number | undefined {
  const amounts = duration.exec(text)?.[1];
  if (amounts === undefined) return undefined;
  const parts = [
    ...amounts.matchAll(/(\d+) ?(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?|eeks?)?\b/gi),
  ];
  if (parts.length === 0) return undefined;
  return (
    now +
    parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitMs[unit.toLowerCase()] ?? 0), 0)
  );
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const day = `(?:(?<weekday>${weekdays.join("|")})[a-z]*,? (?:at )?)?(?:(?<month>${months.join("|")})[a-z]* (?<day>\\d{1,2})(?:, (?<year>\\d{4}))?,?(?: at)? ?)?`;
const time =
  "(?:(?<hour>\\d{1,2})(?::(?<minute>\\d\\d))? ?(?<half>[ap]m)|(?<hour24>\\d{1,2}):(?<minute24>\\d\\d))";
const zone = "(?: ?(?:\\((?<zone>[\\w/+-]+)\\)|(?<utc>UTC|GMT)\\b))?";
// "resets 9pm (UTC)", "resets at 3:30am (Europe/Berlin)", "resets Jan 22, 2030, 9pm (UTC)", "resets Mon 9am".
const clock = new RegExp(`resets?:?(?: at| on)? ${day}${time}${zone}`, "i");
// "spend limit reached · resets Aug 8": a gateway's own words, in UTC.
const date = new RegExp(
  `resets?(?: on)? (?<month>${months.join("|")})[a-z]* (?<day>\\d{1,2})(?:, (?<year>\\d{4}))?\\b`,
  "i",
);

function clockIn(text: string, now: number): number | undefined {
  const { groups } = clock.exec(text) ?? {};
  if (!groups) {
    const dated = date.exec(text)?.groups;
    return dated && nearest({ ...dated, hour24: "0", minute24: "00" }, "UTC", now);
  }
  return nearest(groups, groups["zone"] ?? groups["utc"], now);
}

type Groups = Record<string, string | undefined>;

// What the text leaves out is what makes it the next such time; but one that has passed within the last minute is meant.
function nearest(groups: Groups, zone: string | undefined, now: number): number | undefined {
  const here = civilTimeAt(now, zone);
  if (!here) return undefined;
  const { hour, minute } = timeOfDay(groups);
  if (hour > 23 || minute > 59) return undefined;
  const at = (date: Partial<CivilTime>) => instantOf({ ...here, ...date, hour, minute }, zone);
  if (groups["month"] !== undefined) {
    const month = months.indexOf(groups["month"].toLowerCase());
    const dated = { month, day: Number(groups["day"]) };
    if (groups["year"] !== undefined) return at({ ...dated, year: Number(groups["year"]) });
    // Around New Year the date may be of the next year, or of the last one.
    const years = [here.year - 1, here.year, here.year + 1].map((year) => at({ ...dated, year }));
    return years.reduce((best, one) => (Math.abs(one - now) < Math.abs(best - now) ? one : best));
  }
  const ahead =
    groups["weekday"] === undefined ? 0 : weekdays.indexOf(groups["weekday"].toLowerCase()) - here.weekday;
  const found = at({ day: here.day + ahead });
  if (found >= now - toleranceMs) return found;
  return at({ day: here.day + ahead + (groups["weekday"] === undefined ? 1 : 7) });
}

function timeOfDay({ hour, minute = "0", half, hour24, minute24 }: Groups): { hour: number; minute: number } {
  if (hour24 !== undefined) return { hour: Number(hour24), minute: Number(minute24) };
  return { hour: (Number(hour) % 12) + (half?.toLowerCase() === "pm" ? 12 : 0), minute: Number(minute) };
}
