// A task from a file.

/** A fault in a file of tasks. */
export class FileFault extends Error {
  /** Where, for people: `line 3`; absent for the whole file. */
  readonly place: string | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.place = line === undefined ? undefined : lineText(line);
  }
}

export interface FileTask {
  /** For the batch's input: a prompt, or an object with `task` and options of its own. Not checked yet. */
  task: unknown;
  /** Where it begins, for people: `line 3`, or `item 3` in formats without lines. */
  place: string;
}

/** The name of a line, 1-based. */
export function lineText(line: number): string {
  return `line ${line}`;
}

/** Items of a format without lines, in order. */
export function asItems(tasks: readonly unknown[]): FileTask[] {
  return tasks.map((task, index) => ({ task, place: `item ${index + 1}` }));
}
