// What waiting costs: the processor time of each of our processes while nothing happens, in thousandths of a processor,
// and its memory. Run alone: `bun scripts/bench/idle.ts [--program PATH] [--beside PATH]`, where the second program takes
// turns with the first.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connectNew, eventually, Home, program, useProgram } from "../../test/harness.ts";
import { processorMsOf } from "./processor-time.ts";
import { median } from "./row.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "20" },
    seconds: { type: "string", default: "60" },
    rounds: { type: "string", default: "3" },
    /** How long the processes settle before, in seconds: Bun collects garbage every second in the first half a minute. */
    settle: { type: "string", default: "45" },
    /** Executables to measure instead of the sources. */
    program: { type: "string" },
    beside: { type: "string" },
  },
});
if (process.platform !== "linux") throw new Error("It reads /proc, which only Linux has.");
const sessions = Number(values.sessions);
/** Most that what waits may use, in thousandths of a processor. Watching sessions is work, and has no such limit. */
const most = 1;

/** With it, calls wait as long as those of `claude -p`: longer than we measure. */
const patient = { CLAUDE_CODE_ENTRYPOINT: "sdk-cli" };

/** What waits, and whether it does nothing else. */
const waiters = {
  "server without a call": true,
  "server after a call": true,
  "server with a waiting call": true,
  wait: true,
  watch: false,
  "logs -f": false,
  "runner with sessions": false,
  "keeper of it": true,
  "runner that waits for a limit": true,
  "keeper of that": true,
  "wait of that": true,
} as const;
type Waiter = keyof typeof waiters;

interface Share {
  /** In thousandths of a processor. */
  processor: number;
  /** What is its own, in bytes. */
  memory: number;
}

const ours: Map<Waiter, Share>[] = [];
const others: Map<Waiter, Share>[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  ours.push(await measured(values.program));
  if (values.beside !== undefined) others.push(await measured(values.beside));
}
console.log(
  `‰ of a processor and own memory, ${sessions} sessions that hang, medians of ${values.rounds} times ${values.seconds} s, ${values.settle} s after the start:`,
);
for (const [waiter, isIdle] of Object.entries(waiters)) {
  const own = sharesOf(ours, waiter);
  const beside = sharesOf(others, waiter);
  const verdict = isIdle ? (own.processor <= most ? "met" : `missed: at most ${most}`) : "";
  const compared =
    others.length === 0
      ? ""
      : `  beside ${shareText(beside)}, ratios ${(own.processor / beside.processor).toFixed(2)} ${(own.memory / beside.memory).toFixed(2)}`;
  console.log(`  ${waiter.padEnd(30)}${shareText(own)}${compared}  ${verdict}`.trimEnd());
}

async function measured(executable: string | undefined): Promise<Map<Waiter, Share>> {
  using _program = useProgram(executable === undefined ? program() : [executable]);
  await using watched = await hanging();
  await using limited = await limit();
  await using sampled = await sample();
  await using fresh = new Home();
  await using server = await connectNew(fresh, "claude-code");
  await server.listTools();
  const pids: Record<Waiter, number | undefined> = {
    "server without a call": server.pid,
    ...watched.pids,
    ...limited.pids,
  };
  await Bun.sleep(Number(values.settle) * 1000);
  // Paused after its sample, a batch has no process at all.
  await sampled.home.empty({ but: sampled.pid });
  const before = new Map(entriesOf(pids).map(([waiter, pid]) => [waiter, processorMsOf(pid)]));
  const began = performance.now();
  await Bun.sleep(Number(values.seconds) * 1000);
  const tookMs = performance.now() - began;
  const shares = entriesOf(pids).map(([waiter, pid]): [Waiter, Share] => {
    const used = processorMsOf(pid) - (before.get(waiter) ?? 0);
    return [waiter, { processor: (used * 1000) / tookMs, memory: ownMemoryOf(pid) }];
  });
  watched.check();
  return new Map(shares);
}

/** A batch whose sessions hang, with everybody who may wait for it. */
async function hanging() {
  const home = new Home({ ...patient, PARALLEL_CLAUDE_CONCURRENCY: String(sessions) });
  const tasks = Array.from({ length: sessions }, () => "[[hang]]");
  const { batch, waiting, store } = await started(home, tasks, (row) => row?.counts.running === sessions);
  const { batchId, runner, keeper } = batch();
  const asked = await connectNew(home, "claude-code");
  await asked.call("list_batches", {});
  const commands = [
    start(home, "wait", batchId),
    start(home, "watch", batchId),
    start(home, "logs", batchId, "1", "-f"),
  ];
  const [wait, watch, logs] = commands;
  return {
    check: waiting.check,
    pids: {
      "server after a call": asked.pid,
      "server with a waiting call": waiting.pid,
      wait: wait?.pid,
      watch: watch?.pid,
      "logs -f": logs?.pid,
      "runner with sessions": runner?.pid,
      "keeper of it": keeper?.pid,
    },
    [Symbol.asyncDispose]: async () => {
      for (const command of commands) command.kill();
      await waiting.cancel(batchId);
      await asked.close();
      store[Symbol.dispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** A batch that waits for the reset of a limit, far away. */
async function limit() {
  const home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "2" });
  const task = "[[usage-limit resets-in=86400 type=five_hour]]";
  const { batch, waiting, store } = await started(
    home,
    [task, task, task],
    (row) => row?.held !== undefined && row.counts.running === 0,
  );
  const { batchId, runner, keeper } = batch();
  // A call answers at the hold; a command waits on.
  const wait = start(home, "wait", batchId);
  return {
    pids: {
      "runner that waits for a limit": runner?.pid,
      "keeper of that": keeper?.pid,
      "wait of that": wait.pid,
    },
    [Symbol.asyncDispose]: async () => {
      wait.kill();
      await waiting.cancel(batchId);
      store[Symbol.dispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** A command, whose output nobody reads. */
function start(home: Home, ...args: string[]) {
  return Bun.spawn([...program(), ...args], {
    cwd: home.work,
    env: home.environment,
    stdio: ["ignore", "ignore", "ignore"],
  });
}

/** A batch that has paused after its sample. */
async function sample() {
  const home = new Home();
  const client = await connectNew(home, "claude-code");
  const paused = await client.call("spawn_parallel_claude_sessions", { tasks: ["a", "b", "c"], sample: 1 });
  if (paused.data?.["state"] !== "paused") throw new Error(`It does not pause: ${paused.text}`);
  return {
    home,
    pid: client.pid,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

type Row = ReturnType<ReturnType<Home["store"]>["list"]>[number];

/** Starts a batch, and calls for its end as soon as it has come to rest. */
async function started(home: Home, tasks: string[], isResting: (row: Row | undefined) => boolean) {
  const client = await connectNew(home, "claude-code");
  await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  const store = home.store();
  const batch = () => {
    const row = store.list()[0];
    if (!row) throw new Error("There is no batch.");
    return row;
  };
  await eventually(
    () => isResting(store.list()[0]),
    () => JSON.stringify(batch()),
  );
  const { batchId } = batch();
  let isAnswered = false;
  const call = client
    .call("wait_for_batch", { batchId }, { timeout: 600_000 })
    .finally(() => (isAnswered = true));
  const waiting = {
    pid: client.pid,
    check: () => {
      if (isAnswered) throw new Error("The call no longer waited.");
    },
    cancel: async (named: string) => {
      await client.call("cancel_batch", { batchId: named });
      await call;
      await client.close();
    },
  };
  return { batch, waiting, store };
}

function entriesOf(pids: Record<Waiter, number | undefined>): [Waiter, number][] {
  return Object.keys(waiters).map((name) => {
    const waiter = name as Waiter;
    const pid = pids[waiter];
    if (pid === undefined) throw new Error(`There is no ${waiter}.`);
    return [waiter, pid];
  });
}

// Without what it shares with others, such as the file of the program.
function ownMemoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

function sharesOf(all: readonly Map<Waiter, Share>[], waiter: string): Share {
  const shares = all.flatMap((one) => one.get(waiter as Waiter) ?? []);
  return {
    processor: median(shares.map(({ processor }) => processor)),
    memory: median(shares.map(({ memory }) => memory)),
  };
}

function shareText({ processor, memory }: Share): string {
  return `${processor.toFixed(2).padStart(6)} ‰ ${(memory / 1e6).toFixed(1).padStart(6)} MB`;
}
