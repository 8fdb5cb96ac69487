// What the terminal view shows, for every size of a terminal.
import { describe, expect, test } from "bun:test";
import { fit } from "../src/doors/cli/terminal/fit.ts";
import { frameLines, type Snapshot } from "../src/doors/cli/view/live-frame.ts";
import { newBatchId } from "../src/model/batch-id.ts";
import type { Event } from "../src/model/event.ts";
import { apply, type BatchState, stateFrom } from "../src/model/state.ts";

const now = Date.parse("2026-03-01T12:00:00");
const hostile = "漢字👩‍👩‍👧‍👦é\x1b[31mred\x1b[0m\x07\x00\u202Eevil\tand\nmore ".repeat(5);

function stateWith(total: number, running: number): BatchState {
  const state = stateFrom({
    type: "batch-created",
    at: now - 100_000,
    epoch: 0,
    account: { hash: "", environment: {} },
    batch: {
      batchId: newBatchId(),
      startedBy: "run",
      asyncMode: true,
      tasks: Array.from({ length: total }, (_, index) => ({ prompt: `Task ${index + 1} ${hostile}` })),
      sessionOptions: {},
      concurrency: running,
      failureMode: "continue",
      outputDirectory: "/output",
      claudePath: "/claude",
      workingDirectory: "/",
    },
  });
  for (let number = 1; number <= running; number++) {
    const identity = { boot: "", namespace: "", pid: 1, startTicks: "" };
    const event: Event = {
      type: "attempt-started",
      at: now - 65_000,
      epoch: 1,
      task: number,
      attempt: 1,
      identity,
      sessionId: "",
      transcript: "",
    };
    apply(state, event);
  }
  return state;
}

function drawn(snapshot: Omit<Snapshot, "now" | "activities">, columns: number, rows: number): string[] {
  const activities = new Map(snapshot.state.tasks.map(({ number }) => [number, `Bash ${hostile}`]));
  return frameLines({ activities, now, ...snapshot }, { columns, rows, paint: (_, text) => text });
}

test("no line is as wide as the terminal, and a row is always left, whatever its size", () => {
  const state = stateWith(1_200, 50);
  const held = { because: hostile, until: now + 90_000 };
  for (let columns = 1; columns <= 220; columns++) {
    for (const rows of [1, 2, 3, 5, 8, 24, 60, 200]) {
      const lines = drawn({ state, held }, columns, rows);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThan(Math.max(2, rows));
      for (const line of lines) {
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1));
        expect(line).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
      }
    }
  }
});

test("every running session has its line where there is room, else the rest is counted", () => {
  const state = stateWith(100, 50);
  expect(drawn({ state }, 100, 60).filter((line) => line.includes("Bash"))).toHaveLength(50);
  const lines = drawn({ state }, 100, 24);
  const shown = lines.filter((line) => line.includes("Bash")).length;
  expect(lines).toContain(`  … and ${50 - shown} more running`);
});

test("a hold is told with its end; without one, nobody knows the time left", () => {
  const state = stateWith(10, 2);
  apply(state, {
    type: "attempt-ended",
    at: now,
    epoch: 1,
    task: 1,
    attempt: 1,
    outcome: { kind: "succeeded", length: 1, offset: 0 },
  });
  expect(drawn({ state }, 100, 24).join("\n")).toContain("left");
  const lines = drawn({ state, held: { because: "usage limit", until: now + 725_000 } }, 100, 24);
  expect(lines.at(-1)).toBe("  Held until 12:12 (12 min 05 s left): usage limit");
  expect(lines.slice(0, -1).join("\n")).toContain("about 21 min left");
  const open = drawn({ state, held: { because: "no room" } }, 100, 24);
  expect(open.at(-1)).toBe("  Held: no room");
  expect(open.slice(0, -1).join("\n")).not.toContain("left");
  const tomorrow = drawn({ state, held: { because: "usage limit", until: now + 86_400_000 } }, 100, 24);
  expect(tomorrow.at(-1)).toContain("until 2026-03-02 12:00 (24 h left)");
});

describe("text is cut at columns, and never inside a character", () => {
  const cases: [string, number, string][] = [
    ["plain", 5, "plain"],
    ["plain text", 5, "plai…"],
    ["漢字かな", 8, "漢字かな"],
    ["漢字かな", 7, "漢字か…"],
    ["漢字かな", 6, "漢字…"],
    ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3, "👩‍👩‍👧‍👦…"],
    ["anything", 0, ""],
    ["anything", 1, "…"],
  ];
  for (const [text, width, expected] of cases) {
    test(`${text} at ${width}`, () => expect(fit(text, width)).toBe(expected));
  }
});
