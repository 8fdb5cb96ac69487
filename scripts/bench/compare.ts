// Whether this program costs as little as that of another checkout, in one run in which both take turns: a batch, the
// start, and a server that has nothing to do. `bun run bench compare --beside ../other-checkout`.
import { mkdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { delimiter, join } from "node:path";
import { variableOf } from "../../src/model/configuration.ts";
import { compile } from "../build.ts";
import { processorMsOf } from "./processor-time.ts";
import { type Line, median, megabytesText, msText, type Row, Skipped } from "./row.ts";
import { answeringServer, listTools } from "./start.ts";
import type { Workshop } from "./workshop.ts";

/** Fewer say nothing on a machine that does something else, too. */
const leastPairs = 7;
const tasks = 200;
const concurrency = 4;
const mostRatio = 1.03;
/** Starts are short, so each pair has several. */
const startsPerPair = 3;
/** How long what waits settles before it is measured, in milliseconds. */
const settleMs = 3_000;
const waiters = 5;
/** How many tasks others run meanwhile. */
const otherTasks = 40;

const root = join(import.meta.dir, "../..");
const fakeDirectory = join(root, "test/fixtures");

/** What one program took in one round. */
interface Figures {
  batchPeakBytes: number;
  batchWallMs: number;
  batchProcessorMs: number;
  startMs: number;
  startProcessorMs: number;
  idleBytes: number;
  waitingMs: number;
}

export const compare: Row = {
  name: "compare",
  async measure(workshop) {
    const other = workshop.beside;
    if (other === undefined) throw new Skipped("`--beside` names no other checkout");
    if (process.platform !== "linux") throw new Skipped("it reads /proc, which only Linux has");
    const programs = [await workshop.programOf(root), await workshop.programOf(other)] as const;
    const claude = join(workshop.directory, "fake-claude");
    await compile("test/fixtures/fake-claude/main.ts", claude);
    const pairs = Math.max(leastPairs, workshop.extent.rounds);
    const ours: Figures[] = [];
    const theirs: Figures[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const turns = [
        async () => ours.push(await figuresOf(workshop, programs[0], claude)),
        async () => theirs.push(await figuresOf(workshop, programs[1], claude)),
      ];
      // Who comes first takes turns, too, so that nobody has the quieter half of each round.
      for (const turn of pair % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    const line = (
      figure: string,
      of: (figures: Figures) => number,
      text: (value: number) => string,
    ): Line => {
      const ratio = median(ours.map((own, pair) => of(own) / of(theirs[pair] ?? own)));
      return {
        figure,
        value: text(median(ours.map(of))),
        beside: text(median(theirs.map(of))),
        ratio,
        target: `ratio ≤ ${mostRatio}`,
        met: ratio <= mostRatio,
      };
    };
    return [
      line(
        `peak memory of \`run\` (${tasks} tasks, ${concurrency} at once)`,
        (of) => of.batchPeakBytes,
        megabytesText,
      ),
      line("  processor time of it", (of) => of.batchProcessorMs, msText),
      line("  wall time of it", (of) => of.batchWallMs, msText),
      line("process start to the list of tools", (of) => of.startMs, msText),
      line("  processor time of it", (of) => of.startProcessorMs, msText),
      line("memory of a server that waits", (of) => of.idleBytes, megabytesText),
      line(`processor time of a \`wait\` while others run ${otherTasks} tasks`, (of) => of.waitingMs, msText),
      {
        figure: `load of the machine in the last minute; medians of ${pairs} pairs, and of the ratios of each`,
        value: loadavg()[0]?.toFixed(1) ?? "",
      },
    ];
  },
};

async function figuresOf(workshop: Workshop, program: string, claude: string): Promise<Figures> {
  const environment = () => environmentOf(workshop, claude);
  const batch = await workshop.cost([program, "run", ...promptsOf(tasks)], environment());
  const starts = [];
  for (let start = 0; start < startsPerPair; start++) starts.push(await listTools(workshop, [program]));
  return {
    batchPeakBytes: batch.peakBytes,
    batchWallMs: batch.wallMs,
    batchProcessorMs: batch.userMs + batch.systemMs,
    startMs: median(starts.map(({ ms }) => ms)),
    startProcessorMs: median(starts.map(({ processorMs }) => processorMs)),
    idleBytes: await idleBytesOf(workshop, program),
    waitingMs: await waitingMsOf(workshop, program, environment()),
  };
}

// A home of its own, with a place to work in.
function environmentOf(workshop: Workshop, claude: string): Record<string, string> {
  const home = workshop.newDirectory();
  const work = join(home, "work");
  mkdirSync(work);
  return {
    ...workshop.environmentIn(home),
    PATH: [fakeDirectory, workshop.environment["PATH"]].join(delimiter),
    FAKE_CLAUDE_EXECUTABLE: claude,
    [variableOf("concurrency")]: String(concurrency),
    [variableOf("workingDirectory")]: work,
  };
}

function promptsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `What is 2 + ${index}?`);
}

/** The memory of a server that has answered and has nothing more to do, with what it shares. */
async function idleBytesOf(workshop: Workshop, program: string): Promise<number> {
  const { server } = await answeringServer(workshop, [program]);
  await Bun.sleep(settleMs);
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1];
  void server.stdin.end();
  await server.exited;
  return Number(kilobytes) * 1024;
}

/** What a command that waits for one batch takes of a processor while another one of the same user runs. */
async function waitingMsOf(
  { directory }: Workshop,
  program: string,
  environment: Record<string, string>,
): Promise<number> {
  const start = (...args: string[]) =>
    Bun.spawn([program, ...args], {
      cwd: directory,
      env: environment,
      stdio: ["ignore", "ignore", "ignore"],
    });
  const hanging = start("run", "[[hang]]");
  await Bun.sleep(settleMs);
  const waiting = Array.from({ length: waiters }, () => start("wait", "latest"));
  await Bun.sleep(settleMs);
  const before = waiting.map(({ pid }) => processorMsOf(pid));
  const other = start("run", ...promptsOf(otherTasks));
  if ((await other.exited) !== 0) throw new Error(`${program} run ended with ${other.exitCode}`);
  const after = waiting.map(({ pid }) => processorMsOf(pid));
  hanging.kill("SIGINT");
  await Promise.all([hanging, ...waiting].map(({ exited }) => exited));
  return median(after.map((ms, index) => ms - (before[index] ?? 0)));
}
