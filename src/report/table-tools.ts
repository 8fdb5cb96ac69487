// The heads of the tables, and what the table of all tasks is searched, filtered and sorted with. Without a script
// these tools could do nothing, so that it is the script that shows them.

const numeric = new Set(["Task", "Duration", "Cost", "For"]);

/** The head row. HTML. */
export function tableHead(columns: readonly string[]): string {
  const heads = columns.map((name) => `<th scope="col"${numeric.has(name) ? ' class="n"' : ""}>${name}</th>`);
  return `<thead><tr>${heads.join("")}</tr></thead>`;
}

// In the order in which one looks for them; the script knows the classes of rows that each means.
const filters = [
  ["", "All"],
  ["failed", "Failed"],
  ["denied", "Tools denied"],
  ["running", "Running"],
  ["queued", "Queued"],
  ["succeeded", "Succeeded"],
  ["cancelled", "Cancelled"],
] as const;

/** Search, filters, and the order for screens that have no room for heads. HTML. */
export function toolsHtml(columns: readonly string[]): string {
  const chips = filters.map(
    ([show, word]) =>
      `<button type="button" data-show="${show}" aria-pressed="${show === ""}">${word} <span></span></button>`,
  );
  const orders = columns.flatMap((column) => {
    const key = column.toLowerCase();
    const down = numeric.has(column) ? `<option value="${key} down">${column}, greatest first</option>` : "";
    return `<option value="${key}">${column}</option>${down}`;
  });
  return `<div id="tools" class="tools" role="search" aria-label="Tasks" hidden><label class="search">Search <input type="search" id="search" autocomplete="off" spellcheck="false"></label><div class="chips" role="group" aria-label="Show">${chips.join("")}</div><label class="order">Sort by <select id="order">${orders.join("")}</select></label><span id="shown"></span></div>`;
}
