import { describe, expect, test } from "bun:test";
import {
  broadReasons,
  cancellers,
  clocks,
  type Denial,
  failureReasons,
  mismatches,
  type Outcome,
  obstacles,
} from "../../src/model/outcome.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { adviceFor, outcomeText } from "../../src/report/advice.ts";
import { succeeded } from "./samples.ts";

const facts = { denials: [] as Denial[], batchId: "bcdfghjk", sessionId: "abc-123" };
const inFlags = { ...facts, door: "command-line" as const };

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
      expect(advice.match(/\.(?= |$)/g)?.length).toBeLessThanOrEqual(4);
      expect(advice).not.toContain("!");
      expect(advice).not.toMatch(/\b(?:mend|bear|tell|told|whoever|came of it|is to be|carry)\b/i);
    },
  );

  test.each(everyOutcome.map((outcome) => [outcomeText(outcome), outcome] as const))(
    "names options as flags to somebody at a command line after: %s",
    (_, outcome) => {
      const advice = adviceFor(outcome, inFlags) ?? "";
      expect(advice).not.toMatch(/`[a-z]+[A-Z]\w*|`[a-z]+_|: "/);
      expect(adviceFor(outcome, facts)).not.toContain("`--");
    },
  );

  test("says that a retry keeps the options where only other options help", () => {
    const after = (reason: (typeof failureReasons)[number]) =>
      adviceFor({ kind: "failed", reason, message: "" }, facts);
    expect(after("max-turns")).toEndWith(
      "`retry_batch` repeats the failed tasks with the same options; to change options, start them in a new batch.",
    );
    expect(after("connection")).toEndWith("`retry_batch` repeats the failed tasks.");
  });

  test("names what is too long: the task, the conversation, or one request", () => {
    const after = (reason: "prompt-too-long" | "request", message: string) =>
      adviceFor({ kind: "failed", reason, message }, inFlags) ?? "";
    // The words of 2.1.197 and 2.1.332.
    const task = "Prompt is too long · this conversation is a single exchange and cannot be compacted";
    expect(after("prompt-too-long", task)).toContain("shorten `--append-system-prompt`");
    expect(after("prompt-too-long", "Prompt is too long")).toContain("without `--resume-session-id`");
    expect(after("prompt-too-long", "Prompt is too long")).not.toContain("can continue");
    expect(after("request", "Request too large (max 32MB).")).toContain("smaller images");
  });

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

  test("names the options that would have let denied tools through, each once, in the words of the door", () => {
    const denials: Denial[] = [
      { tool: "Write", rule: "r", remedy: { kind: "options", permissionMode: "acceptEdits" } },
      {
        tool: "Bash",
        rule: "r",
        remedy: { kind: "options", allowedTools: ["Bash(npm test:*)", "Bash(it's *)"] },
      },
      { tool: "Bash", rule: "r", remedy: { kind: "options", allowedTools: ["Bash(npm test:*)"] } },
      { tool: "Read", rule: "r", remedy: { kind: "options", addDirectories: ["/a b", "/c"] } },
    ];
    expect(adviceFor(succeeded, { ...facts, denials })).toBe(
      'Claude was not allowed to use Write, Bash and Read. To allow it, add `allowedTools: "Bash(npm test:*),Bash(it\'s *)"`, `addDirectories: ["/a b","/c"]` and `permissionMode: "acceptEdits"`. Then start the task again; a retry skips tasks that succeeded. The conversation can continue with `resumeSessionId: "abc-123"`, in the same working directory.',
    );
    expect(adviceFor(succeeded, { ...inFlags, denials })).toContain(
      "add `--allowed-tools 'Bash(npm test:*),Bash(it'\\''s *)'`, `--add-directories '/a b' --add-directories /c` and `--permission-mode acceptEdits`.",
    );
  });

  test("says what to take out of the options, and what no option changes", () => {
    const denials: Denial[] = [
      { tool: "Bash", rule: "r", remedy: { kind: "options", notDisallowed: ["Bash(rm:*)"] } },
      { tool: "Bash", rule: "r", remedy: { kind: "none", obstacle: "hook" } },
    ];
    const advice = adviceFor(succeeded, { ...facts, denials });
    expect(advice).toContain("Take `Bash(rm:*)` out of `disallowedTools`");
    expect(advice).toContain("no option changes that: change the hook.");
    expect(advice).not.toContain("To allow it");
  });

  test("has a sentence for each reason of a wide rule, each obstacle and each rule that did not match", () => {
    const denials: Denial[] = [
      ...broadReasons.map((broad) => ({
        tool: "Bash",
        rule: "r",
        remedy: { kind: "options" as const, allowedTools: ["Bash"], broad },
      })),
      ...obstacles.map((obstacle) => ({
        tool: "Bash",
        rule: "r",
        remedy: { kind: "none" as const, obstacle },
      })),
    ];
    for (const one of denials) {
      const advice = adviceFor(succeeded, { ...facts, denials: [one] }) ?? "";
      expect(advice.split(". ").length).toBeGreaterThan(2);
      expect(advice).not.toContain("undefined");
    }
    for (const why of mismatches) {
      const unmatched = { rule: "given", why };
      const advice = adviceFor(succeeded, { ...facts, denials: [{ tool: "Bash", rule: "r", unmatched }] });
      expect(advice).toMatch(/The rule `given` in `allowedTools` did not match: [a-z].+\./);
    }
  });

  test("reads denials of old logs, which have a tool and a rule", () => {
    const denials = [{ tool: "WebFetch", rule: "WebFetch" }];
    expect(adviceFor(succeeded, { ...facts, denials })).toContain('add `allowedTools: "WebFetch"`.');
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

test.skipIf(process.platform === "win32")("a quoted value is one word of a shell, as it was", () => {
  for (const value of ["a b", "it's", "$HOME `x` \\", '"', "Bash(npm test:*)", "a*b?", "~", "#", "é\t"]) {
    const said = Bun.spawnSync(["sh", "-c", `printf %s ${shellQuoted(value)}`]).stdout.toString();
    expect(said).toBe(value);
  }
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
