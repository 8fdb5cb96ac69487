// The live page of a batch: what it shows is a function of the batch's state, and is written again as that changes.
import { type BatchState, doneCount, type TaskState } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { countText, numberText, timeText } from "./amounts.ts";
import { type Attention, attentionFor, attentionTable } from "./attention.ts";
import { cut } from "./harmless.ts";
import { escapeHtml, pageFrame, sectionHtml, timeHtml } from "./html.ts";
import { batchTitle, headerHtml, progressHtml, statePill } from "./progress-panel.ts";
import { runningRow, taskRow } from "./row.ts";

/** All that the page of a batch shows. */
export interface PageView {
  state: BatchState;
  /** Milliseconds since 1970. */
  now: number;
  stateWord: StateWord;
  /** Where the file of a task is, seen from the page; nothing while there is none. */
  hrefOf(taskNumber: number): string | undefined;
  /** What a running task does, in a few words. */
  activityOf(taskNumber: number): string | undefined;
  /** The other batches of the same directory. */
  others: readonly OtherBatch[];
}

/** Another batch, as the page links to it. */
export interface OtherBatch {
  batchId: string;
  name?: string | undefined;
  href: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  stateWord: StateWord;
}

/** Seconds between two loads of the page while the batch runs. */
const refreshSeconds = 2;
const mostRunning = 200;
const mostOthers = 50;
const mostFileFailures = 20;

/**
 * A renderer for one batch. It keeps the rows of tasks by the identity of their state, which every change replaces,
 * so that writing the page of 2,000 tasks again takes a few milliseconds.
 */
export function livePage(): (view: PageView) => string {
  const rowsOf = keptRows();
  return (view) => {
    const { state, now, stateWord } = view;
    const { rows, attentions } = rowsOf(view);
    const done = `${numberText(doneCount(state.counts))}/${numberText(state.tasks.length)}`;
    return pageFrame({
      title: `${done} ${stateWord} · ${batchTitle(state)}`,
      ...(stateWord === "running" ? { refreshSeconds } : {}),
      header: headerHtml(state, stateWord),
      main: [
        progressHtml(state, now, stateWord),
        sectionHtml(
          "attention",
          "Needs attention",
          attentionTable(attentions),
          countText(attentions.length, "task"),
        ),
        sectionHtml("running", "Running now", runningHtml(view), countText(state.counts.running, "session")),
        sectionHtml(
          "tasks",
          "All tasks",
          tableHtml("tasks", taskColumns, rows.join("")),
          numberText(rows.length),
        ),
        sectionHtml("files", "Files that could not be written", fileFailuresHtml(state)),
        sectionHtml("others", "Other batches in this directory", othersHtml(view.others)),
      ].join(""),
      footer: footerHtml(state, stateWord),
    });
  };
}

interface KeptRow {
  href: string | undefined;
  row: string;
  attention: Attention | undefined;
}

function keptRows(): (view: PageView) => { rows: string[]; attentions: Attention[] } {
  const kept = new WeakMap<TaskState, KeptRow>();
  return ({ state, hrefOf }) => {
    const attentions: Attention[] = [];
    const rows = state.tasks.map((task) => {
      const href = hrefOf(task.number);
      let entry = kept.get(task);
      // A running task is marked as being ended in place; a file may appear after its task has ended.
      if (!entry || entry.href !== href || task.status === "running") {
        entry = newRow(state, task, href);
        kept.set(task, entry);
      }
      if (entry.attention) attentions.push(entry.attention);
      return entry.row;
    });
    return { rows, attentions };
  };
}

function newRow(state: BatchState, task: TaskState, href: string | undefined): KeptRow {
  const prompt = promptOf(state, task.number);
  const { batchId } = state.batch;
  const attention = task.status === "done" ? attentionFor(task, { batchId, prompt, href }) : undefined;
  return { href, row: taskRow(task, prompt, href), attention };
}

function promptOf(state: BatchState, taskNumber: number): string {
  return state.batch.tasks[taskNumber - 1]?.prompt ?? "";
}

const taskColumns = ["Task", "Prompt", "Status", "Duration", "Cost"];
const runningColumns = ["Task", "Prompt", "Doing", "For"];
const numeric = new Set(["Task", "Duration", "Cost", "For"]);

function tableHtml(id: string, columns: string[], rows: string): string {
  const head = columns.map((name) => `<th scope="col"${numeric.has(name) ? ' class="n"' : ""}>${name}</th>`);
  return `<table class="tasks" aria-labelledby="${id}"><thead><tr>${head.join("")}</tr></thead><tbody>\n${rows}</tbody></table>`;
}

function runningHtml({ state, now, activityOf }: PageView): string {
  const rows: string[] = [];
  for (const task of state.tasks) {
    if (task.status !== "running" || rows.length >= mostRunning) continue;
    rows.push(runningRow(task, promptOf(state, task.number), activityOf(task.number), now));
  }
  if (rows.length === 0) return "";
  const rest = state.counts.running - rows.length;
  const more = rest > 0 ? `<p>${countText(rest, "more session")} in the table of all tasks.</p>` : "";
  return tableHtml("running", runningColumns, rows.join("")) + more;
}

function fileFailuresHtml({ fileFailures }: BatchState): string {
  if (fileFailures.size === 0) return "";
  const items = [...fileFailures]
    .slice(0, mostFileFailures)
    .map(([path, message]) => `<li><code>${escapeHtml(path)}</code>: ${escapeHtml(cut(message, 300))}</li>`);
  const rest = fileFailures.size - items.length;
  const more = rest > 0 ? `<p>And ${countText(rest, "more file")}.</p>` : "";
  return `<p>The results themselves are safe in the transcripts.</p><ul>${items.join("")}</ul>${more}`;
}

function othersHtml(others: readonly OtherBatch[]): string {
  if (others.length === 0) return "";
  const items = others.slice(0, mostOthers).map(({ batchId, name, href, createdAt, stateWord }) => {
    const title = name === undefined ? `Batch ${batchId}` : `${name} (${batchId})`;
    return `<li><a href="${escapeHtml(href)}">${escapeHtml(title)}</a> ${statePill(stateWord)} ${timeHtml(createdAt, timeText(createdAt))}</li>`;
  });
  const rest = others.length - items.length;
  const more = rest > 0 ? `<p>And ${countText(rest, "older one")}.</p>` : "";
  return `<nav aria-labelledby="others"><ul class="links">${items.join("")}</ul></nav>${more}`;
}

function footerHtml(state: BatchState, stateWord: StateWord): string {
  const renewed =
    stateWord === "running" ? `<p>This page loads itself again every ${refreshSeconds} seconds.</p>` : "";
  return `${renewed}<p>Files of the batch: <code>${escapeHtml(state.outputDirectory)}</code><br>In a terminal: <code>parallel-claude-code-mcp show ${escapeHtml(state.batch.batchId)}</code></p>`;
}
