// Many short tasks on the real `claude` against a stand-in for its API, whose answers begin after two seconds: what a user waits
// for, and what is written to the prompt cache. Beside another checkout (`--beside`), and beside `xargs -P`, all taking turns.
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Store } from "../../src/store/store.ts";
import { startMessagesApi } from "../../test/real/messages-api.ts";
import { installRealClaude } from "../real-claude.ts";
import { type Line, median, msText, type Row, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const root = join(import.meta.dir, "../..");
const tasks = 24;
const concurrency = 24;
const firstTokenMs = 2_000;
/** `xargs` with as many at a time. */
const parallels = [8, 16, 24];
/** Targets of total and mean time, as ratio to the best `xargs`, and of what is written of the shared beginning. */
const most = { total: 0.95, mean: 0.75, written: 1.1 };

/** What one way of running the tasks took. */
interface Figures {
  totalMs: number;
  /** From the start of all to the end of each. */
  meanMs: number;
  /** How often the shared beginning was written. */
  writtenTimes: number;
}

type Way = (
  directory: string,
  environment: Record<string, string>,
) => Promise<Pick<Figures, "totalMs" | "meanMs">>;

export const realBatch: Row = {
  name: "real-batch",
  async measure(workshop) {
    if (Bun.which("xargs") === null) throw new Skipped("there is no `xargs` on the PATH");
    const claude = await installRealClaude();
    const ours = await workshop.programOf(root);
    const other = workshop.beside === undefined ? undefined : await workshop.programOf(workshop.beside);
    const ways = new Map<string, Way>([["ours", batchBy(ours, claude.path)]]);
    if (other !== undefined) ways.set("beside", batchBy(other, claude.path));
    for (const parallel of parallels) ways.set(`xargs -P ${parallel}`, xargs(claude.path, parallel));
    const measured = new Map([...ways.keys()].map((name): [string, Figures[]] => [name, []]));
    for (let round = 0; round < workshop.extent.rounds; round++) {
      const names = round % 2 === 0 ? [...ways] : [...ways].toReversed();
      for (const [name, way] of names) measured.get(name)?.push(await figuresOf(workshop, way));
    }
    return linesFrom(measured, claude.version);
  },
};

function linesFrom(measured: ReadonlyMap<string, Figures[]>, version: string): Line[] {
  const of = (name: string, figure: keyof Figures) =>
    median((measured.get(name) ?? []).map((figures) => figures[figure]));
  const best = (figure: keyof Figures) => Math.min(...parallels.map((one) => of(`xargs -P ${one}`, figure)));
  const time = (figure: "totalMs" | "meanMs", mostRatio: number): Line => {
    const ratio = of("ours", figure) / best(figure);
    return {
      figure: `${figure === "totalMs" ? "total" : "mean"} of ${tasks} tasks on claude ${version}`,
      value: msText(of("ours", figure)),
      beside: `${msText(best(figure))} (best xargs)`,
      ratio,
      target: `ratio ≤ ${mostRatio}`,
      met: ratio <= mostRatio,
    };
  };
  const times = of("ours", "writtenTimes");
  return [
    time("totalMs", most.total),
    time("meanMs", most.mean),
    {
      figure: "  how often the shared beginning is written",
      value: times.toFixed(2),
      beside: `${best("writtenTimes").toFixed(2)} (best xargs)`,
      target: `≤ ${most.written}`,
      met: times <= most.written,
    },
    ...[...measured.keys()].slice(1).map((name) => ({
      figure: `  ${name}: total, mean, written`,
      value: `${msText(of(name, "totalMs"))}, ${msText(of(name, "meanMs"))}, ${of(name, "writtenTimes").toFixed(2)}`,
    })),
  ];
}

async function figuresOf(workshop: Workshop, way: Way): Promise<Figures> {
  await using api = startMessagesApi({ caches: true, firstTokenMs });
  const directory = workshop.newDirectory();
  mkdirSync(join(directory, "work"));
  const times = await way(directory, {
    ...workshop.environmentIn(directory),
    ...api.environment,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  });
  if (api.cached.length !== tasks) throw new Error(`${api.cached.length} calls instead of ${tasks}`);
  const shared = api.cached[0]?.shared ?? Number.NaN;
  const written = api.cached.reduce((sum, { read }) => sum + Math.max(0, shared - read), 0);
  return { ...times, writtenTimes: written / shared };
}

const prompts = Array.from({ length: tasks }, (_, index) => `SAY: ${index + 1}`);

function batchBy(program: string, claudePath: string): Way {
  return async (directory, environment) => {
    writeFileSync(join(directory, "tasks.txt"), `${prompts.join("\n")}\n`);
    const startedAt = Date.now();
    const args = ["run", "-f", join(directory, "tasks.txt"), "--concurrency", String(concurrency), "--json"];
    await ended(directory, [program, ...args], {
      ...environment,
      PARALLEL_CLAUDE_CLAUDE_PATH: claudePath,
      PARALLEL_CLAUDE_CONCURRENCY: String(concurrency),
    });
    const totalMs = Date.now() - startedAt;
    using store = new Store(join(directory, "state"));
    const [row] = store.list({ limit: 1 });
    const state = row && store.batch(row.batchId)?.state;
    const ends = (state?.tasks ?? []).flatMap((task) => (task.status === "done" ? [task.endedAt] : []));
    if (state?.counts.succeeded !== tasks) throw new Error(JSON.stringify(state?.counts));
    return { totalMs, meanMs: meanOf(ends) - startedAt };
  };
}

function xargs(claudePath: string, parallel: number): Way {
  return async (directory, environment) => {
    writeFileSync(join(directory, "tasks.txt"), `${prompts.join("\n")}\n`);
    mkdirSync(join(directory, "out"));
    const options = `--output-format=json --strict-mcp-config '--mcp-config={"mcpServers":{}}'`;
    const script = `'${claudePath}' -p ${options} -- "$1" < /dev/null > "../out/$1"`;
    const startedAt = Date.now();
    const words = ["xargs", "-a", "../tasks.txt", "-d", "\\n", "-P", String(parallel), "-n", "1"];
    await ended(directory, [...words, "sh", "-c", script, "sh"], environment);
    const totalMs = Date.now() - startedAt;
    const folder = join(directory, "out");
    const ends = readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs);
    return { totalMs, meanMs: meanOf(ends) - startedAt };
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function ended(directory: string, command: string[], env: Record<string, string>): Promise<void> {
  const child = Bun.spawn(command, {
    cwd: join(directory, "work"),
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [code, said] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0)
    throw new Error(`${command.slice(0, 2).join(" ")} … ended with ${code}: ${said.slice(-1000)}`);
}
