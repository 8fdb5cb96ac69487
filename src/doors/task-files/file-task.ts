// A task as it stands in a file.

/** What is wrong with a file of tasks. */
export class FileFault extends Error {
  /** 1-based; absent where the whole file is meant. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

export interface FileTask {
  /** As the batch's input takes it: a prompt, or an object with `task` and options of its own. Not checked yet. */
  task: unknown;
  /** Where it begins, 1-based. */
  line: number;
}
