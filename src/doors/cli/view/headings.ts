// What a command says of a batch before it runs.
import type { BatchState } from "../../../model/state.ts";
import { countText } from "../../../report/amounts.ts";

/** "at most 4 at once", as requested. */
export function atOnceText({ concurrency }: BatchState["batch"]): string {
  return concurrency === "auto"
    ? "as many in parallel as your machine and account allow"
    : `at most ${concurrency} at once`;
}

/** " (a sample of 5 first)", or nothing. */
export function sampleText({ sample }: BatchState["batch"]): string {
  return sample === undefined ? "" : ` (a sample of ${sample.length} first)`;
}

/** "Batch b4k2: 3 tasks, at most 2 at once. Files go to …". */
export function headingOf({ batch, outputDirectory }: BatchState): string {
  return `Batch ${batch.batchId}: ${countText(batch.tasks.length, "task")}${sampleText(batch)}, ${atOnceText(batch)}. Files go to ${outputDirectory}.`;
}
