// The text of a task's answer, out of its transcript.
import { readAnswer } from "../claude/transcript.ts";
import type { DoneTask } from "../model/state.ts";

export interface ResultText {
  text: string;
  /** Whether `text` is only the beginning. */
  cut: boolean;
  laterTexts: string[];
}

/** What the session answered, at most `limit` characters of each text; empty for a task without an answer. */
export function resultTextOf(task: DoneTask, limit: number): ResultText {
  const { outcome, attempts } = task;
  const transcript = attempts.at(-1)?.transcript;
  if (outcome.kind !== "succeeded" || transcript === undefined)
    return { text: "", cut: false, laterTexts: [] };
  try {
    const laterTexts = (outcome.laterOffsets ?? []).map((offset) => {
      const later = readAnswer(transcript, offset, limit);
      return later.cut ? `${later.text}\n\n[The rest of this is in ${transcript}.]` : later.text;
    });
    return { ...readAnswer(transcript, outcome.offset, limit), laterTexts };
  } catch (error) {
    // The transcript was removed or cannot be read: the task has succeeded all the same.
    const reason = error instanceof Error ? error.message : String(error);
    return { text: `The transcript ${transcript} cannot be read: ${reason}`, cut: true, laterTexts: [] };
  }
}
