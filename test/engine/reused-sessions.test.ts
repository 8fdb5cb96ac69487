// Processes that have forgotten their tasks and wait for others: who takes them, and when they leave.
import { describe, expect, test } from "bun:test";
import { appendFileSync, rmSync } from "node:fs";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { ReusedSessions } from "../../src/engine/attempt/reused-sessions.ts";
import type { Session, StartPlan } from "../../src/engine/attempt/session-host.ts";
import { idleLifeMs } from "../../src/engine/attempt/session-pool.ts";
import type { SeenAtStart } from "../../src/engine/reuse/seen-at-start.ts";
import { sessionOptions } from "../../src/model/options.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { testNeeding } from "../facilities.ts";
import { gone, Inside } from "../inside.ts";
import { init, result } from "./messages.ts";

const options = sessionOptions.parse({ reuseSessions: "auto" });
const need = { footprintKey: "f" };
const own = { ...init, claude_code_version: "2.1.332", mcp_servers: [] };

/** A pool, and processes in it that do as the test says. */
class Processes implements Disposable {
  readonly inside = new Inside();
  readonly ended: string[] = [];
  readonly failures: unknown[] = [];
  waiting = 5;
  now = 0;
  stamp = "as it was";
  /** Why no session can be ended. */
  fault: Error | undefined;
  isUntouched = true;
  bytes = 0;
  freed = 0;
  beside: ProcessIdentity[] = [];
  /** The kinds of the tasks that may get a process. */
  kinds: Record<number, string> = {};
  readonly pool = new ReusedSessions({
    planOf: (task) => {
      const kind = this.kinds[task];
      return kind === undefined ? undefined : this.plan("next", kind);
    },
    waitingLike: () => this.waiting,
    isUntouched: () => this.isUntouched,
    hasHooks: () => false,
    hasOwnClear: () => false,
    stampOf: () => this.stamp,
    bytesOf: () => this.bytes,
    freed: () => this.freed++,
    failed: (error) => this.failures.push(error),
    now: () => this.now,
  });

  plan(marker: string, kind = "a kind"): StartPlan {
    return {
      marker,
      startName: marker,
      sessionId: "s",
      initialize: "",
      command: [],
      environment: {},
      workingDirectory: this.inside.work,
      transcript: this.inside.file(`${marker}.ndjson`),
      stderr: "",
      kind: () => kind,
      kindAfterwards: () => kind,
    };
  }

  /** A session that has answered. */
  answered(marker: string, kind?: string, seen?: SeenAtStart) {
    const plan = this.plan(marker, kind);
    this.inside.write(`${marker}.ndjson`, "");
    const says = (...messages: object[]) =>
      appendFileSync(plan.transcript, messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
    const exit = Promise.withResolvers<Exit>();
    const session: Session = {
      ref: gone,
      output: new TranscriptReader(plan.transcript),
      write: () => says({ type: "conversation_reset" }, { ...own, session_id: marker }, cleared(marker)),
      closeInput: () => undefined,
      exited: exit.promise,
      others: () => this.beside,
      end: async () => {
        if (this.fault) throw this.fault;
        if (!this.ended.includes(marker)) this.ended.push(marker);
        exit.resolve({ code: 0 });
        return [];
      },
    };
    says(own, result("Done"));
    session.output.read();
    this.pool.started({ plan, session, ...(seen ? { seen } : {}) }, options);
    return { plan, session, exit };
  }

  /** A process that waits for a task, unless it may not. */
  async idle(marker: string, kind?: string, seen?: SeenAtStart): Promise<boolean> {
    const { plan, session } = this.answered(marker, kind, seen);
    const clearing = this.pool.answered({ task: 1, session, options, plan });
    clearing?.read();
    session.output[Symbol.dispose]();
    const isKept = (await clearing?.ended) !== undefined;
    this.pool.concluded(marker);
    return isKept;
  }

  [Symbol.dispose](): void {
    this.pool[Symbol.dispose]();
    this.inside[Symbol.dispose]();
  }
}

function cleared(id: string): object {
  return result("", { session_id: id, num_turns: 0, total_cost_usd: 0 });
}

describe("a process that has forgotten its task", () => {
  test("is given to a task of the same kind, once, with its new conversation", async () => {
    using processes = new Processes();
    const { pool } = processes;
    expect(await processes.idle("one")).toBe(true);
    expect(pool.take(processes.plan("x", "another kind"), need, 2)).toBeUndefined();
    const taken = pool.take(processes.plan("x"), need, 2);
    expect(taken?.plan).toMatchObject({ marker: "one", sessionId: "one", startName: "one" });
    expect(taken?.plan.offset).toBe(Bun.file(processes.plan("one").transcript).size);
    expect(taken?.session.output.reading).toMatchObject({ messages: 0, replies: 0 });
    expect(pool.take(processes.plan("x"), need, 2)).toBeUndefined();
    taken?.session.output[Symbol.dispose]();
    expect(processes.ended).toEqual([]);
  });

  test("is worth a moment's wait while it answers, once another one has forgotten its task", async () => {
    using processes = new Processes();
    const { pool } = processes;
    processes.kinds = { 2: "a kind", 3: "another kind" };
    const begun = (marker: string) => {
      const { plan, session } = processes.answered(marker);
      processes.now += 400;
      pool.ready(plan);
      pool.prompted(plan);
      return { plan, session };
    };
    const { plan, session } = begun("one");
    begun("two");
    processes.now += 3_000;
    expect(pool.patienceMs(2)).toBe(0);
    const clearing = pool.answered({ task: 1, session, options, plan });
    expect(pool.patienceMs(2)).toBe(0);
    clearing?.read();
    session.output[Symbol.dispose]();
    await clearing?.ended;
    processes.waiting = 1;
    expect([2, 3].map((task) => pool.patienceMs(task))).toEqual([800, 0]);
    // A task more than there are such processes: another process would not be needed for one task alone.
    processes.waiting = 2;
    expect(pool.patienceMs(2)).toBe(0);
    expect(processes.freed).toBe(0);
    pool.concluded("one");
    expect(processes.freed).toBe(1);
    pool.concluded("two");
    expect(processes.freed).toBe(1);
  });

  test("is no more waited for if it cannot be ended, which the runner hears", async () => {
    using processes = new Processes();
    await processes.idle("one");
    processes.fault = new Error("no scan of processes");
    await processes.pool.ended();
    expect(processes.failures).toEqual([processes.fault]);
  });

  test("leaves after a minute without a task, when no task waits any more, and when memory is short", async () => {
    using processes = new Processes();
    const { pool } = processes;
    await processes.idle("late");
    processes.now = idleLifeMs - 1;
    pool.look();
    expect(processes.ended).toEqual([]);
    processes.now = idleLifeMs;
    pool.look();
    expect(processes.ended).toEqual(["late"]);
    await processes.idle("unneeded");
    processes.waiting = 0;
    pool.look();
    expect(processes.ended).toEqual(["late", "unneeded"]);
    processes.waiting = 5;
    await processes.idle("large");
    expect([pool.owns("large"), pool.owns("other")]).toEqual([true, false]);
    pool.evict(["other", "large"]);
    expect(processes.ended).toEqual(["late", "unneeded", "large"]);
    expect(pool.take(processes.plan("x"), need, 2)).toBeUndefined();
  });

  test("whose answers are remembered is given to nobody once anything that it keeps from its start was touched", async () => {
    using processes = new Processes();
    const { pool } = processes;
    processes.isUntouched = false;
    expect(await processes.idle("unnoted")).toBe(true);
    const kept = { atMs: 1, ticksMs: 1, roots: [], places: "", looks: new Map() };
    const { plan, session } = processes.answered("noted", "a kind", kept);
    expect(pool.answered({ task: 1, session, options, plan })).toBeUndefined();
    session.output[Symbol.dispose]();
    processes.isUntouched = true;
    expect(await processes.idle("later", "another kind", kept)).toBe(true);
    processes.isUntouched = false;
    expect(pool.take(processes.plan("x", "another kind"), need, 2)).toBeUndefined();
    expect(processes.ended).toEqual(["later"]);
    processes.isUntouched = true;
    expect(await processes.idle("given", "a third kind", kept)).toBe(true);
    const taken = pool.take(processes.plan("x", "a third kind"), need, 2);
    expect(taken).toMatchObject({ seen: kept, clearedAt: { atMs: expect.any(Number) } });
    taken?.session.output[Symbol.dispose]();
  });

  test("is given to nobody once it has died, or the settings of its directory have changed", async () => {
    using processes = new Processes();
    const { pool } = processes;
    const { plan, session, exit } = processes.answered("dead");
    pool.answered({ task: 1, session, options, plan })?.read();
    await Promise.resolve();
    exit.resolve({ signal: "SIGKILL" });
    await session.exited;
    await Promise.resolve();
    expect(pool.take(processes.plan("x"), need, 2)).toBeUndefined();
    await processes.idle("stale");
    processes.stamp = "changed";
    expect(pool.take(processes.plan("x"), need, 2)).toBeUndefined();
    expect(processes.ended).toEqual(["dead", "stale"]);
    session.output[Symbol.dispose]();
  });

  test("is given to nobody before the end of its task is in the log", async () => {
    using processes = new Processes();
    const { pool } = processes;
    const { plan, session } = processes.answered("one");
    const clearing = pool.answered({ task: 1, session, options, plan });
    clearing?.read();
    await clearing?.ended;
    expect([pool.owns("one"), pool.take(processes.plan("x"), need, 2)]).toEqual([true, undefined]);
    processes.kinds = { 2: "a kind" };
    // Nor ended for a task that could have it a moment later.
    pool.release();
    expect([pool.has(2), pool.reserve(2), processes.ended]).toEqual([false, undefined, []]);
    pool.concluded("one");
    const taken = pool.take(processes.plan("x"), need, 2);
    expect(taken?.plan.marker).toBe("one");
    taken?.session.output[Symbol.dispose]();
    session.output[Symbol.dispose]();
  });

  test("is set aside for a task of its kind, and then nobody else gets it and nothing ends it", async () => {
    using processes = new Processes();
    const { pool } = processes;
    processes.kinds = { 2: "a kind", 3: "a kind", 4: "another kind" };
    await processes.idle("one");
    expect([2, 3, 4, 5].map((task) => pool.has(task))).toEqual([true, true, false, false]);
    expect([pool.reserve(4), pool.reserve(5)]).toEqual([undefined, undefined]);
    const reserved = pool.reserve(2);
    expect([2, 3].map((task) => pool.has(task))).toEqual([true, false]);
    expect([pool.reserve(3), pool.take(processes.plan("x"), need, 3)]).toEqual([undefined, undefined]);
    processes.now = idleLifeMs;
    pool.look();
    pool.release();
    pool.evict(["one"]);
    expect([pool.owns("one"), processes.ended]).toEqual([false, []]);
    // Given back, it is as before.
    reserved?.[Symbol.dispose]();
    expect([pool.owns("one"), pool.has(3)]).toEqual([true, true]);
    pool.reserve(2);
    pool.take(processes.plan("x"), need, 2)?.session.output[Symbol.dispose]();
    expect(processes.ended).toEqual([]);
    await processes.idle("two");
    processes.stamp = "changed";
    expect([pool.has(2), pool.reserve(2)]).toEqual([false, undefined]);
    expect(processes.ended).toEqual(["two"]);
  });

  test("makes room for a task that needs what it uses", async () => {
    using processes = new Processes();
    await processes.idle("one");
    processes.pool.release();
    expect(processes.ended).toEqual(["one"]);
  });

  test("is ended with the batch, which waits for that", async () => {
    using processes = new Processes();
    await processes.idle("one");
    await processes.idle("two");
    await processes.pool.ended();
    expect(processes.ended).toEqual(["one", "two"]);
  });
});

describe("a process is not kept", () => {
  test("if as many wait already as there are tasks for them", async () => {
    using processes = new Processes();
    processes.waiting = 1;
    expect(await processes.idle("one")).toBe(true);
    expect(await processes.idle("two")).toBe(false);
    processes.waiting = 0;
    expect(await processes.idle("three")).toBe(false);
  });

  test("if others are about to be kept for the tasks that wait", () => {
    using processes = new Processes();
    processes.waiting = 1;
    const [one, two] = [processes.answered("one"), processes.answered("two")];
    const offered = [one, two].map(({ plan, session }) =>
      processes.pool.answered({ task: 1, session, options, plan }),
    );
    expect(offered.map((clearing) => clearing !== undefined)).toEqual([true, false]);
    offered[0]?.abandon();
    for (const { session } of [one, two]) session.output[Symbol.dispose]();
  });

  test("if something that its task started still runs", async () => {
    using processes = new Processes();
    processes.beside = [gone];
    expect(await processes.idle("one")).toBe(false);
  });

  test("if it has grown to more than twice of what it used after its first task", async () => {
    using processes = new Processes();
    processes.bytes = 400e6;
    expect(await processes.idle("one")).toBe(true);
    const taken = processes.pool.take(processes.plan("x"), need, 2);
    if (!taken) throw new Error("Nothing was there");
    appendFileSync(
      taken.plan.transcript,
      [{ ...own, session_id: "one" }, result("More", { session_id: "one" })]
        .map((message) => `${JSON.stringify(message)}\n`)
        .join(""),
    );
    taken.session.output.read();
    processes.bytes = 801e6;
    const again = () => processes.pool.answered({ task: 2, options, ...taken });
    expect(again()).toBeUndefined();
    taken.session.output[Symbol.dispose]();
  });

  testNeeding("files that can be removed while open")("if somebody has removed its transcript", async () => {
    using processes = new Processes();
    const [one, two] = [processes.answered("one"), processes.answered("two")];
    const offer = ({ plan, session }: typeof one) =>
      processes.pool.answered({ task: 1, session, options, plan });
    rmSync(one.plan.transcript);
    expect(offer(one)).toBeUndefined();
    const clearing = offer(two);
    rmSync(two.plan.transcript);
    clearing?.read();
    expect(await clearing?.ended).toBeUndefined();
    expect(processes.pool.owns("two")).toBe(false);
    for (const { session } of [one, two]) session.output[Symbol.dispose]();
  });

  test("once the runner ends", async () => {
    using processes = new Processes();
    processes.pool[Symbol.dispose]();
    expect(await processes.idle("one")).toBe(false);
  });

  test("if its task did not ask for that", () => {
    using processes = new Processes();
    const { plan, session } = processes.answered("one");
    const never = sessionOptions.parse({});
    expect(processes.pool.answered({ task: 1, session, options: never, plan })).toBeUndefined();
    session.output[Symbol.dispose]();
  });
});
