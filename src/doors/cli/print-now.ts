// For what prints a few words and is done: the version, and the candidates of a shell.
import { product } from "../../model/product.ts";
import { isReaderGone, writeAllNow } from "../../platform/output.ts";
import { reasonOf } from "../../platform/system-error.ts";

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

/** What a command says that ends by an error: of one that the user can solve its sentence, of ours where it was. */
export function lastWords(error: unknown, isSolvable: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (isSolvable) return error.message;
  return `${error.stack ?? error.message}\nThis is a fault of ${product.name} ${product.version}. Please report it with these lines.`;
}

/** Says something on standard error before the call returns. */
export function sayNow(text: string): void {
  try {
    writeAllNow(2, Buffer.from(`${text}\n`));
  } catch {
    // Nobody is left who could be told.
  }
}
