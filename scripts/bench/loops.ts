// Trivial tasks by what people use instead, beside our `run`, which also keeps logs, transcripts, results and pages.
import { type Line, median, type Row, ratioLine } from "./row.ts";
import { ourRun, parallelRun, type Run, xargsRun } from "./runs.ts";
import type { Workshop } from "./workshop.ts";

const most = { tasks: 500 };

export const loops: Row = {
  name: "loops",
  async measure(workshop) {
    const { rounds, concurrency: atOnce, tasks: wanted } = workshop.extent;
    const tasks = Math.min(wanted, most.tasks);
    const work = { tasks, startCpuMs: 0, holdMb: 0, firstTokenMs: 0 };
    const ways: [name: string, run: (workshop: Workshop) => Promise<Run>][] = [
      [`xargs -P${atOnce}`, (shop) => xargsRun(shop, work, { atOnce })],
      [`xargs -P${atOnce} sh -c`, (shop) => xargsRun(shop, work, { atOnce, shell: true })],
    ];
    if (Bun.which("parallel") !== null)
      ways.push([`parallel -j${atOnce}`, (shop) => parallelRun(shop, work, atOnce)]);
    const ours: number[] = [];
    const theirs = ways.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      ours.push((await ourRun(workshop, work, { atOnce })).totalMs / tasks);
      for (const [index, [, run]] of ways.entries())
        theirs[index]?.push((await run(workshop)).totalMs / tasks);
    }
    return ways.map(([name], index): Line => {
      const figure = `wall time a trivial task (${tasks}, ${atOnce} at once), beside \`${name}\``;
      return ratioLine(figure, [median(ours), median(theirs[index] ?? [])]);
    });
  },
};
