// The whole answer of a batch as it stands at this moment.
import { answerOf } from "../engine/answer.ts";
import { standingOf } from "../engine/standing.ts";
import type { BatchAnswer } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { clientAnswerOf } from "./client-answer.ts";
import type { ClientLimits } from "./clients.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";

/** With at most so many characters of all results together. */
export function answerNow(
  context: Context,
  log: BatchLog,
  { mostCharacters, message }: { mostCharacters: number; message: string },
): BatchAnswer {
  const row = rowOf(context, log);
  return answerOf(log.state, {
    word: standingOf(row),
    mostCharacters,
    held: row.held,
    message,
  });
}

/** No longer than the client bears. */
export function clientAnswerNow(
  context: Context,
  log: BatchLog,
  { limits, message }: { limits: ClientLimits; message: string },
): BatchAnswer {
  const row = rowOf(context, log);
  return clientAnswerOf(log.state, {
    word: standingOf(row),
    mostCharacters: limits.answerCharacters,
    held: row.held,
    message,
  });
}
