// Where a command prints: everything, in order, and without complaint if the reader has gone.
import { understandsEscapes } from "../../../platform/console.ts";
import {
  isReaderGone,
  isRegularFile,
  openWithoutWaiting,
  writeAll,
  writeAllNow,
} from "../../../platform/output.ts";
import { reasonOf } from "../../../platform/system-error.ts";
import { harmless } from "../../../report/harmless.ts";
import { isGithubActions, withoutCommands } from "./workflow-commands.ts";
import { wrapped } from "./wrapped.ts";

/** The parts of a stream that are used: we write to its descriptor ourselves. */
interface Stream {
  fd: number;
  isTTY?: boolean;
  getWindowSize?(): [number, number];
}

/** One of the two standard outputs. Prints in the order of the calls. */
export class Printer {
  readonly isTerminal: boolean;
  /** Whether it may be redrawn: a terminal that can move its cursor, whose user wants more than plain lines. */
  readonly isLive: boolean;
  /** Resolves when nobody reads any more. */
  readonly readerGone: Promise<void>;
  readonly #stream: Stream;
  /**
   * The descriptor for writing. Of a terminal that is redrawn, a non-blocking one, because somebody may press Ctrl-S.
   */
  readonly #descriptor: number;
  /** Text goes into a file unchanged; a pipe may end in a terminal, as with `| less`. */
  readonly #isFile: boolean;
  /** Whether it may end in a log of GitHub Actions, which obeys some of its lines. */
  readonly #isActionsLog: boolean;
  readonly #tellReaderGone: () => void;
  /** Whether `paint` colours anything. */
  readonly isColoured: boolean;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;
  #pending = 0;
  /** The end of what was passed on last. */
  #passed = "";
  #failure: string | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#isFile = isRegularFile(stream.fd);
    this.#isActionsLog = isGithubActions() && !this.#isFile;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.readerGone = promise;
    this.#tellReaderGone = resolve;
    this.isTerminal = stream.isTTY === true;
    const isDumb = process.env["TERM"] === "dumb" || (this.isTerminal && !understandsEscapes(stream.fd));
    const noColour = isSet("NO_COLOR");
    this.isLive = this.isTerminal && !isDumb && !noColour && !isSet("CI");
    this.isColoured = this.isTerminal && !isDumb && !noColour;
    this.#descriptor = (this.isLive ? openWithoutWaiting(stream.fd) : undefined) ?? stream.fd;
  }

  /** Columns of the terminal; 80 without one. */
  get width(): number {
    return this.size.columns;
  }

  /** The current size of the terminal; 80 × 24 if there is none, or it does not report one. */
  get size(): { columns: number; rows: number } {
    const [columns = 0, rows = 0] = this.isTerminal ? (this.#stream.getWindowSize?.() ?? []) : [];
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  /** The stream's own. */
  get descriptor(): number {
    return this.#stream.fd;
  }

  /** Whether a write is pending: the terminal was stopped by Ctrl-S, or is slow. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Writes unchanged, in the order of the calls. */
  write(text: string | Uint8Array): Promise<void> {
    this.#pending++;
    this.#last = this.#last.then(() => this.#write(text)).finally(() => void this.#pending--);
    return this.#last;
  }

  /** Writes JSON that another program wrote, unchanged but for what a log of GitHub Actions would obey. */
  async pass(json: Uint8Array): Promise<void> {
    await this.write(this.#isActionsLog ? this.#commandless(json) : json);
  }

  /** Writes before this call returns. For the end of a process. */
  writeNow(text: string): void {
    try {
      writeAllNow(this.#stream.fd, Buffer.from(text));
    } catch {
      // The terminal has gone, so nothing needs restoring.
    }
  }

  /** Removes terminal escapes from a text, except our own colours, and what a log of GitHub Actions would obey. */
  shown(text: string): string {
    const shown = text
      .split(ownColours)
      .map((part, index) => (index % 2 === 1 ? part : harmless(part)))
      .join("");
    return this.#isActionsLog ? withoutCommands(shown) : shown;
  }

  /**
   * Prints text and a line feed; unchanged into a file, elsewhere made harmless. Resolves when it is written, or nobody
   * reads any more.
   */
  print(text: string): Promise<void> {
    return this.write(`${this.#isFile ? text : this.shown(text)}\n`);
  }

  /** Prints sentences: like `print`, and wrapped at words in a terminal. */
  tell(text: string): Promise<void> {
    return this.print(wrapped(text, this));
  }

  /** Resolves when everything printed is written. */
  done(): Promise<void> {
    return this.#last;
  }

  /** Why something could not be printed; a reader that has gone is no failure. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** In colour, if colour is wanted. */
  paint(colour: keyof typeof colours, text: string): string {
    return this.isColoured ? `\x1b[${colours[colour]}m${text}\x1b[0m` : text;
  }

  // Byte by byte, because a piece may begin within a character, or within a mark.
  #commandless(json: Uint8Array): Uint8Array {
    const text = this.#passed + Buffer.from(json).toString("latin1");
    const harmless = text.replaceAll("##[", "##\\u005b").slice(this.#passed.length);
    this.#passed = text.slice(-2);
    return Buffer.from(harmless, "latin1");
  }

  async #write(text: string | Uint8Array): Promise<void> {
    if (this.#stopped) return;
    try {
      await writeAll(this.#descriptor, typeof text === "string" ? Buffer.from(text) : text);
    } catch (error) {
      // The batch must not end because of that. `| head` has read enough; the command reports a full disk at its end.
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
