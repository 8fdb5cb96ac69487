// What a worker makes of a run that breaks off.
import { expect, test } from "bun:test";
import { WorkFailed } from "../../src/fleet/open-work.ts";
import { taskOf } from "../../src/model/state.ts";
import { brokenOff, untilStored, usedBy } from "../../src/operations/fleet-job.ts";
import { taskSpecReader } from "../../src/operations/task-spec.ts";
import { clock } from "../../src/platform/clock.ts";
import { Inside } from "../inside.ts";

const used = { costUsd: 0.5, numTurns: 2, durationMs: 10 };
const run = { because: "the disk is gone", reason: undefined, attempts: 1, worker: "box" };

test("what was paid for is not run again, whatever broke afterwards", () => {
  expect(brokenOff({ ...run, used })).toMatchObject({
    kind: "result",
    result: {
      kind: "ended",
      outcome: {
        kind: "crashed",
        stderrTail: "The worker could not take the task to its end: the disk is gone",
      },
      usage: used,
    },
  });
});

test("what has cost nothing may be tried again", () => {
  expect(brokenOff({ ...run, used: undefined })).toBeUndefined();
});

test("what had to end says what it had cost: as stopped, or for the next worker", () => {
  expect(brokenOff({ ...run, used, reason: "stopped" })).toMatchObject({
    result: { kind: "stopped", usage: used },
  });
  expect(brokenOff({ ...run, used, reason: "drained" })).toEqual({ kind: "handed-back", usage: used });
});

test("a session that runs while its run breaks off has cost more than is known, so nobody runs its task again", () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context());
  expect(usedBy(taskOf(batch.log.state, 1))).toBeUndefined();
  const running = usedBy(taskOf(batch.start(1).log.state, 1));
  expect(running).toMatchObject({ costUsd: 0, atLeast: true });
  expect(brokenOff({ ...run, used: running })?.kind).toBe("result");
  const ended = batch.answer(1, "yes", { usage: used }).log.state;
  expect(usedBy(taskOf(ended, 1))).toEqual(used);
});

test("specs that differ in their prompts alone are read alike, and a prompt that is none is refused", () => {
  const read = taskSpecReader();
  const spec = (task: unknown, more: object = {}) => read({ task, model: "opus", ...more });
  const taskOf = (task: unknown, more: object = {}) => ({
    ok: true,
    value: { input: { tasks: [{ task, model: "opus", ...more }] } },
  });
  for (const prompt of ["one", "two", "one"]) expect(spec(prompt)).toMatchObject(taskOf(prompt));
  expect(spec("three", { effort: "low" })).toMatchObject(taskOf("three", { effort: "low" }));
  for (const none of ["", " ", 5, undefined]) expect(spec(none).ok).toBe(false);
  expect(spec("four", { retries: "many" }).ok).toBe(false);
  expect(spec("five", { retries: "many" }).ok).toBe(false);
});

test("changes that a full disk keeps from being read are read again, and others are not", async () => {
  const said: string[] = [];
  const { signal } = new AbortController();
  const run = {
    signal,
    report: (says: string) => {
      said.push(says);
      queueMicrotask(() => clock.soon("rest"));
    },
  };
  const full = new WorkFailed("No space left on device.", { isTemporary: false, isOutage: true });
  let looks = 0;
  const act = () => (++looks === 1 ? Promise.reject(full) : Promise.resolve("changes"));
  expect(await untilStored(run, act)).toBe("changes");
  expect(said).toEqual(["Its result cannot be stored yet: No space left on device."]);
  const odd = new WorkFailed("There is no such commit.", { isTemporary: false });
  await expect(untilStored(run, () => Promise.reject(odd))).rejects.toBe(odd);
});
