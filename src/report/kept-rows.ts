// Caches what the page shows of each task between two writes: most tasks do not change in between.
import type { BatchState, TaskState } from "../model/state.ts";
import { type Attention, attentionFor } from "./attention.ts";
import type { Html } from "./html.ts";
import { labelOf } from "./label.ts";
import { Lanes } from "./lanes.ts";
import type { Tokens } from "./progress-panel.ts";
import { statusWord, taskRow } from "./row.ts";
import { barsText } from "./wire/bars.ts";

/** The rows in the order of tasks, and what is collected from them. */
export interface Kept {
  rows: Html[];
  attentions: Attention[];
  lanes: Lanes;
  tokens: Tokens;
}

interface KeptRow {
  /** The task of the row: every change replaces a task's state. */
  task: TaskState;
  href: string | undefined;
  session: string | undefined;
  row: Html;
  attention: Attention | undefined;
  // Not as an object of its own: there are thousands.
  input: number;
  output: number;
}

/** Reuses the row of each task while its state is the same. */
export function keptRows(): (view: {
  state: BatchState;
  hrefOf(taskNumber: number): string | undefined;
  sessionOf?(taskNumber: number): string | undefined;
}) => Kept {
  const kept: (KeptRow | undefined)[] = [];
  const lanes = new Lanes();
  return ({ state, hrefOf, sessionOf }) => {
    lanes.place(state);
    const attentions: Attention[] = [];
    const tokens: Tokens = { input: 0, output: 0 };
    const rows = state.tasks.map((task, index) => {
      const href = hrefOf(task.number);
      const session = isLinked(state, task) ? sessionOf?.(task.number) : undefined;
      let entry = kept[index];
      // `cancelling` of a running task is set in place, and a file may appear after its task has ended.
      const isSame = entry?.task === task && entry.href === href && entry.session === session;
      if (!entry || !isSame || task.status === "running") {
        entry = newRow(state, task, { href, session, lanes });
        kept[index] = entry;
      }
      if (entry.attention) attentions.push(entry.attention);
      tokens.input += entry.input;
      tokens.output += entry.output;
      return entry.row;
    });
    return { rows, attentions, lanes, tokens };
  };
}

/** In a larger batch, the rows of plain successes have no link to their sessions: their result pages have it. */
const mostLinked = 2_000;

function isLinked({ tasks }: BatchState, task: TaskState): boolean {
  return tasks.length <= mostLinked || statusWord(task).className !== "ok";
}

function newRow(
  state: BatchState,
  task: TaskState,
  { href, session, lanes }: Pick<KeptRow, "href" | "session"> & { lanes: Lanes },
): KeptRow {
  const label = labelOf(state, task.number);
  const attention = task.status === "done" ? attentionFor(state, task, { label, href }) : undefined;
  const bars = barsText(lanes.barsOf(task), state.createdAt);
  const row = taskRow(task, { label, href, session, bars });
  return { task, href, session, row, attention, ...tokensOf(task) };
}

function tokensOf(task: TaskState): Tokens {
  const tokens: Tokens = { input: 0, output: 0 };
  const models = task.status === "done" ? task.usage?.models : undefined;
  for (const { input, output, cacheRead, cacheWritten } of Object.values(models ?? {})) {
    tokens.input += input + cacheRead + cacheWritten;
    tokens.output += output;
  }
  return tokens;
}
