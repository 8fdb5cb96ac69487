// Prints a few words synchronously: the version, a shell's candidates, and last errors.
import { product } from "../../model/product.ts";
import { isReaderGone, writeAllNow } from "../../platform/output.ts";
import { reasonOf } from "../../platform/system-error.ts";

/**
 * Prints text and a line feed before the call returns. Returns the exit status; a reader that has gone is no failure.
 */
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

/** The message of a command that ends with an error: its sentence if the user can solve it, otherwise the stack. */
export function lastWords(error: unknown, isSolvable: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (isSolvable) return error.message;
  return `${error.stack ?? error.message}\nThis is a fault of ${product.name} ${product.version}. Please report it with these lines.`;
}

/** Prints to standard error before the call returns. */
export function sayNow(text: string): void {
  try {
    writeAllNow(2, Buffer.from(`${text}\n`));
  } catch {
    // Nobody is left to read it.
  }
}
