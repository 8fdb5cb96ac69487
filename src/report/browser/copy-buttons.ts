// The buttons of a result page that copy or download a text.
import { data } from "../wire/marks.ts";

const wordsAgainMs = 2_000;

/** Activates the buttons, and shows them; blocks of code get one each. */
export function takeCopyButtons(): void {
  for (const block of document.querySelectorAll<HTMLElement>(".code")) {
    const code = block.querySelector("pre");
    if (!code) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy this code");
    block.append(button);
    copies(button, code);
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>(`button[data-${data.copy}]`)) {
    const source = document.getElementById(button.dataset[data.copy] ?? "");
    if (!source) continue;
    button.hidden = false;
    copies(button, source);
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>(`button[data-${data.save}]`)) {
    const source = document.getElementById(button.dataset[data.save] ?? "");
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", () => save(source.textContent, button.dataset[data.name] ?? ""));
  }
}

function copies(button: HTMLButtonElement, source: HTMLElement): void {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    button.textContent = (await copy(source)) ? "Copied" : "Selected: copy it";
    setTimeout(() => {
      button.textContent = words;
    }, wordsAgainMs);
  });
}

async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Refused, or unavailable for a file: use the older way, which at least selects the text, and needs it to be seen.
    const { hidden } = element;
    element.hidden = false;
    getSelection()?.selectAllChildren(element);
    const copied = document.execCommand("copy");
    element.hidden = hidden && copied;
    return copied;
  }
}

function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
