// Caches what the page shows of each task between two writes: most tasks do not change in between.
import type { BatchState, TaskState } from "../model/state.ts";
import { type Attention, attentionFor } from "./attention.ts";
import type { Html } from "./html.ts";
import { labelOf } from "./label.ts";
import { Lanes } from "./lanes.ts";
import type { Tokens } from "./progress-panel.ts";
import { taskRow } from "./row.ts";
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
  row: Html;
  attention: Attention | undefined;
  tokens: Tokens;
}

/** Reuses the row of each task while its state is the same. */
export function keptRows(): (view: {
  state: BatchState;
  hrefOf(taskNumber: number): string | undefined;
}) => Kept {
  const kept: (KeptRow | undefined)[] = [];
  const lanes = new Lanes();
  return ({ state, hrefOf }) => {
    lanes.place(state);
    const attentions: Attention[] = [];
    const tokens: Tokens = { input: 0, output: 0 };
    const rows = state.tasks.map((task, index) => {
      const href = hrefOf(task.number);
      let entry = kept[index];
      // `cancelling` of a running task is set in place, and a file may appear after its task has ended.
      if (!entry || entry.task !== task || entry.href !== href || task.status === "running") {
        entry = newRow(state, task, { href, lanes });
        kept[index] = entry;
      }
      if (entry.attention) attentions.push(entry.attention);
      tokens.input += entry.tokens.input;
      tokens.output += entry.tokens.output;
      return entry.row;
    });
    return { rows, attentions, lanes, tokens };
  };
}

function newRow(
  state: BatchState,
  task: TaskState,
  { href, lanes }: { href: string | undefined; lanes: Lanes },
): KeptRow {
  const label = labelOf(state, task.number);
  const attention = task.status === "done" ? attentionFor(state, task, { label, href }) : undefined;
  const bars = barsText(lanes.barsOf(task), state.createdAt);
  return { task, href, row: taskRow(task, { label, href, bars }), attention, tokens: tokensOf(task) };
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
