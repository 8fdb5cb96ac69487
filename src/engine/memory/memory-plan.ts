// Whether memory allows one more session, and which ones to evict if it runs short.
import { awaitsMemory } from "../../model/wait-reason.ts";
import type { Load } from "../../store/capacity.ts";

/** For an unknown session, in bytes. The CLI alone takes 110 to 130 MB. */
export const firstFootprintBytes = 256e6;

export interface RunningMemory {
  marker: string;
  startedAt: number;
  usedBytes: number;
  /** What it may grow to; never less than it uses. */
  expectedBytes: number;
}

export interface MemoryFacts {
  /** What is left on the machine, or in our control group. */
  availableBytes: number;
  totalBytes: number;
  /** The operator's limit for all sessions together. */
  limitBytes?: number | undefined;
  sessions: readonly RunningMemory[];
  /** What the sessions of other runners use. */
  others: readonly Load[];
}

/** Why a session of this size cannot start now; undefined if it can. One session may always run. */
export function lackOfMemory(facts: MemoryFacts, nextBytes: number): string | undefined {
  const { availableBytes, limitBytes } = facts;
  const { sessions, usedBytes, expectedBytes } = loadOf(facts);
  if (sessions === 0) return undefined;
  const running = sessions === 1 ? "the running session" : `the ${sessions} running sessions`;
  if (limitBytes !== undefined && expectedBytes + nextBytes > limitBytes)
    return `${awaitsMemory}: ${running} may take ${megabytes(expectedBytes)}, the next one ${megabytes(nextBytes)}, and \`memoryLimitMb\` is ${limitBytes / 1e6}.`;
  const stillToTake = expectedBytes - usedBytes;
  if (availableBytes - stillToTake - nextBytes < marginBytes(facts))
    return `${awaitsMemory}: ${megabytes(availableBytes)} are free, of which ${running} may still take ${megabytes(stillToTake)}, and the next one ${megabytes(nextBytes)}.`;
  return undefined;
}

/**
 * What is lost with a session: not even a wait, because it is a spare without a task; nothing, because its task has not asked
 * it yet; or work that was paid for.
 */
export type Loss = "spare" | "nothing" | "work";

/**
 * The sessions to end now, before the OOM killer picks one: first those without a task, then those without a prompt, then the
 * youngest. Of those that have a task and can be ended, the last in this order stays. `lossOf`: undefined for one that cannot be
 * ended.
 */
export function evictionCandidates(
  facts: MemoryFacts,
  lossOf: (marker: string) => Loss | undefined,
): string[] {
  const { availableBytes, limitBytes, sessions, others } = facts;
  // Several runners see the same shortage. Of those that can act, the one that uses the most does.
  const own = sum(sessions.map(({ usedBytes }) => usedBytes));
  if (others.some((load) => load.sessions > 1 && load.usedBytes > own)) return [];
  const overLimit = limitBytes === undefined ? 0 : loadOf(facts).usedBytes - limitBytes * usableShare;
  let missing = Math.max(overLimit, criticalBytes(facts) - availableBytes);
  const youngestFirst = sessions.toSorted(
    (a, b) => b.startedAt - a.startedAt || (a.marker < b.marker ? 1 : -1),
  );
  const losing = (loss: Loss) => youngestFirst.filter(({ marker }) => lossOf(marker) === loss);
  const chosen: string[] = [];
  const withTasks = [...losing("nothing"), ...losing("work")].slice(0, -1);
  for (const session of [...losing("spare"), ...withTasks]) {
    if (missing <= 0) break;
    chosen.push(session.marker);
    missing -= session.usedBytes;
  }
  return chosen;
}

/** Whether memory is low, so that measuring more often pays off. */
export function isShort(facts: MemoryFacts): boolean {
  const { availableBytes, limitBytes } = facts;
  if (limitBytes !== undefined && loadOf(facts).usedBytes > limitBytes * 0.7) return true;
  return availableBytes < 3 * marginBytes(facts);
}

/** What all sessions of the machine use, and may grow to. */
export function loadOf({ sessions, others }: Pick<MemoryFacts, "sessions" | "others">): Load {
  return {
    sessions: sessions.length + sum(others.map((load) => load.sessions)),
    usedBytes: sum([...sessions, ...others].map(({ usedBytes }) => usedBytes)),
    expectedBytes: sum([...sessions, ...others].map(({ expectedBytes }) => expectedBytes)),
  };
}

/** The new footprint, from the old one and a session's peak: up at once, down slowly. */
export function learned(before: number | undefined, peakBytes: number): number {
  if (before === undefined || peakBytes >= before) return peakBytes;
  return before + (peakBytes - before) * 0.1;
}

/** Sessions end slightly before the limit, because they grow between two scans. */
const usableShare = 0.97;

// What stays free for everything else on the machine.
function marginBytes({ totalBytes }: MemoryFacts): number {
  return Math.min(2e9, Math.max(128e6, totalBytes * 0.05));
}

// With less than this, the OOM killer is near.
function criticalBytes(facts: MemoryFacts): number {
  return marginBytes(facts) / 3;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
