// The text of a batch's summary, from the transcript of the session that wrote it.
import type { BatchState } from "../../model/state.ts";
import { summaryOf } from "../../model/summary.ts";
import { resultTextOf } from "./result-text.ts";

export interface SummaryText {
  /** The task that wrote it; 1-based. */
  task: number;
  text: string;
  /** Whether `text` is only the beginning. */
  cut: boolean;
}

/** At most `limit` characters of the newest summary; undefined if there is none. */
export function summaryTextOf(state: BatchState, limit: number): SummaryText | undefined {
  const task = summaryOf(state);
  if (!task) return undefined;
  const { text, cut } = resultTextOf(task, limit);
  return { task: task.number, text, cut };
}
