// A process that does nothing until it is ended.
import { isNoOrphan } from "../src/platform/orphans.ts";
import { commandOf } from "../src/platform/process-table.ts";
import { eventually } from "./harness.ts";

/** Its command, on every system. */
export const idle: string[] =
  process.platform === "win32"
    ? [process.execPath, "-e", "setTimeout(() => {}, 2 ** 31 - 1)"]
    : ["sleep", "1000"];

interface How {
  env?: Record<string, string>;
  detached?: boolean;
}

/** Starts one. While it becomes that program it shows neither command nor environment, which lasts long on a busy machine. */
export async function startIdle({ env, detached = false }: How = {}) {
  const child = isNoOrphan(Bun.spawn(idle, { ...(env ? { env } : {}), detached }));
  await eventually(
    () => commandOf(child.pid).length > 0,
    () => `${idle[0]} does not start`,
  );
  return child;
}
