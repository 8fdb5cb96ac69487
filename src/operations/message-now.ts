// How a batch stands, and what to do next, in a few sentences for the caller.

import { standingText } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, standingOf } from "../store/standing.ts";
import type { BatchRow } from "../store/store.ts";
import type { Context } from "./context.ts";
import { farText, interruptedText } from "./far-text.ts";

/** With what is known of its processes. */
export function messageNow({ door }: Context, { state }: BatchLog, row: BatchRow): string {
  const word = standingOf(row);
  const processes = word === "interrupted" ? interruptedText(row) : farText(row, door);
  const text = standingText(state, word, { door, held: heldNow(row) });
  return processes === undefined ? text : `${text} ${processes}`;
}
