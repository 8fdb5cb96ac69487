// How tasks are called wherever one line of them is shown.
import { expect, test } from "bun:test";
import type { Batch } from "../../src/model/event.ts";
import { labelOf } from "../../src/report/label.ts";
import { batchState } from "./samples.ts";

const labels = (...tasks: Batch["tasks"]) => {
  const state = batchState(["one"], []);
  const batch = { ...state.batch, tasks };
  return tasks.map((_, index) => labelOf({ batch }, index + 1));
};
const ofPrompts = (...prompts: string[]) => labels(...prompts.map((prompt) => ({ prompt })));
const long = "You are a senior TypeScript engineer. Carefully review the following file: ";

test("prompts that differ early are their first lines", () => {
  expect(ofPrompts("Review a.ts for bugs\nBe brief.", "Explain b.ts")).toEqual([
    "Review a.ts for bugs",
    "Explain b.ts",
  ]);
  expect(ofPrompts(`${long}src/a.ts`)).toEqual([`${long}src/a.ts`]);
  expect(ofPrompts("same", "same")).toEqual(["same", "same"]);
});

test("what all have in common at the beginning is left out where it would hide the difference, in whole words", () => {
  expect(
    ofPrompts(`${long}src/f1.ts for bugs`, `${long}src/f10.ts for bugs`, `${long}src/g.ts for bugs`),
  ).toEqual(["…src/f1.ts for bugs", "…src/f10.ts for bugs", "…src/g.ts for bugs"]);
});

test("prompts that are alike in groups are told apart, too", () => {
  const other = "Write the documentation of every exported function in this module, with examples: ";
  expect(ofPrompts(`${long}a.ts`, `${long}b.ts`, `${other}a.ts`, `${other}b.ts`)).toEqual([
    "You are a senior … a.ts",
    "You are a senior … b.ts",
    "Write the … a.ts",
    "Write the … b.ts",
  ]);
});

test("a difference behind the first line, or behind a long text, is found", () => {
  expect(ofPrompts("Review this:\na.ts", "Review this:\nb.ts")).toEqual([
    "Review this: a.ts",
    "Review this: b.ts",
  ]);
  const text = "word ".repeat(20_000);
  expect(ofPrompts(`${text}one`, `${text}two`)).toEqual(["…one", "…two"]);
});

test("a task's name is its label; a name of the whole batch is none", () => {
  expect(
    labels(
      { prompt: `${long}a.ts`, options: { name: "First" } },
      { prompt: `${long}b.ts` },
      { prompt: `${long}c.ts` },
    ),
  ).toEqual(["First", "…b.ts", "…c.ts"]);
});

test("ten thousand long prompts take no time that anybody notices", () => {
  const prompts = Array.from({ length: 10_000 }, (_, index) => `${long.repeat(20)}src/file-${index}.ts`);
  const found = ofPrompts(...prompts);
  expect(new Set(found).size).toBe(10_000);
  expect(found[77]).toBe("…src/file-77.ts");
});

test("a text without blanks is cut where it differs, for it has no words", () => {
  const text = "x".repeat(300);
  expect(ofPrompts(`${text}a`, `${text}b`)).toEqual(["…a", "…b"]);
  // A word of less than a hundred characters begins where it begins.
  expect(ofPrompts(`${"x".repeat(99)}a`, `${"x".repeat(99)}b`)).toEqual([
    `${"x".repeat(99)}a`,
    `${"x".repeat(99)}b`,
  ]);
});
