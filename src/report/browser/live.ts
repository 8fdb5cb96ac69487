// The script of a batch's page. Updates the page in place, so that scroll position, filter, sort order, selection and
// focus stay, and shows the reader's view of the table of all tasks.
import { taskOfRow } from "../wire/marks.ts";
import { isSorted } from "./choice.ts";
import { recallChoice, takeControls } from "./controls.ts";
import { takeDataTable } from "./data-table.ts";
import { follow } from "./follow.ts";
import { showLocalTimes } from "./local-times.ts";
import { rowOf } from "./rows.ts";
import { listenForTexts } from "./search.ts";
import { takeTimeline } from "./timeline.ts";
import { applyOrder, reveal } from "./view.ts";

showLocalTimes();
listenForTexts();
takeControls();
recallChoice();
if (isSorted()) applyOrder();
takeDataTable();
takeTimeline();
window.addEventListener("hashchange", () => {
  recallChoice();
  applyOrder();
  reveal(rowOf(taskOfRow(location.hash.slice(1)) ?? 0));
});
follow();
