// Lines of a file that lists items or tasks. A file may be any file, so reading stops where it can be no list.
import { FileFault } from "./file-fault.ts";

/** Ten times what a batch may have: more lines, rows or objects are counted no further. */
const mostListed = 100_000;

/** Throws `FileFault` if there are more of these than any list has. `what`: "lines", "rows". */
export function refuseEndless(count: number, what: string): void {
  if (count > mostListed)
    throw new FileFault(
      `it has more than ${mostListed.toLocaleString("en-US")} ${what}, far more than a batch may have tasks`,
    );
}

/** The lines that are not blank, with their numbers, 1-based. Throws `FileFault`. */
export function* listedLines(text: string): Generator<{ line: string; number: number }> {
  let count = 0;
  let number = 0;
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf("\n", from);
    const line = text.slice(from, end < 0 ? text.length : end).replace(/\r$/, "");
    number++;
    from = end < 0 ? text.length + 1 : end + 1;
    if (line.trim() === "") continue;
    refuseEndless(++count, "lines");
    yield { line, number };
  }
}
