// What the next attempt at a task will be, and what it says where it cannot be started.

import { describe, expect, setSystemTime, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startedEvent } from "../../src/engine/attempt/attempt-events.ts";
import { isStillMeant, planAttempt } from "../../src/engine/attempt/plan-attempt.ts";
import { markerOfAttempt } from "../../src/engine/attempt/session-name.ts";
import { startVerdict } from "../../src/engine/attempt/start-failure.ts";
import type { Batch, EventBody } from "../../src/model/event.ts";
import { noValues, type SessionValues } from "../../src/model/session-values.ts";
import { directoryOf } from "../../src/model/task-options.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { testNeeding } from "../facilities.ts";
import { crashed, failed, Inside, type TestBatch } from "../inside.ts";
import { succeeded } from "../model/events.ts";

function planOf(inside: Inside, { log }: TestBatch, { number = 1, values = noValues as SessionValues } = {}) {
  const environment = { CLAUDE_CONFIG_DIR: inside.file("claude"), A: "ours" };
  return planAttempt(log.state, number, {
    claudePath: inside.claude,
    workingDirectory: directoryOf(log.state.batch, number, undefined),
    layout: layoutOf(inside.state),
    environment,
    values,
  });
}

const batchIn = (inside: Inside, batch: Partial<Batch> = {}, tasks: Batch["tasks"] = [{ prompt: "do it" }]) =>
  inside.batch(inside.context(), { batch, tasks });

describe("the first attempt", () => {
  test("asks what the task says, in a conversation of its own", () => {
    using inside = new Inside();
    const batch = batchIn(inside);
    const plan = planOf(inside, batch);
    expect(plan).toMatchObject({ attempt: 1, resumes: false, prompt: "do it" });
    for (const name of ["anewBecause", "costBefore", "impossible"]) expect(plan).not.toHaveProperty(name);
    expect(plan.session).toMatchObject({
      workingDirectory: inside.work,
      files: [],
      marker: `${batch.id}/${plan.session.startName}`,
      transcript: join(inside.state, `batches/${batch.id}/session-${plan.session.startName}.ndjson`),
      stderr: join(inside.state, `batches/${batch.id}/session-${plan.session.startName}.stderr.txt`),
    });
    expect(plan.session.command[0]).toBe(inside.claude);
    expect(plan.session.command.join(" ")).toContain(plan.session.sessionId);
  });

  test("starts under a new name each time, though it goes on with the same conversation", () => {
    using inside = new Inside();
    const batch = batchIn(inside, { sessionOptions: { resumeSessionId: "named" } });
    const [one, other] = [planOf(inside, batch), planOf(inside, batch)];
    expect([one.session.sessionId, other.session.sessionId]).toEqual(["named", "named"]);
    for (const name of ["marker", "transcript", "stderr"] as const)
      expect(one.session[name]).not.toBe(other.session[name]);
    // In the order of the starts, for whoever looks into the folder.
    expect(one.session.transcript < other.session.transcript).toBe(true);
  });

  test("goes on with the conversation that the task names, or with a copy of it", () => {
    using inside = new Inside();
    const named = planOf(inside, batchIn(inside, { sessionOptions: { resumeSessionId: "named" } }));
    expect(named).toMatchObject({ session: { sessionId: "named" }, resumes: false, prompt: "do it" });
    const copy = planOf(
      inside,
      batchIn(inside, { sessionOptions: { resumeSessionId: "named", forkSession: true } }),
    );
    expect(copy.session.sessionId).not.toBe("named");
  });

  test("has the values of its variables, which win, and says which are lost", () => {
    using inside = new Inside();
    const batch = batchIn(inside, { sessionOptions: { env: { A: "", B: "" } } });
    const plan = planOf(inside, batch, { values: { shared: { A: "1", B: "2" }, tasks: {} } });
    expect(plan.session.environment).toMatchObject({ A: "1", B: "2" });
    expect(planOf(inside, batch, { values: { shared: { B: "2" }, tasks: {} } })).toMatchObject({
      impossible: {
        lost: ["A"],
        message:
          "The value of the variable A (`env`) was lost when the processes of the batch ended. Values are never stored.",
      },
    });
    expect(planOf(inside, batch)).toMatchObject({
      impossible: {
        lost: ["A", "B"],
        message:
          "The values of A, B (`env`) were lost when the processes of the batch ended. Values are never stored.",
      },
    });
    expect(planOf(inside, batch).session.environment).toMatchObject({ A: "ours" });
  });

  test("gets servers in a private file", () => {
    using inside = new Inside();
    const batch = batchIn(inside, { sessionOptions: { mcpConfig: { mcpServers: { s: { command: "x" } } } } });
    const { files = [], command } = planOf(inside, batch).session;
    expect(files).toHaveLength(1);
    expect(files[0]?.path).toMatch(
      new RegExp(
        `^${RegExp.escape(join(inside.state, "batches", batch.id, "private", "servers-"))}\\w+\\.json$`,
      ),
    );
    expect(command.join(" ")).toContain(files[0]?.path ?? "");
  });

  testNeeding("symbolic links")(
    "is not started where a directory has been replaced by a link to elsewhere",
    () => {
      using inside = new Inside();
      mkdirSync(inside.file("work/sub"));
      symlinkSync("/usr", inside.file("work/link"));
      const start = (
        sessionOptions: Batch["sessionOptions"],
        allowedRoots: string[] | undefined = [inside.work],
      ) => planOf(inside, batchIn(inside, { sessionOptions, allowedRoots })).impossible?.message;
      const link = inside.file("work/link");
      const text = `${link} now leads to /usr, outside the allowed roots: it was replaced after the batch had been checked.`;
      expect(start({ workingDirectory: link })).toBe(text);
      expect(start({ addDirectories: [inside.file("work/sub"), link] })).toBe(text);
      expect(start({ workingDirectory: inside.file("work/sub") })).toBeUndefined();
      expect(start({ workingDirectory: link }, ["/nowhere", "/usr"])).toBeUndefined();
      expect(
        planOf(inside, batchIn(inside, { sessionOptions: { workingDirectory: link } })).impossible,
      ).toBeUndefined();
    },
  );
});

describe("another attempt", () => {
  test("goes on where the one before was cut off", () => {
    using inside = new Inside();
    const batch = batchIn(inside, { sessionOptions: { forkSession: true, resumeSessionId: "named" } }).end(
      1,
      crashed,
      {
        resumable: true,
        retryAt: 1,
      },
    );
    const plan = planOf(inside, batch);
    expect(plan).toMatchObject({ attempt: 2, resumes: true, session: { sessionId: "session-1" } });
    expect(plan.prompt).not.toBe("do it");
    expect(plan.options).toMatchObject({ resumeSessionId: "session-1", forkSession: false });
  });

  test("begins anew if what it had read of another task has changed since", () => {
    using inside = new Inside();
    const reading = { prompt: "Read {{results.1}}", after: [1], results: { 1: 1 } };
    const batch = batchIn(inside, {}, [{ prompt: "do it" }, reading]).end(1, succeeded);
    batch.end(2, crashed, { resumable: true, retryAt: 1 });
    expect(planOf(inside, batch, { number: 2 })).toMatchObject({ resumes: true });
    try {
      setSystemTime(Date.now() + 1_000);
      batch.append({ type: "retry-requested", tasks: [], succeeded: [1] }).end(1, succeeded);
    } finally {
      setSystemTime();
    }
    expect(planOf(inside, batch, { number: 2 })).toMatchObject({
      resumes: false,
      anewBecause:
        "What it reads of other tasks has changed since its conversation began, so the task began again from its start.",
    });
  });

  test("gets what a retry added to the prompt, where it goes on and where it begins anew", () => {
    using inside = new Inside();
    const appendPrompt = "Be brief.";
    const again: EventBody = { type: "retry-requested", tasks: [1], changed: [1], appendPrompt };
    const anew = planOf(inside, batchIn(inside).end(1, failed).append(again));
    expect(anew).toMatchObject({ resumes: false, prompt: "do it\n\nBe brief." });
    const onward = planOf(inside, batchIn(inside).end(1, failed, { resumable: true }).append(again));
    expect(onward.resumes).toBe(true);
    expect(onward.prompt).toEndWith("finish this task:\n\ndo it\n\nBe brief.");
  });

  test("gets what was added to the prompt while it waited to correct an answer that was not accepted", () => {
    using inside = new Inside();
    const outcome = { kind: "failed", reason: "schema", message: "no field a" } as const;
    const batch = batchIn(inside).end(1, outcome, { resumable: true, retryAt: 1 });
    expect(planOf(inside, batch).prompt).not.toContain("do it");
    batch.append({ type: "retry-requested", tasks: [], changed: [1], appendPrompt: "Be brief." });
    const { prompt } = planOf(inside, batch);
    expect(prompt).toStartWith("Your answer does not fit the JSON Schema");
    expect(prompt).toEndWith("\n\nThe whole task again:\n\ndo it\n\nBe brief.");
  });

  test("says why an answer was not accepted, though the session that was to hear it died before it had its prompt", () => {
    using inside = new Inside();
    const outcome = { kind: "failed", reason: "schema", message: "no field a" } as const;
    const batch = batchIn(inside).end(1, outcome, { resumable: true, retryAt: 1 });
    const { prompt } = planOf(inside, batch);
    const next = { task: 1, attempt: 2 } as const;
    const dies = (usage: { costUsd: number; atLeast?: boolean }) =>
      batch.append(
        {
          type: "attempt-started",
          ...next,
          identity: ownIdentity(),
          sessionId: "session-1",
          transcript: batch.transcript(1),
          resumes: true,
        },
        {
          type: "attempt-ended",
          ...next,
          outcome: crashed,
          usage: { numTurns: 0, durationMs: 1, ...usage },
          resumable: true,
          retryAt: 1,
        },
      );
    dies({ costUsd: 0 });
    expect(planOf(inside, batch)).toMatchObject({ attempt: 3, prompt });
    // Here it has heard it.
    dies({ costUsd: 0, atLeast: true });
    expect(planOf(inside, batch).prompt).toStartWith("Your last turn was cut off");
  });

  test("is planned again where a retry has added to its prompt meanwhile", () => {
    using inside = new Inside();
    const batch = batchIn(inside);
    const plan = planOf(inside, batch);
    expect(isStillMeant(plan, batch.log.state, 1)).toBe(true);
    batch.append({ type: "retry-requested", tasks: [], changed: [1], appendPrompt: "Be brief." });
    expect(isStillMeant(plan, batch.log.state, 1)).toBe(false);
  });

  test("begins anew where there is nothing to go on with, and says why where there was", () => {
    using inside = new Inside();
    const plain = planOf(inside, batchIn(inside).end(1, crashed, { retryAt: 1 }));
    expect(plain).toMatchObject({ attempt: 2, resumes: false, prompt: "do it" });
    expect(plain).not.toHaveProperty("anewBecause");
    const unsaved = planOf(inside, batchIn(inside).end(1, crashed, { retryAt: 1, unsaved: true }));
    expect(unsaved.anewBecause).toBe(
      "Claude Code had not saved the conversation of attempt 1, so the task began again from its start.",
    );
  });

  test("knows what the conversation before has cost, where that is written down", () => {
    using inside = new Inside();
    const batch = batchIn(inside).end(1, failed, { resumable: true, retryAt: 1 });
    expect(planOf(inside, batch)).not.toHaveProperty("costBefore");
    const folder = inside.file(`claude/projects/${inside.work.replaceAll(/[^A-Za-z0-9]/g, "-")}`);
    mkdirSync(folder, { recursive: true });
    const cost = { type: "cost-state", totalCostUSD: 1.25, modelUsage: {} };
    writeFileSync(`${folder}/session-1.jsonl`, `{}\n${JSON.stringify(cost)}\n`);
    expect(planOf(inside, batch).costBefore).toEqual({ costUsd: 1.25, models: {} });
  });
});

test("a start is written with why it begins anew, and what its conversation had cost", () => {
  using inside = new Inside();
  const { anewBecause: _, costBefore: __, ...plan } = planOf(inside, batchIn(inside));
  const ref = ownIdentity();
  const started = { plan: plan.session, session: { ref } };
  const plain = {
    type: "attempt-started",
    task: 3,
    attempt: 1,
    identity: ref,
    sessionId: plan.session.sessionId,
    startName: plan.session.startName,
    transcript: plan.session.transcript,
    workingDirectory: inside.work,
  };
  expect<unknown>(startedEvent(3, plan, started)).toEqual(plain);
  const more = { resumes: true, anewBecause: "it was gone", costBefore: { costUsd: 1, models: {} } };
  expect<unknown>(startedEvent(3, { ...plan, ...more }, started)).toEqual({ ...plain, ...more });
});

describe("a start that failed", () => {
  const plan = (inside: Inside, more: object = {}) => ({
    command: [inside.claude],
    workingDirectory: inside.work,
    environment: {},
    marker: "m",
    transcript: "/state/batch/t.ndjson",
    stderr: "/state/batch/t.txt",
    ...more,
  });

  test("ends its task where that is the task's own, and is waited for otherwise", () => {
    using inside = new Inside();
    const verdict = (code: string | undefined, more: object = {}, atOutput = false) =>
      startVerdict(
        { message: "it said so", atOutput, ...(code === undefined ? {} : { code }) },
        plan(inside, more),
      );
    expect(verdict("ENOENT", { workingDirectory: inside.file("gone") })).toEqual({
      kind: "task",
      message: `The working directory ${inside.file("gone")} no longer exists.`,
    });
    for (const code of [undefined, "E2BIG", "ENAMETOOLONG"])
      expect(verdict(code)).toEqual({ kind: "task", message: "it said so" });
    const missing = { command: [inside.file("bin/gone")] };
    expect(verdict("ENOENT", missing)).toEqual({
      kind: "passing",
      because: expect.stringMatching(
        /^Waits for claude: .*[\\/]bin[\\/]gone is not there, or is not executable\./,
      ),
    });
    expect(verdict("EMFILE")).toEqual({
      kind: "passing",
      because: expect.stringMatching(/^Waits for file descriptors: .* \(it said so\)$/),
    });
    expect(verdict("EIO")).toEqual({
      kind: "passing",
      because: `Waits for \`claude\` (${inside.claude}): it said so`,
    });
    expect(verdict("EIO", missing, true)).toEqual({
      kind: "passing",
      because: "Waits for the directory /state/batch: it said so",
    });
  });
});

test("the marker of an attempt in an older log is the one that its session was given then", () => {
  const old = { number: 2, sessionId: "session-1" };
  expect(markerOfAttempt("bcdfghjk", 7, old)).toBe("bcdfghjk/7/2/84097828fc31a8c8");
  expect(markerOfAttempt("bcdfghjk", 7, { ...old, startName: "a" })).toBe("bcdfghjk/a");
});
