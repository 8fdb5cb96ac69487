// One task as a row of the live page, with the word and class for its status.
import { cut } from "../model/cut.ts";
import { type DoneTask, machineOf, type TaskState } from "../model/state.ts";
import { costText, durationText, elapsedText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { type Html, html, nothing } from "./html.ts";
import { outcomeWords } from "./outcome-words.ts";
import type { StatusClass } from "./wire/columns.ts";
import { data, rowId, sessionClass } from "./wire/marks.ts";

/** A word for people, and a class for its colour and sign. */
export interface StatusWord {
  className: StatusClass;
  word: string;
}

/** The status of a task, in a few words. */
export function statusWord(task: TaskState): StatusWord {
  if (task.status === "queued")
    return { className: "wait", word: task.notBefore === undefined ? "queued" : "waits for a retry" };
  if (task.status === "running") return { className: "run", word: task.cancelling ? "ending" : "running" };
  return { className: doneClass(task), word: outcomeWords(task) };
}

function doneClass({ outcome: { kind }, usage }: DoneTask): StatusWord["className"] {
  if (kind === "cancelled") return "off";
  if (kind !== "succeeded") return "bad";
  return usage?.denials?.length ? "warn" : "ok";
}

/** What a row shows besides the task. */
export interface RowFacts {
  label: string;
  href: string | undefined;
  /** The address of the page of its sessions. */
  session?: string | undefined;
  /** The bars of its sessions, for the page's script. */
  bars: string;
}

/** The row in the table of all tasks: number, label, status, duration, cost; attributes contain the sort keys. */
export function taskRow(task: TaskState, { label, href, session, bars }: RowFacts): Html {
  const { className, word } = statusWord(task);
  const done = task.status === "done" ? task : undefined;
  const lasted = done?.startedAt === undefined ? undefined : Math.max(0, done.endedAt - done.startedAt);
  const sorted = [
    bars === "" ? nothing : html` data-${data.bars}="${bars}"`,
    lasted === undefined ? nothing : html` data-${data.lasted}="${lasted}"`,
    done?.usage ? html` data-${data.cost}="${done.usage.costUsd}"` : nothing,
  ];
  const duration = lasted === undefined ? "" : durationText(lasted);
  const cost = done ? doneCost(done) : "";
  const machine = done && machineOf(done);
  const where = machine === undefined ? "" : ` on ${oneLine(machine, 40)}`;
  return html`<tr id="${rowId(task.number)}" class="${className}"${sorted}><td class="n">${task.number}</td><td class="p">${labelHtml(label, href)}${sessionLink(task.number, session)}</td><td class="s">${word}${where}</td><td class="n">${duration}</td><td class="n">${cost}</td></tr>\n`;
}

/** What a row of a running session shows besides the task. */
interface RunningFacts extends Pick<RowFacts, "label" | "session"> {
  activity: string | undefined;
  /** A button that does something to it. */
  act: Html | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/** The row in the table of running sessions: number, label, activity, time so far. */
export function runningRow(
  task: Extract<TaskState, { status: "running" }>,
  { label, session, activity, act, now }: RunningFacts,
): Html {
  const doing = task.cancelling ? "Is being ended" : (activity ?? "Works");
  return html`<tr id="r${task.number}" class="run"><td class="n">${task.number}</td><td class="p">${labelHtml(label, `#${rowId(task.number)}`)}${sessionLink(task.number, session)}</td><td>${oneLine(doing, 160)}</td><td class="n">${elapsedText(now - task.startedAt)}</td>${act && html`<td>${act}</td>`}</tr>\n`;
}

/** The label of a task, as a link if there is a file. */
export function labelHtml(label: string, href: string | undefined): Html {
  const excerpt = cut(label, 110) || "(no words)";
  return href === undefined ? html`${excerpt}` : html`<a href="${href}">${excerpt}</a>`;
}

// Behind the label, because the first link of a row leads to the task's own file.
function sessionLink(task: number, session: string | undefined): Html {
  return session === undefined
    ? nothing
    : html` <a class="${sessionClass}" href="${session}" aria-label="Session of task ${task}">session</a>`;
}

function doneCost({ usage }: DoneTask): string {
  if (!usage) return "";
  return `${usage.atLeast ? "≥ " : ""}${costText(usage.costUsd)}`;
}
