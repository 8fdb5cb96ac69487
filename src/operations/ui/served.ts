// Everything that `ui` serves: the list, batches, and the pages of their tasks. Each is read once for all pages that show it.
import { type BatchId, batchIdSchema } from "../../model/batch-id.ts";
import type { TaskState } from "../../model/state.ts";
import { metricsText } from "../../report/metrics.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import type { Store } from "../../store/store.ts";
import { type Context, isStoreThere, UserError } from "../context.ts";
import { measure, StoreCounters } from "../metrics.ts";
import { SessionPages } from "./session-pages.ts";
import { ShownBatch } from "./shown-batch.ts";
import { ShownList } from "./shown-list.ts";
import { taskPageOf } from "./task-page.ts";
import { answersTable, searchedTexts } from "./texts.ts";
import { Watch } from "./watch.ts";

/** Most batches that are kept although nobody follows them, so that a page that comes back gets only what is new. */
const mostAsleep = 8;

interface Watched<Of> {
  /** In which it is: a context opens another one if the state directory was removed. */
  store: Store;
  shown: Of;
  watch: Watch;
}

interface WatchedBatch extends Watched<ShownBatch> {
  log: BatchLog;
}

export class Served implements Disposable {
  readonly #context: Context;
  readonly #sessions = new SessionPages();
  readonly #counters = new StoreCounters();
  /** Least recently asked for first. */
  readonly #batches = new Map<BatchId, WatchedBatch>();
  #list: Watched<ShownList> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The list of all batches. The first one creates the store if there is none yet. */
  list(): Watched<ShownList> {
    this.#isStoreThere();
    const { store } = this.#context;
    if (this.#list?.store !== store) {
      this.#list?.watch[Symbol.dispose]();
      const { configuration } = this.#context;
      const shown = new ShownList({ store, configuration });
      this.#list = { store, shown, watch: new Watch(store, shown) };
    }
    return this.#list;
  }

  /** What a monitoring system wants to know, in the text format of Prometheus. */
  metrics(): string {
    return metricsText(measure(this.#context, this.#counters));
  }

  /** A batch by the id in an address; undefined if there is none. */
  batch(id: string): WatchedBatch | undefined {
    const { data: batchId } = batchIdSchema.safeParse(id);
    // Looking creates no store.
    if (batchId === undefined || !this.#isStoreThere()) return undefined;
    const { store } = this.#context;
    const known = this.#batches.get(batchId);
    const isThere = store.row(batchId) !== undefined;
    if (known && isThere && known.store === store) {
      this.#batches.delete(batchId);
      this.#batches.set(batchId, known);
      return known;
    }
    known?.watch[Symbol.dispose]();
    this.#batches.delete(batchId);
    const log = isThere ? store.batch(batchId) : undefined;
    if (log === undefined) return undefined;
    const shown = new ShownBatch(store, log);
    const watched = { store, log, shown, watch: new Watch(store, shown) };
    this.#batches.set(batchId, watched);
    this.#forgetOld();
    return watched;
  }

  /** What a task's page shows; see `taskPageOf`. */
  task({ log }: WatchedBatch, number: number): ReturnType<typeof taskPageOf> {
    log.refresh();
    return taskPageOf(log, number);
  }

  /** The page of a task's sessions in pieces; undefined if it has none. */
  async session({ log }: WatchedBatch, number: number): Promise<Iterable<string> | undefined> {
    const task = taskWithSession(log, number);
    return task && this.#sessions.page(this.#context, log, task);
  }

  /** The update of such a page. */
  async sessionUpdate({ log }: WatchedBatch, number: number): Promise<string | undefined> {
    const task = taskWithSession(log, number);
    return task && this.#sessions.update(this.#context, log, task);
  }

  /** The texts that the page of a batch searches. */
  texts({ log }: WatchedBatch): AsyncIterable<string> {
    log.refresh();
    return searchedTexts(log);
  }

  /** The answers of a batch as CSV; undefined if none is data. */
  table({ log }: WatchedBatch): Iterable<string> | undefined {
    log.refresh();
    return answersTable(log);
  }

  [Symbol.dispose](): void {
    this.#list?.watch[Symbol.dispose]();
    for (const { watch } of this.#batches.values()) watch[Symbol.dispose]();
    this.#batches.clear();
  }

  // A store that was there may only have been moved, or its disk be away: pages that ask again and again create no other one.
  #isStoreThere(): boolean {
    const isThere = isStoreThere(this.#context);
    const { openedStore } = this.#context;
    if (isThere || openedStore === undefined) return isThere;
    const { stateDirectory } = openedStore.layout;
    throw new UserError(
      `The state directory ${stateDirectory} was removed or moved. Pages come back when it is there again, or when a new batch is started.`,
    );
  }

  #forgetOld(): void {
    const asleep = [...this.#batches].filter(([, { watch }]) => !watch.isFollowed);
    for (const [batchId, { watch }] of asleep.slice(0, Math.max(0, asleep.length - mostAsleep))) {
      watch[Symbol.dispose]();
      this.#batches.delete(batchId);
    }
  }
}

function taskWithSession(log: BatchLog, number: number): TaskState | undefined {
  log.refresh();
  const task = log.state.tasks[number - 1];
  return task && task.attempts.length > 0 ? task : undefined;
}
