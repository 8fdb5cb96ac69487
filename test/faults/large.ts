// Many long transcripts over a fleet: how much memory the submitter and a worker take, and how much disk. Run
// `bun test/faults/large.ts --tasks 1000 --bytes 5000000`.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OwnFleet } from "../fleet/own-fleet.ts";
import { program, run } from "../harness.ts";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "50" },
    /** Of each transcript, about. */
    bytes: { type: "string", default: "5000000" },
    slots: { type: "string", default: "4" },
  },
});

await using fleet = await OwnFleet.create();
const { home, redis } = fleet;
const worker = await fleet.worker("box-1", { slots: Number(values.slots) });
const file = home.file("tasks.json");
const tasks = Array.from({ length: Number(values.tasks) }, () => `[[big-result bytes=${values.bytes}]]`);
await Bun.write(file, JSON.stringify(tasks));
const before = await usedMemory();
const began = performance.now();
// What prints all answers has them all in memory in the end, which is another matter.
const child = Bun.spawn([...program(), "run", "--fleet", "team", "-f", file, "--quiet"], {
  cwd: home.work,
  env: home.environment,
  stdin: "ignore",
  stdout: "ignore",
  stderr: "ignore",
});
let mostInRedis = 0;
/** Of the submitter, every five seconds, in MB. */
const course: number[] = [];
let looks = 0;
const peaks = { submitter: 0, worker: 0 };
const look = setInterval(async () => {
  if (looks++ % 10 === 0) course.push(Math.round(memoryOf(child.pid, "VmRSS") / 1e6));
  peaks.submitter = Math.max(peaks.submitter, memoryOf(child.pid, "VmHWM"));
  peaks.worker = Math.max(peaks.worker, memoryOf(worker.pid, "VmHWM"));
  mostInRedis = Math.max(mostInRedis, await usedMemory());
}, 500);
const code = await child.exited;
clearInterval(look);
const seconds = (performance.now() - began) / 1_000;
console.log(`status ${code} after ${seconds.toFixed(1)} s`);
console.log(`most memory: submitter ${mb(peaks.submitter)}, worker ${mb(peaks.worker)}`);
console.log(`the submitter in the course of time: ${course.join(", ")} MB`);
console.log(`Redis: ${mb(before)} before, ${mb(mostInRedis)} at most`);
for (const [what, path] of [
  ["the submitter's state", home.state],
  ["its results", home.output],
  ["the worker's state", worker.state],
  ["the blob store", home.file("blobs")],
] as const)
  console.log(`${what}: ${Bun.spawnSync(["du", "-sm", path]).stdout.toString().split("\t")[0]} MB`);
console.log((await run(home, ["list"])).out);

// What a process has in memory now, or the most that it has ever had.
function memoryOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return 1024 * Number(new RegExp(`^${what}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function usedMemory(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.connection.info("memory"))?.[1] ?? 0);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
