// The current answer of a batch, whole.
import { answerOf } from "../engine/output/answer.ts";
import type { BatchAnswer } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import { clientAnswerOf } from "./client-answer.ts";
import type { ClientLimits } from "./clients.ts";
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
