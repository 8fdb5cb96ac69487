// The lower parts of the live page: files that failed, the other batches of the directory, the footer.
import type { BatchState } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { countText, timeText } from "./amounts.ts";
import { cut, oneLine } from "./harmless.ts";
import { escapeHtml, timeHtml } from "./html.ts";
import { statePill } from "./progress-panel.ts";

/** Another batch, as the page links to it. */
export interface OtherBatch {
  batchId: string;
  name?: string | undefined;
  href: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  stateWord: StateWord;
}

const mostOthers = 50;
const mostFileFailures = 20;

/** The files that could not be written, with the reasons. HTML. */
export function fileFailuresHtml({ fileFailures }: BatchState): string {
  if (fileFailures.size === 0) return "";
  const items = [...fileFailures]
    .slice(0, mostFileFailures)
    .map(([path, message]) => `<li><code>${escapeHtml(path)}</code>: ${escapeHtml(cut(message, 300))}</li>`);
  const rest = fileFailures.size - items.length;
  const more = rest > 0 ? `<p>And ${countText(rest, "more file")}.</p>` : "";
  return `<p>The results themselves are safe in the transcripts.</p><ul>${items.join("")}</ul>${more}`;
}

/** Links to the pages of the other batches. HTML. */
export function othersHtml(others: readonly OtherBatch[]): string {
  if (others.length === 0) return "";
  const items = others.slice(0, mostOthers).map(({ batchId, name, href, createdAt, stateWord }) => {
    const title = name === undefined ? `Batch ${batchId}` : `${oneLine(name, 200)} (${batchId})`;
    return `<li><a href="${escapeHtml(href)}">${escapeHtml(title)}</a> ${statePill(stateWord)} ${timeHtml(createdAt, timeText(createdAt))}</li>`;
  });
  const rest = others.length - items.length;
  const more = rest > 0 ? `<p>And ${countText(rest, "older one")}.</p>` : "";
  return `<nav aria-labelledby="others"><ul class="links">${items.join("")}</ul></nav>${more}`;
}

/** Where the files are, how one goes on in a terminal, and how old the page is. `now` in ms since 1970. HTML. */
export function footerHtml(state: BatchState, stateWord: StateWord, now: number): string {
  const follows = stateWord === "running" ? "This page updates while the batch runs. " : "";
  return `<p data-at="${now}">${follows}As of ${timeHtml(now, timeText(now))}.</p><p>Files of the batch: <code>${escapeHtml(state.outputDirectory)}</code><br>In a terminal: <code>parallel-claude-code-mcp show ${escapeHtml(state.batch.batchId)}</code></p>`;
}
