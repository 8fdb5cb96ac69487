import { expect, test } from "bun:test";
import { retryDelayMs } from "../../src/engine/retry.ts";
import type { Outcome } from "../../src/model/outcome.ts";

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
  [failed("overloaded"), [5_000, 10_000]],
  [failed("rate-limit"), [5_000, 10_000]],
  [failed("server-error"), [500, 1_000]],
  [failed("connection"), [500, 1_000]],
  [failed("auth"), undefined],
  [failed("billing"), undefined],
  [failed("usage-limit"), undefined],
  [failed("max-turns"), undefined],
  [failed("budget"), undefined],
  [failed("refusal"), undefined],
  [failed("schema"), undefined],
];

for (const [outcome, delays] of table) {
  const name =
    outcome.kind === "failed" ? outcome.reason : outcome.kind === "timed-out" ? outcome.clock : outcome.kind;
  test(`${name} is ${delays ? "" : "not "}tried again`, () => {
    const tried = { outcome, attempts: 1, retries: 1, adopted: false };
    const seen = [retryDelayMs(tried, 0), retryDelayMs(tried, 1)];
    expect(seen).toEqual(delays ?? [undefined, undefined]);
    expect(retryDelayMs({ ...tried, retries: 0 })).toBeUndefined();
    expect(retryDelayMs({ ...tried, attempts: 2 })).toBeUndefined();
  });
}

test("waits double, up to five minutes", () => {
  const delays = Array.from({ length: 10 }, (_, index) =>
    retryDelayMs({ outcome: crashed, attempts: index + 1, retries: 10, adopted: false }, 1),
  );
  expect(delays.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  expect(Math.max(...delays.map(Number))).toBe(300_000);
});

test("a session that died with its runner is continued, also where no retries were asked for", () => {
  expect(retryDelayMs({ outcome: crashed, attempts: 1, retries: 0, adopted: true }, 1)).toBe(1_000);
  expect(retryDelayMs({ outcome: crashed, attempts: 3, retries: 0, adopted: true })).toBeUndefined();
});
