// Which failures of a batch make the exit status of a command 1.
import { z } from "zod";
import { failureLimit } from "./checks.ts";
import type { Counts } from "./state.ts";

/** `any`, `none`, or the least number or percentage of failed tasks. */
export const failOn = z
  .string()
  .refine(
    (text) => text === "any" || text === "none" || failureLimit(text, 1) !== undefined,
    "expected `any`, `none`, a number of tasks, or a percentage of them up to 100%",
  );

/** Whether so many failed tasks are too many. */
export function isTooMany(limit: string, counts: Counts): boolean {
  if (limit === "none") return false;
  const total = Object.values(counts).reduce((sum: number, count: number) => sum + count, 0);
  return counts.failed >= (failureLimit(limit, total) ?? 1);
}
