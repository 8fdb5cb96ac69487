// `run-task` as job schedulers use it: real processes, which are stopped, killed and started twice.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@cfworker/json-schema";
import { newBatchId } from "../src/model/batch-id.ts";
import { claimPathOf, ResultClaim } from "../src/operations/result-claim.ts";
import { clock } from "../src/platform/clock.ts";
import { ownIdentity } from "../src/platform/process.ts";
import { childrenOf } from "../src/platform/process-table.ts";
import { removeFileWith } from "../src/platform/whole-files.ts";
import { RunningCommand } from "./cli-harness.ts";
import { describeNeeding, testNeeding } from "./facilities.ts";
import { eventually, Home, program, run } from "./harness.ts";
import { newestRow, untilRunning } from "./running.ts";

const answers = { task: '[[answer text="yes"]]', model: "opus" };
const command = ["run-task", "--spec", "task.json", "--out", "out/result.json"];

async function homeWith(spec: unknown): Promise<Home> {
  const home = new Home();
  await Bun.write(join(home.work, "task.json"), JSON.stringify(spec));
  return home;
}

function gated(home: Home): object {
  return { task: `[[wait-for-file path=${home.file("gate")}]] [[answer text="done"]]` };
}

async function homeWithGate(): Promise<Home> {
  const home = new Home();
  await Bun.write(join(home.work, "task.json"), JSON.stringify(gated(home)));
  return home;
}

function resultIn(home: Home, name = "out/result.json") {
  return JSON.parse(readFileSync(join(home.work, name), "utf8"));
}

/** How many sessions have got a prompt. */
function asked(home: Home): number {
  using store = home.store();
  return store
    .list({ limit: 100 })
    .flatMap(({ batchId }) => store.batch(batchId)?.state.tasks ?? [])
    .reduce((sum, { attempts }) => sum + attempts.length, 0);
}

function filesOf(home: Home): string[] {
  return existsSync(join(home.work, "out")) ? readdirSync(join(home.work, "out")) : [];
}

describe("a result", () => {
  test("is the answer of the tool for one session, in a file of its own, and printed as by `run`", async () => {
    await using home = await homeWith({ ...answers, key: "a", maxTurns: 3 });
    const { code, out, err } = await run(home, command);
    expect({ code, out }).toEqual({ code: 0, out: "yes\n" });
    expect(err).toContain(`Result: ${join(home.work, "out/result.json")}`);
    expect(filesOf(home)).toEqual(["result.json"]);
    const result = resultIn(home);
    expect(result).toMatchObject({
      status: "success",
      result: "yes",
      key: "a",
      outcome: "succeeded",
      state: "finished",
      totalTasks: 1,
      taskDescription: answers.task,
    });
    expect(result.specDigest).toMatch(/^[0-9a-f]{64}$/);
    const started = readFileSync(home.startsLog, "utf8");
    expect(started).toContain("--max-turns");
    // The same again costs nothing, whatever the order of its keys.
    await Bun.write(join(home.work, "task.json"), JSON.stringify({ maxTurns: 3, key: "a", ...answers }));
    const again = await run(home, [...command, "--json"]);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toEqual(result);
    expect(again.err).toContain("Nothing was run");
    expect(readFileSync(home.startsLog, "utf8")).toBe(started);
  });

  test("of a line has the line's number in its name, in a directory that is made", async () => {
    await using home = new Home();
    const lines = ['"[[answer text=one]]"', "", '{"task": "[[answer text=three]]"}'];
    await Bun.write(join(home.work, "tasks.jsonl"), lines.join("\r\n"));
    const from = ["run-task", "--spec", "tasks.jsonl", "--out", "out/"];
    expect((await run(home, [...from, "--line", "1"])).out).toBe("one\n");
    expect((await run(home, [...from, "--line", "3"])).out).toBe("three\n");
    expect(filesOf(home).sort()).toEqual(["tasks-1.json", "tasks-3.json"]);
    expect(await run(home, [...from, "--line", "2"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("tasks.jsonl, line 2 is empty: expected one task as JSON"),
    });
    expect((await run(home, [...from, "--line", "4"])).err).toContain(
      "tasks.jsonl has 3 lines, so it has no line 4",
    );
    expect((await run(home, [...from, "--line", "0"])).err).toContain("--line");
    expect((await run(home, [...from, "--line", ""])).code).toBe(2);
    expect((await run(home, from)).err).toContain("choose one with `--line`");
  });

  test("that is a failure is written with exit status 1, and the task runs again", async () => {
    await using home = await homeWith({ task: "[[max-turns]]", retries: 0 });
    const failing = await run(home, command);
    expect(failing.code).toBe(1);
    expect(resultIn(home)).toMatchObject({ status: "error", end: "failed" });
    const before = asked(home);
    expect((await run(home, command)).code).toBe(1);
    expect(asked(home)).toBe(before + 1);
    // A failure may be replaced by the result of another spec.
    await Bun.write(join(home.work, "task.json"), JSON.stringify(answers));
    expect((await run(home, command)).code).toBe(0);
    expect(resultIn(home)).toMatchObject({ status: "success" });
  });

  test("of another spec, and a file of another program, are not replaced", async () => {
    await using home = await homeWith(answers);
    await Bun.write(join(home.work, "out/result.json"), "");
    // As `mktemp` makes it.
    expect((await run(home, command)).code).toBe(0);
    const written = readFileSync(join(home.work, "out/result.json"), "utf8");
    await Bun.write(join(home.work, "task.json"), JSON.stringify({ ...answers, model: "haiku" }));
    const { code, err } = await run(home, command);
    expect(code).toBe(2);
    expect(err).toContain("has the result of another spec. Remove it, or choose another file with `--out`.");
    expect(readFileSync(join(home.work, "out/result.json"), "utf8")).toBe(written);
    await Bun.write(join(home.work, "out/result.json"), '{"mine": true}');
    expect((await run(home, command)).err).toContain("exists, and is no result of `run-task`");
    expect(resultIn(home)).toEqual({ mine: true });
    expect(asked(home)).toBe(1);
  });

  test("without a login is written with exit status 3, without waiting for one", async () => {
    await using home = await homeWith({ task: "[[not-logged-in]]" });
    const { code, err } = await run(home, command);
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining("Claude is not logged in") });
    expect(resultIn(home)).toMatchObject({ status: "error" });
  });
});

describe("a wrong spec", () => {
  const wrong: [what: string, spec: string, says: string][] = [
    ["no JSON", "{task: 1}", "task.json: no JSON"],
    ["nothing", " \n", "task.json is empty"],
    ["a list", '["a", "b"]', "task.json: the task"],
    ["no task", '{"model": "opus"}', "task.json: task"],
    ["an unknown option", '{"task": "a", "modle": "opus"}', "did you mean `model`?"],
    ["an option of a batch", '{"task": "a", "concurrency": 3}', "concurrency is an option of `run` only"],
    ["a task to wait for", '{"task": "a", "after": ["b"]}', "after is an option of `run` only"],
    ["a missing directory", '{"task": "a", "workingDirectory": "gone"}', "workingDirectory"],
    ["a wrong type", '{"task": "a", "maxTurns": "many"}', "maxTurns"],
    [
      "an output directory outside",
      '{"task": "a", "outputDirectory": "/proc/x"}',
      "task.json: outputDirectory",
    ],
  ];
  for (const [what, spec, says] of wrong)
    test(`that has ${what} is one message with exit status 2, and nothing is written`, async () => {
      await using home = new Home();
      await Bun.write(join(home.work, "task.json"), spec);
      const { code, out, err } = await run(home, command);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(says);
      expect(filesOf(home)).toEqual([]);
      expect(existsSync(home.startsLog)).toBe(false);
    });

  test("and a wrong place for the result are said before anything runs", async () => {
    await using home = await homeWith(answers);
    const none = await run(home, ["run-task"]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.err).toContain("`--spec FILE`");
    expect(none.err).toContain("`--out FILE`");
    const below = await run(home, ["run-task", "--spec", "task.json", "--out", "task.json/result.json"]);
    expect(below).toMatchObject({ code: 2, err: expect.stringContaining("cannot be created") });
    expect((await run(home, ["run-task", "--spec", "gone.json", "--out", "x"])).err).toContain(
      "gone.json cannot be read: it does not exist",
    );
    const folder = await run(home, ["run-task", "--spec", "-", "--out", "./"], '"a"');
    expect(folder).toMatchObject({ code: 2, err: expect.stringContaining("is a directory") });
    expect(existsSync(home.startsLog)).toBe(false);
    const piped = await run(home, ["run-task", "--spec", "-", "--out", "x.json"], '"[[answer text=piped]]"');
    expect(piped).toMatchObject({ code: 0, out: "piped\n" });
  });

  test("does not fit the schema that `--schema` prints, and a right one does", async () => {
    await using home = new Home();
    const { out, code } = await run(home, ["run-task", "--schema"]);
    expect(code).toBe(0);
    const schema = new Validator(JSON.parse(out), "2020-12");
    expect(schema.validate({ ...answers, key: "a", maxBudgetUsd: 1, batchName: "b" }).valid).toBe(true);
    expect(schema.validate({ model: "opus" }).valid).toBe(false);
    expect(schema.validate({ task: "a", modle: "opus" }).valid).toBe(false);
    expect(schema.validate({ task: "a", maxTurns: "many" }).valid).toBe(false);
    // Nothing of our own declarations, which other programs would not understand.
    expect(out).not.toMatch(/"(?:aliases|hints|placeholder|listed|more|short|flags)":/);
  });
});

describeNeeding("signals that can be heard")("a signal", () => {
  test("ends the session properly, and the result says so", async () => {
    await using home = await homeWithGate();
    await using job = new RunningCommand(home, command);
    await untilRunning(home);
    job.signal("SIGTERM");
    expect(await job.ended()).toBe(143);
    expect(resultIn(home)).toMatchObject({ status: "error", outcome: "cancelled: user", end: "stopped" });
    expect(filesOf(home)).toEqual(["result.json"]);
    await home.empty();
    // It is still wanted.
    await Bun.write(home.file("gate"), "");
    expect((await run(home, command)).out).toBe("done\n");
  });

  test("ends one that waits for another, which goes on", async () => {
    await using home = await homeWithGate();
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    await using second = new RunningCommand(home, command);
    await second.says(`Process ${first.pid}, here or on another machine, runs the task`);
    second.signal("SIGTERM");
    expect(await second.ended()).toBe(143);
    await Bun.write(home.file("gate"), "");
    expect(await first.ended()).toBe(0);
    expect(asked(home)).toBe(1);
  });
});

describe("two with the same file", () => {
  test("run one session, and both have its result", async () => {
    await using home = await homeWithGate();
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    const second = run(home, [...command, "--json"]);
    const third = run(home, command);
    await Bun.write(home.file("gate"), "");
    expect(await first.ended()).toBe(0);
    expect(JSON.parse((await second).out)).toEqual(resultIn(home));
    expect(await third).toMatchObject({ code: 0, out: "done\n" });
    expect(asked(home)).toBe(1);
    expect(filesOf(home)).toEqual(["result.json"]);
  });

  test("started at one moment run one session", async () => {
    await using home = await homeWith(answers);
    const all = await Promise.all([1, 2, 3].map(() => run(home, command)));
    expect(all.map(({ code, out }) => ({ code, out }))).toEqual(all.map(() => ({ code: 0, out: "yes\n" })));
    expect(asked(home)).toBe(1);
    expect(filesOf(home)).toEqual(["result.json"]);
  });

  test("pay for a failure once", async () => {
    await using home = new Home();
    const task = `[[wait-for-file path=${home.file("gate")}]] [[max-turns]]`;
    await Bun.write(join(home.work, "task.json"), JSON.stringify({ task, retries: 0 }));
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    await using second = new RunningCommand(home, command);
    await second.says("Waiting for its result");
    await Bun.write(home.file("gate"), "");
    expect(await first.ended()).toBe(1);
    expect(await second.ended()).toBe(1);
    expect(asked(home)).toBe(1);
  });
});

describe("after a kill", () => {
  test("its session is gone, no result is there, and of those that wait exactly one runs the task", async () => {
    await using home = await homeWithGate();
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    await using stack = new AsyncDisposableStack();
    // Several find the claim left behind at the same moment.
    const others = Array.from({ length: 4 }, () => stack.use(new RunningCommand(home, command)));
    for (const other of others) await other.says("Waiting for its result");
    first.signal("SIGKILL");
    await first.ended();
    expect(existsSync(join(home.work, "out/result.json"))).toBe(false);
    await eventually(
      () => asked(home) === 2,
      () => `${asked(home)} sessions were asked`,
    );
    await Bun.write(home.file("gate"), "");
    expect(await Promise.all(others.map((other) => other.ended()))).toEqual(others.map(() => 0));
    expect(asked(home)).toBe(2);
    expect(filesOf(home)).toEqual(["result.json"]);
    await home.empty();
  });

  test("nothing of the task runs any more, and the next one starts at once", async () => {
    await using home = await homeWithGate();
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    first.signal("SIGKILL");
    await first.ended();
    await home.empty();
    expect(newestRow(home)?.endedAt).toBeDefined();
    expect(filesOf(home)).toEqual(["result.json.claim"]);
    await Bun.write(home.file("gate"), "");
    expect(await run(home, command)).toMatchObject({ code: 0, out: "done\n" });
    expect(filesOf(home)).toEqual(["result.json"]);
  });

  test("a task that was done before it is not paid for twice: the next one writes its result", async () => {
    await using home = await homeWithGate();
    await using first = new RunningCommand(home, command);
    await untilRunning(home);
    // Nothing can be written over a folder, so the first one tries again until it is killed.
    const inTheWay = join(home.work, "out/result.json");
    mkdirSync(join(inTheWay, "folder"), { recursive: true });
    await Bun.write(home.file("gate"), "");
    await eventually(
      () => newestRow(home)?.endedAt !== undefined,
      () => first.said,
    );
    first.signal("SIGKILL");
    await first.ended();
    const left = JSON.parse(readFileSync(claimPathOf(inTheWay), "utf8"));
    rmSync(inTheWay, { recursive: true });
    const other = ["run-task", "--spec", "other.json", "--out", "out/result.json"];
    const next = await run(home, command);
    expect(next).toMatchObject({ code: 0, out: "done\n" });
    expect(next.err).toContain("had done this task, and its result was not written then");
    expect(asked(home)).toBe(1);
    expect(resultIn(home)).toMatchObject({ status: "success", result: "done" });
    expect(filesOf(home)).toEqual(["result.json"]);
    // A claim that names somebody else's batch gives nothing away.
    expect((await run(home, ["run", '[[answer text="theirs"]]'])).code).toBe(0);
    rmSync(inTheWay);
    const forged = { ...left, task: { ...left.task, batchId: newestRow(home)?.batchId } };
    await Bun.write(claimPathOf(inTheWay), `${JSON.stringify(forged)}\n`);
    expect(await run(home, command)).toMatchObject({ code: 0, out: "done\n" });
    expect(asked(home)).toBe(3);
    // Another task with the same file is another matter.
    await Bun.write(join(home.work, "other.json"), JSON.stringify(answers));
    expect((await run(home, other)).err).toContain("has the result of another spec");
    await home.empty();
  });

  test("at any moment of its start, the next one succeeds", async () => {
    await using home = await homeWith(answers);
    const starts = () => (existsSync(home.startsLog) ? readFileSync(home.startsLog, "utf8").length : 0);
    const moments = ["a claim", "a batch", "a session", "the end"];
    for (const [index, moment] of moments.entries()) {
      const out = `out/${index}.json`;
      const words = ["run-task", "--spec", "task.json", "--out", out];
      const spec = { ...answers, key: moment, fresh: true };
      await Bun.write(join(home.work, "task.json"), JSON.stringify(spec));
      const batchBefore = newestRow(home)?.batchId;
      const startsBefore = starts();
      await using first = new RunningCommand(home, words);
      const isBegun = () => newestRow(home)?.batchId !== batchBefore;
      const hasCome = [
        () => existsSync(claimPathOf(join(home.work, out))),
        isBegun,
        () => starts() > startsBefore,
        () => isBegun() && newestRow(home)?.endedAt !== undefined,
      ];
      await eventually(
        () => hasCome[index]?.() || existsSync(join(home.work, out)),
        () => `${moment} did not come`,
      );
      first.signal("SIGKILL");
      await first.ended();
      const text = existsSync(join(home.work, out)) ? readFileSync(join(home.work, out), "utf8") : undefined;
      // Whole, or not there.
      if (text !== undefined) expect(JSON.parse(text)).toMatchObject({ status: "success" });
      expect(await run(home, words)).toMatchObject({ code: 0, out: "yes\n" });
    }
    await home.empty();
    // One that is killed in the middle of writing leaves half a file, under another name.
    const whole = filesOf(home).filter((name) => !name.endsWith(".part"));
    expect(whole.sort()).toEqual(moments.map((_, index) => `${index}.json`));
  });
});

testNeeding("namespaces of one's own")("as the first process of a container, it hears SIGTERM", async () => {
  await using home = await homeWithGate();
  const container = Bun.spawn(
    ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", ...program(), ...command],
    { cwd: home.work, env: home.environment, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  await untilRunning(home);
  const [first] = childrenOf(container.pid) ?? [];
  if (first === undefined) throw new Error("The container has no process");
  process.kill(first, "SIGTERM");
  expect(await container.exited).toBe(143);
  expect(resultIn(home)).toMatchObject({ status: "error", outcome: "cancelled: user" });
  await home.empty();
});

describe("a claim", () => {
  /** Of a process on another machine. */
  const far = JSON.stringify({
    token: "t",
    beat: 1,
    process: { ...ownIdentity(), boot: "00000000-0000-4000-8000-000000000000", machine: "other" },
  });
  const taking = (more: { signal?: AbortSignal; staleMs?: number } = {}) => ({
    signal: new AbortController().signal,
    waits: () => undefined,
    ...more,
  });

  test("of another machine stands until it gives no sign of life for long", async () => {
    await using home = new Home();
    const out = home.file("result.json");
    await Bun.write(claimPathOf(out), far);
    const ending = new AbortController();
    let holder: unknown;
    const waiting = ResultClaim.take(out, {
      signal: ending.signal,
      waits: (process) => {
        holder = process?.pid;
        ending.abort();
      },
    });
    expect(await waiting).toBeUndefined();
    expect(holder).toBe(process.pid);
    expect(readFileSync(claimPathOf(out), "utf8")).toBe(far);
    await using claim = await ResultClaim.take(out, taking({ staleMs: 1 }));
    expect(claim?.lost.aborted).toBe(false);
    expect(readFileSync(claimPathOf(out), "utf8")).not.toBe(far);
  });

  test("gives signs of life, comes back when its file is removed, and is lost to who took it over", async () => {
    await using home = new Home();
    const out = home.file("result.json");
    const path = claimPathOf(out);
    await using claim = await ResultClaim.take(out, taking());
    if (!claim) throw new Error("Nobody else has it");
    const text = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
    const changed = async (before: string) => {
      clock.soon("heartbeat");
      await eventually(
        () => text() !== before && text() !== "",
        () => "the claim does not change",
      );
    };
    const first = text();
    await changed(first);
    await removeFileWith(path, text());
    await changed("");
    // As by one who has taken it away to look whether it was left behind.
    await Bun.write(path, first);
    await changed(first);
    expect(claim.lost.aborted).toBe(false);
    await Bun.write(path, far);
    clock.soon("heartbeat");
    await eventually(
      () => claim.lost.aborted,
      () => "the loss is not noticed",
    );
    await claim[Symbol.asyncDispose]();
    expect(text()).toBe(far);
  });

  test("that another machine took over ends the session, and its result is not written", async () => {
    await using home = await homeWithGate();
    await using job = new RunningCommand(home, command);
    await untilRunning(home);
    await Bun.write(join(home.work, "out/result.json.claim"), far);
    expect(await job.ended()).toBe(1);
    expect(job.said).toContain("another one took over the task");
    expect(filesOf(home)).toEqual(["result.json.claim"]);
    await home.empty();
  });

  test("that was lost before there was a batch to end ends it all the same", async () => {
    await using home = await homeWithGate();
    using store = home.store();
    store.salt();
    // Nobody can create a batch meanwhile.
    store.database.run("BEGIN IMMEDIATE");
    await using job = new RunningCommand(home, command);
    await eventually(
      () => filesOf(home).includes("result.json.claim"),
      () => job.said,
    );
    await Bun.write(join(home.work, "out/result.json.claim"), far);
    store.database.run("ROLLBACK");
    expect(await job.ended()).toBe(1);
    expect(job.said).toContain("another one took over the task");
    await home.empty();
  });

  test("stays where it is if what it led to could not be written", async () => {
    await using home = new Home();
    const out = home.file("result.json");
    const task = { batchId: newBatchId(), digest: "d" };
    {
      await using claim = await ResultClaim.take(out, taking());
      await claim?.begins(task);
      claim?.keep();
    }
    expect(JSON.parse(readFileSync(claimPathOf(out), "utf8"))).toMatchObject({ task });
  });

  test("that somebody else has put there meanwhile is put back", async () => {
    await using home = new Home();
    const path = home.file("claim");
    await Bun.write(path, "theirs");
    await removeFileWith(path, "ours");
    expect(readFileSync(path, "utf8")).toBe("theirs");
    await removeFileWith(path, "theirs");
    expect(existsSync(path)).toBe(false);
    await removeFileWith(path, "theirs");
    expect(readdirSync(home.path).filter((name) => name.includes("claim"))).toEqual([]);
  });
});
