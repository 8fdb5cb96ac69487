// How many more files this process may open.
// Bun has no call that lists a folder with one descriptor, and says that even that one is lacking.
import { readdirSync, readFileSync } from "node:fs";
import { systemCode } from "./system-error.ts";

/** Infinity if unknown. */
export function spareDescriptors(): number {
  if (process.platform !== "linux") return Number.POSITIVE_INFINITY;
  try {
    limit ??= softLimit(readFileSync("/proc/self/limits", "utf8"));
    // The folder itself is open while it is read.
    return limit - (readdirSync("/proc/self/fd").length - 1);
  } catch (error) {
    // Not even this call got a descriptor.
    return systemCode(error) === "EMFILE" ? 0 : Number.POSITIVE_INFINITY;
  }
}
let limit: number | undefined;

function softLimit(limits: string): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
