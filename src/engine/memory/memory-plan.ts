// Whether memory allows one more session, and which ones must give way when it has become too little.
import type { Load } from "../../store/capacity.ts";

/** Of a session of which nothing is known yet, in bytes. The CLI alone takes 110 to 130 MB of its own. */
export const firstFootprint = 256e6;

export interface RunningMemory {
  number: number;
  startedAt: number;
  usedBytes: number;
  /** What it may come to take; never less than it takes. */
  expectedBytes: number;
}

export interface MemoryFacts {
  /** What is left on the machine, or in the control group that we are in. */
  availableBytes: number;
  totalBytes: number;
  /** The operator's limit for all sessions together. */
  limitBytes?: number | undefined;
  sessions: readonly RunningMemory[];
  /** What the sessions of other runners take. */
  others: readonly Load[];
}

/** Why a session that may take so much cannot start now; nothing where it can. One session may always run. */
export function lackOfMemory(facts: MemoryFacts, nextBytes: number): string | undefined {
  const { availableBytes, limitBytes } = facts;
  const { sessions, usedBytes, expectedBytes } = loadOf(facts);
  if (sessions === 0) return undefined;
  const running = sessions === 1 ? "the running session" : `the ${sessions} running sessions`;
  if (limitBytes !== undefined && expectedBytes + nextBytes > limitBytes)
    return `Waits for memory: ${running} may take ${megabytes(expectedBytes)}, the next one ${megabytes(nextBytes)}, and \`memoryLimitMb\` is ${limitBytes / 1e6}.`;
  const stillToTake = expectedBytes - usedBytes;
  if (availableBytes - stillToTake - nextBytes < marginOf(facts))
    return `Waits for memory: ${megabytes(availableBytes)} are free, of which ${running} may still take ${megabytes(stillToTake)}, and the next one ${megabytes(nextBytes)}.`;
  return undefined;
}

/** The sessions to end now, youngest first, before the OOM killer picks one. The oldest stays. */
export function evictionCandidates(facts: MemoryFacts): number[] {
  const { availableBytes, limitBytes, sessions, others } = facts;
  // Several runners see the same shortage; the one that takes most mends it, of those that can.
  const own = sum(sessions.map(({ usedBytes }) => usedBytes));
  if (others.some((load) => load.sessions > 1 && load.usedBytes > own)) return [];
  const overLimit = limitBytes === undefined ? 0 : loadOf(facts).usedBytes - limitBytes * nearly;
  let missing = Math.max(overLimit, acuteOf(facts) - availableBytes);
  const youngestFirst = [...sessions].sort((a, b) => b.startedAt - a.startedAt || b.number - a.number);
  const chosen: number[] = [];
  for (const session of youngestFirst.slice(0, -1)) {
    if (missing <= 0) break;
    chosen.push(session.number);
    missing -= session.usedBytes;
  }
  return chosen;
}

/** Whether little is left: then it matters how soon it is seen that nothing is. */
export function isShort(facts: MemoryFacts): boolean {
  const { availableBytes, limitBytes } = facts;
  if (limitBytes !== undefined && loadOf(facts).usedBytes > limitBytes * 0.7) return true;
  return availableBytes < 3 * marginOf(facts);
}

/** What all sessions of the machine take, and may come to take. */
export function loadOf({ sessions, others }: Pick<MemoryFacts, "sessions" | "others">): Load {
  return {
    sessions: sessions.length + sum(others.map((load) => load.sessions)),
    usedBytes: sum([...sessions, ...others].map(({ usedBytes }) => usedBytes)),
    expectedBytes: sum([...sessions, ...others].map(({ expectedBytes }) => expectedBytes)),
  };
}

/** The footprint learned so far and a session's greatest use make the next one: up at once, down slowly. */
export function learned(before: number | undefined, peakBytes: number): number {
  if (before === undefined || peakBytes >= before) return peakBytes;
  return before + (peakBytes - before) * 0.1;
}

/** Sessions end before the limit itself, for between two looks they grow. */
const nearly = 0.97;

// What stays free for everything else on the machine.
function marginOf({ totalBytes }: MemoryFacts): number {
  return Math.min(2e9, Math.max(128e6, totalBytes * 0.05));
}

// With less than this, the kernel is about to choose.
function acuteOf(facts: MemoryFacts): number {
  return marginOf(facts) / 3;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
