// The script of the page of a session: follows it while it runs; folding, scrolling, printing.
import { ids } from "../wire/marks.ts";
import { byId } from "./elements.ts";
import { showLocalTimes } from "./local-times.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";
import { followSession } from "./session-follow.ts";

showLocalTimes();
unfoldForPrinting();
nameScrollers(".answer pre, .wide");
takeTools();
openTarget();
window.addEventListener("hashchange", openTarget);
followSession();

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

// A step inside a folded subagent cannot be scrolled to.
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  for (let at = target?.parentElement; at; at = at.parentElement)
    if (at instanceof HTMLDetailsElement) at.open = true;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}
