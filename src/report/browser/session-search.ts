// Search in a conversation: shows the parts that have the words, unfolds them, and marks the words.
import { countText } from "../amounts.ts";
import { ids } from "../wire/marks.ts";
import { byId, put } from "./elements.ts";

/** Of the marks, which style/session.css colours. */
const highlightName = "found";
/** Most marks: a browser shows these without a pause. */
const mostMarks = 2_000;

/** Unfolded by the search: they are folded again with the next one. */
let unfolded: HTMLDetailsElement[] = [];

export function takeSearch(): void {
  byId(ids.search, HTMLInputElement).addEventListener("input", applySearch);
}

/** Applies the search to the conversation as it is now. */
export function applySearch(): void {
  const words = byId(ids.search, HTMLInputElement).value.trim().toLowerCase();
  const talk = byId(ids.talk, HTMLElement);
  for (const one of unfolded) one.open = false;
  unfolded = [];
  let found = 0;
  for (const block of talk.children) {
    if (!(block instanceof HTMLElement)) continue;
    const fits = words === "" || has(block, words);
    // The heading of an attempt says where one is.
    block.hidden = !fits && !block.classList.contains("attempt");
    if (fits) found++;
    if (fits && words !== "") unfold(block, words);
  }
  put(
    byId(ids.shown, HTMLElement),
    words === "" ? "" : `${countText(found, "part")} of ${talk.children.length}`,
  );
  byId(ids.nothing, HTMLElement).hidden = found > 0;
  mark(talk, words);
}

/** Shows a part that the search has hidden. */
export function showAll(): void {
  byId(ids.search, HTMLInputElement).value = "";
  applySearch();
}

function has(element: Element, words: string): boolean {
  return (element.textContent ?? "").toLowerCase().includes(words);
}

function unfold(block: HTMLElement, words: string): void {
  const own = block instanceof HTMLDetailsElement ? [block] : [];
  for (const one of [...own, ...block.querySelectorAll("details")]) {
    if (one.open || !has(one, words)) continue;
    one.open = true;
    unfolded.push(one);
  }
}

function mark(talk: HTMLElement, words: string): void {
  // Older browsers show the parts without marks.
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(highlightName);
  if (words === "") return;
  const ranges: Range[] = [];
  const texts = document.createTreeWalker(talk, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node && ranges.length < mostMarks; node = texts.nextNode()) {
    const text = (node.nodeValue ?? "").toLowerCase();
    // Some letters have another length in lower case.
    if (text.length !== node.nodeValue?.length) continue;
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + words.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set(highlightName, new Highlight(...ranges));
}
