// Hears of changes from the server of the page.
import { ids } from "../wire/marks.ts";
import { byId, pageFact } from "./elements.ts";

/** A server that answers with an error is asked again after this time, in milliseconds. */
const againMs = 3_000;
/** After this long without a connection, the page says so, in milliseconds. */
const awayMs = 2_500;

let source: EventSource | undefined;
let seen = pageFact("mark");
let again: number | undefined;
let away: number | undefined;

/**
 * Takes each change. Only while somebody can see the page: a browser opens few connections to one server, and each page
 * needs one.
 */
export function hear<Change extends { program: string }>(take: (change: Change) => void): void {
  const look = () => {
    if (document.hidden) leave();
    else if (source === undefined) listen(take);
  };
  document.addEventListener("visibilitychange", look);
  // A page that comes back from the history of the browser has lost its connection.
  window.addEventListener("pageshow", look);
  window.addEventListener("pagehide", leave);
  look();
}

function listen<Change extends { program: string }>(take: (change: Change) => void): void {
  clearTimeout(again);
  const opened = new EventSource(`${pageFact("feed")}?since=${encodeURIComponent(seen)}`);
  source = opened;
  opened.onopen = () => {
    clearTimeout(away);
    away = undefined;
    byId(ids.away, HTMLElement).hidden = true;
  };
  opened.onmessage = ({ data, lastEventId }) => {
    const change: Change = JSON.parse(data);
    // Another version has other scripts.
    if (change.program !== pageFact("program")) location.reload();
    seen = lastEventId;
    take(change);
  };
  opened.onerror = () => {
    away ??= setTimeout(() => {
      byId(ids.away, HTMLElement).hidden = false;
    }, awayMs);
    // A browser asks again by itself, unless there was an answer that is no stream.
    if (opened.readyState !== EventSource.CLOSED) return;
    source = undefined;
    void sayWhy();
    again = setTimeout(() => {
      if (!document.hidden) listen(take);
    }, againMs);
  };
}

function leave(): void {
  clearTimeout(again);
  clearTimeout(away);
  away = undefined;
  source?.close();
  source = undefined;
}

/** The page is there no more, or this browser may not see it any more. */
const isOver: readonly number[] = [401, 403, 404];

// Then the page says so itself. Any other trouble may pass.
async function sayWhy(): Promise<void> {
  try {
    const { status, body } = await fetch(pageFact("feed"));
    await body?.cancel();
    if (isOver.includes(status)) location.reload();
  } catch {
    // Nobody answers, which the page says already.
  }
}
