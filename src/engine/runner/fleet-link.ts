// The connection of a batch to its fleet: made at the first use, and closed with its runner.
import { BlobError, type BlobStore, blobStoreOf } from "../../fleet/blobs.ts";
import { type Fleet, readFleet } from "../../fleet/settings.ts";
import { SubmitterQueue } from "../../fleet/submitter-queue.ts";
import { fleetTiming } from "../../fleet/timing.ts";
import type { BatchFleet } from "../../model/fleet.ts";
import { clock } from "../../platform/clock.ts";
import { messageOf } from "../../platform/system-error.ts";
import { isStorageTrouble } from "../../store/database.ts";

/** Jobs that wait in the queue for each that runs, so that no worker ever waits for us. */
const jobsPerSlot = 2;
/** The fewest jobs in the queue, unless the batch allows fewer: workers that start now find some. */
const fewestJobs = 16;

interface Waiting {
  isMeant(): boolean;
  /** Whether an error will not pass. */
  isOver?(error: BlobError): boolean;
  /** Hears why it waits. */
  waits(because: string): void;
}

export class FleetLink implements AsyncDisposable {
  readonly name: string;
  readonly #settings: BatchFleet;
  readonly #changed: () => void;
  #blobs: BlobStore | undefined;
  #opening: Promise<SubmitterQueue> | undefined;
  #queue: SubmitterQueue | undefined;
  #said: string | undefined;
  #printed: string | undefined;
  /** What cannot be sent at present, and why. */
  readonly #unsent = new Map<symbol, string>();
  readonly #closing = new AbortController();

  /** `changed` is called when other workers may be there. */
  constructor(fleet: BatchFleet, changed: () => void) {
    this.name = fleet.name;
    this.#settings = fleet;
    this.#changed = changed;
  }

  /** The queue. Waits while its files cannot be read, or its server cannot be reached. */
  queue(): Promise<SubmitterQueue> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Why no task can be handed to the fleet now, in words for people; undefined if one can. */
  whyWait(): string | undefined {
    // It fails only when this is closed.
    this.queue().catch(() => undefined);
    const queue = this.#queue;
    if (!queue) return this.#said ?? `Connects to the fleet ${this.name}.`;
    if (queue.trouble !== undefined) return `${queue.trouble}.`;
    const [unsent] = this.#unsent.values();
    if (unsent !== undefined) return unsent;
    if (queue.isLimited)
      return `Waits for the fleet ${this.name}: its account has reached a limit, and no task starts until that is over.`;
    const { workers } = queue;
    if (workers.length === 0) return `Waits for a worker of the fleet ${this.name}: none is running.`;
    if (workers.every(({ isDraining }) => isDraining) && workers.some(({ isDrained }) => isDrained))
      return `Waits for a worker of the fleet ${this.name}: all are out of service, until \`fleet resume ${this.name}\`.`;
    if (workers.every(({ isDraining }) => isDraining))
      return `Waits for a worker of the fleet ${this.name}: all are about to end.`;
    const held = workers.map((worker) => worker.held);
    return held.every((because) => because !== undefined)
      ? `All workers of the fleet ${this.name} wait: ${held[0]}`
      : undefined;
  }

  /** How many jobs should be in the queue or run, as far as the workers are concerned. */
  mostJobs(): number {
    const slots = (this.#queue?.workers ?? []).reduce((sum, worker) => sum + worker.slots, 0);
    return Math.max(fewestJobs, slots * jobsPerSlot);
  }

  /** Its settings and secrets. Waits while their files cannot be read. */
  async fleet(): Promise<Fleet> {
    for (;;) {
      const read = readFleet(this.#settings.name, this.#settings.settings);
      if (read.ok) {
        this.#blobs ??= blobStoreOf(read.fleet);
        return read.fleet;
      }
      this.#said = read.problems.map(({ says, remedy }) => `${says} ${remedy}`).join(" ");
      // Somebody may put them back.
      await clock.next("rest");
      if (this.#closing.signal.aborted) throw new Error(`The fleet ${this.name} is not used any more`);
    }
  }

  /** Where texts, transcripts and files are. */
  blobs(): BlobStore {
    if (!this.#blobs) throw new Error("Internal error: the blobs of a fleet that was not read yet");
    return this.#blobs;
  }

  /** Says to people why something waits: once, until it is something else. */
  say(text: string): void {
    this.#said = text;
    if (text === this.#printed) return;
    this.#printed = text;
    console.error(`${new Date().toISOString()} ${text}`);
  }

  /** What `act` gives that sends something; undefined if it is not meant any more. Meanwhile, nothing else is begun. */
  async untilSent<Value>(act: () => Promise<Value>, isMeant: () => boolean): Promise<Value | undefined> {
    const own = Symbol("unsent");
    const waits = (because: string) => {
      this.#unsent.set(own, because);
      this.say(because);
    };
    try {
      return await this.untilStored(act, { isMeant, waits });
    } finally {
      this.#unsent.delete(own);
    }
  }

  /**
   * What `act` gives, as soon as neither the blob store nor the disk here prevents it; undefined if that is not meant any
   * more.
   */
  async untilStored<Value>(
    act: () => Promise<Value>,
    { isMeant, isOver, waits }: Waiting,
  ): Promise<Value | undefined> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        const mayPass = error instanceof BlobError ? !isOver?.(error) : isStorageTrouble(error);
        if (!mayPass || this.#closing.signal.aborted) throw error;
        if (!isMeant()) return undefined;
        waits(messageOf(error));
      }
      await clock.next("rest");
    }
  }

  async #open(): Promise<SubmitterQueue> {
    const parts = {
      fleet: await this.fleet(),
      timing: fleetTiming(),
      say: (text: string) => this.say(text),
      changed: this.#changed,
    };
    this.#queue = await SubmitterQueue.open(parts, this.#closing.signal);
    return this.#queue;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    // One that is still connecting gives up, or is just ready.
    await this.#opening?.catch(() => undefined);
    await this.#queue?.[Symbol.asyncDispose]();
  }
}

/** Slots in the queue of a fleet: as many as its workers need, whatever other batches use. */
export function fleetSlotSource(most: () => number) {
  let taken = 0;
  let last = 0;
  const claim = () => {
    if (taken >= most()) return undefined;
    taken++;
    return ++last;
  };
  return {
    claim,
    claimUnwaited: claim,
    release: () => void taken--,
    force: () => {
      taken++;
      return ++last;
    },
    stopWaiting: () => undefined,
    yields: () => false,
  };
}
