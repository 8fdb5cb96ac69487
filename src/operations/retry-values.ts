// The values of `env` that come with a retry.
import type { SessionOptions } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { noValues, type SessionValues, taskVariableNames, variablesOf } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import { listText } from "../report/option-words.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { type Context, InputError, UserError } from "./context.ts";
import { wrong } from "./fault.ts";
import { readVariables, variableFaults } from "./variables.ts";

interface Given {
  env: SessionOptions["env"];
  /** The named tasks; if none were named, all that wait. */
  tasks: readonly number[] | undefined;
  /** The tasks that run again. */
  again: readonly number[];
  isRunning: boolean;
}

/**
 * The values for a batch whose processes are gone, and their values with them. For the named tasks only, if any. Throws
 * if one of them lacks values, if one value would go to tasks that had their own, or if a batch still has its values.
 */
export function retryValues(
  context: Context,
  { batchId, state }: BatchLog,
  { env, tasks, again, isRunning }: Given,
): SessionValues {
  const given =
    typeof env === "string"
      ? readVariables(context, env, context.workingDirectory)
      : { variables: env ?? {} };
  if ("fault" in given) throw new InputError([wrong(["env"], given.fault)]);
  const names = Object.keys(given.variables);
  const faults = variableFaults(given.variables);
  if (faults.length > 0) throw new InputError(faults);
  if (isRunning) {
    if (env === undefined) return noValues;
    throw new UserError(
      prose`Batch ${batchId} is still running and has its ${option("env")} values. Omit ${option("env")}, or retry after it has ended.`,
    );
  }
  const waiting = state.tasks
    .filter(({ number, status }) => status !== "done" || again.includes(number))
    .map(({ number }) => number);
  const receivers = env === undefined ? waiting : waiting.filter((number) => tasks?.includes(number) ?? true);
  const unknown = names.filter(
    (name) => !state.tasks.some(({ number }) => taskVariableNames(state.batch, number).includes(name)),
  );
  if (unknown.length > 0)
    throw new UserError(
      prose`No task of batch ${batchId} uses the variable ${unknown.join(", ")} in ${option("env")}.`,
    );
  for (const name of names) refuseMixing(state, receivers, name);
  const values: SessionValues =
    tasks === undefined
      ? { shared: given.variables, tasks: {} }
      : { shared: {}, tasks: Object.fromEntries(receivers.map((number) => [number, given.variables])) };
  const lacking = new Set(
    receivers.flatMap((number) => {
      const own = variablesOf(values, number, taskVariableNames(state.batch, number));
      return own.kind === "lost" ? own.names : [];
    }),
  );
  if (lacking.size === 0) return values;
  throw new UserError(
    prose`Tasks of batch ${batchId} need ${[...lacking].join(", ")}. Values are never stored. Pass them with ${option("env")}, or retry only other tasks.`,
  );
}

// Whether values differed is unknown: only their names are stored.
function refuseMixing(state: BatchState, receivers: readonly number[], name: string): void {
  const having = receivers.filter((number) => taskVariableNames(state.batch, number).includes(name));
  const own = having.filter((number) => state.batch.tasks[number - 1]?.options?.["env"] !== undefined);
  if (having.length < 2 || own.length === 0) return;
  throw new UserError(
    prose`${own.length === 1 ? "Task" : "Tasks"} ${listText(own)} had an ${option("env")} of ${own.length === 1 ? "its" : "their"} own, and ${name} would be given to ${having.length} tasks. Retry one of them at a time, by its number and with its own ${option("env")}.`,
  );
}
