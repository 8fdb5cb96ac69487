// Which failures of a batch make the exit status of a command 1.
import { z } from "zod";
import { failureLimit } from "./checks.ts";
import { type BatchState, countOf } from "./state.ts";
import { givenTasks } from "./summary.ts";

/** `any`, `none`, or the least number or percentage of failed tasks. */
export const failOn = z
  .string()
  .refine(
    (text) => text === "any" || text === "none" || failureLimit(text, 1) !== undefined,
    "expected `any`, `none`, a number of tasks, or a percentage of them up to 100%",
  );

/** Whether too many tasks failed. Sessions that summarize are no share of the tasks. */
export function isTooMany(limit: string, state: Pick<BatchState, "batch" | "counts" | "tasks">): boolean {
  if (limit === "none") return false;
  if (limit === "any") return state.counts.failed > 0;
  const given = givenTasks(state);
  const failed = given.filter((task) => countOf(task) === "failed");
  return failed.length >= (failureLimit(limit, given.length) ?? 1);
}
