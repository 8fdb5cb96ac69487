// Writes the page of a batch, and the companion that an open page polls. The companion is written often; the page itself
// less so, because an opened page polls at once.
import { batchEndOf } from "../../model/batch-end.ts";
import type { BatchState } from "../../model/state.ts";
import type { endedWord } from "../../model/state-word.ts";
import { join } from "../../platform/paths.ts";
import { readHead, replaceFile } from "../../platform/whole-files.ts";
import { isOurPage } from "../../report/file-tag.ts";
import { forwardPage } from "../../report/forward-page.ts";
import type { Html } from "../../report/html.ts";
import { livePage, type PageView } from "../../report/page.ts";
import { heldNow, settledRow, stateWordOf } from "../../store/batch-status.ts";
import { batchFolderOf, outputFiles, sharedDirectoryOf } from "../../store/layout.ts";
import type { BatchRow, Store } from "../../store/store.ts";
import { summaryTextOf } from "./summary-text.ts";

const everyMs = 500;
const idleEveryMs = 3_000;
/** While no session runs. An open page that gets nothing new for 20 s says so. */
const restEveryMs = 10_000;
/** How many tasks take a millisecond between two writes, above 2,000 tasks. */
const tasksPerMs = 4;
/** The page is rewritten once per this many companion updates. */
const companionsPerPage = 4;

/** How much of a summary the page shows, in characters; its own page has the rest. */
const longestOnPage = 100_000;

/** What the page shows besides the state. */
export interface PageSources {
  /** File names by task number. */
  names: ReadonlyMap<number, string>;
  /** The address of the page of a task's sessions, if there is one. */
  sessionOf?(task: number): string | undefined;
  /** What running tasks are doing. */
  activities: ReadonlyMap<number, string>;
  /** Called if a foreign file has a name that we would use. It stays. */
  foreignFileKept(path: string): void;
  /** How often the texts that the page searches were written. */
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

  /** The batch has changed. */
  changed(): void {
    this.#dirty = true;
  }

  /**
   * Whether it is time: at most twice a second, but now and then without changes too, because the page shows the time.
   */
  isDue(state: BatchState): boolean {
    const age = performance.now() - this.#writtenAt;
    // With thousands of tasks it has megabytes: written less often, it costs as little as a small one.
    const every = Math.max(everyMs, state.tasks.length / tasksPerMs);
    const idleEvery = state.counts.running > 0 ? idleEveryMs : restEveryMs;
    return age >= (this.#dirty ? every : Math.max(idleEvery, every));
  }

  /** Writes what is due into a directory. With `ended`, everything for the last time; with `whole`, the page too. */
  async write(
    state: BatchState,
    {
      directory = state.outputDirectory,
      ended,
      whole,
    }: { directory?: string; ended?: ReturnType<typeof endedWord>; whole?: boolean } = {},
  ): Promise<void> {
    this.#dirty = false;
    this.#writtenAt = performance.now();
    const { batchId } = state.batch;
    const rows = this.#store.inDirectory(directory, { of: batchId });
    const view = this.#viewOf(state, { rows, directory, stateWord: ended ?? "running" });
    const isWhole = whole || ended !== undefined;
    if (isWhole || this.#companions % companionsPerPage === 0) {
      const page = this.#page.html(view);
      await replaceFile(join(directory, outputFiles.report(batchId)), page.pieces(), { tag: batchId });
      const shared = sharedDirectoryOf(directory, batchId);
      const isNewest = rows[0]?.batchId === batchId;
      if (isNewest || shared !== undefined)
        await this.#writeIndex(join(directory, outputFiles.index), page, batchId);
      // Only at its beginning and its end: where it leads stays the same.
      if (isNewest && shared !== undefined && isWhole)
        await this.#writeIndex(join(shared, outputFiles.index), forwardFrom(batchId), batchId);
    }
    await replaceFile(join(directory, outputFiles.feed(batchId)), this.#page.update(view), { tag: batchId });
    // Only now: what could not be written is tried again, with its page.
    if (!isWhole) this.#companions++;
  }

  // The only name in a directory that others use too: a foreign file stays.
  async #writeIndex(path: string, page: Html, batchId: string): Promise<void> {
    const head = await readHead(path, 512);
    if (head === undefined || isOurPage(head)) await replaceFile(path, page.pieces(), { tag: batchId });
    else this.#sources.foreignFileKept(path);
  }

  #viewOf(
    state: BatchState,
    { rows, directory, stateWord }: { rows: BatchRow[]; directory: string; stateWord: PageView["stateWord"] },
  ): PageView {
    const { batchId } = state.batch;
    const own = rows.find((row) => row.batchId === batchId);
    const isAlone = sharedDirectoryOf(directory, batchId) !== undefined;
    return {
      state,
      now: Date.now(),
      stateWord,
      held: stateWord === "running" && own ? heldNow(own) : undefined,
      summary: summaryTextOf(state, longestOnPage),
      hrefOf: (number) => this.#sources.names.get(number),
      sessionOf: (number) => this.#sources.sessionOf?.(number),
      activityOf: (number) => this.#sources.activities.get(number),
      feedHref: outputFiles.feed(batchId),
      dataHref: outputFiles.data(batchId),
      texts: { href: outputFiles.texts(batchId), writings: this.#sources.textWritings() },
      others: rows
        .filter((row) => row.batchId !== batchId)
        .map((row) => settledRow(row, this.#store))
        .map((row) => ({
          batchId: row.batchId,
          name: row.name,
          href: hrefOf(row.batchId, isAlone),
          createdAt: row.createdAt,
          changedAt: row.endedAt ?? row.changedAt,
          end: batchEndOf({ word: stateWordOf(row), ...row }),
          counts: row.counts,
          costUsd: row.costUsd,
          costAtLeast: row.costAtLeast,
        })),
    };
  }
}

// From the page of one batch to that of another one, in the same directory, or in a folder beside that of a batch alone.
function hrefOf(batchId: string, isAlone: boolean): string {
  const report = outputFiles.report(batchId);
  return isAlone ? `../${batchFolderOf(batchId)}/${report}` : report;
}

function forwardFrom(batchId: string): Html {
  return forwardPage(batchId, `${batchFolderOf(batchId)}/${outputFiles.index}`);
}
