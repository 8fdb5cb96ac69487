// The list of all batches, as `ui` serves it.
import { type BatchEnd, batchEnds } from "../model/batch-end.ts";
import { product } from "../model/product.ts";
import { type Counts, completedCount } from "../model/state.ts";
import { awayHtml } from "./acts.ts";
import { capital, costText, countText, numberText, timeText } from "./amounts.ts";
import { endClass, endLabel } from "./batch-end.ts";
import { batchesFrame } from "./frame.ts";
import { oneLine } from "./harmless.ts";
import { factsHtml, type Html, html, longList, nothing, timeHtml } from "./html.ts";
import { modelsText } from "./models-text.ts";
import type { StatusClass } from "./wire/columns.ts";
import { type BatchesFacts, batchRowId, data, ids } from "./wire/marks.ts";

/** A batch in the list. */
export interface ListedBatch {
  batchId: string;
  name?: string | undefined;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Undefined while it runs. */
  end?: BatchEnd | undefined;
  /** Whether something keeps it from starting sessions. */
  isHeld: boolean;
  counts: Counts;
  costUsd: number;
  costAtLeast: boolean;
  /** That its sessions used. */
  models: readonly string[];
}

/** What all batches have cost, in US dollars, with those that were removed. */
export interface SpentSums {
  todayUsd: number;
  monthUsd: number;
  dailyBudgetUsd?: number | undefined;
  monthlyBudgetUsd?: number | undefined;
}

interface BatchesPage {
  rows: readonly Html[];
  totals: Html;
  facts: BatchesFacts;
  /** Whether there are older ones. */
  isCut: boolean;
}

/** How a batch stands, as the filters name it. */
export const standings = ["running", ...batchEnds] as const;

/** The page. */
export function batchesPage({ rows, totals, facts, isCut }: BatchesPage): Html {
  const heads = ["Batch", "State", "Started", "Done", "Failed", "Cost", "Model"].map(
    (name) =>
      html`<th scope="col"${["Done", "Failed", "Cost"].includes(name) ? html` class="n"` : nothing}>${name}</th>`,
  );
  const older = isCut
    ? html`<p>These are the newest ${numberText(rows.length)}. <code>${product.name} list --offset ${rows.length}</code> lists older ones.</p>`
    : nothing;
  const none = html`<p id="${ids.none}"${rows.length > 0 ? html` hidden` : nothing}>There are no batches yet. In a terminal, <code>${product.name} run "…"</code> starts one, and a client that uses this program starts one when you ask for it.</p>`;
  return batchesFrame({
    title: `Batches · ${product.name}`,
    facts,
    skip: { to: ids.batches, words: "the list of batches" },
    header: html`<p class="brand">${product.name}</p><h1>Batches</h1>`,
    main: html`${awayHtml()}<section aria-label="Totals" id="${ids.totals}">${totals}</section>
<section aria-labelledby="all"><h2 id="all">All batches</h2>${toolsHtml()}<table class="tasks" id="${ids.batches}" aria-labelledby="all"><thead><tr>${heads}</tr></thead><tbody>\n${longList(rows)}</tbody></table><p id="${ids.nothing}" hidden>No batch matches.</p>${none}${older}</section><p id="${ids.said}" class="unseen" role="status"></p>`,
    footer: html`<p>This list follows all batches of your user, whatever started them. In a terminal: <code>${product.name} list</code></p>`,
  });
}

/** Search and filters, shown by the script. */
function toolsHtml(): Html {
  const all = html`<button type="button" data-${data.show}="" aria-pressed="true">All <span></span></button>`;
  const chips = standings.map(
    (stands) =>
      html`<button type="button" data-${data.show}="${stands}" aria-pressed="false" hidden>${capital(stands)} <span></span></button>`,
  );
  return html`<div id="${ids.tools}" class="tools" role="search" aria-label="Batches" hidden><label class="search">Search <input type="search" placeholder="names, ids and models" id="${ids.search}" autocomplete="off" spellcheck="false"></label><div class="chips" role="group" aria-label="Show">${all}${chips}</div><span id="${ids.shown}"></span></div>`;
}

/** The row of a batch. */
export function batchRowHtml(batch: ListedBatch, href: string): Html {
  const { batchId, name, createdAt, end, isHeld, counts, costUsd, costAtLeast, models } = batch;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const className: StatusClass = end ? endClass(end) : "run";
  const word = end ? endLabel({ end, counts }) : isHeld ? "on hold" : "running";
  const title = name === undefined ? `Batch ${batchId}` : oneLine(name, 110);
  const id = name === undefined ? nothing : html` <small>${batchId}</small>`;
  return html`<tr id="${batchRowId(batchId)}" class="${className}" data-${data.created}="${createdAt}" data-${data.stands}="${end?.kind ?? "running"}"><td class="p"><a href="${href}">${title}</a>${id}</td><td class="s">${word}</td><td>${timeHtml(createdAt, timeText(createdAt))}</td><td class="n">${numberText(completedCount(counts))} of ${numberText(total)}</td><td class="n">${numberText(counts.failed)}</td><td class="n">${costText(costUsd, costAtLeast)}</td><td>${modelsText(models)}</td></tr>\n`;
}

/** What all of them come to. `isCut`: there are older ones, which only what was spent counts. */
export function totalsHtml(
  batches: readonly ListedBatch[],
  { spent, isCut }: { spent: SpentSums; isCut: boolean },
): Html {
  const sum = (count: (batch: ListedBatch) => number) =>
    batches.reduce((all, batch) => all + count(batch), 0);
  const running = batches.filter(({ end }) => end === undefined);
  const of = (usd: number | undefined) => (usd === undefined ? "" : ` of ${costText(usd)}`);
  return factsHtml([
    [isCut ? "Newest batches" : "Batches", numberText(batches.length)],
    ["Running", countText(running.length, "batch", "batches")],
    ["Sessions now", numberText(sum(({ counts }) => counts.running))],
    ["Tasks done", numberText(sum(({ counts }) => completedCount(counts)))],
    ["Failed", numberText(sum(({ counts }) => counts.failed))],
    ["Today", `${costText(spent.todayUsd)}${of(spent.dailyBudgetUsd)}`],
    ["This month", `${costText(spent.monthUsd)}${of(spent.monthlyBudgetUsd)}`],
  ]);
}
