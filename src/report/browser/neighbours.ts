// The neighbours of a result page: the companion of the batch's page knows their files. Without it, links lead to their
// rows in that page.
import { data } from "../wire/marks.ts";
import { answer } from "./calls.ts";
import { fragment, loadBeside, pageFact } from "./elements.ts";

export function findNeighbours(): void {
  // A page that is served knows them.
  if (pageFact("feed") === "") return;
  answer("liveUpdate", ({ batch, rows }) => {
    if (batch !== pageFact("batch")) return;
    for (const link of document.querySelectorAll<HTMLAnchorElement>(`a[data-${data.step}]`)) {
      const row = rows[Number(pageFact("task")) - 1 + Number(link.dataset[data.step])];
      const target = fragment(row ?? "")
        .querySelector("a")
        ?.getAttribute("href");
      if (target) link.setAttribute("href", target);
    }
  });
  loadBeside(pageFact("feed"), () => {});
}
