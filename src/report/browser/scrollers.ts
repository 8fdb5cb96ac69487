// Parts of a page that scroll by themselves.

/**
 * Makes scrollable parts reachable by keyboard and names them, now and whenever their size changes; others are no tab stops.
 * `parts`: those that may scroll.
 */
export function nameScrollers(parts = "pre, .wide, .sides"): void {
  // A page may unfold thousands of parts at once: measured once for all of them.
  let isDue = false;
  const soon = () => {
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

function nameNow(parts: string): void {
  for (const box of document.querySelectorAll<HTMLElement>(parts)) {
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
