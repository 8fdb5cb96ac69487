// Shows what has changed of a batch, in place.
import type { LiveChange } from "../wire/feed.ts";
import { data, partId, partNames } from "../wire/marks.ts";
import { sayNews } from "./announcements.ts";
import { isSorted } from "./choice.ts";
import { lookForTexts } from "./controls.ts";
import { keepDataOrder } from "./data-table.ts";
import { fragment, refocus } from "./elements.ts";
import { showLocalTimes } from "./local-times.ts";
import { morphChildren } from "./morph.ts";
import { knowRows, updateRows } from "./rows.ts";
import { scrollersMayHaveChanged } from "./scrollers.ts";
import { announce } from "./search.ts";
import { followTimeline } from "./timeline.ts";
import { applyChoice, applyOrder } from "./view.ts";

const parts = new Map<string, string>();

export function takeChange(change: LiveChange, wasRunning: boolean): void {
  const focus = document.activeElement;
  // Page and change were written together.
  if (parts.size === 0 && writtenAt(fragment(change.parts.footer ?? "")) === writtenAt(document))
    knowRows(change.rows);
  for (const name of partNames) {
    const part = change.parts[name];
    if (part !== undefined) takePart(partId(name), part);
  }
  if (updateRows(change.rows)) {
    if (isSorted()) applyOrder();
    applyChoice();
  }
  keepDataOrder();
  followTimeline();
  showLocalTimes();
  scrollersMayHaveChanged();
  if (document.title !== change.title) document.title = change.title;
  refocus(focus?.isConnected ? focus : document.getElementById(focus?.id ?? ""));
  sayNews(change, wasRunning);
  announce(change.texts);
  lookForTexts();
}

// In milliseconds since 1970, as text.
function writtenAt(where: ParentNode): string | undefined {
  return where.querySelector<HTMLElement>(`[data-${data.at}]`)?.dataset[data.at];
}

function takePart(id: string, html: string): void {
  const part = document.getElementById(id);
  if (!part || parts.get(id) === html) return;
  parts.set(id, html);
  morphChildren(part, fragment(html));
}
