// Whether many sessions that take much memory get done within little of it. Run `bun run bench:memory`.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { memoryNow } from "../../src/platform/memory.ts";
import { Store } from "../../src/store/store.ts";
import { ControlGroup } from "./control-group.ts";
import { oomKills } from "./oom-kills.ts";
import { type Line, limitLine, megabytesText, msText, Skipped } from "./row.ts";
import { Workshop } from "./workshop.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "300" },
    /** What each touches. */
    megabytes: { type: "string", default: "150" },
    /** How long it takes to do so. */
    seconds: { type: "string", default: "1.5" },
    /** Most at once; as many as there are, so that nothing but memory holds any back. */
    concurrency: { type: "string" },
    "limit-mb": { type: "string", default: "2000" },
    /** An executable to measure instead of the sources. */
    program: { type: "string" },
  },
});
const sessions = Number(values.sessions);
const { concurrency = values.sessions } = values;
const limitBytes = Number(values["limit-mb"]) * 1e6;

/** The longest time over the limit that is accepted. */
const mostOverMs = 1_000;
/** With less than this left of the machine itself, the batch is ended: nobody else is to be harmed. */
const reserveBytes = 6e9;
/** So long a batch may take. */
const mostSeconds = 240;

using workshop = new Workshop({ rounds: 1, tasks: sessions, concurrency: 1 }, { program: values.program });
let missed = false;
await print("under memoryLimitMb", () =>
  run("limited", (command) => command, { PARALLEL_CLAUDE_MEMORY_LIMIT_MB: values["limit-mb"] }),
);
await print("in a control group, without memoryLimitMb", async () => {
  await using group = new ControlGroup(limitBytes);
  const lines = await run("grouped", (command) => group.within(command), {});
  const kills = limitLine("OOM kills in the group", group.oomKills, String, 0);
  const { peakBytes } = group;
  return [
    ...lines,
    kills,
    ...(peakBytes === undefined ? [] : [{ figure: "most of the group", value: megabytesText(peakBytes) }]),
  ];
});
// Not `process.exit`, which would leave the workshop behind.
process.exitCode = missed ? 1 : 0;

async function print(how: string, measure: () => Promise<Line[]>): Promise<void> {
  console.log(`${sessions} sessions of ${values.megabytes} MB in ${megabytesText(limitBytes)}, ${how}`);
  try {
    for (const { figure, value, target = "", met } of await measure()) {
      if (met === false) missed = true;
      const verdict = met === undefined ? "" : met ? "met" : "missed";
      console.log(`  ${figure.padEnd(30)}${value.padEnd(24)} ${target.padEnd(12)} ${verdict}`.trimEnd());
    }
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    console.log(`  not checked: ${error.message}`);
  }
}

/** Runs a batch by the command line, as a user would, and watches the processes from outside meanwhile. */
async function run(
  name: string,
  within: (command: string[]) => string[],
  environment: Record<string, string>,
): Promise<Line[]> {
  if (process.platform !== "linux") throw new Skipped("it reads /proc, which only Linux has");
  if (Bun.which("perl") === null) throw new Skipped("there is no `perl` on the PATH");
  // A process is known by the name of the script that it runs, which no other run has.
  const standIn = join(workshop.newDirectory(), `t${process.pid}-${name}`.slice(0, 15));
  copyFileSync(join(import.meta.dir, "touch-memory.pl"), standIn);
  const stateDirectory = join(workshop.newDirectory(), "state");
  const killsBefore = oomKills();
  const command = [await workshop.program(), "run", "--file", "-", "--json", "--concurrency", concurrency];
  const began = performance.now();
  await using batch = Bun.spawn(within(command), {
    cwd: workshop.directory,
    env: {
      ...workshop.environment,
      PARALLEL_CLAUDE_STATE_DIRECTORY: stateDirectory,
      PARALLEL_CLAUDE_CLAUDE_PATH: standIn,
      PARALLEL_CLAUDE_CONCURRENCY: concurrency,
      TOUCH_MEGABYTES: values.megabytes,
      TOUCH_SECONDS: values.seconds,
      ...environment,
    },
    stdin: new Blob([Array.from({ length: sessions }, (_, index) => `Touch it, ${index}.\n`).join("")]),
    stdout: "ignore",
    stderr: "pipe",
  });
  const [watched, said] = await Promise.all([watch(basename(standIn), batch), batch.stderr.text()]);
  return [
    ...linesOf(stateDirectory, said),
    limitLine("most of all sessions at once", watched.mostBytes, megabytesText),
    { figure: "most sessions at once", value: String(watched.mostSessions) },
    limitLine("longest time over the limit", watched.longestOverMs, msText, mostOverMs),
    {
      ...limitLine("OOM kills of the machine", oomKills() - killsBefore, String, 0),
      value: `${killsBefore} before, ${oomKills()} after`,
    },
    { figure: "wall time", value: msText(performance.now() - began) },
    ...(watched.stopped === undefined ? [] : [{ figure: "stopped", value: watched.stopped, met: false }]),
  ];
}

/** What the log of the only batch of a store tells. `said`: what was said of it meanwhile. */
function linesOf(stateDirectory: string, said: string): Line[] {
  using store = new Store(stateDirectory);
  const batchId = store.list()[0]?.batchId;
  const state = batchId && store.batch(batchId)?.state;
  if (!state) throw new Error(`No batch was started:\n${said}`);
  const attempts = state.tasks.reduce((sum, task) => sum + task.attempts.length, 0);
  const started = state.tasks.filter((task) => task.attempts.length > 0).length;
  const { succeeded } = state.counts;
  return [
    {
      figure: "finished",
      value: `${succeeded} of ${sessions}`,
      target: "all",
      met: succeeded === sessions,
    },
    { figure: "attempts that were requeued", value: String(attempts - started) },
  ];
}

interface Watched {
  mostBytes: number;
  mostSessions: number;
  longestOverMs: number;
  /** Why it was ended before its time. */
  stopped?: string;
}

/** Looks ten times a second, until the batch has ended and its sessions are gone. */
async function watch(name: string, batch: Bun.Subprocess): Promise<Watched> {
  const watched: Watched = { mostBytes: 0, mostSessions: 0, longestOverMs: 0 };
  const deadline = performance.now() + mostSeconds * 1000;
  const isOver = () => batch.exitCode !== null || batch.signalCode !== null;
  let overSince: number | undefined;
  for (let found = touchers(name); !isOver() || found.length > 0; found = touchers(name)) {
    const now = performance.now();
    const sum = found.reduce((total, { bytes }) => total + bytes, 0);
    watched.mostBytes = Math.max(watched.mostBytes, sum);
    watched.mostSessions = Math.max(watched.mostSessions, found.length);
    // Up to the look that finds it below the limit again: rather too long than too short.
    if (overSince !== undefined) watched.longestOverMs = Math.max(watched.longestOverMs, now - overSince);
    overSince = sum > limitBytes ? (overSince ?? now) : undefined;
    if (memoryNow().availableBytes < reserveBytes)
      watched.stopped ??= "the machine's own memory became short";
    if (now > deadline) watched.stopped ??= `it took more than ${mostSeconds} s`;
    if (watched.stopped !== undefined) {
      // The batch ends with the process that waits for it; that alone would take too long.
      batch.kill("SIGKILL");
      for (const { pid } of found) killIfThere(pid);
    }
    await Bun.sleep(100);
  }
  return watched;
}

/** The processes that run a script of this name, and what they have touched, by another count than the program's own. */
function touchers(name: string): { pid: number; bytes: number }[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const status = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/status`, "latin1") : "";
      const kilobytes = /^RssAnon:\s*(\d+) kB$/m.exec(status)?.[1];
      if (kilobytes === undefined || !status.startsWith(`Name:\t${name}\n`)) return [];
      return [{ pid: Number(pid), bytes: Number(kilobytes) * 1024 }];
    } catch {
      // Gone between two looks.
      return [];
    }
  });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
