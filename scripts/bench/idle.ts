// What waiting costs: the processor time of each of our processes while all sessions hang and nothing happens, in
// thousandths of a processor. Run alone: `bun scripts/bench/idle.ts [--program PATH] [--beside PATH]`, where the second
// program takes turns with the first.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connectNew, eventually, Home, program, useProgram } from "../../test/harness.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "20" },
    seconds: { type: "string", default: "20" },
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

const waiters = ["call", "wait", "watch", "logs -f", "runner", "keeper"] as const;
/** By what waits, in thousandths of a processor. */
type Shares = Map<(typeof waiters)[number], number>;

const ours: Shares[] = [];
const others: Shares[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  ours.push(await measured(values.program));
  if (values.beside !== undefined) others.push(await measured(values.beside));
}
console.log(
  `‰ of a processor, ${sessions} sessions that hang, ${values.rounds} times ${values.seconds} s, ${values.settle} s after the start:`,
);
for (const waiter of waiters) {
  const [share, beside] = [ours, others].map((all) => mean(all.map((shares) => shares.get(waiter) ?? 0)));
  const compared =
    others.length === 0
      ? ""
      : `  beside ${beside?.toFixed(2)}, ratio ${((share ?? 0) / (beside ?? 0)).toFixed(2)}`;
  console.log(`  ${waiter.padEnd(8)}${share?.toFixed(2).padStart(8)}${compared}`);
}

async function measured(executable: string | undefined): Promise<Shares> {
  using _program = useProgram(executable === undefined ? program() : [executable]);
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: String(sessions) });
  // Calls of this client wait for minutes.
  await using client = await connectNew(home, "claude-code");
  const tasks = Array.from({ length: sessions }, () => "[[hang]]");
  await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  using store = home.store();
  const batch = () => store.list()[0];
  await eventually(
    () => batch()?.counts.running === sessions,
    () => `running: ${batch()?.counts.running}`,
  );
  const batchId = batch()?.batchId ?? "";
  let isAnswered = false;
  const call = client
    .call("wait_for_batch", { batchId }, { timeout: 600_000 })
    .finally(() => (isAnswered = true));
  const commands = [
    ["wait", batchId],
    ["watch", batchId],
    ["logs", batchId, "1", "-f"],
  ].map((args) =>
    Bun.spawn([...program(), ...args], {
      cwd: home.work,
      env: home.environment,
      stdio: ["ignore", "ignore", "ignore"],
    }),
  );
  await Bun.sleep(Number(values.settle) * 1000);
  const pids = [client, ...commands, batch()?.runner, batch()?.keeper].map((process) => process?.pid);
  const before = pids.map(usedMs);
  const began = performance.now();
  await Bun.sleep(Number(values.seconds) * 1000);
  const after = pids.map(usedMs);
  const tookMs = performance.now() - began;
  if (isAnswered) throw new Error("The call no longer waited.");
  for (const command of commands) command.kill();
  await client.call("cancel_batch", { batchId });
  await call;
  return new Map(
    waiters.map((waiter, index) => [waiter, (((after[index] ?? 0) - (before[index] ?? 0)) * 1000) / tookMs]),
  );
}

// `utime` and `stime`, in hundredths of a second: they count threads that have ended, too.
function usedMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, one) => sum + one, 0) / all.length;
}
