// What is said of a batch that did not succeed: the same sentences wherever somebody asks.
import { describe, expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import { listBatches, showBatch, waitForBatch } from "../../src/operations/batches.ts";
import { readResults } from "../../src/operations/results.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";

const cancel = (by: "user" | "budget" | "failure-mode", tasks?: number[]): EventBody => ({
  type: "cancel-requested",
  by,
  ...(tasks ? { tasks } : {}),
});
const retry = (tasks: number[]): EventBody => ({ type: "retry-requested", tasks });
const cancelled = { kind: "cancelled", by: "user" } as const;
const unstartable = (task: number): EventBody => ({
  type: "attempt-ended",
  task,
  attempt: 0,
  outcome: { kind: "not-started", message: "no directory" },
});
const ended: EventBody = { type: "batch-ended" };

const kinds: [string, (batch: TestBatch) => unknown, RegExp][] = [
  [
    "with failures",
    (batch) => batch.answer(1, "yes").end(2, failed).end(3, failed).end(4, failed).finish(),
    /3 failed/,
  ],
  [
    "whose files could not all be written",
    (batch) =>
      batch
        .append({ type: "file-failed", path: "/a", message: "full" })
        .append({ type: "file-failed", path: "/b", message: "gone" })
        .append({ type: "file-failed", path: "/a", message: "fuller" })
        .end(1, failed)
        .append(cancel("failure-mode"), ended),
    /2 files could not be written: \/a: fuller\. /,
  ],
  [
    "that was stopped, with tasks that had begun and tasks that had not",
    (batch) =>
      batch
        .end(1, failed)
        .start(2)
        .append(cancel("user"))
        .append({ ...endOf(2), outcome: cancelled }, ended),
    /1 stopped, 2 not started/,
  ],
  [
    "whose tasks were cancelled again after a retry, or could not start",
    (batch) =>
      batch
        .answer(1, "yes")
        .append(unstartable(2), unstartable(3), cancel("user", [4]), retry([2, 4]), cancel("user", [2]))
        .append(cancel("user", [4]), ended),
    /1 failed\), 2 not started/,
  ],
  [
    "that stopped at its budget before it was given another",
    (batch) =>
      batch
        .answer(1, "yes", { usage: { costUsd: 2, numTurns: 1, durationMs: 1 } })
        .append(cancel("budget"), { type: "retry-requested", tasks: [2], budgetUsd: 9 })
        .answer(2, "yes")
        .append(ended),
    /Stopped at its earlier budget of \$1\.00: 2 of 4 tasks done, 2 not started/,
  ],
];

function endOf(task: number) {
  return { type: "attempt-ended", task, attempt: 1 } as const;
}

async function said(inside: Inside, door: "tools" | "command-line", batchId: string) {
  const context = inside.context(door);
  const { batches } = await listBatches.run(context, {}, inside.call());
  return {
    listed: batches.find((one) => one.batchId === batchId),
    shown: await showBatch.run(context, { batchId }, inside.call()),
    waited: await waitForBatch.run(context, { batchId }, inside.call()),
    read: await readResults.run(context, { batchId }, inside.call()),
  };
}

describe.each(["tools", "command-line"] as const)("for %s, of a batch", (door) => {
  test.each(kinds)("%s, a list says what is said of it alone", async (_, make, words) => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 4, batch: { budgetUsd: 1, name: "Nightly" } });
    make(batch);
    const { listed, shown, waited, read } = await said(inside, door, batch.id);
    expect(listed?.message).toMatch(words);
    expect(listed?.message).toBe(String(shown.message));
    // Where one batch is waited for, the causes follow, which a list would need whole logs for.
    const alone = (message: string) => message.replace(/ Causes: [^.]*\./, "");
    expect(alone(waited.message)).toBe(String(shown.message));
    expect(read.message).toStartWith(String(shown.message));
    expect(shown).toMatchObject(listed ?? {});
  });

  test.each([
    ["", [cancel("user", [1])]],
    [" of which tasks were cancelled while others had not begun", [cancel("user", [1, 2])]],
    [" of which nothing had begun", []],
  ])("that lost its processes%s, a list says what is said of it alone", async (_, events) => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 4, isRun: false });
    batch.append(...events);
    const { listed, shown, waited, read } = await said(inside, door, batch.id);
    expect(listed?.message).toContain("Its processes are gone.");
    expect(listed?.message).toBe(String(shown.message));
    expect(waited.message).toBe(String(shown.message));
    expect(read.message).toStartWith(String(shown.message));
    expect(shown).toMatchObject(listed ?? {});
  });
});
