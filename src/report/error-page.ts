// The page of an unsuccessful task, as `ui` serves it: what its text file says.
import { cut } from "../model/cut.ts";
import { timeText } from "./amounts.ts";
import { type ErrorPage, errorParts } from "./error-text.ts";
import { stillFrame } from "./frame.ts";
import { type Html, html, joined, nothing, proseHtml, sectionHtml, timeHtml } from "./html.ts";
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
}

/** The page. */
export function errorPage(page: ErrorPage, links: Links): string {
  const title = cut(page.label, 90) || `Task ${page.taskNumber}`;
  const isCancelled = page.outcome.kind === "cancelled";
  const sections = errorParts(page).map(({ heading, text, isProse }, index) =>
    sectionHtml(
      `part-${index}`,
      heading,
      isProse ? html`<p>${proseHtml(text)}</p>` : html`<pre class="plain" dir="auto">${text}</pre>`,
    ),
  );
  return stillFrame({
    title: `${title} · task ${page.taskNumber}`,
    facts: {},
    skip: { to: "part-0", words: "what happened" },
    header: html`<p class="brand">${placeText(page)}</p>${stepsHtml(page, links)}
<h1>${title}</h1><p class="under"><span class="pill ${isCancelled ? "off" : "bad"}">${cut(outcomeText(page.outcome), 200)}</span>${timeHtml(page.endedAt, timeText(page.endedAt))}</p>`,
    main: html`${sections}`,
    footer: nothing,
  }).toString();
}

function stepsHtml({ taskNumber, totalTasks }: ErrorPage, { report, hrefOf, session }: Links): Html {
  const links = [
    taskNumber > 1
      ? html`<a href="${hrefOf(taskNumber - 1)}" rel="prev">← Task ${taskNumber - 1}</a>`
      : nothing,
    html`<a href="${report}#${rowId(taskNumber)}">All tasks of the batch</a>`,
    taskNumber < totalTasks
      ? html`<a href="${hrefOf(taskNumber + 1)}" rel="next">Task ${taskNumber + 1} →</a>`
      : nothing,
    session === undefined ? nothing : html`<a href="${session}">What the session did</a>`,
  ];
  return html`<nav class="steps" aria-label="Neighbours">${joined(
    links.filter((link) => !link.isEmpty),
    " ",
  )}</nav>`;
}
