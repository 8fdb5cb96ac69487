// A schedule as a line of a crontab, for systems on which no other timer can be used.
import { shellQuoted } from "../../model/shell-quoted.ts";
import { allOf, type Calendar, type Fields, isOfTwoLists, rangeOf } from "./calendar.ts";
import type { Schedule } from "./planned.ts";

/** The line; undefined if it would not be one, because a word has a line feed. */
export function crontabLine({
  calendar,
  program,
  command,
  workingDirectory,
  environment,
  log,
}: Schedule): string | undefined {
  const quoted = (word: string) => shellQuoted(word, "linux");
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`);
  const words = [...program, ...command].map(quoted);
  const text = `cd ${quoted(workingDirectory)} && ${[...variables, ...words].join(" ")} >> ${quoted(log)} 2>&1`;
  // To cron, an unescaped % is a line feed.
  return /[\r\n]/.test(text) ? undefined : `${fieldsText(calendar)} ${text.replaceAll("%", "\\%")}`;
}

function fieldsText(calendar: Calendar): string {
  const fields = ["minutes", "hours", "days", "months", "weekdays"] as const;
  return fields.map((name) => fieldText(name, calendar)).join(" ");
}

function fieldText(name: keyof Fields, calendar: Calendar): string {
  const values = calendar[name];
  if (values === undefined) return "*";
  const [first, last] = rangeOf[name];
  if (isOfDay(name) && isOfTwoLists(calendar)) return starredText(values, first, last);
  const [begin = first, second = begin] = values;
  const step = second - begin;
  const even = allOf(name).filter((value) => (value - first) % step === 0);
  // With a `*` in one of the two, cron would start only on days that fit both.
  const isOneOfTwo = calendar.days !== undefined && calendar.weekdays !== undefined && isOfDay(name);
  const isStep = !isOneOfTwo && values.length > 2 && begin === first && even.join() === values.join();
  const isRange = values.length > 2 && step === 1 && values.at(-1) === begin + values.length - 1;
  if (isStep) return `*/${step}`;
  return isRange ? `${begin}-${values.at(-1) ?? last}` : values.join(",");
}

function isOfDay(name: keyof Fields): boolean {
  return name === "days" || name === "weekdays";
}

// cron wants both of the two to fit if one of them begins with `*`. What was written so has the first value, which is all that a
// step of the whole range gives.
function starredText(values: readonly number[], first: number, last: number): string {
  const others = values.filter((value) => value !== first);
  return others.length < values.length ? [`*/${last - first + 1}`, ...others].join(",") : values.join(",");
}
