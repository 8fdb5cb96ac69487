// Many short tasks on the real `claude` against a stand-in for its API, whose answers begin after two seconds: what a user waits
// for, and what is written to the prompt cache. Beside another checkout (`--beside`), and beside `xargs -P`, all taking turns.
import { join } from "node:path";
import { installRealClaude } from "../real-claude.ts";
import { batchBy, type RealFigures, type RealWork, realFigures, type Way, xargsBy } from "./real-runs.ts";
import { type Line, median, msText, type Row, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const root = join(import.meta.dir, "../..");
/** As many at a time as tasks: what counts is how the sessions start. */
const few: RealWork = { tasks: 24, concurrency: 24 };
/** More tasks than sessions: what counts, too, is how the next task begins. */
const many: RealWork = { tasks: 100, concurrency: 16 };
const most: RealWork = { tasks: 200, concurrency: 16 };
/** `xargs` with as many at a time. */
const parallels = [8, 16, 24];
/** How often the shared beginning may be written. */
const mostWritten = 1.1;

/** Ways by their names, and what each of their rounds took. */
type Measured = ReadonlyMap<string, RealFigures[]>;

export const realBatch: Row = {
  name: "real-batch",
  async measure(workshop) {
    if (Bun.which("xargs") === null) throw new Skipped("there is no `xargs` on the PATH");
    const { ways, version } = await ourWays(workshop);
    const claude = await installRealClaude();
    for (const parallel of parallels) ways.set(`xargs -P ${parallel}`, xargsBy(claude.path, parallel));
    const measured = await inTurns(workshop, few, ways);
    const others = parallels.map((one) => `xargs -P ${one}`);
    const best = (figure: keyof RealFigures) =>
      Math.min(...others.map((name) => middle(measured, name, figure)));
    return [
      timeLine(measured, "totalMs", {
        work: few,
        version,
        beside: best("totalMs"),
        whose: "best xargs",
        most: 0.95,
      }),
      timeLine(measured, "meanMs", {
        work: few,
        version,
        beside: best("meanMs"),
        whose: "best xargs",
        most: 0.75,
      }),
      writtenLine(measured, few),
      ...detailLines(measured),
    ];
  },
};

export const realMany: Row = {
  name: "real-many",
  async measure(workshop) {
    const { ways, version } = await ourWays(workshop);
    const measured = await inTurns(workshop, many, ways);
    const beside = (figure: keyof RealFigures) => middle(measured, "beside", figure);
    const whose = "the other checkout";
    return [
      ...(["totalMs", "meanMs"] as const).map((figure) =>
        timeLine(measured, figure, { work: many, version, beside: beside(figure), whose }),
      ),
      writtenLine(measured, many),
    ];
  },
};

/** How often the shared beginning is written by many sessions: a count, so one round is enough. */
export const realPrefix: Row = {
  name: "real-prefix",
  async measure(workshop) {
    const claude = await installRealClaude();
    const way = batchBy(await workshop.programOf(root), claude.path);
    return [writtenLine(new Map([["ours", [await realFigures(workshop, most, way)]]]), most)];
  },
};

async function ourWays(workshop: Workshop): Promise<{ ways: Map<string, Way>; version: string }> {
  const claude = await installRealClaude();
  const ways = new Map([["ours", batchBy(await workshop.programOf(root), claude.path)]]);
  if (workshop.beside !== undefined)
    ways.set("beside", batchBy(await workshop.programOf(workshop.beside), claude.path));
  return { ways, version: claude.version };
}

// Who comes first takes turns, too.
async function inTurns(
  workshop: Workshop,
  work: RealWork,
  ways: ReadonlyMap<string, Way>,
): Promise<Measured> {
  const measured = new Map([...ways.keys()].map((name): [string, RealFigures[]] => [name, []]));
  for (let round = 0; round < workshop.extent.rounds; round++) {
    const names = round % 2 === 0 ? [...ways] : [...ways].toReversed();
    for (const [name, way] of names) measured.get(name)?.push(await realFigures(workshop, work, way));
  }
  return measured;
}

function middle(measured: Measured, name: string, figure: keyof RealFigures): number {
  return median((measured.get(name) ?? []).map((figures) => figures[figure]));
}

interface Compared {
  work: RealWork;
  version: string;
  /** NaN where nothing is beside. */
  beside: number;
  whose: string;
  most?: number;
}

function timeLine(
  measured: Measured,
  figure: "totalMs" | "meanMs",
  { work: { tasks, concurrency }, version, beside, whose, most }: Compared,
): Line {
  const ours = middle(measured, "ours", figure);
  const what = figure === "totalMs" ? "total" : "mean";
  const line = {
    figure: `${what} of ${tasks} tasks at ${concurrency} on claude ${version}`,
    value: msText(ours),
  };
  if (Number.isNaN(beside)) return line;
  const ratio = ours / beside;
  return {
    ...line,
    beside: `${msText(beside)} (${whose})`,
    ratio,
    ...(most === undefined ? {} : { target: `ratio ≤ ${most}`, met: ratio <= most }),
  };
}

function writtenLine(measured: Measured, { tasks }: RealWork): Line {
  const times = middle(measured, "ours", "writtenTimes");
  return {
    figure: `  how often ${tasks} tasks write their shared beginning`,
    value: times.toFixed(2),
    target: `≤ ${mostWritten}`,
    met: times <= mostWritten,
  };
}

function detailLines(measured: Measured): Line[] {
  return [...measured.keys()].slice(1).map((name) => ({
    figure: `  ${name}: total, mean, written`,
    value: `${msText(middle(measured, name, "totalMs"))}, ${msText(middle(measured, name, "meanMs"))}, ${middle(measured, name, "writtenTimes").toFixed(2)}`,
  }));
}
