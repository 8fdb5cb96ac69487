// What people write for the times of a schedule: plain words, or the five fields of cron. One table has all forms.
import { type Calendar, type Field, type Fields, nextTime, rangeOf } from "./calendar.ts";

const everyTime: Calendar = {
  minutes: undefined,
  hours: undefined,
  days: undefined,
  months: undefined,
  weekdays: undefined,
};

/** When a day's schedule starts if no time is given: nobody works, and no change of the clock skips or repeats it. */
const nightly = { hours: [3], minutes: [0] };

const weekdayNames = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const monthNames = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const workingDays = [1, 2, 3, 4, 5];

const time = String.raw`(?: at (?<hour>\d{1,2})(?:[:.](?<minute>\d{2}))? ?(?<half>am|pm)?(?: o'clock)?)?`;
const weekday = `(?:${weekdayNames.map((name) => `${name}s?|${name.slice(0, 3)}`).join("|")})`;

interface Form {
  /** As messages and help show it. */
  shown: string;
  pattern: RegExp;
  /** Undefined if the words have no such times. */
  calendar(words: Readonly<Record<string, string | undefined>>): Calendar | undefined;
}

const forms: readonly Form[] = [
  {
    shown: "every hour",
    pattern: /^(?:every hour|hourly)$/,
    calendar: () => ({ ...everyTime, minutes: [0] }),
  },
  {
    shown: "every 15 minutes",
    pattern: /^every (?<count>\d{1,2}) ?(?:minutes?|min|m)$/,
    calendar: ({ count }) => evenly("minutes", Number(count)),
  },
  {
    shown: "every 2 hours",
    pattern: /^every (?<count>\d{1,2}) ?(?:hours?|h)$/,
    calendar: ({ count }) => evenly("hours", Number(count)),
  },
  {
    shown: "every night",
    pattern: new RegExp(`^(?:every (?:night|day)|nightly|daily)${time}$`),
    calendar: (words) => atTime(words),
  },
  {
    shown: "every day at 03:30",
    pattern: /^at (?<hour>\d{1,2})[:.](?<minute>\d{2}) ?(?<half>am|pm)?(?: every (?:day|night))?$/,
    calendar: (words) => atTime(words),
  },
  {
    shown: "every weekday at 18:00",
    pattern: new RegExp(`^(?:every (?:weekday|working day)|on weekdays|weekdays)${time}$`),
    calendar: (words) => atTime(words, { weekdays: workingDays }),
  },
  {
    shown: "every monday at 9:00",
    pattern: new RegExp(
      `^(?:every|on|each) (?<days>${weekday}(?:(?:, ?| and |, and )${weekday})*)(?: night)?${time}$`,
    ),
    calendar: (words) => atTime(words, { weekdays: weekdaysIn(words["days"] ?? "") }),
  },
  {
    shown: "every week",
    pattern: new RegExp(`^(?:every week|weekly)${time}$`),
    calendar: (words) => atTime(words, { weekdays: [1] }),
  },
  {
    shown: "every month",
    pattern: new RegExp(`^(?:every month|monthly)${time}$`),
    calendar: (words) => atTime(words, { days: [1] }),
  },
  {
    shown: "30 3 * * 1-5",
    pattern: /^(?<minutes>\S+) (?<hours>\S+) (?<days>\S+) (?<months>\S+) (?<weekdays>\S+)$/,
    calendar: cronCalendar,
  },
];

/** The accepted forms, for messages and help. */
export const shownForms: readonly string[] = forms.map(({ shown }) => shown);

/** The times that a text means; undefined if it fits no form, or if they never come. */
export function calendarOf(text: string): Calendar | undefined {
  const plain = text.trim().replace(/\s+/g, " ").toLowerCase();
  const words = plain.replace(/\bmidnight\b/, "00:00").replace(/\bnoon\b/, "12:00");
  for (const { pattern, calendar } of forms) {
    const found = pattern.exec(words);
    if (!found) continue;
    const meant = calendar(found.groups ?? {});
    return meant && nextTime(meant, new Date()) ? meant : undefined;
  }
  return undefined;
}

// Only what divides the hour or the day: every 7 minutes would start twice within four at the full hour.
function evenly(name: "minutes" | "hours", count: number): Calendar | undefined {
  const [, last] = rangeOf[name];
  if (count < 1 || count > last || (last + 1) % count !== 0) return undefined;
  const field = Array.from({ length: (last + 1) / count }, (_, index) => index * count);
  return name === "minutes"
    ? { ...everyTime, minutes: whole("minutes", field) }
    : { ...everyTime, hours: whole("hours", field), minutes: [0] };
}

function atTime(
  { hour, minute = "00", half }: Readonly<Record<string, string | undefined>>,
  days: Partial<Calendar> = {},
): Calendar | undefined {
  if (hour === undefined) return { ...everyTime, ...nightly, ...days };
  const [hours, minutes] = [Number(hour), Number(minute)];
  const fits = half === undefined ? hours <= 23 : hours >= 1 && hours <= 12;
  if (!fits || minutes > 59) return undefined;
  const ofDay = half === undefined ? hours : (hours % 12) + (half === "pm" ? 12 : 0);
  return { ...everyTime, ...days, hours: [ofDay], minutes: [minutes] };
}

function weekdaysIn(words: string): number[] {
  const found = words.split(/, and |, ?| and /).map((word) => nameIndex(weekdayNames, word));
  return [...new Set(found)].toSorted((one, other) => one - other);
}

function nameIndex(names: readonly string[], word: string): number {
  return names.findIndex((name) => name.slice(0, 3) === word.slice(0, 3));
}

function cronCalendar(words: Readonly<Record<string, string | undefined>>): Calendar | undefined {
  const read = (name: keyof Fields) => cronField(name, words[name] ?? "");
  const [minutes, hours, days] = [read("minutes"), read("hours"), read("days")];
  const [months, weekdays] = [read("months"), read("weekdays")];
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  const times = { ...everyTime, minutes: minutes.field, hours: hours.field, months: months.field };
  const both = { days: days.field, weekdays: weekdays.field };
  const areLists = both.days !== undefined && both.weekdays !== undefined;
  // cron looks at the first character alone: `*/2` counts like `*`.
  if ([words["days"], words["weekdays"]].some((text) => text?.startsWith("*")))
    return areLists ? { ...times, ...both, needsBoth: true } : { ...times, ...both };
  // Either suffices, so a list of all days, such as `1-31`, is every day, whatever the other one says.
  return areLists ? { ...times, ...both } : times;
}

function cronField(name: keyof Fields, text: string): { field: Field } | undefined {
  const values = text.split(",").map((part) => cronPart(name, part));
  if (values.some((some) => some === undefined)) return undefined;
  const all = [...new Set(values.flatMap((some) => some ?? []))];
  return {
    field: whole(
      name,
      all.toSorted((one, other) => one - other),
    ),
  };
}

// `*`, `5`, `1-5`, `*/15`, `8-18/2`, `mon-fri`. Sunday is 0 and 7.
function cronPart(name: keyof Fields, part: string): number[] | undefined {
  const { range, step = "1" } = /^(?<range>[^/]+)(?:\/(?<step>[1-9]\d?))?$/.exec(part)?.groups ?? {};
  if (range === undefined) return undefined;
  const [first, last] = rangeOf[name];
  const mostly = name === "weekdays" ? 7 : last;
  const [from, to = part.includes("/") ? String(last) : from, ...more] = range.split("-");
  const begin = range === "*" ? first : cronValue(name, from ?? "");
  const end = range === "*" ? last : cronValue(name, to ?? "");
  const fits = [begin, end].every((value) => value >= first && value <= mostly);
  if (!fits || begin > end || more.length > 0) return undefined;
  const values: number[] = [];
  for (let value = begin; value <= end; value += Number(step)) values.push(value > last ? first : value);
  return values;
}

function cronValue(name: keyof Fields, word: string): number {
  if (/^\d{1,2}$/.test(word)) return Number(word);
  if (name === "weekdays" && /^[a-z]{3}$/.test(word)) return nameIndex(weekdayNames, word);
  return name === "months" && /^[a-z]{3}$/.test(word) ? monthNames.indexOf(word) + 1 || -1 : -1;
}

// A field with every value says nothing.
function whole(name: keyof Fields, values: readonly number[]): Field {
  const [first, last] = rangeOf[name];
  return values.length === last - first + 1 ? undefined : values;
}
