// What the terminal view costs: `watch` in a real terminal, on a batch of 50 running sessions that all keep changing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { BatchLog } from "../../src/store/batch-log.ts";
import { Store } from "../../src/store/store.ts";
import { type Row, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const sessions = 50;
/** Each session says something new so often. */
const activityMs = 2_000;
const warmUpMs = 3_000;
const measuredMs = 15_000;
const ticksASecond = 100;

export const terminalView: Row = {
  name: "view",
  measure: async (workshop) => {
    if (process.platform !== "linux") throw new Skipped("it reads /proc, which only Linux has");
    const directory = workshop.newDirectory();
    using store = new Store(join(directory, "state"));
    const log = foundBatch(store, directory);
    const share = await shareOfProcessor(workshop, store, log);
    const text = `${(share * 100).toFixed(2)} %`;
    return [
      {
        figure: `watch with ${sessions} running`,
        value: text,
        target: "≤ 2 % of a processor",
        met: share <= 0.02,
      },
    ];
  },
};

// Its runner is this process, which lives.
function foundBatch(store: Store, directory: string): BatchLog {
  const tasks = Array.from({ length: 2 * sessions }, (_, index) => ({
    prompt: `Review src/engine/file-${index}.ts for race conditions, and say what you would mend first`,
  }));
  const batch = {
    batchId: newBatchId(),
    startedBy: "run" as const,
    asyncMode: true,
    tasks,
    sessionOptions: {},
    concurrency: sessions,
    failureMode: "continue" as const,
    outputDirectory: directory,
    claudePath: "/nowhere/claude",
    workingDirectory: directory,
  };
  const account = { hash: "bench", environment: {} };
  const log = store.create({ type: "batch-created", batch, account }, Date.now());
  const identity = ownIdentity();
  const epoch = log.takeOver(identity);
  if (epoch === undefined) throw new Error("Internal error: a new batch has a runner");
  log.append(
    () =>
      Array.from({ length: sessions }, (_, index) => ({
        type: "attempt-started" as const,
        task: index + 1,
        attempt: 1,
        identity,
        sessionId: crypto.randomUUID(),
        transcript: join(directory, "none.ndjson"),
      })),
    epoch,
  );
  return log;
}

async function shareOfProcessor(workshop: Workshop, store: Store, log: BatchLog): Promise<number> {
  let next = 0;
  const saying = setInterval(() => {
    next++;
    store.setActivities(log.batchId, new Map([[(next % sessions) + 1, `Read src/engine/file-${next}.ts`]]));
  }, activityMs / sessions);
  const child = Bun.spawn([await workshop.program(), "watch", log.batchId], {
    cwd: workshop.directory,
    env: {
      ...workshop.environment,
      TERM: "xterm-256color",
      PARALLEL_CLAUDE_STATE_DIRECTORY: store.layout.stateDirectory,
    },
    // Somebody must read, as a terminal does.
    terminal: { cols: 120, rows: sessions + 10, data: () => undefined },
  });
  try {
    await Bun.sleep(warmUpMs);
    const before = ticksOf(child.pid);
    const begin = performance.now();
    await Bun.sleep(measuredMs);
    const seconds = (performance.now() - begin) / 1000;
    return (ticksOf(child.pid) - before) / ticksASecond / seconds;
  } finally {
    clearInterval(saying);
    child.kill("SIGKILL");
    await child.exited;
    child.terminal?.close();
  }
}

// User and system time, fields 14 and 15 of proc(5); those behind the name begin with the third.
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
