// The colours of batches and tasks in a terminal.
import type { BatchEnd } from "../../../model/batch-end.ts";
import type { DoneTask } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";

export const stateColours = {
  running: "cyan",
  paused: "yellow",
  finished: "green",
  cancelled: "yellow",
  interrupted: "yellow",
} as const satisfies Record<StateWord, string>;

const outcomeColours = {
  succeeded: "green",
  failed: "red",
  crashed: "red",
  "timed-out": "red",
  cancelled: "yellow",
  "not-started": "red",
  unverified: "red",
} as const;

/** The colour of a batch's end. */
export function endColour(end: BatchEnd): "green" | "red" | "yellow" {
  const { kind } = end;
  return kind === "succeeded" ? "green" : kind === "failed" ? "red" : "yellow";
}

/** A success with denied tools needs attention. */
export function colourOf({ outcome, usage }: DoneTask): "green" | "red" | "yellow" {
  return outcome.kind === "succeeded" && usage?.denials?.length ? "yellow" : outcomeColours[outcome.kind];
}
