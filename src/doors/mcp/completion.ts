// Completes what a user types: batches and task numbers, in addresses and in the arguments of prompts.
import type { McpServer } from "@modelcontextprotocol/server";
import { canRetry } from "../../model/state.ts";
import type { Context } from "../../operations/context.ts";
import { listedBatch } from "../../operations/find-batch.ts";
import { recentBatches } from "../../operations/resources.ts";
import type { Connection } from "./connection.ts";
import { prompts } from "./prompt-texts.ts";

/** The protocol's limit for one answer. */
const mostValues = 100;

export function serveCompletion(server: McpServer, { context }: Connection): void {
  server.server.setRequestHandler("completion/complete", ({ params: { ref, argument, context: given } }) => {
    const values = valuesFor(context, ref, argument.name, given?.arguments ?? {}).filter((value) =>
      value.startsWith(argument.value),
    );
    const more = values.length > mostValues;
    return { completion: { values: values.slice(0, mostValues), total: values.length, hasMore: more } };
  });
}

function valuesFor(
  context: Context,
  ref: { type: string; name?: string },
  argument: string,
  given: Record<string, string>,
): string[] {
  if (argument === "batchId") {
    return ["latest", ...recentBatches(context, mostValues).map(({ batchId }) => batchId)];
  }
  if (argument === "n" || argument === "tasks") {
    const retried = ref.type === "ref/prompt";
    // Addresses have numbers alone.
    return taskNames(context, given["batchId"], { retried, keys: argument === "tasks" });
  }
  const prompt = prompts.find(({ name }) => name === ref.name);
  return [...(prompt?.arguments.find(({ name }) => name === argument)?.values ?? [])];
}

// Of a batch that is already chosen; for a rerun, only tasks that can be rerun.
function taskNames(
  context: Context,
  batchId: string | undefined,
  { retried, keys }: { retried: boolean; keys: boolean },
): string[] {
  const row = listedBatch(recentBatches(context, mostValues), batchId ?? "latest");
  const state = row && context.store.batch(row.batchId)?.state;
  const tasks = (state?.tasks ?? []).filter((task) => !retried || canRetry(task));
  const named = keys ? tasks.flatMap(({ number }) => state?.batch.tasks[number - 1]?.key ?? []) : [];
  return [...tasks.map(({ number }) => String(number)), ...named];
}
