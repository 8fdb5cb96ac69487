// A JUnit report: valid XML whatever tasks say, with the elements that CI systems read.
import { expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { resultEntryOf } from "../../src/report/answer.ts";
import { junitPieces } from "../../src/report/junit.ts";
import { outcomeText } from "../../src/report/outcome-text.ts";
import { parseXml } from "../xml.ts";
import { batchState, ended, failures, started, succeeded } from "./samples.ts";

const hostile = [
  "]]><!-- </failure></testcase> --><![CDATA[",
  "<script>&amp;&lt;&#0;&unknown;\"'",
  "\u0000\u0001\u0008\u000b\u001f\u007f\u0085\ufffe\uffff\ud800 \udfff\u2028",
  "\u001b]8;;http://x\u0007link\u001b[31m",
  "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
  "line one\nline two\ttab\r\nthree",
  "\u{1f600} \u{10ffff} ünï",
];

function reportOf(prompts: readonly string[], outcomes: readonly (Outcome | undefined)[], answer = "fine") {
  const state = batchState(
    [...prompts],
    outcomes.flatMap((outcome, index): EventBody[] =>
      outcome ? [started(index + 1), ended(index + 1, outcome)] : [],
    ),
    prompts[0],
  );
  const pieces = junitPieces({
    state,
    tasks: state.tasks,
    entryOf: (task) =>
      resultEntryOf(state, task, {
        door: "command-line",
        text: task.outcome.kind === "succeeded" ? answer : outcomeText(task.outcome),
        cut: false,
      }),
  });
  return parseXml([...pieces].join(""));
}

test("has each task as a test, with its kind of failure, and numbers that add up", () => {
  const outcomes: (Outcome | undefined)[] = [...failures, succeeded, undefined];
  const root = reportOf(
    outcomes.map((_, index) => `task ${index + 1}`),
    outcomes,
  );
  const [suite] = root.children;
  const cases = suite?.children.filter(({ name }) => name === "testcase") ?? [];
  const kinds = cases.map(({ children: [first] }) => first?.name);
  expect(root.name).toBe("testsuites");
  expect(suite?.name).toBe("testsuite");
  expect(kinds).toEqual([
    "failure",
    "failure",
    "failure",
    "error",
    "error",
    "error",
    "skipped",
    "error",
    "system-out",
    "skipped",
  ]);
  for (const element of [root, suite])
    expect(element?.attributes).toMatchObject({ tests: "10", failures: "3", errors: "4", skipped: "2" });
  expect(suite?.attributes["timestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  expect(cases.map(({ attributes }) => attributes["name"])[2]).toBe("3: task 3");
  expect(cases[2]?.attributes).toMatchObject({ time: "1.000", classname: "task 1" });
  expect(cases[2]?.children[0]).toMatchObject({
    attributes: { type: "failed: max-turns", message: expect.stringContaining("Reached its turn limit") },
    text: expect.stringContaining("retry bcdfghjk 3 --max-turns 50"),
  });
  const [properties] = suite?.children ?? [];
  expect(properties?.children.map(({ attributes }) => attributes["name"])).toEqual([
    "batchId",
    "batchName",
    "costUsd",
    "workingDirectory",
    "outputDirectory",
  ]);
});

test("is valid XML 1.0 for hostile texts in names, messages and answers", () => {
  for (const text of hostile) {
    const root = reportOf(
      [text, text],
      [succeeded, { kind: "failed", reason: "execution", message: text }],
      text.repeat(3),
    );
    const [, one, other] = root.children[0]?.children ?? [];
    expect([one?.name, other?.name]).toEqual(["testcase", "testcase"]);
    expect(one?.children.map(({ name }) => name)).toEqual(["system-out"]);
    expect(other?.children.map(({ name }) => name)).toEqual(["failure"]);
  }
  const [, one] = reportOf(["a"], [succeeded], "<b>&\nx</b>").children[0]?.children ?? [];
  expect(one?.children[0]?.text).toBe("<b>&\nx</b>");
});
