// Changes elements in place into new ones, so that scroll position, focus, selection and unfolded parts stay.
import { data } from "../wire/marks.ts";

// Set by the reader or the script; updates keep these.
const kept = new Set([
  "role",
  "open",
  "hidden",
  "disabled",
  "aria-pressed",
  "tabindex",
  "aria-roledescription",
]);

/** Changes a node into `next`, or replaces it. */
export function morph(now: ChildNode, next: ChildNode): void {
  if (now.isEqualNode(next)) return;
  if (now instanceof Element && next instanceof Element && isSame(now, next)) {
    morphAttributes(now, next);
    if (!next.hasAttribute(`data-${data.own}`)) morphChildren(now, next);
  } else if (now instanceof Text && next instanceof Text) now.data = next.data;
  else now.replaceWith(next);
}

/**
 * Changes the children of a node into those of `next`. Children with an id stay the same elements, even if they move.
 */
export function morphChildren(now: ParentNode & Node, next: ParentNode & Node): void {
  const named = new Map([...now.children].flatMap((child) => (child.id ? [[child.id, child]] : [])));
  let at = now.firstChild;
  for (const child of [...next.childNodes]) {
    const id = child instanceof Element ? child.id : "";
    const same = named.get(id);
    if (same && same !== at) {
      now.insertBefore(same, at);
      at = same;
    }
    if (!at || (id && !same)) {
      now.insertBefore(child, at);
      continue;
    }
    const following: ChildNode | null = at.nextSibling;
    morph(at, child);
    at = following;
  }
  while (at) {
    const following: ChildNode | null = at.nextSibling;
    at.remove();
    at = following;
  }
}

function isSame(now: Element, next: Element): boolean {
  return now.nodeName === next.nodeName && now.id === next.id;
}

function morphAttributes(now: Element, next: Element): void {
  for (const { name } of [...now.attributes])
    if (!kept.has(name) && !next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (!kept.has(name) && now.getAttribute(name) !== value) now.setAttribute(name, value);
}
