// The page of a batch as `ui` serves it: the same as the file, made from the store, with the addresses of what is served.
import { didMore } from "../../engine/output/session-files.ts";
import { summaryTextOf } from "../../engine/output/summary-text.ts";
import { hasFile } from "../../engine/output/task-file.ts";
import { batchEndOf } from "../../model/batch-end.ts";
import { product } from "../../model/product.ts";
import { type TaskState, taskOf } from "../../model/state.ts";
import { summaryOf } from "../../model/summary.ts";
import { actsFor } from "../../report/acts.ts";
import type { Html } from "../../report/html.ts";
import { livePage, type PageView } from "../../report/page.ts";
import type { LiveUpdate, ServedChange } from "../../report/wire/feed.ts";
import type { PartName } from "../../report/wire/marks.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { heldNow, settledRow, stateWordOf } from "../../store/batch-status.ts";
import type { Store } from "../../store/store.ts";
import { rowOf } from "../find-batch.ts";
import { addressesOf } from "./addresses.ts";
import { ChangedParts } from "./changed-parts.ts";
import type { Shown } from "./watch.ts";

/** How much of a summary the page shows, in characters; its own page has the rest. */
const longestSummary = 100_000;
/** The least time between two looks, in milliseconds; with thousands of tasks, which make more to look at, more. */
const leastBetweenMs = 500;
const tasksPerMs = 2;

export class ShownBatch implements Shown {
  readonly #store: Store;
  readonly #log: BatchLog;
  readonly #page = livePage();
  readonly #parts = new ChangedParts<PartName>();
  readonly #rows = new ChangedParts<number>();
  #news: LiveUpdate<Html>;
  #said = "";
  #summary: { of: TaskState; text: PageView["summary"] } | undefined;

  constructor(store: Store, log: BatchLog) {
    this.#store = store;
    this.#log = log;
    this.#news = this.#page.contents(this.#view());
  }

  get betweenMs(): number {
    return Math.max(leastBetweenMs, this.#log.state.tasks.length / tasksPerMs);
  }

  get hasClock(): boolean {
    return this.#log.state.endedAt === undefined;
  }

  /** The page of this moment. */
  html(served: { mark: string; key: string }): Html {
    return this.#page.html({ ...this.#view(), served: { ...served, program: product.version } });
  }

  look(version: number): boolean {
    this.#log.refresh();
    this.#news = this.#page.contents(this.#view());
    const { parts, rows, ...news } = this.#news;
    // What differs in the footer alone is the time, which passes for a page only together with something else.
    const { footer, ...telling } = parts;
    const said = JSON.stringify([news, this.#can]);
    const isChanged = [
      said !== this.#said,
      this.#parts.take(version, textsOf(telling)),
      this.#rows.take(
        version,
        rows.map((row, index): [number, string] => [index + 1, row.toString()]),
      ),
    ].some(Boolean);
    if (isChanged) this.#parts.take(version, textsOf({ footer }));
    this.#said = said;
    return isChanged;
  }

  changeSince(version: number): ServedChange {
    const { parts: _, rows: __, ...news } = this.#news;
    return {
      ...news,
      program: product.version,
      can: this.#can,
      parts: Object.fromEntries(this.#parts.since(version)),
      rows: this.#rows.since(version),
    };
  }

  get #can() {
    return actsFor(this.#log.state, stateWordOf(rowOf({ store: this.#store }, this.#log)));
  }

  #view(): PageView {
    const { state, batchId } = this.#log;
    const row = rowOf({ store: this.#store }, this.#log);
    const addresses = addressesOf(batchId);
    const activities = this.#store.activities(batchId);
    return {
      state,
      now: Date.now(),
      stateWord: stateWordOf(row),
      held: heldNow(row),
      summary: this.#summaryText(),
      hrefOf: (number) => (hasPage(taskOf(state, number)) ? addresses.task(number) : undefined),
      sessionOf: (number) => (hasSessionPage(taskOf(state, number)) ? addresses.session(number) : undefined),
      activityOf: (number) => activities.get(number),
      feedHref: addresses.events,
      dataHref: addresses.table,
      texts: { href: addresses.texts, writings: state.counts.succeeded + state.counts.failed },
      others: this.#store
        .inDirectory(state.outputDirectory, { of: batchId })
        .filter((other) => other.batchId !== batchId)
        .map((other) => settledRow(other, this.#store))
        .map((other) => ({
          ...other,
          href: addressesOf(other.batchId).page,
          changedAt: other.endedAt ?? other.changedAt,
          end: batchEndOf({ word: stateWordOf(other), ...other }),
        })),
      served: { mark: "", key: "", program: product.version },
    };
  }

  // Read from its transcript, once.
  #summaryText(): PageView["summary"] {
    const { state } = this.#log;
    const task = summaryOf(state);
    if (task === undefined) return undefined;
    if (this.#summary?.of !== task) this.#summary = { of: task, text: summaryTextOf(state, longestSummary) };
    return this.#summary.text;
  }
}

/** Whether a task has a page of how it ended. */
export function hasPage(task: TaskState): boolean {
  return task.status === "done" && hasFile(task);
}

/** Whether a task has a page of its sessions. */
export function hasSessionPage(task: TaskState): boolean {
  if (task.attempts.length === 0) return false;
  return task.status !== "done" || didMore(task);
}

function textsOf(parts: Partial<Record<PartName, Html>>): [PartName, string][] {
  const names = Object.keys(parts).filter((name): name is PartName => name in parts);
  return names.map((name) => [name, String(parts[name] ?? "")]);
}
