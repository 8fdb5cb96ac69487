// The values of `env` that come with a retry.
import type { SessionOptions } from "../model/options.ts";
import { noValues, type SessionValues, variableNames, variablesOf } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { type Context, Fault } from "./context.ts";
import { readVariables } from "./variables.ts";

/**
 * The values for a batch whose processes are gone, and theirs with them. Throws where a task lacks some, and where a batch
 * still has its own.
 */
export function retryValues(
  { workingDirectory }: Context,
  { batchId, state }: BatchLog,
  { env, again, isCarried }: { env: SessionOptions["env"]; again: readonly number[]; isCarried: boolean },
): SessionValues {
  const given = typeof env === "string" ? readVariables(env, workingDirectory) : { variables: env ?? {} };
  if ("fault" in given) throw new Fault(`env ${given.fault}`);
  if (isCarried) {
    if (env === undefined) return noValues;
    throw new Fault(
      `Batch ${batchId} is still running and has its \`env\` values. Omit \`env\`, or retry after it has ended.`,
    );
  }
  const values: SessionValues = { shared: given.variables, tasks: {} };
  const unknown = Object.keys(given.variables).filter(
    (name) => !state.tasks.some(({ number }) => namesOf(state, number).includes(name)),
  );
  if (unknown.length > 0)
    throw new Fault(`No task of batch ${batchId} uses the variable ${unknown.join(", ")} in \`env\`.`);
  const waiting = state.tasks.filter(({ number, status }) => status !== "done" || again.includes(number));
  const lacking = new Set(
    waiting.flatMap(({ number }) => {
      const own = variablesOf(values, number, namesOf(state, number));
      return own.kind === "lost" ? own.names : [];
    }),
  );
  if (lacking.size === 0) return values;
  throw new Fault(
    `Tasks of batch ${batchId} need ${[...lacking].join(", ")}. Values are never stored. Pass them with \`env\`, or retry only other \`tasks\`.`,
  );
}

function namesOf({ batch }: BatchState, number: number): string[] {
  return variableNames(batch.tasks[number - 1]?.options?.["env"] ?? batch.sessionOptions["env"]);
}
