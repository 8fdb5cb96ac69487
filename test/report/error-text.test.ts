import { describe, expect, test } from "bun:test";
import { timeText } from "../../src/report/amounts.ts";
import { errorText } from "../../src/report/error-text.ts";
import { fileTag } from "../../src/report/file-tag.ts";
import { began, errorOf, failures } from "./samples.ts";

const crash = { kind: "crashed", exitCode: 1, stderrTail: "" } as const;

describe("errorText", () => {
  test.each(failures.map((outcome) => [outcome.kind, outcome] as const))(
    "tells of a task that ended as %s what was asked, what happened and what to try",
    (_, outcome) => {
      const text = errorText(errorOf(outcome));
      expect(text.split("\n")[0]).toBe(fileTag("bcdfghjk", 3));
      for (const heading of ["What was asked", "What happened", "What to try", "Facts"])
        expect(text).toContain(heading);
      expect(text).toContain("Review src/model/state.ts");
      expect(text).toContain("at least $0.0123");
      expect(text).toContain("/state/3-1.jsonl");
    },
  );

  test("shows what Claude wrote last", () => {
    expect(errorText(errorOf(crash, { lastText: "I began\nto read" }))).toContain("  I began\n  to read\n");
  });

  test("shows only the last lines of stderr", () => {
    const stderrTail = Array.from({ length: 1_000 }, (_, line) => `line ${line}.`).join("\n");
    const text = errorText(errorOf({ ...crash, stderrTail }));
    expect(text).toContain("line 999.");
    expect(text).not.toContain("line 900.");
  });

  test("holds no terminal escape and no control character, wherever it came from", () => {
    const bad =
      "\u001b]0;title\u0007\u001b[2J\u001b[31mred\u001b[0m\u0000\u0008\u009b31m\u202e\rover\u001b]8;;open";
    const text = errorText(
      errorOf(
        { kind: "failed", reason: "execution", message: bad },
        {
          prompt: bad,
          lastText: bad,
          stderrTail: bad,
          model: bad,
          sessionId: bad,
          workingDirectory: bad,
          batchName: bad,
        },
      ),
    );
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    expect(text).toContain("red");
    expect(text).toContain("over");
  });

  test("gives a long message whole, below its beginning", () => {
    const message = `first line\n${"x".repeat(2_000)} the end`;
    expect(errorText(errorOf({ kind: "failed", reason: "execution", message }))).toContain("the end");
  });

  const said = "  Failed during execution. Claude said: ";

  test.each([
    ["a short line: once", "short", `${said}short`],
    ["500 characters: once", "x".repeat(500), `${said}${"x".repeat(500)}`],
    [
      "more: its beginning, and then all",
      "x".repeat(501),
      `${said}${"x".repeat(500)}…\n\n  ${"x".repeat(501)}`,
    ],
    ["two lines: as one, and then as they are", "one\ntwo", `${said}one two\n\n  one\n  two`],
    ["a line with an end: once", "one\n", `${said}one`],
  ])("has a message of %s", (_, message, happened) => {
    const text = errorText(errorOf({ kind: "failed", reason: "execution", message }));
    expect(text).toContain(`What happened\n-------------\n${happened}\n\nWhat to try\n`);
  });

  test("has all facts that are known, line by line, and none that is not", () => {
    const factsOf = (more: Parameters<typeof errorOf>[1]) => {
      const text = errorText(errorOf(crash, more));
      const lines = text.slice(text.indexOf("Facts\n-----\n")).trim().split("\n").slice(2);
      return lines.map((line) => line.trim());
    };
    const lasting = [
      `Ended: ${timeText(began + 74_000)}`,
      "Duration: 1 min 14 s",
      "Cost: at least $0.0123",
      "Turns: 3",
      "Model: claude-opus-4-5",
      "Session: 0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11",
      "Working directory: /home/me/my project",
      "Transcript: /state/3-1.jsonl",
      "Continue in a terminal: cd '/home/me/my project' && claude --resume 0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11",
      "See the batch: parallel-claude-code-mcp show bcdfghjk",
    ];
    expect(factsOf({})).toEqual(lasting);
    expect(factsOf({ attempts: 2, leaked: 1, variables: ["KEY"] })).toEqual([
      ...lasting.slice(0, 5),
      "Attempts: 2, of which this is the last",
      "Left behind: 1 process, ended with it",
      lasting[5] ?? "",
      lasting[6] ?? "",
      "Variables from env: KEY",
      ...lasting.slice(7),
    ]);
    const unknown = {
      usage: undefined,
      model: undefined,
      startedAt: undefined,
      sessionId: undefined,
      transcript: undefined,
    };
    expect(factsOf(unknown)).toEqual([lasting[0], lasting[6], lasting[9]].map(String));
  });

  test("has the parts that it knows, in this order, and what they hold indented", () => {
    const headingsOf = (text: string) => [...text.matchAll(/^(.+)\n-+$/gm)].map(([, heading]) => heading);
    const whole = errorText(
      errorOf(
        { kind: "failed", reason: "execution", message: "" },
        {
          remarks: ["odd"],
          others: [{ heading: "Earlier:", text: "first" }],
          lastText: "last",
          stderrTail: "one\n-----\ntwo",
        },
      ),
    );
    expect(headingsOf(whole)).toEqual([
      "What happened",
      "What to try",
      "Remarks",
      "What was asked",
      "Earlier",
      "What Claude wrote last",
      "The last lines of stderr",
      "Facts",
    ]);
    expect(whole).toContain("  one\n  -----\n  two\n");
    expect(headingsOf(errorText(errorOf(crash)))).toEqual([
      "What happened",
      "What to try",
      "What was asked",
      "Facts",
    ]);
  });

  test("does not repeat what Claude wrote last where an answer ends with it", () => {
    const others = [{ heading: "Earlier:", text: "I began, and the end" }];
    expect(errorText(errorOf(crash, { others, lastText: "the end" }))).not.toContain("wrote last");
    expect(errorText(errorOf(crash, { others, lastText: "another" }))).toContain("wrote last");
  });

  test("does not grow with a prompt of 9 MB", () => {
    expect(errorText(errorOf(crash, { prompt: "x".repeat(9_000_000) })).length).toBeLessThan(50_000);
  });
});
