// The connection to one far machine: an ssh of the user's, started again whenever it ends, with what it says in between.
import { cleanEnvironment } from "../../claude/environment.ts";
import { BadFrame, FrameCutter, frameOf } from "../../far/frames.ts";
import { Greeted } from "../../far/greeting.ts";
import { type FromKeeper, fromKeeper, type ToKeeper } from "../../far/messages.ts";
import { clock, type RhythmName, rhythms, settledWithin } from "../../platform/clock.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { messageOf } from "../../platform/system-error.ts";

/** How long to wait before another try, in milliseconds: at first, and at most. */
const againMs = { first: 200, most: 15_000 } as const;
/** How long the far side may take to welcome us, in milliseconds. */
const welcomeMs = 45_000;
/** How long a connection must last before the next one is tried at once again, in milliseconds. */
const lastingMs = 10_000;
/** How long what ssh printed is waited for after its exit, in milliseconds: a jump that it started may keep it open. */
const lastWordsMs = 500;
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
  /** On the monotonic clock, in milliseconds: since when it is up or down, and when the last try began that failed. */
  #changedAt = performance.now();
  #triedAt = this.#changedAt;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#state = { kind: "down", since: Date.now(), because: "connecting" };
    this.#connect();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** For how long there has been no connection, in milliseconds without those in which this machine slept. */
  get downMs(): number {
    return this.#state.kind === "up" ? 0 : performance.now() - this.#changedAt;
  }

  /** Whether a try has failed that began after so long without a connection: a pause of this process alone says nothing. */
  hasStayedDown(ms: number): boolean {
    return this.#state.kind === "down" && this.#failedAt - this.#changedAt >= ms;
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
    this.#triedAt = performance.now();
    try {
      const command = this.#parts.command();
      if ("problem" in command) this.#down(command.problem);
      else this.#run(new Ssh(command.words));
    } catch (error) {
      this.#down(`ssh could not be started: ${messageOf(error)}`);
    }
  }

  #run(ssh: Ssh): void {
    this.#ssh = ssh;
    const slow = setTimeout(() => ssh.kill("it did not answer in time"), welcomeMs);
    ssh.write(frameOf(this.#parts.hello()));
    const read = this.#read(ssh, () => clearTimeout(slow));
    // What another process of ssh's still holds open may never end.
    void Promise.race([read, ssh.exited.then(() => settledWithin(read, lastWordsMs))])
      .catch((error) => {
        // What cannot be read may be read in another connection; anything else is a fault of ours.
        if (error instanceof BadFrame || error instanceof NoGreeting) ssh.kill(error.message);
        else this.#parts.failed(error);
      })
      .then(() => ssh.exited)
      .then((because) => {
        clearTimeout(slow);
        this.#down(because);
      })
      .catch((error) => this.#parts.failed(error));
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
    if (this.#ssh !== ssh) return;
    switch (message.type) {
      case "refused":
        // It ends the connection itself.
        ssh.kill(message.because);
        break;
      case "welcome":
        welcomed();
        this.#state = { kind: "up" };
        this.#changedAt = performance.now();
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
    if (this.#state.kind === "up") {
      if (performance.now() - this.#changedAt > lastingMs) this.#pauseMs = againMs.first;
      this.#changedAt = performance.now();
    } else this.#failedAt = this.#triedAt;
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

/** How often a sign of life is sent for a lease of so many milliseconds: several times in it. */
function rhythmFor(leaseMs: number): RhythmName {
  const often = (["heartbeat", "rest", "second"] as const).find((one) => rhythms[one].everyMs <= leaseMs / 4);
  return often ?? "beat";
}

/** Gives signs of life until disposed of, and makes another connection if there is no answer to them for too long. */
export function keepAlive(
  link: FarLink,
  { leaseMs, silentMs }: { leaseMs: number; silentMs: number },
): Disposable {
  return clock.on(rhythmFor(leaseMs), () => {
    if (link.state.kind !== "up") return;
    if (performance.now() - link.leasedAt > silentMs) link.restart("it gave no sign of life");
    else link.send({ type: "lease" });
  });
}
