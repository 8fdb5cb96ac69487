// What a command of the system says about the machine, without waiting for it at every look.

/** How often a command is asked, and what the first look is worth. */
export interface Sampling {
  everyMs: number;
  /** Whether the first look waits for its answer. Else it gives nothing, and the next looks what has come. */
  waitsAtFirst: boolean;
}

/** A command that hangs is ended after this time, in milliseconds. */
const mostMs = 20_000;

/** A figure out of a command's output that is asked for again behind our back once it is old. */
export class Sampled<Figure> {
  readonly #command: string[];
  readonly #parse: (output: string) => Figure | undefined;
  readonly #sampling: Sampling;
  #figure: Figure | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  constructor(command: string[], parse: (output: string) => Figure | undefined, sampling: Sampling) {
    this.#command = command;
    this.#parse = parse;
    this.#sampling = sampling;
  }

  /** The newest that there is; nothing while there is none, or after the command has failed. Never throws. */
  now(): Figure | undefined {
    const first = this.#askedAt === Number.NEGATIVE_INFINITY;
    if (this.#asking || performance.now() - this.#askedAt < this.#sampling.everyMs) return this.#figure;
    if (first && this.#sampling.waitsAtFirst) this.#askAndWait();
    else void this.#ask();
    return this.#figure;
  }

  #askAndWait(): void {
    try {
      const { success, stdout } = Bun.spawnSync(this.#command, { ...options, timeout: mostMs });
      this.#figure = success ? this.#parse(stdout.toString()) : undefined;
    } catch {
      // There is no such command, so there is no figure.
      this.#figure = undefined;
    }
    this.#askedAt = performance.now();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      const child = Bun.spawn(this.#command, { ...options, stdout: "pipe" });
      // Nobody is to be kept from ending by a look at the machine. Bun's own time limit would do that.
      child.unref();
      const limit = setTimeout(() => child.kill("SIGKILL"), mostMs).unref();
      const [code, output] = await Promise.all([child.exited, child.stdout.text()]);
      clearTimeout(limit);
      this.#figure = code === 0 ? this.#parse(output) : undefined;
    } catch {
      // There is no such command, or no process can be started now: there is no figure.
      this.#figure = undefined;
    }
    this.#askedAt = performance.now();
    this.#asking = false;
  }
}

const options = {
  env: { ...process.env, LC_ALL: "C" },
  stdin: "ignore",
  stderr: "ignore",
  windowsHide: true,
} as const;
