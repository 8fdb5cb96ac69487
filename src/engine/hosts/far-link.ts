// The connection to one far machine: an ssh of the user's, started again whenever it ends, with what it says in between.
import { BadFrame, FrameCutter, frameOf } from "../../far/frames.ts";
import { Greeted } from "../../far/greeting.ts";
import { type FromKeeper, fromKeeper, type ToKeeper } from "../../far/messages.ts";
import { lastWordsMs, type Wire } from "../../far/ssh-process.ts";
import { clock, type RhythmName, rhythms, settledWithin } from "../../platform/clock.ts";
import { messageOf } from "../../platform/system-error.ts";

/** How long to wait before another try, in milliseconds: at first, and at most. */
const againMs = { first: 200, most: 15_000 } as const;
/** How long the far side may take to welcome us, in milliseconds. */
const welcomeMs = 45_000;
/** How long a connection must last before the next one is tried at once again, in milliseconds. */
const lastingMs = 10_000;

/** Whether there is a connection; if not, since when (milliseconds since 1970), and why. */
export type LinkState = { kind: "up" } | { kind: "down"; since: number; because: string };

interface LinkParts {
  name: string;
  /** Begins a connection with the relay there; or says why there is none. May throw. */
  connect(): Wire | { problem: string };
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
  #ssh: Wire | undefined;
  #timer: Timer | undefined;
  #pauseMs: number = againMs.first;
  #isClosed = false;
  #isFirstTry = true;
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

  /** Whether it has been neither made nor refused yet. */
  get isFirstTry(): boolean {
    return this.#isFirstTry;
  }

  /** For how long there has been no connection, in milliseconds without those in which this machine slept. */
  get downMs(): number {
    return this.#state.kind === "up" ? 0 : performance.now() - this.#changedAt;
  }

  /** Whether a try has failed that began after so long without a connection: a pause of this process alone says nothing. */
  hasStayedDown(ms: number): boolean {
    return this.#state.kind === "down" && this.#failedAt - this.#changedAt >= ms;
  }

  /** When the far side last answered a sign of life, after all that it had said before; on the monotonic clock, in milliseconds. */
  leasedAt = Number.NEGATIVE_INFINITY;

  /** When anything last came of it: a long message may take minutes. On the monotonic clock, in milliseconds. */
  heardAt = Number.NEGATIVE_INFINITY;

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
      const wire = this.#parts.connect();
      if ("problem" in wire) this.#down(wire.problem);
      else this.#run(wire);
    } catch (error) {
      this.#down(`ssh could not be started: ${messageOf(error)}`);
    }
  }

  #run(ssh: Wire): void {
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

  async #read(ssh: Wire, welcomed: () => void): Promise<void> {
    const greeted = new Greeted();
    const cutter = new FrameCutter();
    for await (const bytes of ssh.output) {
      if (this.#ssh === ssh) this.heardAt = performance.now();
      for (const { header, body } of cutter.push(behindGreeting(greeted, bytes))) {
        const message = fromKeeper.safeParse(header);
        if (!message.success) throw new BadFrame("it says what this version does not understand");
        this.#take(ssh, message.data, body, welcomed);
      }
    }
    if (!greeted.isFound && greeted.words !== "") ssh.say(greeted.words);
  }

  #take(ssh: Wire, message: FromKeeper, body: Uint8Array, welcomed: () => void): void {
    if (this.#ssh !== ssh) return;
    switch (message.type) {
      case "refused":
        // It ends the connection itself.
        ssh.kill(message.because);
        break;
      case "welcome":
        welcomed();
        this.#isFirstTry = false;
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
    this.#isFirstTry = false;
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

/** How often a sign of life is sent for a lease of this length, in milliseconds: several times in it. */
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
    if (performance.now() - link.heardAt > silentMs) link.restart("it gave no sign of life");
    else link.send({ type: "lease" });
  });
}
