// A task as it stands in a file.

/** What is wrong with a file of tasks. */
export class FileFault extends Error {
  /** Where, for people: `line 3`; absent where the whole file is meant. */
  readonly place: string | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.place = line === undefined ? undefined : lineText(line);
  }
}

export interface FileTask {
  /** As the batch's input takes it: a prompt, or an object with `task` and options of its own. Not checked yet. */
  task: unknown;
  /** Where it begins, for people: `line 3`, or `item 3` where lines say nothing. */
  place: string;
}

/** A line, 1-based. */
export function lineText(line: number): string {
  return `line ${line}`;
}

/** Items of a form without lines, by their order. */
export function asItems(tasks: readonly unknown[]): FileTask[] {
  return tasks.map((task, index) => ({ task, place: `item ${index + 1}` }));
}
