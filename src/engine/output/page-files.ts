// Writes the page of a batch, and the companion that an open page follows by. The companion is written often; the page
// itself less so, for one that is opened follows at once.
import { batchEndOf } from "../../model/batch-end.ts";
import type { BatchState } from "../../model/state.ts";
import { join } from "../../platform/paths.ts";
import { readHead, replaceFile } from "../../platform/whole-files.ts";
import { isOurPage } from "../../report/file-tag.ts";
import { livePage, type PageView } from "../../report/page.ts";
import { outputFiles } from "../../store/layout.ts";
import { heldNow, standingOf } from "../../store/standing.ts";
import type { BatchRow, Store } from "../../store/store.ts";

const everyMs = 500;
const idleEveryMs = 3_000;
/** Above 2,000 tasks, how many more add a millisecond to the time between two writes. */
const tasksPerMs = 4;
/** The page itself is written with every so-manieth companion. */
const companionsPerPage = 4;

/** What the page is drawn from beside the state. */
export interface PageSources {
  /** File names by task number. */
  names: ReadonlyMap<number, string>;
  /** What running tasks are doing. */
  activities: ReadonlyMap<number, string>;
  /** A file that is not ours has a name that we would have used, and stays. */
  kept(path: string): void;
  /** Counts the writings of the texts that the page searches. */
  textWritings(): number;
}

export class PageFiles {
  readonly #store: Store;
  readonly #sources: PageSources;
  readonly #page = livePage();
  #dirty = true;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #companions = 0;

  constructor(store: Store, sources: PageSources) {
    this.#store = store;
    this.#sources = sources;
  }

  /** Something of the batch has changed. */
  changed(): void {
    this.#dirty = true;
  }

  /** Whether it is time: twice a second at most; and now and then though nothing happens, for time goes on in it. */
  isDue(state: BatchState): boolean {
    const age = performance.now() - this.#writtenAt;
    // Of thousands of tasks it is megabytes: written less often, that costs as little as a small one.
    const every = Math.max(everyMs, state.tasks.length / tasksPerMs);
    return age >= (this.#dirty ? every : Math.max(idleEveryMs, every));
  }

  /** Writes what is due. With `ended`, all of it for the last time; with `whole`, the page itself too. */
  async write(
    state: BatchState,
    { ended, whole }: { ended?: "finished" | "cancelled"; whole?: boolean } = {},
  ): Promise<void> {
    this.#dirty = false;
    this.#writtenAt = performance.now();
    const { batchId } = state.batch;
    const directory = state.outputDirectory;
    const rows = this.#store.inDirectory(directory);
    const view = this.#viewOf(state, rows, ended ?? "running");
    if (whole || ended || this.#companions++ % companionsPerPage === 0) {
      const page = this.#page.html(view);
      await replaceFile(join(directory, outputFiles.report(batchId)), page, { tag: batchId });
      if (rows[0]?.batchId === batchId)
        await this.#writeIndex(join(directory, outputFiles.index), page, batchId);
    }
    await replaceFile(join(directory, outputFiles.feed(batchId)), this.#page.update(view), { tag: batchId });
  }

  // The one name in a directory that others use too: what is not ours stays.
  async #writeIndex(path: string, page: string, batchId: string): Promise<void> {
    const head = await readHead(path, 512);
    if (head === undefined || isOurPage(head)) await replaceFile(path, page, { tag: batchId });
    else this.#sources.kept(path);
  }

  #viewOf(state: BatchState, rows: BatchRow[], stateWord: PageView["stateWord"]): PageView {
    const { batchId } = state.batch;
    const own = rows.find((row) => row.batchId === batchId);
    return {
      state,
      now: Date.now(),
      stateWord,
      held: stateWord === "running" && own ? heldNow(own) : undefined,
      hrefOf: (number) => this.#sources.names.get(number),
      activityOf: (number) => this.#sources.activities.get(number),
      feedHref: outputFiles.feed(batchId),
      texts: { href: outputFiles.texts(batchId), writings: this.#sources.textWritings() },
      others: rows
        .filter((row) => row.batchId !== batchId)
        .map((row) => ({
          batchId: row.batchId,
          name: row.name,
          href: outputFiles.report(row.batchId),
          createdAt: row.createdAt,
          changedAt: row.endedAt ?? row.changedAt,
          end: batchEndOf({ word: standingOf(row), ...row }),
          counts: row.counts,
          costUsd: row.costUsd,
          costAtLeast: row.costAtLeast,
        })),
    };
  }
}
