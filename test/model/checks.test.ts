// What `expect`, `failWhen` and `stopWhen` mean, and what a schema says about a value.
import { describe, expect, test } from "bun:test";
import { checkName, checksOf, expectation, failureLimit, patternOf } from "../../src/model/checks.ts";
import { schemaErrors, schemaTrouble } from "../../src/model/schema-errors.ts";

describe("failWhen", () => {
  for (const [text, total, limit] of [
    ["5", 100, 5],
    ["20%", 100, 20],
    ["20%", 3, 1],
    ["20%", 11, 3],
    ["12.5 %", 80, 10],
    ["1.1%", 3_000, 33],
    ["100%", 7, 7],
    ["0", 5, undefined],
    ["0%", 5, undefined],
    ["101%", 5, undefined],
    ["1.5", 5, undefined],
    ["-1", 5, undefined],
    ["some", 5, undefined],
  ] as const)
    test(`${text} of ${total}`, () => expect(failureLimit(text, total)).toBe(limit as number));
});

test("checks come the cheapest first, with the defaults of the last two", () => {
  const given = expectation.parse({ question: "?", command: "true", schema: {}, pattern: "a" });
  expect(checksOf(given)).toEqual([
    { kind: "pattern", pattern: "a" },
    { kind: "schema", schema: {} },
    { kind: "command", command: "true", timeoutSeconds: 300 },
    { kind: "question", question: "?", model: "haiku", timeoutSeconds: 300 },
  ]);
  expect(checksOf(undefined)).toEqual([]);
});

test("a pattern may be as strict as Unicode allows, or as lenient as JavaScript is", () => {
  expect(patternOf("^\\p{Lu}$")).toMatchObject({ ok: true });
  const lenient = patternOf("a\\-b");
  expect(lenient.ok && lenient.pattern.test("a-b")).toBe(true);
  expect(patternOf("(")).toEqual({ ok: false, reason: "missing )" });
});

test("the name of a check is short, and on one line", () => {
  expect(checkName({ kind: "question", asked: "Is it\n good?" })).toBe("the question “Is it good?”");
  expect(checkName({ kind: "schema", asked: "" })).toBe("the schema");
  expect(checkName({ kind: "command", asked: "x".repeat(300) })).toBe(`the command \`${"x".repeat(200)}…\``);
});

describe("a schema", () => {
  const schema = {
    type: "object",
    properties: { list: { type: "array", items: { $ref: "#/$defs/one" } } },
    required: ["list", "name"],
    $defs: { one: { type: "integer", minimum: 1 } },
  };

  test("names each place that does not fit, and nothing for what fits", () => {
    expect(schemaErrors(schema, { list: [1, 2], name: 1 })).toEqual([]);
    const errors = schemaErrors(schema, { list: [0, "x"] });
    expect(errors).toContain('the answer: Instance does not have required property "name".');
    expect(errors).toContain('/list/1: Instance type "string" is invalid. Expected "integer".');
    expect(errors.join()).toContain("/list/0: 0 is less than 1");
    expect(errors).toHaveLength(3);
  });

  test("lists at most ten faults", () => {
    const errors = schemaErrors(schema, { list: Array.from({ length: 30 }, () => "x"), name: 1 });
    expect(errors).toHaveLength(11);
    expect(errors.at(-1)).toBe("and 20 more");
  });

  test("that refers to nothing cannot be used", () => {
    expect(schemaTrouble(schema)).toBeUndefined();
    expect(schemaTrouble({ $ref: "#/$defs/none" })).toContain("Unresolved $ref");
  });
});
