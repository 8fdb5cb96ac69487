// Draws a batch at the bottom of a terminal while it runs; ended tasks scroll above it.
import { clock } from "../../../platform/clock.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { frameLines, type Snapshot } from "./live-frame.ts";

/** Between two frames, in milliseconds. */
const leastMs = 250;

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
// Terminals that know it show everything in between at once; others ignore it.
const beginFrame = "\x1b[?2026h";
const endFrame = "\x1b[?2026l";
const clearToEnd = "\x1b[J";
const clearLine = "\x1b[K";

/** Where a command reports the progress of its batch. */
export interface View {
  /** Prints text that stays, above the frame. */
  say(text: string): void;
  /** What it shows may have changed. */
  changed(): void;
  /** Removes the frame, and restores the terminal. */
  end(): Promise<void>;
}

/** The keys that are pressed while a view is shown. Ended with it. */
export interface KeysOfView extends Disposable {
  /** What to say of them, below everything else. */
  readonly said: NonNullable<Snapshot["keys"]>;
  /** Has the terminal give every key at once. */
  take(): void;
  /** Leaves the terminal as it was. */
  giveBack(): void;
}

/** `look` returns the current snapshot, and may call `say` for tasks that have ended since. */
export class LiveView implements View {
  readonly #printer: Printer;
  readonly #look: () => Snapshot;
  readonly #ticking: Disposable;
  /** Draws when the last frame is old enough. */
  #drawing: Timer | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #said: string[] = [];
  /** The lines on the screen now. */
  #lines: readonly string[] = [];
  #columns: number;
  #ended = false;
  #keys: KeysOfView | undefined;

  constructor(printer: Printer, look: () => Snapshot) {
    this.#printer = printer;
    this.#look = look;
    this.#columns = printer.size.columns;
    void printer.write(hideCursor);
    process.on("exit", this.#giveBack);
    process.on("SIGWINCH", this.#draw);
    process.on("SIGTSTP", this.#pause);
    process.on("SIGCONT", this.#resume);
    process.on("SIGQUIT", this.#quit);
    // Times go on without any change.
    this.#ticking = clock.on("second", this.#draw);
    this.changed();
  }

  /** Has keys from now on, until it ends. */
  attach(keys: KeysOfView): void {
    if (this.#ended) {
      keys[Symbol.dispose]();
      return;
    }
    this.#keys = keys;
    this.changed();
  }

  changed(): void {
    if (this.#ended) return;
    this.#drawing ??= setTimeout(this.#draw, Math.max(0, this.#drawnAt + leastMs - performance.now()));
  }

  say(text: string): void {
    this.#said.push(this.#printer.shown(text));
    if (this.#ended) void this.#printer.tell(this.#said.splice(0).join("\n"));
    else this.#draw();
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#keys?.[Symbol.dispose]();
    this.#ticking[Symbol.dispose]();
    clearTimeout(this.#drawing);
    process.off("SIGWINCH", this.#draw);
    process.off("SIGTSTP", this.#pause);
    process.off("SIGCONT", this.#resume);
    process.off("SIGQUIT", this.#quit);
    await this.#printer.write(`${this.#erased()}${this.#above()}${showCursor}`);
    process.off("exit", this.#giveBack);
  }

  // One write for each frame, so that no half frame stays visible. An unchanged frame is not drawn.
  readonly #draw = () => {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    if (this.#ended || this.#printer.isBusy) return;
    this.#drawnAt = performance.now();
    const size = this.#printer.size;
    const snapshot = this.#seen();
    if (!snapshot) return;
    const keys = this.#keys ? { keys: this.#keys.said } : {};
    const lines = frameLines(
      { ...snapshot, ...keys },
      {
        ...size,
        paint: (colour, text) => this.#printer.paint(colour, text),
      },
    );
    const isSame =
      size.columns === this.#columns &&
      lines.length === this.#lines.length &&
      lines.every((line, index) => line === this.#lines[index]);
    if (isSame && this.#said.length === 0) return;
    const resized = size.columns !== this.#columns;
    const start = resized ? this.#erased() : this.#toTop();
    const body = lines.map((line) => `${line}${clearLine}`).join("\r\n");
    const frame = `${start}${this.#above()}${body}${clearToEnd}`;
    this.#lines = lines;
    this.#columns = size.columns;
    void this.#printer.write(`${beginFrame}${frame}${endFrame}`);
  };

  // A momentarily unreadable store must not end a foreground batch; its runner reports it.
  #seen(): Snapshot | undefined {
    try {
      return this.#look();
    } catch {
      return undefined;
    }
  }

  #above(): string {
    return this.#said
      .splice(0)
      .flatMap((text) => wrapped(text, this.#printer).split("\n"))
      .map((line) => `${line}${clearLine}\r\n`)
      .join("");
  }

  #toTop(): string {
    const up = this.#rowsTaken() - 1;
    return up > 0 ? `\r\x1b[${up}A` : "\r";
  }

  #erased(): string {
    return `${this.#toTop()}${clearToEnd}`;
  }

  // A terminal that became narrower has wrapped lines that no longer fit.
  #rowsTaken(): number {
    const { columns, rows } = this.#printer.size;
    const taken = this.#lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(Bun.stringWidth(line) / columns)),
      0,
    );
    return Math.min(taken, rows);
  }

  readonly #giveBack = () => {
    this.#keys?.[Symbol.dispose]();
    this.#printer.writeNow(`\r\n${endFrame}${showCursor}`);
  };

  // Ctrl-Z: restores the terminal for the shell. Sessions continue.
  readonly #pause = () => {
    this.#keys?.giveBack();
    this.#printer.writeNow(`${this.#erased()}${showCursor}`);
    this.#lines = [];
    process.kill(process.pid, "SIGSTOP");
  };

  // Ctrl-\: ends the process at once, as without a view, but not its terminal.
  readonly #quit = () => {
    process.off("SIGQUIT", this.#quit);
    this.#giveBack();
    process.kill(process.pid, "SIGQUIT");
  };

  readonly #resume = () => {
    this.#lines = [];
    this.#keys?.take();
    void this.#printer.write(hideCursor);
    this.#draw();
  };
}

/** Plain lines, for a pipe, a log or a terminal that cannot be redrawn. */
export class PlainView implements View {
  readonly #printer: Printer;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  say(text: string): void {
    void this.#printer.tell(text);
  }

  changed(): void {
    // Only what stays is printed.
  }

  end(): Promise<void> {
    return this.#printer.done();
  }
}
