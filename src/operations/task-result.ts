// The file that gets the result of one task: what is in it already, and how it is written.
import { clock } from "../platform/clock.ts";
import { kindAt, readSmallFile } from "../platform/files.ts";
import { replaceFile } from "../platform/whole-files.ts";
import { sessionAnswerOf } from "../report/answer.ts";
import { harmlessJson } from "../report/harmless.ts";
import { wholeAnswer } from "./answer-now.ts";
import type { Context } from "./context.ts";
import type { ClaimedTask } from "./result-claim.ts";
import { type TaskResult, taskResultSchema } from "./task-spec.ts";
import { UserError } from "./user-error.ts";

/** Larger than any answer, in bytes. */
const mostBytes = 500_000_000;

/** How long to try to write a result that has been paid for, in seconds. */
const patienceSeconds = 60;

/**
 * The result in a file, if it is of this spec; undefined if there is none yet. One of this spec that is no success is
 * returned too. Throws `UserError` for a file that must not be replaced: a success of another spec, or no result of ours.
 */
export function earlierResult(out: string, digest: string): TaskResult | undefined {
  const kind = kindAt(out);
  if (kind === "nothing") return undefined;
  const file = readSmallFile(out, mostBytes);
  if (file.kind === "nothing") return undefined;
  if (file.kind === "unreadable")
    throw new UserError(`${out} ${file.reason}, so no result can be written there.`);
  // As `mktemp` makes it.
  if (file.bytes.length === 0) return undefined;
  const result = resultIn(new TextDecoder().decode(file.bytes));
  if (!result)
    throw new UserError(
      `${out} exists, and is no result of \`run-task\`. Remove it, or choose another file with \`--out\`.`,
    );
  if (result.specDigest === digest) return result;
  if (result.status !== "success") return undefined;
  throw new UserError(
    `${out} has the result of another spec. Remove it, or choose another file with \`--out\`.`,
  );
}

/**
 * The result of a task that another process had paid for and not written; undefined if there is none in this store, or it is none
 * of this spec, or no success.
 */
export async function paidResult(
  context: Context,
  { batchId, digest: claimed }: ClaimedTask,
  { digest, prompt }: { digest: string; prompt: string | undefined },
): Promise<TaskResult | undefined> {
  const log = claimed === digest ? context.store.batch(batchId) : undefined;
  const task = log?.state.tasks[0];
  // Everybody who may write to the folder of the results can name any batch in a claim.
  if (log?.state.batch.tasks[0]?.prompt !== prompt) return undefined;
  if (!log || task?.status !== "done" || task.outcome.kind !== "succeeded") return undefined;
  return { ...sessionAnswerOf(await wholeAnswer(context, log)), specDigest: digest };
}

function resultIn(text: string): TaskResult | undefined {
  try {
    return taskResultSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Another program's file.
    return undefined;
  }
}

/** Writes a result as a whole. Tries again for a minute, because it has been paid for; then throws. */
export async function writeResult(out: string, result: TaskResult): Promise<void> {
  const text = `${harmlessJson<unknown>(result, 2)}\n`;
  for (let seconds = 0; ; seconds++) {
    try {
      return await replaceFile(out, text);
    } catch (error) {
      if (seconds >= patienceSeconds) throw error;
      await clock.next("second");
    }
  }
}
