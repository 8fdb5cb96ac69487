// The page of a comparison: two batches, or the variants of one, side by side.
import { product } from "../model/product.ts";
import { capital, costText, countText, durationText, numberText, timeText } from "./amounts.ts";
import {
  type Change,
  type Comparison,
  changeCountText,
  changes,
  changeWords,
  type FieldChange,
  fieldText,
  isOfVariants,
  type Side,
} from "./comparison.ts";
import type { Piece, SideRow } from "./diff/side-by-side.ts";
import { leftOutText } from "./diff/text-diff.ts";
import { comparisonTag } from "./file-tag.ts";
import { comparisonFrame } from "./frame.ts";
import { oneLine } from "./harmless.ts";
import { type Html, html, nothing, sectionHtml, timeHtml } from "./html.ts";
import type { StatusWord } from "./row.ts";
import type { StatusClass } from "./wire/columns.ts";
import { data, ids } from "./wire/marks.ts";

/** Everything that the page shows. */
export interface ComparisonPage {
  columns: readonly Side[];
  counts: Comparison["counts"];
  /** In a sentence or two. */
  message: string;
  tasks: readonly TaskComparison[];
  /** How many tasks are not on the page. */
  leftOut: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** A task in all columns. */
export interface TaskComparison {
  key: string;
  change: Change;
  cells: readonly (CellView | undefined)[];
  /** How the answers of two columns differ, side by side; otherwise each column shows its own text. */
  difference?: { kind: "text"; rows: readonly SideRow[] } | { kind: "data"; fields: readonly FieldChange[] };
}

/** A task in one column. */
export interface CellView {
  taskIndex: number;
  status: StatusWord;
  costUsd?: number | undefined;
  durationMs?: number | undefined;
  model?: string | undefined;
  /** The address of its own page. */
  href?: string | undefined;
  /** The answer, or what went wrong; or its beginning. */
  text?: string;
  isCut?: boolean;
  /** Whether its answer differs from that of the first column. */
  differs?: boolean;
}

/** Tasks that are unfolded at first. */
const mostOpen = 20;
/** Rows of one difference. */
export const mostRows = 400;
/** The longest value of a field, in characters. */
const longestValue = 2_000;

/** The page, with its tag within the first 512 bytes. */
export function comparisonPage(page: ComparisonPage): string {
  const title = titleOf(page);
  const sides = page.columns.map((column, index) => nameOf(page.columns, index) || column.batchId);
  return comparisonFrame({
    title,
    tag: comparisonTag([...new Set(page.columns.map(({ batchId }) => batchId))]),
    facts: { compared: "yes" },
    skip: { to: "tasks", words: "the tasks" },
    header: html`<p class="brand">Comparison</p><h1>${title}</h1><p class="under">${pills(page)}</p>`,
    main: html`${[
      sectionHtml("totals", "Totals", html`<p>${page.message}</p>${totalsHtml(page.columns, sides)}`),
      sectionHtml("tasks", "Tasks", tasksHtml(page, sides), numberText(page.tasks.length)),
    ]}`,
    footer: html`<p>As of ${timeHtml(page.now, timeText(page.now))}. This page does not follow its batches; compare again to see later answers.</p><p>In a terminal: <code>${product.name} compare ${[...new Set(page.columns.map(({ batchId }) => batchId))].join(" ")}</code></p>`,
  }).toString();
}

function titleOf({ columns }: ComparisonPage): string {
  if (isOfVariants(columns)) return `Variants in batch ${columns[0]?.batchId ?? ""}`;
  return columns.map((_, index) => nameOf(columns, index)).join(" → ");
}

function nameOf(columns: readonly Side[], index: number): string {
  const { name = "", batchId = "" } = columns[index] ?? {};
  if (isOfVariants(columns)) return oneLine(name, 60);
  return name === "" ? batchId : `${oneLine(name, 60)} (${batchId})`;
}

const changeClasses: Record<Change, StatusClass> = {
  outcome: "bad",
  changed: "warn",
  new: "run",
  gone: "off",
  unfinished: "wait",
  same: "ok",
};

function pills({ columns, counts }: ComparisonPage): Html[] {
  return changes
    .filter((change) => counts[change] > 0)
    .map(
      (change) =>
        html`<span class="pill ${changeClasses[change]}">${changeCountText(columns, change, counts[change])}</span>`,
    );
}

function totalsHtml(columns: readonly Side[], sides: readonly string[]): Html {
  const facts: [name: string, value: (side: Side) => number | undefined, text: (value: number) => string][] =
    [
      ["Tasks", ({ tasks }) => tasks, numberText],
      ["Succeeded", ({ succeeded }) => succeeded, numberText],
      ["Failed", ({ failed }) => failed, numberText],
      ["Cancelled", ({ cancelled }) => cancelled, numberText],
      ["Not ended", ({ unfinished }) => unfinished, numberText],
      ["Cost", ({ costUsd }) => costUsd, costText],
      ["Time of all sessions", ({ sessionMs }) => sessionMs, durationText],
      ["From start to end", ({ elapsedMs }) => elapsedMs, durationText],
    ];
  const isPair = columns.length === 2;
  const rows = facts.flatMap(([name, value, text]) => {
    const values = columns.map(value);
    const isAlways = ["Tasks", "Succeeded", "Cost", "Time of all sessions"].includes(name);
    if (values.includes(undefined) || (!isAlways && values.every((one) => one === 0))) return [];
    const [before = 0, after = 0] = values;
    const cells = values.map((one) => html`<td class="n">${text(one ?? 0)}</td>`);
    const difference = isPair ? html`<td class="n">${signed(after - before, text)}</td>` : nothing;
    return [html`<tr><th scope="row">${name}</th>${cells}${difference}</tr>`];
  });
  const heads = [...sides, ...(isPair ? ["Difference"] : [])].map(
    (side) => html`<th scope="col" class="n">${side}</th>`,
  );
  return html`<div class="wide"><table class="totals"><thead><tr><td></td>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function signed(difference: number, text: (value: number) => string): string {
  if (difference === 0) return "";
  return `${difference > 0 ? "+" : "−"}${text(Math.abs(difference))}`;
}

function tasksHtml(page: ComparisonPage, sides: readonly string[]): Html {
  const rest =
    page.leftOut > 0
      ? html`<p>${countText(page.leftOut, "more task")} not on this page. <code>compare --only</code> and <code>--offset</code> select others.</p>`
      : nothing;
  if (page.tasks.length === 0) return html`<p>No task differs.</p>${rest}`;
  const tasks = page.tasks.map((task, index) =>
    taskHtml(task, page, sides, index < mostOpen && task.change !== "same"),
  );
  return html`${toolsHtml(page)}<div id="${ids.compared}">${tasks}</div><p id="${ids.nothing}" hidden>No task matches.</p>${rest}`;
}

// Shown by the script, without which it could do nothing.
function toolsHtml({ columns, tasks }: ComparisonPage): Html {
  const kinds = changes.filter((change) => tasks.some((task) => task.change === change));
  const chips = kinds.map(
    (change) =>
      html`<button type="button" data-${data.show}="${change}" aria-pressed="false">${capital(changeWords(columns, change))} <span>${numberText(tasks.filter((task) => task.change === change).length)}</span></button>`,
  );
  return html`<div id="${ids.tools}" class="tools" role="search" aria-label="Tasks" hidden><label class="search">Search <input type="search" placeholder="keys and answers" id="${ids.search}" autocomplete="off" spellcheck="false"></label><div class="chips" role="group" aria-label="Show"><button type="button" data-${data.show}="" aria-pressed="true">All <span>${numberText(tasks.length)}</span></button>${chips}</div><div class="chips"><button type="button" id="${ids.unfold}">Unfold all</button><button type="button" id="${ids.fold}">Fold all</button></div><span id="${ids.shown}" role="status"></span></div>`;
}

function taskHtml(
  task: TaskComparison,
  { columns }: ComparisonPage,
  sides: readonly string[],
  isOpen: boolean,
): Html {
  const { key, change, difference, cells } = task;
  const words = changeWords(columns, change);
  const beside = cells.map(
    (cell, index) => html`<div>${headHtml(cell, sides[index] ?? "")}${answerHtml(cell)}</div>`,
  );
  const body =
    difference?.kind === "text"
      ? textHtml(difference.rows, sides)
      : difference?.kind === "data"
        ? fieldsHtml(difference.fields, sides)
        : nothing;
  return html`<details class="compared" data-${data.change}="${change}"${isOpen ? html` open` : nothing}><summary><b>${oneLine(key, 300)}</b> <span class="s ${changeClasses[change]}">${words}</span></summary><div class="sides">${beside}</div>${body}</details>\n`;
}

// What a column says of the task.
function headHtml(cell: CellView | undefined, side: string): Html {
  const name = html`<b>${side}</b>`;
  if (!cell) return html`<p>${name} <span class="s wait">no such task</span></p>`;
  const { taskIndex, status, costUsd, durationMs, model, href, differs } = cell;
  const facts = [
    href === undefined ? html`task ${taskIndex}` : html`<a href="${href}">task ${taskIndex}</a>`,
    html`<span class="s ${status.className}">${status.word}</span>`,
    costUsd === undefined ? undefined : html`<span>${costText(costUsd)}</span>`,
    durationMs === undefined ? undefined : html`<span>${durationText(durationMs)}</span>`,
    model === undefined || side.includes(model) ? undefined : html`<span>${oneLine(model, 60)}</span>`,
    differs ? html`<span class="s warn">another answer</span>` : undefined,
  ];
  return html`<p>${name} ${facts.filter((fact) => fact !== undefined).map((fact) => html`${fact} `)}</p>`;
}

// Shown as it is written, so that two of them can be compared word for word.
function answerHtml(cell: CellView | undefined): Html {
  if (cell?.text === undefined) return nothing;
  const more = cell.isCut ? html`<p class="note">Only the beginning is here.</p>` : nothing;
  return html`<pre class="plain" dir="auto">${cell.text}</pre>${more}`;
}

function textHtml(rows: readonly SideRow[], sides: readonly string[]): Html {
  const shown = rows.slice(0, mostRows).map(sideRowHtml);
  const rest = rows.length - shown.length;
  const more =
    rest > 0
      ? html`<p class="note">${countText(rest, "more line differs or follows", "more lines differ or follow")}.</p>`
      : nothing;
  const heads = sides.map((side) => html`<th scope="col">${side}</th>`);
  return html`<table class="diff"><thead class="unseen"><tr>${heads}</tr></thead><tbody>${shown}</tbody></table>${more}`;
}

function sideRowHtml(row: SideRow): Html {
  switch (row.kind) {
    case "same":
      return html`<tr><td dir="auto">${row.text}</td><td dir="auto">${row.text}</td></tr>`;
    case "left-out":
      return html`<tr class="gap"><td colspan="2">… ${leftOutText(row.count)}</td></tr>`;
    case "changed":
      return html`<tr>${sideHtml("went", row.before)}${sideHtml("came", row.after)}</tr>`;
  }
}

function sideHtml(side: "went" | "came", pieces: readonly Piece[] | undefined): Html {
  if (!pieces) return html`<td></td>`;
  const mark = (text: string) => (side === "went" ? html`<del>${text}</del>` : html`<ins>${text}</ins>`);
  const texts = pieces.map(({ text, isMarked }) => (isMarked ? mark(text) : html`${text}`));
  return html`<td class="${side}" dir="auto"><span class="unseen">${side === "went" ? "removed: " : "added: "}</span>${texts}</td>`;
}

function fieldsHtml(fields: readonly FieldChange[], sides: readonly string[]): Html {
  const cell = (side: "went" | "came", value: unknown) =>
    value === undefined
      ? html`<td></td>`
      : html`<td class="${side}" dir="auto">${oneLine(fieldText(value), longestValue)}</td>`;
  const rows = fields.map(
    ({ path, before, after }) =>
      html`<tr><th scope="row"><code>${path === "" ? "the whole answer" : oneLine(path, 300)}</code></th>${cell("went", before)}${cell("came", after)}</tr>`,
  );
  const heads = sides.map((side) => html`<th scope="col">${side}</th>`);
  return html`<div class="wide"><table class="diff fields"><thead><tr><th scope="col">Field</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
