import { expect, test } from "bun:test";
import { retryDelayMs } from "../../src/engine/scheduler/retry.ts";
import { type AttemptOutcome, failureReasons, type Outcome } from "../../src/model/outcome.ts";

const failed = (reason: Extract<Outcome, { kind: "failed" }>["reason"]): Outcome => ({
  kind: "failed",
  reason,
  message: "",
});
const crashed: Outcome = { kind: "crashed", stderrTail: "" };

/** The first delay at most and at least, in milliseconds; nothing for what is not tried again. */
const table: [Outcome, [least: number, most: number] | undefined][] = [
  [{ kind: "succeeded", length: 1, offset: 0 }, undefined],
  [crashed, [500, 1_000]],
  [{ kind: "timed-out", clock: "first-event", afterMs: 1 }, [500, 1_000]],
  [{ kind: "timed-out", clock: "idle", afterMs: 1 }, [500, 1_000]],
  [{ kind: "timed-out", clock: "wall", afterMs: 1 }, undefined],
  [{ kind: "cancelled", by: "user" }, undefined],
  [{ kind: "not-started", message: "" }, undefined],
  [failed("server-error"), [500, 1_000]],
  [failed("connection"), [500, 1_000]],
  // Where the account is not held because of it, others are answered.
  [failed("auth"), [500, 1_000]],
  [failed("billing"), undefined],
  [failed("usage-limit"), undefined],
  [failed("max-turns"), undefined],
  [failed("budget"), undefined],
  [failed("refusal"), undefined],
  [failed("schema"), undefined],
];

test("a session that its machine lost runs again, and that is no try of the task", () => {
  const lost: Outcome = { kind: "crashed", stderrTail: "", lost: true };
  const tried = { retries: 0, adopted: false, held: false };
  expect(retryDelayMs({ ...tried, outcome: lost, earlier: [] })).toBe(0);
  expect(retryDelayMs({ ...tried, outcome: lost, earlier: [lost, crashed] })).toBe(0);
  expect(retryDelayMs({ ...tried, retries: 1, outcome: crashed, earlier: [lost] }, 1)).toBe(1_000);
});

test("a session that its machines lose again and again waits longer each time, and counts in the end", () => {
  const lost: Outcome = { kind: "crashed", stderrTail: "", lost: true };
  const after = (times: number, retries: number) =>
    retryDelayMs(
      { retries, adopted: false, held: false, outcome: lost, earlier: Array(times).fill(lost) },
      1,
    );
  expect([0, 1, 2, 4].map((times) => after(times, 0))).toEqual([0, 1_000, 2_000, 8_000]);
  expect([5, 6].map((times) => after(times, 1))).toEqual([16_000, undefined]);
});

test("of all reasons of a failure, these are tried again", () => {
  const tried = { earlier: [], retries: 1, adopted: false, held: false };
  const again = failureReasons.filter(
    (reason) => retryDelayMs({ ...tried, outcome: failed(reason) }) !== undefined,
  );
  expect(again).toEqual(["rate-limit", "overloaded", "auth", "connection", "server-error", "interrupted"]);
});

for (const [outcome, delays] of table) {
  const name =
    outcome.kind === "failed" ? outcome.reason : outcome.kind === "timed-out" ? outcome.clock : outcome.kind;
  test(`${name} is ${delays ? "" : "not "}tried again`, () => {
    const tried = { outcome, earlier: [], retries: 1, adopted: false, held: false };
    const seen = [retryDelayMs(tried, 0), retryDelayMs(tried, 1)];
    expect(seen).toEqual(delays ?? [undefined, undefined]);
    expect(retryDelayMs({ ...tried, retries: 0 })).toBeUndefined();
    expect(retryDelayMs({ ...tried, earlier: [outcome] })).toBeUndefined();
    expect(retryDelayMs({ ...tried, earlier: [outcome], held: true })).toBe(0);
  });
}

const times = (count: number, outcome: AttemptOutcome) => Array.from({ length: count }, () => outcome);

test("waits double, up to five minutes", () => {
  const delays = Array.from({ length: 10 }, (_, count) =>
    retryDelayMs(
      { outcome: crashed, earlier: times(count, crashed), retries: 10, adopted: false, held: false },
      1,
    ),
  );
  expect(delays.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  expect(Math.max(...delays.map(Number))).toBe(300_000);
});

test("a session that died with its runner is continued, also where no retries were asked for", () => {
  const tried = { outcome: crashed, retries: 0, adopted: true, held: false };
  expect(retryDelayMs({ ...tried, earlier: [] }, 1)).toBe(1_000);
  expect(retryDelayMs({ ...tried, earlier: times(2, crashed) })).toBeUndefined();
});

for (const reason of ["rate-limit", "overloaded"] as const) {
  test(`what the API throttled (${reason}) is queued again whatever retries says, but not for ever`, () => {
    const tried = { outcome: failed(reason), retries: 0, adopted: false, held: false };
    expect(retryDelayMs({ ...tried, earlier: [] }, 1)).toBe(2_000);
    expect(retryDelayMs({ ...tried, earlier: times(3, failed(reason)) }, 1)).toBe(16_000);
    expect(retryDelayMs({ ...tried, earlier: times(20, failed(reason)) })).toBeUndefined();
  });
}

test("what was evicted for lack of memory goes on at once, and counts as no try", () => {
  const evicted: AttemptOutcome = { kind: "evicted" };
  const tried = { retries: 1, adopted: false, held: false };
  expect(retryDelayMs({ ...tried, outcome: evicted, earlier: times(5, evicted) })).toBe(0);
  expect(retryDelayMs({ ...tried, outcome: crashed, earlier: times(5, evicted) }, 1)).toBe(1_000);
});

test("waits in the queue of a held account count as no tries", () => {
  const tried = { retries: 1, adopted: false, held: false };
  const earlier = [...times(5, failed("usage-limit")), ...times(5, failed("rate-limit"))];
  expect(retryDelayMs({ ...tried, outcome: crashed, earlier }, 1)).toBe(1_000);
});
