// The answers of a batch side by side on its page, where they are data: a row for each task, a column for each field.
import { cut } from "../model/cut.ts";
import { isRecord } from "../model/json-values.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import { countText } from "./amounts.ts";
import { cellOf, dataOf, fieldsOf } from "./answer-table.ts";
import { type Html, html, nothing } from "./html.ts";
import { ids, rowOfData } from "./wire/marks.ts";

/** More make a page slow; the file of the table has all. */
const mostRows = 1_000;
const mostColumns = 12;
const longestCell = 200;

/** Where the answers are besides the page. */
interface DataPlaces {
  /** The path of a task's file, relative to the page. */
  hrefOf(taskNumber: number): string | undefined;
  /** The path of the whole table, relative to the page; undefined while it is not written. */
  tableHref: string | undefined;
}

/** A renderer for one batch. Keeps the row of each task while task, columns and file stay the same. */
export function dataPart(): (state: BatchState, places: DataPlaces) => Html {
  const kept = new Map<number, { task: DoneTask; shape: string; row: Html }>();
  return (state, { hrefOf, tableHref }) => {
    const tasks = state.tasks.filter(
      (task): task is DoneTask => task.status === "done" && isRecord(dataOf(task)),
    );
    if (tasks.length === 0) return nothing;
    const { names, leftOut } = fieldsOf(tasks);
    const columns = names.slice(0, mostColumns);
    const rows = tasks.slice(0, mostRows).map((task) => {
      const href = hrefOf(task.number);
      const shape = JSON.stringify([columns, href]);
      const before = kept.get(task.number);
      if (before?.task === task && before.shape === shape) return before.row;
      const row = rowHtml(state, task, { columns, href });
      kept.set(task.number, { task, shape, row });
      return row;
    });
    const hidden = [
      ...(tasks.length > rows.length ? [countText(tasks.length - rows.length, "more row")] : []),
      ...(names.length + leftOut > columns.length
        ? [countText(names.length + leftOut - columns.length, "more column")]
        : []),
    ];
    // Buttons from the beginning: if the script made them, each update would replace them, perhaps under a click.
    const heads = ["Task", ...columns].map(
      (name, column) =>
        html`<th scope="col"><button type="button" id="${ids.data}-${column}">${cut(name, 60)}</button></th>`,
    );
    return html`<div class="wide"><table class="tasks" id="${ids.data}" aria-labelledby="data"><thead><tr>${heads}</tr></thead><tbody>\n${rows}</tbody></table></div>${noteHtml(hidden, tableHref)}`;
  };
}

function noteHtml(hidden: readonly string[], tableHref: string | undefined): Html {
  const link =
    tableHref === undefined ? nothing : html` <a href="${tableHref}">The whole table</a> is a CSV file.`;
  if (hidden.length === 0 && tableHref === undefined) return nothing;
  return html`<p>${hidden.length === 0 ? "" : `${hidden.join(" and ")} not shown.`}${link}</p>`;
}

function rowHtml(
  { batch }: BatchState,
  task: DoneTask,
  { columns, href }: { columns: readonly string[]; href: string | undefined },
): Html {
  const data = dataOf(task);
  const record = isRecord(data) ? data : {};
  const cells = columns.map((name) => {
    const cell = cellOf(Object.hasOwn(record, name) ? record[name] : undefined);
    return html`<td>${cell === undefined ? "" : cut(String(cell), longestCell)}</td>`;
  });
  const name = cut(batch.tasks[task.number - 1]?.key ?? String(task.number), 60);
  return html`<tr id="${rowOfData(task.number)}"><th scope="row">${href === undefined ? name : html`<a href="${href}">${name}</a>`}</th>${cells}</tr>\n`;
}
