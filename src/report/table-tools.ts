// The heads of the tables, and the tools that search, filter and sort the table of all tasks. The script shows these
// tools, because without it they could do nothing.
import { type Html, html, nothing } from "./html.ts";
import { columns, downSuffix, filters } from "./wire/columns.ts";
import { data, ids } from "./wire/marks.ts";

const numeric = new Set(["Task", "Duration", "Cost", "For"]);

/** The head row. */
export function tableHead(columns: readonly string[]): Html {
  const heads = columns.map(
    (name) => html`<th scope="col"${numeric.has(name) ? html` class="n"` : nothing}>${name}</th>`,
  );
  return html`<thead><tr>${heads}</tr></thead>`;
}

/** Search, filters, and the sort order for screens too narrow for heads. */
export function toolsHtml(): Html {
  const chips = filters.map(
    ({ show, word }) =>
      html`<button type="button" data-${data.show}="${show}" aria-pressed="${String(show === "")}">${word} <span></span></button>`,
  );
  const orders = columns.map(({ key, heading }) => {
    const down = numeric.has(heading)
      ? html`<option value="${key}${downSuffix}">${heading}, greatest first</option>`
      : nothing;
    return html`<option value="${key}">${heading}</option>${down}`;
  });
  return html`<div id="${ids.tools}" class="tools" role="search" aria-label="Tasks" hidden><label class="search">Search <input type="search" placeholder="prompts and answers" id="${ids.search}" autocomplete="off" spellcheck="false"></label><div class="chips" role="group" aria-label="Show">${chips}</div><label class="order">Sort by <select id="${ids.order}">${orders}</select></label><span id="${ids.shown}"></span><p id="${ids.reach}" hidden></p></div>`;
}
