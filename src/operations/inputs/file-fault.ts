// What is wrong with a file that a caller named, and in which line.

/** A fault in a file of tasks, or of their parts. */
export class FileFault extends Error {
  /** Where, for people: `line 3`; absent for the whole file. */
  readonly place: string | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.place = line === undefined ? undefined : lineText(line);
  }
}

/** The name of a line, 1-based. */
export function lineText(line: number): string {
  return `line ${line}`;
}
