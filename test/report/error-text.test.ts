import { describe, expect, test } from "bun:test";
import { errorText } from "../../src/report/error-text.ts";
import { fileTag } from "../../src/report/file-tag.ts";
import { errorOf, failures } from "./samples.ts";

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

  test("does not grow with a prompt of 9 MB", () => {
    expect(errorText(errorOf(crash, { prompt: "x".repeat(9_000_000) })).length).toBeLessThan(50_000);
  });
});
