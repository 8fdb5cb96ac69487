// Ends what a session left behind: commands in sessions of their own, double-forked ones too.
import { signalProcess } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { lookForMarkers } from "../platform/process-table.ts";

/** So many scans that were not whole, and found nothing, are believed: somewhere, some process always ends. */
const enoughRounds = 2;

/** Scans go on until one finds nothing, but not for ever: something may start faster than we end it. */
const mostRounds = 20;

/** Between two scans, so many times as long as one takes: at most half of our time goes into them. */
const restFactor = 1;

interface Waiting {
  marker: string;
  killed: Map<number, ProcessIdentity>;
  rounds: number;
  settle(leaked: ProcessIdentity[]): void;
}

/**
 * Ends every process that carries a marker. Sessions that end at about the same time share a look at the
 * process table, which costs milliseconds where many processes run.
 */
export class Sweeper {
  readonly #look: typeof lookForMarkers;
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #restMs = 0;

  constructor(look = lookForMarkers) {
    this.#look = look;
  }

  /** Gives those that were found and killed. Resolves when a scan has found none any more. */
  sweep(marker: string): Promise<ProcessIdentity[]> {
    const { promise, resolve } = Promise.withResolvers<ProcessIdentity[]>();
    this.#waiting.push({ marker, killed: new Map(), rounds: 0, settle: resolve });
    this.#timer ??= setTimeout(() => this.#scan(), this.#restMs);
    return promise;
  }

  #scan(): void {
    this.#timer = undefined;
    const sweeping = this.#waiting;
    this.#waiting = [];
    const began = Bun.nanoseconds();
    const { byMarker, isWhole } = this.#look(new Set(sweeping.map(({ marker }) => marker)));
    this.#restMs = Math.min(25, ((Bun.nanoseconds() - began) / 1e6) * restFactor);
    for (const waiting of sweeping) {
      const living = byMarker.get(waiting.marker) ?? [];
      waiting.rounds++;
      for (const identity of living) {
        waiting.killed.set(identity.pid, identity);
        signalProcess(identity, "SIGKILL");
      }
      const isOver = living.length === 0 && (isWhole || waiting.rounds >= enoughRounds);
      if (!isOver && waiting.rounds < mostRounds) this.#waiting.push(waiting);
      else waiting.settle([...waiting.killed.values()]);
    }
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#scan(), Math.max(5, this.#restMs));
  }
}
