// Whether the runner's memory grows with the number of tasks.

import { limitLine, megabytesText, type Row } from "./row.ts";
import { runBatch } from "./run-batch.ts";

const most = 150e6;
const mostAnonymous = 80e6;

export const memory: Row = {
  name: "memory",
  async measure(workshop) {
    const few = await runBatch(workshop, 100);
    const many = await runBatch(workshop, 10_000);
    return [
      limitLine("peak memory of the runner, 100 tasks", few.peakBytes, megabytesText, most),
      {
        ...limitLine("peak memory of the runner, 10,000 tasks", many.peakBytes, megabytesText, most),
        beside: megabytesText(few.peakBytes),
        ratio: many.peakBytes / few.peakBytes,
      },
      {
        ...limitLine("  of it anonymous, 10,000 tasks", many.anonymousBytes, megabytesText, mostAnonymous),
        beside: megabytesText(few.anonymousBytes),
        ratio: many.anonymousBytes / few.anonymousBytes,
      },
    ];
  },
};
