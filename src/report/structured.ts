// A structured answer, as tables for people and as JSON for everything else.
import { cut } from "../model/cut.ts";
import { isDeeperThan, isRecord } from "../model/json-values.ts";
import { countText } from "./amounts.ts";
import { type Html, html, nothing } from "./html.ts";

const mostRows = 500;
const mostColumns = 20;
const longestCell = 2_000;
const longestJson = 500_000;
const deepestJson = 100;
/** Of lists within a cell. */
const mostItems = 30;
const deepestList = 2;

/** A table (nested values as lists, or as JSON) if the value has parts, and the JSON itself, folded. */
export function structuredHtml(value: unknown): Html {
  const json = jsonText(value, 2);
  const note =
    json.length > longestJson ? html`<p>The JSON is cut off. The transcript has all of it.</p>` : nothing;
  const raw = html`<details><summary>As JSON</summary><pre class="scroll">${cut(json, longestJson)}</pre>${note}</details>`;
  return html`${tableOf(value)}${raw}`;
}

function tableOf(value: unknown): Html {
  if (Array.isArray(value)) return value.every(isRecord) ? recordTable(value) : listTable(value);
  return isRecord(value) ? pairTable(value) : html`<p>${cell(value)}</p>`;
}

function recordTable(records: Record<string, unknown>[]): Html {
  const shown = records.slice(0, mostRows);
  const columns = [...new Set(shown.flatMap((record) => Object.keys(record)))].slice(0, mostColumns);
  if (columns.length === 0) return listTable(records);
  const rows = shown.map((record) => columns.map((column) => record[column]));
  return table(columns, rows, records.length);
}

function listTable(values: unknown[]): Html {
  if (values.length === 0) return html`<p>An empty list.</p>`;
  const rows = values.slice(0, mostRows).map((value, index) => [index + 1, value]);
  return table(["Number", "Value"], rows, values.length);
}

function pairTable(record: Record<string, unknown>): Html {
  const pairs = Object.entries(record);
  if (pairs.length === 0) return html`<p>An empty object.</p>`;
  return table(["Name", "Value"], pairs.slice(0, mostRows), pairs.length);
}

function table(columns: string[], rows: unknown[][], total: number): Html {
  const head = columns.map(
    (column) =>
      html`<th scope="col"${column.length <= longestShort ? html` class="short"` : nothing}>${cut(column, 200)}</th>`,
  );
  const body = rows.map((values) => html`<tr>${values.map(cellHtml)}</tr>`);
  const rest =
    total > rows.length ? html`<p>${countText(total - rows.length, "more row")} in the JSON.</p>` : nothing;
  return html`<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${rest}`;
}

/** A name, a number or a word stays on one line, in characters. */
const longestShort = 24;

function cellHtml(value: unknown): Html {
  const shown = cell(value);
  const text = String(shown).replace(/<[^<>]*>/g, "");
  return html`<td${text.length <= longestShort ? html` class="short"` : nothing}>${shown}</td>`;
}

function cell(value: unknown, depth = 0): Html {
  if (value === undefined || value === null) return nothing;
  if (typeof value !== "object") return html`${cut(String(value), longestCell)}`;
  return listed(value, depth) ?? html`<code>${cut(jsonText(value), longestCell)}</code>`;
}

/** Nested values as lists within the cell; undefined if that would be too much to read. */
function listed(value: object, depth: number): Html | undefined {
  const entries = Object.entries(value);
  if (depth >= deepestList || entries.length === 0 || entries.length > mostItems) return undefined;
  const items = entries.map(([name, one]) =>
    Array.isArray(value)
      ? html`<li>${cell(one, depth + 1)}</li>`
      : html`<li><b>${cut(name, 200)}</b> ${cell(one, depth + 1)}</li>`,
  );
  return html`<ul>${items}</ul>`;
}

// Indentation grows with the square of the depth, and very deep values overflow the stack.
function jsonText(value: unknown, indent?: number): string {
  if (isDeeperThan(value, deepestJson)) return "(nested too deeply to show; the transcript has all of it)";
  return JSON.stringify(value, null, indent) ?? "";
}
