// How the branch is called that a task's changes become.
import type { Batch } from "./event.ts";

/** `b4k2/3`, or with a key `b4k2/3-src-main`, as far as Git accepts it in a name. `number`: of the task. */
export function branchOf({ batchId, tasks }: Pick<Batch, "batchId" | "tasks">, number: number): string {
  const key = tasks[number - 1]?.key
    ?.replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${batchId}/${key ? `${number}-${key}` : number}`;
}

/** The message of the commit with a task's changes. */
export function changesMessage(batchId: string, number: number): string {
  return `Task ${number} of batch ${batchId}`;
}
