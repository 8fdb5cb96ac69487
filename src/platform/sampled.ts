// A figure about the machine from a system command, without waiting for the command at every call.

/** How often a command is run, and whether the first call waits for it. */
export interface Sampling {
  everyMs: number;
  /** Whether the first call waits. Otherwise it returns undefined, and later calls the newest figure. */
  waitsAtFirst: boolean;
}

/** A command that hangs is killed after this time, in milliseconds. */
const mostMs = 20_000;

/** A figure from a command's output, refreshed in the background once it is old. */
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

  /** The newest figure; undefined if there is none yet, or the command failed. Never throws. */
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
      // Must not keep the process alive. Bun's own timeout would.
      child.unref();
      const limit = setTimeout(() => child.kill("SIGKILL"), mostMs).unref();
      const [code, output] = await Promise.all([child.exited, child.stdout.text()]);
      clearTimeout(limit);
      this.#figure = code === 0 ? this.#parse(output) : undefined;
    } catch {
      // No such command, or no process can be started now: no figure.
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
