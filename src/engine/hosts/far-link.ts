// The connection to one far machine: an ssh of the user's, started again whenever it ends, with what it says in between.
import { cleanEnvironment } from "../../claude/environment.ts";
import { BadFrame, FrameCutter, frameOf } from "../../far/frames.ts";
import { Greeted } from "../../far/greeting.ts";
import { type FromKeeper, fromKeeper, type ToKeeper } from "../../far/messages.ts";
import { clock } from "../../platform/clock.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { messageOf } from "../../platform/system-error.ts";

/** How long to wait before another try, in milliseconds: at first, and at most. */
const againMs = { first: 200, most: 15_000 } as const;
/** How long the far side may take to welcome us, in milliseconds. */
const welcomeMs = 45_000;
/** How much of what ssh prints is kept, in characters. */
const mostWords = 2_000;
/** Exit status of a shell that found no program. */
const notFound = 127;

/** Whether there is a connection; if not, since when (milliseconds since 1970), and why. */
export type LinkState = { kind: "up" } | { kind: "down"; since: number; because: string };

interface LinkParts {
  name: string;
  /** The command that starts the relay there; or why there is none. */
  command(): { words: string[] } | { problem: string };
  hello(): ToKeeper;
  /** The far side has welcomed us: what is not known to have arrived must be said again. */
  opened(welcome: Extract<FromKeeper, { type: "welcome" }>): void;
  received(message: FromKeeper, body: Uint8Array): void;
  /** An internal error. */
  failed(error: unknown): void;
}

export class FarLink implements Disposable {
  readonly #parts: LinkParts;
  #state: LinkState;
  #ssh: Ssh | undefined;
  #timer: Timer | undefined;
  #pauseMs: number = againMs.first;
  #isClosed = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#state = { kind: "down", since: Date.now(), because: "connecting" };
    this.#connect();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** When the far side last answered a sign of life, on the monotonic clock, in milliseconds. */
  leasedAt = Number.NEGATIVE_INFINITY;

  /** Sends, if there is a connection. If not, or if it ends now, nobody gets it. */
  send(message: ToKeeper, body?: Uint8Array): void {
    if (this.#state.kind === "up") this.#ssh?.write(frameOf(message, body));
  }

  /** Ends the connection, after what was sent. What runs there goes on. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ssh?.end();
  }

  #connect(): void {
    const command = this.#parts.command();
    if ("problem" in command) {
      this.#down(command.problem);
      return;
    }
    try {
      this.#run(new Ssh(command.words));
    } catch (error) {
      this.#down(`ssh could not be started: ${messageOf(error)}`);
    }
  }

  #run(ssh: Ssh): void {
    this.#ssh = ssh;
    const slow = setTimeout(() => ssh.kill("it did not answer in time"), welcomeMs);
    ssh.write(frameOf(this.#parts.hello()));
    void this.#read(ssh, () => clearTimeout(slow))
      .catch((error) => {
        // What cannot be read may be read in another connection; anything else is a fault of ours.
        if (error instanceof BadFrame || error instanceof NoGreeting) ssh.kill(error.message);
        else this.#parts.failed(error);
      })
      .then(() => ssh.exited)
      .then((because) => {
        clearTimeout(slow);
        this.#down(because);
      });
  }

  async #read(ssh: Ssh, welcomed: () => void): Promise<void> {
    const greeted = new Greeted();
    const cutter = new FrameCutter();
    for await (const bytes of ssh.output) {
      for (const { header, body } of cutter.push(behindGreeting(greeted, bytes))) {
        const message = fromKeeper.safeParse(header);
        if (!message.success) throw new BadFrame("it says what this version does not understand");
        this.#take(ssh, message.data, body, welcomed);
      }
    }
    if (!greeted.isFound && greeted.words !== "") ssh.say(greeted.words);
  }

  #take(ssh: Ssh, message: FromKeeper, body: Uint8Array, welcomed: () => void): void {
    switch (message.type) {
      case "refused":
        // It ends the connection itself.
        ssh.kill(message.because);
        break;
      case "welcome":
        welcomed();
        this.#state = { kind: "up" };
        this.#pauseMs = againMs.first;
        this.leasedAt = performance.now();
        this.#parts.opened(message);
        break;
      case "leased":
        this.leasedAt = performance.now();
        break;
      default:
        this.#parts.received(message, body);
    }
  }

  #down(because: string): void {
    const since = this.#state.kind === "down" ? this.#state.since : Date.now();
    this.#ssh = undefined;
    this.#state = { kind: "down", since, because };
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(againMs.most, this.#pauseMs * 2);
  }

  /** Ends the connection, so that another one is made: it has been silent for too long. */
  restart(because: string): void {
    this.#ssh?.kill(because);
  }
}

class NoGreeting extends Error {}

function behindGreeting(greeted: Greeted, bytes: Uint8Array): Uint8Array {
  try {
    return greeted.push(bytes);
  } catch (error) {
    throw new NoGreeting(messageOf(error));
  }
}

/** One ssh. */
class Ssh {
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
    this.exited = Promise.all([this.#child.exited, heard]).then(([code]) => this.#reason(code));
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

/** Calls this every few seconds, until disposed of: signs of life, and whether there was an answer to them. */
export function keepAlive(link: FarLink, silentMs: number): Disposable {
  return clock.on("heartbeat", () => {
    if (link.state.kind !== "up") return;
    if (performance.now() - link.leasedAt > silentMs) link.restart("it gave no sign of life");
    else link.send({ type: "lease" });
  });
}
