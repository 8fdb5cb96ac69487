import { describe, expect, test } from "bun:test";
import { cancellers, clocks, failureReasons, type Outcome } from "../../src/model/outcome.ts";
import { adviceFor, outcomeText } from "../../src/report/advice.ts";
import { succeeded } from "./samples.ts";

const facts = { prompt: "p", denials: [], batchId: "bcdfghjk", taskNumber: 1, sessionId: "abc-123" };

const everyOutcome: Outcome[] = [
  ...failureReasons.map((reason) => ({ kind: "failed" as const, reason, message: "it says why" })),
  ...clocks.map((clock) => ({ kind: "timed-out" as const, clock, afterMs: 600_000 })),
  ...cancellers.map((by) => ({ kind: "cancelled" as const, by })),
  { kind: "crashed", exitCode: 1, stderrTail: "" },
  { kind: "crashed", signal: "SIGKILL", stderrTail: "" },
  { kind: "crashed", stderrTail: "" },
  { kind: "not-started", message: "no such directory" },
];

describe("adviceFor", () => {
  test.each(everyOutcome.map((outcome) => [outcomeText(outcome), outcome] as const))(
    "says what to try after: %s",
    (_, outcome) => {
      const advice = adviceFor(outcome, facts) ?? "";
      expect(advice).toEndWith(".");
      expect(advice.match(/\.(?= |$)/g)?.length).toBeLessThanOrEqual(3);
      expect(advice).not.toContain("!");
    },
  );

  test("promises only commands that exist", () => {
    for (const outcome of everyOutcome) {
      const commands = (adviceFor(outcome, facts) ?? "").matchAll(/parallel-claude-code-mcp (\w+)/g);
      for (const [, command] of commands) {
        expect([
          "run",
          "list",
          "show",
          "wait",
          "results",
          "logs",
          "cancel",
          "retry",
          "prune",
          "doctor",
          "config",
        ]).toContain(command ?? "");
      }
    }
  });

  test("names the option that raises each clock", () => {
    const advice = (clock: (typeof clocks)[number]) =>
      adviceFor({ kind: "timed-out", clock, afterMs: 1 }, facts);
    expect(advice("first-event")).toContain("`firstEventTimeoutSeconds`");
    expect(advice("idle")).toContain("`idleTimeoutSeconds`");
    expect(advice("wall")).toContain("`timeoutSeconds`");
  });

  test("tells how to log in", () => {
    const advice = adviceFor({ kind: "failed", reason: "auth", message: "" }, facts);
    expect(advice).toContain("`/login`");
    expect(advice).toContain("`ANTHROPIC_API_KEY`");
  });

  test("tells how a conversation that ran out of turns goes on", () => {
    const advice = adviceFor({ kind: "failed", reason: "max-turns", message: "" }, facts);
    expect(advice).toContain("`maxTurns`");
    expect(advice).toContain('`resumeSessionId: "abc-123"`');
  });

  test("has nothing to say about a plain success", () => {
    expect(adviceFor(succeeded, facts)).toBeUndefined();
  });

  test("names the rules that would have let denied tools through, each once", () => {
    const denials = [
      { tool: "Write", rule: "Write" },
      { tool: "Bash", rule: "Bash(npm test:*)" },
      { tool: "Write", rule: "Write" },
    ];
    const advice = adviceFor(succeeded, { ...facts, denials });
    expect(advice).toContain('`allowedTools: "Write,Bash(npm test:*)"`');
    expect(advice).toContain('`permissionMode: "acceptEdits"`');
  });

  test("speaks of edits only when an edit was denied", () => {
    const advice = adviceFor(succeeded, { ...facts, denials: [{ tool: "WebFetch", rule: "WebFetch" }] });
    expect(advice).not.toContain("acceptEdits");
  });

  test("stays short and on one line, whatever a denied command holds", () => {
    const denials = Array.from({ length: 500 }, (_, index) => ({
      tool: `Tool${index}`,
      rule: `Bash(echo ${index} \n\u001b[31m${"x".repeat(5_000)})`,
    }));
    const advice = adviceFor(succeeded, { ...facts, denials }) ?? "";
    expect(advice.length).toBeLessThan(3_000);
    expect(advice).not.toMatch(/[\n\u001b]/);
  });
});

describe("outcomeText", () => {
  test("gives the clock and its seconds", () => {
    expect(outcomeText({ kind: "timed-out", clock: "idle", afterMs: 600_000 })).toBe(
      "Timed out after 600 s (idle clock)",
    );
  });

  test("marks the words of Claude", () => {
    const text = outcomeText({ kind: "failed", reason: "max-turns", message: "Reached\nmaximum (3)" });
    expect(text).toBe("Reached its limit of turns. Claude said: Reached maximum (3)");
  });

  test("shows the last line of stderr of a crash, without its colours", () => {
    const text = outcomeText({ kind: "crashed", exitCode: 2, stderrTail: "one\n\u001b[31mtwo\u001b[0m\n\n" });
    expect(text).toBe("Crashed with exit code 2: two");
  });
});
