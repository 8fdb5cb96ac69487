// The files that a batch sends to its fleet: each directory is looked at once for a runner, so that all its tasks see the same.
import { type Packed, packWork } from "../../fleet/pack-work.ts";
import { releaseWork } from "../../fleet/take-changes.ts";
import { GitFailed } from "../../git/git.ts";
import { OncePerKey } from "../../model/once.ts";
import type { FleetLink } from "./fleet-link.ts";

export class SentWork {
  readonly #batchId: string;
  readonly #link: FleetLink;
  readonly #packed = new OncePerKey<Packed>();

  constructor(batchId: string, link: FleetLink) {
    this.#batchId = batchId;
    this.#link = link;
  }

  /**
   * What workers need for a directory, or why they cannot have it, as it follows the directory's name in a sentence. Throws
   * `BlobError`.
   */
  of(directory: string): Promise<Packed> {
    // If it cannot be had, that may be different for the next task.
    return this.#packed.of(
      directory,
      () => this.#pack(directory),
      ({ ok }) => ok,
    );
  }

  async #pack(directory: string): Promise<Packed> {
    const { shared } = await this.#link.fleet();
    return await packWork(directory, { shared, blobs: this.#link.blobs(), name: this.#batchId });
  }

  /** Lets go of commits that were kept for the workers, also by runners before this one. `directories`: of all tasks. */
  async release(directories: Iterable<string>): Promise<void> {
    try {
      await releaseWork(directories, this.#batchId);
    } catch (error) {
      // Without Git, nothing was kept.
      if (!(error instanceof GitFailed)) throw error;
    }
  }
}
