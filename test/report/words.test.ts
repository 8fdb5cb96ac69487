// Amounts, outcomes and facts as people read them, and what is cut.
import { describe, expect, test } from "bun:test";
import { cancellers, failureReasons, type Outcome } from "../../src/model/outcome.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import {
  costText,
  countText,
  durationText,
  elapsedText,
  numberText,
  roughText,
  timeText,
} from "../../src/report/amounts.ts";
import type { ResultEntry } from "../../src/report/answer.ts";
import { boundedEntry, cutText } from "../../src/report/bounded-entry.ts";
import { outcomeText } from "../../src/report/outcome-text.ts";
import {
  attemptsText,
  continueCommand,
  leakedText,
  placeText,
  type TaskFacts,
  taskCostText,
  taskDurationText,
  variablesText,
} from "../../src/report/task-facts.ts";
import { headings, textPlaces } from "../../src/report/text-places.ts";
import { usageOf } from "../model/events.ts";

describe("an amount", () => {
  test.each([
    [0, "$0.00"],
    [0.0123, "$0.0123"],
    [0.09999, "$0.1000"],
    [0.1, "$0.10"],
    [1_234.5, "$1,234.50"],
  ])("of %d US dollars is %j", (cost, text) => {
    expect(costText(cost)).toBe(text);
    expect(costText(cost, true)).toBe(`at least ${text}`);
  });

  test("and a number are written as the formatter of the system writes them", () => {
    const formatter = (places?: number) =>
      new Intl.NumberFormat("en-US", {
        ...(places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places }),
      });
    const [whole, two, four] = [formatter(), formatter(2), formatter(4)];
    const numbers = [
      1.005,
      915.175,
      0.00005,
      0.000049,
      1e-9,
      999.995,
      12_345.678,
      -3.5,
      -1_000,
      2 ** 53,
      1e21,
    ];
    for (let power = -6; power < 13; power++)
      for (let step = 1; step < 40; step++) numbers.push(Number(`${step * 2.345}e${power}`));
    for (const number of [...numbers, 0, 999, 1_000, 1_234_567, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(numberText(number)).toBe(whole.format(number));
      expect(costText(number)).toBe(`$${(number > 0 && number < 0.1 ? four : two).format(number)}`);
    }
  });

  test.each([
    [-1, "0 s"],
    [0, "0 s"],
    [20, "0.02 s"],
    [95, "0.1 s"],
    [4_000, "4 s"],
    [4_200, "4.2 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [59_499, "59 s"],
    [59_500, "1 min"],
    [185_000, "3 min 05 s"],
    [3_599_499, "59 min 59 s"],
    [3_599_500, "1 h"],
    [7_500_000, "2 h 05 min"],
  ])("of %d ms is %j", (milliseconds, text) => {
    expect(durationText(milliseconds)).toBe(text);
  });

  test.each([
    [-1, "0 s"],
    [12_900, "12 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [7_199_999, "119 min"],
    [7_200_000, "2 h"],
    [172_799_999, "47 h"],
    [172_800_000, "2 d"],
    [864_000_000, "10 d"],
  ])("roughly %d ms are %j", (milliseconds, text) => {
    expect(roughText(milliseconds)).toBe(text);
  });

  test("of what is running has no tenths of a second", () => {
    expect([-1, 999, 4_999, 185_999].map(elapsedText)).toEqual(["0 s", "0 s", "4 s", "3 min 05 s"]);
  });

  test("of things is a number and a word", () => {
    expect(countText(1, "task")).toBe("1 task");
    expect(countText(0, "task")).toBe("0 tasks");
    expect(countText(1_200, "task")).toBe("1,200 tasks");
    expect(countText(2, "entry", "entries")).toBe("2 entries");
    expect(numberText(1_234.5678)).toBe("1,234.568");
    const plain = Array.from({ length: 1_002 }, (_, count) => count);
    expect(plain.map(numberText)).toEqual(plain.map((count) => count.toLocaleString("en-US")));
  });

  test("of time since 1970 is a local date with its offset", () => {
    const text = timeText(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(text).toMatch(/^2026-01-0[123] \d\d:\d\d:05 [+-]\d\d:\d\d$/);
    expect(new Date(text.replace(" ", "T").replace(" ", "")).getTime()).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(timeText(Number.NaN)).toBe("unknown");
  });

  test.each([
    ["Etc/UTC", "2026-01-02 03:04:05 +00:00"],
    ["Asia/Kolkata", "2026-01-02 08:34:05 +05:30"],
    ["America/New_York", "2026-01-01 22:04:05 -05:00"],
    ["America/St_Johns", "2026-01-01 23:34:05 -03:30"],
  ])("of time in %s is %j", (zone, text) => {
    const before = process.env["TZ"];
    process.env["TZ"] = zone;
    try {
      expect(timeText(Date.UTC(2026, 0, 2, 3, 4, 5))).toBe(text);
    } finally {
      if (before === undefined) delete process.env["TZ"];
      else process.env["TZ"] = before;
    }
  });
});

describe("an outcome in words", () => {
  test("is another one for each reason, each canceller and each clock", () => {
    const outcomes: Outcome[] = [
      { kind: "succeeded", length: 1, offset: 0 },
      ...failureReasons.map((reason) => ({ kind: "failed" as const, reason, message: "" })),
      ...cancellers.map((by) => ({ kind: "cancelled" as const, by })),
      ...(["first-event", "idle", "wall"] as const).map((clock) => ({
        kind: "timed-out" as const,
        clock,
        afterMs: 1,
      })),
      { kind: "crashed", stderrTail: "" },
      { kind: "not-started", message: "" },
    ];
    const texts = outcomes.map(outcomeText);
    expect(new Set(texts).size).toBe(outcomes.length);
    expect(texts.join("\n")).not.toContain("undefined");
  });

  test.each([
    [{ kind: "failed", reason: "server-error", message: "" }, "Stopped by an API error"],
    [
      { kind: "failed", reason: "server-error", message: "a\nb" },
      "Stopped by an API error. Claude said: a b",
    ],
    [
      { kind: "failed", reason: "agent", message: "There are: x" },
      "The requested agent does not exist. There are: x",
    ],
    [{ kind: "timed-out", clock: "wall", afterMs: 3_600_400 }, "Timed out after 3,600 s (wall clock)"],
    [{ kind: "crashed", exitCode: 3, stderrTail: "one\ntwo\n" }, "Crashed with exit code 3: two"],
    [{ kind: "crashed", signal: "SIGKILL", exitCode: 1, stderrTail: "" }, "Crashed by signal SIGKILL"],
    [{ kind: "crashed", stderrTail: "" }, "Crashed without an exit code"],
    [
      { kind: "crashed", exitCode: 0, interimOffsets: [1], stderrTail: "" },
      "Ended before its subagents had finished",
    ],
    [{ kind: "crashed", exitCode: 0, stderrTail: "" }, "Crashed with exit code 0"],
    [{ kind: "crashed", exitCode: 1, interimOffsets: [1], stderrTail: "" }, "Crashed with exit code 1"],
    [{ kind: "not-started", message: "gone" }, "Not started: gone"],
  ] as const)("%o is %j", (outcome, text) => {
    // The table is read-only, and an outcome's lists are not.
    expect(outcomeText(structuredClone(outcome) as Outcome)).toBe(text);
  });
});

describe("the facts of a task", () => {
  const facts: TaskFacts = {
    batchId: "bcdfghjk",
    taskNumber: 3,
    totalTasks: 40,
    prompt: "p",
    label: "p",
    workingDirectory: "/home/me/it's",
    endedAt: 5_000,
    advice: { batchId: "bcdfghjk", denials: [] },
  };

  test("say where it stands", () => {
    expect(placeText(facts)).toBe("Task 3 of 40 in batch bcdfghjk");
    expect(placeText({ ...facts, totalTasks: 1 })).toBe("Task 1 in batch bcdfghjk");
    expect(placeText({ ...facts, batchName: "nightly" })).toBe("Task 3 of 40 in “nightly” (bcdfghjk)");
  });

  test("say nothing of what is not known, or goes without saying", () => {
    for (const text of [
      taskCostText,
      leakedText,
      variablesText,
      attemptsText,
      taskDurationText,
      continueCommand,
    ])
      expect(text(facts)).toBeUndefined();
    expect(leakedText({ ...facts, leaked: 0 })).toBeUndefined();
    expect(attemptsText({ ...facts, attempts: 1 })).toBeUndefined();
    expect(variablesText({ ...facts, variables: [] })).toBeUndefined();
  });

  test("say what is known", () => {
    expect(taskCostText({ ...facts, usage: usageOf(1, { atLeast: true }) })).toBe("at least $1.00");
    expect(taskCostText({ ...facts, usage: usageOf(1) })).toBe("$1.00");
    expect(leakedText({ ...facts, leaked: 1 })).toStartWith("1 process, ");
    expect(leakedText({ ...facts, leaked: 2 })).toStartWith("2 processes, ");
    expect(variablesText({ ...facts, variables: ["A", "B"] })).toBe("A, B");
    expect(attemptsText({ ...facts, attempts: 2 })).toBe("2, of which this is the last");
    expect(taskDurationText({ ...facts, startedAt: 800 })).toBe("4.2 s");
  });

  test("have the command that continues it, for the shell of its directory", () => {
    expect(continueCommand({ ...facts, sessionId: "id" })).toBe(
      "cd '/home/me/it'\\''s' && claude --resume id",
    );
    const onWindows = { ...facts, sessionId: "id", workingDirectory: "C:\\my work" };
    expect(continueCommand(onWindows)).toBe('cmd /c "cd /d C:\\my work && claude --resume id"');
    const far = (host: string, path: string) =>
      continueCommand({ ...facts, sessionId: "id", host, workingDirectory: `${host}:${path}` });
    expect(far("box1", "/srv/app")).toBe("ssh -t box1 'cd /srv/app && claude --resume id'");
    expect(far("me@box2:2222", "~/my app")).toBe(
      "ssh -t -p 2222 me@box2 'cd ~/'\\''my app'\\'' && claude --resume id'",
    );
    // That working tree is gone.
    expect(far("box1", "/home/me/state/far/abcd2345/trees/one/part")).toBeUndefined();
    for (const workingDirectory of ["\\\\host\\share", "D:\\a & b"])
      expect(continueCommand({ ...onWindows, workingDirectory })).toBe(
        `pushd ${shellQuoted(workingDirectory, "win32")} && claude --resume id`,
      );
  });
});

test("the texts of an outcome are read in their order", () => {
  expect(textPlaces({ kind: "not-started", message: "" })).toEqual([]);
  expect(
    textPlaces({ kind: "succeeded", length: 1, offset: 7, earlierOffsets: [1, 2], laterOffsets: [9] }),
  ).toEqual([
    { offset: 7 },
    { offset: 1, heading: headings.earlier },
    { offset: 2, heading: headings.earlier },
    { offset: 9, heading: headings.later },
  ]);
  expect(textPlaces({ kind: "crashed", stderrTail: "", interimOffsets: [1, 2] })).toEqual([
    { offset: 2, heading: headings.interim },
    { offset: 1, heading: headings.interim },
  ]);
  expect(textPlaces({ kind: "cancelled", by: "user" })).toEqual([]);
});

describe("an entry that is too long", () => {
  const entry: ResultEntry = {
    taskIndex: 1,
    taskDescription: "x".repeat(20),
    status: "success",
    outcome: "succeeded",
  };

  test("is cut with the length of what was there", () => {
    expect(cutText("12345", 5)).toBe("12345");
    expect(cutText("x".repeat(2_000), 5)).toMatch(
      /^x{1,5}….*\[2,000 characters\]$|^x{5}.*\[2,000 characters\]$/,
    );
    expect(boundedEntry(entry, { description: 20, data: 10 })).toEqual(entry);
    expect(boundedEntry(entry, { description: 19, data: 10 }).taskDescription).toEndWith("[20 characters]");
  });

  test("has its data whole or not at all", () => {
    const withData = { ...entry, structuredResult: { a: "123" } };
    expect(boundedEntry(withData, { description: 20, data: 11 })).toEqual(withData);
    const without = boundedEntry(withData, { description: 20, data: 10 });
    expect(without).toMatchObject({ structuredLength: 11 });
    expect(without).not.toHaveProperty("structuredResult");
    expect(boundedEntry({ ...entry, structuredResult: null }, { description: 20, data: 4 })).toMatchObject({
      structuredResult: null,
    });
  });

  test("has ten of each list, and counts the others", () => {
    const many = Array.from({ length: 12 }, (_, index) => `rule ${index}`);
    const bounded = boundedEntry(
      {
        ...entry,
        permissionDenials: many,
        remarks: many.slice(0, 10),
        env: ["y".repeat(401)],
        advice: "z".repeat(2_001),
      },
      { description: 20, data: 10 },
    );
    expect(bounded.permissionDenials).toEqual([...many.slice(0, 10), "… and 2 more"]);
    expect(bounded.remarks).toEqual(many.slice(0, 10));
    expect(bounded.env?.[0]).toEndWith("[401 characters]");
    expect(bounded.advice).toEndWith("[2,001 characters]");
  });
});
