import { describe, expect, test } from "bun:test";
import { type SessionOptionsInput, sessionOptions, toolRuleList } from "../../src/model/options.ts";
import {
  type BroadReason,
  broadReasons,
  cancellers,
  clocks,
  type Denial,
  type FailureReason,
  failureReasons,
  mismatches,
  type Outcome,
  obstacles,
  type Remedy,
} from "../../src/model/outcome.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { adviceFor } from "../../src/report/advice.ts";
import { adviceFactsOf } from "../../src/report/advice-facts.ts";
import type { Door } from "../../src/report/option-words.ts";
import { outcomeText } from "../../src/report/outcome-text.ts";
import { testNeeding } from "../facilities.ts";
import { batchState, started, succeeded, usage } from "./samples.ts";

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

  test("names no time above the longest, and another way where that was not enough", () => {
    const said = (clock: (typeof clocks)[number], options: SessionOptionsInput) =>
      adviceFor(
        { kind: "timed-out", clock, afterMs: 1 },
        { ...inFlags, options: sessionOptions.parse(options) },
      );
    expect(said("wall", { timeoutSeconds: 400_000 })).toContain("--timeout-seconds 604800");
    expect(said("idle", { idleTimeoutSeconds: 604_799 })).toContain("--idle-timeout-seconds 604800");
    expect(said("first-event", { firstEventTimeoutSeconds: 500_000 })).toContain(
      "--first-event-timeout-seconds 604800",
    );
    expect(said("wall", { timeoutSeconds: 604_800 })).toStartWith(
      "No session may take longer than a week: split the task. `parallel-claude-code-mcp retry bcdfghjk` reruns",
    );
    expect(said("idle", { idleTimeoutSeconds: 604_800 })).toStartWith(
      "The session may not be silent for longer than a week",
    );
    for (const clock of clocks)
      expect(
        said(clock, {
          idleTimeoutSeconds: 604_800,
          timeoutSeconds: 604_800,
          firstEventTimeoutSeconds: 604_800,
        }),
      ).not.toContain("-seconds ");
    const turns = adviceFor(
      { kind: "failed", reason: "max-turns", message: "" },
      { ...inFlags, options: sessionOptions.parse({ maxTurns: Number.MAX_SAFE_INTEGER - 1 }) },
    );
    expect(turns).toContain(`--max-turns ${Number.MAX_SAFE_INTEGER}`);
  });

  test("does not ask for less than one session at a time", () => {
    const one = { ...facts, concurrency: 1 };
    const limited = { kind: "failed", reason: "rate-limit", message: "" } as const;
    expect(adviceFor(limited, facts)).toStartWith("Lower `concurrency`, or wait a few minutes.");
    expect(adviceFor(limited, one)).toStartWith("Wait a few minutes.");
    for (const outcome of everyOutcome)
      expect(adviceFor(outcome, one) ?? "").not.toMatch(/lower `concurrency`/i);
  });

  test("gives a retry with the options that help, as a command and as a call", () => {
    const options = sessionOptions.parse({
      maxTurns: 3,
      maxBudgetUsd: 0.35,
      model: "sonnet",
      timeoutSeconds: 60,
    });
    const after = (outcome: Outcome, door: Door) =>
      adviceFor(outcome, { ...facts, door, options, tasks: [4, 17], resumable: true }) ?? "";
    const failed = (reason: FailureReason): Outcome => ({ kind: "failed", reason, message: "" });
    const expected: [Outcome, string, object][] = [
      [failed("max-turns"), "--max-turns 6", { maxTurns: 6 }],
      [failed("budget"), "--max-budget-usd 0.7", { maxBudgetUsd: 0.7 }],
      [failed("model"), "--model opus", { model: "opus" }],
      [{ kind: "timed-out", clock: "wall", afterMs: 1 }, "--timeout-seconds 120", { timeoutSeconds: 120 }],
      [
        { kind: "timed-out", clock: "idle", afterMs: 1 },
        "--idle-timeout-seconds 2400",
        { idleTimeoutSeconds: 2400 },
      ],
    ];
    for (const [outcome, flags, given] of expected) {
      expect(after(outcome, "command-line")).toStartWith(
        `\`parallel-claude-code-mcp retry bcdfghjk 4,17 ${flags}\` reruns the tasks and continues the conversation.`,
      );
      const call = JSON.stringify({ batchId: "bcdfghjk", tasks: [4, 17], with: given });
      expect(after(outcome, "tools")).toStartWith(`Calling retry_batch with \`${call}\` reruns the tasks`);
    }
    expect(after(failed("connection"), "command-line")).toEndWith(
      "`parallel-claude-code-mcp retry bcdfghjk 4,17` reruns the tasks and continues the conversation.",
    );
    expect(after(failed("refusal"), "tools")).toEndWith(
      "A retry would end the same way: start the changed task in a new batch.",
    );
  });

  test("asks a model to have the user run a command that it cannot run itself", () => {
    for (const outcome of everyOutcome) {
      const advice = adviceFor(outcome, facts) ?? "";
      for (const [whole, before = ""] of advice.matchAll(
        /(.{0,24})`(?:claude|parallel-claude-code-mcp)[^`]*`.{0,16}/g,
      ))
        if (!/^`claude` (?:starts|\.)/.test(whole))
          expect(`${before}${whole}`).toMatch(/in a terminal|check `claude`|that `claude`/);
      expect(advice).not.toMatch(/parallel-claude-code-mcp retry/);
    }
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
    expect(advice("first-event")).toContain('"firstEventTimeoutSeconds":240');
    expect(advice("idle")).toContain('"idleTimeoutSeconds":2400');
    expect(advice("wall")).toContain('"timeoutSeconds":7200');
  });

  test.each(cancellers.map((by) => [by]))(
    "gives a new budget to what %s cancelled, if that is a budget",
    (by) => {
      const cancelled: Outcome = { kind: "cancelled", by };
      const retryOf = (enoughUsd?: number) =>
        /retry_batch with `(.*?)`/.exec(adviceFor(cancelled, { ...facts, enoughUsd }) ?? "")?.[1];
      const again = { batchId: "bcdfghjk", ...(by === "budget" ? { with: { batchBudgetUsd: 12 } } : {}) };
      expect(JSON.parse(retryOf(12) ?? "")).toEqual(again);
      expect(JSON.parse(retryOf() ?? "")).toEqual({ batchId: "bcdfghjk" });
    },
  );

  test("says of a cancelled task that it had not started, if it had no session", () => {
    const text = "The task had not started.";
    for (const by of cancellers) {
      expect(adviceFor({ kind: "cancelled", by }, facts)).not.toContain(text);
      const { sessionId: _, ...unstarted } = facts;
      expect(adviceFor({ kind: "cancelled", by }, unstarted)).toContain(text);
    }
  });

  test.each([
    [{ signal: "SIGKILL" }, true],
    [{ exitCode: 137 }, true],
    [{ signal: "SIGTERM" }, false],
    [{ exitCode: 1 }, false],
    [{}, false],
  ])("takes a crash with %o for one that lacked memory: %p", (how, isMemory) => {
    const advice = adviceFor({ kind: "crashed", stderrTail: "", ...how }, facts) ?? "";
    expect([advice.includes("memory"), advice.includes("stderr")]).toEqual([isMemory, !isMemory]);
  });

  test("promises to continue a conversation only where that is known", () => {
    const advice = (resumable?: boolean) =>
      adviceFor({ kind: "timed-out", clock: "wall", afterMs: 1 }, { ...facts, resumable });
    expect(advice(true)).toContain("reruns the task and continues the conversation.");
    expect(advice(false)).toContain("reruns the task.");
    expect(advice()).toContain("reruns the task.");
  });

  test("asks for values that were never stored, where a retry lacks them, in the words of each door", () => {
    const outcome: Outcome = { kind: "not-started", message: "m", lost: ["KEY", "TOKEN"] };
    expect(adviceFor(outcome, facts)).toBe(
      'Nothing was spent: give the values again. Calling retry_batch with `{"batchId":"bcdfghjk","env":{"KEY":"…","TOKEN":"…"}}`.',
    );
    expect(adviceFor(outcome, inFlags)).toBe(
      "Nothing was spent: give the values again. `parallel-claude-code-mcp retry bcdfghjk --env FILE`, where FILE is a JSON file with KEY, TOKEN.",
    );
    const wrong = adviceFor({ kind: "not-started", message: "m" }, facts);
    expect(wrong).toStartWith("Correct what the message names.");
    expect(wrong).not.toContain('"env"');
  });

  test("tells how to log in", () => {
    const advice = adviceFor({ kind: "failed", reason: "auth", message: "" }, facts);
    expect(advice).toContain("`/login`");
    expect(advice).toContain("`ANTHROPIC_API_KEY`");
  });

  test("tells how a conversation that ran out of turns goes on", () => {
    const advice = adviceFor({ kind: "failed", reason: "max-turns", message: "" }, facts);
    expect(advice).toContain('"with":{"maxTurns":50}');
    expect(
      adviceFor({ kind: "failed", reason: "max-turns", message: "" }, { ...facts, resumable: true }),
    ).toContain("continues the conversation");
  });

  test("has nothing to say about a plain success", () => {
    expect(adviceFor(succeeded, facts)).toBeUndefined();
  });

  const withOptions = (
    remedy: Omit<Extract<Remedy, { kind: "options" }>, "kind">,
    tool = "Bash",
  ): Denial => ({
    tool,
    rule: "r",
    remedy: { kind: "options", ...remedy },
  });

  test("names the options that would have let denied tools through, each once, in the words of the door", () => {
    const denials: Denial[] = [
      withOptions({ permissionMode: "acceptEdits" }, "Write"),
      withOptions({ allowedTools: ["Bash(npm test:*)", "Bash(it's *)"] }),
      withOptions({ allowedTools: ["Bash(npm test:*)"] }),
      withOptions({ addDirectories: ["/a b", "/c"] }, "Read"),
    ];
    expect(adviceFor(succeeded, { ...facts, denials })).toBe(
      'Claude was not allowed to use Write, Bash and Read. To allow these calls, add `allowedTools: "Bash(npm test:*),Bash(it\'s *)"`, `addDirectories: ["/a b","/c"]` and `permissionMode: "acceptEdits"`. `addDirectories` also allows writing there; a directory outside the allowed roots is refused until the operator adds it to `allowedRoots`. Calling retry_batch with `{"batchId":"bcdfghjk","with":{"allowedTools":"Bash(npm test:*),Bash(it\'s *)","addDirectories":["/a b","/c"],"permissionMode":"acceptEdits"}}` reruns the task from the start. To continue the conversation instead, add `resumeSessionId: "abc-123"` to a new task in the same working directory.',
    );
    const options = sessionOptions.parse({
      allowedTools: ["Read", "Bash(npm test:*)"],
      addDirectories: ["/z"],
    });
    expect(adviceFor(succeeded, { ...inFlags, denials, options, tasks: [6] })).toContain(
      `\`parallel-claude-code-mcp retry bcdfghjk 6 --allowed-tools ${shellQuoted("Read,Bash(npm test:*),Bash(it's *)")} --add-directories /z --add-directories ${shellQuoted("/a b")} --add-directories /c --permission-mode acceptEdits\` reruns the task from the start.`,
    );
    expect(adviceFor(succeeded, { ...inFlags, denials })).toContain(
      `add \`--allowed-tools ${shellQuoted("Bash(npm test:*),Bash(it's *)")}\`, \`--add-directories ${shellQuoted("/a b")} --add-directories /c\` and \`--permission-mode acceptEdits\`.`,
    );
  });

  test("says what to remove from the options, and what no option changes", () => {
    const denials: Denial[] = [
      withOptions({ notDisallowed: ["Bash(rm:*)"] }),
      { tool: "Bash", rule: "r", remedy: { kind: "none", obstacle: "hook" } },
    ];
    const advice = adviceFor(succeeded, { ...facts, denials });
    expect(advice).toContain("Remove `Bash(rm:*)` from `disallowedTools`, which overrides every allow rule.");
    expect(advice).toContain("no option changes that: change the hook.");
    expect(advice).not.toContain("To allow");
  });

  test("says how wide a rule is, and what would make a narrow one enough", () => {
    const said = broadReasons.map((broad) => {
      const denials = [withOptions({ allowedTools: ["Bash"], broad })];
      const [, , ...sentences] = (adviceFor(succeeded, { ...facts, denials }) ?? "").split(". ");
      return { broad, sentences: sentences.join(". ") };
    });
    const ofPrograms = ["runs-code", "any-path", "exact"];
    for (const { broad, sentences } of said) {
      if (ofPrograms.includes(broad)) expect(sentences).toStartWith("Calling retry_batch");
      else expect(sentences).toStartWith("The rule `Bash` allows every command. No narrower rule ");
    }
    expect(new Set(said.map(({ sentences }) => sentences)).size).toBe(
      broadReasons.length - ofPrograms.length + 1,
    );
    const ofRule = (broad: BroadReason) =>
      adviceFor(succeeded, { ...facts, denials: [withOptions({ allowedTools: ["Bash(x)"], broad })] });
    expect(ofRule("runs-code")).toContain("its rule allows as much as `Bash`.");
    expect(ofRule("any-path")).toContain("can write anywhere");
    expect(ofRule("exact")).toContain("allows only that exact command");
  });

  test("has a sentence for each obstacle, and for each rule that did not match", () => {
    for (const obstacle of obstacles) {
      const denials: Denial[] = [{ tool: "Bash", rule: "r", remedy: { kind: "none", obstacle } }];
      const advice = adviceFor(succeeded, { ...facts, denials }) ?? "";
      expect(advice).toMatch(/^Claude was not allowed to use Bash\. [A-Z].+\. Calling retry_batch/);
      expect(advice).not.toContain("undefined");
    }
    for (const why of mismatches) {
      const unmatched = { rule: "given", why };
      const advice = adviceFor(succeeded, { ...facts, denials: [{ tool: "Bash", rule: "r", unmatched }] });
      expect(advice).toMatch(/The rule `given` in `allowedTools` did not match: [a-z`].+\./);
    }
  });

  test("prints no rule that would be read as another, and says so", () => {
    const hostile = [
      "Edit(//x/a),Bash,Read(/**)",
      "Bash(a (b):*)",
      "Bash(a\nb:*)",
      "Bash(a\u00a0b:*)",
      "Bash(a\u202eb:*)",
      "Bash(a\u001b[31mb:*)",
      "Bash(a`b:*)",
      "Bash,Read",
      "Bash Read",
      `Bash(${"x".repeat(400)}:*)`,
    ];
    for (const rule of hostile) {
      for (const denied of [withOptions({ allowedTools: [rule, "Read(//y)"] }), { tool: "T", rule }]) {
        const advice = adviceFor(succeeded, { ...facts, denials: [denied] }) ?? "";
        const printed = /`allowedTools: ("[^`]*")`/.exec(advice)?.[1];
        expect(printed).toBe(denied.tool === "T" ? undefined : '"Read(//y)"');
        expect(advice).toContain("1 more rule is needed: not every rule or path can be printed");
      }
    }
  });

  test("prints whole rules up to a length, and says how to learn the others", () => {
    const allowedTools = Array.from({ length: 60 }, (_, index) => `Bash(program-${index} build:*)`);
    const advice = adviceFor(succeeded, { ...facts, denials: [withOptions({ allowedTools })] }) ?? "";
    const printed = toolRuleList(JSON.parse(/`allowedTools: (".*?")`/.exec(advice)?.[1] ?? '""'));
    expect(printed.length).toBeGreaterThan(20);
    expect(allowedTools.slice(0, printed.length)).toEqual(printed);
    expect(advice).toContain(
      `${60 - printed.length} more rules are needed: add these first, and the next run names the others.`,
    );
    expect(advice.length).toBeLessThan(2_000);
  });

  test("prints rules of 700 characters in all, with what is between them", () => {
    const rule = (length: number, letter: string) => `Bash(${letter.repeat(length - 6)})`;
    const printedOf = (...allowedTools: string[]) =>
      toolRuleList(
        JSON.parse(
          /`allowedTools: (".*?")`/.exec(
            adviceFor(succeeded, { ...facts, denials: [withOptions({ allowedTools })] }) ?? "",
          )?.[1] ?? '""',
        ),
      );
    const [a, b] = [rule(300, "a"), rule(300, "b")];
    expect(printedOf(a, b, rule(97, "c"))).toHaveLength(3);
    expect(printedOf(a, b, rule(98, "c"))).toHaveLength(2);
  });

  test("adds to what the task has, unless all of that is too long to print", () => {
    const adviceWith = (allowedTools: string) =>
      adviceFor(succeeded, {
        ...facts,
        denials: [withOptions({ allowedTools: ["Bash(b)"] })],
        options: sessionOptions.parse({ allowedTools }),
      }) ?? "";
    const whole = "A retry takes whole lists: give it these and all that the task had.";
    expect(adviceWith("Read")).toContain('"with":{"allowedTools":"Read,Bash(b)"}');
    expect(adviceWith("Read")).not.toContain(whole);
    const long = Array.from({ length: 99 }, (_, index) => `Bash(a${index}x:*)`).join(",");
    expect(adviceWith(long)).toContain(`add \`allowedTools: "Bash(b)"\`. ${whole}`);
    expect(adviceWith(long)).not.toContain('"with"');
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
    expect(advice.length).toBeLessThan(2_000);
    expect(advice).not.toMatch(/[\n\u001b]/);
  });
});

testNeeding("a system other than Windows")("a quoted value is one word of a shell, as it was", () => {
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
    expect(text).toBe("Reached its turn limit. Claude said: Reached maximum (3)");
  });

  test("shows the last line of stderr of a crash, without its colours", () => {
    const text = outcomeText({ kind: "crashed", exitCode: 2, stderrTail: "one\n\u001b[31mtwo\u001b[0m\n\n" });
    expect(text).toBe("Crashed with exit code 2: two");
  });
});

describe("what advice is told of a task", () => {
  const factsAfter = (outcome: Outcome, resumable: boolean, budgetUsd?: number) => {
    const state = batchState(
      ["a", "b"],
      [
        started(1),
        { type: "attempt-ended", task: 1, attempt: 1, outcome, usage: usage({ costUsd: 2 }), resumable },
      ],
    );
    const [task] = state.tasks;
    if (task?.status !== "done") throw new Error("It has not ended");
    return adviceFactsOf(budgetUsd === undefined ? state : { ...state, budgetUsd }, task, "tools");
  };
  const crashed: Outcome = { kind: "crashed", stderrTail: "" };
  const known = { batchId: "bcdfghjk", denials: [], door: "tools" as const, tasks: [1], sessionId: "s-1" };

  test.each([
    [succeeded, true, false],
    [crashed, true, true],
    [crashed, false, false],
  ])("of %o, resumable: %p, is that a retry continues it: %p", (outcome, resumable, continues) => {
    expect(factsAfter(outcome, resumable)).toEqual({
      ...known,
      options: sessionOptions.parse({}),
      concurrency: 8,
      resumable: continues,
    });
  });

  test("has a budget that is enough only of a batch that had one", () => {
    // $2 for the first, as much for the other and a fifth in reserve; and half as much again as the budget.
    expect(factsAfter(crashed, false, 1)).toMatchObject({ enoughUsd: 4.4 });
    expect(factsAfter(crashed, false, 8)).toMatchObject({ enoughUsd: 12 });
    expect(factsAfter(crashed, false)).not.toHaveProperty("enoughUsd");
  });
});
