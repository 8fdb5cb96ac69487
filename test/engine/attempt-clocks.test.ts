// The clocks of an attempt, on a clock of the test's own.
import { expect, test } from "bun:test";
import { newReading, type Reading } from "../../src/claude/reading.ts";
import { AttemptClocks } from "../../src/engine/attempt/attempt-clocks.ts";

const limits = {
  firstEventTimeoutSeconds: 10,
  idleTimeoutSeconds: 100,
  timeoutSeconds: 1_000,
  backgroundWaitSeconds: 30,
};

/** Clocks, the transcript that they see, and a clock that is moved by hand, in seconds. */
function clocksAt() {
  let seconds = 5_000;
  const reading = newReading();
  const clocks = new AttemptClocks(limits, Date.now(), () => seconds * 1000);
  return {
    reading,
    wait: (more: number) => {
      seconds += more;
    },
    progressed: (change: (reading: Reading) => void, isHistory = false) => {
      reading.messages++;
      change(reading);
      clocks.progressed(reading, isHistory);
    },
    overdue: (closedSecondsAgo?: number) => {
      const closedAt = closedSecondsAgo === undefined ? undefined : (seconds - closedSecondsAgo) * 1000;
      const ending = clocks.overdue(reading, closedAt);
      return ending?.kind === "timed-out" ? ending.clock : ending?.kind;
    },
    isDone: () => clocks.isDone(reading),
  };
}

const answer = { result: { ...{ type: "result" as const }, subtype: "success", is_error: false } } as never;

function answers(reading: Reading): void {
  if (reading.answer) reading.earlier.push(reading.answer);
  reading.answer = answer;
  reading.turnIsOpen = false;
}

function opens(kind: "agent" | "command") {
  return (reading: Reading) => void reading.background.open.set("t", { id: "t", kind, description: "work" });
}

test("a session is ended by its first event's clock, by silence, and by the wall clock", () => {
  const silent = clocksAt();
  silent.wait(9);
  expect(silent.overdue()).toBeUndefined();
  silent.wait(2);
  expect(silent.overdue()).toBe("first-event");

  const idle = clocksAt();
  idle.progressed(() => undefined);
  idle.wait(100);
  expect(idle.overdue()).toBeUndefined();
  idle.wait(1);
  expect(idle.overdue()).toBe("idle");

  const busy = clocksAt();
  for (let seconds = 0; seconds < 1_000; seconds += 50) {
    expect(busy.overdue()).toBeUndefined();
    busy.wait(50);
    busy.progressed(() => undefined);
  }
  busy.wait(1);
  expect(busy.overdue()).toBe("wall");
});

test("what the CLI waits for the API is not the session's time, and no longer than it really waits", () => {
  const at = clocksAt();
  at.progressed((reading) => {
    reading.apiWaitMs = 90_000;
  });
  at.wait(189);
  expect(at.overdue()).toBeUndefined();
  at.wait(2);
  expect(at.overdue()).toBe("idle");

  // It says that it waits long, and goes on at once, again and again.
  const early = clocksAt();
  for (let count = 0; count < 20; count++) {
    early.progressed((reading) => {
      reading.apiWaitMs = 90_000;
    });
    early.wait(50);
    early.progressed((reading) => {
      reading.apiWaitMs = 0;
    });
    early.wait(50);
  }
  expect(early.overdue()).toBeUndefined();
  early.wait(1);
  expect(early.overdue()).toBe("wall");
});

test("a subagent keeps the session alive while its messages arrive, and until the wall clock", () => {
  const at = clocksAt();
  at.progressed(opens("agent"));
  at.progressed(answers);
  at.wait(99);
  expect([at.isDone(), at.overdue()]).toEqual([false, undefined]);
  at.progressed(() => undefined);
  at.wait(101);
  expect([at.isDone(), at.overdue()]).toEqual([false, "idle"]);
  for (let seconds = 200; seconds <= 1_000; seconds += 50) {
    at.progressed(() => undefined);
    at.wait(50);
  }
  expect([at.isDone(), at.overdue()]).toEqual([false, "wall"]);
});

test("a command is waited for as long as asked after the last answer, and is no idleness", () => {
  const at = clocksAt();
  at.progressed(opens("command"));
  at.progressed(answers);
  at.wait(29);
  expect([at.isDone(), at.overdue()]).toEqual([false, undefined]);
  at.progressed(answers);
  at.wait(29);
  expect([at.isDone(), at.overdue()]).toEqual([false, undefined]);
  at.wait(1);
  expect([at.isDone(), at.overdue()]).toEqual([true, undefined]);
});

test("a session may stay 30 s after its stdin was closed, and a turn that it begins then has its own time", () => {
  const at = clocksAt();
  at.progressed(answers);
  expect(at.isDone()).toBe(true);
  at.wait(31);
  expect(at.overdue(30)).toBeUndefined();
  expect(at.overdue(31)).toBe("lingered");
  at.progressed((reading) => {
    reading.turnIsOpen = true;
  });
  at.wait(60);
  expect(at.overdue(91)).toBeUndefined();
  at.progressed(answers);
  at.wait(30);
  expect(at.overdue(121)).toBeUndefined();
  at.wait(1);
  expect(at.overdue(122)).toBe("lingered");
});

test("an attempt has run since its start, which may lie before this runner's", () => {
  let seconds = 5_000;
  const clocks = new AttemptClocks(limits, Date.now() - 60_000, () => seconds * 1000);
  const before = clocks.ranMs;
  expect(before).toBeGreaterThanOrEqual(60_000);
  expect(before).toBeLessThan(120_000);
  seconds += 7;
  expect(clocks.ranMs).toBe(before + 7_000);
});

test("an end by a clock says after how long, in milliseconds", () => {
  const clocks = new AttemptClocks(limits, Date.now() - 3_600_000, () => 5_000_000);
  expect(clocks.overdue(newReading(), undefined)).toEqual({
    kind: "timed-out",
    clock: "first-event",
    afterMs: 10_000,
  });
});
