// How a batch and a task are coloured in a terminal.
import type { BatchEnd } from "../../../model/batch-end.ts";
import type { DoneTask } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";

export const stateColours = {
  running: "cyan",
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
} as const;

/** How the end of a batch is coloured. */
export function endColour(end: BatchEnd): "green" | "red" | "yellow" {
  const { kind } = end;
  return kind === "succeeded" ? "green" : kind === "failed" ? "red" : "yellow";
}

/** A success at which tools were denied is one to look at. */
export function colourOf({ outcome, usage }: DoneTask): "green" | "red" | "yellow" {
  return outcome.kind === "succeeded" && usage?.denials?.length ? "yellow" : outcomeColours[outcome.kind];
}
