// What the keeper of a far machine keeps, and for how long: with sessions that run nothing.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { frameOf } from "../../src/far/frames.ts";
import { protocol } from "../../src/far/greeting.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";
import { connectionTo, hello, keeperIn, nobody, startOf } from "./keeper-inside.ts";

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
  const lapsedOf = async (onLostHost: "wait" | "elsewhere", isAsked: boolean, isClosed = false) => {
    using inside = new Inside();
    const { keeper, sessions } = keeperIn(inside);
    const { say, until } = connectionTo(keeper);
    say(hello({ leaseMs: 1, onLostHost }));
    say(startOf("one"));
    await until("started");
    if (isAsked) say({ type: "input", id: "one", number: 1 }, new TextEncoder().encode("prompt"));
    if (isClosed) say({ type: "input", id: "one", number: 1, close: true });
    say({ type: "read", id: "one", from: 0 });
    let looks = 0;
    await eventually(
      () => {
        looks++;
        keeper.look();
        if (isClosed) return looks > 3;
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

  test("a command, which waits for no input, does its work to the end", async () => {
    expect(await lapsedOf("wait", false, true)).toEqual({ ended: 0, isLapsed: false });
  });

  test("one whose task runs elsewhere then is ended", async () => {
    expect(await lapsedOf("elsewhere", true)).toEqual({ ended: 1, isLapsed: true });
  });
});

describe("a start that nobody wants any more", () => {
  test("is ended as soon as it has begun", async () => {
    using inside = new Inside();
    const began = Promise.withResolvers<void>();
    const { keeper, sessions, taken } = keeperIn(inside, { onStart: () => began.promise });
    const { say, until } = connectionTo(keeper);
    say(hello());
    say({ type: "reserve", ticket: "1", footprintKey: "" });
    say({ ...startOf("one"), ticket: "1" });
    await eventually(
      () => sessions.has("one"),
      () => "it does not start",
    );
    say({ type: "end", id: "one", isUnasked: true });
    began.resolve();
    expect(await until("failed")).toMatchObject({ id: "one", kind: "passing" });
    expect(sessions.get("one")?.ended).toHaveLength(1);
    expect({ running: keeper.runningCount, taken: taken.size }).toEqual({ running: 0, taken: 0 });
  });

  test("does not begin, if it comes after that was said", async () => {
    using inside = new Inside();
    const { keeper, sessions } = keeperIn(inside);
    const { say, until } = connectionTo(keeper);
    say(hello());
    say({ type: "end", id: "one", isUnasked: true });
    say(startOf("one"));
    expect(await until("failed")).toMatchObject({ id: "one" });
    expect(sessions.size).toBe(0);
  });
});

test("a session that the keeper before had not given its prompt ends without having counted as a try", async () => {
  using inside = new Inside();
  const first = keeperIn(inside);
  const batch = first.keeper.hello(hello(), nobody);
  if (!batch) throw new Error("the batch is refused");
  await first.keeper.start(batch, startOf("one"), undefined);
  const { keeper } = keeperIn(inside);
  keeper.adoptAll({ wasKilled: true });
  const known = keeper.hello(hello({ sessions: ["one"] }), nobody);
  expect(known && keeper.session(known, "one")?.record.isLapsed).toBe(true);
});

test("what another version has kept stays for whoever reads it, until it is pruned", async () => {
  using inside = new Inside();
  const { keeper, folder } = keeperIn(inside);
  const batch = join(folder, "abcd2345");
  mkdirSync(batch);
  for (const name of ["one.json", "one.ndjson"]) writeFileSync(join(batch, name), '{"of":"another version"}');
  keeper.adoptAll({ wasKilled: true });
  expect(readdirSync(batch)).toHaveLength(2);
  // Its lease is not over.
  expect(await keeper.prune()).toMatchObject({ sessions: 0 });
  const { keeper: next } = keeperIn(inside);
  next.adoptAll({ wasKilled: false });
  expect(await next.prune()).toMatchObject({ sessions: 1 });
  expect(existsSync(batch)).toBe(false);
});

test("what a session says is seen at once, also if the folder of its batch was removed before it", async () => {
  using inside = new Inside();
  const { keeper, folder, sessions } = keeperIn(inside);
  const { say, until, said } = connectionTo(keeper);
  const over = () =>
    eventually(
      () => keeper.runningCount === 0,
      () => JSON.stringify(said),
    );
  say(hello());
  say(startOf("one"));
  await until("started");
  sessions.get("one")?.exit({ code: 0 });
  await over();
  say({ type: "forget", id: "one" });
  await until("unknown");
  await eventually(
    () => readdirSync(join(folder, "abcd2345")).length === 0,
    () => "its files are left",
  );
  rmdirSync(join(folder, "abcd2345"));
  said.length = 0;
  say(startOf("two"));
  await until("started");
  say({ type: "read", id: "two", from: 0 });
  writeFileSync(join(folder, "abcd2345", "two.ndjson"), "{}\n");
  await until("data");
});

test("a session that is ended because memory is short is no fault of its task", async () => {
  using inside = new Inside();
  const { keeper, sessions } = keeperIn(inside);
  const { say, until } = connectionTo(keeper);
  say(hello());
  say(startOf("one"));
  await until("started");
  expect(keeper.lossOf("one")).toBe("nothing");
  say({ type: "input", id: "one", number: 1 }, new TextEncoder().encode("prompt"));
  expect(keeper.lossOf("one")).toBe("work");
  expect(keeper.lossOf("another")).toBeUndefined();
  say({ type: "read", id: "one", from: 0 });
  keeper.evict(["one"]);
  expect((await until("exited"))?.isLapsed).toBe(true);
  expect(sessions.get("one")?.ended).toEqual([{ isUnasked: false, graceMs: 200 }]);
});

test("a long message is a sign of life while it comes", async () => {
  using inside = new Inside();
  const { keeper } = keeperIn(inside);
  const { connection, say, said } = connectionTo(keeper);
  say(hello());
  const long = frameOf({ type: "put", name: "long" }, new Uint8Array(1_000_000));
  let at = 0;
  await eventually(
    () => {
      connection.receive(long.subarray(at, ++at));
      return said.some(({ type }) => type === "leased");
    },
    () => JSON.stringify(said),
  );
  expect(at).toBeLessThan(long.length);
});

test("who asks for another keeper hears whether this one leaves at once, after having said who it is", async () => {
  using inside = new Inside();
  const { keeper } = keeperIn(inside);
  const stranger = connectionTo(keeper);
  stranger.say({ type: "renew" });
  expect(stranger.said.at(-1)).toMatchObject({ type: "refused" });
  const { say, until, outdated } = connectionTo(keeper);
  say({ type: "status", protocol, version: "1" });
  say({ type: "renew" });
  expect(await until("renewing")).toMatchObject({ isNow: true });
  expect([...stranger.outdated, ...outdated]).toEqual(["renewed"]);
});

test("somebody of another version is refused, and a keeper hears that another program is there", () => {
  using inside = new Inside();
  const { keeper } = keeperIn(inside);
  const { connection, say, said, outdated } = connectionTo(keeper);
  say(hello({ protocol: protocol + 1 }));
  expect(said.at(-1)).toMatchObject({ type: "refused", kind: "protocol" });
  expect({ outdated, isUsed: connection.isUsed }).toEqual({ outdated: ["outdated"], isUsed: false });
});
