// The current answer of a batch, whole.
import { answerOf, entryWith } from "../engine/output/answer.ts";
import { resultTextOf } from "../engine/output/result-text.ts";
import { summaryTextOf } from "../engine/output/summary-text.ts";
import type { BatchState } from "../model/state.ts";
import type { BatchAnswer, ResultEntry } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import { clientAnswerOf } from "./client-answer.ts";
import { type ClientLimits, commandLineCharacters } from "./client-limits.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";
import { messageNow } from "./message-now.ts";

/** All results together have at most this many characters. The default message says how far the batch is. */
export function answerNow(
  context: Context,
  log: BatchLog,
  { mostCharacters, message }: { mostCharacters: number; message?: string },
): Promise<BatchAnswer> {
  const row = rowOf(context, log);
  const word = stateWordOf(row);
  return answerOf(log.state, {
    word,
    mostCharacters,
    held: heldNow(row),
    door: context.door,
    message: message ?? messageNow(context, log, row),
  });
}

/** The same, within the limit of standard output. */
export function wholeAnswer(context: Context, log: BatchLog): Promise<BatchAnswer> {
  return answerNow(context, log, { mostCharacters: commandLineCharacters });
}

/** The same, within the client's limit. */
export function clientAnswerNow(
  context: Context,
  log: BatchLog,
  { limits, message }: { limits: ClientLimits; message?: string },
): Promise<BatchAnswer> {
  const row = rowOf(context, log);
  const word = stateWordOf(row);
  return clientAnswerOf(log.state, {
    word,
    mostCharacters: limits.answerCharacters,
    held: heldNow(row),
    door: context.door,
    message: message ?? messageNow(context, log, row),
  });
}

/** The summary of a batch; undefined if it has none. */
export function summaryText(state: BatchState): string | undefined {
  return summaryTextOf(state, commandLineCharacters)?.text;
}

/** What the only task of a batch answered; undefined unless it succeeded. */
export function soleResult(state: BatchState): Pick<ResultEntry, "result" | "structuredResult"> | undefined {
  const [task] = state.tasks;
  if (state.tasks.length !== 1 || task?.status !== "done" || task.outcome.kind !== "succeeded")
    return undefined;
  const text = resultTextOf(task, commandLineCharacters);
  return entryWith(state, task, text, { resultFile: undefined, door: "command-line" });
}
