// The timeline: a bar for each session in its slot, which shows parallelism and stragglers at a glance.
import type { BatchState, TaskState } from "../model/state.ts";
import { countText, durationText, numberText } from "./amounts.ts";
import { type Html, html, nothing } from "./html.ts";
import { labelOf } from "./label.ts";
import type { Bar, Lanes } from "./lanes.ts";
import { labelHtml, statusWord } from "./row.ts";
import { barsClass, data, ids, rowId } from "./wire/marks.ts";

/** What the timeline is drawn from. */
export interface TimelineView {
  state: BatchState;
  lanes: Lanes;
  /** The end of the axis, in milliseconds since 1970. */
  until: number;
  hrefOf(taskNumber: number): string | undefined;
}

/** Width of the drawing, in units. */
const width = 2_000;
/** Height of the drawing, in pixels, unless its lanes are too many or too few. */
const usualHeight = 260;
const laneHeight = { least: 3, most: 16 };
const mostLongest = 8;

interface Long {
  task: TaskState;
  lasted: number;
}

/** Drawing, axis and the longest sessions as text. Empty before the first session. */
export function timelineHtml(view: TimelineView): Html {
  const { state, lanes, until } = view;
  if (lanes.count === 0) return nothing;
  const span = Math.max(1, until - state.createdAt);
  const height = Math.min(laneHeight.most, Math.max(laneHeight.least, usualHeight / lanes.count));
  const { paths, lengths } = draw(view, span, height);
  const pixels = Math.ceil(height * lanes.count);
  const shapes = [...paths].map(
    ([className, path]) => html`<path class="${className}" d="${path.join("")}"/>`,
  );
  const ticks = ticksOf(span);
  const grid = ticks.map(({ share }) => `M${(share * width).toFixed(1)} 0v${pixels}`).join("");
  const drawing = html`<svg class="${barsClass}" width="100%" height="${pixels}" viewBox="0 0 ${width} ${pixels}" preserveAspectRatio="none" aria-hidden="true"><path class="grid" d="${grid}"/>${shapes}</svg>`;
  const words = wordsOf(view, lengths);
  return html`<div id="timeline-box"><div id="${ids.lanes}" role="img" aria-label="${words} Arrow keys go from session to session, Enter opens one." data-${data.span}="${span}" data-${data.slots}="${lanes.count}">${drawing}<span id="${ids.mark}" hidden></span>${axisHtml(ticks)}</div>
<p class="sum">${words}</p><p id="${ids.readout}" role="status" data-${data.own}="yes"></p>${longestHtml(lengths, view)}</div>`;
}

function draw({ state, lanes, until }: TimelineView, span: number, height: number) {
  // In pieces: a text that grows by thousands of them takes megabytes of the stack once it is read.
  const paths = new Map<string, string[]>();
  const lengths: Long[] = [];
  const scale = width / span;
  for (const task of state.tasks) {
    for (const bar of lanes.barsOf(task)) {
      const lasted = Math.max(0, (bar.to ?? until) - bar.from);
      lengths.push({ task, lasted });
      const className = classOf(task, bar);
      // The bar of a success leaves a gap to the next lane; a failure fills its lane.
      const air = className === "bad" ? 0 : Math.min(2, height / 4);
      const x = ((bar.from - state.createdAt) * scale).toFixed(1);
      const y = (bar.lane * height + air / 2).toFixed(1);
      const across = Math.max(2, lasted * scale - 1.5).toFixed(1);
      const down = (height - air).toFixed(1);
      const piece = `M${x} ${y}h${across}v${down}h-${across}z`;
      const path = paths.get(className);
      if (path) path.push(piece);
      else paths.set(className, [piece]);
    }
  }
  lengths.sort((a, b) => b.lasted - a.lasted);
  return { paths, lengths };
}

// An attempt that was followed by another one has failed.
function classOf(task: TaskState, bar: Bar): string {
  if (bar.attempt === task.attempts.at(-1)) {
    const { className } = statusWord(task);
    return className === "wait" ? "bad" : className;
  }
  return bar.attempt.outcome?.kind === "succeeded" ? "ok" : "bad";
}

function wordsOf({ lanes }: TimelineView, lengths: readonly Long[]): string {
  const longest = lengths[0];
  const middle = lengths[Math.floor(lengths.length / 2)];
  if (!longest || !middle) return "";
  const sessions = countText(lengths.length, "session");
  return `${sessions}, ${numberText(lanes.count)} in parallel at most; half took over ${durationText(middle.lasted)}, the longest is task ${longest.task.number} with ${durationText(longest.lasted)}.`;
}

const niceSeconds = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200],
];

interface Tick {
  /** Of the whole width, from 0 to 1. */
  share: number;
  text: string;
}

/** Where times are shown: at most seven round ones, starting at 0. */
function ticksOf(span: number): Tick[] {
  const seconds = span / 1000;
  const step = niceSeconds.find((nice) => seconds / nice <= 6) ?? Math.ceil(seconds / 6 / 86_400) * 86_400;
  const count = Math.floor(seconds / step) + 1;
  const ticks = Array.from({ length: count }, (_, index) => {
    // Not by adding up, because a tenth is no exact binary fraction.
    const at = Number((index * step).toFixed(2));
    return { share: at / seconds, text: index === 0 ? "0" : durationText(at * 1000) };
  });
  // On a phone, a long text that ends at the right edge would overlap the previous one.
  const last = ticks.at(-1);
  const isCrowded = last && last.share > atEdge && last.text.length > 7 && step / seconds < 0.25;
  return isCrowded ? ticks.slice(0, -1) : ticks;
}

/** Further right, the text of a tick ends there instead of being centred. */
const atEdge = 0.96;

function axisHtml(ticks: readonly Tick[]): Html {
  const texts = ticks.map(({ share, text }) => {
    const x = share * 100;
    const anchor = x < 2 ? nothing : html` text-anchor="${x > 100 * atEdge ? "end" : "middle"}"`;
    return html`<text x="${x.toFixed(2)}%" y="14"${anchor}>${text}</text>`;
  });
  return html`<svg class="axis" width="100%" height="18" aria-hidden="true">${texts}</svg>`;
}

function longestHtml(lengths: readonly Long[], { state, hrefOf }: TimelineView): Html {
  const items = lengths.slice(0, mostLongest).map(({ task, lasted }) => {
    const { className, word } = statusWord(task);
    return html`<li><b>${durationText(lasted)}</b> <span class="s ${className}">${word}</span> task ${task.number} ${labelHtml(labelOf(state, task.number), hrefOf(task.number) ?? `#${rowId(task.number)}`)}</li>`;
  });
  return html`<details><summary>The longest sessions</summary><ol class="longest">${items}</ol></details>`;
}
