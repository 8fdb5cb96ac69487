// The files that a batch sends to its fleet: each directory is looked at once for a runner, so that all its tasks see the same.
import { type Packed, packWork } from "../../fleet/pack-work.ts";
import { releaseWork } from "../../fleet/take-changes.ts";
import type { FleetLink } from "./fleet-link.ts";

export class SentWork {
  readonly #batchId: string;
  readonly #link: FleetLink;
  readonly #packed = new Map<string, Promise<Packed>>();

  constructor(batchId: string, link: FleetLink) {
    this.#batchId = batchId;
    this.#link = link;
  }

  /**
   * What workers need for a directory, or why they cannot have it, as it follows the directory's name in a sentence. Throws
   * `BlobError`.
   */
  of(directory: string): Promise<Packed> {
    const known = this.#packed.get(directory);
    if (known) return known;
    const packed = this.#pack(directory);
    this.#packed.set(directory, packed);
    // It may work the next time.
    packed.catch(() => this.#packed.delete(directory));
    return packed;
  }

  async #pack(directory: string): Promise<Packed> {
    const { shared } = await this.#link.fleet();
    const packed = await packWork(directory, { shared, blobs: this.#link.blobs(), name: this.#batchId });
    // It may be different for the next task.
    if (!packed.ok) this.#packed.delete(directory);
    return packed;
  }

  /** Lets go of commits that were made for the workers. */
  async release(): Promise<void> {
    for (const [directory, promise] of this.#packed) {
      const packed = await promise.catch(() => undefined);
      if (packed?.ok && packed.work.kind === "git" && packed.work.commit !== packed.work.head)
        await releaseWork(directory, packed.work.commit);
    }
  }
}
