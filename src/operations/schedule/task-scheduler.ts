// A schedule as a task of Windows' Task Scheduler, which runs it while its user is logged in.
import { loggedCommand } from "../../engine/runner/hidden-commands.ts";
import { product } from "../../model/product.ts";
import { join } from "../../platform/paths.ts";
import { allOf, type Calendar, type Days, daysOf, isOfTwoLists } from "./calendar.ts";
import type { Plan, Schedule } from "./planned.ts";
import type { LoggedRun } from "./run-logged.ts";
import { escaped } from "./xml-text.ts";

/** The limit of Task Scheduler. */
export const mostTriggers = 48;
/** What Windows takes as a command line, with some room for the path of the program. */
export const longestArguments = 32_000;

const weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const monthNames =
  "January February March April May June July August September October November December".split(" ");
/** How long a repetition goes on that lasts all day: a whole one would start once more on the next. */
const wholeDay = "PT23H59M";
/** A day in the past, from which the triggers count. */
const firstDay = "2026-01-01";

/** `folder`: where the file is kept that the task was made from. Undefined if it has no such times. */
export function taskSchedulerPlan(schedule: Schedule, { folder }: { folder: string }): Plan | undefined {
  // It has weekdays by their week of the month, and days of the month without weekdays.
  if (isOfTwoLists(schedule.calendar)) return undefined;
  const triggers = triggersOf(schedule.calendar);
  if (triggers.length > mostTriggers) return undefined;
  const task = `\\${product.name}\\${schedule.name}`;
  const path = join(folder, `${schedule.name}.xml`);
  return {
    files: [{ path, text: taskText(schedule, triggers), encoding: "utf-16le" }],
    install: [["schtasks", "/Create", "/F", "/TN", task, "/XML", path]],
    remove: [["schtasks", "/Delete", "/F", "/TN", task]],
    knows: ["schtasks", "/Query", "/TN", task],
    removed: [],
  };
}

/** What the task starts: the program, and what it gets. */
export function taskAction({ program: [program = "", ...others], command, environment, log }: Schedule): {
  program: string;
  words: string[];
} {
  const run: LoggedRun = { log, variables: environment, words: command };
  // Task Scheduler replaces `%NAME%` and `$(Arg0)` in what it passes on.
  const text = JSON.stringify(run).replaceAll("%", "\\u0025").replaceAll("$", "\\u0024");
  return { program, words: [...others, loggedCommand, text] };
}

function taskText(schedule: Schedule, triggers: readonly string[]): string {
  const { program, words } = taskAction(schedule);
  return `\ufeff<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escaped(`${product.name}: ${schedule.name}, ${schedule.when}`)}</Description>
  </RegistrationInfo>
  <Triggers>
${triggers.map((trigger) => `    ${trigger}\n`).join("")}  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escaped(program)}</Command>
      <Arguments>${escaped(words.map(windowsQuoted).join(" "))}</Arguments>
      <WorkingDirectory>${escaped(schedule.workingDirectory)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** A word as programs on Windows take it apart again (`CommandLineToArgvW`). */
export function windowsQuoted(word: string): string {
  if (/^[^\s"]+$/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`;
}

/** The triggers of a calendar: one for each start of a day, and repetitions where the starts are evenly apart. */
export function triggersOf(calendar: Calendar): string[] {
  return daysOf(calendar).flatMap((days) =>
    startsOf(calendar).map(
      ({ at, repetition }) =>
        `<CalendarTrigger>${repetition}<StartBoundary>${firstDay}T${at}:00</StartBoundary>${daysText(days)}</CalendarTrigger>`,
    ),
  );
}

interface Start {
  /** `03:30`. */
  at: string;
  /** With which it starts again, on the same day; empty without. */
  repetition: string;
}

function startsOf({ minutes, hours }: Calendar): Start[] {
  const ofHour = minutes ?? allOf("minutes");
  const [first = 0] = ofHour;
  const every = evenStep(ofHour);
  if (hours === undefined && every !== undefined)
    return [{ at: clock(0, first), repetition: repeated(every, wholeDay) }];
  if (hours === undefined)
    return ofHour.map((minute) => ({ at: clock(0, minute), repetition: repeated(60, wholeDay) }));
  if (every !== undefined)
    return hours.map((hour) => ({
      at: clock(hour, first),
      repetition: repeated(every, `PT${59 - first}M`),
    }));
  return hours.flatMap((hour) => ofHour.map((minute) => ({ at: clock(hour, minute), repetition: "" })));
}

// How many minutes lie between two starts, if it is always the same number, from one hour to the next too.
function evenStep([first = 0, second, ...more]: readonly number[]): number | undefined {
  if (second === undefined) return undefined;
  const step = second - first;
  const all = [first, second, ...more];
  const isEven = all.every((minute, index) => minute === first + index * step) && all.length * step === 60;
  return isEven ? step : undefined;
}

function repeated(minutes: number, duration: string): string {
  return `<Repetition><Interval>PT${minutes}M</Interval><Duration>${duration}</Duration></Repetition>`;
}

function clock(hour: number, minute: number): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

function daysText({ months, days, weekdays }: Days): string {
  const names = (months ?? allOf("months")).map((month) => `<${monthNames[month - 1]}/>`).join("");
  const ofWeek = weekdays?.map((day) => `<${weekdayNames[day]}/>`).join("");
  if (ofWeek !== undefined) {
    if (months === undefined)
      return `<ScheduleByWeek><WeeksInterval>1</WeeksInterval><DaysOfWeek>${ofWeek}</DaysOfWeek></ScheduleByWeek>`;
    const weeks = ["1", "2", "3", "4", "Last"].map((week) => `<Week>${week}</Week>`).join("");
    return `<ScheduleByMonthDayOfWeek><Weeks>${weeks}</Weeks><DaysOfWeek>${ofWeek}</DaysOfWeek><Months>${names}</Months></ScheduleByMonthDayOfWeek>`;
  }
  if (months === undefined && days === undefined)
    return "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>";
  const ofMonth = (days ?? allOf("days")).map((day) => `<Day>${day}</Day>`).join("");
  return `<ScheduleByMonth><DaysOfMonth>${ofMonth}</DaysOfMonth><Months>${names}</Months></ScheduleByMonth>`;
}
