import { expect, test } from "bun:test";
import {
  evictionCandidates,
  isShort,
  type Loss,
  lackOfMemory,
  learned,
  type MemoryFacts,
  type RunningMemory,
} from "../../src/engine/memory/memory-plan.ts";

const session = (number: number, used: number, expected = used): RunningMemory => ({
  marker: String(number),
  startedAt: number,
  usedBytes: used * 1e6,
  expectedBytes: expected * 1e6,
});
/** The numbers of those that are evicted, of those that can be. */
const evicted = (facts: MemoryFacts, canEnd = (_: number) => true, waits = (_: number) => false) =>
  evictionCandidates(facts, (marker) => {
    if (!canEnd(Number(marker))) return undefined;
    return waits(Number(marker)) ? "nothing" : "work";
  }).map(Number);
const roomy = { availableBytes: 16e9, totalBytes: 32e9, sessions: [], others: [] };

test("one session may always start, whatever memory says", () => {
  expect(lackOfMemory({ ...roomy, availableBytes: 0, limitBytes: 1 }, 300e6)).toBeUndefined();
});

test("what running sessions may still take is left to them", () => {
  const sessions = [session(1, 100, 300), session(2, 100, 300)];
  const facts = { ...roomy, totalBytes: 4e9, sessions };
  // 400 MB are still to be taken by those that run, 300 by the next; 200 stay free for all else.
  expect(lackOfMemory({ ...facts, availableBytes: 901e6 }, 300e6)).toBeUndefined();
  expect(lackOfMemory({ ...facts, availableBytes: 899e6 }, 300e6)).toContain("899 MB are free");
});

test("the operator's limit is for the sessions of all runners", () => {
  const facts = { ...roomy, limitBytes: 1e9, sessions: [session(1, 100, 300)] };
  expect(lackOfMemory(facts, 300e6)).toBeUndefined();
  const others = [{ sessions: 2, usedBytes: 200e6, expectedBytes: 600e6 }];
  expect(lackOfMemory({ ...facts, others }, 300e6)).toContain("memoryLimitMb");
});

test("those that wait for their prompts give way before any that work, though these are younger", () => {
  const sessions = [1, 2, 3, 4].map((number) => session(number, 300));
  const waits = (number: number) => number < 3;
  const free = (bytes: number) => evicted({ ...roomy, limitBytes: bytes, sessions }, undefined, waits);
  expect(free(1e9)).toEqual([2]);
  expect(free(0.4e9)).toEqual([2, 1, 4]);
  expect(evicted({ ...roomy, limitBytes: 0.4e9, sessions }, undefined, () => true)).toEqual([4, 3, 2]);
});

test("above the limit the youngest give way, as many as it takes, and the oldest never", () => {
  const sessions = [session(1, 500), session(2, 500), session(3, 500), session(4, 100)];
  expect(evicted({ ...roomy, limitBytes: 2e9, sessions })).toEqual([]);
  expect(evicted({ ...roomy, limitBytes: 1.2e9, sessions })).toEqual([4, 3]);
  expect(evicted({ ...roomy, limitBytes: 1, sessions })).toEqual([4, 3, 2]);
});

test("one that cannot be ended yet stays, and the next one makes room in its place", () => {
  const facts = {
    ...roomy,
    limitBytes: 1.2e9,
    sessions: [session(1, 500), session(2, 500), session(3, 500)],
  };
  expect(evicted(facts, (number) => number !== 3)).toEqual([2]);
  // Of those that can be, the oldest goes on.
  expect(evicted(facts, (number) => number !== 1)).toEqual([3]);
  expect(evicted(facts, (number) => number === 3)).toEqual([]);
});

test("sessions without a task go first, also where that leaves none of them", () => {
  const sessions = [session(1, 500), session(2, 500), session(3, 100), session(4, 100)];
  const losses: Record<string, Loss> = { 1: "work", 2: "nothing", 3: "spare", 4: "spare" };
  const chosen = (limitBytes: number, of = sessions) =>
    evictionCandidates({ ...roomy, limitBytes, sessions: of }, (marker) => losses[marker]).map(Number);
  expect(chosen(1.2e9)).toEqual([4]);
  expect(chosen(1.1e9)).toEqual([4, 3]);
  expect(chosen(0.7e9)).toEqual([4, 3, 2]);
  expect(chosen(0.1e9)).toEqual([4, 3, 2]);
  expect(chosen(0.05e9, sessions.slice(3))).toEqual([4]);
});

test("before the kernel would choose, the youngest gives way", () => {
  const facts = { ...roomy, totalBytes: 4e9, sessions: [session(1, 500), session(2, 500)] };
  expect(evicted({ ...facts, availableBytes: 300e6 })).toEqual([]);
  expect(evicted({ ...facts, availableBytes: 20e6 })).toEqual([2]);
});

test("of several runners, the one whose sessions take most mends the shortage", () => {
  const facts = { ...roomy, limitBytes: 1e9, sessions: [session(1, 400), session(2, 400)] };
  const other = (usedBytes: number) => [{ sessions: 3, usedBytes, expectedBytes: usedBytes }];
  expect(evicted({ ...facts, others: other(700e6) })).toEqual([2]);
  expect(evicted({ ...facts, others: other(900e6) })).toEqual([]);
});

test("where the largest has one session, which is never ended, the next one mends the shortage", () => {
  const own = { ...roomy, limitBytes: 2e9, sessions: Array.from({ length: 10 }, (_, n) => session(n, 120)) };
  expect(evicted({ ...own, others: [{ sessions: 1, usedBytes: 1.5e9, expectedBytes: 1.5e9 }] })).not.toEqual(
    [],
  );
});

test("a footprint grows at once and shrinks slowly", () => {
  expect(learned(undefined, 150e6)).toBe(150e6);
  expect(learned(150e6, 400e6)).toBe(400e6);
  expect(learned(400e6, 100e6)).toBe(370e6);
});

test("of two that began together, the later task gives way", () => {
  const sessions = [2, 3, 1].map((number) => ({ ...session(number, 500), startedAt: 7 }));
  expect(evicted({ ...roomy, limitBytes: 1.4e9, sessions })).toEqual([3]);
});

test("what runs is counted in words", () => {
  const limited = { ...roomy, limitBytes: 1e9 };
  const lackWith = (...sessions: RunningMemory[]) => lackOfMemory({ ...limited, sessions }, 900e6);
  expect(lackWith(session(1, 200))).toBe(
    "Waits for memory: the running session may take 200 MB, the next one 900 MB, and `memoryLimitMb` is 1000.",
  );
  expect(lackWith(session(1, 200), session(2, 100, 300))).toContain("the 2 running sessions may take 500 MB");
});

test("little is left above seven tenths of the limit, or below three times what stays free for all else", () => {
  const facts = { ...roomy, sessions: [session(1, 700)] };
  expect(isShort(facts)).toBe(false);
  expect(isShort({ ...facts, limitBytes: 1e9 })).toBe(false);
  expect(isShort({ ...facts, limitBytes: 0.99e9 })).toBe(true);
  // Of 32 GB, 1.6 GB stay free.
  expect(isShort({ ...facts, availableBytes: 4.8e9 })).toBe(false);
  expect(isShort({ ...facts, availableBytes: 4.79e9 })).toBe(true);
});
