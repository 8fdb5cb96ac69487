// CSV as rows of cells.
import { FileFault } from "./file-fault.ts";
import { refuseEndless } from "./listed-lines.ts";

export interface Row {
  cells: string[];
  /** Where it begins, 1-based. */
  line: number;
}

/** No prompt may be longer, so quotes were forgotten. In characters. */
const longestCell = 10_000_000;

/** The line in which Excel declares its separator. */
const separatorLine = /^sep=(.)\r?\n/i;

/** Whether a text begins with the line in which Excel declares its separator. */
export function declaresSeparator(text: string): boolean {
  return separatorLine.test(text);
}

/** The text below the line that declares a separator, that separator, and the number of the first line. */
export function declaredParts(given: string): { text: string; separator: string | undefined; first: number } {
  const [before = "", separator] = separatorLine.exec(given) ?? [];
  return { text: given.slice(before.length), separator, first: before === "" ? 1 : 2 };
}

/** Spreadsheets in some languages write semicolons. */
export function separatorOf(text: string): string {
  const [head = ""] = text.split(/\r?\n/, 1);
  if (head.includes(",")) return ",";
  if (head.includes(";")) return ";";
  return head.includes("\t") ? "\t" : ",";
}

/** Spreadsheets write empty last cells if a column once had content. */
export function withoutEmptyEnd(cells: readonly string[], atLeast: number): string[] {
  const last = cells.findLastIndex((cell) => cell.trim() !== "");
  return cells.slice(0, Math.max(last + 1, atLeast));
}

/** That a row has more or fewer cells than there are columns. */
export function cellsFault(cells: number, columns: number, separator: string, line: number): FileFault {
  const what = `${cells} cell${cells === 1 ? "" : "s"} in ${columns} columns`;
  return new FileFault(
    cells > columns
      ? `${what}; put text with a ${separator === "\t" ? "tab" : `\`${separator}\``} in quotes`
      : what,
    line,
  );
}

/**
 * RFC 4180: quotes enclose separators, line breaks and doubled quotes. `first`: the number of the first line. Throws
 * `FileFault` for quotes that are never closed, and for a file without end.
 */
export function rowsOf(
  text: string,
  { separator, first }: { separator: string | undefined; first: number },
): Row[] {
  const rows: Row[] = [];
  let line = first;
  let row: Row = { cells: [], line };
  let cell = "";
  let quotedAt: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (cell.length > longestCell)
      throw new FileFault(
        quotedAt === undefined
          ? "a cell has more than 10 MB"
          : "the quotes that open here are not closed within 10 MB",
        quotedAt ?? line,
      );
    if (quotedAt !== undefined) {
      if (character === "\n") line++;
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quotedAt = undefined;
    } else if (character === '"' && cell.trim() === "") {
      quotedAt = line;
      cell = "";
    } else if (character === separator) {
      row.cells.push(cell);
      cell = "";
    } else if (character === "\n") {
      line++;
      rows.push({ ...row, cells: [...row.cells, cell.replace(/\r$/, "")] });
      refuseEndless(rows.length, "rows");
      row = { cells: [], line };
      cell = "";
    } else cell += character;
  }
  if (quotedAt !== undefined) throw new FileFault("the quotes that open here are never closed", quotedAt);
  return cell === "" && row.cells.length === 0 ? rows : [...rows, { ...row, cells: [...row.cells, cell] }];
}
