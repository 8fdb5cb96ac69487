// Small things that are done with elements.
import type { LiveFacts, ResultFacts } from "../wire/marks.ts";

/** What the page says to its script. */
export function pageFact(name: keyof LiveFacts | keyof ResultFacts): string {
  return document.documentElement.dataset[name] ?? "";
}

/** The element of the page that has this id, and is of this kind. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`Internal error: the page has no ${kind.name} #${id}`);
}

/** Sets a text, unless it is there already. */
export function put(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

/** HTML of ours as elements. */
export function fragment(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** What moves within a document loses the focus. This gives it back. */
export function refocus(element: Element | null | undefined): void {
  if (element instanceof HTMLElement && element !== document.activeElement && element.isConnected)
    element.focus({ preventScroll: true });
}

/** Loads a script that lies beside the page, as it is now, and says whether it was there. A page from the file system may fetch nothing. */
export function loadBeside(href: string, loaded: (isThere: boolean) => void): void {
  const script = document.createElement("script");
  script.src = `${href}?${Date.now().toString(36)}`;
  const end = (isThere: boolean) => {
    script.remove();
    loaded(isThere);
  };
  script.onload = () => end(true);
  script.onerror = () => end(false);
  document.head.append(script);
}
