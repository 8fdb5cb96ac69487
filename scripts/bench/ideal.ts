// Tasks that only wait: as many as fit beside each other should take no longer than their own time.
import { type Line, median, type Row, ratioLine } from "./row.ts";
import { ourRun, type Pretence } from "./runs.ts";
import type { Workshop } from "./workshop.ts";

const tasks = 200;
const atOnce = 16;
const taskMs = 1_000;
const mostRatio = 1.03;
const free = { startCpuMs: 0, holdMb: 0 };

export const ideal: Row = {
  name: "ideal",
  measure: async (workshop) => [
    ratioLine(
      `${tasks} tasks of 1 s, ${atOnce} at once, beside the ideal`,
      [await medianOf(workshop, { ...free, firstTokenMs: 0, answerMs: taskMs }), timesOf(tasks) * taskMs],
      mostRatio,
    ),
    await lateLine(workshop),
  ],
};

// The others share what the first one writes to the cache of the API, so they are asked when its answer begins: here, at its end.
async function lateLine(workshop: Workshop): Promise<Line> {
  const figure =
    "the same if the whole second passes before an answer begins, so that the first one goes alone";
  const idealMs = (1 + timesOf(tasks - 1)) * taskMs;
  return ratioLine(figure, [await medianOf(workshop, { ...free, firstTokenMs: taskMs }), idealMs]);
}

/** How often all slots are filled. */
const timesOf = (count: number): number => Math.ceil(count / atOnce);

async function medianOf(workshop: Workshop, pretence: Pretence): Promise<number> {
  const totals: number[] = [];
  for (let round = 0; round < workshop.extent.rounds; round++)
    totals.push((await ourRun(workshop, { tasks, ...pretence }, { atOnce })).totalMs);
  return median(totals);
}
