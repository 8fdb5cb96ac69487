import { expect, test } from "bun:test";
import { LoginProof } from "../../src/engine/scheduler/login-proof.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { Home } from "../harness.ts";

const minuteMs = 60_000;
const waits = "Waits for the first session, which proves that the login works.";

/** The proof as a batch of this account begins with it; its first session has started. */
function batchOf(kept: LoginProofs): LoginProof {
  const proof = new LoginProof({ patienceMs: 60 * minuteMs, hasAnswered: false, kept });
  proof.began(1);
  return proof;
}

test("what one batch has shown holds for the next one, and for one that waits already", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const kept = new LoginProofs(store.database, "a");
  const [first, second] = [batchOf(kept), batchOf(new LoginProofs(other.database, "a"))];
  expect([first.hindrance(), second.hindrance()]).toEqual([waits, waits]);
  first.answered();
  expect([first.hindrance(), second.hindrance(), batchOf(kept).hindrance()]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(batchOf(new LoginProofs(store.database, "b")).hindrance()).toBe(waits);
});

test("a refused login takes the proof back, and the next reply gives it again", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const batch = batchOf(kept);
  batch.answered();
  batch.doubted(2);
  expect(kept.isProven(Date.now())).toBe(false);
  expect(batchOf(kept).hindrance()).toBe(waits);
  batch.answered();
  expect(batchOf(kept).hindrance()).toBeUndefined();
});

test("a proof holds for five minutes, and not when the clock was set back behind it", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const now = Date.now();
  kept.keep(now);
  const after = (minutes: number) => kept.isProven(now + minutes * minuteMs);
  expect([0, 4.9, 5, -4.9, -60].map(after)).toEqual([true, true, false, true, false]);
});

test("a batch whose first session is refused does not believe an older proof", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const batch = batchOf(kept);
  batch.doubted(1);
  kept.keep(Date.now());
  expect(batch.hindrance()).toBe(waits);
});

test("a session that has only just started proves nothing, however long this process has run", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const proof = new LoginProof({ patienceMs: 1.5 * performance.now(), hasAnswered: false, kept });
  proof.began(1);
  expect(proof.hindrance()).toBe(waits);
});
