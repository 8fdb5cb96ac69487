// What the keeper of a far machine keeps, and for how long: with sessions that run nothing.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import type { HowToEnd, Start } from "../../src/engine/attempt/session-host.ts";
import { FarKeeper } from "../../src/engine/hosts/far-keeper.ts";
import type { Listener } from "../../src/engine/hosts/far-session.ts";
import { FarSlots } from "../../src/engine/hosts/far-slots.ts";
import { KeeperConnection } from "../../src/engine/hosts/keeper-connection.ts";
import type { SharedSlots } from "../../src/engine/shared/shared-store.ts";
import { FrameCutter, frameOf } from "../../src/far/frames.ts";
import { protocol } from "../../src/far/greeting.ts";
import { type FromKeeper, fromKeeper, type ToKeeper } from "../../src/far/messages.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";

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
function keeperIn(inside: Inside, { onStart = () => undefined }: { onStart?: (id: string) => void } = {}) {
  const folder = inside.file("far");
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
    onStart(startName);
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
    planOf: ({ marker, initialize, directory }) => ({
      kind: "planned",
      plan: { marker, initialize, environment: {}, workingDirectory: directory, command: ["none"] },
    }),
    whyWait: () => undefined,
    started: () => undefined,
  });
  return { keeper, folder, taken, sessions };
}

const hello = (
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

const startOf = (id: string): Extract<ToKeeper, { type: "start" }> => ({
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
function connectionTo(keeper: FarKeeper) {
  const said: FromKeeper[] = [];
  const cutter = new FrameCutter();
  const line = {
    write: (bytes: Uint8Array) => {
      for (const { header } of cutter.push(bytes)) said.push(fromKeeper.parse(header));
    },
    end: () => undefined,
  };
  const connection = new KeeperConnection({ keeper, line, claude: async () => ({}) });
  const until = async <Type extends FromKeeper["type"]>(type: Type) => {
    const find = () => said.find((one): one is Extract<FromKeeper, { type: Type }> => one.type === type);
    await eventually(
      () => find() !== undefined,
      () => JSON.stringify(said),
    );
    return find();
  };
  const say = (message: ToKeeper, body?: Uint8Array) => connection.receive(frameOf(message, body));
  return { connection, said, say, until };
}

const nobody: Listener = { send: () => undefined, replaced: () => undefined, lapsed: () => undefined };

describe("the files of a batch", () => {
  test("stay for its next session, and go when neither a connection nor a session is left", async () => {
    using inside = new Inside();
    const { keeper, folder, sessions } = keeperIn(inside);
    const { connection, say, until, said } = connectionTo(keeper);
    say(hello());
    say({ type: "put", name: "private/servers.json" }, new TextEncoder().encode("{}"));
    say(startOf("one"));
    await until("started");
    sessions.get("one")?.exit({ code: 0 });
    await eventually(
      () => keeper.runningCount === 0,
      () => JSON.stringify(said),
    );
    say({ type: "forget", id: "one" });
    const left = () => readdirSync(join(folder, "abcd2345")).toSorted();
    await eventually(
      () => left().length === 1,
      () => `left: ${left()}`,
    );
    expect(existsSync(join(folder, "abcd2345", "files", "private", "servers.json"))).toBe(true);
    connection[Symbol.dispose]();
    await eventually(
      () => !existsSync(join(folder, "abcd2345")),
      () => "the folder is left",
    );
  });
});

describe("a session whose record cannot be written", () => {
  test("is ended, and counts as not started", async () => {
    using inside = new Inside();
    const folder = inside.file("far");
    const { keeper, sessions } = keeperIn(inside, {
      // What cannot be replaced by a file.
      onStart: (id) => {
        rmSync(join(folder, "abcd2345", `${id}.json`));
        mkdirSync(join(folder, "abcd2345", `${id}.json`, "inside"), { recursive: true });
      },
    });
    const batch = keeper.hello(hello(), nobody);
    if (!batch) throw new Error("the batch is refused");
    const answer = await keeper.start(batch, startOf("one"), undefined);
    expect(answer).toMatchObject({ type: "failed", kind: "passing" });
    expect(sessions.get("one")?.ended).toHaveLength(1);
    expect(keeper.runningCount).toBe(0);
  });
});

describe("when another runner takes over a batch", () => {
  test("a session that was being started for the one before is ended", async () => {
    using inside = new Inside();
    let takeOver = () => undefined as unknown;
    const { keeper, sessions } = keeperIn(inside, { onStart: () => void takeOver() });
    const batch = keeper.hello(hello(), nobody);
    if (!batch) throw new Error("the batch is refused");
    takeOver = () => keeper.hello(hello({ epoch: 2 }), nobody);
    expect(await keeper.start(batch, startOf("one"), undefined)).toMatchObject({ type: "failed" });
    expect(sessions.get("one")?.ended).toHaveLength(1);
  });

  test("sessions that the log does not know are ended and forgotten, and the others go on", async () => {
    using inside = new Inside();
    const { keeper, sessions } = keeperIn(inside);
    const batch = keeper.hello(hello(), nobody);
    if (!batch) throw new Error("the batch is refused");
    for (const id of ["known", "unknown"]) await keeper.start(batch, startOf(id), undefined);
    keeper.session(batch, "known")?.input(1, 1, "prompt");
    keeper.hello(hello({ epoch: 2, sessions: ["known"] }), nobody);
    await eventually(
      () => keeper.session(batch, "unknown") === undefined,
      () => "the session is kept",
    );
    expect(sessions.get("unknown")?.ended).toHaveLength(1);
    expect(sessions.get("known")).toMatchObject({ ended: [], isClosed: false });
  });

  test("what the connection before has reserved is free again", () => {
    using inside = new Inside();
    const { keeper, taken } = keeperIn(inside);
    const [one, other] = [connectionTo(keeper), connectionTo(keeper)];
    one.say(hello());
    one.say({ type: "reserve", ticket: "1", footprintKey: "" });
    expect(taken.size).toBe(1);
    other.say(hello());
    expect(taken.size).toBe(0);
    expect(one.said.at(-1)).toMatchObject({ type: "refused", kind: "replaced" });
  });
});

describe("what has ended", () => {
  test("is not pruned while its runner may come back", async () => {
    using inside = new Inside();
    const { keeper, sessions } = keeperIn(inside);
    const batch = keeper.hello(hello(), nobody);
    if (!batch) throw new Error("the batch is refused");
    await keeper.start(batch, startOf("one"), undefined);
    sessions.get("one")?.exit({ code: 0 });
    await eventually(
      () => keeper.runningCount === 0,
      () => "it does not end",
    );
    keeper.letGo(batch, nobody);
    expect(await keeper.prune()).toMatchObject({ sessions: 0 });
  });

  test("is kept by the next keeper until the lease is over, if the one before was killed", async () => {
    using inside = new Inside();
    const first = keeperIn(inside);
    const batch = first.keeper.hello(hello(), nobody);
    if (!batch) throw new Error("the batch is refused");
    await first.keeper.start(batch, startOf("one"), undefined);
    first.keeper.session(batch, "one")?.input(1, 1, "prompt");
    first.sessions.get("one")?.exit({ code: 0 });
    await eventually(
      () => first.keeper.runningCount === 0,
      () => "it does not end",
    );
    // Its record is on its way to the disk.
    await eventually(
      () => /leaked/.test(readFileSync(inside.file("far/abcd2345/one.json"), "utf8")),
      () => readFileSync(inside.file("far/abcd2345/one.json"), "utf8"),
    );
    for (const wasKilled of [true, false]) {
      const { keeper } = keeperIn(inside);
      keeper.adoptAll({ wasKilled });
      expect(await keeper.prune()).toMatchObject({ sessions: wasKilled ? 0 : 1 });
    }
  });
});

test("who reads hears how long the transcript is, and whether an exit comes", async () => {
  using inside = new Inside();
  const { keeper, folder, sessions } = keeperIn(inside);
  const { say, until, said } = connectionTo(keeper);
  say(hello());
  say(startOf("one"));
  await until("started");
  writeFileSync(join(folder, "abcd2345", "one.ndjson"), "{}\n");
  say({ type: "read", id: "one", from: 0 });
  const types = () => said.map(({ type }) => type);
  expect(said.at(-1)).toEqual({ type: "at", id: "one", size: 3, isGone: false });
  expect(types().slice(-2)).toEqual(["data", "at"]);
  sessions.get("one")?.exit({ code: 0 });
  await until("exited");
  say({ type: "read", id: "one", from: 3 });
  expect(said.at(-1)).toEqual({ type: "at", id: "one", size: 3, isGone: true });
});

describe("when nobody has had a batch for longer than its lease", () => {
  const lapsedOf = async (onLostHost: "wait" | "elsewhere", isAsked: boolean) => {
    using inside = new Inside();
    const { keeper, sessions } = keeperIn(inside);
    const { say, until } = connectionTo(keeper);
    say(hello({ leaseMs: 1, onLostHost }));
    say(startOf("one"));
    await until("started");
    if (isAsked) say({ type: "input", id: "one", number: 1 }, new TextEncoder().encode("prompt"));
    say({ type: "read", id: "one", from: 0 });
    await eventually(
      () => {
        keeper.look();
        return sessions.get("one")?.isClosed === true;
      },
      () => "its input is not closed",
    );
    const ended = sessions.get("one")?.ended.length;
    sessions.get("one")?.exit({ code: 0 });
    return { ended, isLapsed: (await until("exited"))?.isLapsed ?? false };
  };

  test("a session without a prompt ends, which is no fault of its own", async () => {
    expect(await lapsedOf("wait", false)).toEqual({ ended: 0, isLapsed: true });
  });

  test("one with a prompt does its work to the end", async () => {
    expect(await lapsedOf("wait", true)).toEqual({ ended: 0, isLapsed: false });
  });

  test("one whose task runs elsewhere then is ended", async () => {
    expect(await lapsedOf("elsewhere", true)).toEqual({ ended: 1, isLapsed: true });
  });
});
