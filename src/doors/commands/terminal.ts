// Where a command prints: whole, in order, and without complaint when the reader has gone.

/** One of the two standard outputs. Prints in the order of the calls. */
export class Printer {
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number;
  readonly #file: Bun.BunFile;
  readonly #coloured: boolean;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;
  #failure: string | undefined;

  constructor(file: Bun.BunFile, { isTTY, columns }: { isTTY?: boolean; columns?: number }) {
    this.#file = file;
    this.isTerminal = isTTY === true;
    this.width = columns !== undefined && columns > 0 ? columns : 80;
    this.#coloured = this.isTerminal && (process.env["NO_COLOR"] ?? "") === "";
  }

  /** Prints text and a line feed. Resolves when it is out, or when nobody reads any more. */
  print(text: string): Promise<void> {
    this.#last = this.#last.then(() => this.#write(`${text}\n`));
    return this.#last;
  }

  /** Resolves when all that was printed is out. */
  done(): Promise<void> {
    return this.#last;
  }

  /** Why something could not be printed; a reader that has gone is no failure. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** In colour, where colour is wanted. */
  paint(colour: keyof typeof colours, text: string): string {
    return this.#coloured ? `\x1b[${colours[colour]}m${text}\x1b[0m` : text;
  }

  async #write(text: string): Promise<void> {
    if (this.#stopped) return;
    try {
      // A plain write to a slow pipe is cut when the process exits.
      await Bun.write(this.#file, text);
    } catch (error) {
      // What runs must not end for that. `| head` has read enough; of a full disk the command tells at its end.
      this.#stopped = true;
      const readerGone = error instanceof Error && "code" in error && error.code === "EPIPE";
      if (!readerGone) this.#failure = error instanceof Error ? error.message : String(error);
    }
  }
}

const colours = { green: 32, red: 31, yellow: 33, cyan: 36, faint: 2, bold: 1 } as const;

/** Standard output and standard error. */
export interface Terminal {
  out: Printer;
  err: Printer;
}

/** Those of this process. */
export function ownTerminal(): Terminal {
  return {
    out: new Printer(Bun.stdout, process.stdout),
    err: new Printer(Bun.stderr, process.stderr),
  };
}
