// What all rows share: a throwaway directory, the program as it stands, and the programs in C.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, executable } from "../build.ts";
import { outputOf } from "../command.ts";
import { targetOfThisMachine } from "../release/this-machine.ts";
import { Skipped } from "./row.ts";

/** How much is measured. */
export interface Extent {
  rounds: number;
  tasks: number;
  concurrency: number;
}

/** What a process cost; only in `allMs` with its children. */
export interface Cost {
  wallMs: number;
  userMs: number;
  systemMs: number;
  /** Processor time with that of all its children. */
  allMs: number;
  peakBytes: number;
  /** The most memory that it had for itself at once, seen every 10 ms. */
  anonymousBytes: number;
}

// In memory where the system has such a place: ext4 takes up to half a millisecond to make a file while it remembers
// many that were deleted within the last minute, and would drown what is to be compared. `TMPDIR` overrules this.
function place(): string {
  return process.env["TMPDIR"] === undefined && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

export class Workshop implements Disposable {
  readonly directory = realpathSync(mkdtempSync(join(place(), "pccm-bench-")));
  readonly extent: Extent;
  /** Another checkout to compare this one with. */
  readonly beside: string | undefined;
  readonly #given: string | undefined;
  #built: Promise<string> | undefined;
  readonly #compiled = new Map<string, Promise<string>>();
  #count = 0;

  /** `program`: an executable to measure instead of what the sources give now. */
  constructor(
    extent: Extent,
    { program, beside }: { program?: string | undefined; beside?: string | undefined } = {},
  ) {
    this.extent = extent;
    this.beside = beside;
    this.#given = program;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A small environment, the same for all that is measured, with everything below our directory. */
  get environment(): Record<string, string> {
    return this.environmentIn(this.directory);
  }

  /** The same, with everything below another directory. */
  environmentIn(directory: string): Record<string, string> {
    return {
      HOME: directory,
      PATH: process.env["PATH"] ?? "",
      PARALLEL_CLAUDE_STATE_DIRECTORY: join(directory, "state"),
      PARALLEL_CLAUDE_OUTPUT_DIRECTORY: join(directory, "output"),
    };
  }

  /** A new empty directory. */
  newDirectory(): string {
    const path = join(this.directory, `d${++this.#count}`);
    mkdirSync(path);
    return path;
  }

  /** The executable, built from the sources once, so that nobody else's build changes it in between. */
  program(): Promise<string> {
    this.#built ??= this.#given === undefined ? this.#build() : Promise.resolve(this.#given);
    return this.#built;
  }

  /** The executable of a checkout, as `bun run build` makes it there. */
  async programOf(checkout: string): Promise<string> {
    await outputOf([process.execPath, "scripts/build.ts"], { cwd: checkout });
    const path = join(this.directory, `program-${++this.#count}`);
    copyFileSync(join(checkout, "dist", basename(executable)), path);
    return path;
  }

  /** A `claude` that answers at once. */
  child(): Promise<string> {
    return this.#compile("child");
  }

  /** A `claude` that takes as long to start and to answer as its environment says: see `session.c`. */
  session(): Promise<string> {
    return this.#compile("session");
  }

  /** Runs a command to its end, and returns what it cost. Throws if it fails. */
  async cost(command: string[], environment = this.environment): Promise<Cost> {
    const figures = join(this.directory, `cost-${++this.#count}.json`);
    const measured = Bun.spawn([await this.#compile("measure"), figures, ...command], {
      cwd: this.directory,
      env: environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [code, said] = await Promise.all([measured.exited, measured.stderr.text()]);
    if (code !== 0)
      throw new Error(`${command.slice(0, 3).join(" ")} … ended with ${code}: ${said.slice(-1000)}`);
    return costFrom(await Bun.file(figures).json());
  }

  async #build(): Promise<string> {
    const path = join(this.directory, "program");
    // What is released: on x64, that is the runtime for processors without AVX2.
    await build(path, (await targetOfThisMachine())?.compiler);
    return path;
  }

  #compile(name: "child" | "measure" | "session"): Promise<string> {
    const compiled = this.#compiled.get(name) ?? this.#compileAnew(name);
    this.#compiled.set(name, compiled);
    return compiled;
  }

  async #compileAnew(name: string): Promise<string> {
    if (process.platform !== "linux") throw new Skipped("it reads /proc, which only Linux has");
    const compiler = Bun.which("cc");
    if (compiler === null) throw new Skipped("there is no `cc` on the PATH");
    const path = join(this.directory, name);
    const source = join(import.meta.dir, `${name}.c`);
    const compiling = Bun.spawn([compiler, "-O2", "-static", "-o", path, source], { stderr: "pipe" });
    const [code, errors] = await Promise.all([compiling.exited, compiling.stderr.text()]);
    if (code !== 0) throw new Skipped(`\`cc -static\` fails: ${errors.trim().split("\n", 1)[0]}`);
    return path;
  }
}

function costFrom(value: unknown): Cost {
  const numberOf = (name: keyof Cost): number => {
    const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== "number") throw new Error(`Internal error: no ${name} among the figures`);
    return found;
  };
  return {
    wallMs: numberOf("wallMs"),
    userMs: numberOf("userMs"),
    systemMs: numberOf("systemMs"),
    allMs: numberOf("allMs"),
    peakBytes: numberOf("peakBytes"),
    anonymousBytes: numberOf("anonymousBytes"),
  };
}
