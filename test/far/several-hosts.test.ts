// The machines of a batch as one host: where tasks run, with keepers in this process and sessions that run nothing.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { AccountHolds } from "../../src/engine/account/account-holds.ts";
import type { SessionHost, StartPlan } from "../../src/engine/attempt/session-host.ts";
import { Beginnings } from "../../src/engine/hosts/beginnings.ts";
import type { Planned } from "../../src/engine/hosts/far-keeper.ts";
import { Hosts, type HostsParts, longestMs } from "../../src/engine/hosts/hosts.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { accountOn, Holds } from "../../src/store/holds.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";
import { keeperIn, Line } from "./keeper-inside.ts";

const here: SessionHost = {
  start: async () => ({ started: false, kind: "task", message: "here" }),
  adopt: () => {
    throw new Error("nothing runs here");
  },
  canResume: () => false,
  whyWait: () => undefined,
  endShared: async () => undefined,
};

const refusal = (message: string): Planned => ({ kind: "refused", verdict: { kind: "task", message } });

interface Machine {
  planOf?: () => Planned | undefined;
  onStart?: (id: string) => unknown;
}

/** A batch on machines with these names. */
async function hostsOf(
  inside: Inside,
  machines: Record<string, Machine>,
  { places = {}, patienceMs = 3_600_000 }: { places?: Record<number, string>; patienceMs?: number } = {},
) {
  const { store } = inside.context();
  const keepers = Object.fromEntries(
    Object.entries(machines).map(([name, { planOf, onStart }]) => [
      name,
      keeperIn(inside, {
        name,
        ...(onStart ? { onStart } : {}),
        // Undefined is as usual.
        ...(planOf ? { planOf: planOf as () => Planned } : {}),
      }),
    ]),
  );
  const lines = new Map<string, Line>();
  const batchId = newBatchId();
  const folder = store.layout.batchDirectory(batchId);
  mkdirSync(folder, { recursive: true });
  const running = new Set<number>();
  const parts: HostsParts = {
    names: Object.keys(machines),
    layout: store.layout,
    batchId,
    folder,
    epoch: 1,
    leaseMs: 60_000,
    onLostHost: "wait",
    hasSource: true,
    environment: {},
    mostMs: () => 60_000,
    local: here,
    placeOf: (task) => places[task],
    footprintKeyOf: () => "",
    modelOf: () => undefined,
    isRunning: (task) => running.has(task),
    logged: () => ({ sessions: [], trees: [] }),
    holdsOn: (name) =>
      new AccountHolds(new Holds(store.database, accountOn("a", name)), ownIdentity(), {
        patienceMs,
        isAttended: true,
      }),
    connect: (name) => {
      const keeper = keepers[name]?.keeper;
      if (!keeper) throw new Error(`there is no machine ${name}`);
      const line = new Line(keeper);
      lines.set(name, line);
      return line;
    },
    failed: (error) => {
      throw error;
    },
  };
  const hosts = new Hosts(parts);
  let starts = 0;
  const planFor = (place: string, more: Partial<StartPlan> = {}): StartPlan => {
    const startName = `start-${++starts}`;
    return {
      startName,
      sessionId: "",
      initialize: "",
      command: ["claude"],
      workingDirectory: `${place}:/`,
      environment: {},
      marker: startName,
      transcript: `${folder}/${startName}.ndjson`,
      stderr: `${folder}/${startName}.stderr.txt`,
      ...more,
    };
  };
  /** Gets a machine for a task, and starts a session there. */
  const begin = async (task: number, more: Partial<StartPlan> = {}) => {
    const slot = await hosts.acquire(() => true, task);
    if (!slot) throw new Error("it got no machine");
    const start = await hosts.start(planFor(slot.place, more), { footprintKey: "", task });
    return { slot, start, place: slot.place };
  };
  await eventually(
    () => Object.keys(machines).every((name) => lines.has(name)) && hosts.whyClosed(1) === undefined,
    () => "no machine answers",
  );
  return { hosts, keepers, lines, begin, planFor, running, batchId };
}

describe("a task", () => {
  test("goes to the machine with the fewest sessions", async () => {
    using inside = new Inside();
    const { hosts, begin } = await hostsOf(inside, { box1: {}, box2: {} });
    using _hosts = hosts;
    const places = [];
    for (const task of [1, 2, 3, 4]) places.push((await begin(task)).place);
    expect(places.toSorted()).toEqual(["box1", "box1", "box2", "box2"]);
  });

  test("that a machine cannot run runs on another one, and ends only if none can", async () => {
    using inside = new Inside();
    let isEverywhere = false;
    const machines = {
      box1: { planOf: () => (isEverywhere ? refusal("/srv is not on box1") : undefined) },
      box2: { planOf: () => refusal("/srv is outside the allowed roots") },
    };
    const { hosts, begin } = await hostsOf(inside, machines);
    using _hosts = hosts;
    const first = await begin(1);
    using _slot = first.slot;
    const second = await begin(2);
    const refused = [first, second].find(({ place }) => place === "box2");
    expect(refused?.start).toMatchObject({ started: false, kind: "passing", away: "waited-for" });
    // The same task, again.
    const again = await begin(refused === first ? 1 : 2);
    expect(again).toMatchObject({ place: "box1", start: { started: true } });
    isEverywhere = true;
    const messages = [];
    for (let tries = 0; tries < 2; tries++) messages.push((await begin(3)).start);
    expect(messages.at(-1)).toEqual({
      started: false,
      kind: "task",
      message: expect.stringMatching(/box1.*allowed roots|allowed roots.*box1/),
    });
  });

  test("does not go to a machine on which sessions fail at once, as long as another one can take it", async () => {
    using inside = new Inside();
    const { hosts, keepers, begin } = await hostsOf(inside, { box1: {}, box2: {} });
    using _hosts = hosts;
    const places: string[] = [];
    for (let task = 1; task <= 12; task++) {
      const { place, slot, start } = await begin(task);
      places.push(place);
      slot[Symbol.dispose]();
      if (place !== "box2" || !start.started) continue;
      for (const [, session] of keepers["box2"]?.sessions ?? []) session.exit({ code: 1 });
      await start.session.exited;
      await start.session.end();
    }
    expect(places.filter((place) => place === "box2")).toHaveLength(3);
  });
});

test("a machine rests for longer after each failure, until a session has begun to work", () => {
  let now = 0;
  const beginnings = new Beginnings(() => now);
  for (let failures = 0; failures < 2; failures++) beginnings.failed();
  expect(beginnings.isResting).toBe(false);
  beginnings.failed();
  expect(beginnings.isResting).toBe(true);
  now += 2_000;
  expect(beginnings.isResting).toBe(false);
  beginnings.failed();
  now += 2_000;
  expect(beginnings.isResting).toBe(true);
  beginnings.worked();
  expect(beginnings.isResting).toBe(false);
});

test("a machine that lacks something for a start is tried again, later each time, and is no obstacle for others", async () => {
  let now = 0;
  const beginnings = new Beginnings(() => now);
  for (const pauseMs of [500, 1_000, 2_000]) {
    beginnings.lacked("no room");
    now += pauseMs - 1;
    expect(beginnings.whyWait).toBe("no room");
    now++;
    expect(beginnings.whyWait).toBeUndefined();
  }
  beginnings.started();
  beginnings.lacked("no room");
  now += 500;
  expect(beginnings.whyWait).toBeUndefined();

  using inside = new Inside();
  const lacking: Planned = { kind: "refused", verdict: { kind: "passing", because: "no claude" } };
  const { hosts, begin } = await hostsOf(inside, { box1: { planOf: () => lacking }, box2: {} });
  using _hosts = hosts;
  const places = [];
  for (const task of [1, 2, 3]) {
    const { start, place, slot } = await begin(task);
    slot[Symbol.dispose]();
    places.push(place);
    if (place === "box1") expect(start).toMatchObject({ kind: "passing", away: "waited-for" });
  }
  expect(places.filter((place) => place === "box1")).toHaveLength(1);
});

describe("what a machine lends", () => {
  test("is given back if the transcript cannot be made here", async () => {
    using inside = new Inside();
    const { hosts, keepers, begin } = await hostsOf(inside, { box1: {} });
    using _hosts = hosts;
    const { start, slot } = await begin(1, { transcript: inside.file("nowhere/one.ndjson") });
    expect(start).toMatchObject({ started: false, kind: "passing" });
    slot[Symbol.dispose]();
    expect(keepers["box1"]?.taken.size).toBe(0);
  });

  test("is not enough for the session that judges an answer, which needs a slot of its own", async () => {
    using inside = new Inside();
    const { hosts, keepers, planFor } = await hostsOf(inside, { box1: {} });
    using _hosts = hosts;
    const judge = await hosts.start(planFor("box1"), { footprintKey: "" });
    expect({ started: judge.started, taken: keepers["box1"]?.taken.size }).toEqual({
      started: true,
      taken: 1,
    });
    // A command runs in the slot of its task.
    await hosts.start(planFor("box1", { isProgram: true }), { footprintKey: "" });
    expect(keepers["box1"]?.taken.size).toBe(1);
  });
});

test("a start of a task that was cancelled is waited for no longer, and ends on its machine", async () => {
  using inside = new Inside();
  const begun = Promise.withResolvers<void>();
  const { hosts, keepers, planFor } = await hostsOf(inside, { box1: { onStart: () => begun.promise } });
  using _hosts = hosts;
  let isWanted = true;
  const slot = await hosts.acquire(() => true, 1);
  const started = hosts.start(planFor(slot?.place ?? ""), {
    footprintKey: "",
    task: 1,
    isWanted: () => isWanted,
  });
  const { keeper, sessions } = keepers["box1"] ?? keeperIn(inside);
  await eventually(
    () => sessions.size === 1,
    () => "it does not start",
  );
  isWanted = false;
  expect(await started).toMatchObject({ started: false, kind: "passing" });
  begun.resolve();
  await eventually(
    () => [...sessions.values()].every(({ ended }) => ended.length === 1) && keeper.isIdle,
    () => "it is left",
  );
});

test("what has been read is forgotten there, also if the connection ends as that is said", async () => {
  using inside = new Inside();
  const { hosts, keepers, lines, begin, batchId } = await hostsOf(inside, { box1: {} });
  using _hosts = hosts;
  const { start } = await begin(1);
  if (!start.started) throw new Error("it does not start");
  const line = lines.get("box1");
  const { sessions, folder } = keepers["box1"] ?? keeperIn(inside);
  const record = () => {
    const [name = ""] = [...sessions.keys()];
    return existsSync(`${folder}/${batchId}/${name}.json`);
  };
  // All but that arrives.
  const write = line?.write.bind(line);
  Object.assign(line ?? {}, {
    write: (bytes: Uint8Array) => {
      if (!Buffer.from(bytes).includes('"forget"')) write?.(bytes);
    },
  });
  for (const session of sessions.values()) session.exit({ code: 0 });
  await start.session.exited;
  await start.session.end();
  expect(record()).toBe(true);
  line?.kill("cut");
  await eventually(
    () => !record(),
    () => "it is kept",
  );
});

describe("a limit that one machine has met", () => {
  const limited: Outcome = {
    kind: "failed",
    reason: "usage-limit",
    message: "",
    resetsAt: Date.now() + 3_600_000,
  };
  const refused: Outcome = { kind: "failed", reason: "auth", message: "" };

  test("stops no other machine: tasks go there", async () => {
    using inside = new Inside();
    const { hosts, begin, running } = await hostsOf(
      inside,
      { box1: {}, box2: {} },
      { places: { 9: "box1" } },
    );
    using _hosts = hosts;
    const { holds } = hosts;
    const places = [(await begin(9)).place];
    running.add(9);
    expect(holds.ended({ number: 9, model: undefined, outcome: limited }, Date.now())).toEqual({
      kind: "held",
    });
    running.delete(9);
    expect(holds.stopping(undefined, Date.now(), 9)?.because).toStartWith("box1: ");
    expect(holds.stopping(undefined, Date.now(), 1)).toBeUndefined();
    for (const task of [1, 2, 3]) {
      places.push((await begin(task)).place);
      expect(holds.claim(task, undefined, Date.now())).toBe(true);
    }
    expect(places).toEqual(["box1", "box2", "box2", "box2"]);
  });

  test("ends only the tasks of that machine, if it is waited for no longer", async () => {
    using inside = new Inside();
    const given = { places: { 8: "box1", 9: "box1" }, patienceMs: 0 };
    const { hosts, begin } = await hostsOf(inside, { box1: {}, box2: {} }, given);
    using _hosts = hosts;
    const { holds } = hosts;
    await begin(9);
    const verdict = holds.ended({ number: 9, model: undefined, outcome: refused }, Date.now());
    if (verdict.kind !== "given-up") throw new Error(`it is ${verdict.kind}`);
    expect([1, 8].map((task) => verdict.affects?.(task))).toEqual([false, true]);
    expect((await begin(1)).place).toBe("box2");
  });

  test("lets its tasks run elsewhere, if they may", async () => {
    using inside = new Inside();
    const { hosts, begin } = await hostsOf(inside, { box1: {}, box2: {} }, { patienceMs: 0 });
    using _hosts = hosts;
    const { place, slot } = await begin(1);
    slot[Symbol.dispose]();
    const verdict = hosts.holds.ended({ number: 1, model: undefined, outcome: refused }, Date.now());
    expect(verdict).toEqual({ kind: "held" });
    expect((await begin(1)).place).not.toBe(place);
  });
});

test("a session may run for as long as the batch says when it starts, tasks that were added included", () => {
  using inside = new Inside();
  const { log } = inside.batch(inside.context(), { batch: { sessionOptions: { timeoutSeconds: 60 } } });
  expect(longestMs(log.state.batch)).toBe(60_000);
  const later = { prompt: "long", options: { timeoutSeconds: 7_200 } };
  log.append(() => [{ type: "tasks-added", tasks: [later] }]);
  expect(longestMs(log.state.batch)).toBe(7_200_000);
});
