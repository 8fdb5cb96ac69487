// One ssh of the user's: what goes in and comes out, how it ends, and why.
import { cleanEnvironment } from "../claude/environment.ts";
import { settledWithin } from "../platform/clock.ts";
import { isNoOrphan } from "../platform/orphans.ts";

/** How long what ssh printed is waited for after its exit, in milliseconds: a jump that it started may keep it open. */
export const lastWordsMs = 500;
/** How much of what ssh prints is kept, in characters. */
const mostWords = 2_000;
/** Exit status of a shell that found no program. */
const notFound = 127;

/** A connection as the one who speaks over it has it. */
export interface Wire {
  /** What comes from the other side, until it ends. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when it has gone, with the reason in words for people. */
  readonly exited: Promise<string>;
  /** If the other side has gone, nobody gets it. */
  write(bytes: Uint8Array): void;
  /** Ends it after what was written. */
  end(): void;
  /** Ends it at once; the first reason stays. */
  kill(because: string): void;
  /** It said something that explains its end. */
  say(words: string): void;
}

/** One ssh, with the jumps and proxies that it starts. */
export class Ssh implements Wire {
  readonly output: ReadableStream<Uint8Array>;
  /** Resolves when it has gone, with the reason in words for people. */
  readonly exited: Promise<string>;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  #words = "";
  #why: string | undefined;

  /** Throws if it cannot be started. */
  constructor(command: string[]) {
    this.#child = isNoOrphan(
      Bun.spawn(command, {
        env: cleanEnvironment(process.env),
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
        // A signal from our terminal does not reach it.
        detached: true,
        windowsHide: true,
      }),
    );
    this.output = this.#child.stdout;
    const heard = this.#listen();
    this.exited = this.#child.exited.then(async (code) => {
      // Jumps and proxies that it started.
      this.#endGroup();
      await settledWithin(
        heard.catch(() => undefined),
        lastWordsMs,
      );
      return this.#reason(code);
    });
  }

  write(bytes: Uint8Array): void {
    const { stdin } = this.#child;
    try {
      // Rejects when the other side has gone, which the exit shows.
      for (const done of [stdin.write(bytes), stdin.flush()])
        if (done instanceof Promise) done.catch(() => undefined);
    } catch {
      // See above.
    }
  }

  end(): void {
    try {
      const done = this.#child.stdin.end();
      if (done instanceof Promise) done.catch(() => undefined);
    } catch {
      // It has gone.
    }
  }

  /** Ends it at once; the first reason stays. */
  kill(because: string): void {
    this.#why ??= because;
    this.#child.kill("SIGKILL");
    this.#endGroup();
  }

  #endGroup(): void {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Nothing is left of it.
    }
  }

  /** It said something that explains its end. */
  say(words: string): void {
    this.#words = `${words}\n${this.#words}`;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr)
      this.#words = (this.#words + decoder.decode(bytes, { stream: true })).slice(-mostWords);
  }

  #reason(code: number): string {
    if (this.#why !== undefined) return this.#why;
    if (code === notFound) return "our program is not there any more";
    const [last] = this.#words.trim().split("\n").slice(-1);
    return last === undefined || last === "" ? "the connection ended" : last.trim();
  }
}
