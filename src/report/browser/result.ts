// The script of a result page: scrolling, printing, copying, and links to neighbours.
import { takeCopyButtons } from "./copy-buttons.ts";
import { showLocalTimes } from "./local-times.ts";
import { findNeighbours } from "./neighbours.ts";

showLocalTimes();
takeCopyButtons();
nameScrollers();
window.addEventListener("resize", nameScrollers);
document.addEventListener("toggle", nameScrollers, true);
unfoldForPrinting();
findNeighbours();

// Makes scrollable parts reachable by keyboard and names them; others are no tab stops.
function nameScrollers(): void {
  for (const box of document.querySelectorAll<HTMLElement>("pre, .wide")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (!scrolls) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      continue;
    }
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.matches("pre") ? "Text that scrolls" : "Table that scrolls");
  }
}

// On paper nothing can be unfolded.
function unfoldForPrinting(): void {
  let folded: HTMLDetailsElement[] = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
}
