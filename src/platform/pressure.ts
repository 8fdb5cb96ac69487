// How short the machine is of memory and of processors: how much of the time somebody waits for them.
// Bun has no call that gives the load, or what processors and memory are doing.
import { cpus, freemem, loadavg, totalmem } from "node:os";
import { controlGroups } from "./control-groups.ts";
import { processorCount } from "./processors.ts";
import { Sampled } from "./sampled.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** Each from 0, when nobody waits, to 100. */
export interface Pressure {
  memory: number;
  processor: number;
}

/**
 * How short things are now. Never throws. What is not told counts as 0.
 *
 * | | memory | processor |
 * | --- | --- | --- |
 * | Linux | percentage of the last ten seconds in which some process waited for memory: of the machine or of our control group, the greater | the same for processors; where the kernel does not count this, by the load |
 * | macOS | 0, 50 and 100 for what the kernel calls normal, warning and critical | by the load |
 * | Windows | 0 with 20 % of the memory free or more, 100 with 5 % or less, straight in between | 0 with the processors 80 % busy or less, 100 when they never rest |
 *
 * By the load: the share of runnable threads that had no processor in the last minute.
 *
 * Where sessions start, somebody always waits for a processor: 100 is then what a busy machine says, not an alarm.
 */
export function pressureNow(system: System = thisSystem): Pressure {
  switch (system.platform) {
    case "linux":
      return {
        memory: waitingFor("memory", system) ?? 0,
        processor: waitingFor("cpu", system) ?? byLoad(loadOf(system), processorCount(system)),
      };
    case "darwin":
      return { memory: levelOfMac.now() ?? 0, processor: byLoad(loadavg()[0], processorCount(system)) };
    case "win32":
      return { memory: shortageOf(freemem() / totalmem()), processor: crowding(busyShare()) };
    default:
      return { memory: 0, processor: byLoad(loadavg()[0], processorCount(system)) };
  }
}

// --- Linux: pressure stall information.

// Nothing where the kernel does not count it, or was told not to.
function waitingFor(resource: "memory" | "cpu", system: System): number | undefined {
  const group = controlGroups("unified", system)?.folders[0];
  const places = [
    `${system.root}/proc/pressure/${resource}`,
    ...(group ? [`${group}/${resource}.pressure`] : []),
  ];
  const shares = places.flatMap((path) => {
    const share = Number.parseFloat(/^some avg10=([\d.]+)/m.exec(textAt(path) ?? "")?.[1] ?? "");
    return Number.isFinite(share) ? [share] : [];
  });
  return shares.length === 0 ? undefined : percentage(Math.max(...shares));
}

function loadOf({ root }: System): number {
  return Number.parseFloat(textAt(`${root}/proc/loadavg`) ?? "");
}

/** The share of runnable threads that have no processor, as a percentage. */
function byLoad(load = Number.NaN, processors: number): number {
  return load > processors ? percentage(100 * (1 - processors / load)) : 0;
}

// --- macOS.

const levelOfMac = new Sampled(
  ["/usr/sbin/sysctl", "-n", "kern.memorystatus_vm_pressure_level"],
  (output) =>
    new Map([
      ["1", 0],
      ["2", 50],
      ["4", 100],
    ]).get(output.trim()),
  { everyMs: 1_000, waitsAtFirst: true },
);

// --- Windows.

/** By the share of the memory that is free. */
function shortageOf(free: number): number {
  return percentage((100 * (0.2 - free)) / 0.15);
}

/** By the share of their time in which the processors were busy. */
function crowding(busy: number): number {
  return percentage((100 * (busy - 0.8)) / 0.2);
}

/** How busy the processors were since an earlier look, which lies a second back or more; 0 at the first. */
function busyShare(): number {
  const now = performance.now();
  if (before && now - before.at < 1_000) return before.share;
  const times = cpus().map(({ times: { idle, user, nice, sys, irq } }) => ({
    idle,
    all: idle + user + nice + sys + irq,
  }));
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const all = times.reduce((sum, time) => sum + time.all, 0);
  const share = before && all > before.all ? 1 - (idle - before.idle) / (all - before.all) : 0;
  before = { at: now, idle, all, share };
  return share;
}
let before: { at: number; idle: number; all: number; share: number } | undefined;

function percentage(value: number): number {
  return Math.min(100, Math.max(0, value));
}
