// A terminal as a user sees it, small: what is written becomes rows of characters, with what scrolled away above.

/** Understands what the program writes; anything else makes it fail, so that nothing is drawn by luck. */
export class Screen {
  columns: number;
  rows: number;
  cursorShown = true;
  bells = 0;
  /** What has scrolled away. */
  readonly above: string[] = [];
  #cells: string[][];
  #row = 0;
  #column = 0;
  /** A character in the last column leaves the cursor there until the next one comes. */
  #wrapPending = false;
  #rest = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#cells = Array.from({ length: rows }, () => []);
  }

  /** The rows shown now, without trailing blanks. */
  get lines(): string[] {
    return this.#cells.map(textOf);
  }

  /** Everything shown so far, including what has scrolled away. */
  get text(): string {
    return [...this.above, ...this.lines].join("\n").trimEnd();
  }

  write(text: string): void {
    this.#rest += text;
    for (;;) {
      const piece = /^(?:\x1b\[([0-9;?]*)([A-Za-z])|([\r\n\x07\b])|([^\x1b\r\n\x07\b]+))/.exec(this.#rest);
      if (!piece) break;
      this.#rest = this.#rest.slice(piece[0].length);
      const [, parameters = "", command, control, characters] = piece;
      if (command !== undefined) this.#command(parameters, command);
      else if (control !== undefined) this.#control(control);
      else for (const { segment } of graphemes.segment(characters ?? "")) this.#put(segment);
    }
    if (this.#rest.length > 20)
      throw new Error(`The screen does not know ${JSON.stringify(this.#rest.slice(0, 40))}`);
  }

  /** As terminals do that do not break lines anew: rows keep what fits. */
  resize(columns: number, rows: number): void {
    while (this.#cells.length > rows) {
      if (this.#row >= rows) {
        this.above.push(textOf(this.#cells.shift() ?? []));
        this.#row--;
      } else this.#cells.pop();
    }
    while (this.#cells.length < rows) this.#cells.push([]);
    this.columns = columns;
    this.rows = rows;
    for (const row of this.#cells) row.length = Math.min(row.length, columns);
    this.#column = Math.min(this.#column, columns - 1);
  }

  #put(character: string): void {
    const width = Bun.stringWidth(character);
    if (width === 0) return;
    if (this.#wrapPending || this.#column + width > this.columns) {
      this.#column = 0;
      this.#lineFeed();
    }
    const row = this.#cells[this.#row] ?? [];
    while (row.length < this.#column) row.push(" ");
    row[this.#column] = character;
    if (width === 2) row[this.#column + 1] = "";
    this.#column += width;
    this.#wrapPending = this.#column >= this.columns;
    if (this.#wrapPending) this.#column = this.columns - 1;
  }

  #control(control: string): void {
    this.#wrapPending = false;
    if (control === "\r") this.#column = 0;
    else if (control === "\n") this.#lineFeed();
    else if (control === "\x07") this.bells++;
    else this.#column = Math.max(0, this.#column - 1);
  }

  #lineFeed(): void {
    this.#wrapPending = false;
    if (this.#row < this.rows - 1) {
      this.#row++;
      return;
    }
    this.above.push(textOf(this.#cells.shift() ?? []));
    this.#cells.push([]);
  }

  #command(parameters: string, command: string): void {
    this.#wrapPending = false;
    if (parameters === "?25" && (command === "h" || command === "l")) this.cursorShown = command === "h";
    else if (parameters === "?2026" || command === "m") return;
    else if (command === "A") this.#row = Math.max(0, this.#row - Number(parameters || 1));
    else if (command === "K" && parameters === "") this.#clearLine();
    else if (command === "J" && parameters === "") {
      this.#clearLine();
      for (let row = this.#row + 1; row < this.rows; row++) this.#cells[row] = [];
    } else throw new Error(`The screen does not know CSI ${parameters}${command}`);
  }

  #clearLine(): void {
    const row = this.#cells[this.#row];
    if (row) row.length = Math.min(row.length, this.#column);
  }
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function textOf(row: readonly string[]): string {
  return Array.from(row, (cell) => cell ?? " ")
    .join("")
    .trimEnd();
}
