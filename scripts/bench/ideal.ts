// Tasks that only wait: as many as fit beside each other should take no longer than their own time.
import { median, type Row, ratioLine } from "./row.ts";
import { ourRun } from "./runs.ts";

const work = { tasks: 200, startCpuMs: 0, holdMb: 0, firstTokenMs: 1_000 };
const atOnce = 16;
const mostRatio = 1.03;

export const ideal: Row = {
  name: "ideal",
  async measure(workshop) {
    const totals: number[] = [];
    for (let round = 0; round < workshop.extent.rounds; round++)
      totals.push((await ourRun(workshop, work, { atOnce })).totalMs);
    const idealMs = Math.ceil(work.tasks / atOnce) * work.firstTokenMs;
    const figure = `${work.tasks} tasks of 1 s, ${atOnce} at once, beside the ideal`;
    return [ratioLine(figure, [median(totals), idealMs], mostRatio)];
  },
};
