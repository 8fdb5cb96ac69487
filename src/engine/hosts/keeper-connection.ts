// One connection to a far keeper: what the other side asks, and what it is answered.
import { BadFrame, FrameCutter, frameOf } from "../../far/frames.ts";
import { protocol } from "../../far/greeting.ts";
import { type FromKeeper, type ToKeeper, toKeeper } from "../../far/messages.ts";
import { product } from "../../model/product.ts";
import { unreachable } from "../../model/unreachable.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { HowToEnd } from "../attempt/session-host.ts";
import type { FarBatch } from "./far-batch.ts";
import type { FarKeeper } from "./far-keeper.ts";
import type { Listener } from "./far-session.ts";
import type { FarSlot } from "./far-slots.ts";

/** What only the runner of a batch asks; and of that, what is about one of its sessions. */
type Asked = Exclude<ToKeeper, { type: "hello" | "status" | "prune" | "drain" | "renew" }>;
type AboutSession = Extract<ToKeeper, { type: "input" | "end" | "read" | "got" | "forget" }>;

/** How often a sign of life is given while something long comes, in milliseconds. */
const answerEveryMs = 1_000;

/** Where its bytes go. */
export interface Line {
  write(bytes: Uint8Array): void;
  /** Ends it after what was written. */
  end(): void;
}

/** What a keeper knows of Claude Code on its machine. */
export interface OwnClaude {
  version?: string;
  problem?: string;
}

interface ConnectionParts {
  keeper: FarKeeper;
  line: Line;
  claude(): Promise<OwnClaude>;
  /** Somebody has asked who speaks another protocol: a program of another version is there, too. */
  outdated(): void;
  /** Something is different on this machine, which only the next keeper can see. */
  renew(): void;
}

export class KeeperConnection implements Listener, Disposable {
  readonly #parts: ConnectionParts;
  readonly #cutter = new FrameCutter();
  readonly #tickets = new Map<string, FarSlot>();
  #batch: FarBatch | undefined;
  #mayAsk = false;
  #isOver = false;
  /** What takes time is done in order. */
  #turn: Promise<void> = Promise.resolve();
  #saidRoom = "";
  /** When it last said that it hears the other side, on the monotonic clock, in milliseconds. */
  #answeredAt = performance.now();
  #isUsed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Its sessions go on. What was reserved and not used is free again. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.lapsed();
    const { keeper } = this.#parts;
    const batch = this.#batch;
    if (!batch) return;
    keeper.letGo(batch, this);
    // A file may be on its way to the disk.
    void this.#turn.then(() => keeper.tidy(batch.id)).catch(() => undefined);
  }

  replaced(): void {
    this.#refuse("replaced", "another runner has the batch");
  }

  /** What was reserved and not used is free again. */
  lapsed(): void {
    for (const slot of this.#tickets.values()) this.#parts.keeper.release(slot);
    this.#tickets.clear();
  }

  send(message: FromKeeper, body?: Uint8Array): void {
    if (!this.#isOver) this.#parts.line.write(frameOf(message, body));
  }

  /** Whether the other side got what it wanted: a runner that is refused comes again and again. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  receive(bytes: Uint8Array): void {
    try {
      this.#hear();
      for (const { header, body } of this.#cutter.push(bytes)) {
        if (this.#isOver) return;
        const message = toKeeper.safeParse(header);
        if (message.success) this.#take(message.data, body);
        else this.#refuse("protocol", `it was sent what no version ${product.version} sends`);
      }
    } catch (error) {
      // Other batches must not suffer from it.
      this.#refuse(error instanceof BadFrame ? "protocol" : "trouble", messageOf(error));
    }
  }

  // A long message may be on its way for minutes, and both sides must know meanwhile that the other one lives.
  #hear(): void {
    const batch = this.#batch;
    if (!batch?.isOf(this)) return;
    batch.hear();
    if (performance.now() - this.#answeredAt < answerEveryMs) return;
    this.#answeredAt = performance.now();
    this.send({ type: "leased" });
  }

  /** Says how much room there is, if that has changed. */
  sayRoom(): void {
    if (!this.#batch) return;
    const room = this.#parts.keeper.room();
    const said = JSON.stringify(room);
    if (said === this.#saidRoom) return;
    this.#saidRoom = said;
    this.send(room);
  }

  #take(message: ToKeeper, body: Uint8Array): void {
    if (message.type === "hello" || message.type === "status") this.#begin(message);
    else if (message.type === "prune") this.#prune();
    else if (message.type === "drain") this.#drain(message);
    else if (message.type === "renew") this.#renew();
    else if (this.#batch?.isOf(this)) this.#act(this.#batch, message, body);
    else if (this.#batch) this.#refuse("replaced", "another runner has the batch");
    else this.#refuse("protocol", "nobody said who it was");
  }

  #begin(message: Extract<ToKeeper, { type: "hello" | "status" }>): void {
    if (message.protocol !== protocol) {
      this.#refuse(
        "protocol",
        `it runs version ${product.version}, which does not understand version ${message.version}`,
      );
      this.#parts.outdated();
    } else if (message.type === "hello") this.#welcome(message);
    else {
      this.#mayAsk = true;
      this.#isUsed = true;
      this.#after(async () => {
        const overview = { ...this.#parts.keeper.overview(), claude: await this.#parts.claude() };
        this.send({ type: "status", version: product.version, overview });
      });
    }
  }

  #welcome(message: Extract<ToKeeper, { type: "hello" }>): void {
    const { keeper, claude } = this.#parts;
    const batch = keeper.hello(message, this);
    if (!batch) {
      this.#refuse("replaced", "another runner has the batch");
      return;
    }
    this.#batch = batch;
    this.#isUsed = true;
    this.#after(async () => {
      const folder = keeper.filesOf(batch.id);
      const { version } = product;
      this.send({ type: "welcome", version, folder, claude: await claude(), fetches: true });
      this.sayRoom();
    });
  }

  #prune(): void {
    if (this.#mayAsk)
      this.#after(async () => this.send({ type: "pruned", ...(await this.#parts.keeper.prune()) }));
    else this.#refuse("protocol", "nobody said who it was");
  }

  #drain(message: Extract<ToKeeper, { type: "drain" }>): void {
    const { keeper } = this.#parts;
    if (!this.#mayAsk) this.#refuse("protocol", "nobody said who it was");
    else
      this.#after(async () => {
        await keeper.setDrained(message);
        this.send({ type: "drained" });
      });
  }

  #renew(): void {
    if (!this.#mayAsk) {
      this.#refuse("protocol", "nobody said who it was");
      return;
    }
    this.#parts.renew();
    this.send({ type: "renewing", isNow: this.#parts.keeper.isIdle });
  }

  #act(batch: FarBatch, message: Asked, body: Uint8Array): void {
    const { keeper } = this.#parts;
    switch (message.type) {
      case "lease":
        this.send({ type: "leased" });
        break;
      case "claude":
        this.#after(async () => this.send({ type: "claude", claude: await this.#parts.claude() }));
        break;
      case "reserve":
        this.#reserve(message);
        break;
      case "release":
        this.#release(message.ticket);
        break;
      case "put":
        this.#after(() => keeper.put(batch.id, message.name, body));
        break;
      case "start":
        this.#after(() => this.#start(batch, message));
        break;
      case "ready":
        keeper.ready(message.id);
        break;
      case "tree":
        void keeper.tree(batch, message, body, this).catch((error) => this.#trouble(error));
        break;
      default:
        this.#actOn(batch, message, body);
    }
  }

  #actOn(batch: FarBatch, message: AboutSession, body: Uint8Array): void {
    const { keeper } = this.#parts;
    const { id } = message;
    const session = keeper.session(batch, id);
    if (!session) {
      // It may still be on its way.
      if (message.type === "end") keeper.callOff(id);
      this.send({ type: "unknown", id });
      return;
    }
    switch (message.type) {
      case "input":
        session.input(
          batch.epoch,
          message.number,
          message.close ? undefined : new TextDecoder().decode(body),
        );
        this.send({ type: "took", id, number: message.number });
        break;
      case "end":
        void keeper
          .end(session, howToEnd(message))
          .then((ended) => this.send({ type: "ended", id, ...ended }))
          .catch((error) => this.#trouble(error));
        break;
      case "read":
        session.read(this, message.from);
        break;
      case "got":
        session.got(this, message.to);
        break;
      case "forget":
        if (keeper.forget(session)) this.send({ type: "unknown", id });
        break;
      default:
        unreachable(message);
    }
  }

  #reserve({ ticket, footprintKey, isCheck = false }: Extract<ToKeeper, { type: "reserve" }>): void {
    const reserved = this.#parts.keeper.reserve(footprintKey, { isCheck });
    if (reserved.kind === "full") {
      this.send({ type: "full", ticket, because: reserved.because });
      return;
    }
    this.#tickets.set(ticket, reserved.slot);
    this.send({ type: "reserved", ticket });
  }

  #release(ticket: string): void {
    const slot = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (slot) this.#parts.keeper.release(slot);
  }

  async #start(batch: FarBatch, message: Extract<ToKeeper, { type: "start" }>): Promise<void> {
    const { keeper } = this.#parts;
    const { ticket, id, footprintKey } = message;
    let slot = ticket === undefined ? undefined : this.#tickets.get(ticket);
    if (ticket !== undefined) this.#tickets.delete(ticket);
    if (ticket !== undefined && !slot && !keeper.session(batch, id)) {
      // The connection in which it was reserved has ended.
      const reserved = keeper.reserve(footprintKey);
      if (reserved.kind === "full") {
        this.send({ type: "failed", id, kind: "passing", message: reserved.because });
        return;
      }
      slot = reserved.slot;
    }
    this.send(await keeper.start(batch, message, slot));
    if (slot) this.sayRoom();
  }

  #after(act: () => Promise<void>): void {
    this.#turn = this.#turn
      .then(() => (this.#isOver ? undefined : act()))
      .catch((error) => this.#trouble(error));
  }

  #trouble(error: unknown): void {
    this.#refuse("trouble", messageOf(error));
  }

  #refuse(kind: Extract<FromKeeper, { type: "refused" }>["kind"], because: string): void {
    if (this.#isOver) return;
    this.send({ type: "refused", kind, because });
    this.#parts.line.end();
    this[Symbol.dispose]();
  }
}

// Its input is closed by a message of its own.
function howToEnd({ graceMs, isUnasked }: Extract<ToKeeper, { type: "end" }>): HowToEnd {
  return {
    answered: new Promise<never>(() => undefined),
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(isUnasked ? { isUnasked } : {}),
  };
}
