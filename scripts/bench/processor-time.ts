// The processor time of other processes, which Bun has no call for.
import { dlopen, ptr } from "bun:ffi";

const libc =
  process.platform === "linux"
    ? dlopen("libc.so.6", { clock_gettime: { args: ["int", "ptr"], returns: "int" } })
    : undefined;

/**
 * What a process has used so far, in milliseconds, to the nanosecond: all its threads, also those that have ended. `stat`
 * counts ticks of 10 ms, and `schedstat` one thread. Only Linux has it. Throws if the process has gone.
 */
export function processorMsOf(pid: number): number {
  if (!libc) throw new Error("Only Linux has a clock for each process.");
  const time = new BigInt64Array(2);
  // The clock of a process, as `clock_getcpuclockid` makes it: its pid, and that all its time counts.
  const clock = (~pid << 3) | 2;
  if (libc.symbols.clock_gettime(clock, ptr(time)) !== 0) throw new Error(`There is no process ${pid}.`);
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) * 1000 + Number(nanoseconds) / 1e6;
}
