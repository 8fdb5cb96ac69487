// The tasks that need attention, grouped by cause: 300 tasks that fail for one reason need one piece of advice.
import type { BatchState, DoneTask } from "../model/state.ts";
import { retryTheseHtml } from "./acts.ts";
import { capital, countText } from "./amounts.ts";
import { causeAdvice, causeRemarks, causeRemedy } from "./cause-text.ts";
import { type Cause, causeKeyOf, causesAmong } from "./causes.ts";
import { copyHtml } from "./copy-html.ts";
import { type Html, html, nothing, proseHtml } from "./html.ts";
import { doorOf } from "./option-words.ts";
import { outcomeText } from "./outcome-text.ts";
import { labelHtml, statusWord } from "./row.ts";
import { rowId } from "./wire/marks.ts";

/** A task that failed or was denied a tool, with its row. */
export interface Attention {
  task: DoneTask;
  /** The same for tasks with the same cause. */
  key: string;
  row: Html;
}

/** Most rows under one piece of advice, and most pieces of advice; the table of all tasks has the rest. */
const mostRows = 4;
const mostGroups = 30;

/** What to say about an ended task; undefined for a plain success, and for a cancelled one. */
export function attentionFor(
  state: BatchState,
  task: DoneTask,
  facts: { label: string; href: string | undefined },
): Attention | undefined {
  const key = causeKeyOf(state, task);
  if (key === undefined) return undefined;
  const denials = task.usage?.denials ?? [];
  const happened = task.outcome.kind === "succeeded" ? oddSuccess(denials.length) : outcomeText(task.outcome);
  const { className } = statusWord(task);
  const row = html`<tr id="a${task.number}" class="${className}"><td class="n">${task.number}</td><td class="p">${labelHtml(facts.label, facts.href ?? `#${rowId(task.number)}`)}</td><td class="s t">${happened}</td></tr>\n`;
  return { task, key, row };
}

function oddSuccess(denied: number): string {
  if (denied === 0) return "Succeeded, with a remark";
  return `Succeeded, but ${countText(denied, "tool call")} ${denied === 1 ? "was" : "were"} denied`;
}

/**
 * The table of them, a group for each cause, the largest first. Empty if there are none. With `acts`, each group has a button
 * that reruns its tasks.
 */
export function attentionTable(
  state: BatchState,
  attentions: readonly Attention[],
  { acts = false } = {},
): Html {
  if (attentions.length === 0) return nothing;
  const rows = new Map(attentions.map(({ task, row }) => [task.number, row]));
  const causes = causesAmong(attentions);
  const bodies = causes.slice(0, mostGroups).map((cause) => causeHtml(state, cause, { rowOf: rows, acts }));
  const rest = causes.slice(mostGroups).reduce((sum, { tasks }) => sum + tasks.length, 0);
  const more = rest > 0 ? html`<p>${countText(rest, "more task")} in the table of all tasks.</p>` : nothing;
  const head = html`<thead><tr><th scope="col" class="n">Task</th><th scope="col">Prompt</th><th scope="col">What happened</th></tr></thead>`;
  return html`<table class="tasks look" aria-labelledby="attention">${head}${bodies}</table>${more}`;
}

function causeHtml(
  state: BatchState,
  cause: Cause,
  { rowOf, acts }: { rowOf: ReadonlyMap<number, Html>; acts: boolean },
): Html {
  const { tasks } = cause;
  const door = doorOf(state.batch.startedBy);
  const advice = [causeAdvice(state, cause, door), ...causeRemarks(cause, door)].filter(Boolean).join(" ");
  const rows = tasks.slice(0, mostRows).map(({ number }) => rowOf.get(number) ?? nothing);
  const rest = tasks.length - mostRows;
  const more =
    rest > 0
      ? html`<tr><td colspan="3" class="p">and <a href="#tasks">${countText(rest, "more task")}</a></td></tr>`
      : nothing;
  const size = tasks.length > 1 ? html` (${countText(tasks.length, "task")})` : nothing;
  const { retry, changes, lacks } = causeRemedy(state, cause, door);
  const command =
    retry !== undefined && lacks === "nothing"
      ? html` ${copyHtml(retry, { words: door === "tools" ? "Copy call" : "Copy command" })}`
      : nothing;
  const act = acts ? retryTheseHtml(state, cause, changes) : nothing;
  return html`<tbody><tr class="group"><th colspan="3" scope="rowgroup"><b>${capital(statusWord(tasks[0]).word)}</b>${size}<br>${proseHtml(advice)}${act.isEmpty ? command : html` ${act}`}</th></tr>\n${rows}${more}</tbody>`;
}
