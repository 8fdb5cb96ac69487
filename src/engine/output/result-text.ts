// The texts of an ended task, from its transcript.
import { readAnswer } from "../../claude/transcript.ts";
import type { DoneTask } from "../../model/state.ts";
import { messageOf } from "../../platform/system-error.ts";
import { textPlaces } from "../../report/text-places.ts";

/** For one answer in a page or a line, in characters. Longer texts are cut, and name the place of the whole. */
export const longestText = 1_000_000;

export interface ResultText {
  /** The answer; empty for a task without one. */
  text: string;
  /** Whether `text` is only the beginning. */
  cut: boolean;
  /** Other answers of the session, each with its heading. */
  others: OtherText[];
}

/** An answer that is not the task's result, with its heading. */
export interface OtherText {
  heading: string;
  text: string;
}

/** What the session answered, at most `limit` characters of each text. */
export function resultTextOf(task: DoneTask, limit: number): ResultText {
  const { outcome, attempts } = task;
  const transcript = attempts.at(-1)?.transcript;
  const result: ResultText = { text: "", cut: false, others: [] };
  if (transcript === undefined) return result;
  try {
    for (const { offset, heading } of textPlaces(outcome)) {
      const { text, cut } = readAnswer(transcript, offset, limit);
      if (heading === undefined) Object.assign(result, { text, cut });
      else {
        const rest = cut ? `\n\n[The rest is in ${transcript}.]` : "";
        result.others.push({ heading, text: `${text}${rest}` });
      }
    }
    return result;
  } catch (error) {
    // The transcript was removed or is unreadable, which does not change how the task ended.
    const reason = messageOf(error);
    if (outcome.kind !== "succeeded") return result;
    return { text: `The transcript ${transcript} cannot be read: ${reason}`, cut: true, others: [] };
  }
}

/** Other texts, as appended to the answer. */
export function othersText(others: readonly OtherText[]): string {
  return others.map(({ heading, text }) => `\n\n${heading}\n\n${text}`).join("");
}
