// Where the texts of an ended task are in its transcript.
import type { Outcome } from "../model/outcome.ts";

/** A text, and its heading if it is not the answer. */
export interface TextPlace {
  /** Where its line begins, in bytes. */
  offset: number;
  heading?: string;
}

/** All texts of an outcome, in the order of reading. */
export function textPlaces(outcome: Outcome): TextPlace[] {
  if (outcome.kind === "not-started") return [];
  if (outcome.kind === "succeeded") {
    return [
      { offset: outcome.offset },
      ...placed(outcome.earlierOffsets, headings.earlier),
      ...placed(outcome.laterOffsets, headings.later),
    ];
  }
  if (outcome.kind === "unverified") {
    const { answer } = outcome;
    return [
      { offset: answer.offset, heading: headings.unverified },
      ...placed(answer.earlierOffsets, headings.earlier),
      ...placed(answer.laterOffsets, headings.later),
    ];
  }
  return placed(outcome.interimOffsets?.toReversed(), headings.interim);
}

/** The headings of texts that are not the answer. */
export const headings = {
  unverified: "The answer, which did not pass its checks:",
  earlier: "Earlier answer, while background work was still running:",
  later: "Later answer, after background work had ended:",
  interim: "Interim answer, before the work was finished:",
};

function placed(offsets: readonly number[] | undefined, heading: string): TextPlace[] {
  return (offsets ?? []).map((offset) => ({ offset, heading }));
}
