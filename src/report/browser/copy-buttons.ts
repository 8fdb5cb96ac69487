// The copy buttons of a result page.
import { data } from "../wire/marks.ts";

const wordsAgainMs = 2_000;

/** Activates the buttons, and shows them. */
export function takeCopyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>(`button[data-${data.copy}]`)) {
    const source = document.getElementById(button.dataset[data.copy] ?? "");
    const words = button.textContent;
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.textContent = (await copy(source)) ? "Copied" : "Selected: copy it";
      setTimeout(() => {
        button.textContent = words;
      }, wordsAgainMs);
    });
  }
}

async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Refused, or unavailable for a file: use the older way, which at least selects the text.
    getSelection()?.selectAllChildren(element);
    return document.execCommand("copy");
  }
}
