// A task from a file.

export interface FileTask {
  /** For the batch's input: a prompt, or an object with `task` and options of its own. Not checked yet. */
  task: unknown;
  /** Where it begins, for people: `line 3`, or `item 3` in formats without lines. */
  place: string;
}

/** Items of a format without lines, in order. */
export function asItems(tasks: readonly unknown[]): FileTask[] {
  return tasks.map((task, index) => ({ task, place: `item ${index + 1}` }));
}
