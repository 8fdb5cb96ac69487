// The script of a batch's page. It follows the batch in place, so that the reader keeps place, filter, sort, selection and
// focus, and shows of the table of all tasks what the reader has chosen.
import { taskOfRow } from "../wire/marks.ts";
import { isSorted } from "./choice.ts";
import { recallChoice, takeControls } from "./controls.ts";
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
takeTimeline();
window.addEventListener("hashchange", () => {
  recallChoice();
  applyOrder();
  reveal(rowOf(taskOfRow(location.hash.slice(1)) ?? 0));
});
follow();
