// What GitHub Actions gets of a batch: annotations, a summary, and no commands of anybody else.
import { describe, expect, test } from "bun:test";
import {
  annotationLine,
  commandlessJson,
  withoutCommands,
} from "../../src/doors/cli/terminal/workflow-commands.ts";
import { annotationsOf, summaryOf } from "../../src/doors/cli/view/github.ts";
import type { EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { batchState, ended, started, succeeded, usage } from "../report/samples.ts";

/** What its runner takes for a command in a line, as its source has it (`ActionCommand.TryParseV2` and `TryParse`). */
function isCommand(line: string): boolean {
  return line.trim().startsWith("::") || line.includes("##[");
}

const hostile = [
  "::add-mask::x",
  "fine\n  ::set-output name=a::b",
  "\u00a0\t::stop-commands::token",
  "a\r::error::b",
  "x ##[add-mask]secret",
  "::::",
  ":: ::",
  "##[##[error]",
];

test("no text is a command in a log, and no other text changes", () => {
  for (const text of hostile)
    for (const line of withoutCommands(text.replaceAll("\r", "\n")).split("\n"))
      expect([line, isCommand(line)]).toEqual([line, false]);
  for (const text of ["a :: b", "std::vector", "## [x]", "# Title", "a: b", " : x"])
    expect(withoutCommands(text)).toBe(text);
  // In a time that does not grow with the square of the blank lines, which would be hours here.
  const blank = "\n \u2028\r".repeat(500_000);
  expect(withoutCommands(`${blank}::x`)).toBe(`${blank}: :x`);
  const value = { text: hostile.join("\n") };
  const json = commandlessJson(JSON.stringify(value, undefined, 2));
  expect(json.split("\n").some(isCommand)).toBe(false);
  expect(JSON.parse(json)).toEqual(value);
});

test("an annotation has its values escaped as GitHub wants it", () => {
  expect(
    annotationLine({ kind: "error", title: "100%: a,b", file: "src/a,b:c.ts", message: "50%\r\nnext: x, y" }),
  ).toBe("::error file=src/a%2Cb%3Ac.ts,title=100%25%3A a%2Cb::50%25%0D%0Anext: x, y");
});

function stateOf(outcomes: readonly Outcome[], denied = 0) {
  const all = [...outcomes, ...Array<Outcome>(denied).fill(succeeded)];
  return batchState(
    all.map((_, index) => `task | ${index + 1} <b>@team`),
    all.flatMap((outcome, index): EventBody[] => [
      started(index + 1),
      ended(
        index + 1,
        outcome,
        index < outcomes.length ? usage() : usage({ denials: [{ tool: "Write", rule: "Write" }] }),
      ),
    ]),
    "my | batch",
  );
}

const failed = (message: string): Outcome => ({ kind: "failed", reason: "execution", message });

describe("annotations", () => {
  test("are at most ten errors, each cause among them, and ten warnings for denied tools", () => {
    const outcomes = [...Array<Outcome>(40).fill(failed("one")), failed("two"), failed("three")];
    const lines = annotationsOf(stateOf(outcomes, 12), {});
    expect(lines.filter((line) => line.startsWith("::error "))).toHaveLength(10);
    expect(lines.filter((line) => line.startsWith("::warning "))).toHaveLength(10);
    for (const word of ["one", "two", "three"])
      expect(lines.some((line) => line.includes(`Claude said: ${word}`))).toBe(true);
    expect(lines[0]).toContain("40 tasks ended like this.%0A");
    expect(lines[0]).toStartWith("::error title=Task 1%3A failed%3A error::Failed during execution.");
  });

  test("say what the command lacks, and so does the summary", () => {
    const state = stateOf([{ kind: "failed", reason: "schema", message: "no" }]);
    expect(annotationsOf(state, {})[0]).toEndWith("retry bcdfghjk 1 with other options");
    expect(summaryOf(state, "finished")).toContain("retry bcdfghjk 1</code> with other options |");
  });

  test("hold hostile texts in one line of their own", () => {
    for (const text of hostile)
      for (const line of annotationsOf(stateOf([failed(text)]), {})) {
        expect(line).not.toMatch(/[\r\n]/);
        expect(line.slice(2).includes("##[")).toBe(false);
      }
  });
});

describe("the summary", () => {
  test("has numbers, causes with their command, and the tasks that failed, as plain text", () => {
    const text = summaryOf(stateOf([failed("a | b <img src=x> `c` [d](e) @all"), failed("x")]), "finished");
    expect(text).toContain("| tasks | succeeded | failed | cancelled | cost | time |\n");
    expect(text).toMatch(/\n\| 2 \| 0 \| 2 \| 0 \| \$0\.0246 \| \d+ s \|\n/);
    expect(text).toContain("<code>parallel-claude-code-mcp retry bcdfghjk 1</code>");
    expect(text).toContain("<details><summary>2 failed tasks</summary>");
    expect(text).not.toMatch(/<img|@all|@team|\[d\]|my \| batch/);
    for (const row of text.split("\n").filter((line) => line.startsWith("| 1 |")))
      expect(row.match(/(?<!\\)\|/g)?.length).toBeGreaterThan(3);
  });

  test("is cut after a line where GitHub would take no more", () => {
    const outcomes = Array.from({ length: 900 }, () => failed("x"));
    const whole = summaryOf(stateOf(outcomes), "finished");
    const cut = summaryOf(stateOf(outcomes), "finished", 10_000);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(10_000);
    // Not within what is folded, where nobody would see it.
    expect(cut).toEndWith("\n</details>\n\n_The rest was cut, because GitHub takes no more._\n");
    const early = summaryOf(stateOf(outcomes), "finished", 400);
    expect(early).toEndWith("\n\n_The rest was cut, because GitHub takes no more._\n");
    expect(early).not.toContain("details>");
    expect(whole).toStartWith(cut.slice(0, 9_000));
    expect(summaryOf(stateOf(outcomes), "finished", 10)).toBe("");
  });
});
