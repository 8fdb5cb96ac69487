// Follows the batch: loads the page's companion repeatedly, and changes in place what differs.
import type { LiveUpdate } from "../wire/feed.ts";
import { data, ids, partId } from "../wire/marks.ts";
import { answer } from "./calls.ts";
import { byId, loadBeside, pageFact } from "./elements.ts";
import { takeChange } from "./take-change.ts";

const everyMs = 700;
/** After the end, only a retry changes anything. In milliseconds. */
const endedEveryMs = 10_000;
/** After this long without an update, the page says so, in milliseconds. */
const silentMs = 20_000;
/** After this many failed loads of the companion, reload the whole page. */
const triesPerReload = 8;

let isRunning = pageFact("running") === "yes";
let misses = 0;
let isLoading = false;
// A page opened after the end is as new as its companion.
let loadedAt = isRunning ? Number.NEGATIVE_INFINITY : performance.now();

export function follow(): void {
  answer("liveUpdate", (update) => {
    // It may belong to another batch that has overwritten ours.
    if (update.batch !== pageFact("batch")) return;
    misses = 0;
    take(update);
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, everyMs);
  // Paint first: a page with thousands of tasks is busy until then.
  requestAnimationFrame(() => setTimeout(look, 100));
}

function look(): void {
  const age = performance.now() - loadedAt;
  if (isLoading || document.hidden || (!isRunning && age < endedEveryMs)) return;
  isLoading = true;
  loadedAt = performance.now();
  loadBeside(pageFact("feed"), (isThere) => {
    isLoading = false;
    if (isThere) lookAtClock();
    // If the browser cannot load the companion, reload the whole page now and then; not after the end, when a page may
    // have been copied alone and nothing is missed.
    else if (isRunning && ++misses % triesPerReload === 0) location.reload();
  });
}

function lookAtClock(): void {
  const written = document.querySelector<HTMLElement>(`#${partId("footer")} [data-${data.at}]`);
  const age = Date.now() - Number(written?.dataset[data.at]);
  byId(ids.silence, HTMLElement).hidden = !isRunning || !(age > silentMs);
}

function take(update: LiveUpdate): void {
  const rows = update.rows.map((html, index) => [index + 1, html] as const);
  takeChange({ ...update, rows }, isRunning);
  isRunning = update.running;
}
