// What somebody can do to a batch from its page, where `ui` serves it: buttons, and dialogs that ask for details.

import type { Batch } from "../model/event.ts";
import { rangeWords } from "../model/number-ranges.ts";
import type { RetryOptions } from "../model/options.ts";
import { product } from "../model/product.ts";
import { type BatchState, canRetry } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { countText } from "./amounts.ts";
import { taskWordOf, taskWordsOf } from "./cause-text.ts";
import type { Cause } from "./causes.ts";
import { type Html, html, nothing } from "./html.ts";
import { type Act, acts, asks, dialogId, type FieldName, fields } from "./wire/acts.ts";
import { data, ids } from "./wire/marks.ts";

/** What can be done to it now. */
export function actsFor(state: BatchState, word: StateWord): Act[] {
  const can: Record<Act, boolean> = {
    pause: word === "running" && state.paused === undefined,
    "go-on": word === "paused" || (word === "running" && state.paused !== undefined),
    change: word === "running" || word === "paused",
    retry: word === "interrupted" || state.tasks.some(canRetry),
    cancel: word === "running" || word === "paused" || word === "interrupted",
  };
  return acts.filter((act) => can[act]);
}

const words: Record<Act, string> = {
  pause: "Pause",
  "go-on": "Continue",
  change: "Change…",
  retry: "Retry…",
  cancel: "Cancel…",
};

/** The buttons. They stay the same elements; the script shows those that fit. */
export function actsHtml(state: BatchState, word: StateWord): Html {
  const can = new Set(actsFor(state, word));
  const buttons = acts.map(
    (act) =>
      html`<button type="button" data-${data.act}="${act}"${can.has(act) ? nothing : html` hidden`}>${words[act]}</button> `,
  );
  return html`<div class="acts" role="group" aria-label="Actions">${buttons}</div>
<p id="${ids.acted}" role="status"></p>
`;
}

/** The dialogs, with what the batch has now. */
export function dialogsHtml(state: BatchState): Html {
  return html`${dialogHtml({
    act: "cancel",
    heading: "Cancel",
    says: "Queued tasks never start. Running sessions stop, with everything they started. Answers that are there stay.",
    inputs: [{ ...tasksField, hint: `empty for all ${countText(state.tasks.length, "task")}` }],
    does: "Cancel these tasks",
    leaves: "Do not cancel",
  })}${dialogHtml({
    act: "change",
    heading: "Change",
    says: "What is empty stays as it is. Sessions that run go on to their end.",
    inputs: [
      {
        name: "concurrency",
        hint: `now ${state.batch.concurrency}`,
        least: 1,
        step: 1,
      },
      { ...budgetField, hint: state.budgetUsd === undefined ? "none so far" : `now ${state.budgetUsd}` },
    ],
    does: "Change the batch",
    leaves: "Leave it",
  })}${dialogHtml({
    act: "retry",
    heading: "Retry",
    says: "Tasks that failed or were cancelled run again, and cost money again. What is empty stays as it was.",
    inputs: [
      { ...tasksField, hint: "empty for all failed or cancelled" },
      { name: "model", hint: "for example opus" },
      { name: "maxTurns", hint: "", least: 1, step: 1 },
      { name: "timeoutSeconds", hint: "", least: 1, step: 1 },
      { name: "maxBudgetUsd", hint: "", least: 0, step: "any" },
      { ...budgetField, hint: state.budgetUsd === undefined ? "none so far" : `now ${state.budgetUsd}` },
    ],
    does: "Run them again",
    leaves: "Leave them",
  })}`;
}

/** A button that does something to one task. */
export function taskActHtml(act: Act, number: number, batch: Batch): Html {
  return html`<button type="button" class="small" data-${data.act}="${act}" data-${data.tasks}="${taskWordOf(number, batch)}" aria-label="${words[act].replace("…", "")} task ${number}">${words[act]}</button>`;
}

/**
 * A button that reruns the tasks of a cause, with what helps in the fields of the dialog. Empty if that is an option which no
 * page may give, such as a tool.
 */
export function retryTheseHtml({ batch }: BatchState, cause: Cause, changes: RetryOptions): Html {
  const given = Object.entries(changes);
  if (given.some(([name]) => !isRetryField(name))) return nothing;
  const named = taskWordsOf(cause, batch);
  const these = named.flatMap((word) => (typeof word === "number" ? [] : [word]));
  const numbers = rangeWords(named.filter((word) => typeof word === "number"));
  const label = `Retry ${cause.tasks.length === 1 ? `task ${cause.tasks[0].number}` : `these ${countText(cause.tasks.length, "task")}`}`;
  const filled = given.length === 0 ? nothing : html` data-${data.fields}="${JSON.stringify(changes)}"`;
  return html`<button type="button" class="small" data-${data.act}="retry" data-${data.tasks}="${[...these, ...numbers].join(" ")}"${filled} aria-label="${label}">${words.retry}</button>`;
}

/**
 * The address of the page of a batch that asks, as soon as it is open, how to retry a task, with what helps in the fields.
 * Undefined if that is an option which no page may give.
 */
export function retryAddress(
  page: string,
  { number, batch, changes }: { number: number; batch: Batch; changes: RetryOptions },
): string | undefined {
  const given = Object.entries(changes);
  if (given.some(([name]) => !isRetryField(name))) return undefined;
  const words = [["tasks", taskWordOf(number, batch)], ...given].map(([name, value]) => [
    `${asks.retry}${name}`,
    String(value),
  ]);
  return `${page}#${new URLSearchParams(Object.fromEntries(words))}`;
}

function isRetryField(name: string): boolean {
  return fields.retry.some((field) => field === name);
}

/** Shown by the script when nobody answers. */
export function awayHtml(): Html {
  return html`<p id="${ids.away}" class="card note" role="status" hidden>The program that serves this page does not answer, so what you see may be old. Batches go on without it. <code>${product.name} ui</code> starts it again, and this page follows it.</p>`;
}

/** What a dialog calls its fields, and what is wrong with what was typed there. */
export const fieldLabels: Record<FieldName, string> = {
  tasks: "Tasks, by number or key",
  concurrency: "Sessions at once",
  model: "Model",
  maxTurns: "Turns of a session at most",
  timeoutSeconds: "Time limit of a session (seconds)",
  maxBudgetUsd: "Budget of a session (USD)",
  batchBudgetUsd: "Budget of the batch (USD)",
};

interface Field {
  name: FieldName;
  /** Behind its label. */
  more?: string;
  hint: string;
  /** Of a number. */
  least?: number;
  step?: number | "any";
}

const tasksField = { name: "tasks", more: ", such as 3 5-8" } as const;
const budgetField = {
  name: "batchBudgetUsd",
  more: ", with what is spent",
  least: 0,
  step: "any",
} as const;

interface Dialog {
  act: Act;
  heading: string;
  says: string;
  inputs: readonly Field[];
  does: string;
  leaves: string;
}

function dialogHtml({ act, heading, says, inputs, does, leaves }: Dialog): Html {
  const id = dialogId(act);
  const labels = inputs.map(({ name, more, hint, least, step }) => {
    const kind =
      least === undefined
        ? html` type="text"`
        : html` type="number" min="${least}" step="${String(step)}" inputmode="decimal"`;
    return html`<label>${fieldLabels[name]}${more}<input${kind} name="${name}" placeholder="${hint}" autocomplete="off" spellcheck="false"></label>`;
  });
  return html`<dialog id="${id}" aria-labelledby="${id}-head"><form><h2 id="${id}-head">${heading}</h2><p>${says}</p>${labels}<p class="fault" role="alert" data-${data.own}="yes"></p><div class="acts"><button type="submit">${does}</button> <button type="button" class="leaves">${leaves}</button></div></form></dialog>
`;
}
