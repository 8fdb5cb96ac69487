// What commands say of the tasks of a batch: gathered by cause, a line as each ends, and in columns.
import { describe, expect, test } from "bun:test";
import { costCell, table } from "../../src/doors/cli/terminal/table.ts";
import { rowsOf } from "../../src/doors/cli/view/cause-lines.ts";
import { partText } from "../../src/doors/cli/view/conversation-text.ts";
import { endingText } from "../../src/doors/cli/view/ending.ts";
import { progressLines } from "../../src/doors/cli/view/progress-lines.ts";
import type { Event } from "../../src/model/event.ts";
import { failureReasons } from "../../src/model/outcome.ts";
import { apply, type BatchState, type DoneTask } from "../../src/model/state.ts";
import { readableTextIn, textIn } from "../../src/operations/inputs/decode.ts";
import { happenedText, isAlike, tasksText } from "../../src/report/cause-text.ts";
import { causesOf, isProblem } from "../../src/report/causes.ts";
import { after, crashed, created, ended, event, started, succeeded, usageOf } from "../model/events.ts";
import { nativePath } from "../native-path.ts";

const failed = { kind: "failed", reason: "max-turns", message: "" } as const;
const denials = [{ tool: "Write", rule: "Write" }];

function run(
  task: number,
  ...end: Parameters<typeof ended> extends [number, number, number, ...infer Rest] ? Rest : never
): Event[] {
  return [started(1_000, task, 1), ended(5_000, task, 1, ...end)];
}

const doneIn = (state: BatchState): DoneTask[] => state.tasks.filter((task) => task.status === "done");

/** Two that failed alike, one that failed otherwise, one that was denied a tool, one that is good, one that was cancelled. */
function mixed(): BatchState {
  return after(
    created(7),
    ...run(1, crashed),
    ...run(2, failed),
    ...run(3, succeeded, { usage: usageOf(0.25, { denials }) }),
    ...run(4, succeeded, { usage: usageOf(0.5) }),
    ...run(6, failed),
    event(6_000, { type: "cancel-requested", by: "user", tasks: [5] }),
  );
}

describe("what went wrong", () => {
  test("is gathered by cause, the most frequent first, without what was cancelled", () => {
    const causes = causesOf(mixed());
    expect(causes.map(({ tasks }) => tasks.map(({ number }) => number))).toEqual([[2, 6], [1], [3]]);
    expect(causes.map(isAlike)).toEqual([true, true, true]);
    expect(causes.map(({ tasks: [first] }) => happenedText(first))).toEqual([
      "Reached its turn limit.",
      expect.stringMatching(/\.$/),
      "Succeeded, with tools denied.",
    ]);
    const different = after(
      created(2),
      ...run(1, { kind: "failed", reason: "max-turns", message: "one" }),
      ...run(2, { kind: "failed", reason: "max-turns", message: "two" }),
    );
    expect(causesOf(different)).toMatchObject([{ tasks: { length: 2 } }]);
    expect(causesOf(different).map(isAlike)).toEqual([false]);
  });

  test("of a success is a tool that was denied, or a remark", () => {
    const remarked = after(created(1), ...run(1, succeeded, { remarks: ["odd"] }));
    const [one] = doneIn(remarked);
    expect(one && happenedText(one)).toBe("Succeeded, with a remark.");
    expect(doneIn(mixed()).map(isProblem)).toEqual([true, true, true, false, false, true]);
    const asked = after(created(1), ...run(1, { kind: "not-started", message: "Why?" }));
    const [question] = doneIn(asked);
    expect(question && happenedText(question)).toBe("Not started: Why?");
  });

  test("names tasks by their numbers, of many the first ranges", () => {
    const tasksOf = (...numbers: number[]) => {
      const state = after(created(60), ...numbers.flatMap((number) => run(number, failed)));
      return tasksText(doneIn(state), state.batch);
    };
    expect(tasksOf(3)).toBe("task 3");
    expect(tasksOf(3, 4)).toBe("tasks 3, 4");
    expect(tasksOf(1, 3, 4, 5, 9)).toBe("tasks 1, 3 to 5, 9");
    const even = Array.from({ length: 14 }, (_, index) => 2 * (index + 1));
    expect(tasksOf(...even)).toBe(`tasks ${even.slice(0, 12).join(", ")}, and 2 more`);
    expect(tasksOf(...even.slice(0, 12))).toBe(`tasks ${even.slice(0, 12).join(", ")}`);
  });
});

describe("at the end of a batch", () => {
  test("its causes are named, what it cost, and what to do next", () => {
    const state = after(
      created(3),
      ...run(1, crashed, { usage: usageOf(0.5) }),
      ...run(2, failed),
      ...run(3, failed),
      event(9_001, { type: "batch-ended" }),
    );
    const [first, ...others] = endingText(state, "finished").split("\n");
    expect(first).toBe("All 3 tasks ended: 0 succeeded, 3 failed. 9 s, $0.50.");
    expect(others.slice(0, 2)).toEqual([
      "  2 × Reached its turn limit. (such as task 2)",
      "      `parallel-claude-code-mcp retry bcdfghjk 2-3 --max-turns 50`",
    ]);
    expect(others[2]).toMatch(/^ {2}1 × .* \(task 1\)$/);
    expect(others[3]).toMatch(/^ {6}Read the last lines/);
    expect(others[4]).toBe("      `parallel-claude-code-mcp retry bcdfghjk 1`");
    expect(others[5]).toBe(`Report: ${nativePath("/out/report-bcdfghjk.html")}`);
    expect(others[6]).toStartWith("`parallel-claude-code-mcp retry bcdfghjk` reruns what failed.");
    expect(others).toHaveLength(7);
  });

  test("of one task, no cause is named again, and of none that ended no cost", () => {
    const one = after(created(1), ...run(1, failed), event(9_001, { type: "batch-ended" }));
    expect(endingText(one, "finished")).not.toContain("×");
    const none = after(created(2));
    expect(endingText(none, "running")).toMatch(/^None of the 2 tasks has ended\. [^$]*\.\nReport: /);
    const good = after(created(1), ...run(1, succeeded), event(9_001, { type: "batch-ended" }));
    expect(endingText(good, "finished").split("\n")).toHaveLength(2);
  });

  const reasons = failureReasons.filter((reason) => reason !== "usage-limit");

  test("of many causes as many are named as fit on a screen, the first of them with what to do", () => {
    const state = after(
      created(40),
      ...Array.from({ length: 40 }, (_, index) =>
        run(index + 1, { kind: "failed", reason: "request", message: `wrong in ${letters(index)}` }),
      ).flat(),
      event(9_001, { type: "batch-ended" }),
    );
    const lines = endingText(state, "finished", { isTerminal: true, width: 80 }).split("\n");
    expect(rowsOf(lines, 80)).toBeLessThanOrEqual(23);
    expect(lines.filter((line) => line.startsWith("  1 × ")).length).toBeGreaterThan(10);
    expect(lines.find((line) => line.startsWith("  … and "))).toMatch(
      /^ {2}… and \d+ other causes \(\d+ tasks\)$/,
    );
    const some = after(
      created(reasons.length),
      ...reasons.flatMap((reason, index) => run(index + 1, { kind: "failed", reason, message: "" })),
      event(9_001, { type: "batch-ended" }),
    );
    const text = endingText(some, "finished", { isTerminal: true, width: 80 });
    const left = Number(/ … and (\d+) other cause/.exec(text)?.[1] ?? 0);
    expect(text.match(/ 1 × /g)).toHaveLength(reasons.length - left);
  });
});

// Words without digits, which would be the same cause.
function letters(index: number): string {
  return String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26));
}

describe("a line as each task ends", () => {
  const face = { paint: (_: unknown, text: string) => text };

  test("says how it ended, how long it took and what it cost, and once what to do about a cause", () => {
    const said: string[] = [];
    const tell = progressLines((line) => said.push(line), face);
    const state = after(created(4), started(1_000, 1, 1));
    tell(state);
    expect(said).toEqual([]);
    apply(state, ended(5_000, 1, 1, failed, { usage: usageOf(0.25) }));
    tell(state);
    tell(state);
    const [first = "", ...advice] = said[0]?.split("\n") ?? [];
    expect(first).toBe("1/4  task 1  failed: turn limit  4 s  $0.25  task 1");
    expect(advice.length).toBeGreaterThan(0);
    expect(advice.every((line) => line.startsWith("    "))).toBe(true);
    for (const one of run(2, failed)) apply(state, one);
    apply(state, event(6_000, { type: "cancel-requested", by: "user", tasks: [3] }));
    tell(state);
    // The same cause again, and one that never began.
    expect(said.slice(1)).toEqual(["2/4  task 2  failed: turn limit  4 s  task 2"]);
    for (const one of run(4, succeeded)) apply(state, one);
    tell(state);
    expect(said[2]).toBe("4/4  task 4  succeeded  4 s  task 4");
  });

  test("passes over those that somebody has been told of, until they end again", () => {
    const said: string[] = [];
    const state = after(created(2), ...run(1, failed));
    const tell = progressLines((line) => said.push(line.split("\n")[0] ?? ""), face, doneIn(state));
    tell(state);
    expect(said).toEqual([]);
    apply(state, event(6_000, { type: "retry-requested", tasks: [1] }));
    tell(state);
    apply(state, started(7_000, 1, 2));
    apply(state, ended(9_000, 1, 2, succeeded));
    tell(state);
    expect(said).toEqual(["1/2  task 1  succeeded  2 s  task 1"]);
  });

  test("is no longer than a terminal is wide", () => {
    const said: string[] = [];
    const long = created(1, { batch: { tasks: [{ prompt: "p".repeat(200) }] } });
    progressLines((line) => said.push(line), { ...face, columns: () => 60 })(
      after(long, ...run(1, succeeded)),
    );
    expect(said[0]?.length).toBe(59);
    progressLines((line) => said.push(line), { ...face, columns: () => 10 })(
      after(long, ...run(1, succeeded)),
    );
    expect(said[1]).toMatch(/p{5,11}…$/);
  });
});

test("columns are aligned, and in a terminal the last one is cut", () => {
  const columns = [{ title: "A" }, { title: "B", right: true }, { title: "C" }];
  const rows = [
    ["aa", "1", "x".repeat(30)],
    ["a", "222"],
  ];
  expect(table(columns, rows, { isTerminal: false, width: 20 }).split("\n")).toEqual([
    "A     B  C",
    `aa    1  ${"x".repeat(30)}`,
    "a   222",
  ]);
  expect(table(columns, rows, { isTerminal: true, width: 23 }).split("\n")[1]).toBe(
    `aa    1  ${"x".repeat(12)}…`,
  );
  expect(table(columns, rows, { isTerminal: true, width: 5 }).split("\n")[1]).toBe(
    `aa    1  ${"x".repeat(9)}…`,
  );
  expect(table([{}, {}], [["a", "b"]], { isTerminal: false, width: 5 })).toBe("a  b");
});

test("an unknown cost is a dash", () => {
  expect([costCell(undefined), costCell(1)]).toEqual(["–", "$1.00"]);
});

test("bytes are text in the encoding that they show", () => {
  const utf16 = (text: string, big = false) => {
    const bytes = Buffer.from(text, "utf16le");
    return big ? bytes.swap16() : bytes;
  };
  const cases: [bytes: Uint8Array, text: string][] = [
    [Buffer.from("plain €"), "plain €"],
    [Buffer.from("\uFEFFmarked"), "marked"],
    [utf16("\uFEFFlittle €"), "little €"],
    [utf16("\uFEFFbig €", true), "big €"],
    [utf16("without a mark"), "without a mark"],
    [utf16("without a mark", true), "without a mark"],
    [Buffer.from("one\0two\0three"), "one\0two\0three"],
    [Buffer.from([]), ""],
  ];
  for (const [bytes, text] of cases) expect(textIn(bytes)).toBe(text);
  const broken = [
    [0xff, 0x41],
    [0xfe, 0x41],
    [0x41, 0xfe],
    [0x41, 0xff],
    [0xe2, 0x82],
  ].map((bytes) => Buffer.from(bytes));
  for (const bytes of broken) {
    expect(() => textIn(bytes)).toThrow("it is not text in UTF-8 or UTF-16");
    expect(readableTextIn(bytes)).toContain("\uFFFD");
  }
});

describe("a part of a conversation", () => {
  const style = {
    paint: (colour: string, text: string) => `<${colour}>${text}`,
    directory: "/work",
  } as const;
  const textOf = (part: Parameters<typeof partText>[0], before?: string) => partText(part, style, before);

  test("is marked by who speaks", () => {
    expect(textOf({ kind: "started", model: "opus" })).toBe("<faint>Started with opus.");
    expect(textOf({ kind: "started", model: undefined })).toBe("<faint>Started.");
    expect(textOf({ kind: "prompted", text: "do\nit", nested: false })).toBe("> do\n  it");
    expect(textOf({ kind: "prompted", text: "do\nit", nested: true })).toBe("    > do\n      it");
    expect(textOf({ kind: "said", text: "yes\n", nested: false, failed: false })).toBe("yes");
    expect(textOf({ kind: "said", text: "no", nested: false, failed: true })).toBe("<red>no");
    expect(textOf({ kind: "thought", text: "hm", nested: false })).toBe("… <faint>hm");
    expect(textOf({ kind: "waits", why: "it is late" })).toBe("<yellow>it is late");
    expect(textOf({ kind: "unread", bytes: 1_200, text: "x" })).toBe(
      "<faint>[A line of 1.2 kB that is no message, or too long: x]",
    );
  });

  test("that a tool has returned is shortened, and paths begin where the session works", () => {
    const returned = (text: string, isFailed = false) =>
      textOf({ kind: "returned", text, nested: false, failed: isFailed });
    expect(returned("/work/a.ts:1 and http://x/work/b")).toBe("← a.ts:1 and http://x/work/b");
    expect(returned("bad", true)).toBe("← <red>bad");
    expect(returned("")).toBe("← (nothing)");
    const lines = Array.from({ length: 13 }, (_, index) => `line ${index}`);
    expect(returned(lines.slice(0, 12).join("\n"))).not.toContain("characters in all");
    expect(returned(lines.join("\n"))).toEndWith(`\n  [${lines.join("\n").length} characters in all]`);
    expect(returned("x".repeat(1_001))).toContain("[1,001 characters in all]");
  });

  test("that ends it says how, what it took and cost, and no answer twice", () => {
    const end = {
      kind: "ended",
      failed: false,
      subtype: "success",
      text: "Done",
      numTurns: 2,
      durationMs: 3_000,
      costUsd: 0.5,
    } as const;
    expect(textOf(end)).toBe("<green>Answered (2 turns, 3 s, $0.50).\nDone");
    expect(textOf(end, "Done")).toBe("<green>Answered (2 turns, 3 s, $0.50).");
    expect(textOf({ ...end, failed: true, subtype: "error_max_turns", text: "", costUsd: undefined })).toBe(
      "<red>Ended: error_max_turns (2 turns, 3 s).",
    );
  });
});
