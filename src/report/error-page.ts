// The page of an unsuccessful task, as `ui` serves it: what its text file says.
import { cut } from "../model/cut.ts";
import { timeText } from "./amounts.ts";
import { askedHtml } from "./asked-html.ts";
import { copyHtml, copyOfHtml } from "./copy-html.ts";
import { type ErrorPage, errorFacts, errorParts, errorText } from "./error-text.ts";
import { stillFrame } from "./frame.ts";
import { factsHtml, type Html, html, joined, nothing, proseHtml, sectionHtml, timeHtml } from "./html.ts";
import { outcomeText } from "./outcome-text.ts";
import { placeText } from "./task-facts.ts";
import { rowId } from "./wire/marks.ts";

interface Links {
  /** The page of the batch. */
  report: string;
  /** The pages of tasks. */
  hrefOf(task: number): string;
  /** The page of its sessions, if it has any. */
  session: string | undefined;
  /** Where it can be run again, if a page can do that. */
  retry: string | undefined;
}

/** The whole text, for pasting into a report. */
const textId = "text";

/** The page. */
export function errorPage(page: ErrorPage, links: Links): string {
  const title = cut(page.label, 90) || `Task ${page.taskNumber}`;
  const isCancelled = page.outcome.kind === "cancelled";
  const sections = errorParts(page).map(({ heading, text, kind }, index) =>
    sectionHtml(`part-${index}`, heading, partHtml(page, { text, kind })),
  );
  return stillFrame({
    title: `${title} · task ${page.taskNumber}`,
    facts: {},
    skip: { to: "part-0", words: "what happened" },
    header: html`<p class="brand">${placeText(page)}</p>${stepsHtml(page, links)}
<h1>${title}</h1><p class="under"><span class="pill ${isCancelled ? "off" : "bad"}">${cut(outcomeText(page.outcome), 200)}</span>${timeHtml(page.endedAt, timeText(page.endedAt))}</p>`,
    main: html`<p class="take">${copyOfHtml(textId, { what: "all of it", words: "Copy as text" })}</p><pre id="${textId}" hidden>${errorText(page)}</pre>${sections}`,
    footer: nothing,
  }).toString();
}

function partHtml(
  page: ErrorPage,
  { text, kind }: Pick<ReturnType<typeof errorParts>[number], "text" | "kind">,
): Html {
  switch (kind) {
    case "text":
      return html`<pre class="plain" dir="auto">${text}</pre>`;
    case "prose":
      return html`<p>${proseHtml(text)}</p>`;
    case "prompt":
      return askedHtml(text, text.length);
    case "facts":
      return factsHtml(
        errorFacts(page).map(({ name, value, isCode }) => [name, isCode ? codeHtml(name, value) : value]),
        "long",
      );
  }
}

// Commands are there to be typed.
function codeHtml(name: string, value: string): Html {
  const isCommand = name === "Continue in a terminal" || name === "See the batch";
  return html`<code>${value}</code>${isCommand ? html` ${copyHtml(value, { what: "the command" })}` : nothing}`;
}

function stepsHtml({ taskNumber, totalTasks }: ErrorPage, { report, hrefOf, session, retry }: Links): Html {
  const links = [
    taskNumber > 1
      ? html`<a href="${hrefOf(taskNumber - 1)}" rel="prev">← Task ${taskNumber - 1}</a>`
      : nothing,
    html`<a href="${report}#${rowId(taskNumber)}">All tasks of the batch</a>`,
    taskNumber < totalTasks
      ? html`<a href="${hrefOf(taskNumber + 1)}" rel="next">Task ${taskNumber + 1} →</a>`
      : nothing,
    session === undefined ? nothing : html`<a href="${session}">What the session did</a>`,
    retry === undefined ? nothing : html`<a href="${retry}">Retry…</a>`,
  ];
  return html`<nav class="steps" aria-label="Neighbours">${joined(
    links.filter((link) => !link.isEmpty),
    " ",
  )}</nav>`;
}
