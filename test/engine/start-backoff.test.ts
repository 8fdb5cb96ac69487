import { expect, test } from "bun:test";
import { join } from "node:path";
import { startVerdict } from "../../src/engine/attempt/start-failure.ts";
import { StartBackoff } from "../../src/engine/scheduler/start-backoff.ts";
import { Home } from "../harness.ts";

class Clock {
  now = 1_000;
  readonly backoff = new StartBackoff(60_000, () => this.now);
}

test("after a failed start no other one is tried for a moment, and then one at a time", () => {
  const clock = new Clock();
  const { backoff } = clock;
  expect(backoff.waitReason()).toBeUndefined();
  expect(backoff.failed("Waits for claude")).toBe("wait");
  expect(backoff.waitReason()).toMatchObject({ because: "Waits for claude", until: expect.any(Number) });
  clock.now += 500;
  expect(backoff.waitReason()).toBeUndefined();
  backoff.claim(7);
  expect(backoff.waitReason()).toBeDefined();
  backoff.release(8);
  expect(backoff.waitReason()).toBeDefined();
  backoff.release(7);
  expect(backoff.waitReason()).toBeUndefined();
});

test("the longer starts fail, the longer is the pause, up to 15 seconds", () => {
  const clock = new Clock();
  const pauses = Array.from({ length: 8 }, () => {
    const began = clock.now;
    clock.backoff.failed("no");
    while (clock.backoff.waitReason()) clock.now += 100;
    return clock.now - began;
  });
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

test("a start lets all others start again", () => {
  const { backoff } = new Clock();
  backoff.failed("no");
  backoff.claim(1);
  backoff.started();
  expect(backoff.waitReason()).toBeUndefined();
});

test("an end may have made room: the next start is tried at once, and patience begins anew", () => {
  const clock = new Clock();
  clock.backoff.failed("no");
  clock.now += 59_000;
  clock.backoff.failed("no");
  clock.backoff.ended();
  expect(clock.backoff.waitReason()).toBeUndefined();
  clock.now += 59_000;
  expect(clock.backoff.failed("no")).toBe("wait");
});

test("it is given up when patience has run out, and waited for anew when somebody asks again", () => {
  const clock = new Clock();
  clock.backoff.failed("no");
  clock.now += 60_000;
  expect(clock.backoff.failed("no")).toBe("give-up");
  expect(clock.backoff.waitReason()).toBeUndefined();
  for (let waited = 0; waited < 60_000; waited += 1_000) {
    expect(clock.backoff.lacked()).toBe("wait");
    clock.now += 1_000;
  }
  expect(clock.backoff.lacked()).toBe("give-up");
});

test("what was given up is waited for anew from its first failure on, and another task tries at once", () => {
  const clock = new Clock();
  const { backoff } = clock;
  for (let count = 0; count < 3; count++) backoff.failed("no");
  expect(backoff.isLasting).toBe(true);
  clock.now += 60_000;
  expect(backoff.failed("no")).toBe("give-up");
  expect([backoff.isLasting, backoff.waitReason()]).toEqual([false, undefined]);
  expect(backoff.failed("no")).toBe("wait");
  clock.now += 59_999;
  expect(backoff.failed("no")).toBe("wait");
});

test("a lack that came and went long ago shortens no patience with one of today", () => {
  const clock = new Clock();
  expect(clock.backoff.lacked()).toBe("wait");
  // There is room again, and the tasks wait for something else meanwhile: nobody starts, and nobody lacks anything.
  clock.now += 3_600_000;
  for (let waited = 0; waited < 60_000; waited += 250) {
    expect(clock.backoff.lacked()).toBe("wait");
    clock.now += 250;
  }
  expect(clock.backoff.lacked()).toBe("give-up");
});

test("what lacks once between failed starts prolongs no patience with them", () => {
  const clock = new Clock();
  for (let waited = 0; waited < 60_000; waited += 1_000) {
    expect(clock.backoff.failed("no")).toBe("wait");
    expect(clock.backoff.lacked()).toBe("wait");
    expect(clock.backoff.waitReason()).toBeUndefined();
    clock.now += 1_000;
  }
  expect(clock.backoff.failed("no")).toBe("give-up");
});

test("only what is a task's own fails the task", async () => {
  await using home = new Home();
  const plan = {
    command: ["/bin/true"],
    workingDirectory: home.work,
    environment: {},
    marker: "m",
    transcript: join(home.state, "t.ndjson"),
    stderr: join(home.state, "t.stderr.txt"),
  };
  const failure = { message: "said the system", atOutput: false };
  for (const code of [
    "EMFILE",
    "ENFILE",
    "EAGAIN",
    "ENOMEM",
    "ENOSPC",
    "EDQUOT",
    "ETXTBSY",
    "ENOENT",
    "EACCES",
  ])
    expect({ code, kind: startVerdict({ ...failure, code }, plan).kind }).toEqual({ code, kind: "passing" });
  for (const code of ["EROFS", "EACCES", "ENOENT"])
    expect(startVerdict({ ...failure, code, atOutput: true }, plan).kind).toBe("passing");
  expect(startVerdict({ ...failure, code: "E2BIG" }, plan)).toEqual({
    kind: "task",
    message: failure.message,
  });
  expect(startVerdict(failure, plan)).toEqual({ kind: "task", message: failure.message });
  const gone = startVerdict({ ...failure, code: "ENOENT" }, { ...plan, workingDirectory: "/nowhere" });
  expect(gone).toEqual({ kind: "task", message: "The working directory /nowhere no longer exists." });
  const away = startVerdict({ ...failure, code: "ENOENT" }, { ...plan, command: ["/nowhere/claude"] });
  expect(away).toMatchObject({ kind: "passing", because: expect.stringContaining("Waits for claude") });
});
