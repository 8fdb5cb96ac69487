// For what prints a few words and is done: the version, and the candidates of a shell.
import { isReaderGone, writeAllNow } from "../platform/output.ts";
import { reasonOf } from "../platform/system-error.ts";

/** Prints text and a line feed before the call returns. Gives the exit status; a reader that has gone is no failure. */
export function printNow(text: string): number {
  try {
    writeAllNow(1, Buffer.from(`${text}\n`));
    return 0;
  } catch (error) {
    if (isReaderGone(error)) return 0;
    sayNow(`The output could not be written: ${reasonOf(error)}`);
    return 1;
  }
}

/** Says something on standard error before the call returns. */
export function sayNow(text: string): void {
  try {
    writeAllNow(2, Buffer.from(`${text}\n`));
  } catch {
    // Nobody is left who could be told.
  }
}
