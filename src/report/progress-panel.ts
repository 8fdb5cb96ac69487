// The upper part of the live page: whose page it is, how far the batch is, what it cost.

import { costToComeUsd } from "../model/estimate.ts";
import type { Standstill } from "../model/standstill.ts";
import { type BatchState, type Counts, doneCount } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { costText, durationText, numberText, timeText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { factsHtml, type Html, html, nothing, timeHtml } from "./html.ts";
import type { StatusWord } from "./row.ts";
import { billedToText } from "./spending.ts";
import { timeLeftMs, timeLeftText } from "./time-left.ts";

/** The name people know the batch by. */
export function batchTitle({ batch }: BatchState): string {
  return batch.name === undefined ? `Batch ${batch.batchId}` : oneLine(batch.name, 200);
}

/** Title, id, state and beginning. */
export function headerHtml(state: BatchState, stateWord: StateWord): Html {
  const id =
    state.batch.name === undefined ? nothing : html`<span>Batch <code>${state.batch.batchId}</code></span>`;
  const begun = html`<span>Started ${timeHtml(state.createdAt, timeText(state.createdAt))}</span>`;
  return html`<p class="brand">parallel-claude-code-mcp</p><h1>${batchTitle(state)}</h1>
<p class="under">${statePill(stateWord, state.counts)}${id}${begun}</p>`;
}

/** The state as a word with sign and colour. */
export function statePill(stateWord: StateWord, counts?: Counts): Html {
  const className = stateWord === "finished" && counts && counts.failed > 0 ? "warn" : pillClass[stateWord];
  return html`<span class="pill ${className}">${stateWord}</span>`;
}

/** What the panel tells beside the state itself. */
export interface ProgressFacts {
  /** Milliseconds since 1970. */
  now: number;
  stateWord: StateWord;
  held?: Standstill | undefined;
  /** Of all sessions that have ended. */
  tokens: Tokens;
}

/** Tokens read and written; what came out of a cache is counted as read. */
export interface Tokens {
  input: number;
  output: number;
}

/** Bar, counts, times and cost. */
export function progressHtml(state: BatchState, { now, stateWord, held, tokens }: ProgressFacts): Html {
  const { counts } = state;
  const left = stateWord === "running" ? timeLeftMs(state, now, held?.until) : undefined;
  const toComeUsd = stateWord === "running" ? costToComeUsd(state) : undefined;
  const until = state.endedAt ?? (stateWord === "running" ? now : state.changedAt);
  const soFar = stateWord === "running" ? " so far" : "";
  const facts = factsHtml([
    ["Done", `${numberText(doneCount(counts))} of ${numberText(state.tasks.length)}`],
    ["Elapsed", durationText(until - state.createdAt)],
    ["Left", left === undefined ? undefined : timeLeftText(left)],
    [`Cost${soFar}`, costText(state.totalCostUsd, state.costAtLeast)],
    [
      "Still to come",
      toComeUsd === undefined || toComeUsd === 0 ? undefined : `about ${costText(toComeUsd)}`,
    ],
    ["Budget", state.budgetUsd === undefined ? undefined : costText(state.budgetUsd)],
    ["Billed to", billedToText(state)],
    [
      `Tokens${soFar}`,
      tokens.input + tokens.output === 0
        ? undefined
        : `${shortNumber(tokens.input)} in, ${shortNumber(tokens.output)} out`,
    ],
    ["At once", atOnceText(state)],
  ]);
  return html`<section aria-label="Progress">${barHtml(counts, state.tasks.length)}${legendHtml(counts)}${facts}${holdHtml(held)}${noteHtml(state, stateWord)}</section>\n`;
}

/** The counts in words, for a screen reader. */
export function countsWords(counts: Counts): string {
  return segments.map(([name]) => `${numberText(counts[name])} ${name}`).join(", ");
}

/** The hold in words; empty where there is none. */
export function holdText(held: Standstill | undefined): string {
  if (held === undefined) return "";
  const until = held.until === undefined ? "" : ` They continue at ${timeText(held.until)}.`;
  return `No new sessions start: ${oneLine(held.because, 400).replace(/[.\s]+$/, "")}.${until}`;
}

function atOnceText({ batch: { concurrency }, counts: { running } }: BatchState): string | undefined {
  if (concurrency !== "auto") return `up to ${numberText(concurrency)}`;
  return running > 0 ? `${numberText(running)} now` : undefined;
}

const pillClass = {
  running: "run",
  finished: "ok",
  cancelled: "off",
  interrupted: "bad",
} satisfies Record<StateWord, StatusWord["className"]>;

const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

// In the order of the bar.
const segments: [count: keyof Counts, className: StatusWord["className"]][] = [
  ["succeeded", "ok"],
  ["failed", "bad"],
  ["cancelled", "off"],
  ["running", "run"],
  ["queued", "wait"],
];

// Drawn, for an element's `style` would need a weaker policy.
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

function legendHtml(counts: Counts): Html {
  const entries = segments
    .filter(([name]) => counts[name] > 0)
    .map(([name, className]) => html`<li class="s ${className}">${numberText(counts[name])} ${name}</li>`);
  return html`<ul class="legend">${entries}</ul>`;
}

function holdHtml(held: Standstill | undefined): Html {
  return held === undefined ? nothing : html`<p class="note"><b>On hold.</b> ${holdText(held)}</p>`;
}

function shortNumber(value: number): string {
  return short.format(value);
}

function noteHtml(state: BatchState, stateWord: StateWord): Html {
  if (stateWord !== "interrupted") return nothing;
  return html`<p class="note">No process runs this batch any more. Finished results are kept; <code>parallel-claude-code-mcp show ${state.batch.batchId}</code> shows its state.</p>`;
}
