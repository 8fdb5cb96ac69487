// How options, tasks and retries are named in the words of each door.
import { describe, expect, test } from "bun:test";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { type Door, listText, optionsText, optionText, retryText } from "../../src/report/option-words.ts";

describe("an option", () => {
  test.each([
    ["allowedTools", undefined, "`allowedTools`", "`--allowed-tools`"],
    ["maxTurns", 6, "`maxTurns: 6`", "`--max-turns 6`"],
    ["model", "a b", '`model: "a b"`', `\`--model ${shellQuoted("a b")}\``],
    ["model", "", '`model: ""`', "`--model=`"],
    ["model", "-x", '`model: "-x"`', `\`--model=${shellQuoted("-x")}\``],
    ["agents", { a: 1 }, '`agents: {"a":1}`', `\`--agents ${shellQuoted('{"a":1}')}\``],
    [
      "addDirectories",
      ["a", "b"],
      '`addDirectories: ["a","b"]`',
      "`--add-directories a --add-directories b`",
    ],
    ["asyncMode", true, "`asyncMode: true`", "`--async-mode`"],
    ["asyncMode", false, "`asyncMode: false`", "`--no-async-mode`"],
  ])("%s with %j is named in the words of tools and of a command line", (option, value, asTool, asFlag) => {
    expect([optionText("tools", option, value), optionText("command-line", option, value)]).toEqual([
      asTool,
      asFlag,
    ]);
  });

  test("that is shown and not copied has its value cut", () => {
    const shown = (value: unknown) => optionsText("tools", { a: value });
    expect(shown("two\nlines")).toBe('`a: "two lines"`');
    expect(shown("x".repeat(201))).toBe(`\`a: "${"x".repeat(200)}…"\``);
    expect(shown(["x".repeat(201)])).toBe(`\`a: ["${"x".repeat(200)}…"]\``);
    expect(shown(Array(21).fill("x"))).toBe(`\`a: ${JSON.stringify(Array(20).fill("x"))}\``);
    expect(shown({ b: 1 })).toBe('`a: {"b":1}`');
    // {"b":"xxx…"} of 200 characters, and of one more: then as a text.
    expect(shown({ b: "x".repeat(192) })).toBe(`\`a: {"b":"${"x".repeat(192)}"}\``);
    expect(shown({ b: "x".repeat(193) })).toBe(`\`a: ${JSON.stringify(`{"b":"${"x".repeat(193)}"…`)}\``);
    expect(optionsText("command-line", { maxTurns: 2, model: "opus" })).toBe(
      "`--max-turns 2`, `--model opus`",
    );
  });
});

test.each([
  [[3], "3"],
  [[3, 5, 7], "3, 5, 7"],
  [
    Array.from({ length: 20 }, (_, index) => index),
    "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19",
  ],
  [
    Array.from({ length: 22 }, (_, index) => index),
    "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 2 more",
  ],
])("task numbers %j are %j", (numbers, text) => {
  expect(listText(numbers)).toBe(text);
});

test.each([
  [{}, '{"batchId":"bcdfghjk"}', "bcdfghjk"],
  [{ tasks: [1, 2] }, '{"batchId":"bcdfghjk","tasks":[1,2]}', "bcdfghjk 1-2"],
  [
    { tasks: [1, 2, 3, 5, 7, 9, 11, 12, 13, 14, 15, 16] },
    '{"batchId":"bcdfghjk","tasks":["1-3","5","7","9","11-16"]}',
    "bcdfghjk 1-3,5,7,9,11-16",
  ],
  [
    { tasks: ["cause:max-turns-3kx9d"] },
    '{"batchId":"bcdfghjk","tasks":["cause:max-turns-3kx9d"]}',
    "bcdfghjk cause:max-turns-3kx9d",
  ],
  [{ options: { maxTurns: 6 } }, '{"batchId":"bcdfghjk","with":{"maxTurns":6}}', "bcdfghjk --max-turns 6"],
  [{ values: { KEY: "…" } }, '{"batchId":"bcdfghjk","env":{"KEY":"…"}}', "bcdfghjk --env FILE"],
] satisfies [Partial<Parameters<typeof retryText>[1]>, string, string][])(
  "a retry with %j",
  (more, input, words) => {
    const text = (door: Door) => retryText(door, { batchId: "bcdfghjk", ...more });
    expect(text("tools")).toBe(`retry_batch with \`${input}\``);
    expect(text("command-line")).toBe(`\`parallel-claude-code-mcp retry ${words}\``);
  },
);
