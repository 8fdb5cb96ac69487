// The lower parts of the live page: failed files, the other batches of the directory, the footer.
import type { BatchEnd } from "../model/batch-end.ts";
import { cut } from "../model/cut.ts";
import { product } from "../model/product.ts";
import { type BatchState, type Counts, completedCount } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { costText, countText, durationText, numberText, timeText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { type Html, html, nothing, timeHtml } from "./html.ts";
import { endPill } from "./progress-panel.ts";
import { data } from "./wire/marks.ts";

/** Another batch, as linked from the page. */
export interface OtherBatch {
  batchId: string;
  name?: string | undefined;
  href: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  changedAt: number;
  /** Undefined while it runs. */
  end?: BatchEnd | undefined;
  counts: Counts;
  costUsd: number;
  costAtLeast: boolean;
}

const mostOthers = 50;
const mostFileFailures = 20;

/** The files that could not be written, with the reasons. */
export function fileFailuresHtml({ fileFailures }: BatchState): Html {
  if (fileFailures.size === 0) return nothing;
  const items = [...fileFailures]
    .slice(0, mostFileFailures)
    .map(([path, message]) => html`<li><code>${path}</code>: ${cut(message, 300)}</li>`);
  const rest = fileFailures.size - items.length;
  const more = rest > 0 ? html`<p>And ${countText(rest, "more file")}.</p>` : nothing;
  return html`<p>The results themselves are safe in the transcripts.</p><ul>${items}</ul>${more}`;
}

/** Links to the pages of the other batches. */
export function othersHtml(others: readonly OtherBatch[]): Html {
  if (others.length === 0) return nothing;
  const items = others.slice(0, mostOthers).map((other) => {
    const { batchId, name, href, createdAt, end, counts } = other;
    const title = name === undefined ? `Batch ${batchId}` : `${oneLine(name, 200)} (${batchId})`;
    return html`<li><a href="${href}">${title}</a> ${endPill(end, counts)} ${figures(other)}, ${timeHtml(createdAt, timeText(createdAt))}</li>`;
  });
  const rest = others.length - items.length;
  const more = rest > 0 ? html`<p>And ${countText(rest, "older one")}.</p>` : nothing;
  return html`<nav aria-labelledby="others"><ul class="links">${items}</ul></nav>${more}`;
}

// "5 of 30 tasks done, $0.05, 3 min 10 s"; for a running batch, the duration is only on its own page.
function figures({ counts, costUsd, costAtLeast, end, createdAt, changedAt }: OtherBatch): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return [
    `${numberText(completedCount(counts))} of ${countText(total, "task")} done`,
    costText(costUsd, costAtLeast),
    ...(end ? [durationText(changedAt - createdAt)] : []),
  ].join(", ");
}

/**
 * Where the files are, how to continue in a terminal, and how old the page is. `now` in milliseconds since 1970. `isServed`: from
 * a page that `ui` serves one can act already.
 */
export function footerHtml(
  state: BatchState,
  stateWord: StateWord,
  { now, isServed }: { now: number; isServed: boolean },
): Html {
  const command = (name: string) => html`<code>${product.name} ${name} ${state.batch.batchId}</code>`;
  const acting = isServed ? nothing : html`<br>With buttons to act: ${command("ui")}`;
  const follows = stateWord === "running" ? "This page updates while the batch runs. " : nothing;
  return html`<p data-${data.at}="${now}">${follows}As of ${timeHtml(now, timeText(now))}.</p><p>Files of the batch: <code>${state.outputDirectory}</code><br>In a terminal: ${command("show")}${acting}</p>`;
}
