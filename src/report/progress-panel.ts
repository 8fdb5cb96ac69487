// The upper part of the live page: whose page it is, how far the batch is, what it cost.
import { type BatchState, type Counts, doneCount } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { costText, durationText, numberText, timeText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { escapeHtml, factsHtml, timeHtml } from "./html.ts";
import type { StatusWord } from "./row.ts";
import { timeLeftMs, timeLeftText } from "./time-left.ts";

/** The name people know the batch by. */
export function batchTitle({ batch }: BatchState): string {
  return batch.name === undefined ? `Batch ${batch.batchId}` : oneLine(batch.name, 200);
}

/** Title, id, state and beginning. HTML. */
export function headerHtml(state: BatchState, stateWord: StateWord): string {
  const id =
    state.batch.name === undefined
      ? ""
      : `<span>Batch <code>${escapeHtml(state.batch.batchId)}</code></span>`;
  const begun = `<span>Started ${timeHtml(state.createdAt, timeText(state.createdAt))}</span>`;
  return `<p class="brand">parallel-claude-code-mcp</p><h1>${escapeHtml(batchTitle(state))}</h1>
<p class="under">${statePill(stateWord, state.counts)}${id}${begun}</p>`;
}

/** The state as a word with sign and colour. HTML. */
export function statePill(stateWord: StateWord, counts?: Counts): string {
  const className = stateWord === "finished" && counts && counts.failed > 0 ? "warn" : pillClass[stateWord];
  return `<span class="pill ${className}">${stateWord}</span>`;
}

/** Bar, counts, times and cost. HTML. */
export function progressHtml(state: BatchState, now: number, stateWord: StateWord): string {
  const { counts } = state;
  const left = stateWord === "running" ? timeLeftMs(state, now) : undefined;
  const until = state.endedAt ?? (stateWord === "running" ? now : state.changedAt);
  const facts = factsHtml([
    ["Done", `${numberText(doneCount(counts))} of ${numberText(state.tasks.length)}`],
    ["Elapsed", durationText(until - state.createdAt)],
    ["Left", left === undefined ? undefined : timeLeftText(left)],
    [stateWord === "running" ? "Cost so far" : "Cost", costText(state.totalCostUsd, state.costAtLeast)],
    ["At once", atOnceText(state)],
  ]);
  return `<section aria-label="Progress">${barHtml(counts, state.tasks.length)}${legendHtml(counts)}${facts}${noteHtml(state, stateWord)}</section>\n`;
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

// In the order of the bar.
const segments: [count: keyof Counts, className: StatusWord["className"]][] = [
  ["succeeded", "ok"],
  ["failed", "bad"],
  ["cancelled", "off"],
  ["running", "run"],
  ["queued", "wait"],
];

function barHtml(counts: Counts, total: number): string {
  const words = segments.map(([name]) => `${numberText(counts[name])} ${name}`).join(", ");
  const parts = segments
    .filter(([name]) => name !== "queued" && counts[name] > 0)
    .map(
      ([name, className]) =>
        `<i class="${className}" style="width:${((counts[name] / total) * 100).toFixed(2)}%"></i>`,
    );
  return `<div class="bar" role="img" aria-label="${words}">${parts.join("")}</div>`;
}

function legendHtml(counts: Counts): string {
  const entries = segments
    .filter(([name]) => counts[name] > 0)
    .map(([name, className]) => `<li class="s ${className}">${numberText(counts[name])} ${name}</li>`);
  return `<ul class="legend">${entries.join("")}</ul>`;
}

function noteHtml(state: BatchState, stateWord: StateWord): string {
  if (stateWord !== "interrupted") return "";
  return `<p class="note">No process carries this batch any more. What has finished is kept; <code>parallel-claude-code-mcp show ${escapeHtml(state.batch.batchId)}</code> tells how it stands.</p>`;
}
