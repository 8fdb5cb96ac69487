// Commands that run in the process of the test, in a pseudo-terminal of their own.
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { runCommandLine } from "../../src/doors/cli/cli.ts";
import { Printer } from "../../src/doors/cli/terminal/terminal.ts";
import { eventually } from "../harness.ts";
import type { Inside } from "../inside.ts";
import { Screen } from "../screen.ts";

/** A terminal that this process writes into, with what a user sees of it. */
export class OwnTerminal implements Disposable {
  readonly screen: Screen;
  readonly printer: Printer;
  readonly #terminal: Bun.Terminal;
  readonly #descriptor: number;
  #written = "";

  constructor({ columns = 80, rows = 24 }: { columns?: number; rows?: number } = {}) {
    this.screen = new Screen(columns, rows);
    const decoder = new TextDecoder();
    const before = terminalsOpen();
    this.#terminal = new Bun.Terminal({
      cols: columns,
      rows,
      data: (_, bytes) => {
        const text = decoder.decode(bytes, { stream: true });
        this.#written += text;
        this.screen.write(text);
      },
    });
    // Bun has no call that names the other end.
    const path = terminalsOpen().find((one) => !before.includes(one));
    if (path === undefined) throw new Error("No terminal was made");
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    this.printer = new Printer({
      fd: this.#descriptor,
      isTTY: true,
      getWindowSize: () => [this.screen.columns, this.screen.rows],
    });
  }

  /** Every byte so far, as text. */
  get written(): string {
    return this.#written;
  }

  /** A new size; of one's own terminal, the system says so by a signal. */
  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#terminal.resize(columns, rows);
    process.emit("SIGWINCH");
  }

  /** Waits until the screen shows a text, or what a pattern means. */
  shows(expected: string | RegExp): Promise<void> {
    const holds = () =>
      typeof expected === "string" ? this.screen.text.includes(expected) : expected.test(this.screen.text);
    return eventually(holds, () => `it shows ${expected}, but\n${this.screen.text}`);
  }

  /** Waits until all that was printed has come to the other end of the terminal. */
  async settled(): Promise<void> {
    await this.printer.done();
    await this.printer.write("\x1b[0m\x1b[1m\x1b[0m");
    await eventually(
      () => this.#written.endsWith("\x1b[0m\x1b[1m\x1b[0m"),
      () => `all of it comes, but only ${JSON.stringify(this.#written.slice(-200))}`,
    );
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    this.#terminal.close();
  }
}

interface Where {
  columns?: number;
  rows?: number;
  /** Whether its standard output is a file, and no terminal. */
  isPiped?: boolean;
}

/** A command that runs in this process, so that a test can look on and signal it. */
export class Command implements AsyncDisposable {
  readonly terminal: OwnTerminal;
  /** The exit status. */
  readonly ended: Promise<number>;
  readonly #before = process.cwd();
  readonly #file: string;
  readonly #descriptor: number;
  #isOver = false;

  constructor(inside: Inside, argv: readonly string[], { isPiped = false, ...size }: Where = {}) {
    process.chdir(inside.work);
    this.terminal = new OwnTerminal(size);
    this.#file = inside.file("printed.txt");
    this.#descriptor = openSync(this.#file, "w");
    const { printer: err } = this.terminal;
    const out = isPiped ? new Printer({ fd: this.#descriptor }) : err;
    this.ended = runCommandLine(argv, { out, err })
      .finally(() => {
        this.#isOver = true;
      })
      .then(async (status) => {
        await out.done();
        await this.terminal.settled();
        return status;
      });
  }

  /** What has come to standard output, where that is a file. */
  get out(): string {
    return readFileSync(this.#file, "utf8");
  }

  /** Waits until standard output, where that is a file, has a text. */
  prints(expected: string): Promise<void> {
    return eventually(
      () => this.out.includes(expected),
      () => `it prints ${expected}, but\n${this.out}`,
    );
  }

  /** As a user does it with Ctrl-C, or the system: to this whole process. */
  signal(signal: NodeJS.Signals): void {
    process.kill(process.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that has failed leaves it running.
    if (!this.#isOver) process.emit("SIGTERM");
    await this.ended.catch(() => undefined);
    process.chdir(this.#before);
    closeSync(this.#descriptor);
    this.terminal[Symbol.dispose]();
  }
}

function terminalsOpen(): string[] {
  return readdirSync("/dev/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith("/dev/pts/") ? [path] : [];
    } catch {
      // The one that reads this directory is closed by now.
      return [];
    }
  });
}
