// How many sessions the machine can hold: measures the sessions of this runner, learns what the next will need, and says
// whether it may start.
import type { BatchId } from "../../model/batch-id.ts";
import { awaitsMemory, awaitsProcessors } from "../../model/wait-reason.ts";
import { type Memory, memoryNow } from "../../platform/memory.ts";
import { type Pressure, pressureNow } from "../../platform/pressure.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { treesOf } from "../../platform/process-trees.ts";
import type { Load } from "../../store/capacity.ts";
import type { SharedCapacity } from "../shared/shared-store.ts";
import {
  evictionCandidates,
  firstFootprintBytes,
  isShort,
  type Loss,
  lackOfMemory,
  learned,
  type MemoryFacts,
} from "./memory-plan.ts";

/** Scanning the process table takes milliseconds if many processes run: at most this part of our time goes into it. */
const usualShare = 0.03;
/** The same while memory is short. */
const shortageShare = 0.15;
/** How long to skip looks while no session uses more or less than before, and memory is not short, in milliseconds. */
const quietMs = 1_000;
/** Starts wait if something waited for memory, or a processor, for more than this share of the time, in percent. */
const mostMemoryPressure = 20;
const mostProcessorPressure = 90;
/** How often one session starts even if the processors are under pressure, in milliseconds. */
const pressedStartMs = 2_000;
/** With fewer sessions per processor than this, we do not cause its pressure. */
const fewSessionsPerProcessor = 4;
/** How long figures of the machine are reused, in milliseconds. */
const freshMs = 100;
/** A session sampled fewer times may have peaked unseen, so it never lowers a footprint. */
const fewestLooks = 5;

/** How old an unchanged load in the store may become, in milliseconds: runners that cannot see our process ignore old ones. */
const republishMs = 15_000;
/** How much the use of memory may change and still count as the same: as a share, and in bytes if that is less. */
const nearShare = 0.01;
const nearBytes = 4_000_000;

interface MachineParts {
  capacity: SharedCapacity;
  batchId: BatchId;
  holder: ProcessIdentity;
  processors: number;
  /** The operator's limit for all sessions together, in bytes. */
  limitBytes: number | undefined;
}

interface Watched {
  identity: ProcessIdentity;
  footprintKey: string;
  startedAt: number;
  usedBytes: number;
  peakBytes: number;
  looks: number;
  members: readonly ProcessIdentity[];
}

/** Those of this process that have sessions: together they take no more of our time than one. */
const measuring = new Set<Machine>();

export class Machine {
  readonly #parts: MachineParts;
  /** By their markers. */
  readonly #watched = new Map<string, Watched>();
  /** Learned footprints, by footprint key. */
  readonly #footprints = new Map<string, number | undefined>();
  /** The peak use of the running sessions, by footprint key. */
  #peaks = new Map<string, number>();
  #surroundings: { at: number; memory: Memory; pressure: Pressure; others: Load[] } | undefined;
  #nextLookAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Whether the last look found what the one before had found. */
  #isQuiet = false;
  /** What each session used at the last look. */
  #usedBefore: ReadonlyMap<string, number> = new Map();
  #lastStartAt = Number.NEGATIVE_INFINITY;
  /** Whether the store may show sessions of ours: at first, those that an earlier runner of the batch published. */
  #mayShowSessions = true;
  /** The load that we published last, and when, on the monotonic clock. */
  #published: { load: Load; at: number } | undefined;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  /** Why a session of this footprint key cannot start now; undefined if it can. */
  whyWait(footprintKey: string): string | undefined {
    const facts = this.#facts();
    const lack = lackOfMemory(facts, this.#footprint(footprintKey));
    if (lack !== undefined) return lack;
    const running = this.#watched.size;
    if (running === 0) return undefined;
    const { memory, processor } = this.#around().pressure;
    if (memory > mostMemoryPressure)
      return `${awaitsMemory}: processes on this machine waited for it ${Math.round(memory)} % of the time.`;
    const isCrowded = running >= fewSessionsPerProcessor * this.#parts.processors;
    if (
      isCrowded &&
      processor > mostProcessorPressure &&
      performance.now() - this.#lastStartAt < pressedStartMs
    )
      return `${awaitsProcessors}: processes on this machine waited for them ${Math.round(processor)} % of the time.`;
    return undefined;
  }

  /** Whether memory lacks for what runs already, so that sessions without a task must go. */
  get isPressed(): boolean {
    if (lackOfMemory(this.#facts(), 0) !== undefined) return true;
    return this.#around().pressure.memory > mostMemoryPressure;
  }

  /** Whether memory suffices for this number of sessions of a footprint key, besides those that run. */
  hasMemoryFor(footprintKey: string, sessions: number): boolean {
    return lackOfMemory(this.#facts(), sessions * this.#footprint(footprintKey)) === undefined;
  }

  /** A session has started, with a task or without one yet. */
  started(marker: string, identity: ProcessIdentity, footprintKey: string): void {
    this.#lastStartAt = performance.now();
    this.#isQuiet = false;
    const startedAt = this.#lastStartAt;
    const unseen = { usedBytes: 0, peakBytes: 0, looks: 0, members: [] };
    this.#watched.set(marker, { identity, footprintKey, startedAt, ...unseen });
    measuring.add(this);
  }

  /** What was seen in the tree of a running session. */
  membersOf(marker: string): readonly ProcessIdentity[] {
    return this.#watched.get(marker)?.members ?? [];
  }

  /** What a running session uses, in bytes; 0 if nobody has looked yet. */
  bytesOf(marker: string): number {
    return this.#watched.get(marker)?.usedBytes ?? 0;
  }

  /** A session has ended. Nothing is learned from one that never had a prompt (`isUnasked`). */
  ended(marker: string, { isUnasked = false }: { isUnasked?: boolean } = {}): void {
    const watched = this.#watched.get(marker);
    this.#watched.delete(marker);
    if (this.#watched.size === 0) measuring.delete(this);
    if (!watched || isUnasked) return;
    const { footprintKey, peakBytes, looks } = watched;
    const before = this.#footprints.get(footprintKey);
    if (looks < fewestLooks && peakBytes <= (before ?? firstFootprintBytes)) return;
    const bytes = learned(before, peakBytes);
    this.#footprints.set(footprintKey, bytes);
    // Stored only if it changed by more than a tenth, to save commits.
    const kept = this.#parts.capacity.footprint(footprintKey);
    if (kept === undefined || Math.abs(bytes - kept) > kept / 10)
      this.#parts.capacity.setFootprint(footprintKey, bytes);
  }

  /** Measures and publishes if it is time. Returns whether it did. */
  look(): boolean {
    // There is nothing to measure, and others know that.
    if (this.#watched.size === 0 && !this.#mayShowSessions) return false;
    const dueAt = this.#isQuiet ? Math.max(this.#nextLookAt, this.#lookedAt + quietMs) : this.#nextLookAt;
    if (performance.now() < dueAt) return false;
    this.lookNow();
    return true;
  }

  /** Measures what the sessions use, and publishes it for other runners. */
  lookNow(): void {
    const now = performance.now();
    this.#measure();
    this.#publish();
    const short = isShort(this.#facts());
    const usedBefore = this.#usedBefore;
    this.#usedBefore = this.#usedNow();
    this.#isQuiet = isSameUse(this.#usedBefore, usedBefore) && !short;
    this.#lookedAt = now;
    const share = (short ? shortageShare : usualShare) / Math.max(1, measuring.size);
    this.#nextLookAt = now + (performance.now() - now) / share;
  }

  /** The markers of sessions that must end because memory is short. `lossOf`: undefined for one that cannot be ended. */
  toEvict(lossOf: (marker: string) => Loss | undefined): string[] {
    return evictionCandidates(this.#facts(), lossOf);
  }

  #measure(): void {
    this.#peaks = new Map();
    if (this.#watched.size === 0) return;
    const roots = new Map([...this.#watched].map(([marker, { identity }]) => [marker, identity]));
    const seen = new Map([...this.#watched].map(([marker, { members }]) => [marker, members]));
    for (const [marker, { bytes, members }] of treesOf(roots, seen)) {
      const watched = this.#watched.get(marker);
      if (!watched) continue;
      // If the root has just ended, the scan no longer shows what left its tree.
      if (members.length > 0) watched.members = members;
      watched.usedBytes = bytes;
      watched.peakBytes = Math.max(watched.peakBytes, bytes);
      watched.looks++;
      const { footprintKey, peakBytes } = watched;
      this.#peaks.set(footprintKey, Math.max(peakBytes, this.#peaks.get(footprintKey) ?? 0));
    }
  }

  // So that other runners leave room for ours. Each write wakes everybody who waits for the store, so what hardly differs
  // is not written.
  #publish(): void {
    if (this.#watched.size === 0 && !this.#mayShowSessions) return;
    const sessions = this.#sessions();
    const sum = (bytes: number[]) => bytes.reduce((total, one) => total + one, 0);
    const load: Load = {
      sessions: sessions.length,
      usedBytes: sum(sessions.map(({ usedBytes }) => usedBytes)),
      expectedBytes: sum(sessions.map(({ expectedBytes }) => expectedBytes)),
    };
    const now = performance.now();
    const last = this.#published;
    if (last && now - last.at < republishMs && isNearly(load, last.load)) return;
    this.#parts.capacity.setLoad(this.#parts.batchId, this.#parts.holder, load);
    this.#published = { load, at: now };
    this.#mayShowSessions = sessions.length > 0;
  }

  #usedNow(): ReadonlyMap<string, number> {
    return new Map([...this.#watched].map(([marker, { usedBytes }]) => [marker, usedBytes]));
  }

  #facts(): MemoryFacts {
    const { memory, others } = this.#around();
    return { ...memory, limitBytes: this.#parts.limitBytes, sessions: this.#sessions(), others };
  }

  // Reads the surroundings at most ten times a second. What we started since counts by its expected use.
  #around() {
    const now = performance.now();
    if (this.#surroundings && now - this.#surroundings.at < freshMs) return this.#surroundings;
    const { capacity, batchId } = this.#parts;
    const others = capacity.otherLoads(batchId);
    this.#surroundings = { at: now, memory: memoryNow(), pressure: pressureNow(), others };
    return this.#surroundings;
  }

  #sessions() {
    return [...this.#watched].map(([marker, { footprintKey, startedAt, usedBytes }]) => ({
      marker,
      startedAt,
      usedBytes,
      expectedBytes: Math.max(usedBytes, this.#footprint(footprintKey)),
    }));
  }

  // Running sessions count at once: the first of them may need far more than expected.
  #footprint(footprintKey: string): number {
    if (!this.#footprints.has(footprintKey))
      this.#footprints.set(footprintKey, this.#parts.capacity.footprint(footprintKey));
    const known = this.#footprints.get(footprintKey) ?? firstFootprintBytes;
    return Math.max(known, this.#peaks.get(footprintKey) ?? 0);
  }
}

function isNearly(load: Load, last: Load): boolean {
  if (load.sessions !== last.sessions) return false;
  return isNear(load.usedBytes, last.usedBytes) && isNear(load.expectedBytes, last.expectedBytes);
}

// By marker. A session that has gone makes no difference.
function isSameUse(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): boolean {
  return [...now].every(([marker, bytes]) => {
    const earlier = before.get(marker);
    return earlier !== undefined && isNear(bytes, earlier);
  });
}

function isNear(bytes: number, before: number): boolean {
  return Math.abs(bytes - before) <= Math.max(before * nearShare, nearBytes);
}
