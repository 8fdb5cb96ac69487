// `schedule`: has the system start a command of ours again and again. No process of ours waits for it.
import { z } from "zod";
import { product } from "../../model/product.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { exists, fileStamp, isThere, makeDirectory, makePrivateDirectory } from "../../platform/files.ts";
import {
  configurationBase,
  configurationDirectory,
  dirname,
  homeDirectory,
  isAbsolute,
  join,
} from "../../platform/paths.ts";
import { programNamed } from "../../platform/program.ts";
import { removePath } from "../../platform/removal.ts";
import { lastingCommand } from "../../platform/self.ts";
import { scheduleLogVariable } from "../../platform/session-variables.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { layoutOf } from "../../store/layout.ts";
import { stateDirectoryOf } from "../configuration.ts";
import { type Context, InputError, UserError, valueOrThrow } from "../context.ts";
import { general, wrong } from "../fault.ts";
import { check, excerpt } from "../faults.ts";
import type { Operation } from "../operation.ts";
import { type Calendar, isOfTwoLists, nextTime } from "./calendar.ts";
import { crontabLine } from "./crontab.ts";
import { scheduledEnvironment } from "./environment.ts";
import {
  forgetSchedule,
  type KeptSchedule,
  keepSchedule,
  keptSchedules,
  type Scheduler,
  schedulers,
  schedulesFolder,
} from "./kept-schedules.ts";
import { launchdPlan } from "./launchd.ts";
import type { Plan, PlannedFile, Schedule } from "./planned.ts";
import { askSystem } from "./system-commands.ts";
import { systemdPlan } from "./systemd.ts";
import { longestArguments, taskAction, taskSchedulerPlan, windowsQuoted } from "./task-scheduler.ts";
import { calendarOf, shownForms } from "./when.ts";

const input = z.strictObject({
  /** The words before `--`. */
  words: z.array(z.string()).default([]),
  /** Those after it. */
  command: z.array(z.string()).default([]),
  name: z
    .string()
    .meta({ description: "What to call it (default: the name of its batch, or of its command)." })
    .optional(),
  print: z
    .boolean()
    .meta({ description: "Only show the files and commands; nothing is installed." })
    .default(false),
  system: z
    .enum(schedulers)
    .meta({
      description:
        "What starts it (default: what this system has). With `cron`, the line for a crontab is printed, which you add yourself.",
    })
    .optional(),
});

const listedSchedule = z.object({
  name: z.string(),
  when: z.string(),
  command: z.array(z.string()).readonly(),
  workingDirectory: z.string(),
  system: z.enum(schedulers),
  next: z.string().optional().meta({ description: "When it starts next, in ISO 8601." }),
  log: z.string().meta({ description: "What it prints goes to the end of this file." }),
  lastPrinted: z.string().optional().meta({ description: "When it last printed something, in ISO 8601." }),
  problem: z.string().optional().meta({ description: "Why it will not start." }),
});

const output = z.object({
  message: z.string(),
  schedules: z.array(listedSchedule),
  files: z
    .array(z.object({ path: z.string(), text: z.string() }))
    .optional()
    .meta({ description: "With `--print`: the files to write." }),
  commands: z
    .array(z.array(z.string()))
    .optional()
    .meta({ description: "With `--print`: the commands to run then." }),
  crontab: z.string().optional().meta({ description: "The line to add to a crontab." }),
});
export type ScheduleOutput = z.output<typeof output>;

export const schedule: Operation<typeof input, typeof output> = {
  title: "Start a command again and again, by the system's own timer",
  description: `Writes a timer of the system that starts a command of this program, in this directory: a unit of the user's systemd on Linux, an agent of launchd on macOS, a task of Task Scheduler on Windows. No process of this program waits for it. WHEN is one of: ${shownForms.map((form) => `\`${form}\``).join(", ")} (the last as in a crontab), in local time; without a time of day, it is 03:00. The timer gets your PATH, the directories of your configuration, proxies and settings of this program that are set as variables, and no secret. While a command runs, its timer starts no second one. \`schedule list\` shows all; \`schedule remove NAME\` removes one.`,
  input,
  output,
  run: async (context, raw) => {
    const asked = valueOrThrow(check(input, raw));
    const [verb = "list", ...names] = asked.words;
    if (asked.command.length > 0) return add(context, asked);
    if (verb === "list" && names.length === 0) return list();
    if (verb === "remove") return remove(names);
    throw new InputError([
      general(
        `The command to start is missing. Write it after \`--\`: \`${product.name} schedule ${shellQuoted(asked.words.join(" "))} -- run "TASK"\``,
      ),
    ]);
  },
};

function list(): ScheduleOutput {
  const schedules = listed(all());
  const none = `Nothing is scheduled. \`${product.name} schedule "every night" -- run -f tasks.md\` does so.`;
  return { schedules, message: schedules.length === 0 ? none : "" };
}

function listed(schedules: readonly KeptSchedule[]): ScheduleOutput["schedules"] {
  return schedules.map((kept) => {
    const { name, when, command, workingDirectory, system, calendar, log } = kept;
    const gone = neededBy(kept).find((path) => !exists(path));
    const problem =
      gone === undefined
        ? undefined
        : `${gone} does not exist any more. Remove the schedule, and make it again.`;
    const next = problem === undefined ? nextTime(calendar, new Date()) : undefined;
    const printed = fileStamp(log);
    return {
      name,
      when,
      command,
      workingDirectory,
      system,
      log,
      ...(next === undefined ? {} : { next: next.toISOString() }),
      ...(printed === undefined ? {} : { lastPrinted: new Date(printed.modifiedAt).toISOString() }),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

// Package managers may put each version of the program into another place.
function neededBy(kept: KeptSchedule): string[] {
  const {
    program: [program = ""],
    workingDirectory,
    system,
  } = kept;
  const files = (planOf(kept, system)?.files ?? []).map(({ path }) => path);
  return [...files, workingDirectory, ...(isAbsolute(program) ? [program] : [])];
}

async function remove(names: readonly string[]): Promise<ScheduleOutput> {
  const [name, ...others] = names;
  if (name === undefined || others.length > 0)
    throw new InputError([general("`schedule remove` takes the name of one schedule")]);
  const found = all().find((one) => one.name === name);
  if (!found) {
    const known = all().map((one) => one.name);
    const hint = known.length === 0 ? "Nothing is scheduled." : `There are: ${known.join(", ")}.`;
    throw new UserError(`There is no schedule ${excerpt(name)}. ${hint}`);
  }
  const plan = planOf(found, found.system);
  const unheard: string[] = [];
  for (const command of plan?.remove ?? []) {
    const said = await askSystem(command);
    if (said.ok) continue;
    // What the system still knows, it would go on to start. But it may have been removed by hand, or nobody answers here.
    if (plan && (await askSystem(plan.knows)).ok)
      throw new UserError(
        `${shownCommand(command)} failed, so the system still starts ${name}, and nothing was removed: ${said.text}`,
      );
    unheard.push(`\n${shownCommand(command)} failed (${said.text}). If it still starts, run that once more.`);
  }
  for (const { path } of plan?.files ?? []) removePath(path);
  for (const command of plan?.removed ?? []) await askSystem(command);
  forgetSchedule(name);
  return {
    schedules: [],
    message: `Removed the schedule ${name}. What runs goes on; what was printed stays in ${found.log}.${unheard.join("")}`,
  };
}

async function add(context: Context, asked: z.output<typeof input>): Promise<ScheduleOutput> {
  const { planned, secrets } = plannedOf(context, asked);
  const system = asked.system ?? systemHere();
  const plan = planOf(planned, system);
  if (plan === undefined) throw new UserError(whyNoPlan(planned, schedulerNames[system]));
  const kept: KeptSchedule = { ...planned, system };
  if (system === "cron") return forCrontab(kept, secrets);
  if (asked.print) return printed(kept, plan, secrets);
  if (system !== systemHere())
    throw new UserError(
      `This system has no ${schedulerNames[system]}. With \`--print\`, the files for another machine are shown.`,
    );
  await install(kept, plan);
  const lingering = system === "systemd" ? await lingerHint() : "";
  return {
    schedules: listed([kept]),
    message: `${addedText(kept)}${lingering}${secretsText(secrets, kept)}`,
  };
}

function whyNoPlan({ calendar, when }: { calendar: Calendar; when: string }, timer: string): string {
  return isOfTwoLists(calendar)
    ? `${timer} cannot start on days that fit both a day of the month and a weekday, which ${excerpt(when)} means. Write \`*\` for one of the two.`
    : `${timer} cannot be given as many different times as ${excerpt(when)} has. Use fewer times, or an even distance such as \`every 15 minutes\`.`;
}

/** What was asked for, checked. Throws what is wrong. */
function plannedOf(
  { configuration, workingDirectory }: Context,
  asked: z.output<typeof input>,
): { planned: Schedule; secrets: string[] } {
  const when = asked.words.join(" ").trim().replace(/\s+/g, " ");
  const calendar = calendarOf(when);
  if (!calendar)
    throw new InputError([
      general(
        `WHEN was given as ${excerpt(when)}, which is none of: ${shownForms.join(", ")} (the last as in a crontab)`,
      ),
    ]);
  const given = asked.command;
  const odd = [...given, workingDirectory].find((word) => controls.test(word));
  if (odd !== undefined)
    throw new InputError([
      general(`A timer cannot pass on the control character in ${excerpt(odd)}. Put tasks into a file`),
    ]);
  if (/[\r\n]/.test(workingDirectory))
    throw new UserError(
      `A timer cannot start anything in ${excerpt(workingDirectory)}, whose name has two lines.`,
    );
  const { values, secrets } = scheduledEnvironment(process.env);
  const name = nameFor(given, asked.name);
  const log = layoutOf(stateDirectoryOf(configuration)).scheduleLog(name);
  const planned = {
    name,
    when,
    calendar,
    command: given,
    program: withPath(lastingCommand(product.name)),
    workingDirectory,
    environment: { ...values, [scheduleLogVariable]: log },
    log,
  };
  const { words } = taskAction(planned);
  if (words.map(windowsQuoted).join(" ").length > longestArguments)
    throw new UserError(
      `The command is longer than the ${longestArguments} characters that every system takes. Put its tasks into a file: \`run -f FILE\`.`,
    );
  return { planned, secrets };
}

// systemd and launchd look for a program in other directories than those of PATH, such as `npx`.
function withPath([name = "", ...words]: readonly string[]): string[] {
  return [programNamed(name, "/", process.env["PATH"]) ?? name, ...words];
}

// What no XML may have, and no line of a unit.
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/u;

const namePattern = /^[a-z0-9][a-z0-9-]{0,39}$/;

function nameFor(command: readonly string[], given: string | undefined): string {
  const taken = all().map(({ name }) => name);
  if (given !== undefined) {
    if (!namePattern.test(given))
      throw new InputError([
        wrong(
          ["name"],
          `was given as ${excerpt(given)}: expected small letters, digits and hyphens, at most 40`,
        ),
      ]);
    if (taken.includes(given))
      throw new UserError(
        `There is a schedule ${given} already. Remove it first (\`${product.name} schedule remove ${given}\`), or give this one another --name.`,
      );
    return given;
  }
  const base = slugOf(batchNameIn(command) ?? "") || slugOf(command[0] ?? "") || "schedule";
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!taken.includes(name)) return name;
  }
}

function batchNameIn(command: readonly string[]): string | undefined {
  const joined = command.find((word) => word.startsWith("--batch-name="));
  if (joined !== undefined) return joined.slice("--batch-name=".length);
  const index = command.indexOf("--batch-name");
  return index < 0 ? undefined : command[index + 1];
}

function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return slug.slice(0, 30).replace(/^-+|-+$/g, "");
}

function all(): KeptSchedule[] {
  try {
    return keptSchedules();
  } catch (error) {
    throw new UserError(
      `A file in ${schedulesFolder()} cannot be read: ${messageOf(error)}. Remove it, or repair it.`,
    );
  }
}

const schedulerNames: Readonly<Record<Scheduler, string>> = {
  systemd: "systemd",
  launchd: "launchd",
  "task-scheduler": "Task Scheduler",
  cron: "cron",
};

function systemHere(): Scheduler {
  if (process.platform === "darwin") return "launchd";
  return process.platform === "win32" ? "task-scheduler" : "systemd";
}

/** What every cron takes as a line. */
const longestOfCron = 998;

/** Files and commands; undefined if the system has no such times. cron has neither: its line is the user's to add. */
function planOf(planned: Schedule, system: Scheduler): Plan | undefined {
  switch (system) {
    case "systemd":
      return systemdPlan(planned, {
        folder: join(configurationBase("linux"), "systemd", "user"),
        ownVariables: join(configurationDirectory(product.name), "schedule.env"),
      });
    case "launchd":
      return launchdPlan(planned, {
        folder: join(homeDirectory(), "Library", "LaunchAgents"),
        user: process.getuid?.() ?? 0,
      });
    case "task-scheduler":
      return taskSchedulerPlan(planned, { folder: schedulesFolder() });
    case "cron":
      return { files: [], install: [], remove: [], knows: [], removed: [] };
  }
}

async function install(kept: KeptSchedule, plan: Plan): Promise<void> {
  if (kept.system === "systemd") await checkSystemd(kept);
  const foreign = plan.files.find(({ path }) => isThere(path));
  if (foreign)
    throw new UserError(
      `${foreign.path} exists already, and \`schedule\` does not know it. Remove that file, or give this schedule another --name. Nothing was changed.`,
    );
  // Units are files, and were looked for. Names of tasks are those of the machine: another user may have one of this name.
  if (kept.system !== "systemd" && (await askSystem(plan.knows)).ok)
    throw new UserError(
      `${schedulerNames[kept.system]} has something called ${kept.name} already, perhaps of another user. Give this schedule another --name. Nothing was changed.`,
    );
  makePrivateDirectory(dirname(kept.log));
  for (const file of plan.files) await write(file);
  for (const command of plan.install) {
    const said = await askSystem(command);
    if (said.ok) continue;
    for (const undo of plan.remove) await askSystem(undo);
    for (const { path } of plan.files) removePath(path);
    throw new UserError(`${shownCommand(command)} failed, and nothing is scheduled: ${said.text}`);
  }
  await keepSchedule(kept);
}

function shownCommand(words: readonly string[]): string {
  return `\`${words.map((word) => shellQuoted(word)).join(" ")}\``;
}

async function write({ path, text, encoding }: PlannedFile): Promise<void> {
  makeDirectory(dirname(path));
  // The commands of the system read what is on the disk by then.
  if (encoding === "utf-16le") await Bun.write(path, Buffer.from(text, "utf16le"));
  else await replaceFile(path, text, { mode: 0o600 });
}

// In a container, and for a user who came through `su`, there is none.
async function checkSystemd(kept: KeptSchedule): Promise<void> {
  const said = await askSystem(["systemctl", "--user", "show-environment"]);
  if (said.ok) return;
  const line = crontabLine(kept);
  const cron =
    line === undefined
      ? ""
      : ` Where there is no systemd, such as in a container, add this line to a crontab (\`crontab -e\`) instead:\n${line}`;
  throw new UserError(
    `Nothing is scheduled, because no systemd runs for this user (${said.text}). If this machine has systemd, log in as this user (not through \`su\` or \`sudo\`), or have an administrator run \`loginctl enable-linger USER\`, and try again.${cron}`,
  );
}

// Without it, the user's systemd ends with the last login, and starts nothing at night.
async function lingerHint(): Promise<string> {
  const said = await askSystem([
    "loginctl",
    "show-user",
    String(process.getuid?.() ?? ""),
    "--property=Linger",
    "--value",
  ]);
  return said.ok && said.text === "yes"
    ? ""
    : "\nIt only starts while you are logged in. To have it start at any time, run `loginctl enable-linger`.";
}

function addedText(kept: KeptSchedule): string {
  const { name, workingDirectory, calendar, log } = kept;
  const next = nextTime(calendar, new Date());
  const when = next === undefined ? "" : `, next on ${next.toLocaleString("sv-SE").slice(0, 16)}`;
  return `Scheduled ${name}: \`${commandText(kept)}\` in ${workingDirectory}, ${kept.when}${when}. What it prints goes to ${log}.`;
}

/** The command as one would type it. */
export function commandText({ command }: Pick<Schedule, "command">): string {
  return command.map((word) => shellQuoted(word)).join(" ");
}

function secretsText(secrets: readonly string[], { system }: KeptSchedule): string {
  if (secrets.length === 0) return "";
  const where =
    system === "systemd"
      ? ` A file that only you can read may set them: ${join(configurationDirectory(product.name), "schedule.env")}.`
      : "";
  return `\nNot written down, because they are or may hold secrets: ${secrets.join(", ")}. Its sessions use the login of \`claude\`.${where}`;
}

function printed(kept: KeptSchedule, plan: Plan, secrets: readonly string[]): ScheduleOutput {
  const files = plan.files.map(({ path, text }) => ({ path, text: text.replace(/^\ufeff/, "") }));
  const commands = plan.install.map((words) => [...words]);
  const shown = [
    ...files.map(({ path, text }) => `# ${path}\n${text}`),
    ...commands.map((words) => words.map((word) => shellQuoted(word)).join(" ")),
  ].join("\n");
  return { schedules: [], files, commands, message: `${shown}${secretsText(secrets, kept)}` };
}

function forCrontab(kept: KeptSchedule, secrets: readonly string[]): ScheduleOutput {
  const line = crontabLine(kept);
  if (line === undefined)
    throw new UserError(
      "A crontab takes no word of several lines. Put such a task into a file: `run -f FILE`.",
    );
  makePrivateDirectory(dirname(kept.log));
  const long =
    line.length > longestOfCron
      ? `\nSome systems, such as Debian, take no line of more than ${longestOfCron} characters. Put this one into a script, and have cron start that.`
      : "";
  return { schedules: [], crontab: line, message: `${line}${long}${secretsText(secrets, kept)}` };
}
