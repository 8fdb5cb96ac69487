// The buttons that copy or download a text.
import { data, scriptedClass } from "../wire/marks.ts";

const wordsAgainMs = 2_000;

/** Activates the buttons, those that come later among them, and shows them. */
export function takeCopyButtons(): void {
  document.documentElement.classList.add(scriptedClass);
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (!button) return;
    const {
      [data.copy]: copied,
      [data.text]: text,
      [data.save]: saved,
      [data.name]: name = "",
    } = button.dataset;
    if (text !== undefined) void copies(button, elementOf(text));
    else if (copied !== undefined) void copies(button, document.getElementById(copied));
    else if (saved !== undefined) save(document.getElementById(saved)?.textContent ?? "", name);
  });
}

/** Gives each block of code a button. */
export function addCopyButtons(): void {
  for (const block of document.querySelectorAll<HTMLElement>(".code")) {
    const code = block.querySelector("pre");
    if (!code) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy this code");
    block.append(button);
    button.addEventListener("click", () => void copies(button, code));
  }
}

/** What buttons say that say something else for a moment. */
const ownWords = new WeakMap<HTMLButtonElement, string>();

async function copies(button: HTMLButtonElement, source: HTMLElement | null): Promise<void> {
  if (!source) return;
  const words = ownWords.get(button) ?? button.textContent;
  ownWords.set(button, words);
  button.textContent = (await copy(source)) ? "Copied" : "Selected: copy it";
  setTimeout(() => {
    button.textContent = words;
    ownWords.delete(button);
  }, wordsAgainMs);
}

// For the older way of copying, which needs an element.
function elementOf(text: string): HTMLElement {
  const element = document.createElement("pre");
  element.textContent = text;
  return element;
}

async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Refused, or unavailable for a file: use the older way, which at least selects the text, and needs it to be seen.
    const { hidden, isConnected } = element;
    if (!isConnected) document.body.append(element);
    element.hidden = false;
    getSelection()?.selectAllChildren(element);
    const copied = document.execCommand("copy");
    element.hidden = hidden && copied;
    if (!isConnected && copied) element.remove();
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
