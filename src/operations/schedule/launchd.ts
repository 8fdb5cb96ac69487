// A schedule as an agent of launchd, which macOS starts while its user is logged in.
import { product } from "../../model/product.ts";
import { join } from "../../platform/paths.ts";
import { type Calendar, daysOf, type Field, isOfTwoLists } from "./calendar.ts";
import type { Plan, Schedule } from "./planned.ts";
import { escaped } from "./xml-text.ts";

/** How many times an agent lists at most: each is an entry of its own. */
export const mostIntervals = 1_000;

/** `folder`: where the user's agents are. `user`: the user's number. Undefined if it has no such times. */
export function launchdPlan(
  schedule: Schedule,
  { folder, user }: { folder: string; user: number },
): Plan | undefined {
  // Of a weekday and a day of the month in one entry, launchd takes either.
  if (isOfTwoLists(schedule.calendar)) return undefined;
  const intervals = intervalsOf(schedule.calendar);
  if (intervals.length > mostIntervals) return undefined;
  const label = `${product.name}.${schedule.name}`;
  const path = join(folder, `${label}.plist`);
  return {
    files: [{ path, text: agentText(schedule, { label, intervals }), encoding: "utf-8" }],
    install: [["launchctl", "bootstrap", `gui/${user}`, path]],
    remove: [["launchctl", "bootout", `gui/${user}/${label}`]],
    knows: ["launchctl", "print", `gui/${user}/${label}`],
    removed: [],
  };
}

type Interval = Readonly<Record<string, number>>;

// `AbandonProcessGroup`: a batch that runs in the background outlives the command that started it.
function agentText(
  { program, command, workingDirectory, environment, log }: Schedule,
  { label, intervals }: { label: string; intervals: readonly Interval[] },
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${text(label)}
  <key>ProgramArguments</key>
  <array>
${[...program, ...command].map((word) => `    ${text(word)}\n`).join("")}  </array>
  <key>WorkingDirectory</key>
  ${text(workingDirectory)}
  <key>EnvironmentVariables</key>
  <dict>
${Object.entries(environment)
  .map(([name, value]) => `    <key>${escaped(name)}</key>\n    ${text(value)}\n`)
  .join("")}  </dict>
  <key>StandardOutPath</key>
  ${text(log)}
  <key>StandardErrorPath</key>
  ${text(log)}
  <key>AbandonProcessGroup</key>
  <true/>
  <key>StartCalendarInterval</key>
  <array>
${intervals.map(intervalText).join("")}  </array>
</dict>
</plist>
`;
}

function intervalText(interval: Interval): string {
  const entries = Object.entries(interval).map(
    ([name, value]) => `<key>${name}</key><integer>${value}</integer>`,
  );
  return `    <dict>${entries.join("")}</dict>\n`;
}

function text(value: string): string {
  return `<string>${escaped(value)}</string>`;
}

/** One entry for each combination of values; a key that is left out fits always. */
export function intervalsOf(calendar: Calendar): Interval[] {
  const { minutes, hours } = calendar;
  return daysOf(calendar).flatMap(({ months, days, weekdays }) =>
    [
      ["Month", months] as const,
      ["Day", days] as const,
      ["Weekday", weekdays] as const,
      ["Hour", hours] as const,
      ["Minute", minutes] as const,
    ].reduce<Interval[]>((found, [name, field]) => withEach(found, name, field), [{}]),
  );
}

function withEach(intervals: readonly Interval[], name: string, field: Field): Interval[] {
  if (field === undefined) return [...intervals];
  return intervals.flatMap((interval) => field.map((value) => ({ ...interval, [name]: value })));
}
