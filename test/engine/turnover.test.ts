// When a task waits for a process that is about to be free, instead of starting its own.
import { describe, expect, test } from "bun:test";
import { Turnover } from "../../src/engine/attempt/turnover.ts";

/** A runner in which a start took 400 ms, and a task of kind "k" 3 s. */
function known() {
  const at = { now: 0 };
  const turnover = new Turnover(() => at.now);
  const begin = (marker: string, kind = "k") => {
    turnover.taken(marker, kind, { isReady: false });
    at.now += 400;
    turnover.ready(marker);
    turnover.prompted(marker);
  };
  begin("first");
  at.now += 3_000;
  turnover.answered("first");
  return { at, turnover, begin };
}

describe("a task waits for a process", () => {
  test("twice as long as a start takes, if one should be free by then", () => {
    const { at, turnover, begin } = known();
    expect(turnover.soon("k").processes).toBe(0);
    begin("a");
    expect(turnover.soon("k").processes).toBe(0);
    at.now += 2_199;
    expect(turnover.soon("k").processes).toBe(0);
    at.now += 1;
    expect(turnover.soon("k")).toEqual({ withinMs: 800, processes: 1 });
    expect(turnover.soon("another").processes).toBe(0);
  });

  test("not for one that takes more than three times as long as the others, nor for one that has gone", () => {
    const { at, turnover, begin } = known();
    begin("a");
    at.now += 8_999;
    expect(turnover.soon("k")).toEqual({ withinMs: 800, processes: 1 });
    at.now += 1;
    expect(turnover.soon("k").processes).toBe(0);
    begin("b");
    at.now += 2_900;
    expect(turnover.soon("k")).toEqual({ withinMs: 800, processes: 1 });
    turnover.gone("b");
    expect(turnover.soon("k").processes).toBe(0);
  });

  test("not for one that starts, or waits for its prompt; its time begins with both", () => {
    const { at, turnover } = known();
    turnover.taken("a", "k", { isReady: false });
    turnover.prompted("a");
    at.now += 400;
    turnover.ready("a");
    at.now += 1_000;
    expect(turnover.soon("k").processes).toBe(0);
    turnover.taken("b", "k", { isReady: true });
    at.now += 2_900;
    turnover.gone("a");
    expect(turnover.soon("k").processes).toBe(0);
    turnover.prompted("b");
    expect(turnover.soon("k").processes).toBe(0);
  });

  test("not before it is known how long starts and tasks take", () => {
    const turnover = new Turnover(() => 0);
    turnover.taken("a", "k", { isReady: true });
    turnover.prompted("a");
    expect(turnover.soon("k").processes).toBe(0);
    turnover.answered("a");
    turnover.taken("b", "k", { isReady: true });
    turnover.prompted("b");
    expect(turnover.soon("k").processes).toBe(0);
  });

  test("and for as many as should be free by then, at most two seconds", () => {
    const { at, turnover, begin } = known();
    for (const marker of ["a", "b", "c"]) {
      turnover.taken(marker, "k", { isReady: true });
      turnover.prompted(marker);
    }
    at.now += 2_500;
    expect(turnover.soon("k")).toEqual({ withinMs: 800, processes: 3 });
    for (const marker of ["d", "e", "f"]) {
      turnover.taken(marker, "k", { isReady: false });
      at.now += 30_000;
      turnover.ready(marker);
      turnover.gone(marker);
    }
    begin("g");
    at.now += 2_900;
    expect(turnover.soon("k")).toEqual({ withinMs: 2_000, processes: 1 });
  });

  test("not by what a hundred other kinds ago was known", () => {
    const { at, turnover, begin } = known();
    for (let kind = 0; kind < 99; kind++) {
      begin(`m${kind}`, `k${kind}`);
      turnover.answered(`m${kind}`);
    }
    begin("a");
    at.now += 2_900;
    expect(turnover.soon("k").processes).toBe(1);
    begin("b", "one more");
    turnover.answered("b");
    expect(turnover.soon("k").processes).toBe(0);
  });

  test("as the middle one of the last nine went", () => {
    const { at, turnover, begin } = known();
    for (let round = 0; round < 9; round++) {
      begin(`r${round}`);
      at.now += round < 4 ? 100_000 : 50_000;
      turnover.answered(`r${round}`);
    }
    begin("a");
    at.now += 49_199;
    expect(turnover.soon("k").processes).toBe(0);
    at.now += 1;
    expect(turnover.soon("k")).toEqual({ withinMs: 800, processes: 1 });
  });
});
