// How short of memory and processors the machine is: how much of the time something waits for them.
// Bun has no call that gives the load, or what processors and memory are doing.
import { cpus, freemem, loadavg, totalmem } from "node:os";
import { controlGroups } from "./control-groups.ts";
import { macCalls, systemLibrary } from "./processes/macos-calls.ts";
import { processorCount } from "./processors.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** Each from 0 (nothing waits) to 100. */
export interface Pressure {
  memory: number;
  processor: number;
}

/**
 * The current pressure. Unknown figures are 0. Never throws.
 *
 * | | memory | processor |
 * | --- | --- | --- |
 * | Linux | share of the last ten seconds in which some process waited for memory, in percent: of the machine or of our control group, whichever is greater | the same for processors; by the load if the kernel does not count this |
 * | macOS | 0, 50 and 100 for what the kernel calls normal, warning and critical | by the load |
 * | Windows | 0 if 20 % of the memory or more is free, 100 if 5 % or less, linear in between | 0 if the processors are 80 % busy or less, 100 if they are never idle |
 *
 * By the load: the share of runnable threads that had no processor in the last minute.
 *
 * While sessions start, something always waits for a processor: 100 then means busy, and is no alarm.
 */
export function pressureNow(system: System = thisSystem): Pressure {
  switch (system.platform) {
    case "linux":
      return {
        memory: waitingFor("memory", system) ?? 0,
        processor: waitingFor("cpu", system) ?? byLoad(loadOf(system), processorCount(system)),
      };
    case "darwin":
      return {
        memory: levelOfMac(system.root) ?? 0,
        processor: byLoad(loadavg()[0], processorCount(system)),
      };
    case "win32":
      return { memory: shortageOf(freemem() / totalmem()), processor: crowding(busyShare()) };
    default:
      return { memory: 0, processor: byLoad(loadavg()[0], processorCount(system)) };
  }
}

// --- Linux: pressure stall information.

// Undefined if the kernel does not count it.
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

/** The share of runnable threads without a processor, in percent. */
function byLoad(load = Number.NaN, processors: number): number {
  return load > processors ? percentage(100 * (1 - processors / load)) : 0;
}

// --- macOS.

/** What the kernel calls normal, warning and critical. */
const levels = new Map([
  [1, 0],
  [2, 50],
  [4, 100],
]);

function levelOfMac(root: string): number | undefined {
  const level = macCalls(`${root}${systemLibrary}`)?.number("kern.memorystatus_vm_pressure_level");
  return level === undefined ? undefined : levels.get(level);
}

// --- Windows.

/** From the share of free memory. */
function shortageOf(free: number): number {
  return percentage((100 * (0.2 - free)) / 0.15);
}

/** From the share of time that processors were busy. */
function crowding(busy: number): number {
  return percentage((100 * (busy - 0.8)) / 0.2);
}

/** How busy the processors were since an earlier call, at least a second ago; 0 at the first call. */
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
