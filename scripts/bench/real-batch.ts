// Many short tasks on the real `claude` against a stand-in for its API, whose answers begin after two seconds: what a user waits
// for, and what is written to the prompt cache. Beside another checkout (`--beside`), and beside `xargs -P`, all taking turns.
import { join } from "node:path";
import type { SessionOptions } from "../../src/model/options.ts";
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
const beside = "beside";

type Reuse = NonNullable<SessionOptions["reuseSessions"]>;
type Time = "totalMs" | "meanMs";

/** Ways by their names, and what each of their rounds took. */
type Measured = ReadonlyMap<string, RealFigures[]>;

/** What is compared with, by its figures; and what the ratio to it may be. */
interface Compared {
  whose: string;
  figures: Record<Time, number>;
  most?: Record<Time, number>;
}

export const realBatch: Row = {
  name: "real-batch",
  async measure(workshop) {
    if (Bun.which("xargs") === null) throw new Skipped("there is no `xargs` on the PATH");
    const { path, version } = await installRealClaude();
    const ways = await ourWays(workshop, path, ["never", "auto"]);
    for (const parallel of parallels) ways.set(`xargs -P ${parallel}`, xargsBy(path, parallel));
    const measured = await inTurns(workshop, few, ways);
    const best = (figure: Time) =>
      Math.min(...parallels.map((one) => middle(measured, `xargs -P ${one}`, figure)));
    const compared = { whose: "best xargs", figures: { totalMs: best("totalMs"), meanMs: best("meanMs") } };
    return [
      ...lines(measured, few, version, "never", { ...compared, most: { totalMs: 0.95, meanMs: 0.75 } }),
      ...lines(measured, few, version, "auto", { ...compared, most: { totalMs: 0.8, meanMs: 0.7 } }),
      ...[...measured.keys()]
        .filter((name) => !name.startsWith("ours"))
        .map((name) => detail(measured, name)),
    ];
  },
};

/** The targets are ratios to the program as it was at commit 5e5f225: `--beside` a checkout of that. */
export const realMany: Row = {
  name: "real-many",
  async measure(workshop) {
    const { path, version } = await installRealClaude();
    const measured = await inTurns(workshop, many, await ourWays(workshop, path, ["never", "auto"]));
    const [totalMs, meanMs] = [middle(measured, beside, "totalMs"), middle(measured, beside, "meanMs")];
    const compared = Number.isNaN(totalMs)
      ? undefined
      : { whose: "the other checkout", figures: { totalMs, meanMs } };
    const mostOfAuto = { totalMs: 0.65, meanMs: 0.65 };
    return [
      ...lines(measured, many, version, "never", compared),
      ...lines(measured, many, version, "auto", compared && { ...compared, most: mostOfAuto }),
    ];
  },
};

/** How often the shared beginning is written by many sessions: a count, so one round is enough. */
export const realPrefix: Row = {
  name: "real-prefix",
  async measure(workshop) {
    const { path } = await installRealClaude();
    const way = batchBy(await workshop.programOf(root), path);
    const measured = new Map([[oursWith("never"), [await realFigures(workshop, most, way)]]]);
    return [writtenLine(measured, most, "never")];
  },
};

const oursWith = (reuse: Reuse) => `ours, ${reuse}`;

async function ourWays(
  workshop: Workshop,
  claude: string,
  reuses: readonly Reuse[],
): Promise<Map<string, Way>> {
  const ours = await workshop.programOf(root);
  const ways = new Map(
    reuses.map((reuse) => [oursWith(reuse), batchBy(ours, claude, ["--reuse-sessions", reuse])]),
  );
  if (workshop.beside !== undefined)
    ways.set(beside, batchBy(await workshop.programOf(workshop.beside), claude));
  return ways;
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

function lines(
  measured: Measured,
  work: RealWork,
  version: string,
  reuse: Reuse,
  compared: Compared | undefined,
): Line[] {
  const { tasks, concurrency } = work;
  const time = (figure: Time): Line => {
    const ours = middle(measured, oursWith(reuse), figure);
    const what = figure === "totalMs" ? "total" : "mean";
    const asked = `${what} of ${tasks} tasks at ${concurrency} on claude ${version}, \`reuseSessions: "${reuse}"\``;
    const line = { figure: asked, value: msText(ours) };
    if (!compared) return line;
    const { whose, figures, most } = compared;
    const ratio = ours / figures[figure];
    return {
      ...line,
      beside: `${msText(figures[figure])} (${whose})`,
      ratio,
      ...(most ? { target: `ratio ≤ ${most[figure]}`, met: ratio <= most[figure] } : {}),
    };
  };
  return [time("totalMs"), time("meanMs"), writtenLine(measured, work, reuse)];
}

function writtenLine(measured: Measured, { tasks }: RealWork, reuse: Reuse): Line {
  const times = middle(measured, oursWith(reuse), "writtenTimes");
  return {
    figure: `  how often ${tasks} tasks write their shared beginning`,
    value: times.toFixed(2),
    target: `≤ ${mostWritten}`,
    met: times <= mostWritten,
  };
}

function detail(measured: Measured, name: string): Line {
  const [total, mean] = [middle(measured, name, "totalMs"), middle(measured, name, "meanMs")];
  const written = middle(measured, name, "writtenTimes").toFixed(2);
  return {
    figure: `  ${name}: total, mean, written`,
    value: `${msText(total)}, ${msText(mean)}, ${written}`,
  };
}
