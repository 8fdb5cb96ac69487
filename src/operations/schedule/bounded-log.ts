// Keeps the log of a schedule small, night after night. A command does so itself when it starts, because neither systemd nor launchd
// nor cron does.
import { ownSizeOf } from "../../platform/files.ts";
import { namesIn } from "../../platform/folders.ts";
import { leadToTheSame } from "../../platform/output.ts";
import { basename, dirname, join } from "../../platform/paths.ts";
import { leadsTo, redirect, rename } from "../../platform/redirect.ts";
import { removePath } from "../../platform/removal.ts";
import { systemCode } from "../../platform/system-error.ts";

/** A log of this many bytes or more is moved aside. */
export const mostLogBytes = 2_000_000;
/** How many that were moved aside are kept. */
export const mostOlderLogs = 4;

/** If this process prints into the log of its schedule, it goes on in a new one where that has become long. */
export async function printIntoBoundedLog(log: string): Promise<void> {
  // Not if somebody runs the command by hand, with the variables of the schedule.
  if (!leadsTo(1, log)) return;
  const descriptors = leadToTheSame(1, 2) ? [1, 2] : [1];
  boundLog(log);
  if (leadsTo(1, log)) return;
  try {
    await redirect(descriptors, log);
  } catch (error) {
    // Then it prints into the older one.
    if (systemCode(error) === undefined) throw error;
  }
}

/**
 * Moves a long log aside, and removes the oldest ones. Others who print into it meanwhile go on to do so, and lose nothing; each
 * has a name of its own, so that two who do this at once keep both. A log that cannot be moved just grows.
 */
export function boundLog(log: string): void {
  // A link is the user's own affair, and has the size of its text.
  if (ownSizeOf(log) < mostLogBytes) return;
  try {
    const time = new Date().toISOString().replace(/[-:]/g, "");
    rename(log, `${log}.${time}-${process.pid}`);
    const folder = dirname(log);
    const isOlder = (name: string) => name.startsWith(`${basename(log)}.`);
    const older = [...namesIn(folder)].filter(isOlder).toSorted();
    for (const name of older.slice(0, -mostOlderLogs)) removePath(join(folder, name));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
