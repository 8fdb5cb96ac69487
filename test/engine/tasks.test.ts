// The tasks of a batch from slot to slot, with real sessions.
import { describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { paceFrom } from "../../src/engine/account/pace.ts";
import { mostLookedAt } from "../../src/engine/runner/tasks.ts";
import type { Batch, EventBody } from "../../src/model/event.ts";
import { localProcess } from "../../src/model/session-ref.ts";
import { taskOf } from "../../src/model/state.ts";
import { clock } from "../../src/platform/clock.ts";
import { identityOf, livenessOf, ownIdentity, signalProcess } from "../../src/platform/process.ts";
import { markerVariable } from "../../src/platform/session-variables.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { startIdle } from "../idle.ts";
import { Inside, type TestBatch } from "../inside.ts";
import { emptyPool } from "./empty-pool.ts";
import { letClaudeSay, slotsOf, taken, tasksIn } from "./inside-tasks.ts";
import { init, introduction, result, said, throttle } from "./messages.ts";

const fine = [init, said("Let me see"), result("Done")];
const refusal = { ...throttle, error_status: 401, error: "authentication_failed" };
const notLoggedIn = [
  init,
  { ...said("Invalid API key · Please run /login"), error: "authentication_failed" },
  result("Invalid API key · Please run /login", { is_error: true }),
];
/** Its pid is another process's now. */
const dead = { ...ownIdentity(), startTicks: "0" };

const says = (...words: string[]): Batch["tasks"] => words.map((word) => ({ prompt: `say:${word}` }));

function outcomesOf({ log: { state } }: TestBatch) {
  return state.tasks.map((task) => {
    if (task.status !== "done") return task.status;
    const { outcome } = task;
    return outcome.kind === "failed" ? outcome.reason : outcome.kind;
  });
}

const isRunning = ({ log: { state } }: TestBatch, number: number) =>
  eventually(
    () => taskOf(state, number).status === "running",
    () => `task ${number} does not run: ${JSON.stringify(taskOf(state, number))}`,
  );

/**
 * A session that an earlier runner started, and that goes on: it says what `<word>.ndjson` says once there is no
 * `<word>.wait`.
 */
function orphan(inside: Inside, batch: TestBatch, number: number, word: string) {
  const transcript = batch.transcript(number);
  const script = [
    `while [ -e "${inside.file(`${word}.wait`)}" ]; do sleep 0.02; done`,
    `cat "${inside.file(`${word}.ndjson`)}" >> "${transcript}"`,
  ];
  writeFileSync(transcript, "");
  const child = Bun.spawn(["sh", "-c", script.join("\n")]);
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("it has ended already");
  const event: EventBody = {
    type: "attempt-started",
    task: number,
    attempt: 1,
    identity,
    sessionId: `session-${number}`,
    transcript,
  };
  batch.append(event);
  return { identity, transcript };
}

describe("a runner that takes sessions over", () => {
  test("sees them through in the slots that they had, and gives back the others", async () => {
    using inside = new Inside();
    const context = inside.context();
    const { store } = context;
    const batch = inside.batch(context, { tasks: says("first", "second") });
    letClaudeSay(inside, { first: [said("x"), result("First")], second: fine });
    inside.write("first.wait", "");
    orphan(inside, batch, 1, "first");
    // It had two, of which one session has ended unseen.
    const earlier = slotsOf(store, batch.log.batchId, dead);
    for (const slot of [earlier.claim(), earlier.claim()]) expect(slot).toBeNumber();
    await using runner = tasksIn(inside, store, batch, { concurrency: 1 });
    const { tasks, failures, table, attempts } = runner;
    tasks.adoptAll();
    expect([...attempts.running.keys()]).toEqual([1]);
    expect(taken(store)).toBe(1);
    const all = tasks.runAll();
    await eventually(
      () => taken(store) === 1 && attempts.running.size === 1,
      () => "it does not go on",
    );
    expect(taskOf(batch.log.state, 2).status).toBe("queued");
    inside.remove(inside.file("first.wait"));
    await all;
    expect(outcomesOf(batch)).toEqual(["succeeded", "succeeded"]);
    const [first, second] = batch.log.state.tasks.map(({ attempts }) => attempts[0]);
    expect(second?.startedAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
    expect([attempts.running.size, failures, table.all()]).toEqual([0, [], []]);
  });

  test("take a slot above the limit where the earlier runner had none left", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one", "two") });
    letClaudeSay(inside, { one: fine, two: fine });
    for (const word of ["one", "two"]) inside.write(`${word}.wait`, "");
    orphan(inside, batch, 1, "one");
    orphan(inside, batch, 2, "two");
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1 });
    const { tasks, attempts } = runner;
    tasks.adoptAll();
    expect([...attempts.running.keys()]).toEqual([1, 2]);
    expect(taken(context.store)).toBe(2);
    for (const word of ["one", "two"]) inside.remove(inside.file(`${word}.wait`));
    await tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["succeeded", "succeeded"]);
  });

  test("read what a session has said before they came, at once", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one") });
    letClaudeSay(inside, { one: [result("Done")] });
    inside.write("one.wait", "");
    const { transcript } = orphan(inside, batch, 1, "one");
    appendFileSync(transcript, `${JSON.stringify(init)}\n${JSON.stringify(said("Half of it"))}\n`);
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, attempts } = runner;
    tasks.adoptAll();
    expect(attempts.running.get(1)?.activity).toContain("Half of it");
    inside.remove(inside.file("one.wait"));
    await tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["succeeded"]);
  });

  test("end one whose transcript is gone, and run its task again", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one") });
    letClaudeSay(inside, { one: fine });
    inside.write("one.wait", "");
    const { identity, transcript } = orphan(inside, batch, 1, "one");
    inside.remove(transcript);
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, failures } = runner;
    tasks.adoptAll();
    const all = tasks.runAll();
    await eventually(
      () => livenessOf(identity) === "dead",
      () => "it is not ended",
    );
    inside.remove(inside.file("one.wait"));
    await all;
    expect([outcomesOf(batch), failures]).toEqual([["succeeded"], []]);
    // It had no conversation that could be continued.
    expect(taskOf(batch.log.state, 1).attempts.map(({ resumes }) => resumes)).toEqual([false, false]);
    expect(taskOf(batch.log.state, 1).attempts.map(({ outcome }) => outcome)).toMatchObject([
      { kind: "crashed", stderrTail: `The transcript ${transcript} was removed while the session ran.` },
      { kind: "succeeded" },
    ]);
  });

  testNeeding("a system other than Windows")(
    "end what a session has left that an older log names by its task and its conversation",
    async () => {
      using inside = new Inside();
      const context = inside.context();
      const batch = inside.batch(context, { tasks: says("one") });
      letClaudeSay(inside, { one: fine });
      inside.write("one.wait", "");
      orphan(inside, batch, 1, "one");
      const { startName } = taskOf(batch.log.state, 1).attempts[0] ?? {};
      expect(startName).toBeUndefined();
      // Of `session-1`, as SHA-256 in hexadecimal digits: the first sixteen.
      const env = { [markerVariable]: `${batch.id}/1/1/84097828fc31a8c8` };
      const left = await startIdle({ env, detached: true });
      await using runner = tasksIn(inside, context.store, batch);
      runner.tasks.adoptAll();
      inside.remove(inside.file("one.wait"));
      await runner.tasks.runAll();
      await left.exited;
      expect(left.signalCode).toBe("SIGKILL");
      expect(taskOf(batch.log.state, 1)).toMatchObject({ leaked: [{ pid: left.pid }] });
    },
  );

  test("end at once what was cancelled meanwhile", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one", "one") });
    letClaudeSay(inside, { one: fine });
    inside.write("one.wait", "");
    const { identity } = orphan(inside, batch, 1, "one");
    batch.append({ type: "cancel-requested", by: "user" });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks } = runner;
    tasks.adoptAll();
    await tasks.runAll();
    expect(livenessOf(identity)).toBe("dead");
    expect(outcomesOf(batch)).toEqual(["cancelled", "cancelled"]);
    expect(taskOf(batch.log.state, 2).attempts).toEqual([]);
  });
});

describe("where one session starts at a time", () => {
  const waiting = (inside: Inside) => {
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: says("one", "two"),
      batch: { sessionOptions: { retries: 0 } },
    });
    letClaudeSay(inside, { one: fine, two: fine });
    inside.write("one.wait", "");
    return { context, batch };
  };

  test("the next one starts when it has answered `initialize`, though it says nothing to its prompt", async () => {
    using inside = new Inside();
    const { context, batch } = waiting(inside);
    inside.write("introduction.ndjson", `${JSON.stringify(introduction)}\n`);
    await using runner = tasksIn(inside, context.store, batch, { starts: 1 });
    const all = runner.tasks.runAll();
    await isRunning(batch, 1);
    await eventually(
      () => {
        for (const attempt of runner.attempts.running.values()) attempt.readTranscript();
        return taskOf(batch.log.state, 2).status === "done";
      },
      () => `the second does not run: ${JSON.stringify(taskOf(batch.log.state, 2))}`,
    );
    expect(taskOf(batch.log.state, 1).status).toBe("running");
    inside.remove(inside.file("one.wait"));
    await all;
    expect(outcomesOf(batch)).toEqual(["succeeded", "succeeded"]);
  });

  test("the next one starts when it has gone without having answered anything", async () => {
    using inside = new Inside();
    const { context, batch } = waiting(inside);
    await using runner = tasksIn(inside, context.store, batch, { starts: 1 });
    const all = runner.tasks.runAll();
    await isRunning(batch, 1);
    const session = localProcess(taskOf(batch.log.state, 1).attempts[0]?.identity);
    expect(taskOf(batch.log.state, 2).status).toBe("queued");
    if (session) signalProcess(session, "SIGKILL");
    await all;
    expect(outcomesOf(batch)).toEqual(["crashed", "succeeded"]);
  });
});

describe("while its sessions run", () => {
  test("a look at what comes next is short, however many tasks wait for their turn", async () => {
    using inside = new Inside();
    const context = inside.context();
    const count = mostLookedAt + 10;
    const batch = inside.batch(context, { tasks: says(...Array.from({ length: count }, () => "one")) });
    letClaudeSay(inside, { one: fine });
    inside.write("one.wait", "");
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1 });
    const { tasks, attempts, admission } = runner;
    const all = tasks.runAll();
    await isRunning(batch, 1);
    // As a retry of them all while the batch runs.
    tasks.runAgain(Array.from({ length: count - 2 }, (_, index) => index + 3));
    await eventually(
      () => [...admission.waiting].length === count - 1,
      () => `${[...admission.waiting].length} wait`,
    );
    expect([...tasks.next()]).toEqual(Array.from({ length: mostLookedAt }, (_, index) => index + 2));
    batch.append({ type: "cancel-requested", by: "user" });
    attempts.endCancelled();
    await all;
  });

  test("what is cancelled ends, and nothing else does", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one", "two") });
    letClaudeSay(inside, { one: fine, two: fine });
    for (const word of ["one", "two"]) inside.write(`${word}.wait`, "");
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, attempts } = runner;
    const all = tasks.runAll();
    await Promise.all([isRunning(batch, 1), isRunning(batch, 2)]);
    batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
    attempts.endCancelled();
    await eventually(
      () => !attempts.running.has(1),
      () => "it does not end",
    );
    expect([...attempts.running.keys()]).toEqual([2]);
    inside.remove(inside.file("two.wait"));
    await all;
    expect(outcomesOf(batch)).toEqual(["cancelled", "succeeded"]);
  });

  test("one that is evicted for its memory goes on later, whatever `retries` says", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one"), batch: { sessionOptions: { retries: 0 } } });
    letClaudeSay(inside, { one: fine });
    inside.write("one.wait", "");
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, machine, attempts } = runner;
    const all = tasks.runAll();
    await isRunning(batch, 1);
    machine.lookNow();
    const { startName = "" } = taskOf(batch.log.state, 1).attempts[0] ?? {};
    const marker = `${batch.id}/${startName}`;
    expect(machine.membersOf(marker)).not.toEqual([]);
    expect([marker, "another"].map((one) => attempts.lossOf(one))).toEqual(["work", undefined]);
    attempts.evict([marker, "another"]);
    await eventually(
      () => taskOf(batch.log.state, 1).attempts.length === 2,
      () => "it does not go on",
    );
    inside.remove(inside.file("one.wait"));
    await all;
    expect(taskOf(batch.log.state, 1).attempts.map(({ outcome }) => outcome)).toMatchObject([
      { kind: "evicted" },
      { kind: "succeeded" },
    ]);
    // Of one that has ended, nothing is measured any more.
    expect(machine.membersOf(marker)).toEqual([]);
    expect(attempts.lossOf(marker)).toBeUndefined();
  });

  test("one whose transcript grows is looked at by the file's name", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one") });
    letClaudeSay(inside, { one: fine });
    inside.write("one.stay", "");
    inside.write("one.wait", "");
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, attempts } = runner;
    const all = tasks.runAll();
    await isRunning(batch, 1);
    // Only now, because it is looked at once when it has its prompt.
    await eventually(
      () => attempts.running.has(1) && attempts.running.get(1)?.activity === undefined,
      () => "it has no prompt",
    );
    inside.remove(inside.file("one.wait"));
    const transcript = taskOf(batch.log.state, 1).attempts[0]?.transcript ?? "";
    await eventually(
      () => readFileSync(transcript, "utf8").includes('"result"'),
      () => "it says nothing",
    );
    attempts.transcriptChanged("another.ndjson");
    expect(attempts.running.get(1)?.activity).toBeUndefined();
    // It has answered, so its input is closed, and it leaves.
    attempts.transcriptChanged(basename(transcript));
    await all;
    expect(outcomesOf(batch)).toEqual(["succeeded"]);
  });
});

describe("a task that fails", () => {
  const crash = [init, said("x")];

  test("is tried again as often as `retries` says, each time from the log's last attempt", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one"), batch: { sessionOptions: { retries: 1 } } });
    letClaudeSay(inside, { one: crash });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, attempts } = runner;
    const all = tasks.runAll();
    await eventually(
      () => attempts.dueAt(1) !== undefined,
      () => "it is not tried again",
    );
    expect(attempts.dueAt(1)).toBeGreaterThan(performance.now());
    await all;
    expect(outcomesOf(batch)).toEqual(["crashed"]);
    expect(taskOf(batch.log.state, 1).attempts).toHaveLength(2);
    expect(attempts.dueAt(1)).toBeUndefined();
  });

  test("has all its tries again when somebody asks for it again", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one"), batch: { sessionOptions: { retries: 1 } } });
    letClaudeSay(inside, { one: crash });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, files } = runner;
    await files.open();
    await tasks.runAll();
    const lines = join(inside.output, `results-${batch.id}.jsonl`);
    await files.forget([]);
    expect(readFileSync(lines, "utf8")).toContain('"taskIndex":1');
    batch.append({ type: "retry-requested", tasks: [1] });
    tasks.runAgain([1]);
    await files.forget([]);
    expect(readFileSync(lines, "utf8")).toBe("");
    await tasks.runAll();
    expect(taskOf(batch.log.state, 1).attempts).toHaveLength(4);
    // Nobody has asked for it a second time.
    tasks.runAgain([1]);
    await tasks.runAll();
    expect(taskOf(batch.log.state, 1).attempts).toHaveLength(4);
  });

  test("ends the others as `failureMode` says, but not before its last try", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: says("one", "two"),
      batch: { failureMode: "cancel", sessionOptions: { retries: 1 } },
    });
    letClaudeSay(inside, { one: crash, two: fine });
    inside.write("two.wait", "");
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks } = runner;
    await tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["crashed", "cancelled"]);
    expect(batch.log.state.tasks.map(({ attempts }) => attempts.length)).toEqual([2, 1]);
  });
});

describe("what the API says to a session", () => {
  test("when it throttles lowers the pace, and what it replies raises it", async () => {
    using inside = new Inside();
    const context = inside.context();
    const { capacity } = context.store;
    const batch = inside.batch(context, { tasks: says("fine") });
    letClaudeSay(inside, { fine, slow: [init, throttle, said("x"), result("Done")] });
    const pace = (text: string | undefined) => paceFrom(text, Date.now());
    await using first = tasksIn(inside, context.store, batch, { isPaced: true });
    await first.tasks.runAll();
    expect(pace(capacity.pace("account"))).toMatchObject({ ceiling: 4, throttledAt: 0 });
    const other = inside.batch(context, { tasks: says("slow") });
    await using second = tasksIn(inside, context.store, other, { isPaced: true });
    await second.tasks.runAll();
    expect(pace(capacity.pace("account")).throttledAt).toBeGreaterThan(0);
    expect(pace(capacity.pace("account")).ceiling).toBeLessThan(4);
  });

  test("proves the login, and what it refuses takes the proof back", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("fine") });
    letClaudeSay(inside, { fine, doubt: [init, refusal, result("Done")] });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, proofs } = runner;
    await tasks.runAll();
    expect(proofs.isProven(Date.now())).toBe(true);
    const other = inside.batch(context, { tasks: says("doubt") });
    await using second = tasksIn(inside, context.store, other);
    await second.tasks.runAll();
    expect(proofs.isProven(Date.now())).toBe(false);
  });

  test("of a login that does not work holds all others at once, while that session still runs", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("bad", "fine") });
    letClaudeSay(inside, { bad: notLoggedIn, fine });
    inside.write("bad.stay", "");
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1 });
    const { tasks, table, proofs, attempts } = runner;
    proofs.keep(Date.now());
    const all = tasks.runAll();
    await isRunning(batch, 1);
    await eventually(
      () => {
        attempts.running.get(1)?.readTranscript();
        return table.all().length > 0;
      },
      () => "nothing is held",
    );
    expect(table.all()).toMatchObject([{ kind: "auth", model: "" }]);
    expect(proofs.isProven(Date.now())).toBe(false);
    await eventually(
      () => taskOf(batch.log.state, 1).status === "queued",
      () => "it does not wait with the others",
    );
    batch.append({ type: "cancel-requested", by: "user" });
    await all;
    expect(taskOf(batch.log.state, 2).attempts).toEqual([]);
  });

  test("of a login that nobody waits for ends what is queued too", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("bad", "fine") });
    letClaudeSay(inside, { bad: notLoggedIn, fine });
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1, holdPatienceMs: 0 });
    const { tasks } = runner;
    await tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["auth", "cancelled"]);
    expect(taskOf(batch.log.state, 1).attempts).toHaveLength(1);
  });

  test("lets the next one start before it has ended", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: says("one", "two") });
    letClaudeSay(inside, { one: [init], two: fine });
    inside.write("one.stay", "");
    inside.write("one.wait", "");
    await using runner = tasksIn(inside, context.store, batch, { starts: 1 });
    const { tasks, attempts } = runner;
    const all = tasks.runAll();
    await isRunning(batch, 1);
    expect(taskOf(batch.log.state, 2).status).toBe("queued");
    inside.remove(inside.file("one.wait"));
    await eventually(
      () => {
        attempts.running.get(1)?.readTranscript();
        return taskOf(batch.log.state, 2).status !== "queued";
      },
      () => "it does not start",
    );
    batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
    attempts.endCancelled();
    await all;
    expect(outcomesOf(batch)).toEqual(["cancelled", "succeeded"]);
  });
});

describe("a `claude` that is not there", () => {
  test("is waited for, and what is queued starts when it has come back", async () => {
    using inside = new Inside();
    const context = inside.context();
    const away = inside.file("bin/away");
    const batch = inside.batch(context, {
      tasks: says("one"),
      batch: { claudePath: away, claudePathIsSet: true },
    });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, startBackoff, givenUp } = runner;
    const all = tasks.runAll();
    await eventually(
      () => startBackoff.waitReason() !== undefined,
      () => "nobody waits",
    );
    expect(startBackoff.waitReason()?.because).toStartWith(`Waits for claude: ${away} is not there`);
    letClaudeSay(inside, { one: fine });
    writeFileSync(away, readFileSync(inside.claude), { mode: 0o755 });
    await all;
    expect([outcomesOf(batch), givenUp, startBackoff.waitReason()]).toEqual([["succeeded"], [], undefined]);
  });

  test("is given up when patience has run out", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, {
      tasks: says("one"),
      batch: { claudePath: inside.file("bin/away"), claudePathIsSet: true },
    });
    await using runner = tasksIn(inside, context.store, batch, { startPatienceMs: 0 });
    const { tasks, givenUp } = runner;
    await tasks.runAll();
    expect(givenUp).toEqual([expect.stringMatching(/^Waits for claude/)]);
    expect(outcomesOf(batch)).toEqual(["not-started"]);
  });

  test("is no matter of a task whose directory is gone, which fails alone", async () => {
    using inside = new Inside();
    const context = inside.context();
    const [gone = { prompt: "" }, one = { prompt: "" }] = says("one", "one");
    const options = { workingDirectory: inside.file("gone") };
    const batch = inside.batch(context, { tasks: [{ ...gone, options }, one] });
    letClaudeSay(inside, { one: fine });
    await using runner = tasksIn(inside, context.store, batch);
    const { tasks, startBackoff, failures } = runner;
    await tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["not-started", "succeeded"]);
    expect([startBackoff.waitReason(), failures]).toEqual([undefined, []]);
    expect(existsSync(inside.file("gone"))).toBe(false);
  });
});

describe("of tasks with the same prompt and options", () => {
  const equal = (...words: string[]): Batch["tasks"] =>
    words.map((word, index) => {
      const first = words.indexOf(word);
      return { prompt: `say:${word}`, ...(first < index ? { sameAs: first + 1 } : {}) };
    });
  const reusedFrom = ({ log: { state } }: TestBatch) =>
    state.tasks.map((task) =>
      task.status === "done" && task.outcome.kind === "succeeded" ? task.outcome.reused?.task : undefined,
    );

  test("one runs, and its answer is that of all", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: equal("a", "b", "a", "a") });
    letClaudeSay(inside, { a: fine, b: fine });
    await using runner = tasksIn(inside, context.store, batch);
    await runner.tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"]);
    expect(reusedFrom(batch)).toEqual([undefined, undefined, 1, 1]);
    const [first, , third] = batch.log.state.tasks;
    expect(third?.attempts[0]?.transcript).toBe(first?.attempts[0]?.transcript ?? "");
    expect(third).toMatchObject({ usage: { costUsd: 0 } });
  });

  test("none runs again after one has failed, unless it is retried", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: equal("a", "a", "a") });
    letClaudeSay(inside, { a: [init, result("Too long", { is_error: true, subtype: "error_max_turns" })] });
    await using runner = tasksIn(inside, context.store, batch);
    await runner.tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["max-turns", "not-started", "not-started"]);
    letClaudeSay(inside, { a: fine });
    batch.append({ type: "retry-requested", tasks: [2] });
    runner.tasks.runAgain([2]);
    await runner.tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["max-turns", "succeeded", "not-started"]);
    expect(reusedFrom(batch)[1]).toBeUndefined();
    batch.append({ type: "retry-requested", tasks: [3] });
    runner.tasks.runAgain([3]);
    await runner.tasks.runAll();
    expect(reusedFrom(batch)[2]).toBe(2);
  });

  test("another one runs if the first is cancelled", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: equal("a", "a", "a") });
    letClaudeSay(inside, { a: fine });
    inside.write("a.wait", "");
    await using runner = tasksIn(inside, context.store, batch);
    const all = runner.tasks.runAll();
    await isRunning(batch, 1);
    inside.remove(inside.file("a.wait"));
    batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
    runner.attempts.endCancelled();
    await all;
    expect(outcomesOf(batch)[2]).toBe("succeeded");
    expect(reusedFrom(batch)[2]).toBe(outcomesOf(batch)[0] === "cancelled" ? 2 : 1);
  });

  test("the next runner ends those that waited, if the last one died before it could", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: equal("a", "a") });
    letClaudeSay(inside, { a: fine });
    batch.append({ type: "cancel-requested", by: "user", tasks: [2] });
    {
      await using runner = tasksIn(inside, context.store, batch);
      await runner.tasks.runAll();
    }
    const [first] = batch.log.state.tasks;
    expect(outcomesOf(batch)).toEqual(["succeeded", "cancelled"]);
    batch.append({ type: "retry-requested", tasks: [2] });
    await using next = tasksIn(inside, context.store, batch);
    await next.tasks.runAll();
    expect(reusedFrom(batch)).toEqual([undefined, 1]);
    expect(first?.attempts).toHaveLength(1);
  });
});

describe("tasks that start after others", () => {
  const chain = (...prerequisites: number[][]): Batch["tasks"] =>
    prerequisites.map((after, index) => ({
      prompt: `say:${"abcdef"[index] ?? "z"}`,
      ...(after.length > 0 ? { after } : {}),
    }));
  const failed: EventBody = {
    type: "attempt-ended",
    task: 1,
    attempt: 0,
    outcome: { kind: "failed", reason: "max-turns", message: "" },
  };

  test("are skipped by the next runner if the last one died before it could", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: chain([], [1], [2], []) });
    letClaudeSay(inside, { d: fine });
    batch.append(failed);
    await using runner = tasksIn(inside, context.store, batch);
    await runner.tasks.runAll();
    expect(outcomesOf(batch)).toEqual(["max-turns", "not-started", "not-started", "succeeded"]);
    expect(runner.failures).toEqual([]);
  });

  test("do not start before all of them have succeeded, and leave the slots to the others meanwhile", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: chain([3, 4], [1], [], []) });
    letClaudeSay(inside, { a: fine, b: fine, c: fine, d: fine });
    inside.write("c.wait", "");
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 1 });
    const all = runner.tasks.runAll();
    await isRunning(batch, 3);
    expect(outcomesOf(batch)).toEqual(["queued", "queued", "running", "queued"]);
    inside.remove(inside.file("c.wait"));
    await all;
    expect(outcomesOf(batch)).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"]);
    const starts = batch.log.state.tasks.map(({ attempts }) => attempts[0]?.startedAt ?? 0);
    const ends = batch.log.state.tasks.map(({ attempts }) => attempts[0]?.endedAt ?? 0);
    expect(starts[0]).toBeGreaterThanOrEqual(Math.max(ends[2] ?? 0, ends[3] ?? 0));
    expect(starts[1]).toBeGreaterThanOrEqual(ends[0] ?? 0);
  });

  test("end with their batch when it is cancelled while they wait", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: chain([], [1], [2]) });
    letClaudeSay(inside, { a: fine });
    inside.write("a.wait", "");
    await using runner = tasksIn(inside, context.store, batch);
    const all = runner.tasks.runAll();
    await isRunning(batch, 1);
    batch.append({ type: "cancel-requested", by: "user" });
    runner.attempts.endCancelled();
    runner.tasks.beat();
    await all;
    expect(outcomesOf(batch)).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  test("wait again for a task that is retried by its number before they start", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: chain([], [1], [], []) });
    letClaudeSay(inside, { a: fine, b: fine, c: fine, d: fine });
    for (const word of ["a", "c", "d"]) inside.write(`${word}.wait`, "");
    await using runner = tasksIn(inside, context.store, batch, { concurrency: 2 });
    const all = runner.tasks.runAll();
    await isRunning(batch, 1);
    await isRunning(batch, 3);
    inside.remove(inside.file("a.wait"));
    // The fourth was in the queue before the second could be.
    await isRunning(batch, 4);
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    runner.tasks.runAgain([1]);
    for (const word of ["c", "d"]) inside.remove(inside.file(`${word}.wait`));
    await all;
    const [one, two] = batch.log.state.tasks.map(({ attempts }) => attempts);
    expect([one?.length, two?.length]).toEqual([2, 1]);
    expect(two?.[0]?.startedAt).toBeGreaterThanOrEqual(one?.[1]?.endedAt ?? Number.POSITIVE_INFINITY);
  });
});

test("tasks that are added run on a machine that has room while another one is away", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context, { tasks: says("fine", "fine") });
  letClaudeSay(inside, { fine });
  let isAway = true;
  await using runner = tasksIn(inside, context.store, batch, {
    laneOf: (number) => (number === 1 ? "box1" : "box2"),
    whyClosed: (number) => (isAway && number === 1 ? { because: "box1 is away", isLong: true } : undefined),
  });
  const { tasks, failures } = runner;
  const all = tasks.runAll();
  const areDone = (...done: number[]) =>
    eventually(
      () => done.every((number) => taskOf(batch.log.state, number).status === "done"),
      () => JSON.stringify(outcomesOf(batch)),
    );
  await areDone(2);
  batch.append({ type: "tasks-added", tasks: says("fine") });
  tasks.beginMore();
  await areDone(3);
  expect(outcomesOf(batch)).toEqual(["queued", "succeeded", "succeeded"]);
  isAway = false;
  clock.soon("rest");
  await all;
  expect([outcomesOf(batch), failures]).toEqual([["succeeded", "succeeded", "succeeded"], []]);
});

test("a task whose machines change while it waits is admitted once", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context, { tasks: says("fine") });
  letClaudeSay(inside, { fine });
  let isAway = true;
  let lane = "box1 box2";
  let admissions = 0;
  await using runner = tasksIn(inside, context.store, batch, {
    laneOf: () => lane,
    whyClosed: () => (isAway ? { because: "box1 is away", isLong: false } : undefined),
    pool: {
      ...emptyPool,
      reserve: () => {
        admissions++;
        return undefined;
      },
    },
  });
  const { tasks, failures } = runner;
  const all = tasks.runAll();
  lane = "box1";
  tasks.beginMore();
  isAway = false;
  await all;
  expect([outcomesOf(batch), admissions, failures]).toEqual([["succeeded"], 1, []]);
});
