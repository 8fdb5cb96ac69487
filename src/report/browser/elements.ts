// Small operations on elements.
import type { BatchesFacts, LiveFacts, ResultFacts, ServedFacts } from "../wire/marks.ts";

/** A fact that the page passes to its script. */
export function pageFact(
  name: keyof LiveFacts | keyof ResultFacts | keyof ServedFacts | keyof BatchesFacts,
): string {
  return document.documentElement.dataset[name] ?? "";
}

/** The element of the page with this id and type. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`Internal error: the page has no ${kind.name} #${id}`);
}

/** Sets a text if it differs. */
export function put(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Our own HTML as elements. */
export function fragment(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Restores the focus, which an element loses when it is moved. */
export function refocus(element: Element | null | undefined): void {
  if (element instanceof HTMLElement && element !== document.activeElement && element.isConnected)
    element.focus({ preventScroll: true });
}

/**
 * Loads the current version of a script beside the page; reports whether it exists. A page from the file system may not
 * use fetch. `asked`: the beginning of the query.
 */
export function loadBeside(href: string, loaded: (isThere: boolean) => void, asked = ""): void {
  const script = document.createElement("script");
  script.src = `${href}?${asked}${Date.now().toString(36)}`;
  const end = (isThere: boolean) => {
    script.remove();
    loaded(isThere);
  };
  script.onload = () => end(true);
  script.onerror = () => end(false);
  document.head.append(script);
}
