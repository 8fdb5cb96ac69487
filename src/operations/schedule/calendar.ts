// When something happens again and again: the times of a calendar, as cron has them. All are local times.

/** The values that fit; undefined: every one. */
export type Field = readonly number[] | undefined;

/**
 * Times at which something starts. As for cron, either the day of the month or the weekday suffices if both are given.
 */
export interface Calendar {
  minutes: Field;
  hours: Field;
  /** Of the month, from 1. */
  days: Field;
  /** From 1. */
  months: Field;
  /** From 0, a Sunday. */
  weekdays: Field;
}

/** The smallest and the largest value of each field. */
export const rangeOf = {
  minutes: [0, 59],
  hours: [0, 23],
  days: [1, 31],
  months: [1, 12],
  weekdays: [0, 6],
} as const satisfies Record<keyof Calendar, readonly [number, number]>;

/** Every value of a field. */
export function allOf(name: keyof Calendar): number[] {
  const [first, last] = rangeOf[name];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Days that need not fall together: cron starts on both, what a system has for it only where they do. */
export interface Days {
  months: Field;
  days: Field;
  weekdays: Field;
}

/** The days of a calendar, as one condition, or as two of which one suffices. */
export function daysOf({ months, days, weekdays }: Calendar): Days[] {
  if (days === undefined || weekdays === undefined) return [{ months, days, weekdays }];
  return [
    { months, days, weekdays: undefined },
    { months, days: undefined, weekdays },
  ];
}

/** Leap days are up to eight years apart. */
const mostDays = 366 * 9;

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
