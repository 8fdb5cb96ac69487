// What the search looks at beside the table: the prompts and answers of all tasks. They are in a file beside the page,
// which is loaded once somebody searches, and again as the batch goes on.
import { numberText } from "../amounts.ts";
import type { TextPart } from "../wire/feed.ts";
import { answer } from "./calls.ts";
import { loadBeside, pageFact } from "./elements.ts";

interface SearchedText {
  text: string;
  /** Whether this is only its beginning. */
  isCut: boolean;
}

const parts = [
  { part: "prompt", word: "Prompt" },
  { part: "answer", word: "Answer" },
] as const;
const texts = new Map<number, Partial<Record<TextPart, SearchedText>>>();
/** How much is shown before and behind what was found, in characters. */
const before = 40;
const behind = 110;
// Of megabytes, the loading itself must not keep the page busy.
const pauseMs = 2_000;
const loadsPerPause = 10;

let state: "none" | "loaded" | "missing" = "none";
// How often the file has been written, and had been when it was loaded last.
let written = 0;
let loaded = -1;
let isLoading = false;
let notBefore = 0;
let later: number | undefined;

/** Keeps what the file says, once it is loaded. */
export function listenForTexts(): void {
  answer("taskText", (task, part, text, wholeLength) => {
    texts.set(task, { ...texts.get(task), [part]: { text: plain(text), isCut: wholeLength !== undefined } });
  });
}

/** What was typed, as it is looked for everywhere; nothing where nothing was typed. */
export function queryOf(typed: string): RegExp | undefined {
  const words = plain(typed).trim().replace(/\s+/g, " ");
  return words === "" ? undefined : new RegExp(words.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
}

/** Whether it stands in what the table shows. */
export function isIn(shown: string, query: RegExp): boolean {
  return query.test(plain(shown));
}

/** The place in a text of the task, as an element to be shown. */
export function hitIn(task: number, query: RegExp): HTMLElement | undefined {
  for (const { part, word } of parts) {
    const text = texts.get(task)?.[part]?.text ?? "";
    const found = query.exec(text);
    if (found) return hitHtml(word, text, { from: found.index, words: found[0] });
  }
  return undefined;
}

/** What is not searched, in words; empty where all is. */
export function reach(): string {
  if (state === "missing")
    return "Only what the table shows is searched: the file with the texts is not there.";
  if (state === "none") return isLoading ? "The texts are being loaded." : "";
  const cut = [...texts.values()].filter(({ prompt, answer }) => prompt?.isCut || answer?.isCut).length;
  if (cut === 0) return "";
  const tasks = cut === 1 ? "1 task has" : `${numberText(cut)} tasks have`;
  return `${tasks} long texts, of which only the beginnings are searched: ${pageFact("searched")} characters of each task.`;
}

/** Says how often the file has been written by now. */
export function announce(writings: number): void {
  written = writings;
}

/** Loads the file unless what is there is as new, and calls back when it is there, or is not to be had. */
export function load(done: () => void): void {
  const now = performance.now();
  if (isLoading || (state !== "none" && loaded === written)) return;
  if (now < notBefore) {
    clearTimeout(later);
    later = setTimeout(() => load(done), notBefore - now);
    return;
  }
  isLoading = true;
  const asked = written;
  loadBeside(pageFact("texts"), (isThere) => {
    isLoading = false;
    if (isThere && texts.size > 0) state = "loaded";
    else if (state === "none") state = "missing";
    loaded = asked;
    notBefore = performance.now() + Math.max(pauseMs, loadsPerPause * (performance.now() - now));
    done();
  });
}

// Marks of emphasis and code, which a reader of the answer does not see, are left out here and in what is looked for.
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
