// The schedules that were made, as files beside `config.json`: what to list, and to remove.
import { z } from "zod";
import { product } from "../../model/product.ts";
import { makePrivateDirectory, readText } from "../../platform/files.ts";
import { namesIn } from "../../platform/folders.ts";
import { configurationDirectory, join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import type { Calendar } from "./calendar.ts";

/** What can start a schedule. */
export const schedulers = ["systemd", "launchd", "task-scheduler", "cron"] as const;
export type Scheduler = (typeof schedulers)[number];

const field = z.array(z.number()).readonly().optional();

const keptSchedule = z.object({
  name: z.string(),
  when: z.string(),
  calendar: z
    .object({
      minutes: field,
      hours: field,
      days: field,
      months: field,
      weekdays: field,
      needsBoth: z.boolean().optional(),
    })
    .transform(
      ({ minutes, hours, days, months, weekdays, needsBoth }): Calendar => ({
        minutes,
        hours,
        days,
        months,
        weekdays,
        needsBoth,
      }),
    ),
  command: z.array(z.string()).readonly(),
  program: z.array(z.string()).readonly(),
  workingDirectory: z.string(),
  environment: z.record(z.string(), z.string()),
  log: z.string(),
  system: z.enum(schedulers),
});
export type KeptSchedule = z.output<typeof keptSchedule>;

/** Where they are. */
export function schedulesFolder(): string {
  return join(configurationDirectory(product.name), "schedules");
}

/** All of them, by name. Throws if a file is damaged. */
export function keptSchedules(): KeptSchedule[] {
  const folder = schedulesFolder();
  return [...namesIn(folder)]
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => keptSchedule.parse(JSON.parse(readText(join(folder, name)))));
}

export async function keepSchedule(schedule: KeptSchedule): Promise<void> {
  makePrivateDirectory(schedulesFolder());
  await replaceFile(fileOf(schedule.name), `${JSON.stringify(schedule, null, 2)}\n`, { mode: 0o600 });
}

export function forgetSchedule(name: string): void {
  removePath(fileOf(name));
}

function fileOf(name: string): string {
  return join(schedulesFolder(), `${name}.json`);
}
