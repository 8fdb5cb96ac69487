// What a task costs beyond the process that it runs in: our runner beside a bare loop over the same child.
import { join } from "node:path";
import { limitLine, median, megabytesText, msText, type Row, ratioLine } from "./row.ts";
import { runBatch } from "./run-batch.ts";
import type { Cost } from "./workshop.ts";

const mostRatio = 1.5;
const mostProcessorMs = 3;
/** Of all processor time, that of the children included: a start of the runner counts for less, the more tasks there are. */
const mostAddedRatio = (tasks: number) => (tasks >= 10_000 ? 1.5 : 1.7);

export const taskCost: Row = {
  name: "task",
  async measure(workshop) {
    const { rounds, tasks, concurrency } = workshop.extent;
    const ours: Cost[] = [];
    const bare: Cost[] = [];
    const loop = join(import.meta.dir, "bare-loop.ts");
    const child = await workshop.child();
    for (let round = 0; round < rounds; round++) {
      ours.push(await runBatch(workshop, tasks));
      const numbers = [tasks, concurrency].map(String);
      bare.push(await workshop.cost([process.execPath, loop, child, workshop.newDirectory(), ...numbers]));
    }
    const of = (costs: Cost[], figure: (cost: Cost) => number) => median(costs.map(figure));
    const wall = ({ wallMs }: Cost) => wallMs / tasks;
    const processor = ({ userMs, systemMs }: Cost) => (userMs + systemMs) / tasks;
    const all = ({ allMs }: Cost) => allMs / tasks;
    const user = ({ userMs }: Cost) => userMs / tasks;
    const peak = ({ peakBytes }: Cost) => peakBytes;
    return [
      ratioLine(
        `wall time a task (${tasks} tasks, ${concurrency} at once)`,
        [of(ours, wall), of(bare, wall)],
        mostRatio,
      ),
      {
        ...ratioLine("processor time a task, of the runner alone", [
          of(ours, processor),
          of(bare, processor),
        ]),
        ...limit(of(ours, processor)),
      },
      ratioLine("  of it in user mode", [of(ours, user), of(bare, user)]),
      ratioLine(
        "processor time a task, with the child's",
        [of(ours, all), of(bare, all)],
        mostAddedRatio(tasks),
      ),
      {
        ...limitLine("peak memory of the runner", of(ours, peak), megabytesText),
        beside: megabytesText(of(bare, peak)),
      },
    ];
  },
};

function limit(processorMs: number) {
  const { target = "", met = false } = limitLine("", processorMs, msText, mostProcessorMs);
  return { target, met };
}
