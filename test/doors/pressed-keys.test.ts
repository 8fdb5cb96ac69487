// Which of what a terminal gives are keys.
import { expect, test } from "bun:test";
import { PressedKeys } from "../../src/doors/cli/view/pressed-keys.ts";

const of = (...looks: string[]) => {
  const keys = new PressedKeys();
  return looks.map((text) => keys.of(text));
};

test("keys are what comes one by one, a few at once, or from one that is held down", () => {
  expect(of("p", "", "c", "y", "+++++++++", "p+-r")).toEqual(["p", "", "c", "y", "+++++++++", "p+-r"]);
});

test("no part of a pasted text is a key, though its last piece be as short as one, until nothing came for a while", () => {
  const start = "a text of a length that no hand types between two looks";
  expect(of(start, "r", "\n", "", "p")).toEqual(["", "", "", "", "p"]);
  expect(of("\x1b[A", "p")).toEqual(["", "p"]);
});
