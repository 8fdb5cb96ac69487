// What questions for processes cost on macOS's paths, imitated on Linux: the real calls by bun:ffi into a library that
// answers from a table of processes, as macOS's own does; and a call that waits, in the program as macOS would run it.
import { join } from "node:path";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { ownIdentity } from "../../src/platform/process.ts";
import { treesOf } from "../../src/platform/process-trees.ts";
import { processesOf } from "../../src/platform/processes/of-system.ts";
import { fakeDirectory, newerClient } from "../../test/harness.ts";
import { FakeMac } from "../../test/platform/imitation/fake-mac.ts";
import { buildMacProgram } from "../../test/platform/imitation/mac-program.ts";
import { processorMsOf } from "./processor-time.ts";
import { limitLine, type Row, Skipped } from "./row.ts";

/** As many as run on a Mac in use. */
const processCount = 600;
const rounds = 20_000;
const waitMs = 60_000;
/** The longer nothing happens, the more rarely a waiting call looks; and Bun collects garbage every second at first. */
const settleMs = 45_000;

export const macos: Row = {
  name: "macos",
  async measure(workshop) {
    if (process.platform !== "linux" || Bun.which("cc") === null)
      throw new Skipped("it needs Linux and a C compiler");
    using mac = new FakeMac();
    const share = await waitingShare(mac, workshop.newDirectory(), workshop.environment);
    const others = Array.from({ length: processCount }, (_, index) => ({ pid: 2_000_000 + index }));
    mac.record({ pid: process.pid }, ...others);
    const processes = processesOf(mac);
    const liveness = microsecondsOf(rounds, () => processes.rowOf(2_000_300));
    const gone = microsecondsOf(rounds, () => processes.rowOf(3_000_000));
    const roots = new Map([["it", { ...ownIdentity(), pid: 2_000_300, startTicks: "1700000002000300" }]]);
    const tree = microsecondsOf(200, () => treesOf(roots, new Map(), mac));
    return [
      limitLine("whether a process lives", liveness, microsecondsText, 20),
      limitLine("whether one lives that has gone", gone, microsecondsText, 20),
      limitLine(`memory of a tree among ${processCount} processes`, tree, microsecondsText),
      limitLine(
        "a server with a waiting call, of one processor",
        share,
        (value) => `${(1_000 * value).toFixed(2)} ‰`,
        0.001,
      ),
    ];
  },
};

function microsecondsOf(times: number, work: () => unknown): number {
  for (let warm = 0; warm < times / 10; warm++) work();
  const began = Bun.nanoseconds();
  for (let count = 0; count < times; count++) work();
  return (Bun.nanoseconds() - began) / times / 1_000;
}

function microsecondsText(value: number): string {
  return `${value.toFixed(1)} µs`;
}

/** How much of a processor a server uses while a call waits for a session that does nothing, in parts of one. */
async function waitingShare(
  mac: FakeMac,
  directory: string,
  environment: Record<string, string>,
): Promise<number> {
  const program = join(directory, "program");
  await buildMacProgram(program, mac.root);
  const transport = new StdioClientTransport({
    command: program,
    args: [],
    cwd: directory,
    env: {
      ...environment,
      HOME: directory,
      // Its calls wait as long as those of `claude -p`: longer than we measure.
      CLAUDE_CODE_ENTRYPOINT: "sdk-cli",
      PATH: `${fakeDirectory}:${environment["PATH"] ?? ""}`,
      PARALLEL_CLAUDE_STATE_DIRECTORY: join(directory, "state"),
      PARALLEL_CLAUDE_OUTPUT_DIRECTORY: join(directory, "output"),
    },
    stderr: "ignore",
  });
  const client = newerClient("claude-code");
  await client.connect(transport);
  try {
    const batch = { tasks: ["[[hang]]"], asyncMode: true };
    await client.callTool({ name: "spawn_parallel_claude_sessions", arguments: batch });
    let isAnswered = false;
    const wait = { name: "wait_for_batch", arguments: { batchId: "latest" } };
    const waiting = client.callTool(wait, { timeout: 600_000 }).finally(() => (isAnswered = true));
    const share = await shareOf(transport.pid ?? 0);
    if (isAnswered) throw new Error("The call no longer waited.");
    await client.callTool({ name: "cancel_batch", arguments: { batchId: "latest" } });
    await waiting;
    return share;
  } finally {
    await client.close();
  }
}

/** Once what happened before has settled, in parts of one processor. */
async function shareOf(pid: number): Promise<number> {
  await Bun.sleep(settleMs);
  const before = processorMsOf(pid);
  const began = performance.now();
  await Bun.sleep(waitMs);
  return (processorMsOf(pid) - before) / (performance.now() - began);
}
