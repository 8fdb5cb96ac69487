// What a schedule becomes on each system: the times that its words mean, and words that arrive as they were written.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { type Calendar, nextTime } from "../../src/operations/schedule/calendar.ts";
import { crontabLine } from "../../src/operations/schedule/crontab.ts";
import { scheduledEnvironment } from "../../src/operations/schedule/environment.ts";
import { intervalsOf, launchdPlan } from "../../src/operations/schedule/launchd.ts";
import type { Schedule } from "../../src/operations/schedule/planned.ts";
import { calendarTexts, systemdPlan } from "../../src/operations/schedule/systemd.ts";
import {
  mostTriggers,
  taskAction,
  taskSchedulerPlan,
  triggersOf,
  windowsQuoted,
} from "../../src/operations/schedule/task-scheduler.ts";
import { calendarOf, shownForms } from "../../src/operations/schedule/when.ts";
import { wordsIn } from "../../src/platform/windows/structures.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";
import { type Element, parseXml } from "../xml.ts";

/** Words that some system would take for something else. */
const hostile = [
  "run",
  "100% of %h, %%i and %n",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a shell
  "$HOME ${HOME} $$ `id` $(id)",
  `a "quoted" 'word' and \\ and \\\\ at the end \\`,
  "two\nlines\tand a tab",
  ";",
  "",
  " blanks ",
  "<b> & </string> ]]> &amp;",
  "grün 🌙",
  "#no comment",
  "--model=opus",
  "@-+!:|",
];

function scheduleWith(command: readonly string[], when = "every night"): Schedule {
  return {
    name: "tidy",
    when,
    calendar: calendar(when),
    command,
    program: ["/opt/my tools/100%/program"],
    workingDirectory: "/home/me/my 100% project",
    environment: { PATH: "/usr/bin:/my bin", CLAUDE_CONFIG_DIR: `/x/%h"$HOME\\` },
    log: "/home/me/state 100%/tidy.log",
  };
}

function calendar(when: string): Calendar {
  const found = calendarOf(when);
  if (!found) throw new Error(`${when} is not understood`);
  return found;
}

const texts = (when: string) => calendarTexts(calendar(when));

test("plain words and cron's fields mean the same times", () => {
  const same: [string, string][] = [
    ["every hour", "0 * * * *"],
    ["every 15 minutes", "*/15 * * * *"],
    ["every 2 hours", "0 */2 * * *"],
    ["Every night", "0 3 * * *"],
    ["daily at noon", "0 12 * * *"],
    ["every day at 03:30", "30 3 * * *"],
    ["at 3:30 pm", "30 15 * * *"],
    ["every night at midnight", "0 0 * * *"],
    ["every day at 12 am", "0 0 * * *"],
    ["every weekday at 18:00", "0 18 * * 1-5"],
    ["every monday at 9:00", "0 9 * * mon"],
    ["on Sat, Sun and Wednesday at 7am", "0 7 * * 0,3,6"],
    ["every sunday", "0 3 * * 7"],
    ["every month", "0 3 1 * *"],
    ["weekly at 4", "0 4 * * MON"],
  ];
  for (const [words, cron] of same) expect([words, calendar(words)]).toEqual([words, calendar(cron)]);
  for (const form of shownForms) expect([form, calendarOf(form) !== undefined]).toEqual([form, true]);
});

test("what never comes, and what has other words, is no time", () => {
  const wrong = [
    "",
    "every blue moon",
    "every 7 minutes",
    "every 0 minutes",
    "every day at 25:00",
    "every day at 13 pm",
    "every day at 3:60",
    "0 3 * *",
    "60 3 * * *",
    "0 24 * * *",
    "0 3 0 * *",
    "0 3 * 13 *",
    "0 3 * * 8",
    "5-1 3 * * *",
    "*/0 3 * * *",
    "0 3 30 2 *",
    "0 3 1-2-3 * *",
    "foo 3 * * *",
    "0 3 * foo *",
  ];
  expect(wrong.filter((words) => calendarOf(words) !== undefined)).toEqual([]);
});

test("the next time is the first that fits, also over the ends of months and of leap years", () => {
  const next = (when: string, after: string) =>
    nextTime(calendar(when), new Date(after))?.toLocaleString("sv-SE").slice(0, 16);
  expect(next("every night", "2026-11-30T02:59:59")).toBe("2026-11-30 03:00");
  expect(next("every night", "2026-11-30T03:00:00")).toBe("2026-12-01 03:00");
  expect(next("every 15 minutes", "2026-12-31T23:50:00")).toBe("2027-01-01 00:00");
  expect(next("every monday at 9:00", "2026-11-30T09:00:00")).toBe("2026-12-07 09:00");
  expect(next("0 0 29 2 *", "2026-11-30T00:00:00")).toBe("2028-02-29 00:00");
  // As for cron, one of the two suffices.
  expect(next("0 3 13 * 5", "2026-11-30T00:00:00")).toBe("2026-12-04 03:00");
  expect(next("0 3 13 * 5", "2026-12-12T00:00:00")).toBe("2026-12-13 03:00");
  // But if one of the two begins with `*`, both must fit. 14 December is a Monday, but an even day.
  expect(next("0 3 */2 * 1", "2026-12-01T00:00:00")).toBe("2026-12-07 03:00");
  expect(next("0 3 */2 * 1", "2026-12-07T03:00:00")).toBe("2026-12-21 03:00");
  expect(next("0 3 13 * */5", "2026-12-01T00:00:00")).toBe("2026-12-13 03:00");
  expect(next("0 0 29 2 */7", "2026-12-01T00:00:00")).toBe("2032-02-29 00:00");
  // All days written out begin with no `*`, so either suffices.
  expect(next("0 3 1-31 * 1", "2026-12-01T00:00:00")).toBe("2026-12-01 03:00");
  expect(next("0 3 * * 1", "2026-12-01T00:00:00")).toBe("2026-12-07 03:00");
});

test("systems get the times in their own words", () => {
  expect(texts("every 15 minutes")).toEqual(["*-*-* *:00,15,30,45:00"]);
  expect(texts("every monday at 9:00")).toEqual(["Mon *-*-* 09:00:00"]);
  expect(texts("30 3 13 2,7 5")).toEqual(["*-02,07-13 03:30:00", "Fri *-02,07-* 03:30:00"]);
  expect(intervalsOf(calendar("0 3,4 13 * 5"))).toEqual([
    { Day: 13, Hour: 3, Minute: 0 },
    { Day: 13, Hour: 4, Minute: 0 },
    { Weekday: 5, Hour: 3, Minute: 0 },
    { Weekday: 5, Hour: 4, Minute: 0 },
  ]);
  expect(intervalsOf(calendar("* * * * *"))).toEqual([{}]);
  const triggers = (when: string) => triggersOf(calendar(when));
  expect(triggers("every 15 minutes")).toEqual([
    "<CalendarTrigger><Repetition><Interval>PT15M</Interval><Duration>PT23H59M</Duration></Repetition><StartBoundary>2026-01-01T00:00:00</StartBoundary><ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>",
  ]);
  expect(triggers("every weekday at 18:00").join()).toContain("T18:00:00</StartBoundary><ScheduleByWeek>");
  expect(triggers("0 3 31 * *").join()).toContain("<Day>31</Day>");
  expect(triggers("0 3 * 2 1").join()).toContain("<ScheduleByMonthDayOfWeek>");
  // Days that must be in two lists at once. launchd would take either.
  expect(texts("0 3 */10 * 1,2")).toEqual(["Mon,Tue *-*-01,11,21,31 03:00:00"]);
  const ofTwo = scheduleWith(["run"], "0 3 */10 * 1");
  expect(taskSchedulerPlan(ofTwo, { folder: "/x" })).toBeUndefined();
  expect(launchdPlan(ofTwo, { folder: "/x", user: 501 })).toBeUndefined();
  // One for each hour of the eleven, and not one for each start.
  expect(triggers("*/5 8-18 * * *").length).toBe(11);
  expect(taskSchedulerPlan(scheduleWith(["run"], "1,2,4,8 * * * *"), { folder: "/x" })).toBeDefined();
  const tooMany = scheduleWith(["run"], "1,2,4,8,16 0-12 * * *");
  expect(triggersOf(tooMany.calendar).length).toBeGreaterThan(mostTriggers);
  expect(taskSchedulerPlan(tooMany, { folder: "/x" })).toBeUndefined();
});

testNeeding("systemd-analyze")("systemd itself reads from a unit what was written into it", async () => {
  await using home = new Home();
  const runtime = home.file("runtime");
  mkdirSync(runtime, { mode: 0o700 });
  const planned = { ...scheduleWith(hostile), program: ["/bin/echo"] };
  const plan = systemdPlan(planned, { folder: home.path, ownVariables: "/home/me/100%/schedule.env" });
  for (const { path, text } of plan.files) await Bun.write(path, text);
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    ["systemd-analyze", "verify", "--user", "--man=no", ...plan.files.map(({ path }) => path)],
    {
      env: {
        PATH: process.env["PATH"],
        XDG_RUNTIME_DIR: runtime,
        HOME: home.path,
        SYSTEMD_LOG_LEVEL: "debug",
      },
    },
  );
  const said = stderr.toString();
  expect({ exitCode, faults: said.match(/^.*(?:gnoring|nvalid|Unbalanced).*$/gm) }).toEqual({
    exitCode: 0,
    faults: null,
  });
  // With its log level, it prints what it has understood.
  const dump = stdout.toString();
  const value = (name: string) =>
    [...dump.matchAll(new RegExp(`^\\s+${name}: (.*)$`, "gm"))].map(([, text]) => text);
  expect(value("WorkingDirectory")).toContain(planned.workingDirectory);
  expect(value("StandardOutputFileToAppend")).toContain(planned.log);
  const variables = Object.entries(planned.environment).map(([name, text]) => `${name}=${text}`);
  expect(value("Environment")).toEqual(variables);
  const [line = ""] = value("Command Line");
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
  // It shows them in quotes, and replaces what begins with a `$` only when it starts the command.
  const read = words.map((word) =>
    word.replace(/\\(n|t|.)/g, (_, one: string) => ({ n: "\n", t: "\t" })[one] ?? one).replaceAll("$$", "$"),
  );
  expect(read).toEqual([...planned.program, ...hostile]);
  const { stdout: times } = Bun.spawnSync(["systemd-analyze", "calendar", ...texts("30 3 13 2,7 5")]);
  expect(times.toString()).toContain("Fri *-02,07-* 03:30:00");
});

test("a property list and a task have the words as written, and are well-formed", () => {
  const planned = scheduleWith(hostile);
  const [agent] = launchdPlan(planned, { folder: "/Agents", user: 501 })?.files ?? [];
  const strings = parsedTexts(agent?.text ?? "", "string");
  for (const word of [...planned.program, ...hostile, planned.workingDirectory, planned.log])
    expect(strings).toContain(word);
  const [task] = taskSchedulerPlan(planned, { folder: "/x" })?.files ?? [];
  expect(task?.text.charCodeAt(0)).toBe(0xfeff);
  const [line = ""] = parsedTexts(task?.text.slice(1) ?? "", "Arguments");
  expect(line).toBe(taskAction(planned).words.map(windowsQuoted).join(" "));
  // Task Scheduler would replace `%NAME%` and `$(Arg0)`.
  expect(line).not.toMatch(/[%$]/);
  const asked = { log: planned.log, variables: planned.environment, words: hostile };
  expect(JSON.parse(taskAction(planned).words.at(-1) ?? "")).toEqual(asked);
  // As Windows takes a command line apart. The first word, the program, has other rules.
  expect(wordsIn(`program.exe ${line}`).slice(1)).toEqual(taskAction(planned).words);
});

testNeeding("sh")("a shell that cron starts reads the words as written", async () => {
  await using home = new Home();
  const words = hostile.filter((word) => !word.includes("\n"));
  const printer = home.file("printer");
  await Bun.write(printer, `#!/bin/sh\nfor word in "$@"; do printf '%s\\0' "$word"; done\n`);
  chmodSync(printer, 0o755);
  const planned = {
    ...scheduleWith(words),
    program: [printer],
    workingDirectory: home.work,
    log: home.file("100% log"),
    environment: {},
  };
  const [, text = ""] = /^0 3 \* \* \* (.*)$/.exec(crontabLine(planned) ?? "") ?? [];
  // To cron, a % without a backslash is the end of the command.
  expect(text.replaceAll("\\%", "")).not.toContain("%");
  const { exitCode } = Bun.spawnSync(["sh", "-c", text.replaceAll("\\%", "%")], { env: process.env });
  expect(exitCode).toBe(0);
  expect((await Bun.file(planned.log).text()).split("\0").slice(0, -1)).toEqual(words);
  expect(crontabLine({ ...planned, command: ["two\nlines"] })).toBeUndefined();
  // With a `*` in one of the two, cron starts only on days that fit both.
  const fields = (when: string) => crontabLine(scheduleWith(["run"], when))?.split(" cd ")[0];
  expect(fields("0 3 1-31/10 * 0-6/3")).toBe("0 3 1,11,21,31 * 0,3,6");
  expect(fields("0 3 */10 * 0-6/3")).toBe("0 3 */31,11,21,31 * */7,3,6");
  expect(fields("0 3 2,3 * */3")).toBe("0 3 2,3 * */7,3,6");
  expect(fields("0 3 1-31 * 1")).toBe("0 3 * * *");
  for (const when of ["0 3 */10 * 0-6/3", "0 3 2,3 * */3", "0 3 */31 * 1", "0 3 1,2 * 0,1"])
    expect([when, calendar(fields(when) ?? "")]).toEqual([when, calendar(when)]);
  expect(crontabLine(scheduleWith(["run"], "*/20 3 */10 * *"))).toStartWith("*/20 3 */10 * * ");
});

test("no secret is written down, and each that is left out is named", () => {
  const { values, secrets } = scheduledEnvironment({
    PATH: "/usr/bin",
    HOME: "/home/me",
    CLAUDE_CONFIG_DIR: "/home/me/claude",
    ANTHROPIC_API_KEY: "sk-1",
    CLAUDE_CODE_OAUTH_TOKEN: "t",
    AWS_CA_BUNDLE: "/certificates",
    HTTPS_PROXY: "http://me:password@proxy",
    HTTP_PROXY: "http://proxy",
    PARALLEL_CLAUDE_CONCURRENCY: "8",
    PARALLEL_CLAUDE_FLEETS: `{"main":{"url":"redis://redis"}}`,
    EDITOR: "vi",
  });
  expect(values).toEqual({
    PATH: "/usr/bin",
    HOME: "/home/me",
    CLAUDE_CONFIG_DIR: "/home/me/claude",
    HTTP_PROXY: "http://proxy",
    PARALLEL_CLAUDE_CONCURRENCY: "8",
  });
  expect(secrets.toSorted()).toEqual([
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "HTTPS_PROXY",
    "PARALLEL_CLAUDE_FLEETS",
  ]);
});

// The texts of all elements of a name, in order. The reader knows no document types, and text that has been decoded.
function parsedTexts(text: string, name: string): string[] {
  const plain = text.replace(/<!DOCTYPE[^>]*>/, "").replace('encoding="UTF-16"', 'encoding="UTF-8"');
  const below = (element: Element): Element[] => [element, ...element.children.flatMap(below)];
  return below(parseXml(plain)).flatMap((element) => (element.name === name ? [element.text] : []));
}
