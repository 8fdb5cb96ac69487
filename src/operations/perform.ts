// The only way in which doors run operations.
import type { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { isStoreError } from "../store/database.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, errorOfStore, UserError } from "./context.ts";
import { openStore } from "./open-store.ts";
import type { Call, Caller, Operation, Tool } from "./operation.ts";

/** Runs an operation with an open store. Throws `UserError` for what a user can fix. */
export function perform<Input extends z.ZodType, Output extends z.ZodType>(
  context: Context,
  operation: Operation<Input, Output>,
  input: unknown,
  call: Call,
): Promise<z.output<Output>> {
  return onStore(context, () => operation.run(context, input, call));
}

/** Starts the work of a tool through its `start`. Undefined if it has none. */
export async function performStart(
  context: Context,
  tool: Tool,
  { input, caller }: { input: unknown; caller: Caller },
): Promise<BatchId | undefined> {
  return onStore(context, async () => tool.start?.(context, input, caller));
}

/** Acts with an open store, for a door that presents results piece by piece. Throws `UserError` for what a user can fix. */
export async function onStore<Result>(context: Context, act: () => Promise<Result>): Promise<Result> {
  try {
    await openStore(context);
    return await act();
  } catch (error) {
    throw explained(error, context);
  }
}

/** The error, in words for the user if it is about the store: locked, full or damaged since it was opened. */
export function explained(error: unknown, context: Context): unknown {
  if (error instanceof UserError || !isStoreError(error)) return error;
  const place = context.openedStore?.layout.stateDirectory ?? stateDirectoryOf(context.configuration);
  return errorOfStore(error, place) ?? error;
}
