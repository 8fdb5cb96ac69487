// What is searched besides the table: the prompts and answers of all tasks. They are in a file beside the page, loaded
// with the first search, and again as the batch progresses.
import { numberText } from "../amounts.ts";
import type { TextPart } from "../wire/feed.ts";
import { answer } from "./calls.ts";
import { loadBeside, pageFact } from "./elements.ts";

interface SearchedText {
  text: string;
  /** Whether this is only the beginning. */
  isCut: boolean;
}

const parts = [
  { part: "prompt", word: "Prompt" },
  { part: "answer", word: "Answer" },
] as const;
const texts = new Map<number, Partial<Record<TextPart, SearchedText>>>();
/** How much to show around a match, in characters. */
const before = 40;
const behind = 110;
// Loading megabytes must not keep the page busy.
const pauseMs = 2_000;
const loadsPerPause = 10;

let state: "none" | "loaded" | "missing" = "none";
// How often the file has been written, and the same at the last load.
let written = 0;
let loaded = -1;
let isLoading = false;
let notBefore = 0;
let later: number | undefined;

/** Stores the texts of the file when it is loaded. */
export function listenForTexts(): void {
  answer("taskText", (task, part, text, wholeLength) => {
    texts.set(task, { ...texts.get(task), [part]: { text: plain(text), isCut: wholeLength !== undefined } });
  });
}

/** The search text as a pattern; undefined if empty. */
export function queryOf(typed: string): RegExp | undefined {
  const words = plain(typed).trim().replace(/\s+/g, " ");
  return words === "" ? undefined : new RegExp(words.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
}

/** Whether the visible text matches. */
export function isIn(shown: string, query: RegExp): boolean {
  return query.test(plain(shown));
}

/** The match in a text of the task, as an element; undefined if there is none. */
export function hitIn(task: number, query: RegExp): HTMLElement | undefined {
  for (const { part, word } of parts) {
    const text = texts.get(task)?.[part]?.text ?? "";
    const found = query.exec(text);
    if (found) return hitHtml(word, text, { from: found.index, words: found[0] });
  }
  return undefined;
}

/** What is not searched, in words; empty if everything is. */
export function reach(): string {
  if (state === "missing")
    return "Only what the table shows is searched: the file with the texts is not there.";
  if (state === "none") return isLoading ? "The texts are being loaded." : "";
  const cut = [...texts.values()].filter(({ prompt, answer }) => prompt?.isCut || answer?.isCut).length;
  if (cut === 0) return "";
  const tasks = cut === 1 ? "1 task has" : `${numberText(cut)} tasks have`;
  return `${tasks} long texts, of which only the beginnings are searched: ${pageFact("searched")} characters of each task.`;
}

/** Reports how often the file has been written. */
export function announce(writings: number): void {
  written = writings;
}

/** Loads the file unless it is current, then calls back, even if it is unavailable. `isFirst`: none was loaded before. */
export function load(done: (isFirst: boolean) => void): void {
  const now = performance.now();
  if (isLoading || (state !== "none" && loaded === written)) return;
  if (now < notBefore) {
    clearTimeout(later);
    later = setTimeout(() => load(done), notBefore - now);
    return;
  }
  isLoading = true;
  const asked = written;
  const isFirst = state === "none";
  loadBeside(pageFact("texts"), (isThere) => {
    isLoading = false;
    if (isThere && texts.size > 0) state = "loaded";
    else if (state === "none") state = "missing";
    loaded = asked;
    notBefore = performance.now() + Math.max(pauseMs, loadsPerPause * (performance.now() - now));
    done(isFirst);
  });
}

// Removes marks of emphasis and code, invisible to readers of the answer, from both text and pattern.
function plain(text: string): string {
  return text.replace(/[*`]+/g, "");
}

function hitHtml(word: string, text: string, found: { from: number; words: string }): HTMLElement {
  const end = found.from + found.words.length;
  const from = Math.max(0, found.from - before);
  const mark = document.createElement("mark");
  mark.textContent = found.words;
  const hit = document.createElement("small");
  hit.className = "hit";
  hit.append(
    `${word}: ${from > 0 ? "…" : ""}${text.slice(from, found.from)}`,
    mark,
    `${text.slice(end, end + behind)}${text.length > end + behind ? "…" : ""}`,
  );
  return hit;
}
