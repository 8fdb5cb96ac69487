// A keeper of a far machine in the process of a test, whose sessions run nothing, and connections to it.
import { mkdirSync, writeFileSync } from "node:fs";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import type { HowToEnd, Start } from "../../src/engine/attempt/session-host.ts";
import { FarKeeper, type Planned } from "../../src/engine/hosts/far-keeper.ts";
import type { Listener } from "../../src/engine/hosts/far-session.ts";
import { FarSlots } from "../../src/engine/hosts/far-slots.ts";
import { KeeperConnection } from "../../src/engine/hosts/keeper-connection.ts";
import type { SharedSlots } from "../../src/engine/shared/shared-store.ts";
import { FrameCutter, frameOf } from "../../src/far/frames.ts";
import { greeting, protocol } from "../../src/far/greeting.ts";
import { type FromKeeper, fromKeeper, type ToKeeper } from "../../src/far/messages.ts";
import type { Wire } from "../../src/far/ssh-process.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { eventually } from "../harness.ts";
import type { Inside } from "../inside.ts";

/** Slots without an end. */
function slotsWithoutEnd(): { slots: SharedSlots; taken: Set<number> } {
  const taken = new Set<number>();
  let last = 0;
  const claim = () => {
    taken.add(++last);
    return last;
  };
  const slots: SharedSlots = {
    claim,
    claimUnwaited: claim,
    force: claim,
    inherit: () => [],
    release: (slot) => void taken.delete(slot),
    releaseAll: () => taken.clear(),
    taken: () => taken.size,
    surplus: () => 0,
    stopWaiting: () => undefined,
    yields: () => false,
  };
  return { slots, taken };
}

/** A keeper in a home, with the sessions that it has started. */
export function keeperIn(
  inside: Inside,
  {
    name = "far",
    onStart = () => undefined,
    planOf,
  }: {
    /** Of its folder. */
    name?: string;
    onStart?: (id: string) => unknown;
    planOf?: (start: Extract<ToKeeper, { type: "start" }>) => Planned;
  } = {},
) {
  const folder = inside.file(name);
  mkdirSync(folder, { recursive: true });
  const { slots, taken } = slotsWithoutEnd();
  const sessions = new Map<string, { exit(how: Exit): void; ended: HowToEnd[]; isClosed: boolean }>();
  const start = async ({
    startName,
    transcript,
  }: {
    startName: string;
    transcript: string;
  }): Promise<Start> => {
    writeFileSync(transcript, "");
    const { promise, resolve } = Promise.withResolvers<Exit>();
    const known = { exit: resolve, ended: [] as HowToEnd[], isClosed: false };
    sessions.set(startName, known);
    await onStart(startName);
    return {
      started: true,
      session: {
        ref: ownIdentity(),
        output: new TranscriptReader(transcript),
        write: () => undefined,
        closeInput: () => {
          known.isClosed = true;
        },
        exited: promise,
        end: async (how = {}) => {
          known.ended.push(how);
          resolve({ signal: "SIGKILL" });
          return [];
        },
      },
    };
  };
  const keeper = new FarKeeper({
    folder,
    host: {
      start,
      adopt: () => ({
        ref: ownIdentity(),
        write: () => undefined,
        closeInput: () => undefined,
        exited: new Promise<Exit>(() => undefined),
        end: async () => [],
        output: undefined,
      }),
    },
    slots: new FarSlots({ slots, starts: slotsWithoutEnd().slots }),
    planOf: (start) => {
      const { marker, initialize, directory } = start;
      const plan = { marker, initialize, environment: {}, workingDirectory: directory, command: ["none"] };
      return planOf?.(start) ?? { kind: "planned", plan };
    },
    whyWait: () => undefined,
    started: () => undefined,
  });
  return { keeper, folder, taken, sessions };
}

export const hello = (
  more: Partial<Extract<ToKeeper, { type: "hello" }>> = {},
): Extract<ToKeeper, { type: "hello" }> => ({
  type: "hello",
  protocol,
  version: "1",
  batch: "abcd2345",
  epoch: 1,
  leaseMs: 60_000,
  onLostHost: "wait",
  sessions: [],
  trees: [],
  ...more,
});

export const startOf = (id: string): Extract<ToKeeper, { type: "start" }> => ({
  type: "start",
  id,
  marker: id,
  program: { kind: "claude" },
  arguments: [],
  directory: "/",
  variables: {},
  initialize: "",
  footprintKey: "",
  mostMs: 60_000,
});

/** A connection, and what it was answered. */
export function connectionTo(keeper: FarKeeper) {
  const said: FromKeeper[] = [];
  const outdated: string[] = [];
  const cutter = new FrameCutter();
  const line = {
    write: (bytes: Uint8Array) => {
      for (const { header } of cutter.push(bytes)) said.push(fromKeeper.parse(header));
    },
    end: () => undefined,
  };
  const connection = new KeeperConnection({
    keeper,
    line,
    claude: async () => ({}),
    outdated: () => void outdated.push("outdated"),
    renew: () => void outdated.push("renewed"),
  });
  const until = async <Type extends FromKeeper["type"]>(type: Type) => {
    const find = () => said.find((one): one is Extract<FromKeeper, { type: Type }> => one.type === type);
    await eventually(
      () => find() !== undefined,
      () => JSON.stringify(said),
    );
    return find();
  };
  const say = (message: ToKeeper, body?: Uint8Array) => connection.receive(frameOf(message, body));
  return { connection, said, say, until, outdated };
}

export const nobody: Listener = { send: () => undefined, replaced: () => undefined, lapsed: () => undefined };

/** The connection of a runner to a keeper in this process. */
export class Line implements Wire {
  readonly exited: Promise<string>;
  readonly #exit = Promise.withResolvers<string>();
  readonly #connection: KeeperConnection;
  #queue: Uint8Array[] = [new TextEncoder().encode(greeting)];
  #came = Promise.withResolvers<void>();
  #isOver = false;

  constructor(keeper: FarKeeper) {
    this.exited = this.#exit.promise;
    const line = { write: (bytes: Uint8Array) => this.#bring(bytes), end: () => this.kill("it ended") };
    const nothing = () => undefined;
    this.#connection = new KeeperConnection({
      keeper,
      line,
      claude: async () => ({}),
      outdated: nothing,
      renew: nothing,
    });
  }

  get output(): AsyncIterable<Uint8Array> {
    return this.#all();
  }

  write(bytes: Uint8Array): void {
    if (!this.#isOver) this.#connection.receive(bytes);
  }

  end(): void {
    this.kill("it was ended");
  }

  kill(because: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection[Symbol.dispose]();
    this.#came.resolve();
    this.#exit.resolve(because);
  }

  say(): void {
    // Nothing comes before the greeting.
  }

  #bring(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#came.resolve();
  }

  async *#all(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#queue.shift();
      if (next) yield next;
      else if (this.#isOver) return;
      else {
        this.#came = Promise.withResolvers();
        await this.#came.promise;
      }
    }
  }
}
