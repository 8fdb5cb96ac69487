// A macOS on Linux: a library with the functions of its libSystem (`libsystem.c`), below a folder of its own. Everything
// that our program asks of macOS goes through its real code, and ends in this library.
import { dlopen, ptr } from "bun:ffi";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemLibrary } from "../../../src/platform/processes/macos-calls.ts";
import type { System } from "../../../src/platform/system.ts";

/** A process that a test records. */
export interface MacProcess {
  pid: number;
  parent?: number;
  group?: number;
  session?: number;
  /** `SSLEEP` unless said. */
  state?: number;
  /** Our own user unless said. */
  user?: number;
  seconds?: number;
  microseconds?: number;
  footprint?: number;
  /** What `KERN_PROCARGS2` gives. */
  arguments?: Buffer;
}

/** The user that we are among recorded processes. */
export const usOnMac = 501;

export class FakeMac implements System, Disposable {
  readonly platform = "darwin";
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "pccm-mac-")));
  readonly #library: ReturnType<typeof openImitation>;
  /** The library keeps no copies. */
  readonly #texts: Buffer[] = [];

  /** With the processes of this machine, until the first is recorded. */
  constructor() {
    const path = join(this.root, systemLibrary);
    mkdirSync(dirname(path), { recursive: true });
    const source = join(import.meta.dir, "libsystem.c");
    const compiler = ["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", path, source];
    const { success, stderr } = Bun.spawnSync(compiler);
    if (!success) throw new Error(`The imitation does not compile: ${stderr}`);
    this.#library = openImitation(path);
  }

  /** Only these exist from now on. */
  record(...processes: MacProcess[]): void {
    this.#library.imitate_none(usOnMac);
    for (const one of processes) {
      const { pid, parent = 1, group = pid, session = group, state = 3, user = usOnMac } = one;
      const { seconds = 1_700_000_000, microseconds = pid, footprint = 0 } = one;
      this.#library.imitate_process(
        pid,
        parent,
        group,
        session,
        state,
        user,
        seconds,
        microseconds,
        footprint,
      );
      if (!one.arguments) continue;
      this.#texts.push(one.arguments);
      this.#library.imitate_arguments(ptr(one.arguments), one.arguments.length);
    }
  }

  recordMemory(pages: { free: number; inactive: number; speculative: number; pageBytes: number }): void {
    const { free, inactive, speculative, pageBytes } = pages;
    this.#library.imitate_memory(free, inactive, speculative, pageBytes);
  }

  recordPressure(level: number): void {
    this.#library.imitate_pressure(level);
  }

  /** How often a single process was asked for. */
  questions(): number {
    return Number(this.#library.imitated_questions());
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Arguments and environment as `KERN_PROCARGS2` gives them. */
export function macArguments(program: string, words: string[], variables: string[] = []): Buffer {
  const count = Buffer.alloc(4);
  count.writeInt32LE(words.length);
  const padding = "\0".repeat(8 - (program.length % 8));
  const texts = [...words, ...variables].map((text) => `${text}\0`).join("");
  return Buffer.concat([count, Buffer.from(`${program}${padding}${texts}`)]);
}

function openImitation(path: string) {
  return dlopen(path, {
    imitate_none: { args: ["u32"], returns: "void" },
    imitate_process: {
      args: ["i32", "i32", "i32", "i32", "i32", "u32", "i64", "i32", "u64"],
      returns: "void",
    },
    imitate_arguments: { args: ["ptr", "u64"], returns: "void" },
    imitate_memory: { args: ["u32", "u32", "u32", "u64"], returns: "void" },
    imitate_pressure: { args: ["i32"], returns: "void" },
    imitated_questions: { args: [], returns: "u64" },
  }).symbols;
}
