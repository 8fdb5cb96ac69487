// The live page of a batch, a function of the batch's state. Written whole, and as a companion that an open page polls: a
// page may not fetch from the file system, but may load a script beside it.
import { endOfState } from "../model/batch-end.ts";
import { product } from "../model/product.ts";
import { type BatchState, completedCount, type TaskState } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { type WaitReason, waitingForPrefix, waitKind } from "../model/wait-reason.ts";
import { actsHtml, awayHtml, dialogsHtml, taskActHtml } from "./acts.ts";
import { countText, numberText } from "./amounts.ts";
import { attentionTable } from "./attention.ts";
import { endFactsOf, endLabel, endSentences, endText } from "./batch-end.ts";
import { batchFactsHtml } from "./batch-facts.ts";
import { dataPart } from "./data-part.ts";
import { pageTag } from "./file-tag.ts";
import { liveFrame, servedFrame } from "./frame.ts";
import { type Html, html, longList, nothing, proseHtml, sectionHtml } from "./html.ts";
import { type Kept, keptRows } from "./kept-rows.ts";
import { labelOf } from "./label.ts";
import { markdownHtml } from "./markdown.ts";
import { doorOf } from "./option-words.ts";
import { fileFailuresHtml, footerHtml, type OtherBatch, othersHtml } from "./page-ends.ts";
import { batchTitle, countsWords, headerHtml, heldNote, progressHtml } from "./progress-panel.ts";
import { runningRow } from "./row.ts";
import { searchedCharacters } from "./search-texts.ts";
import { tableHead, toolsHtml } from "./table-tools.ts";
import { timelineHtml } from "./timeline.ts";
import { columns, fullBodyClass, rowsPerBody } from "./wire/columns.ts";
import { callOf, type LiveUpdate } from "./wire/feed.ts";
import { ids, type PartName, partId, type ServedFacts } from "./wire/marks.ts";

/** Everything that the page of a batch shows. */
export interface PageView {
  state: BatchState;
  /** Milliseconds since 1970. */
  now: number;
  stateWord: StateWord;
  held?: WaitReason | undefined;
  /** The path of a task's file, relative to the page; undefined while there is none. */
  hrefOf(taskNumber: number): string | undefined;
  /** The address of the page of a task's sessions; undefined while there is none. */
  sessionOf?(taskNumber: number): string | undefined;
  /** The summary of the batch, or its beginning, with the task that wrote it. */
  summary?: { task: number; text: string; cut: boolean } | undefined;
  /** What a running task is doing, in a few words. */
  activityOf(taskNumber: number): string | undefined;
  /** The other batches of the same directory. */
  others: readonly OtherBatch[];
  /** The path of the table of answers, relative to the page; it is written when the batch has ended, if they are data. */
  dataHref: string;
  /** The path of the companion, relative to the page. */
  feedHref: string;
  /** The texts that it searches: their path, relative to the page, and how often they have been written. */
  texts: { href: string; writings: number };
  /** If `ui` serves the page: what its script needs to follow, and to act. */
  served?: Pick<ServedFacts, "mark" | "key" | "program"> | undefined;
}

/** A page in its two forms. Both may have megabytes, so nothing makes one text of them. */
export interface LivePage {
  /** The page itself. */
  html(view: PageView): Html;
  /** What an open page shows, and announces. */
  contents(view: PageView): LiveUpdate<Html>;
  /** Its companion in pieces: a script that gives an open page its current contents. */
  update(view: PageView): Iterable<string>;
}

const refreshSeconds = 5;
const mostRunning = 200;

/**
 * A renderer for one batch. Caches the rows of tasks by the identity of their state, which every change replaces, so
 * writing 2,000 tasks again takes a few milliseconds.
 */
export function livePage(): LivePage {
  const rowsOf = keptRows();
  const dataOf = dataPart();
  const contents = (view: PageView): LiveUpdate<Html> => {
    const { state, stateWord, held, texts } = view;
    const kept = rowsOf(view);
    return {
      batch: state.batch.batchId,
      running: stateWord === "running",
      title: titleOf(view),
      held: heldNote(held),
      hold: held ? waitKind(held) : "",
      failed: state.counts.failed,
      words: `${spoken(state, stateWord)} ${countsWords(state.counts)}.`,
      parts: partsOf(view, kept, dataOf),
      texts: texts.writings,
      rows: kept.rows,
    };
  };
  return {
    contents,
    html: (view) => {
      const { state, stateWord, feedHref, texts, served } = view;
      const kept = rowsOf(view);
      const parts = partsOf(view, kept, dataOf);
      const place = (name: PartName) => html`<div id="${partId(name)}">${parts[name]}</div>\n`;
      const page = {
        title: titleOf(view),
        tag: pageTag(state.batch.batchId),
        ...(stateWord === "running" ? { refreshSeconds } : {}),
        skip: { to: "tasks", words: "the table of all tasks" },
        header: html`${served ? allBatches : nothing}${place("header")}`,
        main: html`${[
          served ? html`${awayHtml()}${actsHtml(state, stateWord)}${place("dialogs")}` : silence(state),
          sectionHtml("warnings", "Warnings", warningsHtml(state)),
          place("progress"),
          place("summary"),
          place("timeline"),
          place("attention"),
          place("running"),
        ]}${sectionHtml("tasks", "All tasks", tasksHtml(kept.rows), numberText(kept.rows.length))}${[
          place("data"),
          place("about"),
          place("files"),
          place("others"),
          html`<p id="${ids.said}" class="unseen" role="status"></p>`,
        ]}`,
        footer: place("footer"),
      };
      const facts = {
        batch: state.batch.batchId,
        feed: feedHref,
        running: stateWord === "running" ? ("yes" as const) : ("no" as const),
        texts: texts.href,
        searched: numberText(searchedCharacters(state.tasks.length)),
      };
      return served
        ? servedFrame({ ...page, facts: { ...facts, ...served } })
        : liveFrame({ ...page, facts });
    },
    update: function* (view) {
      const { rows, ...news } = contents(view);
      const call = callOf("liveUpdate", JSON.stringify({ ...news, rows: [] }));
      const [before = "", after = ""] = call.split('"rows":[]', 2);
      yield `${before}"rows":[`;
      for (const [index, row] of rows.entries()) yield `${index === 0 ? "" : ","}${JSON.stringify(row)}`;
      yield `]${after}`;
    },
  };
}

const allBatches = html`<nav class="steps" aria-label="Pages"><a href="/">All batches</a></nav>\n`;

function titleOf({ state, stateWord }: PageView): string {
  const done = `${numberText(completedCount(state.counts))}/${numberText(state.tasks.length)}`;
  const end = endOfState(state, stateWord);
  return `${done} ${end ? endLabel({ end, counts: state.counts }) : stateWord} · ${batchTitle(state)}`;
}

// Everything on the page that changes, except the rows of the table.
function partsOf(
  view: PageView,
  { attentions, lanes, tokens }: Kept,
  dataOf: ReturnType<typeof dataPart>,
): Record<PartName, Html> {
  const { state, now, stateWord, held, hrefOf, others, dataHref } = view;
  const until = state.endedAt ?? (stateWord === "running" ? now : state.changedAt);
  return {
    header: headerHtml(state, stateWord),
    dialogs: view.served ? dialogsHtml(state) : nothing,
    summary: sectionHtml("summary", "Summary", summaryHtml(view)),
    progress: progressHtml(state, { now, stateWord, held, tokens }),
    attention: sectionHtml(
      "attention",
      "Needs attention",
      html`${stopHtml(state, stateWord)}${attentionTable(state, attentions, { acts: view.served !== undefined })}`,
      attentions.length === 0 ? "" : countText(attentions.length, "task"),
    ),
    timeline: sectionHtml("timeline", "Timeline", timelineHtml({ state, lanes, until, hrefOf })),
    running: sectionHtml(
      "running",
      "Running now",
      runningHtml(view),
      countText(state.counts.running, "session"),
    ),
    data: sectionHtml(
      "data",
      "Answers side by side",
      dataOf(state, { hrefOf, tableHref: stateWord === "running" ? undefined : dataHref }),
    ),
    about: sectionHtml("about", "How it was started", batchFactsHtml(state)),
    files: sectionHtml("files", "Files that could not be written", fileFailuresHtml(state)),
    others: sectionHtml("others", "Other batches in this directory", othersHtml(others)),
    footer: footerHtml(state, stateWord, { now, isServed: view.served !== undefined }),
  };
}

// The answer of the task that wrote it has the rest, and its costs.
function summaryHtml({ summary, hrefOf }: PageView): Html {
  if (!summary) return nothing;
  const href = hrefOf(summary.task);
  const words = summary.cut ? "The whole summary" : `Task ${summary.task}`;
  const link = href === undefined ? nothing : html`<p><a href="${href}">${words}</a></p>`;
  return html`<div class="answer" dir="auto">${markdownHtml(summary.text)}</div>${link}`;
}

// What to do about a batch that did not finish.
function stopHtml(state: BatchState, stateWord: StateWord): Html {
  const end = endOfState(state, stateWord);
  if (end?.kind !== "stopped" && end?.kind !== "paused" && end?.kind !== "interrupted") return nothing;
  const said = endSentences(endFactsOf(state, end), doorOf(state.batch.startedBy));
  return html`<p class="note">${proseHtml(said)}</p>`;
}

function spoken(state: BatchState, stateWord: StateWord): string {
  const end = endOfState(state, stateWord);
  return end ? endText(endFactsOf(state, end)) : "The batch is running:";
}

function tasksHtml(rows: readonly Html[]): Html {
  const head = tableHead(columns.map(({ heading }) => heading));
  return html`${toolsHtml()}<table class="tasks" id="${ids.table}" aria-labelledby="tasks">${head}${longList(bodiesHtml(rows))}</table><p id="${ids.nothing}" hidden>No task matches.</p>`;
}

function bodiesHtml(rows: readonly Html[]): Html[] {
  return Array.from({ length: Math.ceil(rows.length / rowsPerBody) }, (_, body) => {
    const own = rows.slice(body * rowsPerBody, (body + 1) * rowsPerBody);
    const full = own.length === rowsPerBody ? html` class="${fullBodyClass}"` : nothing;
    return html`<tbody${full}>\n${longList(own)}</tbody>`;
  });
}

function runningHtml({ state, now, activityOf, sessionOf, served }: PageView): Html {
  const running = state.tasks.filter((task): task is Running => task.status === "running");
  if (running.length === 0) return nothing;
  const rows = running.slice(0, mostRunning).map((task) => {
    const { number } = task;
    return runningRow(task, {
      label: labelOf(state, number),
      activity: activityOf(number),
      session: sessionOf?.(number),
      act: served && taskActHtml("cancel", number, state.batch),
      now,
    });
  });
  const rest = running.length - rows.length;
  const more =
    rest > 0 ? html`<p>${countText(rest, "more session")} in the table of all tasks.</p>` : nothing;
  const ready = waitingForPrefix(state, activityOf).length;
  const waiting =
    ready > 0
      ? html`<p>${countText(ready, "more session is", "more sessions are")} ready, to be asked when Claude begins to answer the first one, whose cached prompt can then be shared.</p>`
      : nothing;
  const head = tableHead(["Task", "Prompt", "Doing", "For", ...(served ? ["Action"] : [])]);
  return html`<table class="tasks" aria-labelledby="running">${head}<tbody>\n${rows}</tbody></table>${more}${waiting}`;
}

type Running = Extract<TaskState, { status: "running" }>;

function warningsHtml({ batch: { warnings = [] } }: BatchState): Html {
  if (warnings.length === 0) return nothing;
  return html`${warnings.map((warning) => html`<p class="note">${proseHtml(warning)}</p>`)}`;
}

// Shown by the page's script after a long time without an update.
function silence({ batch }: BatchState): Html {
  return html`<p id="${ids.silence}" class="card note" hidden>Nothing has been heard of this batch for a while: the process that runs it may have ended. <code>${product.name} show ${batch.batchId}</code> shows its state.</p>`;
}
