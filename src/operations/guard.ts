// Stops runaway starts: sessions that start sessions, and callers that never stop.
import { depthOf } from "../claude/environment.ts";
import { variableOf } from "../model/configuration.ts";
import type { Context } from "./context.ts";

/** No person or model starts more batches in a minute. Reported: 5,996 sessions started by a hook. */
const mostBatchesAMinute = 120;

/** What is wrong with starting sessions from here; usually undefined. */
export function depthFault(
  { configuration, inForce }: Context,
  environment = process.env,
): string | undefined {
  const depth = depthOf(environment);
  if (depth < configuration.maxDepth) return undefined;
  return `this process runs inside a session that this program started (${depth} deep), and sessions may be ${configuration.maxDepth} deep. To allow sessions to start sessions, the operator can raise \`maxDepth\` in ${inForce.file}, or ${variableOf("maxDepth")}`;
}

/** What is wrong with starting one more batch now. */
export function rateFault({ store }: Context, account: string): string | undefined {
  const created = store.createdSince(account, Date.now() - 60_000);
  if (created < mostBatchesAMinute) return undefined;
  return `${created} batches were started in the last minute, which looks like a program that keeps starting itself. Put many tasks in one batch, or wait a minute.`;
}
