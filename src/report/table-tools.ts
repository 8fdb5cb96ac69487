// The heads of the tables, and the tools that search, filter and sort the table of all tasks. The script shows these
// tools, because without it they could do nothing.

import { type Html, html, nothing } from "./html.ts";

const numeric = new Set(["Task", "Duration", "Cost", "For"]);

/** The head row. */
export function tableHead(columns: readonly string[]): Html {
  const heads = columns.map(
    (name) => html`<th scope="col"${numeric.has(name) ? html` class="n"` : nothing}>${name}</th>`,
  );
  return html`<thead><tr>${heads}</tr></thead>`;
}

// In the order of likely use; the script knows which classes of rows each means.
const filters = [
  ["", "All"],
  ["failed", "Failed"],
  ["denied", "Tools denied"],
  ["running", "Running"],
  ["queued", "Queued"],
  ["succeeded", "Succeeded"],
  ["cancelled", "Cancelled"],
] as const;

/** Search, filters, and the sort order for screens too narrow for heads. */
export function toolsHtml(columns: readonly string[]): Html {
  const chips = filters.map(
    ([show, word]) =>
      html`<button type="button" data-show="${show}" aria-pressed="${String(show === "")}">${word} <span></span></button>`,
  );
  const orders = columns.flatMap((column) => {
    const key = column.toLowerCase();
    const down = numeric.has(column)
      ? html`<option value="${key} down">${column}, greatest first</option>`
      : nothing;
    return html`<option value="${key}">${column}</option>${down}`;
  });
  return html`<div id="tools" class="tools" role="search" aria-label="Tasks" hidden><label class="search">Search <input type="search" placeholder="prompts and answers" id="search" autocomplete="off" spellcheck="false"></label><div class="chips" role="group" aria-label="Show">${chips}</div><label class="order">Sort by <select id="order">${orders}</select></label><span id="shown"></span><p id="reach" hidden></p></div>`;
}
