// Commands as real processes that a test can watch and signal while they run.
import { eventually, type Home, program } from "./harness.ts";

/** A command that is still running. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #err: Promise<void>;
  #said = "";

  constructor(home: Home, args: string[]) {
    this.#child = Bun.spawn([...program(), ...args], {
      cwd: home.work,
      env: home.environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#err = this.#listen();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed to stderr so far. */
  get said(): string {
    return this.#said;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until stderr holds a text. */
  says(text: string): Promise<void> {
    return eventually(
      () => this.#said.includes(text),
      () => `it says ${JSON.stringify(text)}, but only ${JSON.stringify(this.#said)}`,
    );
  }

  /** Its exit status, once all of stderr is read. */
  async ended(): Promise<number> {
    const [code] = await Promise.all([this.#child.exited, this.#err]);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#child.stderr) this.#said += decoder.decode(piece, { stream: true });
  }
}

/** A line as it is typed into a shell, where `P` is the program. */
export async function typed(home: Home, line: string): Promise<{ code: number; out: string; err: string }> {
  const words = program().map((word) => `'${word}'`);
  const child = Bun.spawn(["sh", "-c", `P() { ${words.join(" ")} "$@"; }\n${line}`], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}
