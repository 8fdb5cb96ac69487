// What other batches of the account have the cache of the API get: two that start at the same moment ask one session first,
// as one batch does. What other processes store is known as it was last read.
import type { BatchId } from "../../model/batch-id.ts";
import { isNow, type KnownPrefix } from "../../store/prefixes.ts";
import type { SharedPrefixes } from "../shared/shared-store.ts";

/** How much less the cache must keep a beginning than is known, to store it again, in milliseconds. */
const keepEveryMs = 60_000;

interface ElsewhereParts {
  shared: SharedPrefixes;
  batchId: BatchId;
  /** The system's clock, in milliseconds since 1970. */
  now?: () => number;
}

export class PrefixesElsewhere {
  readonly #shared: SharedPrefixes;
  readonly #batchId: BatchId;
  readonly #now: () => number;
  #known: Map<string, KnownPrefix> | undefined;

  constructor({ shared, batchId, now = () => Date.now() }: ElsewhereParts) {
    this.#shared = shared;
    this.#batchId = batchId;
    this.#now = now;
  }

  /** Others have written to the store. It is read when somebody asks. */
  refresh(): void {
    this.#known = undefined;
  }

  /** For how long the cache keeps a beginning, in milliseconds; 0 or less if it has none. */
  leftMs(prefix: string): number {
    const known = this.#current(prefix);
    return known && known.leader === undefined ? known.until - this.#now() : 0;
  }

  /** Whether a session of another batch has been asked for it first, and was not answered yet. */
  isLed(prefix: string): boolean {
    const leader = this.#current(prefix)?.leader;
    return leader !== undefined && leader !== this.#batchId;
  }

  /** Takes the lead, or keeps it, for `forMs` milliseconds. False if another batch has it, or the cache has the beginning. */
  lead(prefix: string, forMs: number): boolean {
    if (this.isLed(prefix)) return false;
    const since = this.#now();
    const isOurs = this.#shared.lead(prefix, this.#batchId, { since, until: since + forMs });
    if (isOurs) this.#all.set(prefix, { leader: this.#batchId, since, until: since + forMs });
    else this.refresh();
    return isOurs;
  }

  /** The cache has it for `keptMs` milliseconds from now on. */
  keep(prefix: string, keptMs: number): void {
    if (this.leftMs(prefix) > keptMs - keepEveryMs) return;
    const since = this.#now();
    this.#all.set(prefix, { leader: undefined, since, until: since + keptMs });
    this.#shared.keep(prefix, { since, until: since + keptMs });
  }

  /** This batch leads no more. */
  free(prefix: string): void {
    if (this.#all.get(prefix)?.leader !== this.#batchId) return;
    this.#all.delete(prefix);
    this.#shared.free(prefix, this.#batchId);
  }

  get #all(): Map<string, KnownPrefix> {
    this.#known ??= this.#shared.all();
    return this.#known;
  }

  #current(prefix: string): KnownPrefix | undefined {
    const known = this.#all.get(prefix);
    return known && isNow(known, this.#now()) ? known : undefined;
  }
}
