// A few dozen tasks with a `claude` that costs a second of a processor and 300 MB to start, and whose model thinks for two
// seconds: our `run` beside the best of several `xargs -P`, which nobody knows before.
import { median, type Row, ratioLine } from "./row.ts";
import { ourRun, type Run, xargsRun } from "./runs.ts";

const work = { tasks: 24, startCpuMs: 1_000, holdMb: 300, firstTokenMs: 2_000 };
const numbersAtOnce = [4, 8, 12, 16, 24];
const most = { total: 1.05, mean: 0.85 };

export const many: Row = {
  name: "many",
  async measure(workshop) {
    const ours: Run[] = [];
    const theirs = new Map<number, Run[]>(numbersAtOnce.map((atOnce) => [atOnce, []]));
    for (let round = 0; round < workshop.extent.rounds; round++) {
      ours.push(await ourRun(workshop, work));
      for (const [atOnce, runs] of theirs) runs.push(await xargsRun(workshop, work, { atOnce }));
    }
    const all = [...theirs].map(([atOnce, runs]) => ({ atOnce, ...middle(runs) }));
    const bestTotal = all.reduce((best, one) => (one.totalMs < best.totalMs ? one : best));
    const bestMean = all.reduce((best, one) => (one.meanMs < best.meanMs ? one : best));
    const own = middle(ours);
    const what = `${work.tasks} tasks that cost 1 s of a processor each`;
    return [
      ratioLine(
        `${what}: all of them, beside \`xargs -P${bestTotal.atOnce}\``,
        [own.totalMs, bestTotal.totalMs],
        most.total,
      ),
      ratioLine(
        `  the mean task, beside \`xargs -P${bestMean.atOnce}\``,
        [own.meanMs, bestMean.meanMs],
        most.mean,
      ),
    ];
  },
};

function middle(runs: readonly Run[]): Run {
  return {
    totalMs: median(runs.map(({ totalMs }) => totalMs)),
    meanMs: median(runs.map(({ meanMs }) => meanMs)),
  };
}
