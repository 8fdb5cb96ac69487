// The page of a task that succeeded.
import type { Outcome, Usage } from "../model/outcome.ts";
import { adviceFor } from "./advice.ts";
import { countText, numberText, timeText } from "./amounts.ts";
import script from "./browser/result.browser.js" with { type: "text" };
import { fileTag } from "./file-tag.ts";
import { pageFrame } from "./frame.ts";
import { cut, firstLine } from "./harmless.ts";
import { escapeHtml, factsHtml, proseHtml, sectionHtml, timeHtml } from "./html.ts";
import { safeMarkdown } from "./markdown.ts";
import { structuredHtml } from "./structured.ts";
import {
  adviceFacts,
  attemptsText,
  continueCommand,
  leakedText,
  placeText,
  type TaskFacts,
  taskCostText,
  taskDurationText,
  variablesText,
} from "./task-facts.ts";

/** All that the page of a succeeded task shows. */
export interface ResultPage extends TaskFacts {
  outcome: Extract<Outcome, { kind: "succeeded" }>;
  text: {
    /** The answer, or its beginning. */
    shown: string;
    /** Of the whole answer, in characters. */
    totalLength: number;
    /** Path of the transcript, which has all of it. */
    transcript: string;
  };
  /** What the session answered beside that, with the words before each. */
  others: readonly { heading: string; text: string }[];
  /** What did not take effect, or did not go as usual, in sentences. */
  remarks: readonly string[];
  /** Where the batch's page is, seen from this one. */
  reportHref: string;
  /** Where the companion of that page is, which knows the pages of the neighbours. */
  feedHref: string;
}

const longestPrompt = 200_000;
const frame = pageFrame(script);

/** The page as HTML, its tag within the first 512 bytes. */
export function resultPage(page: ResultPage): string {
  const title = firstLine(page.prompt, 90) || `Task ${page.taskNumber}`;
  return frame({
    title: `${title} · task ${page.taskNumber}`,
    tag: fileTag(page.batchId, page.taskNumber),
    facts: { batch: page.batchId, feed: page.feedHref, task: String(page.taskNumber) },
    header: headerHtml(page, title),
    main: [
      noticesHtml(page),
      sectionHtml("task", "Task", promptHtml(page.prompt)),
      sectionHtml("answer", "Answer", answerHtml(page)),
      sectionHtml("structured", "Answer as data", dataHtml(page)),
      sectionHtml("others", "Other answers of this session", othersHtml(page)),
      sectionHtml("facts", "Facts", factsPart(page)),
      sectionHtml("tokens", "Tokens", tokensHtml(page.usage)),
    ].join(""),
    footer: `${stepsHtml(page, "Neighbours, below")}<p>Made by parallel-claude-code-mcp</p>`,
  });
}

function headerHtml(page: ResultPage, title: string): string {
  const denied = page.usage?.denials?.length ?? 0;
  const pill = denied
    ? '<span class="pill warn">Succeeded, tools denied</span>'
    : '<span class="pill ok">Succeeded</span>';
  const parts = [
    pill,
    taskDurationText(page),
    taskCostText(page),
    timeHtml(page.endedAt, timeText(page.endedAt)),
  ];
  const under = parts.filter((part) => part !== undefined).map((part) => `<span>${part}</span>`);
  return `<p class="brand">${escapeHtml(placeText(page))}</p>${stepsHtml(page, "Neighbours")}
<h1>${escapeHtml(title)}</h1><p class="under">${under.join("")}</p>`;
}

// The names of the neighbours' files are not known yet: the script finds them. Without it, one gets to their rows.
function stepsHtml({ taskNumber, totalTasks, reportHref }: ResultPage, label: string): string {
  const href = (task: number) => escapeHtml(`${reportHref}#t${task}`);
  const step = (by: -1 | 1, words: string) =>
    `<a href="${href(taskNumber + by)}" data-step="${by}" rel="${by < 0 ? "prev" : "next"}">${words}</a>`;
  const links = [
    taskNumber > 1 ? step(-1, `← Task ${taskNumber - 1}`) : "",
    `<a href="${href(taskNumber)}">All tasks of the batch</a>`,
    taskNumber < totalTasks ? step(1, `Task ${taskNumber + 1} →`) : "",
  ];
  return `<nav class="steps" aria-label="${label}">${links.filter((link) => link !== "").join(" ")}</nav>`;
}

function noticesHtml(page: ResultPage): string {
  const advice = adviceFor(page.outcome, adviceFacts(page));
  const notes = [...page.remarks.map(escapeHtml), advice === undefined ? "" : proseHtml(advice)];
  const shown = notes.filter((note) => note !== "").map((note) => `<p class="note">${note}</p>`);
  return shown.length > 0 ? `<div class="card" role="note">${shown.join("")}</div>` : "";
}

function promptHtml(prompt: string): string {
  const whole = `<pre class="asked">${escapeHtml(cut(prompt, longestPrompt))}</pre>`;
  const long = prompt.length > 600 || prompt.split("\n", 10).length > 8;
  if (!long) return whole;
  const size = countText(prompt.length, "character");
  return `<details><summary><b>${escapeHtml(firstLine(prompt, 160))}</b> (${size})</summary>${whole}</details>`;
}

function answerHtml({ text, outcome }: ResultPage): string {
  if (text.shown.trim() === "" && outcome.structured !== undefined) return "";
  const body = text.shown.trim() === "" ? "<p>Claude returned no text.</p>" : safeMarkdown(text.shown);
  return `${cutNotice(text)}<div class="answer" dir="auto">${body}</div>`;
}

function cutNotice({ shown, totalLength, transcript }: ResultPage["text"]): string {
  if (shown.length >= totalLength) return "";
  return `<p class="note" role="note">These are the first ${numberText(shown.length)} of ${countText(totalLength, "character")}. The whole answer is in the transcript: <code>${escapeHtml(transcript)}</code></p>`;
}

function dataHtml({ outcome }: ResultPage): string {
  return outcome.structured === undefined ? "" : structuredHtml(outcome.structured);
}

function othersHtml({ others }: ResultPage): string {
  return others
    .map(
      ({ heading, text }) =>
        `<p class="note">${escapeHtml(heading)}</p><div class="answer" dir="auto">${safeMarkdown(text)}</div>`,
    )
    .join('<hr aria-hidden="true">');
}

function factsPart(page: ResultPage): string {
  const code = (text: string | undefined) => text && `<code>${escapeHtml(text)}</code>`;
  return factsHtml(
    [
      ["Cost", taskCostText(page)],
      ["Duration", taskDurationText(page)],
      ["Turns", page.usage && numberText(page.usage.numTurns)],
      ["Model", page.model && escapeHtml(page.model)],
      ["Attempts", attemptsText(page)],
      ["Left behind", leakedText(page)],
      [
        "Started",
        page.startedAt === undefined ? undefined : timeHtml(page.startedAt, timeText(page.startedAt)),
      ],
      ["Ended", timeHtml(page.endedAt, timeText(page.endedAt))],
      ["Session", code(page.sessionId)],
      ["Working directory", code(page.workingDirectory)],
      ["Variables from env", code(variablesText(page))],
      ["Transcript", code(page.text.transcript)],
      ["Continue in a terminal", commandHtml(continueCommand(page))],
      ["Denied tools", deniedHtml(page.usage)],
    ],
    "long",
  );
}

function commandHtml(command: string | undefined): string | undefined {
  if (command === undefined) return undefined;
  return `<code id="command">${escapeHtml(command)}</code> <button type="button" data-copy="command" aria-label="Copy the command" hidden>Copy</button>`;
}

function deniedHtml(usage: Usage | undefined): string {
  const rules = [...new Set((usage?.denials ?? []).map((denial) => denial.rule))].slice(0, 50);
  return rules.map((rule) => `<code>${escapeHtml(cut(rule, 200))}</code>`).join(" ");
}

function tokensHtml(usage: Usage | undefined): string {
  const models = Object.entries(usage?.models ?? {});
  if (models.length === 0) return "";
  const rows = models.map(([model, { input, output, cacheRead, cacheWritten }]) => {
    const numbers = [input, output, cacheRead, cacheWritten].map(
      (count) => `<td class="n">${numberText(count)}</td>`,
    );
    return `<tr><td>${escapeHtml(model)}</td>${numbers.join("")}</tr>`;
  });
  const names = ["Input", "Output", "Read from cache", "Written to cache"];
  const head = names.map((name) => `<th scope="col" class="n">${name}</th>`).join("");
  return `<div class="wide"><table><thead><tr><th scope="col">Model</th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}
