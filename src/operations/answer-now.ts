// The whole answer of a batch as it stands at this moment.
import { answerOf } from "../engine/output/answer.ts";
import type { BatchAnswer } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, standingOf } from "../store/standing.ts";
import { clientAnswerOf } from "./client-answer.ts";
import type { ClientLimits } from "./clients.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";
import { messageNow } from "./message-now.ts";

/** With at most this many characters of all results together. Without a message, it says how the batch stands. */
export function answerNow(
  context: Context,
  log: BatchLog,
  { mostCharacters, message }: { mostCharacters: number; message?: string },
): Promise<BatchAnswer> {
  const row = rowOf(context, log);
  const word = standingOf(row);
  return answerOf(log.state, {
    word,
    mostCharacters,
    held: heldNow(row),
    door: context.door,
    message: message ?? messageNow(context, log, row),
  });
}

/** The same, no longer than the client accepts. */
export function clientAnswerNow(
  context: Context,
  log: BatchLog,
  { limits, message }: { limits: ClientLimits; message?: string },
): Promise<BatchAnswer> {
  const row = rowOf(context, log);
  const word = standingOf(row);
  return clientAnswerOf(log.state, {
    word,
    mostCharacters: limits.answerCharacters,
    held: heldNow(row),
    door: context.door,
    message: message ?? messageNow(context, log, row),
  });
}
