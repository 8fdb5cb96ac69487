// The upper part of the live page: its batch, progress and cost.
import { type BatchEnd, endOfState } from "../model/batch-end.ts";
import { estimateOf } from "../model/estimate.ts";
import { product } from "../model/product.ts";
import { type BatchState, type Counts, completedCount } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { costText, durationText, numberText, timeText } from "./amounts.ts";
import { endClass, endLabel } from "./batch-end.ts";
import { costToComeText, timeToComeText } from "./estimate-text.ts";
import { oneLine } from "./harmless.ts";
import { factsHtml, type Html, html, nothing, proseHtml, timeHtml } from "./html.ts";
import { changeText, doorOf } from "./option-words.ts";
import { reusedCount } from "./reuse-text.ts";
import type { StatusWord } from "./row.ts";
import { billedToText, promptCacheText } from "./spending.ts";

/** The name of a batch, for people. */
export function batchTitle({ batch }: BatchState): string {
  return oneLine(batch.name ?? "", 200) || `Batch ${batch.batchId}`;
}

/** Title, id, state and start time. */
export function headerHtml(state: BatchState, stateWord: StateWord): Html {
  const id =
    state.batch.name === undefined ? nothing : html`<span>Batch <code>${state.batch.batchId}</code></span>`;
  const begun = html`<span>Started ${timeHtml(state.createdAt, timeText(state.createdAt))}</span>`;
  return html`<p class="brand">${product.name}</p><h1>${batchTitle(state)}</h1>
<p class="under">${endPill(endOfState(state, stateWord), state.counts)}${id}${begun}</p>`;
}

/** How a batch ended, or that it runs, as a word with sign and colour. */
export function endPill(end: BatchEnd | undefined, counts: Counts): Html {
  if (!end) return html`<span class="pill run">running</span>`;
  return html`<span class="pill ${endClass(end)}">${endLabel({ end, counts })}</span>`;
}

/** What the panel shows besides the state. */
export interface ProgressFacts {
  /** Milliseconds since 1970. */
  now: number;
  stateWord: StateWord;
  held?: WaitReason | undefined;
  /** Of all ended sessions. */
  tokens: Tokens;
}

/** Tokens read and written; cached tokens count as read. */
export interface Tokens {
  input: number;
  output: number;
}

/** Bar, counts, times and cost. */
export function progressHtml(state: BatchState, { now, stateWord, held, tokens }: ProgressFacts): Html {
  const { counts } = state;
  const goesOn = stateWord === "running" || stateWord === "paused";
  const estimate = goesOn ? estimateOf(state, { now, heldUntil: held?.until }) : undefined;
  const until = state.endedAt ?? (stateWord === "running" ? now : state.changedAt);
  const reused = reusedCount(state);
  const soFar = stateWord === "running" ? " so far" : "";
  const facts = factsHtml([
    ["Done", `${numberText(completedCount(counts))} of ${numberText(state.tasks.length)}`],
    ["Reused", reused > 0 ? `${numberText(reused)} of ${numberText(state.tasks.length)}` : undefined],
    ["Elapsed", durationText(until - state.createdAt)],
    ["Left", estimate && timeToComeText(estimate)],
    [`Cost${soFar}`, costText(state.totalCostUsd, state.costAtLeast)],
    ["Still to come", estimate?.costUsd && `about ${costToComeText(estimate)}`],
    ["Budget", state.budgetUsd === undefined ? undefined : costText(state.budgetUsd)],
    ["Billed to", billedToText(state)],
    [
      `Tokens${soFar}`,
      tokens.input + tokens.output === 0
        ? undefined
        : `${shortNumber(tokens.input)} in, ${shortNumber(tokens.output)} out`,
    ],
    ["Prompt cache", promptCacheText(state)],
    ["At once", atOnceText(state)],
  ]);
  return html`<section aria-label="Progress">${barHtml(counts, state.tasks.length)}${legendHtml(counts)}${facts}${heldHtml(held)}${changesHtml(state)}</section>\n`;
}

/** The counts in words, for a screen reader. */
export function countsWords(counts: Counts): string {
  return segments.map(([name]) => `${numberText(counts[name])} ${name}`).join(", ");
}

/** What holds the batch, in words; empty if nothing does. */
export function heldNote(held: WaitReason | undefined): string {
  if (held === undefined) return "";
  const until = held.until === undefined ? "" : ` They continue at ${timeText(held.until)}.`;
  return `No new sessions start: ${oneLine(held.because, 400).replace(/[.\s]+$/, "")}.${until}`;
}

function atOnceText({ batch: { concurrency }, counts: { running } }: BatchState): string | undefined {
  if (concurrency !== "auto") return `up to ${numberText(concurrency)}`;
  return running > 0 ? `${numberText(running)} now` : undefined;
}

const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

// In the order of the bar.
const segments: [count: keyof Counts, className: StatusWord["className"]][] = [
  ["succeeded", "ok"],
  ["failed", "bad"],
  ["cancelled", "off"],
  ["running", "run"],
  ["queued", "wait"],
];

// Drawn as SVG, because the `style` attribute of an element would need a weaker policy.
function barHtml(counts: Counts, total: number): Html {
  let x = 0;
  const parts = segments
    .filter(([name]) => name !== "queued" && counts[name] > 0)
    .map(([name, className]) => {
      const width = (counts[name] / total) * 100;
      const part = html`<rect class="${className}" x="${x.toFixed(2)}%" width="${width.toFixed(2)}%" height="14"/>`;
      x += width;
      return part;
    });
  return html`<svg class="bar" width="100%" height="14" role="img" aria-label="${countsWords(counts)}">${parts}</svg>`;
}

/** The parts of the page that have more on them. */
const places: Partial<Record<keyof Counts, string>> = { failed: "attention", running: "running" };

function legendHtml(counts: Counts): Html {
  const entries = segments
    .filter(([name]) => counts[name] > 0)
    .map(([name, className]) => {
      const words = `${numberText(counts[name])} ${name}`;
      const place = places[name];
      return html`<li class="s ${className}">${place === undefined ? words : html`<a href="#${place}">${words}</a>`}</li>`;
    });
  return html`<ul class="legend">${entries}</ul>`;
}

function heldHtml(held: WaitReason | undefined): Html {
  return held === undefined ? nothing : html`<p class="note"><b>On hold.</b> ${heldNote(held)}</p>`;
}

function shortNumber(value: number): string {
  return short.format(value);
}

/** Most retries with other options that are listed, the last ones. */
const mostChanges = 10;

function changesHtml({ optionChanges, batch }: BatchState): Html {
  if (optionChanges.length === 0) return nothing;
  const door = doorOf(batch.startedBy);
  const changes = optionChanges.slice(-mostChanges);
  const items = changes.map((change) => html`<li>${proseHtml(changeText(door, change))}</li>`);
  return html`<p>Options changed by a retry:</p><ul>${items}</ul>`;
}
