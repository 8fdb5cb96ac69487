// Where a command prints: whole, in order, and without complaint when the reader has gone.
import { writeFully } from "../../platform/files.ts";
import { openWithoutWaiting, writeWhatFits } from "../../platform/terminal-output.ts";

/** Between two tries to write to a terminal that takes nothing, in milliseconds. */
const againMs = 20;

/** What is asked of a stream beside its file. */
interface Stream {
  fd: number;
  isTTY?: boolean;
  getWindowSize?(): [number, number];
}

/** One of the two standard outputs. Prints in the order of the calls. */
export class Printer {
  readonly isTerminal: boolean;
  /** Whether it may be drawn upon: a terminal that can move its cursor, and whose user wants more than plain lines. */
  readonly isLive: boolean;
  readonly #file: Bun.BunFile;
  readonly #stream: Stream;
  /** Of a terminal that is drawn upon: sessions must not wait for somebody who pressed Ctrl-S. */
  readonly #patient: number | undefined;
  readonly #coloured: boolean;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;
  #pending = 0;
  #failure: string | undefined;

  constructor(file: Bun.BunFile, stream: Stream) {
    this.#file = file;
    this.#stream = stream;
    this.isTerminal = stream.isTTY === true;
    const isDumb = process.env["TERM"] === "dumb";
    const noColour = isSet("NO_COLOR");
    this.isLive = this.isTerminal && !isDumb && !noColour && !isSet("CI");
    this.#coloured = this.isTerminal && !isDumb && !noColour;
    this.#patient = this.isLive ? openWithoutWaiting(stream.fd) : undefined;
  }

  /** Columns of the terminal; 80 where there is none. */
  get width(): number {
    return this.size.columns;
  }

  /** Of the terminal at this moment; 80 × 24 where there is none, or none that says. */
  get size(): { columns: number; rows: number } {
    const [columns = 0, rows = 0] = this.isTerminal ? (this.#stream.getWindowSize?.() ?? []) : [];
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  /** Whether something is still on its way: a terminal that was stopped by Ctrl-S, or is slow. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Writes as it is, in the order of the calls. */
  write(text: string): Promise<void> {
    this.#pending++;
    this.#last = this.#last.then(() => this.#write(text)).finally(() => void this.#pending--);
    return this.#last;
  }

  /** Writes before this call returns. For the last moment of a process. */
  writeNow(text: string): void {
    try {
      writeFully(this.#stream.fd, Buffer.from(text));
    } catch {
      // The terminal has gone, and with it everything that could be wrong with it.
    }
  }

  /** Prints text and a line feed. Resolves when it is out, or when nobody reads any more. */
  print(text: string): Promise<void> {
    return this.write(`${text}\n`);
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

  async #writePatiently(descriptor: number, text: string): Promise<void> {
    let rest: Uint8Array = Buffer.from(text);
    for (;;) {
      rest = rest.subarray(writeWhatFits(descriptor, rest));
      if (rest.length === 0) return;
      await Bun.sleep(againMs);
    }
  }

  async #write(text: string): Promise<void> {
    if (this.#stopped) return;
    try {
      if (this.#patient !== undefined) await this.#writePatiently(this.#patient, text);
      // A plain write to a slow pipe is cut when the process exits.
      else await Bun.write(this.#file, text);
    } catch (error) {
      // What runs must not end for that. `| head` has read enough; of a full disk the command tells at its end.
      this.#stopped = true;
      const readerGone = error instanceof Error && "code" in error && error.code === "EPIPE";
      if (!readerGone) this.#failure = error instanceof Error ? error.message : String(error);
    }
  }
}

function isSet(name: string): boolean {
  return (process.env[name] ?? "") !== "";
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
