// The values of variables, which are in no log.
import { expect, test } from "bun:test";
import {
  hasValues,
  noValues,
  taskVariableNames,
  valuesFromText,
  valuesText,
  variableNames,
  variablesOf,
} from "../../src/model/session-values.ts";

const values = { shared: { A: "shared", B: "b" }, tasks: { "2": { A: "own" } } };

test("a task's own value wins over the batch's", () => {
  expect(variablesOf(values, 1, ["A", "B"])).toEqual({ kind: "known", variables: { A: "shared", B: "b" } });
  expect(variablesOf(values, 2, ["A"])).toEqual({ kind: "known", variables: { A: "own" } });
});

test("an empty value is a value, and one that nobody has is lost by name", () => {
  expect(variablesOf({ shared: { A: "" }, tasks: {} }, 1, ["A"])).toEqual({
    kind: "known",
    variables: { A: "" },
  });
  expect(variablesOf(values, 1, ["A", "C", "D"])).toEqual({ kind: "lost", names: ["C", "D"] });
});

test("there is something to hand on where anybody has a variable", () => {
  expect(hasValues(noValues)).toBe(false);
  expect(hasValues({ shared: { A: "" }, tasks: {} })).toBe(true);
  expect(hasValues({ shared: {}, tasks: { "1": { A: "" } } })).toBe(true);
});

test("the names of an option are sorted, and whatever is no object has none", () => {
  expect(variableNames({ B: "", A: "" })).toEqual(["A", "B"]);
  for (const none of [undefined, null, "file.json"]) expect(variableNames(none)).toEqual([]);
});

test("a task has the names of its own option, else of the batch's", () => {
  const batch = { tasks: [{}, { options: { env: { OWN: "" } } }], sessionOptions: { env: { SHARED: "" } } };
  expect(taskVariableNames(batch, 1)).toEqual(["SHARED"]);
  expect(taskVariableNames(batch, 2)).toEqual(["OWN"]);
});

test("what goes through the pipe comes out the same, and nothing else does", () => {
  expect(valuesFromText(valuesText(values))).toEqual(values);
  expect(() => valuesFromText('{"shared":{"A":1},"tasks":{}}')).toThrow();
});
