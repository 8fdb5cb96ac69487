// The script of the page of a session: follows it while it runs; folding, scrolling, printing.
import { ids } from "../wire/marks.ts";
import { takeCopyButtons } from "./copy-buttons.ts";
import { byId } from "./elements.ts";
import { showLocalTimes } from "./local-times.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";
import { followSession } from "./session-follow.ts";
import { applySearch, showAll, takeSearch } from "./session-search.ts";

showLocalTimes();
takeCopyButtons();
unfoldForPrinting();
nameScrollers(".answer pre, .wide");
takeTools();
takeAddresses();
takeSearch();
openTarget();
window.addEventListener("hashchange", openTarget);
followSession(applySearch);

function takeTools(): void {
  const foldAll = (id: string, open: boolean) =>
    byId(id, HTMLButtonElement).addEventListener("click", () => {
      for (const one of document.querySelectorAll<HTMLDetailsElement>(`#${ids.talk} details`))
        one.open = open;
    });
  foldAll(ids.unfold, true);
  foldAll(ids.fold, false);
  byId(ids.tools, HTMLElement).hidden = false;
}

// The address then leads to the step that somebody has looked at last, to pass it on.
function takeAddresses(): void {
  byId(ids.talk, HTMLElement).addEventListener("click", ({ target }) => {
    const summary = target instanceof Element ? target.closest("summary") : null;
    const step = summary?.parentElement?.id;
    if (!step) return;
    try {
      history.replaceState(null, "", `#${step}`);
    } catch {
      // A browser may refuse this for a file.
    }
  });
}

// A step inside a folded subagent cannot be scrolled to.
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.closest("[hidden]")) showAll();
  for (let at = target?.parentElement; at; at = at.parentElement)
    if (at instanceof HTMLDetailsElement) at.open = true;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}
