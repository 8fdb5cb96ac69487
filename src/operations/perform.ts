// The one way in which doors run operations.
import type { z } from "zod";
import type { Context } from "./context.ts";
import { openStore } from "./open-store.ts";
import type { Call, Operation } from "./operation.ts";

/** Runs an operation, on a store that was opened. Throws `Fault` for what a user can fix. */
export async function perform<Input extends z.ZodType, Output extends z.ZodType>(
  context: Context,
  operation: Operation<Input, Output>,
  input: unknown,
  call: Call,
): Promise<z.output<Output>> {
  await openStore(context);
  return operation.run(context, input, call);
}
