// Compares adaptive concurrency (`auto`) with fixed numbers, on APIs whose capacity is unknown and changes.
// Run `bun run bench:limits [--profile steady] [--only auto,8] [--rounds 1] [--trace] [--program PATH]`.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { useProgram } from "../test/harness.ts";
import { type LimitsProfile, profiles } from "./bench/limits-profiles.ts";
import { type LimitsRun, runLimits } from "./bench/limits-run.ts";
import { median } from "./bench/row.ts";
import { Workshop } from "./bench/workshop.ts";

const leastRatio = 0.9;
const mostWasted = 0.05;

const { values } = parseArgs({
  options: {
    profile: { type: "string" },
    /** Which concurrencies; without `auto` and at least one number there is no ratio. */
    only: { type: "string", default: "4,8,12,16,24,32,auto" },
    rounds: { type: "string", default: "1" },
    /** Prints each run of `auto` by the second. */
    trace: { type: "boolean", default: false },
    /** An executable to measure instead of what the sources give now. */
    program: { type: "string" },
  },
});
const chosen = profiles.filter(({ name }) => values.profile === undefined || values.profile === name);
if (chosen.length === 0) {
  console.error(
    `There is no profile ${values.profile}. There are ${profiles.map(({ name }) => name).join(", ")}.`,
  );
  process.exit(2);
}
const concurrencies = values.only.split(",");
const rounds = Number(values.rounds);
using workshop = new Workshop(
  { rounds, tasks: 0, concurrency: 0 },
  { program: values.program && resolve(values.program) },
);
using _program = useProgram([await workshop.program()]);

let allMet = true;
for (const profile of chosen) {
  const runs = await measured(profile);
  console.log(tableText(profile, runs));
}
process.exitCode = allMet ? 0 : 1;

// By turns, so that what else the machine does falls on all alike.
async function measured(profile: LimitsProfile): Promise<Map<string, LimitsRun[]>> {
  const runs = new Map<string, LimitsRun[]>(concurrencies.map((concurrency) => [concurrency, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [concurrency, before] of runs) {
      const run = await runLimits(profile, concurrency);
      before.push(run);
      // A table takes minutes: what is known already is told.
      console.error(`${profile.name}, ${concurrency} at once: ${run.tasksPerSecond.toFixed(2)} tasks/s`);
      if (values.trace && concurrency === "auto") console.log(traceText(run));
    }
  }
  return runs;
}

function tableText({ name, tasks }: LimitsProfile, runs: Map<string, LimitsRun[]>): string {
  const speed = (of: LimitsRun[]) => median(of.map(({ tasksPerSecond }) => tasksPerSecond));
  const fixed = [...runs].filter(([concurrency]) => concurrency !== "auto").map(([, of]) => speed(of));
  const best = fixed.length === 0 ? undefined : Math.max(...fixed);
  const lines = [...runs].map(([concurrency, of]) => {
    const middle = (figure: (run: LimitsRun) => number) => median(of.map(figure));
    const wasted = middle((run) => run.wasted / run.attempts);
    const failed = Math.max(...of.map((run) => run.failed));
    const ratio = best === undefined ? undefined : speed(of) / best;
    const met = (ratio === undefined || ratio >= leastRatio) && wasted <= mostWasted && failed === 0;
    if (concurrency === "auto") allMet &&= met;
    return [
      concurrency,
      speed(of).toFixed(2),
      ratio?.toFixed(3) ?? "",
      String(middle((run) => run.attempts)),
      `${(100 * wasted).toFixed(1)} %`,
      String(failed),
      String(middle((run) => run.throttledCalls)),
      String(middle((run) => run.mostRunning)),
      concurrency === "auto" ? (met ? "met" : "missed") : "",
    ];
  });
  const targets = [
    "for auto",
    "",
    `≥ ${leastRatio.toFixed(2)}`,
    "",
    `≤ ${100 * mostWasted} %`,
    "0",
    "",
    "",
    "",
  ];
  const heads = [
    "at once",
    "tasks/s",
    "of best",
    "attempts",
    "wasted",
    "failed",
    "throttled calls",
    "most at once",
    "",
  ];
  return `\n${name}: ${tasks} tasks, ${rounds} ${rounds === 1 ? "round" : "rounds"}\n${columns([heads, ...lines, targets])}`;
}

function traceText({ trace }: LimitsRun): string {
  const lines = trace.map(({ running, served, throttled }, second) =>
    [second, running, served, throttled].map(String),
  );
  return `\nauto, by the second\n${columns([["second", "most running", "served", "throttled"], ...lines])}`;
}

function columns(lines: readonly string[][]): string {
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padStart(widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
