// A pager for a text that is longer than the screen, as Git has one: `PAGER`, or else `less`.
import { isNoOrphan } from "../../../platform/orphans.ts";
import type { Printer } from "./terminal.ts";

/** Where a command prints its text. */
export interface Pages {
  /** Text and a line feed. */
  print(text: string): Promise<void>;
  /** Whether the reader has left before the end: nobody reads what follows. */
  readonly isLeft: boolean;
  /** Resolves when the reader has seen enough. */
  end(): Promise<void>;
}

/** What the pager can do with what it gets: stay on the screen if it fits, show colours, and leave the text there. */
const usualLess = "FRX";

/** Prints through the user's pager as soon as the text is longer than the screen; without one, like `out`. */
export function pagesOf(out: Printer, isWanted = true): Pages {
  const pager = isWanted && isPageable(out) ? pagerCommand() : undefined;
  return pager === undefined
    ? { print: (text) => out.print(text), isLeft: false, end: () => out.done() }
    : new PagedPrinter(out, pager);
}

// As for a live view, but somebody who wants no colours may want pages.
function isPageable({ isTerminal }: Printer): boolean {
  return isTerminal && process.env["TERM"] !== "dumb" && !process.env["CI"];
}

function pagerCommand(): readonly string[] | undefined {
  const asked = process.env["PAGER"]?.trim();
  if (asked === "" || asked === "cat") return undefined;
  const isWindows = process.platform === "win32";
  // The `more` of Windows does not read UTF-8.
  const usual = (isWindows ? ["less"] : ["less", "more"]).find((name) => Bun.which(name) !== null);
  const command = asked ?? usual;
  if (command === undefined) return undefined;
  // It may have options, and quotes around them.
  return isWindows ? command.split(/\s+/) : ["/bin/sh", "-c", command];
}

class PagedPrinter implements Pages {
  readonly #out: Printer;
  readonly #command: readonly string[];
  /** What has been printed while it fits. */
  #held: string[] = [];
  #rows = 0;
  #pager: RunningPager | undefined;

  constructor(out: Printer, command: readonly string[]) {
    this.#out = out;
    this.#command = command;
  }

  async print(text: string): Promise<void> {
    if (this.#pager) return this.#pager.write(`${this.#out.shown(text)}\n`);
    this.#held.push(text);
    const { columns, rows } = this.#out.size;
    this.#rows += text
      .split("\n")
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(Bun.stringWidth(line) / columns)), 0);
    // A row is for the prompt of the shell.
    if (this.#rows < rows) return;
    const held = this.#held.splice(0);
    const shown = held.map((one) => `${this.#out.shown(one)}\n`).join("");
    await this.#out.done();
    this.#pager = RunningPager.start(this.#command, this.#out);
    await this.#pager.write(shown);
  }

  get isLeft(): boolean {
    return this.#pager?.isLeft === true;
  }

  async end(): Promise<void> {
    for (const text of this.#held.splice(0)) void this.#out.print(text);
    await this.#pager?.ended();
    await this.#out.done();
  }
}

/** A shell says so if it finds no such program, or one that it cannot run. */
const notStarted = new Set([126, 127]);
/** Whatever takes as many characters is there: a pipe holds fewer for a pager that is not. */
const enough = 4_000_000;

class RunningPager {
  readonly #out: Printer;
  readonly #child: Bun.Subprocess<"pipe", number, number> | undefined;
  /** What it got, in case it cannot be started; undefined once it is known that it was. */
  #written: string[] | undefined = [];
  /** How many characters were taken from us. */
  #taken = 0;

  private constructor(out: Printer, child: Bun.Subprocess<"pipe", number, number> | undefined) {
    this.#out = out;
    this.#child = child;
  }

  static start(command: readonly string[], out: Printer): RunningPager {
    try {
      const child = isNoOrphan(
        Bun.spawn([...command], {
          stdin: "pipe",
          stdout: out.descriptor,
          stderr: out.descriptor,
          env: { LESS: usualLess, LV: "-c", ...process.env },
          windowsHide: true,
        }),
      );
      // Ctrl-C is for the pager, which goes on.
      process.on("SIGINT", ignored);
      return new RunningPager(out, child);
    } catch {
      // There is no such program.
      return new RunningPager(out, undefined);
    }
  }

  get isLeft(): boolean {
    if (!this.#child) return false;
    const { exitCode, signalCode } = this.#child;
    return signalCode !== null || (exitCode !== null && !notStarted.has(exitCode));
  }

  async write(text: string): Promise<void> {
    this.#written?.push(text);
    if (!this.#child) return;
    try {
      // Both fail as soon as nobody reads any more.
      await this.#child.stdin.write(text);
      await this.#child.stdin.flush();
      this.#taken += text.length;
    } catch {
      // The reader has left it before the end.
    }
    if (this.isLeft || this.#taken > enough) this.#written = undefined;
  }

  async ended(): Promise<void> {
    try {
      await this.#child?.stdin.end();
    } catch {
      // The same.
    }
    const status = await this.#child?.exited;
    process.off("SIGINT", ignored);
    if (status !== undefined && !notStarted.has(status)) return;
    for (const text of this.#written ?? []) void this.#out.write(text);
  }
}

function ignored(): void {}
