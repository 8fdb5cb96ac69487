// The list of all batches as `ui` serves it.
import { batchEndOf } from "../../model/batch-end.ts";
import type { BatchId } from "../../model/batch-id.ts";
import { product } from "../../model/product.ts";
import { batchesPage, batchRowHtml, type ListedBatch, totalsHtml } from "../../report/batches-page.ts";
import { type Html, html } from "../../report/html.ts";
import type { BatchesChange } from "../../report/wire/feed.ts";
import { heldNow, settledRow, stateWordOf } from "../../store/batch-status.ts";
import { modelsOf } from "../../store/models.ts";
import type { BatchRow } from "../../store/store.ts";
import { spendingNow } from "../batches.ts";
import type { Context } from "../context.ts";
import { addressesOf, listEvents } from "./addresses.ts";
import { ChangedParts } from "./changed-parts.ts";
import type { Shown } from "./watch.ts";

/** More make a page slow; the command `list` has all. */
const mostBatches = 1_000;

/** A batch, and its row while it stays the same. */
interface Known {
  /** What was read of it. */
  read: string;
  listed: ListedBatch;
  row: Html;
}

export class ShownList implements Shown {
  readonly betweenMs = 1_000;
  readonly #context: Pick<Context, "store" | "configuration">;
  readonly #rows = new ChangedParts<BatchId>();
  readonly #totals = new ChangedParts<"totals">();
  #known = new Map<BatchId, Known>();
  #totalsHtml = html``;
  /** Since which version the same batches are in the list. */
  #sameSince = 0;
  #isCut = false;

  constructor(context: Pick<Context, "store" | "configuration">) {
    this.#context = context;
  }

  /** A batch that has lost its processes says so to nobody. */
  get hasClock(): boolean {
    return [...this.#known.values()].some(({ listed: { end } }) => end === undefined);
  }

  /** The page of this moment. */
  html(mark: string): Html {
    return batchesPage({
      rows: [...this.#known.values()].map(({ row }) => row),
      totals: this.#totalsHtml,
      facts: { feed: listEvents, mark, program: product.version },
      isCut: this.#isCut,
    });
  }

  look(version: number): boolean {
    const { store } = this.#context;
    const rows = store.list({ limit: mostBatches + 1 });
    this.#isCut = rows.length > mostBatches;
    const before = [...this.#known.keys()].join(" ");
    this.#known = new Map(
      rows.slice(0, mostBatches).map((row) => [row.batchId, this.#knownOf(settledRow(row, store))]),
    );
    const all = [...this.#known.values()];
    this.#totalsHtml = totalsHtml(
      all.map(({ listed }) => listed),
      { spent: spendingNow(this.#context), isCut: this.#isCut },
    );
    // Pages have removed their rows, too.
    this.#rows.keepOnly(this.#known);
    const isOther = [...this.#known.keys()].join(" ") !== before;
    if (isOther) this.#sameSince = version;
    return [
      isOther,
      this.#rows.take(
        version,
        [...this.#known].map(([id, { row }]): [BatchId, string] => [id, row.toString()]),
      ),
      this.#totals.take(version, [["totals", this.#totalsHtml.toString()]]),
    ].some(Boolean);
  }

  changeSince(version: number): BatchesChange {
    return {
      program: product.version,
      totals: this.#totalsHtml.toString(),
      ...(this.#sameSince > version ? { all: [...this.#known.keys()] } : {}),
      rows: this.#rows.since(version),
    };
  }

  #knownOf(row: BatchRow): Known {
    const end = batchEndOf({ word: stateWordOf(row), ...row });
    const isHeld = heldNow(row) !== undefined;
    const { batchId, name, createdAt, counts, costUsd, costAtLeast } = row;
    const read = JSON.stringify([end, isHeld, name, counts, costUsd, costAtLeast]);
    const known = this.#known.get(batchId);
    if (known?.read === read) return known;
    const models = modelsOf(this.#context.store.database, batchId);
    const listed = { batchId, name, createdAt, end, isHeld, counts, costUsd, costAtLeast, models };
    return { read, listed, row: batchRowHtml(listed, addressesOf(batchId).page) };
  }
}
