// The points at which a process kills itself, if a test names them: `KILLS` has them (`kill.ts`), and `KILL_MARKS` a folder in
// which each leaves a file, so that the next process goes on there.
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { hiddenCommands } from "../../src/engine/runner/hidden-commands.ts";
import { killsIn } from "./kill.ts";

const kills = killsIn(process.env["KILLS"]);
const marks = process.env["KILL_MARKS"] ?? "";

/** Kills this process if this is a point where one is to be killed, and nobody was so far. */
export function at(point: string): void {
  const kill = kills.find((one) => one.at === point);
  if (!kill || !isFirst(point)) return;
  // A runner's parent is its keeper; of others it is anybody.
  if (kill.keeper && process.argv[2] === hiddenCommands.runner && process.ppid > 1)
    process.kill(process.ppid, "SIGKILL");
  process.kill(process.pid, "SIGKILL");
}

function isFirst(point: string): boolean {
  try {
    closeSync(openSync(join(marks, point), "wx"));
    return true;
  } catch {
    return false;
  }
}

/** Whether somebody will be killed there. */
export function isDue(point: string): boolean {
  return kills.some((one) => one.at === point) && !existsSync(join(marks, point));
}
