// An answer that came as data, as tables for people and as JSON for everybody else.
import { countText } from "./amounts.ts";
import { cut } from "./harmless.ts";
import { escapeHtml } from "./html.ts";

const mostRows = 500;
const mostColumns = 20;
const longestCell = 2_000;
const longestJson = 500_000;
const deepestJson = 100;

/** A table (nested values as JSON) where the value has parts, and the JSON itself, folded. HTML. */
export function structuredHtml(value: unknown): string {
  const json = jsonText(value, 2);
  const note = json.length > longestJson ? "<p>The JSON is cut off. The transcript has all of it.</p>" : "";
  const raw = `<details><summary>As JSON</summary><pre class="scroll">${escapeHtml(cut(json, longestJson))}</pre>${note}</details>`;
  return `${tableOf(value)}${raw}`;
}

function tableOf(value: unknown): string {
  if (Array.isArray(value)) return value.every(isRecord) ? recordTable(value) : listTable(value);
  return isRecord(value) ? pairTable(value) : `<p>${cell(value)}</p>`;
}

function recordTable(records: Record<string, unknown>[]): string {
  const shown = records.slice(0, mostRows);
  const columns = [...new Set(shown.flatMap((record) => Object.keys(record)))].slice(0, mostColumns);
  if (columns.length === 0) return listTable(records);
  const rows = shown.map((record) => columns.map((column) => record[column]));
  return table(columns, rows, records.length);
}

function listTable(values: unknown[]): string {
  if (values.length === 0) return "<p>An empty list.</p>";
  const rows = values.slice(0, mostRows).map((value, index) => [index + 1, value]);
  return table(["Number", "Value"], rows, values.length);
}

function pairTable(record: Record<string, unknown>): string {
  const pairs = Object.entries(record);
  if (pairs.length === 0) return "<p>An empty object.</p>";
  return table(["Name", "Value"], pairs.slice(0, mostRows), pairs.length);
}

function table(columns: string[], rows: unknown[][], total: number): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(cut(column, 200))}</th>`).join("");
  const body = rows
    .map((values) => `<tr>${values.map((value) => `<td>${cell(value)}</td>`).join("")}</tr>`)
    .join("");
  const rest = total > rows.length ? `<p>${countText(total - rows.length, "more row")} in the JSON.</p>` : "";
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${rest}`;
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "object") return escapeHtml(cut(String(value), longestCell));
  return `<code>${escapeHtml(cut(jsonText(value), longestCell))}</code>`;
}

// Indenting grows with the square of the depth, and at some depth the stack ends.
function jsonText(value: unknown, indent?: number): string {
  if (isDeeperThan(value, deepestJson)) return "(nested too deeply to show; the transcript has all of it)";
  return JSON.stringify(value, null, indent) ?? "";
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
