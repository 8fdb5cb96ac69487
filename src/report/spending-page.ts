// The page of what sessions have cost: totals, and a bar for each day, batch, model, directory or client.
import { product } from "../model/product.ts";
import { costText, numberText, timeText } from "./amounts.ts";
import { spendingTag } from "./file-tag.ts";
import { stillFrame } from "./frame.ts";
import { oneLine } from "./harmless.ts";
import { factsHtml, type Html, html, nothing, sectionHtml, timeHtml } from "./html.ts";
import type { SpendingRow, SpendingSum } from "./spending-sums.ts";

/** Everything that the page shows. */
export interface SpendingPage {
  /** What a bar stands for: "Day". */
  heading: string;
  /** In a sentence or two. */
  message: string;
  total: SpendingSum;
  bars: readonly SpendingRow[];
  /** What is in no bar. */
  others?: SpendingSum | undefined;
  /** The command that shows the same, without the program. */
  command: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** The page, with its tag within the first 512 bytes. */
export function spendingPage({ heading, message, total, bars, others, command, now }: SpendingPage): string {
  const most = Math.max(...bars.map(({ costUsd }) => costUsd), 0);
  const rest = others ? [rowHtml({ of: "Others", ...others }, 0)] : [];
  const heads = ["Cost", "Sessions", "Input", "Output", "Cache read", "Cache written"].map(
    (head) => html`<th scope="col" class="n">${head}</th>`,
  );
  const table = html`<div class="wide"><table class="spending"><thead><tr><th scope="col">${heading}</th><td></td>${heads}</tr></thead><tbody>${bars.map((bar) => rowHtml(bar, most))}${rest}</tbody></table></div>`;
  return stillFrame({
    title: "Spending",
    tag: spendingTag,
    facts: {},
    skip: { to: "bars", words: "the table" },
    header: html`<p class="brand">Spending</p><h1>${costText(total.costUsd, total.costAtLeast)}</h1><p class="under">${message}</p>`,
    main: html`${[
      sectionHtml("totals", "Totals", totalsHtml(total)),
      sectionHtml(
        "bars",
        `By ${heading.toLowerCase()}`,
        bars.length === 0 ? html`<p>Nothing was spent.</p>` : table,
      ),
    ]}`,
    footer: html`<p>As of ${timeHtml(now, timeText(now))}. Costs are in US dollars by list prices, as Claude Code reports them; tokens are those of all models.</p><p>In a terminal: <code>${product.name} ${command}</code></p>`,
  }).toString();
}

function totalsHtml(total: SpendingSum): Html {
  return factsHtml([
    ["Cost", costText(total.costUsd, total.costAtLeast)],
    ["Sessions", numberText(total.sessions)],
    ["Batches", numberText(total.batches)],
    ["Input tokens", numberText(total.inputTokens)],
    ["Output tokens", numberText(total.outputTokens)],
    ["Read from the cache", numberText(total.cacheReadTokens)],
    ["Written to the cache", numberText(total.cacheWrittenTokens)],
  ]);
}

/** Width of the drawing of a bar, in units. */
const width = 1_000;

function rowHtml(bar: SpendingRow, most: number): Html {
  const { of, name, costUsd, costAtLeast, sessions } = bar;
  const numbers = [bar.inputTokens, bar.outputTokens, bar.cacheReadTokens, bar.cacheWrittenTokens];
  const label =
    name === undefined ? html`${oneLine(of, 200)}` : html`${oneLine(name, 80)} <small>${of}</small>`;
  const isPeriod = /^\d{4}-\d\d(?:-\d\d)?$/.test(of);
  const length = most > 0 ? Math.round((costUsd / most) * width) : 0;
  // The number beside it says the same.
  const drawing =
    length > 0
      ? html`<svg width="100%" height="12" viewBox="0 0 ${width} 12" preserveAspectRatio="none" aria-hidden="true"><rect width="${length}" height="12"/></svg>`
      : nothing;
  return html`<tr><th scope="row"${isPeriod ? html` class="short"` : nothing}>${label}</th><td class="length">${drawing}</td><td class="n">${costText(costUsd, costAtLeast)}</td><td class="n">${numberText(sessions)}</td>${numbers.map((tokens) => html`<td class="n">${numberText(tokens)}</td>`)}</tr>`;
}
