// Short tasks on the real `claude` against a stand-in for its API: by our program and by `xargs -P`, each in a directory and a
// home of its own.
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Store } from "../../src/store/store.ts";
import { startMessagesApi } from "../../test/real/messages-api.ts";
import type { Workshop } from "./workshop.ts";

const firstTokenMs = 2_000;

/** What is asked. */
export interface RealWork {
  tasks: number;
  /** As many sessions as our program runs at once. */
  concurrency: number;
}

/** What one way of running the tasks took. */
export interface RealFigures {
  totalMs: number;
  /** From the start of all to the end of each. */
  meanMs: number;
  /** How often the shared beginning of the requests was written to the prompt cache. */
  writtenTimes: number;
}

/** A way of running the tasks. */
export type Way = (
  place: { directory: string; environment: Record<string, string> },
  work: RealWork,
) => Promise<Pick<RealFigures, "totalMs" | "meanMs">>;

/** Runs the tasks once, with an API of their own. */
export async function realFigures(workshop: Workshop, work: RealWork, way: Way): Promise<RealFigures> {
  await using api = startMessagesApi({ caches: true, firstTokenMs });
  const directory = workshop.newDirectory();
  mkdirSync(join(directory, "work"));
  const environment = {
    ...workshop.environmentIn(directory),
    ...api.environment,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  };
  const times = await way({ directory, environment }, work);
  if (api.cached.length !== work.tasks)
    throw new Error(`${api.cached.length} calls instead of ${work.tasks}`);
  const shared = api.cached[0]?.shared ?? Number.NaN;
  const written = api.cached.reduce((sum, { read }) => sum + Math.max(0, shared - read), 0);
  return { ...times, writtenTimes: written / shared };
}

/** Our `run`, with these options beside. */
export function batchBy(program: string, claudePath: string, options: readonly string[] = []): Way {
  return async ({ directory, environment }, { tasks, concurrency }) => {
    const list = listIn(directory, tasks);
    const startedAt = Date.now();
    const args = ["run", "-f", list, "--concurrency", String(concurrency), "--json", ...options];
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

/** `xargs -P`, a `sh` around each task. */
export function xargsBy(claudePath: string, parallel: number): Way {
  return async ({ directory, environment }, { tasks }) => {
    const list = listIn(directory, tasks);
    mkdirSync(join(directory, "out"));
    const options = `--output-format=json --strict-mcp-config '--mcp-config={"mcpServers":{}}'`;
    const script = `'${claudePath}' -p ${options} -- "$1" < /dev/null > "../out/$1"`;
    const startedAt = Date.now();
    const words = ["xargs", "-a", list, "-d", "\\n", "-P", String(parallel), "-n", "1"];
    await ended(directory, [...words, "sh", "-c", script, "sh"], environment);
    const totalMs = Date.now() - startedAt;
    const folder = join(directory, "out");
    const ends = readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs);
    return { totalMs, meanMs: meanOf(ends) - startedAt };
  };
}

function listIn(directory: string, tasks: number): string {
  const path = join(directory, "tasks.txt");
  writeFileSync(path, Array.from({ length: tasks }, (_, index) => `SAY: ${index + 1}\n`).join(""));
  return path;
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
