// The steps of a conversation as HTML: texts as Markdown, calls folded, edits as diffs.
import type { TokensRead } from "../../model/conversation.ts";
import { unreachable } from "../../model/unreachable.ts";
import { bytesText, costText, countText, durationText, numberText } from "../amounts.ts";
import { type DiffLine, leftOutText, lineText } from "../diff/text-diff.ts";
import { firstLine, harmless, oneLine } from "../harmless.ts";
import { type Html, html, nothing } from "../html.ts";
import { markdownHtml } from "../markdown.ts";
import type { Excerpt } from "./excerpt.ts";
import type { Call, Result, ShownInput, Step, Steps } from "./steps.ts";

/** How to show steps. */
export interface StepManner {
  /** Whether no more results can come. */
  isOver: boolean;
}

/** Edits with at most this many lines are unfolded at first. */
const mostOpenLines = 60;
const longestSummary = 160;

/** All steps of a list, each as an element with its id. `gapId`: the id of what says that some are left out. */
export function stepsHtml(steps: Steps, manner: StepManner, gapId?: string): Html[] {
  const gap =
    steps.left === 0
      ? []
      : [
          html`<p class="note"${gapId === undefined ? nothing : html` id="${gapId}"`}>${countText(steps.left, "step")} left out here, to keep this page small. The transcript has all of them.</p>\n`,
        ];
  const shown = (list: readonly Step[]) => list.map((step) => stepHtml(step, manner));
  return [...shown(steps.first), ...gap, ...shown(steps.last)];
}

/** The steps that failed, with what they were about. */
export function failedSteps(steps: Steps): { id: string; words: string }[] {
  return steps.all.flatMap(({ id, shown }) => {
    if (shown.kind === "call") {
      const own = shown.result?.failed ? [{ id, words: `${shown.tool} ${shown.subject}` }] : [];
      return [...own, ...(shown.inside ? failedSteps(shown.inside) : [])];
    }
    if (shown.kind === "words" && shown.failed) return [{ id, words: firstLine(shown.text.begin, 100) }];
    return shown.kind === "ended" && shown.end.failed ? [{ id, words: `Ended: ${shown.end.subtype}` }] : [];
  });
}

function stepHtml(step: Step, manner: StepManner): Html {
  const { id, shown, offset } = step;
  switch (shown.kind) {
    case "words":
      return wordsHtml(id, shown, offset);
    case "reply":
      return html`<p class="reply" id="${id}">Reply ${numberText(shown.count)}${tokensText(shown.read)}</p>\n`;
    case "turn":
      return html`<h3 id="${id}">Turn ${numberText(shown.count)}</h3>\n`;
    case "call":
      return callHtml(id, shown, { offset, manner });
    case "result":
      return html`<details class="call${shown.result.failed ? " bad" : ""}" id="${id}"><summary><b>Result of an earlier call</b> ${statusHtml(shown.result)}</summary>${outputHtml(shown.result, offset)}</details>\n`;
    case "waits":
      return html`<p class="note" id="${id}">${shown.why}</p>\n`;
    case "ended":
      return endHtml(id, shown, offset);
    case "unread":
      return html`<details class="call" id="${id}"><summary>A line of ${bytesText(shown.bytes)} that is no message, or too long</summary>${textHtml(shown.text, offset)}</details>\n`;
    default:
      return unreachable(shown);
  }
}

type Of<Kind extends Step["shown"]["kind"]> = Extract<Step["shown"], { kind: Kind }>;

function wordsHtml(id: string, { by, text, failed }: Of<"words">, offset: number): Html {
  switch (by) {
    case "thought":
      return html`<details class="thought" id="${id}"><summary>Thought: ${firstLine(text.begin, longestSummary)}</summary>${textHtml(text, offset)}</details>\n`;
    case "prompt":
      return html`<div class="asks" id="${id}"><p class="who">Prompt</p>${textHtml(text, offset)}</div>\n`;
    case "claude": {
      if (failed)
        return html`<div class="says bad" id="${id}"><p class="who"><span class="s bad">Error</span></p>${textHtml(text, offset)}</div>\n`;
      return html`<div class="says" id="${id}"><p class="who">Claude</p>${markdownOf(text, offset)}</div>\n`;
    }
  }
}

function markdownOf({ begin, left, end }: Excerpt, offset: number): Html {
  const rest = left === 0 ? nothing : html`${cutHtml(left, offset)}${markdownHtml(harmless(end))}`;
  return html`<div class="answer" dir="auto">${markdownHtml(harmless(begin))}${rest}</div>`;
}

function textHtml({ begin, left, end }: Excerpt, offset: number): Html {
  if (begin.trim() === "" && left === 0) return html`<p class="none">Nothing.</p>`;
  const text = html`<pre class="plain" dir="auto">${begin}</pre>`;
  return left === 0 ? text : html`${text}${cutHtml(left, offset)}<pre class="plain" dir="auto">${end}</pre>`;
}

function cutHtml(left: number, offset: number): Html {
  return html`<p class="gap">${countText(left, "character")} left out. All of it is in the transcript, in the line at byte ${numberText(offset)}.</p>`;
}

function callHtml(id: string, call: Call, { offset, manner }: { offset: number; manner: StepManner }): Html {
  const { tool, subject, isBehind, input, result, inside } = call;
  const isEdit = input.kind === "diff" && input.lines.length <= mostOpenLines;
  const opens = isEdit || result?.failed || input.kind === "items";
  const behind = isBehind ? html` <small>in the background</small>` : nothing;
  const status = result ? statusHtml(result) : waitingHtml(manner);
  const about = subject === "" ? nothing : html` <code>${subject}</code>`;
  const inner = inside ? html`<div class="inside">${stepsHtml(inside, manner)}</div>` : nothing;
  const output = result ? outputHtml(result, offset) : nothing;
  return html`<details class="call${result?.failed ? " bad" : ""}" id="${id}"${opens ? html` open` : nothing}><summary><b>${tool}</b>${about}${behind} ${status}</summary>${inputHtml(input, offset)}${inner}${output}</details>\n`;
}

function waitingHtml({ isOver }: StepManner): Html {
  return isOver ? html`<span class="s warn">no result</span>` : html`<span class="s run">runs</span>`;
}

function statusHtml({ failed, status, lines, text }: Result): Html {
  const size = text.begin === "" ? "no output" : countText(lines, "line");
  const word =
    status !== undefined
      ? html`<span class="s ${failed || status !== 0 ? "bad" : "ok"}">exit status ${status}</span>`
      : failed
        ? html`<span class="s bad">failed</span>`
        : html`<span class="s ok">done</span>`;
  return html`${word} <small>${size}</small>`;
}

function outputHtml({ text, failed }: Result, offset: number): Html {
  if (text.begin === "") return nothing;
  return html`<p class="who">${failed ? "What it said" : "Output"}</p>${textHtml(text, offset)}`;
}

function inputHtml(input: ShownInput, offset: number): Html {
  switch (input.kind) {
    case "values": {
      if (input.values.length === 0) return nothing;
      const rows = input.values.map(
        ([name, value]) =>
          html`<div><dt>${oneLine(name, 100)}</dt><dd>${valueHtml(value, offset)}</dd></div>`,
      );
      return html`<dl class="long">${rows}</dl>`;
    }
    case "text":
      return textHtml(input.text, offset);
    case "command":
      return html`<p class="who">Command</p>${textHtml(input.text, offset)}`;
    case "diff":
      return diffHtml(input.lines, input.left);
    case "items": {
      const words: Record<string, string> = { "[x]": "done", "[>]": "in progress", "[ ]": "open" };
      const signs: Record<string, string> = { "[x]": "☑", "[>]": "▷", "[ ]": "☐" };
      const items = input.items.map(
        ([sign, text]) =>
          html`<li><span class="unseen">${words[sign] ?? ""}: </span><span aria-hidden="true">${signs[sign] ?? sign}</span> ${text}</li>`,
      );
      return html`<ul class="items">${items}</ul>`;
    }
    default:
      return unreachable(input);
  }
}

function valueHtml(value: Excerpt, offset: number): Html {
  const isShort = value.left === 0 && value.begin.length <= 200 && !value.begin.includes("\n");
  return isShort ? html`<code>${value.begin}</code>` : textHtml(value, offset);
}

function diffHtml(lines: readonly DiffLine[], left: number): Html {
  if (lines.length === 0) return html`<p class="none">Nothing changes.</p>`;
  const more =
    left > 0 ? html`<p class="gap">${countText(left, "more line")} in the transcript.</p>` : nothing;
  return html`<pre class="change" dir="auto">${lines.map(lineHtml)}</pre>${more}`;
}

// The line feed within its element: between two, it would be a line of its own.
function lineHtml(line: DiffLine): Html {
  switch (line.kind) {
    case "removed":
      return html`<del>${lineText(line)}\n</del>`;
    case "added":
      return html`<ins>${lineText(line)}\n</ins>`;
    case "same":
      return html`<span>${lineText(line)}\n</span>`;
    case "left-out":
      return html`<span class="gap">${line.count === 0 ? "  …" : `  … ${leftOutText(line.count)}`}\n</span>`;
  }
}

function endHtml(id: string, { end, text, isSaid, isFirst }: Of<"ended">, offset: number): Html {
  const { failed, subtype, numTurns, durationMs, costUsd } = end;
  const facts = [
    countText(numTurns, "turn"),
    durationText(durationMs),
    ...(costUsd === undefined ? [] : [`${costText(costUsd)}${isFirst ? "" : " so far"}`]),
  ].join(", ");
  const word = failed
    ? html`<span class="s bad">Ended: ${oneLine(subtype, 100)}</span>`
    : html`<span class="s ok">Answered</span>`;
  const body = isSaid ? nothing : failed ? textHtml(text, offset) : markdownOf(text, offset);
  return html`<div class="ends" id="${id}"><p>${word} <small>${facts}</small></p>${body}</div>\n`;
}

/** What a reply read, as far as its beginning says it; how long it became, only the end of the turn says. */
function tokensText(read: TokensRead | undefined): string {
  if (!read) return "";
  const { fresh, cacheRead, cacheWritten } = read;
  const parts = [
    ...(cacheRead > 0 ? [`${numberText(cacheRead)} from the cache`] : []),
    ...(cacheWritten > 0 ? [`${numberText(cacheWritten)} written to it`] : []),
  ];
  const all = `: ${countText(fresh + cacheRead + cacheWritten, "token")} read`;
  return parts.length === 0 ? all : `${all}, ${parts.join(", ")}`;
}
