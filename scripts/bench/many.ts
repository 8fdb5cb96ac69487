// Tasks with a `claude` that costs a second of a processor and 300 MB to start, and whose model thinks for two seconds: our
// `run` beside the best of several `xargs -P`, which nobody knows before.
import { type Line, median, type Row, ratioLine } from "./row.ts";
import { type How, ourRun, type Run, xargsRun } from "./runs.ts";
import type { Workshop } from "./workshop.ts";

const pretence = { startCpuMs: 1_000, holdMb: 300, firstTokenMs: 2_000 };

interface Comparison {
  tasks: number;
  /** Numbers of processes of `xargs`. */
  numbersAtOnce: readonly number[];
  /** Our ways, with what the ratios of their total and mean may be. */
  ways: readonly { reuseSessions: NonNullable<How["reuseSessions"]>; total: number; mean: number }[];
}

export const many: Row = {
  name: "many",
  measure: (workshop) =>
    compared(workshop, {
      tasks: 24,
      numbersAtOnce: [4, 8, 12, 16, 24],
      ways: [
        { reuseSessions: "never", total: 1.05, mean: 0.85 },
        { reuseSessions: "auto", total: 0.8, mean: 0.7 },
      ],
    }),
};

export const hundred: Row = {
  name: "hundred",
  measure: (workshop) =>
    compared(workshop, {
      tasks: 100,
      // Four leave processors idle while they wait for the model, and more than 16 only take turns on them.
      numbersAtOnce: [8, 16],
      ways: [{ reuseSessions: "auto", total: 0.55, mean: 0.55 }],
    }),
};

async function compared(workshop: Workshop, { tasks, numbersAtOnce, ways }: Comparison): Promise<Line[]> {
  const work = { ...pretence, tasks };
  const ours = ways.map((): Run[] => []);
  const theirs = new Map<number, Run[]>(numbersAtOnce.map((atOnce) => [atOnce, []]));
  for (let round = 0; round < workshop.extent.rounds; round++) {
    for (const [index, { reuseSessions }] of ways.entries())
      ours[index]?.push(await ourRun(workshop, work, { reuseSessions }));
    for (const [atOnce, runs] of theirs) runs.push(await xargsRun(workshop, work, { atOnce }));
  }
  const all = [...theirs].map(([atOnce, runs]) => ({ atOnce, ...middle(runs) }));
  const bestTotal = all.reduce((best, one) => (one.totalMs < best.totalMs ? one : best));
  const bestMean = all.reduce((best, one) => (one.meanMs < best.meanMs ? one : best));
  return ways.flatMap(({ reuseSessions, total, mean }, index) => {
    const own = middle(ours[index] ?? []);
    const what = `${tasks} tasks that cost 1 s of a processor each, \`reuseSessions: "${reuseSessions}"\``;
    return [
      ratioLine(
        `${what}: all of them, beside \`xargs -P${bestTotal.atOnce}\``,
        [own.totalMs, bestTotal.totalMs],
        total,
      ),
      ratioLine(
        `  the mean task, beside \`xargs -P${bestMean.atOnce}\``,
        [own.meanMs, bestMean.meanMs],
        mean,
      ),
    ];
  });
}

function middle(runs: readonly Run[]): Run {
  return {
    totalMs: median(runs.map(({ totalMs }) => totalMs)),
    meanMs: median(runs.map(({ meanMs }) => meanMs)),
  };
}
