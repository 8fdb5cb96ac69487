// Parts of a page that scroll by themselves.

/** Makes scrollable parts reachable by keyboard and names them, now and whenever their size changes; others are no tab stops. */
export function nameScrollers(): void {
  nameNow();
  window.addEventListener("resize", nameNow);
  document.addEventListener("toggle", nameNow, true);
}

function nameNow(): void {
  for (const box of document.querySelectorAll<HTMLElement>("pre, .wide, .sides")) {
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
