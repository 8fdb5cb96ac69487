// When something happens again and again: the times of a calendar, as cron has them. All are local times.

/** The values that fit; undefined: every one. */
export type Field = readonly number[] | undefined;

/** What a calendar says of each unit of time. */
export interface Fields {
  minutes: Field;
  hours: Field;
  /** Of the month, from 1. */
  days: Field;
  /** From 1. */
  months: Field;
  /** From 0, a Sunday. */
  weekdays: Field;
}

/**
 * Times at which something starts. If both the day of the month and the weekday are given, either suffices, as for cron.
 */
export interface Calendar extends Fields {
  /** Whether both must fit instead: to cron, if one of the two begins with `*`, such as every other day. */
  needsBoth?: boolean | undefined;
}

/** The smallest and the largest value of each field. */
export const rangeOf = {
  minutes: [0, 59],
  hours: [0, 23],
  days: [1, 31],
  months: [1, 12],
  weekdays: [0, 6],
} as const satisfies Record<keyof Fields, readonly [number, number]>;

/** Every value of a field. */
export function allOf(name: keyof Fields): number[] {
  const [first, last] = rangeOf[name];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Days that need not fall together: cron starts on both, what a system has for it only where they do. */
export interface Days {
  months: Field;
  days: Field;
  weekdays: Field;
}

/** Whether only days fit that are in two lists at once. Some systems have no such times. */
export function isOfTwoLists({ days, weekdays, needsBoth = false }: Calendar): boolean {
  return needsBoth && days !== undefined && weekdays !== undefined;
}

/** The days of a calendar, as one condition, or as two of which one suffices. */
export function daysOf(calendar: Calendar): Days[] {
  const { months, days, weekdays } = calendar;
  if (days === undefined || weekdays === undefined || isOfTwoLists(calendar))
    return [{ months, days, weekdays }];
  return [
    { months, days, weekdays: undefined },
    { months, days: undefined, weekdays },
  ];
}

/** Leap days on the same weekday are up to 40 years apart. */
const mostDays = 366 * 41;

/** The first time after another; undefined if there is none, as for the 30th of February. */
export function nextTime(calendar: Calendar, after: Date): Date | undefined {
  const conditions = daysOf(calendar);
  for (let offset = 0; offset <= mostDays; offset++) {
    const day = new Date(after.getFullYear(), after.getMonth(), after.getDate() + offset);
    if (!conditions.some((condition) => fitsDay(condition, day))) continue;
    for (const hour of calendar.hours ?? allOf("hours")) {
      for (const minute of calendar.minutes ?? allOf("minutes")) {
        const time = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute);
        if (time > after) return time;
      }
    }
  }
  return undefined;
}

function fitsDay({ months, days, weekdays }: Days, day: Date): boolean {
  const fits = (field: Field, value: number) => field?.includes(value) ?? true;
  return fits(months, day.getMonth() + 1) && fits(days, day.getDate()) && fits(weekdays, day.getDay());
}
