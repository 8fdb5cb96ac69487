// Commands in a terminal of their own, as a person runs them.
import { rowOf } from "../src/platform/process.ts";
import { eventually, type Home, program } from "./harness.ts";
import { Screen } from "./screen.ts";

interface Extent {
  columns?: number;
  rows?: number;
  environment?: Record<string, string>;
  /** Another command than ours. */
  command?: readonly string[];
}

/** A command whose input and outputs are a terminal. */
export class TerminalCommand implements AsyncDisposable {
  readonly screen: Screen;
  readonly #child: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  #written = "";

  constructor(home: Pick<Home, "work" | "environment">, args: readonly string[], extent: Extent = {}) {
    const { columns = 80, rows = 24, environment = {}, command = program() } = extent;
    this.screen = new Screen(columns, rows);
    const decoder = new TextDecoder();
    // A terminal made beforehand would not be the controlling one: Ctrl-C and the size would not reach the child.
    this.#child = Bun.spawn([...command, ...args], {
      cwd: home.work,
      env: { TERM: "xterm-256color", ...home.environment, ...environment },
      terminal: {
        cols: columns,
        rows,
        data: (_, bytes) => {
          const text = decoder.decode(bytes, { stream: true });
          this.#written += text;
          this.screen.write(text);
        },
      },
    });
    const { terminal } = this.#child;
    if (!terminal) throw new Error("No terminal was made");
    this.#terminal = terminal;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Every byte so far, as text. */
  get written(): string {
    return this.#written;
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#terminal.resize(columns, rows);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the screen shows a text, or what a pattern means. */
  shows(expected: string | RegExp): Promise<void> {
    const holds = () =>
      typeof expected === "string" ? this.screen.text.includes(expected) : expected.test(this.screen.text);
    return eventually(holds, () => `it shows ${expected}, but\n${this.screen.text}`);
  }

  /** Waits until Ctrl-Z has stopped it. A SIGCONT before that would be lost, and nobody would ever wake it. */
  stopped(): Promise<void> {
    const state = () => rowOf(this.pid)?.state;
    return eventually(
      () => state()?.startsWith("T") === true,
      () => `it is not stopped: ${state()}`,
    );
  }

  /** Its exit status, once all that it wrote has been drawn. */
  async ended(): Promise<number> {
    const code = await this.#child.exited;
    // The last bytes may still be on their way from the terminal's other end.
    await Bun.sleep(50);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#terminal.close();
  }
}
