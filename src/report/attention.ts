// The tasks that need attention, grouped by what to do: 300 tasks that fail for one reason need one piece of advice.
import type { BatchState, DoneTask } from "../model/state.ts";
import { adviceFor } from "./advice.ts";
import { adviceFactsOf } from "./advice-facts.ts";
import { countText } from "./amounts.ts";
import { remarksOf } from "./answer.ts";
import { type Html, html, nothing, proseHtml } from "./html.ts";
import { doorOf } from "./option-words.ts";
import { outcomeText } from "./outcome-text.ts";
import { labelHtml, statusWord } from "./row.ts";
import { rowId } from "./wire/marks.ts";

/** A task that failed or was denied a tool, with its row. */
export interface Attention {
  /** 1-based. */
  task: number;
  /** The same for tasks that need the same advice. */
  key: string;
  /** What to do about all tasks of these numbers. */
  advice(tasks: readonly number[]): string;
  row: Html;
}

/** Most rows under one piece of advice, and most pieces of advice; the table of all tasks has the rest. */
const mostRows = 4;
/** Most tasks that one command names; repeat it for the others. */
const mostNumbers = 200;
const mostGroups = 30;

/** What to say about an ended task; undefined for a plain success, and for a cancelled one. */
export function attentionFor(
  state: BatchState,
  task: DoneTask,
  facts: { label: string; href: string | undefined },
): Attention | undefined {
  const denials = task.usage?.denials ?? [];
  if (task.outcome.kind === "cancelled") return undefined;
  const door = doorOf(state.batch.startedBy);
  const remarks = remarksOf(task, door);
  if (task.outcome.kind === "succeeded" && denials.length + remarks.length === 0) return undefined;
  // Without the session id, which would make equal advice different.
  const { sessionId: _, ...known } = adviceFactsOf(state, task, door);
  const advice = (tasks: readonly number[]) => {
    const words = adviceFor(task.outcome, { ...known, tasks: tasks.slice(0, mostNumbers) });
    return [...(words === undefined ? [] : [words]), ...remarks].join(" ");
  };
  const happened = task.outcome.kind === "succeeded" ? oddSuccess(denials.length) : outcomeText(task.outcome);
  const { className } = statusWord(task);
  const row = html`<tr id="a${task.number}" class="${className}"><td class="n">${task.number}</td><td class="p">${labelHtml(facts.label, facts.href ?? `#${rowId(task.number)}`)}</td><td class="s t">${happened}</td></tr>\n`;
  return { task: task.number, key: advice([]), advice, row };
}

function oddSuccess(denied: number): string {
  if (denied === 0) return "Succeeded, with a remark";
  return `Succeeded, but ${countText(denied, "tool call")} ${denied === 1 ? "was" : "were"} denied`;
}

/** The table of them, a group for each piece of advice, the largest first. Empty if there are none. */
export function attentionTable(attentions: readonly Attention[]): Html {
  if (attentions.length === 0) return nothing;
  const groups = [...Map.groupBy(attentions, ({ key }) => key)].sort(([, a], [, b]) => b.length - a.length);
  const bodies = groups.slice(0, mostGroups).map(([, members]) => groupHtml(members));
  const rest = groups.slice(mostGroups).reduce((sum, [, members]) => sum + members.length, 0);
  const more = rest > 0 ? html`<p>${countText(rest, "more task")} in the table of all tasks.</p>` : nothing;
  const head = html`<thead><tr><th scope="col" class="n">Task</th><th scope="col">Prompt</th><th scope="col">What happened</th></tr></thead>`;
  return html`<table class="tasks look" aria-labelledby="attention">${head}${bodies}</table>${more}`;
}

function groupHtml(members: Attention[]): Html {
  const advice = members[0]?.advice(members.map(({ task }) => task)) ?? "";
  const rows = members.slice(0, mostRows).map(({ row }) => row);
  const rest = members.length - mostRows;
  const more =
    rest > 0
      ? html`<tr><td colspan="3" class="p">and <a href="#tasks">${countText(rest, "more task")}</a></td></tr>`
      : nothing;
  const size = members.length > 1 ? html` <b>(${countText(members.length, "task")})</b>` : nothing;
  return html`<tbody><tr class="group"><th colspan="3" scope="rowgroup">${proseHtml(advice)}${size}</th></tr>\n${rows}${more}</tbody>`;
}
