// What a worker makes of a run that breaks off.
import { expect, test } from "bun:test";
import { brokenOff, usedBy } from "../../src/operations/fleet-job.ts";
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
  expect(usedBy(batch.log.state)).toBeUndefined();
  const running = usedBy(batch.start(1).log.state);
  expect(running).toMatchObject({ costUsd: 0, atLeast: true });
  expect(brokenOff({ ...run, used: running })?.kind).toBe("result");
  const ended = batch.answer(1, "yes", { usage: used }).log.state;
  expect(usedBy(ended)).toEqual(used);
});
