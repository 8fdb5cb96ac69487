// What the machine carries: measures what the sessions of this runner take, learns what the next will take, and says
// whether it may start.

import type { BatchId } from "../../model/batch-id.ts";
import { type Memory, memoryNow } from "../../platform/memory.ts";
import { type Pressure, pressureNow } from "../../platform/pressure.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { treesOf } from "../../platform/process-trees.ts";
import type { Load } from "../../store/capacity.ts";
import type { SharedCapacity } from "../shared/shared-store.ts";
import {
  evictionCandidates,
  firstFootprint,
  isShort,
  lackOfMemory,
  learned,
  type MemoryFacts,
} from "./memory-plan.ts";

/** A look at the process table takes milliseconds where many run: at most this part of our time goes into it. */
const lookingShare = 0.03;
/** Of one that has become short of memory, more. */
const anxiousShare = 0.15;
/** Above this share of time in which something waited for memory, or a processor, in percent, starts wait. */
const mostMemoryPressure = 20;
const mostProcessorPressure = 90;
/** How often one session starts even while the processors are under pressure, in milliseconds. */
const pressedStartMs = 2_000;
/** With fewer sessions per processor than this, its pressure is not of our making. */
const easySessionsPerProcessor = 4;
/** So long what was seen of the machine counts, in milliseconds. */
const freshMs = 100;
/** Between few looks a session may have grown unseen: such a one makes no footprint smaller. */
const fewestLooks = 5;

interface MachinePlan {
  capacity: SharedCapacity;
  batchId: BatchId;
  holder: ProcessIdentity;
  processors: number;
  /** The operator's limit for all sessions together, in bytes. */
  limitBytes: number | undefined;
}

interface Watched {
  identity: ProcessIdentity;
  configuration: string;
  startedAt: number;
  usedBytes: number;
  peakBytes: number;
  looks: number;
  members: readonly ProcessIdentity[];
}

export class Machine {
  readonly #plan: MachinePlan;
  readonly #watched = new Map<number, Watched>();
  /** What was learned, by configuration. */
  readonly #footprints = new Map<string, number | undefined>();
  /** The greatest use of the running ones, by configuration. */
  #peaks = new Map<string, number>();
  #surroundings: { at: number; memory: Memory; pressure: Pressure; others: Load[] } | undefined;
  #nextLookAt = 0;
  #lastStartAt = Number.NEGATIVE_INFINITY;
  /** Whether there may be a row of ours: an earlier runner of the batch may have left one. */
  #published = true;

  constructor(plan: MachinePlan) {
    this.#plan = plan;
  }

  /** Why a session of this configuration cannot start now; nothing where it can. */
  hindrance(configuration: string): string | undefined {
    const facts = this.#facts();
    const lack = lackOfMemory(facts, this.#footprint(configuration));
    if (lack !== undefined) return lack;
    const running = this.#watched.size;
    if (running === 0) return undefined;
    const { memory, processor } = this.#around().pressure;
    if (memory > mostMemoryPressure)
      return `Waits for memory: processes on this machine waited for it ${Math.round(memory)} % of the time.`;
    const isCrowded = running >= easySessionsPerProcessor * this.#plan.processors;
    if (
      isCrowded &&
      processor > mostProcessorPressure &&
      performance.now() - this.#lastStartAt < pressedStartMs
    )
      return `Waits for the processors: processes on this machine waited for them ${Math.round(processor)} % of the time.`;
    return undefined;
  }

  /** A session runs from now on. */
  began(number: number, identity: ProcessIdentity, configuration: string): void {
    this.#lastStartAt = performance.now();
    const startedAt = this.#lastStartAt;
    const unseen = { usedBytes: 0, peakBytes: 0, looks: 0, members: [] };
    this.#watched.set(number, { identity, configuration, startedAt, ...unseen });
  }

  /** What was seen in the tree of a session that runs. */
  membersOf(number: number): readonly ProcessIdentity[] {
    return this.#watched.get(number)?.members ?? [];
  }

  /** It runs no more. */
  ended(number: number): void {
    const watched = this.#watched.get(number);
    this.#watched.delete(number);
    if (!watched) return;
    const { configuration, peakBytes, looks } = watched;
    const before = this.#footprints.get(configuration);
    if (looks < fewestLooks && peakBytes <= (before ?? firstFootprint)) return;
    const bytes = learned(before, peakBytes);
    this.#footprints.set(configuration, bytes);
    // Written where it has changed by more than a tenth: a start costs no commit.
    const kept = this.#plan.capacity.footprint(configuration);
    if (kept === undefined || Math.abs(bytes - kept) > kept / 10)
      this.#plan.capacity.setFootprint(configuration, bytes);
  }

  /** Measures when it is time, or at once. Gives the tasks whose sessions must end, for memory has become too little. */
  look(atOnce = false): number[] {
    const now = performance.now();
    if (now < this.#nextLookAt && !atOnce) return [];
    this.#measure();
    this.#publish();
    const facts = this.#facts();
    const share = isShort(facts) ? anxiousShare : lookingShare;
    this.#nextLookAt = now + (performance.now() - now) / share;
    return evictionCandidates(facts);
  }

  #measure(): void {
    this.#peaks = new Map();
    if (this.#watched.size === 0) return;
    const roots = new Map([...this.#watched].map(([number, { identity }]) => [number, identity]));
    const seen = new Map([...this.#watched].map(([number, { members }]) => [number, members]));
    for (const [number, { bytes, members }] of treesOf(roots, seen)) {
      const watched = this.#watched.get(number);
      if (!watched) continue;
      // One whose root has just gone says nothing more about what has left it.
      if (members.length > 0) watched.members = members;
      watched.usedBytes = bytes;
      watched.peakBytes = Math.max(watched.peakBytes, bytes);
      watched.looks++;
      const { configuration, peakBytes } = watched;
      this.#peaks.set(configuration, Math.max(peakBytes, this.#peaks.get(configuration) ?? 0));
    }
  }

  // So that other runners leave the room that ours will need.
  #publish(): void {
    if (this.#watched.size === 0 && !this.#published) return;
    const sessions = this.#sessions();
    const sum = (bytes: number[]) => bytes.reduce((total, one) => total + one, 0);
    this.#plan.capacity.setLoad(this.#plan.batchId, this.#plan.holder, {
      sessions: sessions.length,
      usedBytes: sum(sessions.map(({ usedBytes }) => usedBytes)),
      expectedBytes: sum(sessions.map(({ expectedBytes }) => expectedBytes)),
    });
    this.#published = sessions.length > 0;
  }

  #facts(): MemoryFacts {
    const { memory, others } = this.#around();
    return { ...memory, limitBytes: this.#plan.limitBytes, sessions: this.#sessions(), others };
  }

  // What lies around us is looked at ten times a second at most: what we started since then is counted as it will be.
  #around() {
    const now = performance.now();
    if (this.#surroundings && now - this.#surroundings.at < freshMs) return this.#surroundings;
    const { capacity, batchId } = this.#plan;
    const others = capacity.otherLoads(batchId);
    this.#surroundings = { at: now, memory: memoryNow(), pressure: pressureNow(), others };
    return this.#surroundings;
  }

  #sessions() {
    return [...this.#watched].map(([number, { configuration, startedAt, usedBytes }]) => ({
      number,
      startedAt,
      usedBytes,
      expectedBytes: Math.max(usedBytes, this.#footprint(configuration)),
    }));
  }

  // What is seen of running sessions counts at once: the first of them may be far above what was thought.
  #footprint(configuration: string): number {
    if (!this.#footprints.has(configuration))
      this.#footprints.set(configuration, this.#plan.capacity.footprint(configuration));
    const known = this.#footprints.get(configuration) ?? firstFootprint;
    return Math.max(known, this.#peaks.get(configuration) ?? 0);
  }
}
