// What did not take effect or was unusual, although a task ended.
import type { DoneTask } from "../model/state.ts";
import { type Door, wordedFor } from "./option-words.ts";

/** What did not take effect or was odd about a task, in sentences for one reader. */
export function remarksOf({ outcome, remarks = [] }: DoneTask, door: Door): string[] {
  const first = outcome.kind === "succeeded" && outcome.remark !== undefined ? [outcome.remark] : [];
  return [...first, ...remarks].map((remark) => wordedFor(door, remark));
}
