// Keys that are pressed in the terminal of this process, without waiting for a line, and without waiting at all. Ctrl-C, Ctrl-Z
// and Ctrl-S stay the terminal's own.
// Bun has no call that opens a terminal without blocking and reads what is there; and its raw mode takes the signals away, too.
import { closeSync, constants, openSync, readSync } from "node:fs";

/** Where `struct termios` has what we change. Offsets and sizes are in bytes. */
interface Layout {
  bytes: number;
  /** The local modes, in the machine's order. */
  modes: number;
  /** Whether lines are gathered, and whether what is typed is shown. */
  canonical: number;
  echo: number;
  /** How many characters a read waits for, and how long. */
  least: number;
  time: number;
}

const layouts: Partial<Record<NodeJS.Platform, Layout>> = {
  linux: { bytes: 60, modes: 12, canonical: 0x2, echo: 0x8, least: 17 + 6, time: 17 + 5 },
  darwin: { bytes: 72, modes: 24, canonical: 0x100, echo: 0x8, least: 32 + 16, time: 32 + 17 },
};

/** The C library: its names with glibc, with musl, and on macOS. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libSystem.B.dylib"];

const standardInput = 0;
/** For one read; and no look reads more than this often, whatever is pasted. */
const mostBytes = 4096;
const mostReads = 64;

/** `take` it before the first `read`. */
export class TerminalKeys implements Disposable {
  readonly #calls: Calls;
  readonly #layout: Layout;
  readonly #descriptor: number;
  /** The modes as they were; undefined while they are. */
  #before: Uint8Array | undefined;
  #isClosed = false;

  private constructor(calls: Calls, layout: Layout, descriptor: number) {
    this.#calls = calls;
    this.#layout = layout;
    this.#descriptor = descriptor;
  }

  /** Those of standard input; undefined if that is no terminal that can be opened, and on Windows. */
  static async open(): Promise<TerminalKeys | undefined> {
    const layout = layouts[process.platform];
    const calls = layout && (await systemCalls());
    if (!calls || !process.stdin.isTTY) return undefined;
    const path = process.platform === "linux" ? `/proc/self/fd/${standardInput}` : "/dev/tty";
    try {
      const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      return new TerminalKeys(calls, layout, openSync(path, flags));
    } catch {
      // A terminal of another user (after `su`).
      return undefined;
    }
  }

  /**
   * From now on, keys come one by one, and are not shown. Nothing where others have the terminal, or it is so already. Call it
   * again where it may be so no more: a shell puts its own modes in force when it stops or continues a process.
   */
  take(): void {
    if (this.#isClosed || !this.#isOurs()) return;
    const modes = new Uint8Array(this.#layout.bytes);
    if (this.#calls.tcgetattr(standardInput, modes) !== 0) return;
    const before = modes.slice();
    const { modes: offset, canonical, echo, least, time } = this.#layout;
    const view = new DataView(modes.buffer);
    if (this.#before && (view.getUint32(offset, true) & canonical) === 0) return;
    view.setUint32(offset, view.getUint32(offset, true) & ~(canonical | echo), true);
    modes[least] = 1;
    modes[time] = 0;
    if (this.#calls.tcsetattr(standardInput, now, modes) === 0) this.#before ??= before;
  }

  /** Leaves the terminal as it was. */
  giveBack(): void {
    const before = this.#before;
    this.#before = undefined;
    // In the background, the shell has put its own modes in force, and would stop us.
    if (!before || !this.#isOurs()) return;
    // A key that came too late is no answer to the question that follows, and nothing for the shell.
    this.#waiting();
    this.#calls.tcsetattr(standardInput, now, before);
  }

  /** What was pressed since the last time; empty if nothing was, or where others have the terminal. */
  read(): string {
    // A process in the background that reads is stopped.
    if (this.#isClosed || !this.#before || !this.#isOurs()) return "";
    return this.#waiting();
  }

  // All of it: what is left of a pasted text would look like keys the next time.
  #waiting(): string {
    const bytes = new Uint8Array(mostBytes);
    const decoder = new TextDecoder();
    let text = "";
    for (let reads = 0; reads < mostReads; reads++) {
      try {
        const count = readSync(this.#descriptor, bytes);
        if (count === 0) break;
        text += decoder.decode(bytes.subarray(0, count), { stream: true });
      } catch {
        // Nothing more is there, or the terminal has gone.
        break;
      }
    }
    return text;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.giveBack();
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  // Whether this process is in the foreground of its terminal.
  #isOurs(): boolean {
    return this.#calls.tcgetpgrp(standardInput) === this.#calls.getpgrp();
  }
}

/** `TCSANOW`: without waiting for what is written. */
const now = 0;

interface Calls {
  tcgetattr(descriptor: number, modes: Uint8Array): number;
  tcsetattr(descriptor: number, when: number, modes: Uint8Array): number;
  tcgetpgrp(descriptor: number): number;
  getpgrp(): number;
}

async function systemCalls(): Promise<Calls | undefined> {
  const { dlopen } = await import("bun:ffi");
  for (const library of libraries) {
    try {
      const { symbols } = dlopen(library, {
        tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
        tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
        tcgetpgrp: { args: ["i32"], returns: "i32" },
        getpgrp: { args: [], returns: "i32" },
      });
      return symbols;
    } catch {
      // Another C library, or a system that forbids the call.
    }
  }
  return undefined;
}
