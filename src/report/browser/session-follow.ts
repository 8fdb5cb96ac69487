// Follows a running session: loads the page's companion repeatedly, and changes in place what differs.
import { onlyWhether, type SessionUpdate } from "../wire/feed.ts";
import { ids } from "../wire/marks.ts";
import { answer } from "./calls.ts";
import { byId, fragment, loadBeside, pageFact, put } from "./elements.ts";
import { showLocalTimes } from "./local-times.ts";
import { morph, morphChildren } from "./morph.ts";

const everyMs = 1_000;
/** After this many failed loads of the companion, reload the whole page: its session has ended. */
const mostMisses = 3;
/** Nearer to the end of the page, the reader wants to see what comes, in pixels. */
const nearPixels = 120;

const known = new Map<string, string>();
/** By `ui`, which may be away for a while; it has the companion of a session that has ended, too. */
const isServed = pageFact("feed").startsWith("/");
let isRunning = pageFact("running") === "yes";
let isLoading = false;
let misses = 0;
let isGone = false;

/** `took`: called after each change. */
export function followSession(took: () => void): void {
  if (isServed) {
    answer("sessionGone", () => {
      isGone = true;
      byId(ids.removed, HTMLElement).hidden = false;
    });
    // An old page is looked at again.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !isRunning && !isGone)
        loadBeside(pageFact("feed"), () => undefined, `${onlyWhether}&`);
    });
  }
  if (!isRunning || pageFact("feed") === "") return;
  answer("sessionUpdate", (update) => {
    if (update.batch !== pageFact("batch")) return;
    take(update);
    took();
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, everyMs);
  look();
}

function look(): void {
  if (isLoading || document.hidden || !isRunning || isGone) return;
  isLoading = true;
  loadBeside(pageFact("feed"), (isThere) => {
    isLoading = false;
    misses = isThere ? 0 : misses + 1;
    if (isServed) byId(ids.away, HTMLElement).hidden = misses < mostMisses;
    else if (isRunning && misses >= mostMisses) location.reload();
  });
}

function take(update: SessionUpdate): void {
  const { scrollHeight } = document.documentElement;
  const isAtEnd = scrollY > 0 && scrollY + innerHeight > scrollHeight - nearPixels;
  takeWhole(ids.sessionHead, update.head);
  takeBlocks(byId(ids.talk, HTMLElement), update.blocks);
  takeWhole(ids.sessionFoot, update.foot);
  showLocalTimes();
  if (document.title !== update.title) document.title = update.title;
  if (isRunning && !update.running) put(byId(ids.said, HTMLElement), update.words);
  isRunning = update.running;
  if (isAtEnd) scrollTo({ top: document.documentElement.scrollHeight });
}

function takeWhole(id: string, html: string): void {
  if (known.get(id) === html) return;
  known.set(id, html);
  morphChildren(byId(id, HTMLElement), fragment(html));
}

// A block with a known id stays the same element; what is no longer there is removed.
function takeBlocks(talk: HTMLElement, blocks: SessionUpdate["blocks"]): void {
  let at = talk.firstElementChild;
  for (const [id, html] of blocks) {
    const element = document.getElementById(id);
    const isKnown = element?.parentElement === talk;
    const isSame = isKnown && known.get(id) === html;
    known.set(id, html);
    if (!isKnown) {
      talk.insertBefore(fragment(html), at);
      continue;
    }
    if (element === at) at = at.nextElementSibling;
    else talk.insertBefore(element, at);
    const fresh = isSame ? undefined : fragment(html).firstElementChild;
    if (fresh) morph(element, fresh);
  }
  while (at) {
    const next = at.nextElementSibling;
    known.delete(at.id);
    at.remove();
    at = next;
  }
}
