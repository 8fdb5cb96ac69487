// A schedule as a unit and a timer of the user's systemd.
import { product } from "../../model/product.ts";
import { join } from "../../platform/paths.ts";
import { type Calendar, type Days, daysOf, type Field } from "./calendar.ts";
import type { Plan, Schedule } from "./planned.ts";

const weekdayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** `folder`: where the user's units are, and `ownVariables`: a file of the user's own, which need not exist. */
export function systemdPlan(
  schedule: Schedule,
  { folder, ownVariables }: { folder: string; ownVariables: string },
): Plan {
  const unit = `${product.name}-${schedule.name}`;
  const manager = ["systemctl", "--user"];
  return {
    files: [
      {
        path: join(folder, `${unit}.service`),
        text: serviceText(schedule, ownVariables),
        encoding: "utf-8",
      },
      { path: join(folder, `${unit}.timer`), text: timerText(schedule), encoding: "utf-8" },
    ],
    install: [
      [...manager, "daemon-reload"],
      [...manager, "enable", "--now", `${unit}.timer`],
    ],
    remove: [[...manager, "disable", "--now", `${unit}.timer`]],
    knows: [...manager, "is-active", `${unit}.timer`],
    removed: [[...manager, "daemon-reload"]],
  };
}

// `oneshot`: while it runs, the timer starts no second one. `KillMode=process`: a batch that runs in the background has
// processes that must outlive the command; what a session leaves behind is ended by the program itself.
function serviceText(schedule: Schedule, ownVariables: string): string {
  const { name, when, program, command, workingDirectory, environment, log } = schedule;
  const variables = Object.entries(environment).map(
    ([key, value]) => `Environment=${quoted(`${key}=${value}`)}`,
  );
  return lines(
    `# Made by \`${product.name} schedule\`; \`schedule remove ${name}\` removes it.`,
    "[Unit]",
    `Description=${percent(`${product.name}: ${name}, ${when}`)}`,
    "",
    "[Service]",
    "Type=oneshot",
    "KillMode=process",
    `WorkingDirectory=${percent(workingDirectory)}`,
    ...variables,
    `EnvironmentFile=-${percent(ownVariables)}`,
    `ExecStart=${execStart([...program, ...command])}`,
    `StandardOutput=append:${percent(log)}`,
    "StandardError=inherit",
  );
}

// `Persistent`: what was missed while the machine was off runs when it is on again.
function timerText({ name, when, calendar }: Schedule): string {
  return lines(
    `# Made by \`${product.name} schedule\`; \`schedule remove ${name}\` removes it.`,
    "[Unit]",
    `Description=${percent(`${product.name}: ${name}, ${when}`)}`,
    "",
    "[Timer]",
    ...calendarTexts(calendar).map((text) => `OnCalendar=${text}`),
    "Persistent=true",
    "",
    "[Install]",
    "WantedBy=timers.target",
  );
}

/** As systemd writes the times of a calendar: `Mon,Fri *-*-* 09:00:00`. */
export function calendarTexts(calendar: Calendar): string[] {
  const { hours, minutes } = calendar;
  return daysOf(calendar).map((days) => `${dayText(days)} ${listed(hours, two)}:${listed(minutes, two)}:00`);
}

function dayText({ weekdays, months, days }: Days): string {
  const names = weekdays?.map((day) => weekdayNames[day]).join(",");
  return `${names === undefined ? "" : `${names} `}*-${listed(months, two)}-${listed(days, two)}`;
}

function listed(field: Field, text: (value: number) => string): string {
  return field === undefined ? "*" : field.map(text).join(",");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Words as systemd takes them apart again: it replaces `%…`, and `$…` in all but the first. */
export function execStart([program = "", ...words]: readonly string[]): string {
  return [quoted(program), ...words.map((word) => quoted(word).replaceAll("$", "$$$$"))].join(" ");
}

function quoted(word: string): string {
  const escaped = word.replace(/[\\"]/g, "\\$&").replace(controls, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return `\\x${code}`;
  });
  return `"${percent(escaped)}"`;
}

// A line feed would end the line.
const controls = /[\u0001-\u001f\u007f]/g;

function percent(text: string): string {
  return text.replaceAll("%", "%%");
}

function lines(...all: string[]): string {
  return `${all.join("\n")}\n`;
}
