// Which spares start, how long they stay, and who gets them: with a host of its own, whose sessions do what a test says.
import { describe, expect, spyOn, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import type { HowToEnd, Session, Start, StartPlan } from "../../src/engine/attempt/session-host.ts";
import { idleLifeMs } from "../../src/engine/attempt/session-pool.ts";
import { mostSpares, restMs, WarmSpares } from "../../src/engine/attempt/warm-spares.ts";
import type { SeenAtStart } from "../../src/engine/reuse/seen-at-start.ts";
import { sessionOptions } from "../../src/model/options.ts";
import { Inside } from "../inside.ts";
import { introduction } from "./messages.ts";

const seen: SeenAtStart = { atMs: 0, ticksMs: 0, roots: [], places: "", looks: new Map() };

/** A queue of tasks by kind (`a`, `b`, …; `-` takes no spare), and the spares for it. */
function spareIn(inside: Inside, queue: string, most = 2) {
  const now = {
    ms: 1_000_000,
    queue: [...queue].map((kind, index) => ({ task: index + 1, kind })),
    isSlotAwaited: true,
    permits: 10,
    isPressed: false,
    isSeen: true,
    isSeenKnown: true,
    hasRoom: true,
    starts: true,
    fault: undefined as Error | undefined,
  };
  mkdirSync(inside.file("sessions"), { recursive: true });
  const sessions: {
    plan: StartPlan;
    exit(how: Exit): void;
    says(message: object): void;
    ready(): void;
    ended: HowToEnd[];
  }[] = [];
  const failures: unknown[] = [];
  let names = 0;
  const planOf = (task: number): { kind: string; plan: StartPlan } | undefined => {
    const kind = now.queue.find((one) => one.task === task)?.kind ?? "-";
    if (kind === "-") return undefined;
    const name = `start-${++names}`;
    const plan: StartPlan = {
      startName: name,
      sessionId: name,
      initialize: "",
      command: [],
      workingDirectory: inside.path,
      environment: {},
      marker: name,
      transcript: inside.file(`sessions/${name}.ndjson`),
      stderr: inside.file(`sessions/${name}.stderr.txt`),
      kind: () => kind,
    };
    return { kind, plan };
  };
  const host = {
    start: async (plan: StartPlan): Promise<Start> => {
      if (now.fault) throw now.fault;
      if (!now.starts) return { started: false, kind: "passing", because: "EMFILE" };
      for (const path of [plan.transcript, plan.stderr]) writeFileSync(path, "");
      const { promise: exited, resolve: exit } = Promise.withResolvers<Exit>();
      const ended: HowToEnd[] = [];
      const session: Session = {
        ref: { host: "here", id: plan.marker },
        output: new TranscriptReader(plan.transcript),
        write: () => undefined,
        closeInput: () => undefined,
        exited,
        end: async (how = {}) => {
          ended.push(how);
          exit({ code: 0 });
          return [];
        },
      };
      const says = (message: object) => appendFileSync(plan.transcript, `${JSON.stringify(message)}\n`);
      sessions.push({ plan, exit, says, ready: () => says(introduction), ended });
      return { started: true, session };
    },
  };
  const spares = new WarmSpares({
    host,
    reuse: { seenNow: () => (now.isSeenKnown ? seen : undefined), isAsSeen: () => now.isSeen },
    most: () => most,
    planOf: (task) => {
      const found = planOf(task);
      return (
        found && { plan: found.plan, need: { footprintKey: found.kind }, options: sessionOptions.parse({}) }
      );
    },
    next: () => now.queue.map(({ task }) => task),
    isSlotAwaited: () => now.isSlotAwaited,
    permit: () => {
      if (now.permits === 0) return undefined;
      now.permits--;
      let isHeld = true;
      return {
        [Symbol.dispose]: () => {
          if (isHeld) now.permits++;
          isHeld = false;
        },
      };
    },
    hasRoom: () => now.hasRoom,
    isPressed: () => now.isPressed,
    failed: (error) => failures.push(error),
    now: () => now.ms,
  });
  const settle = () => Bun.sleep(0);
  return {
    now,
    spares,
    sessions,
    failures,
    settle,
    planned: () => names,
    /** Those that run. */
    living: () => sessions.filter(({ ended }) => ended.length === 0).length,
    look: async () => {
      spares.look();
      await settle();
    },
    take: (task: number) => {
      const found = planOf(task);
      const taken = found && spares.take(found.plan, { footprintKey: found.kind }, task);
      now.queue = now.queue.filter((one) => one.task !== task);
      return taken;
    },
  };
}

describe("spares start", () => {
  test("for the tasks that come next, as many as there may be, and no more than there are tasks", async () => {
    using inside = new Inside();
    for (const [queue, expected] of [
      ["aaaa", 2],
      ["a", 1],
      ["", 0],
      ["ab", 2],
      ["-a-", 1],
    ] as const) {
      const { look, sessions } = spareIn(inside, queue);
      await look();
      await look();
      expect(sessions).toHaveLength(expected);
    }
    expect(mostSpares).toBe(4);
  });

  test("only while the next task waits for a slot, with a right to start and with memory, and none where hooks run", async () => {
    using inside = new Inside();
    const { now, look, sessions, planned } = spareIn(inside, "aaaa");
    now.isSlotAwaited = false;
    await look();
    // Where none could start or end, nobody looks what comes next.
    expect(planned()).toBe(0);
    now.isSlotAwaited = true;
    now.permits = 0;
    await look();
    now.permits = 1;
    now.hasRoom = false;
    await look();
    expect(sessions).toHaveLength(0);
    now.hasRoom = true;
    await look();
    await look();
    // The first one has the only right until it is ready.
    expect(sessions).toHaveLength(1);
    now.ms += 300;
    sessions[0]?.ready();
    await look();
    expect(sessions).toHaveLength(2);
    const hooked = spareIn(inside, "aaaa");
    hooked.now.isSeenKnown = false;
    await hooked.look();
    expect(hooked.sessions).toHaveLength(0);
    expect(hooked.now.permits).toBe(10);
  });

  test("as soon as a session has started, though not more often than ten times a second", async () => {
    using inside = new Inside();
    const { now, spares, living, look, settle } = spareIn(inside, "aaaa");
    now.permits = 0;
    await look();
    now.permits = 1;
    spares.lookSoon();
    await settle();
    expect(living()).toBe(0);
    now.ms += 100;
    spares.lookSoon();
    // Whose right is free comes first.
    expect(living()).toBe(0);
    await settle();
    expect(living()).toBe(1);
  });

  test("with one look for all that happens in one moment", async () => {
    using inside = new Inside();
    const { now, spares, settle } = spareIn(inside, "aaaa");
    using looks = spyOn(spares, "look");
    now.ms += 100;
    for (let count = 0; count < 5; count++) spares.lookSoon();
    await settle();
    expect(looks).toHaveBeenCalledTimes(1);
    now.ms += 100;
    spares.lookSoon();
    await settle();
    expect(looks).toHaveBeenCalledTimes(2);
  });

  test("no more of a kind after two that died before they were ready, and none that cannot start", async () => {
    using inside = new Inside();
    const { look, sessions, settle } = spareIn(inside, "aaab", 1);
    for (let index = 0; index < 4; index++) {
      await look();
      sessions[index]?.exit({ code: 1 });
      await settle();
    }
    expect(sessions).toHaveLength(2);
    const { now, look: lookAgain, failures, sessions: none } = spareIn(inside, "aaab", 1);
    now.starts = false;
    for (let index = 0; index < 4; index++) await lookAgain();
    now.starts = true;
    await lookAgain();
    expect(none).toHaveLength(0);
    expect(now.permits).toBe(10);
    expect(failures).toEqual([]);
  });

  test("one that dies when it is ready is replaced, and more than one after a while", async () => {
    using inside = new Inside();
    const { look, sessions, settle, now } = spareIn(inside, "aaa", 1);
    const dies = async (index: number) => {
      now.ms += 300;
      sessions[index]?.ready();
      await look();
      sessions[index]?.exit({ signal: "SIGKILL" });
      await settle();
      await look();
    };
    await look();
    await dies(0);
    expect(sessions).toHaveLength(2);
    await dies(1);
    now.ms += restMs - 1;
    await look();
    expect(sessions).toHaveLength(2);
    now.ms += 1;
    await look();
    expect(sessions).toHaveLength(3);
  });

  test("none after one in which a hook has run, whose words nobody gets", async () => {
    using inside = new Inside();
    const { look, sessions, spares, take, now } = spareIn(inside, "aaaab", 1);
    const hook = { type: "system", subtype: "hook_started", hook_name: "SessionStart:startup" };
    await look();
    now.ms += 300;
    sessions[0]?.says(hook);
    sessions[0]?.ready();
    expect([spares.reserve(1), take(1)]).toEqual([undefined, undefined]);
    expect(sessions[0]?.ended).toHaveLength(1);
    now.ms += restMs;
    await look();
    expect(sessions).toHaveLength(1);
    // Another kind may have none.
    now.queue = now.queue.slice(-1);
    await look();
    expect(sessions).toHaveLength(2);
    sessions[1]?.says(hook);
    await look();
    expect(sessions[1]?.ended).toHaveLength(1);
    expect(now.permits).toBe(10);
  });
});

test("sessions that are ready at once need no spares", async () => {
  using inside = new Inside();
  const { now, look, living, sessions, take } = spareIn(inside, "aaab", 1);
  await look();
  now.ms += 10;
  sessions[0]?.ready();
  await look();
  expect(take(1)).toBeDefined();
  now.ms += 1_000;
  await look();
  // Only the one that the task has.
  expect(living()).toBe(1);
  now.queue = now.queue.slice(-1);
  await look();
  expect(sessions).toHaveLength(2);
});

describe("spares end", () => {
  test("after a minute without being taken, and no other one starts until tasks follow one another faster", async () => {
    using inside = new Inside();
    const { now, look, living, sessions, take } = spareIn(inside, "aaaaaa");
    await look();
    now.ms += 300;
    for (const session of sessions) session.ready();
    await look();
    now.ms += idleLifeMs - 301;
    await look();
    expect(living()).toBe(2);
    now.ms += 1;
    await look();
    await look();
    expect(living()).toBe(0);
    take(1);
    now.ms += idleLifeMs;
    expect(take(2)).toBeUndefined();
    await look();
    expect(sessions).toHaveLength(2);
    now.ms += idleLifeMs - 1;
    take(3);
    await look();
    expect(living()).toBe(2);
  });

  test("when they are not ready after 15 seconds, which counts as a death", async () => {
    using inside = new Inside();
    const { now, look, living, sessions } = spareIn(inside, "aaaa", 1);
    for (let index = 0; index < 4; index++) {
      await look();
      now.ms += 15_000;
      await look();
    }
    expect(sessions).toHaveLength(2);
    expect(living()).toBe(0);
    expect(now.permits).toBe(10);
  });

  test("when nothing of their kind comes next, and what they had printed goes with them", async () => {
    using inside = new Inside();
    const { now, look, living, sessions, spares } = spareIn(inside, "aabb");
    await look();
    expect(living()).toBe(2);
    now.queue = now.queue.slice(2);
    now.isSlotAwaited = false;
    await look();
    await spares.ended();
    expect(living()).toBe(0);
    expect(spares.endedMarkers).toEqual(sessions.map(({ plan }) => plan.marker));
    for (const { plan, ended } of sessions) {
      expect(existsSync(plan.transcript)).toBe(false);
      expect(existsSync(plan.stderr)).toBe(false);
      expect(ended).toMatchObject([{ isUnasked: true }]);
    }
  });

  test("when memory runs short, and start again only after a while", async () => {
    using inside = new Inside();
    const { now, look, living, spares, sessions } = spareIn(inside, "aaaa");
    await look();
    now.isPressed = true;
    await look();
    expect(living()).toBe(0);
    now.isPressed = false;
    await look();
    expect(living()).toBe(0);
    now.ms += 10_000;
    await look();
    expect(living()).toBe(2);
    const [marker = ""] = sessions.slice(2).map(({ plan }) => plan.marker);
    expect([spares.owns(marker), spares.owns("a task's")]).toEqual([true, false]);
    spares.evict([marker, "a task's"]);
    await look();
    expect(living()).toBe(1);
  });

  test("with the runner, even those of which no process is known yet", async () => {
    using inside = new Inside();
    const { look, living, spares, settle, sessions } = spareIn(inside, "aaaa");
    spares.look();
    spares[Symbol.dispose]();
    await settle();
    expect(sessions).toHaveLength(2);
    expect(living()).toBe(0);
    await look();
    expect(sessions).toHaveLength(2);
  });
});

test("a spare whose start throws is no more waited for, and the runner hears of it", async () => {
  using inside = new Inside();
  const { look, spares, now, failures } = spareIn(inside, "aaaa", 1);
  now.fault = new Error("no host");
  await look();
  await spares.ended();
  expect([spares.size, now.permits, failures]).toEqual([0, 10, [now.fault]]);
});

test("a spare whose directory was replaced by a file ends as well", async () => {
  using inside = new Inside();
  const { look, spares, now, living, failures } = spareIn(inside, "aaaa");
  await look();
  expect(living()).toBe(2);
  renameSync(inside.file("sessions"), inside.file("moved"));
  writeFileSync(inside.file("sessions"), "");
  now.queue = [];
  await look();
  await spares.ended();
  expect([living(), failures]).toEqual([0, []]);
});

describe("a task gets", () => {
  test("a spare of its kind alone, one that is ready first", async () => {
    using inside = new Inside();
    const { look, sessions, take, now } = spareIn(inside, "aab", 3);
    await look();
    const [, second, third] = sessions;
    second?.ready();
    await look();
    expect(now.permits).toBe(8);
    const taken = take(1);
    expect(taken?.plan.marker).toBe(second?.plan.marker);
    expect(taken?.isStarting).toBe(false);
    expect(take(3)?.plan.marker).toBe(third?.plan.marker);
    expect(take(4)).toBeUndefined();
    const starting = take(2);
    expect(starting).toMatchObject({ plan: sessions[0]?.plan ?? {}, isStarting: true });
    // It keeps its right to start until it is at work.
    expect(now.permits).toBe(8);
    starting?.ready?.();
    expect(now.permits).toBe(8);
    starting?.begun?.();
    expect(now.permits).toBe(9);
  });

  test("the one that was set aside for it, which nobody else gets and nothing ends", async () => {
    using inside = new Inside();
    const { look, spares, take, now, living } = spareIn(inside, "aaaa", 1);
    await look();
    expect([spares.has(1), spares.has(2), spares.has(9)]).toEqual([true, true, false]);
    {
      using _reserved = spares.reserve(1);
      expect(spares.has(1)).toBe(true);
      expect(spares.reserve(2)).toBeUndefined();
      expect(take(2)).toBeUndefined();
      spares.release();
      now.isPressed = true;
      await look();
      now.isPressed = false;
      expect(living()).toBe(1);
    }
    expect(take(3)).toBeDefined();
  });

  test("none that started before something changed that it has read", async () => {
    using inside = new Inside();
    const { look, spares, take, now, living } = spareIn(inside, "aaaa");
    await look();
    now.isSeen = false;
    now.isSlotAwaited = false;
    expect(spares.reserve(1)).toBeUndefined();
    expect(take(1)).toBeUndefined();
    expect(living()).toBe(0);
    // What changes all the time would have them started in vain.
    now.isSeen = true;
    now.isSlotAwaited = true;
    await look();
    expect(living()).toBe(0);
    now.ms += 10_000;
    await look();
    expect(living()).toBe(2);
  });
});
