// The page of a task that succeeded.
import { cut } from "../model/cut.ts";
import type { Outcome, Usage } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { adviceFor } from "./advice.ts";
import { countText, numberText, timeText } from "./amounts.ts";
import { askedHtml } from "./asked-html.ts";
import { checksHtml } from "./checks-text.ts";
import { copyOfHtml } from "./copy-html.ts";
import { fileTag } from "./file-tag.ts";
import { resultFrame } from "./frame.ts";
import { factsHtml, type Html, html, joined, nothing, proseHtml, sectionHtml, timeHtml } from "./html.ts";
import { type Highlight, markdownHtml } from "./markdown.ts";
import { reusedText } from "./reuse-text.ts";
import { structuredHtml } from "./structured.ts";
import {
  attemptsText,
  continueCommand,
  leakedText,
  placeText,
  type TaskFacts,
  taskCostText,
  taskDurationText,
  variablesText,
} from "./task-facts.ts";
import { copiesClass, data, rowId } from "./wire/marks.ts";

/** Everything that the page of a succeeded task shows. */
export interface ResultPage extends TaskFacts {
  outcome: Extract<Outcome, { kind: "succeeded" }>;
  text: {
    /** The answer, or its beginning. */
    shown: string;
    /** Of the whole answer, in characters. */
    totalLength: number;
    /** Path of the transcript, which contains the whole answer. */
    transcript: string;
  };
  /** Other answers of the session, each with its heading. */
  others: readonly { heading: string; text: string }[];
  /** Marks the parts of code in answers. */
  highlight?: Highlight | undefined;
  /** What did not take effect, or was unusual, in sentences. */
  remarks: readonly string[];
  /** The path of the batch's page, relative to this one. */
  reportHref: string;
  /** The path of that page's companion, which knows the pages of the neighbours. */
  feedHref: string;
  /** If `ui` serves the page: the addresses of the pages of tasks, and of the task's sessions if they did more than answer. */
  served?: { hrefOf(task: number): string; session: string | undefined } | undefined;
}

const longestPrompt = 200_000;
const commandId = "command";
const sourceId = "markdown";

/** The page as a text. */
export function resultPage(page: ResultPage): string {
  return resultHtml(page).toString();
}

/** The page, with its tag within the first 512 bytes. */
export function resultHtml(page: ResultPage): Html {
  const title = cut(page.label, 90) || `Task ${page.taskNumber}`;
  return resultFrame({
    title: `${title} · task ${page.taskNumber}`,
    tag: fileTag(page.batchId, page.taskNumber),
    facts: { batch: page.batchId, feed: page.feedHref, task: String(page.taskNumber) },
    skip: showsText(page) ? { to: "answer", words: "the answer" } : { to: "structured", words: "the answer" },
    header: headerHtml(page, title),
    main: html`${[
      noticesHtml(page),
      sectionHtml("task", "Task", askedHtml(page.prompt, longestPrompt)),
      sectionHtml("answer", "Answer", answerHtml(page)),
      sectionHtml("structured", "Answer as data", dataHtml(page)),
      sectionHtml("checks", "Checks of the answer", checksHtml(page.checks)),
      sectionHtml("others", "Other answers of this session", othersHtml(page)),
      sectionHtml("facts", "Facts", factsPart(page)),
      sectionHtml("tokens", "Tokens", tokensHtml(page.usage)),
    ]}`,
    footer: html`${stepsHtml(page, "Neighbours, below")}<p>Made by ${product.name}</p>`,
  });
}

function headerHtml(page: ResultPage, title: string): Html {
  const denied = page.usage?.denials?.length ?? 0;
  const pill = denied
    ? html`<span class="pill warn">Succeeded, tools denied</span>`
    : html`<span class="pill ok">Succeeded</span>`;
  const parts = [
    pill,
    taskDurationText(page),
    taskCostText(page),
    timeHtml(page.endedAt, timeText(page.endedAt)),
  ];
  const under = parts.filter((part) => part !== undefined).map((part) => html`<span>${part}</span>`);
  return html`<p class="brand">${placeText(page)}</p>${stepsHtml(page, "Neighbours")}
<h1>${title}</h1><p class="under">${under}</p>`;
}

// The names of the neighbours' files are not known yet; the script finds them. Without it, the links lead to their rows.
function stepsHtml(page: ResultPage, label: string): Html {
  const { taskNumber, totalTasks, reportHref, sessionPage, served } = page;
  const href = (task: number) => `${reportHref}#${rowId(task)}`;
  const session = sessionPage === undefined ? undefined : Bun.pathToFileURL(sessionPage).href;
  const sessionHref = served ? served.session : session;
  const step = (by: -1 | 1, words: string) =>
    html`<a href="${(served?.hrefOf ?? href)(taskNumber + by)}"${served ? nothing : html` data-${data.step}="${by}"`} rel="${by < 0 ? "prev" : "next"}">${words}</a>`;
  const links = [
    taskNumber > 1 ? step(-1, `← Task ${taskNumber - 1}`) : nothing,
    html`<a href="${href(taskNumber)}">All tasks of the batch</a>`,
    taskNumber < totalTasks ? step(1, `Task ${taskNumber + 1} →`) : nothing,
    sessionHref === undefined ? nothing : html`<a href="${sessionHref}">What the session did</a>`,
  ];
  return html`<nav class="steps" aria-label="${label}">${joined(
    links.filter((link) => !link.isEmpty),
    " ",
  )}</nav>`;
}

function noticesHtml(page: ResultPage): Html {
  const advice = adviceFor(page.outcome, page.advice);
  const notes = [
    ...page.remarks.map((remark) => html`${remark}`),
    advice === undefined ? nothing : proseHtml(advice),
  ];
  const shown = notes.filter((note) => !note.isEmpty).map((note) => html`<p class="note">${note}</p>`);
  return shown.length > 0 ? html`<div class="card" role="note">${shown}</div>` : nothing;
}

function answerHtml({ text, outcome, highlight, taskNumber }: ResultPage): Html {
  if (!showsText({ text, outcome })) return nothing;
  if (text.shown.trim() === "") return html`<div class="answer"><p>Claude returned no text.</p></div>`;
  const body = html`<div class="answer" dir="auto">${markdownHtml(text.shown, highlight)}</div>`;
  return html`${sourceHtml(text.shown, taskNumber)}${cutNotice(text)}${body}`;
}

/** Longer ones are not there a second time, in characters. */
const longestSource = 300_000;

// The Markdown as Claude wrote it, for people who paste it elsewhere. A page from a file can fetch nothing.
function sourceHtml(text: string, taskNumber: number): Html {
  if (text.length > longestSource) return nothing;
  return html`<p class="take">${copyOfHtml(sourceId, { what: "the answer", words: "Copy as Markdown" })}
<button type="button" class="${copiesClass}" data-${data.save}="${sourceId}" data-${data.name}="answer-${taskNumber}.md">Download</button></p>
<pre id="${sourceId}" hidden>${text}</pre>`;
}

// The text of a structured answer repeats the data.
function showsText({ text, outcome }: Pick<ResultPage, "text" | "outcome">): boolean {
  if (outcome.structured === undefined) return true;
  if (text.shown.length < text.totalLength) return true;
  try {
    return text.shown.trim() !== "" && !Bun.deepEquals(JSON.parse(text.shown), outcome.structured);
  } catch {
    // Not JSON.
    return true;
  }
}

function cutNotice({ shown, totalLength, transcript }: ResultPage["text"]): Html {
  if (shown.length >= totalLength) return nothing;
  return html`<p class="note" role="note">These are the first ${numberText(shown.length)} of ${countText(totalLength, "character")}. The whole answer is in the transcript: <code>${transcript}</code></p>`;
}

function dataHtml({ outcome }: ResultPage): Html {
  return outcome.structured === undefined ? nothing : structuredHtml(outcome.structured);
}

function othersHtml({ others, highlight }: ResultPage): Html {
  return joined(
    others.map(
      ({ heading, text }) =>
        html`<p class="note">${heading}</p><div class="answer" dir="auto">${markdownHtml(text, highlight)}</div>`,
    ),
    html`<hr aria-hidden="true">`,
  );
}

function factsPart(page: ResultPage): Html {
  const code = (text: string | undefined) => (text === undefined ? undefined : html`<code>${text}</code>`);
  return factsHtml(
    [
      ["Key", code(page.key)],
      ["Reused", page.outcome.reused && reusedText(page.outcome.reused)],
      ["Cost", taskCostText(page)],
      ["Duration", taskDurationText(page)],
      ["Turns", page.usage && numberText(page.usage.numTurns)],
      ["Model", page.model],
      ["Attempts", attemptsText(page)],
      ["Left behind", leakedText(page)],
      [
        "Started",
        page.startedAt === undefined ? undefined : timeHtml(page.startedAt, timeText(page.startedAt)),
      ],
      ["Ended", timeHtml(page.endedAt, timeText(page.endedAt))],
      ["Ran on", page.host],
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

function commandHtml(command: string | undefined): Html | undefined {
  if (command === undefined) return undefined;
  return html`<code id="${commandId}">${command}</code> ${copyOfHtml(commandId, { what: "the command" })}`;
}

function deniedHtml(usage: Usage | undefined): Html {
  const rules = [...new Set((usage?.denials ?? []).map((denial) => denial.rule))].slice(0, 50);
  return joined(
    rules.map((rule) => html`<code>${cut(rule, 200)}</code>`),
    " ",
  );
}

function tokensHtml(usage: Usage | undefined): Html {
  const models = Object.entries(usage?.models ?? {});
  if (models.length === 0) return nothing;
  const rows = models.map(([model, { input, output, cacheRead, cacheWritten }]) => {
    const numbers = [input, output, cacheRead, cacheWritten].map(
      (count) => html`<td class="n">${numberText(count)}</td>`,
    );
    return html`<tr><td>${model}</td>${numbers}</tr>`;
  });
  const names = ["Input", "Output", "Read from cache", "Written to cache"];
  const head = names.map((name) => html`<th scope="col" class="n">${name}</th>`);
  return html`<div class="wide"><table><thead><tr><th scope="col">Model</th>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
