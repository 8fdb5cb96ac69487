// Where sessions run, where tasks work and who starts their sessions can differ: another host, workspace and pool fit.
import { describe, expect, jest, spyOn, test } from "bun:test";
import { appendFileSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { planAttempt } from "../../src/engine/attempt/plan-attempt.ts";
import type {
  Session,
  SessionHost,
  Start,
  StartPlan,
  StartVerdict,
} from "../../src/engine/attempt/session-host.ts";
import type { StartedSession } from "../../src/engine/attempt/session-pool.ts";
import type { Prepared, Workspace } from "../../src/engine/attempt/workspace.ts";
import type { SessionRef } from "../../src/model/session-ref.ts";
import { noValues } from "../../src/model/session-values.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Replaced } from "../../src/store/batch-log.ts";
import { eventually } from "../harness.ts";
import { Inside, type TestBatch } from "../inside.ts";
import { emptyPool } from "./empty-pool.ts";
import { letClaudeSay, tasksIn } from "./inside-tasks.ts";
import { hookStarted, init, introduction, result, said } from "./messages.ts";

/**
 * Another machine, as far as a runner can tell: its sessions are no processes here, and what they say comes into the
 * transcript line by line. They answer with what they are asked, unless the prompt says `wait`.
 */
class Elsewhere implements SessionHost {
  readonly calls: string[] = [];
  readonly sessions = new Map<
    string,
    { transcript: string; exit: (how: Exit) => void; exited: Promise<Exit> }
  >();
  full = false;
  /** Called when a session has started. */
  onStart: () => void = () => undefined;

  async start({ transcript }: { transcript: string }): Promise<Start> {
    const id = `remote-${this.sessions.size + 1}`;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    writeFileSync(transcript, "");
    this.sessions.set(id, { transcript, exit: resolve, exited: promise });
    this.calls.push(`start ${id}`);
    this.onStart();
    return { started: true, session: this.#session(id) };
  }

  adopt({ ref }: { ref: SessionRef }): Session {
    const id = "host" in ref ? ref.id : "none";
    this.calls.push(`adopt ${id}`);
    return this.#session(id);
  }

  canResume(): boolean {
    return false;
  }

  whyWait(): string | undefined {
    return this.full ? "Waits for the other machine." : undefined;
  }

  async endShared(): Promise<void> {
    this.calls.push("end shared");
  }

  says(id: string, ...messages: object[]): void {
    const { transcript = "" } = this.sessions.get(id) ?? {};
    appendFileSync(transcript, messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  #session(id: string): Session {
    const known = this.sessions.get(id);
    if (!known) throw new Error(`${id} is not known here`);
    const { transcript, exit, exited } = known;
    return {
      ref: { host: "elsewhere", id },
      output: new TranscriptReader(transcript),
      exited,
      write: (line) => {
        this.calls.push(`write ${id}`);
        if (!line.includes("wait")) this.says(id, init, said("So"), result(`Done by ${id}`));
      },
      closeInput: () => exit({ code: 0 }),
      end: async () => {
        exit({ code: 0 });
        this.calls.push(`end ${id}`);
        return [];
      },
    };
  }
}

/** A session that a runner started which has gone since. */
async function startEarlier(batch: TestBatch, host: Elsewhere, workingDirectory: string): Promise<void> {
  const transcript = batch.transcript(1);
  const start = await host.start({ transcript });
  if (!start.started) throw new Error(start.kind);
  start.session.output[Symbol.dispose]();
  const { ref } = start.session;
  const event = { type: "attempt-started" as const, task: 1, attempt: 1, identity: ref, sessionId: "s" };
  batch.append({ ...event, transcript, workingDirectory });
}

const lookAt = ({ attempts }: ReturnType<typeof tasksIn>) => {
  const timer = setInterval(() => {
    for (const attempt of attempts.running.values()) attempt.readTranscript();
  }, 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
};

describe("another host", () => {
  test("runs sessions that are no processes of this machine, and the log says which they are", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "one" }, { prompt: "two" }] });
    const host = new Elsewhere();
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1, hostOf: () => host });
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    await runner.tasks.endShared();
    expect(batch.log.state.tasks).toMatchObject([
      {
        status: "done",
        outcome: { kind: "succeeded" },
        attempts: [{ identity: { host: "elsewhere", id: "remote-1" } }],
      },
      {
        status: "done",
        outcome: { kind: "succeeded" },
        attempts: [{ identity: { host: "elsewhere", id: "remote-2" } }],
      },
    ]);
    expect(host.calls).toEqual([
      "start remote-1",
      "write remote-1",
      "end remote-1",
      "start remote-2",
      "write remote-2",
      "end remote-2",
      "end shared",
    ]);
    // As it is read by another process.
    const again = context.store.batch(batch.log.batchId);
    expect(again?.state.tasks[0]?.attempts[0]?.identity).toEqual({ host: "elsewhere", id: "remote-1" });
  });

  test("gives the next runner a session that runs on", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "wait" }] });
    const host = new Elsewhere();
    await startEarlier(batch, host, inside.work);
    await using next = tasksIn(inside, context.store, batch, { hostOf: () => host });
    using _looking = lookAt(next);
    next.tasks.adoptAll();
    expect(host.calls).toContain("adopt remote-1");
    host.says("remote-1", init, result("Done"));
    await next.tasks.runAll();
    expect(batch.log.state.counts.succeeded).toBe(1);
  });

  test("ends a session whose start nobody can commit, for another runner has the batch", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "one" }] });
    const host = new Elsewhere();
    await using runner = tasksIn(inside, context.store, batch, { hostOf: () => host });
    host.onStart = () => batch.log.disown(() => []);
    void runner.tasks.runAll();
    await eventually(
      () => runner.failures.length > 0,
      () => "the runner goes on",
    );
    expect(runner.failures).toEqual([expect.any(Replaced)]);
    expect(host.calls).toEqual(["start remote-1", "end remote-1"]);
  });

  test("says why a session did not start there: for the task's own reason, or for one that may pass", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "one" }, { prompt: "two" }] });
    // What it says decides, not what this machine has: the directory of the tasks is not here.
    rmdirSync(inside.work);
    const refusals: StartVerdict[] = [
      { kind: "task", message: "The image of task 1 is unknown." },
      { kind: "passing", because: "Waits for elsewhere." },
    ];
    class Refusing extends Elsewhere {
      override async start(plan: { transcript: string }): Promise<Start> {
        const refusal = refusals.shift();
        return refusal ? { started: false, ...refusal } : super.start(plan);
      }
    }
    const host = new Refusing();
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1, hostOf: () => host });
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(batch.log.state.tasks).toMatchObject([
      {
        outcome: { kind: "not-started", message: "The image of task 1 is unknown." },
        attempts: [],
      },
      { outcome: { kind: "succeeded" }, attempts: [{ number: 1 }] },
    ]);
    expect(host.calls).toEqual(["start remote-1", "write remote-1", "end remote-1"]);
  });

  test("is asked whether it has room", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "one" }] });
    const host = new Elsewhere();
    host.full = true;
    await using runner = tasksIn(inside, context.store, batch, { hostOf: () => host });
    using _looking = lookAt(runner);
    const all = runner.tasks.runAll();
    await eventually(
      () => runner.told.includes("Waits for the other machine."),
      () => "nobody says why it waits",
    );
    expect(host.calls).toEqual([]);
    host.full = false;
    await all;
    expect(batch.log.state.counts.succeeded).toBe(1);
  });
});

/** Two tasks, of which one may start at a time. The first one has its prompt, and its session is ready; no timer runs. */
async function untilOneIsReady(inside: Inside, more: Parameters<typeof tasksIn>[3] = {}) {
  const context = inside.context();
  const batch = inside.batch(context, { tasks: [{ prompt: "wait" }, { prompt: "wait" }] });
  const host = new Elsewhere();
  const given = { concurrency: 2, starts: 1, hostOf: () => host, ...more };
  const runner = tasksIn(inside, context.store, batch, given);
  const read = () => {
    for (const attempt of runner.attempts.running.values()) attempt.readTranscript();
  };
  const all = runner.tasks.runAll();
  await eventually(
    () => host.calls.includes("write remote-1"),
    () => host.calls.join(", "),
  );
  jest.useFakeTimers();
  host.says("remote-1", introduction);
  read();
  const starts = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    return host.calls.filter((call) => call.startsWith("start "));
  };
  const end = async () => {
    jest.useRealTimers();
    using _looking = lookAt(runner);
    await eventually(
      () => host.calls.includes("write remote-2"),
      () => host.calls.join(", "),
    );
    for (const id of ["remote-1", "remote-2"]) host.says(id, init, result("Done"));
    await all;
    await runner[Symbol.asyncDispose]();
    expect([batch.log.state.counts.succeeded, runner.failures]).toEqual([2, []]);
  };
  return { host, read, starts, end };
}

describe("the right to start", () => {
  test("is kept by a session with a prompt until it is at work, and what a hook says is no work", async () => {
    using inside = new Inside();
    const { host, read, starts, end } = await untilOneIsReady(inside);
    try {
      expect(await starts()).toEqual(["start remote-1"]);
      host.says("remote-1", hookStarted);
      read();
      expect(await starts()).toEqual(["start remote-1"]);
      host.says("remote-1", init);
      read();
      expect(await starts()).toEqual(["start remote-1", "start remote-2"]);
    } finally {
      await end();
    }
  });

  test("is given to the next one after a while, though a session says nothing to its prompt", async () => {
    using inside = new Inside();
    const { starts, end } = await untilOneIsReady(inside);
    try {
      jest.advanceTimersByTime(299);
      expect(await starts()).toEqual(["start remote-1"]);
      jest.advanceTimersByTime(1);
      expect(await starts()).toEqual(["start remote-1", "start remote-2"]);
    } finally {
      await end();
    }
  });
});

describe("another pool", () => {
  test("gives tasks sessions that had started before, with their own names, conversations and transcripts", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: ["one", "two", "three"].map((word) => ({ prompt: `say:${word}` })),
    });
    // They name no conversation, so it is the one that was asked for.
    const unnamed = { session_id: undefined };
    const answer = [{ ...init, ...unnamed }, result("Done", unnamed)];
    letClaudeSay(inside, { one: answer, two: answer, three: answer });
    inside.write("introduction.ndjson", `${JSON.stringify(introduction)}\n`);
    const spares: StartedSession[] = [];
    const asked: string[] = [];
    await using runner = tasksIn(inside, context.store, batch, {
      concurrency: 1,
      pool: {
        ...emptyPool,
        take: (plan) => {
          asked.push(plan.startName);
          const isAlike = (spare: StartedSession) => isSameButIds(spare.plan, plan);
          const index = spares.findIndex(isAlike);
          return index < 0 ? undefined : spares.splice(index, 1)[0];
        },
      },
    });
    const { host, machine, environment } = runner;
    const means = { claudePath: inside.claude, layout: context.store.layout, environment, values: noValues };
    for (const workingDirectory of [inside.work, inside.work, inside.path]) {
      const plan = planAttempt(batch.log.state, 1, { ...means, workingDirectory }).session;
      const start = await host.start(plan, { footprintKey: "any" });
      if (!start.started) throw new Error(start.kind);
      spares.push({ plan, session: start.session });
    }
    const [first, second, other] = spares;
    if (!first || !second || !other) throw new Error("none has started");
    await eventually(
      () => spares.every(({ session: { output } }) => output.read() || output.reading.isInitialized),
      () => "they do not answer",
    );
    // They count for memory, though no task has them.
    machine.lookNow();
    for (const { plan } of spares) expect(machine.membersOf(plan.marker)).not.toEqual([]);
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(batch.log.state.counts.succeeded).toBe(3);
    const [one, two, three] = batch.log.state.tasks.flatMap(({ attempts }) => attempts);
    for (const [attempt, { plan, session }] of [[one, first] as const, [two, second] as const])
      expect(attempt).toMatchObject({
        identity: session.ref,
        startName: plan.startName,
        sessionId: plan.sessionId,
        transcript: plan.transcript,
      });
    // The remaining one works elsewhere, so the last task gets its own session.
    expect(three?.startName).toBe(asked[2]);
    expect(spares).toEqual([other]);
    expect(machine.membersOf(first.plan.marker)).toEqual([]);
    other.session.output[Symbol.dispose]();
    await other.session.end();
  });
});

function isSameButIds(one: StartPlan, other: StartPlan): boolean {
  const rest = ({ command, sessionId, workingDirectory, environment, initialize }: StartPlan) => ({
    command: command.map((word) => word.replace(sessionId, "")),
    workingDirectory,
    environment,
    initialize,
  });
  return Bun.deepEquals(rest(one), rest(other));
}

/** A directory for each task, and in which order they were given and given back. */
function ownDirectories(inside: Inside, { log }: TestBatch) {
  const given: string[] = [];
  const until = (number: number, directory: string) => ({
    directory,
    [Symbol.asyncDispose]: async () => {
      given.push(`-${number} ${log.state.tasks[number - 1]?.status}`);
    },
  });
  const workspace: Workspace = {
    prepare: async (_, { number }) => {
      const directory = inside.file(`own-${number}`);
      mkdirSync(directory, { recursive: true });
      given.push(`+${number}`);
      return until(number, directory);
    },
    adopt: (_, number, directory) => {
      given.push(`=${number} ${directory}`);
      return until(number, directory);
    },
  };
  return { given, workspace };
}

/** The same, but none is given back without an error. */
function stubbornDirectories(inside: Inside, batch: TestBatch) {
  const { given, workspace } = ownDirectories(inside, batch);
  const stubborn = (number: number, prepared: Prepared): Prepared => ({
    ...prepared,
    [Symbol.asyncDispose]: async () => {
      throw new Error(`own-${number} is busy`);
    },
  });
  const own: Workspace = {
    prepare: async (of, task, place) => stubborn(task.number, await workspace.prepare(of, task, place)),
    adopt: (of, number, directory) => stubborn(number, workspace.adopt(of, number, directory)),
  };
  return { given, workspace: own };
}

describe("another workspace", () => {
  test("gives each task a directory of its own, which the log keeps, until its attempt has ended", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: [{ prompt: "say:one" }, { prompt: "say:two" }],
      batch: { sessionOptions: { retries: 0 } },
    });
    letClaudeSay(inside, { one: [init, result("One")], two: [init, result("Two")] });
    const { given, workspace } = ownDirectories(inside, batch);
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1, workspace });
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(given).toEqual(["+1", "-1 running", "+2", "-2 running"]);
    expect(batch.log.state.tasks.map(({ attempts }) => attempts.map((one) => one.workingDirectory))).toEqual([
      [inside.file("own-1")],
      [inside.file("own-2")],
    ]);
  });

  test("that cannot make a directory ready fails that task alone, with the words of the error", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: [{ prompt: "say:one" }, { prompt: "say:two" }],
    });
    letClaudeSay(inside, { one: [init, result("One")], two: [init, result("Two")] });
    const { given, workspace } = ownDirectories(inside, batch);
    await using runner = tasksIn(inside, context.store, batch, {
      concurrency: 1,
      workspace: {
        ...workspace,
        prepare: async (of, task, place) => {
          if (task.number === 1) throw new Error("the tree is dirty");
          return workspace.prepare(of, task, place);
        },
      },
    });
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(runner.failures).toEqual([]);
    expect(given).toEqual(["+2", "-2 running"]);
    expect(batch.log.state.tasks).toMatchObject([
      {
        outcome: {
          kind: "not-started",
          message: "The working directory could not be prepared: the tree is dirty",
        },
        attempts: [],
      },
      { outcome: { kind: "succeeded" } },
    ]);
  });

  test("gets the directory of an attempt that was adopted, and has it back when that has ended", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "wait" }] });
    const host = new Elsewhere();
    const { given, workspace } = ownDirectories(inside, batch);
    await startEarlier(batch, host, inside.file("own-1"));
    await using next = tasksIn(inside, context.store, batch, { hostOf: () => host, workspace });
    using _looking = lookAt(next);
    next.tasks.adoptAll();
    host.says("remote-1", init, result("Done"));
    await next.tasks.runAll();
    expect(given).toEqual([`=1 ${inside.file("own-1")}`, "-1 running"]);
  });

  test("that cannot clean a directory up leaves that task a remark, and fails neither task nor batch", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "say:one" }, { prompt: "say:two" }] });
    letClaudeSay(inside, { one: [init, result("One")], two: [init, result("Two")] });
    const { workspace } = stubbornDirectories(inside, batch);
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1, workspace });
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(runner.failures).toEqual([]);
    const remark = (task: number) =>
      `The working directory ${inside.file(`own-${task}`)} could not be cleaned up: own-${task} is busy`;
    expect(batch.log.state.tasks).toMatchObject([
      { outcome: { kind: "succeeded" }, remarks: [remark(1)] },
      { outcome: { kind: "succeeded" }, remarks: [remark(2)] },
    ]);
  });

  test("that cannot clean up after an adopted attempt whose transcript is gone leaves it a remark too", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: [{ prompt: "say:one" }],
      batch: { sessionOptions: { retries: 0 } },
    });
    batch.append({
      type: "attempt-started",
      task: 1,
      attempt: 1,
      identity: { ...ownIdentity(), startTicks: "0" },
      sessionId: "earlier",
      transcript: batch.transcript(1),
      workingDirectory: inside.work,
    });
    const { workspace } = stubbornDirectories(inside, batch);
    await using next = tasksIn(inside, context.store, batch, { workspace });
    letClaudeSay(inside, { one: [init, result("One")] });
    next.tasks.adoptAll();
    using _looking = lookAt(next);
    await next.tasks.runAll();
    expect(next.failures).toEqual([]);
    // The next attempt has the same remark, and is the one that the state keeps.
    const bodies = context.store.database.query<{ body: string }, []>("SELECT body FROM events").all();
    const ends = bodies.map(({ body }) => JSON.parse(body)).filter(({ type }) => type === "attempt-ended");
    expect(ends).toHaveLength(2);
    expect(ends[0]).toMatchObject({
      outcome: { kind: "crashed" },
      remarks: [`The working directory ${inside.work} could not be cleaned up: own-1 is busy`],
    });
  });

  test("that cannot clean up after a start that failed has that logged, and the task says why it did not start", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "say:one" }, { prompt: "say:two" }] });
    letClaudeSay(inside, { two: [init, result("Two")] });
    const { workspace } = stubbornDirectories(inside, batch);
    await using runner = tasksIn(inside, context.store, batch, {
      concurrency: 1,
      workspace: {
        ...workspace,
        prepare: async (of, task, place) => {
          const prepared = await workspace.prepare(of, task, place);
          if (task.number === 1) rmdirSync(prepared.directory);
          return prepared;
        },
      },
    });
    using _looking = lookAt(runner);
    using logged = spyOn(console, "error").mockImplementation(() => undefined);
    await runner.tasks.runAll();
    expect(runner.failures).toEqual([]);
    expect(batch.log.state.tasks).toMatchObject([
      {
        outcome: { kind: "not-started", message: expect.stringContaining("no longer exists") },
        attempts: [],
      },
      { outcome: { kind: "succeeded" } },
    ]);
    expect(logged.mock.calls.flat()).toEqual([
      expect.stringMatching(
        /^[-\dT:.]+Z Task 1: The working directory \S+ could not be cleaned up: own-1 is busy$/,
      ),
    ]);
  });

  test("is told where an attempt worked whose conversation the next one continues", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: [{ prompt: "say:one" }] });
    const earlier = inside.file("earlier");
    mkdirSync(earlier);
    batch.append(
      {
        type: "attempt-started",
        task: 1,
        attempt: 1,
        identity: { host: "elsewhere", id: "gone" },
        sessionId: "earlier",
        transcript: batch.transcript(1),
        workingDirectory: earlier,
      },
      {
        type: "attempt-ended",
        task: 1,
        attempt: 1,
        outcome: { kind: "crashed", stderrTail: "" },
        resumable: true,
        retryAt: 1,
      },
    );
    letClaudeSay(inside, { one: [init, result("One")] });
    await using runner = tasksIn(inside, context.store, batch);
    using _looking = lookAt(runner);
    await runner.tasks.runAll();
    expect(batch.log.state.tasks[0]).toMatchObject({
      status: "done",
      attempts: [{ workingDirectory: earlier }, { workingDirectory: earlier, resumes: true }],
    });
  });
});
