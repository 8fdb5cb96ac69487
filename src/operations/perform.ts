// The one way in which doors run operations.
import type { z } from "zod";
import { carryOn } from "../engine/carry-on.ts";
import { exists } from "../platform/files.ts";
import { layoutOf } from "../store/layout.ts";
import { accountOf } from "./account.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Call, Operation } from "./operation.ts";

/** Runs an operation, after what lost its processes has been carried on. Throws `Fault` for what a user can mend. */
export async function perform<Input extends z.ZodType, Output extends z.ZodType>(
  context: Context,
  operation: Operation<Input, Output>,
  input: unknown,
  call: Call,
): Promise<z.output<Output>> {
  await carryOnLost(context);
  return operation.run(context, input, call);
}

/** Carries on what lost its processes. */
export async function carryOnLost(context: Context): Promise<void> {
  // A store that is not there has lost nothing, and bad input must not make one.
  if (!exists(layoutOf(stateDirectoryOf(context.configuration)).database)) return;
  const { store } = context;
  await carryOn(store, accountOf(process.env, store.salt()));
}
