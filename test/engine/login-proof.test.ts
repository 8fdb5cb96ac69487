import { expect, test } from "bun:test";
import { LoginProof } from "../../src/engine/scheduler/login-proof.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { Home } from "../harness.ts";
import { HandClock } from "./hand-clock.ts";

const minuteMs = 60_000;
const waits = "Waits for the first session, which proves that the login works.";

/** The proof as a batch of this account begins with it; its first session has started. */
function batchOf(kept: LoginProofs): LoginProof {
  const proof = new LoginProof({ patienceMs: 60 * minuteMs, hasAnswered: false, proofs: kept });
  proof.started(1);
  return proof;
}

test("what one batch has shown holds for the next one, and for one that waits already", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const kept = new LoginProofs(store.database, "a");
  const [first, second] = [batchOf(kept), batchOf(new LoginProofs(other.database, "a"))];
  expect([first.whyWait(), second.whyWait()]).toEqual([waits, waits]);
  first.answered();
  expect([first.whyWait(), second.whyWait(), batchOf(kept).whyWait()]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(batchOf(new LoginProofs(store.database, "b")).whyWait()).toBe(waits);
});

test("a refused login takes the proof back, and the next reply gives it again", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const batch = batchOf(kept);
  batch.answered();
  batch.doubted(2);
  expect(kept.isProven(Date.now())).toBe(false);
  expect(batchOf(kept).whyWait()).toBe(waits);
  batch.answered();
  expect(batchOf(kept).whyWait()).toBeUndefined();
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
  expect(batch.whyWait()).toBe(waits);
});

test("a session that has only just started proves nothing, however long this process has run", async () => {
  await using home = new Home();
  using store = home.store();
  const kept = new LoginProofs(store.database, "a");
  const proof = new LoginProof({ patienceMs: 1.5 * performance.now(), hasAnswered: false, proofs: kept });
  proof.started(1);
  expect(proof.whyWait()).toBe(waits);
});

/** An account of which nothing was ever proven, and what a batch writes down of it. */
function unproven() {
  const written: string[] = [];
  const kept = {
    isProven: () => false,
    keep: () => void written.push("keep"),
    lose: () => void written.push("lose"),
  };
  const proofWith = (patienceMs: number, hasAnswered = false) =>
    new LoginProof({ patienceMs, hasAnswered, proofs: kept });
  return { written, proofWith };
}

test("without a first session, after an answer, or without patience, nobody waits", () => {
  const { proofWith } = unproven();
  expect(proofWith(minuteMs).whyWait()).toBeUndefined();
  for (const proof of [proofWith(0), proofWith(minuteMs, true)]) {
    proof.started(1);
    expect(proof.whyWait()).toBeUndefined();
  }
  const proof = proofWith(minuteMs);
  proof.started(1);
  expect(proof.whyWait()).toBe(waits);
  proof.answered();
  expect(proof.whyWait()).toBeUndefined();
});

test("where the first session ends without an answer, the next one proves it", () => {
  const { proofWith } = unproven();
  const proof = proofWith(minuteMs);
  proof.started(1);
  proof.ended(2);
  expect(proof.whyWait()).toBe(waits);
  proof.ended(1);
  expect(proof.whyWait()).toBeUndefined();
  proof.started(3);
  expect(proof.whyWait()).toBe(waits);
});

test("a session that thinks for longer than patience lasts has passed the login, unless it was refused", () => {
  using clock = new HandClock();
  const { proofWith } = unproven();
  const [proof, doubtful, others] = [proofWith(minuteMs), proofWith(minuteMs), proofWith(minuteMs)];
  for (const one of [proof, doubtful, others]) one.started(1);
  doubtful.doubted(1);
  others.doubted(2);
  clock.now += minuteMs;
  expect(proof.whyWait()).toBe(waits);
  clock.now += 1;
  expect([proof, doubtful, others].map((one) => one.whyWait())).toEqual([undefined, waits, undefined]);
});

test("an answer is written down once a minute, and at once after a doubt", () => {
  using clock = new HandClock();
  const { proofWith, written } = unproven();
  const proof = proofWith(minuteMs);
  proof.answered();
  clock.now += minuteMs - 1;
  proof.answered();
  expect(written).toEqual(["keep"]);
  clock.now += 1;
  proof.answered();
  expect(written).toEqual(["keep", "keep"]);
  proof.doubted(1);
  proof.answered();
  expect(written).toEqual(["keep", "keep", "lose", "keep"]);
});
