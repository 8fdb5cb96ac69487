// The script of a result page: what scrolls, what is printed, what is copied, and neighbours that are found.
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

// What scrolls can be reached with the keyboard, and says what it is; what does not is no stop on the way.
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
