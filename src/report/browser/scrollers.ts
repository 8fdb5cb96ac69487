// Parts of a page that scroll by themselves.

/** Looks at them before the next frame. */
let soon = () => {};

/**
 * Makes scrollable parts reachable by keyboard and names them, now and whenever their size changes; others are no tab stops.
 * `parts`: those that may scroll.
 */
export function nameScrollers(parts = "pre, .wide, .sides"): void {
  // A page may unfold thousands of parts at once: measured once for all of them.
  let isDue = false;
  soon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      nameNow(parts);
    });
  };
  nameNow(parts);
  window.addEventListener("resize", soon);
  document.addEventListener("toggle", soon, true);
}

/** Looks again after the contents of a page have changed. */
export function scrollersMayHaveChanged(): void {
  soon();
}

function nameNow(parts: string): void {
  for (const box of document.querySelectorAll<HTMLElement>(parts)) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (!scrolls) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      continue;
    }
    box.tabIndex = 0;
    // No landmark: an answer may have dozens.
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.matches("pre") ? "Text that scrolls" : "Table that scrolls");
  }
}
