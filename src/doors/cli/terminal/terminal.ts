// Where a command prints: whole, in order, and without complaint when the reader has gone.
import {
  isReaderGone,
  isRegularFile,
  openWithoutWaiting,
  writeAll,
  writeAllNow,
} from "../../../platform/output.ts";
import { reasonOf } from "../../../platform/system-error.ts";
import { harmless } from "../../../report/harmless.ts";
import { wrapped } from "./wrapped.ts";

/** What is asked of a stream: we write to its descriptor ourselves. */
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
  /** Resolves when nobody reads any more. */
  readonly readerGone: Promise<void>;
  readonly #stream: Stream;
  /** Where it writes. A terminal that is drawn upon has one that never waits, for somebody may press Ctrl-S. */
  readonly #descriptor: number;
  /** Text in a file is kept as it is; what goes into a pipe may end in a terminal, as behind `| less`. */
  readonly #isFile: boolean;
  readonly #tellReaderGone: () => void;
  readonly #coloured: boolean;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;
  #pending = 0;
  #failure: string | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#isFile = isRegularFile(stream.fd);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.readerGone = promise;
    this.#tellReaderGone = resolve;
    this.isTerminal = stream.isTTY === true;
    const isDumb = process.env["TERM"] === "dumb";
    const noColour = isSet("NO_COLOR");
    this.isLive = this.isTerminal && !isDumb && !noColour && !isSet("CI");
    this.#coloured = this.isTerminal && !isDumb && !noColour;
    this.#descriptor = (this.isLive ? openWithoutWaiting(stream.fd) : undefined) ?? stream.fd;
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

  /** The stream's own. */
  get descriptor(): number {
    return this.#stream.fd;
  }

  /** Whether something is still on its way: a terminal that was stopped by Ctrl-S, or is slow. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Writes as it is, in the order of the calls. */
  write(text: string | Uint8Array): Promise<void> {
    this.#pending++;
    this.#last = this.#last.then(() => this.#write(text)).finally(() => void this.#pending--);
    return this.#last;
  }

  /** Writes before this call returns. For the last moment of a process. */
  writeNow(text: string): void {
    try {
      writeAllNow(this.#stream.fd, Buffer.from(text));
    } catch {
      // The terminal has gone, and with it everything that could be wrong with it.
    }
  }

  /** Text without what a terminal would obey, but with our own colours. */
  shown(text: string): string {
    return text
      .split(ownColours)
      .map((part, index) => (index % 2 === 1 ? part : harmless(part)))
      .join("");
  }

  /** Prints text and a line feed; into a file as it is, elsewhere made harmless. Resolves when it is out, or when nobody reads any more. */
  print(text: string): Promise<void> {
    return this.write(`${this.#isFile ? text : this.shown(text)}\n`);
  }

  /** Prints sentences: as `print`, and in a terminal broken between words. */
  tell(text: string): Promise<void> {
    return this.print(wrapped(text, this));
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

  async #write(text: string | Uint8Array): Promise<void> {
    if (this.#stopped) return;
    try {
      await writeAll(this.#descriptor, typeof text === "string" ? Buffer.from(text) : text);
    } catch (error) {
      // What runs must not end for that. `| head` has read enough; of a full disk the command tells at its end.
      this.#stopped = true;
      if (isReaderGone(error)) this.#tellReaderGone();
      else this.#failure = reasonOf(error);
    }
  }
}

function isSet(name: string): boolean {
  return (process.env[name] ?? "") !== "";
}

const colours = { green: 32, red: 31, yellow: 33, cyan: 36, faint: 2, bold: 1 } as const;
const ownColours = new RegExp(`(\\x1b\\[(?:0|${Object.values(colours).join("|")})m)`);

/** Standard output and standard error. */
export interface Terminal {
  out: Printer;
  err: Printer;
}

/** Those of this process. */
export function ownTerminal(): Terminal {
  return {
    out: new Printer(process.stdout),
    err: new Printer(process.stderr),
  };
}
