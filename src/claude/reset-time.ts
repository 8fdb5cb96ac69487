// When a limit ends, from the text of the CLI or the API. The limit's event is more exact; this is for refusals without
// one.
import { type CivilTime, civilTimeAt, instantsOf } from "./civil-time.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** No known limit lasts longer than a month (an organization's spend). A longer one was misread or made up. */
const longestMs = 32 * dayMs;
/** A reset that has just passed is today's, not tomorrow's. */
const toleranceMs = minuteMs;

/**
 * The end of the limit in milliseconds since 1970, never before `now`. Undefined if the text names none, or one more than
 * a day past, or further away than any known limit lasts.
 */
export function resetTimeIn(text: string, now: number): number | undefined {
  // Times from `toLocaleString` have a narrow no-break space before "PM".
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

// "resets at 2026-11-29T10:00:00Z", "resets 2026-11-29 10:00 UTC". Not read without a zone, which could be any.
function isoIn(text: string): number | undefined {
  const match =
    /resets?(?: at)? (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:\d\d)/i.exec(text);
  if (!match) return undefined;
  const [, day, time, zone = "Z"] = match;
  const found = Date.parse(`${day}T${time}${/^[+-]/.test(zone) ? zone : "Z"}`);
  return Number.isNaN(found) ? undefined : found;
}

const unitMs: Record<string, number> = { s: 1_000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const duration =
  /(?:resets?|try again|available(?: again)?) in((?:,? (?:and )?(?:about )?(?:\d+(?:\.\d+)? ?|an? )[a-z]+)+)/i;

// "resets in 2 hours", "resets in 1h 30m", "Try again in 45 minutes".
function durationIn(text: string, now: number): number | undefined {
  const amounts = duration.exec(text)?.[1];
  if (amounts === undefined) return undefined;
  const parts = [
    ...amounts.matchAll(
      /(\d+(?:\.\d+)?|\ban?(?= )) ?(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?|eeks?)?\b/gi,
    ),
  ];
  if (parts.length === 0) return undefined;
  return (
    now +
    parts.reduce(
      (sum, [, count, unit = ""]) =>
        sum + (/^a/i.test(count ?? "") ? 1 : Number(count)) * (unitMs[unit.toLowerCase()] ?? 0),
      0,
    )
  );
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const day = `(?:(?<tomorrow>tomorrow),? (?:at )?)?(?:(?<weekday>${weekdays.join("|")})[a-z]*,? (?:at )?)?(?:(?<month>${months.join("|")})[a-z]* (?<day>\\d{1,2})(?:, (?<year>\\d{4}))?,?(?: at)? ?)?`;
const time =
  "(?:(?<hour>\\d{1,2})(?::(?<minute>\\d\\d))? ?(?<half>[ap]m)|(?<hour24>\\d{1,2}):(?<minute24>\\d\\d))";
const zone = "(?: ?\\((?<zone>[^)]+)\\))?";
/** Zones after a time without parentheses, as hours behind UTC. Other abbreviations are ambiguous. */
const hoursBehind: Record<string, number> = {
  UTC: 0,
  GMT: 0,
  EST: 5,
  EDT: 4,
  CST: 6,
  CDT: 5,
  MST: 7,
  MDT: 6,
  PST: 8,
  PDT: 7,
};

// "resets 9pm (UTC)", "resets at 3:30am (Europe/Berlin)", "resets Jan 22, 2030, 9pm (UTC)", "resets Mon 9am".
const clock = new RegExp(`resets?:?(?: at| on)? ${day}${time}${zone}`, "i");
// "spend limit reached · resets Aug 8": a gateway's words, in UTC.
const date = new RegExp(
  `resets?(?: on)? (?<month>${months.join("|")})[a-z]* (?<day>\\d{1,2})(?:, (?<year>\\d{4}))?\\b`,
  "i",
);

function clockIn(text: string, now: number): number | undefined {
  const match = clock.exec(text);
  const groups = match?.groups;
  if (!match || !groups) {
    const dated = date.exec(text)?.groups;
    return dated && nearest({ ...dated, hour24: "0", minute24: "00" }, "UTC", now);
  }
  const found = nearest(groups, groups["zone"] ?? zoneAt(text.slice(match.index + match[0].length)), now);
  // Five hours at most: a time further ahead has passed, in a transcript read later than written.
  const isOfSession = /(?:session|5-hour) limit/i.test(text) && groups["month"] === undefined;
  return isOfSession && found !== undefined && found > now + 5 * hourMs ? now : found;
}

// The zone after a time; undefined for an unknown one.
function zoneAt(rest: string): string | undefined {
  const [, name, offset] = /^ ?(?:([A-Z]{3,4})\b)?([+-]\d{1,2}(?::?\d\d)?)?/.exec(rest) ?? [];
  if (offset !== undefined) return offset;
  if (name === undefined) return undefined;
  const hours = hoursBehind[name];
  return hours === undefined ? name : `-${hours}`;
}

type Groups = Record<string, string | undefined>;

// Missing parts mean the next such time, or one that passed within the last minute.
function nearest(groups: Groups, zone: string | undefined, now: number): number | undefined {
  const here = civilTimeAt(now, zone);
  if (!here) return undefined;
  const { hour, minute } = timeOfDay(groups);
  if (hour > 23 || minute > 59) return undefined;
  const all = (date: Partial<CivilTime>) => instantsOf({ ...here, ...date, hour, minute }, zone);
  const at = (date: Partial<CivilTime>) => all(date).at(-1) ?? now;
  if (groups["month"] !== undefined) {
    const month = months.indexOf(groups["month"].toLowerCase());
    const dated = { month, day: Number(groups["day"]) };
    if (groups["year"] !== undefined) return at({ ...dated, year: Number(groups["year"]) });
    // Around New Year the date may be in the next year or the previous one.
    const years = [here.year - 1, here.year, here.year + 1].map((year) => at({ ...dated, year }));
    return years.reduce((best, one) => (Math.abs(one - now) < Math.abs(best - now) ? one : best));
  }
  const { weekday, tomorrow } = groups;
  const ahead = weekday === undefined ? 0 : weekdays.indexOf(weekday.toLowerCase()) - here.weekday;
  const day = here.day + ahead + (tomorrow === undefined ? 0 : 1);
  // In the night when clocks are set back, the same time comes twice.
  const days = [day, day + (weekday === undefined ? 1 : 7)];
  return days.flatMap((one) => all({ day: one })).find((time) => time >= now - toleranceMs);
}

function timeOfDay({ hour, minute = "0", half, hour24, minute24 }: Groups): { hour: number; minute: number } {
  if (hour24 !== undefined) return { hour: Number(hour24), minute: Number(minute24) };
  return { hour: (Number(hour) % 12) + (half?.toLowerCase() === "pm" ? 12 : 0), minute: Number(minute) };
}
