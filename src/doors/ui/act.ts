// What a page asks to do to a batch, through the same operations as commands and tools, and with their words.
import { z } from "zod";
import { cancelBatch } from "../../operations/batches.ts";
import { changeBatch } from "../../operations/change.ts";
import { besideContext, type Context, UserError, valueOrThrow } from "../../operations/context.ts";
import { check } from "../../operations/faults.ts";
import type { Call, Operation } from "../../operations/operation.ts";
import { perform } from "../../operations/perform.ts";
import { retryBatch } from "../../operations/retry.ts";
import { type Act, acts, type fields } from "../../report/wire/acts.ts";

/** The acts of an address. */
export const actSchema = z.enum(acts);

/** Longer ones name no tasks, in characters. */
const longestText = 100_000;
/** As somebody has typed it, and never empty. */
const typed = z.string().trim().min(1).max(longestText).optional();

type Typed<Name extends string> = z.ZodObject<Record<Name, typeof typed>>;
const cancelFields: Typed<(typeof fields.cancel)[number]> = z.strictObject({ tasks: typed });
const changeFields: Typed<(typeof fields.change)[number]> = z.strictObject({
  concurrency: typed,
  batchBudgetUsd: typed,
});
const retryFields: Typed<(typeof fields.retry)[number]> = z.strictObject({
  tasks: typed,
  model: typed,
  maxTurns: typed,
  timeoutSeconds: typed,
  maxBudgetUsd: typed,
  batchBudgetUsd: typed,
});
const noFields = z.strictObject({});

/** Does it, and says what was done. Throws `UserError` for what the user can fix. */
export async function act(
  context: Context,
  { batchId, what, details, call }: { batchId: string; what: Act; details: unknown; call: Call },
): Promise<string> {
  // Through a connection of its own, because a watch of the store sees only what *other* connections write.
  using beside = besideContext(context);
  const run = async <Input extends z.ZodType, Output extends z.ZodType<{ message: string }>>(
    operation: Operation<Input, Output>,
    input: object,
  ) => (await perform(beside, operation, { batchId, ...input }, call)).message;
  switch (what) {
    case "pause":
      valueOrThrow(check(noFields, details));
      return await run(changeBatch, { pause: true });
    case "go-on":
      valueOrThrow(check(noFields, details));
      return await run(changeBatch, { pause: false });
    case "change": {
      const given = valueOrThrow(check(changeFields, details));
      if (Object.values(given).every((value) => value === undefined))
        throw new UserError("Nothing was given that changes. Give a number of sessions, or a budget.");
      return await run(changeBatch, present(given));
    }
    case "cancel":
      return await run(cancelBatch, named(valueOrThrow(check(cancelFields, details)).tasks));
    case "retry": {
      const { tasks, batchBudgetUsd, ...options } = valueOrThrow(check(retryFields, details));
      const given = present(options);
      return await run(retryBatch, {
        ...named(tasks),
        ...present({ batchBudgetUsd }),
        ...(Object.keys(given).length > 0 ? { with: given } : {}),
      });
    }
  }
}

// "3 5-8, src/a.ts"
function named(tasks: string | undefined): { tasks?: string[] } {
  return tasks === undefined ? {} : { tasks: tasks.split(/[\s,]+/).filter((word) => word !== "") };
}

function present(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
