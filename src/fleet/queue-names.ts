// The names that a fleet's programs have in common.
import { jobVersion } from "./job.ts";

/** Of a job, in queue and ledger. */
export type JobId = string;

/** The name of every job: a queue has only one kind. */
export const jobName = "task";

/** One queue for each account, because a usage limit stops all sessions of one account, and for each version of jobs. */
export function queueNameOf(account = "default"): string {
  return `fleet${jobVersion}-${account}`;
}

/** Where workers hear of cancelled jobs. */
export function controlNameOf(queue: string): string {
  return `${queue}-ctl`;
}

/** Where workers say what they do: one field for each. Within the keys that a user of the queue may use. */
export function workersKeyOf(queue: string): string {
  return `led:workers:${queue}`;
}

/** Which workers are out of service: one field for each name. */
export function drainsKeyOf(queue: string): string {
  return `led:drains:${queue}`;
}
