// What a user may mean while typing: loaded with the first letter.
import { canRetry } from "../../model/state.ts";
import type { Context } from "../../operations/context.ts";
import { listedBatch } from "../../operations/listed-batch.ts";
import { recentBatches } from "../../operations/resources.ts";
import { prompts } from "./prompt-texts.ts";

/** What is completed: an argument of a prompt, or a part of an address. */
export interface Completed {
  ref: { type: string; name?: string };
  argument: string;
  /** The other arguments so far. */
  given: Record<string, string>;
}

/** All values, whatever has been typed; at most `mostBatches` batches. */
export function valuesFor(
  context: Context,
  { ref, argument, given }: Completed,
  mostBatches: number,
): string[] {
  if (argument === "batchId") {
    return ["latest", ...recentBatches(context, mostBatches).map(({ batchId }) => batchId)];
  }
  if (argument === "n" || argument === "tasks") {
    const retried = ref.type === "ref/prompt";
    // Addresses have numbers alone.
    return taskNames(context, given["batchId"], { retried, keys: argument === "tasks", mostBatches });
  }
  const prompt = prompts.find(({ name }) => name === ref.name);
  return [...(prompt?.arguments.find(({ name }) => name === argument)?.values ?? [])];
}

// Of a batch that is already chosen; for a rerun, only tasks that can be rerun.
function taskNames(
  context: Context,
  batchId: string | undefined,
  { retried, keys, mostBatches }: { retried: boolean; keys: boolean; mostBatches: number },
): string[] {
  const row = listedBatch(recentBatches(context, mostBatches), batchId ?? "latest");
  const state = row && context.store.batch(row.batchId)?.state;
  const tasks = (state?.tasks ?? []).filter((task) => !retried || canRetry(task));
  const named = keys ? tasks.flatMap(({ number }) => state?.batch.tasks[number - 1]?.key ?? []) : [];
  return [...tasks.map(({ number }) => String(number)), ...named];
}
