// Which waiting tasks could have the process of another one.
import type { SessionOptions } from "../../model/options.ts";
import { isWithheld } from "../../model/sample.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";

/** More are not counted: no runner has as many processes that wait. */
const mostCounted = 256;

// Many tasks share their options.
const texts = new WeakMap<SessionOptions, string>();

/** How many tasks wait whose options are those of this one (1-based), and of another attempt at it; at most 256. */
export function waitingLike(state: BatchState, number: number): number {
  const { batch, tasks, counts } = state;
  if (counts.queued === 0) return 0;
  const wanted = textOf(optionsOf(batch, taskOf(state, number).number));
  const known = new Map<number, boolean>();
  let count = 0;
  for (const task of tasks) {
    if (task.status !== "queued" || textOf(optionsOf(batch, task.number)) !== wanted) continue;
    if (isWithheld(state, task, known)) continue;
    if (++count >= mostCounted) return count;
  }
  return count;
}

function textOf(options: SessionOptions): string {
  const text = texts.get(options) ?? JSON.stringify(options);
  texts.set(options, text);
  return text;
}
