// Bad input in words: what was probably meant, what is accepted, and what is never repeated.
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { faultsAt, general, wrong } from "../../src/operations/fault.ts";
import { faultsText, toolWording } from "../../src/operations/fault-text.ts";
import { check, excerpt, jsonFault, valueAt } from "../../src/operations/faults.ts";
import { nearest } from "../../src/operations/nearest.ts";
import { placeText } from "../../src/operations/place-text.ts";
import { schemaFaults } from "../../src/operations/schema-faults.ts";
import { inWords } from "./in-words.ts";

/** What is wrong with an input, in words. */
function faultsIn(...given: Parameters<typeof check>): string[] {
  const checked = check(...given);
  return checked.ok ? [] : inWords(checked.faults);
}

describe("the name that was probably meant", () => {
  const cases: [given: string, known: string[], meant: string | undefined][] = [
    ["opsu", ["opus", "sonnet"], "opus"],
    ["oups", ["opus"], "opus"],
    ["OPUS", ["opus"], "opus"],
    ["opuss", ["opus"], "opus"],
    ["opu", ["opus"], "opus"],
    ["xpus", ["opus"], "opus"],
    // Two mistakes in five letters are too many, and in six are not.
    ["oxxs", ["opus"], undefined],
    ["haikku", ["haiku"], "haiku"],
    ["sxnnxt", ["sonnet"], "sonnet"],
    ["sxnnx", ["sonne"], undefined],
    ["sxxnxt", ["sonnet"], undefined],
    ["sonnte", ["sonnet", "sonnets"], "sonnet"],
    // A third of a long name may be wrong.
    ["abcdefghixxx", ["abcdefghijkl"], "abcdefghijkl"],
    ["abcdefghxxxx", ["abcdefghijkl"], "abcdefghijkl"],
    ["abcdefgxxxxx", ["abcdefghijkl"], undefined],
    // Of two that are as near, neither; unless one shares a word.
    ["cat", ["bat", "rat"], undefined],
    ["cat", ["cart", "bat", "rat"], undefined],
    ["maxTurn", ["maxTurns", "minTurns"], "maxTurns"],
    ["timeout-ms", ["timeout-s", "timeoux-ms"], undefined],
    ["budgetUsb", ["budgetUsd", "budgetUs"], undefined],
    ["listAll", ["lastAll", "listAlt"], undefined],
    ["file_name", ["fileName", "pilename"], "fileName"],
    ["anything", [], undefined],
  ];
  for (const [given, known, meant] of cases) {
    test(`of ${given} among ${known.join(", ") || "none"} is ${meant ?? "none"}`, () => {
      expect(nearest(given, known)).toBe(meant);
    });
  }
});

test("a name of millions of letters is near to none, which takes no look at them", () => {
  expect(nearest("opus".repeat(10_000_000), ["opus", "sonnet", "haiku"])).toBeUndefined();
});

test("what is given is shown as JSON, without secrets, and cut", () => {
  expect(excerpt("a")).toBe('"a"');
  expect(excerpt(undefined)).toBe("undefined");
  expect(excerpt({ env: { A: "secret" }, environment: 1, task: "x" })).toBe(
    '{"env":"…","environment":"…","task":"x"}',
  );
  expect(excerpt('{"task": "x", "env": {"A": "secret"}')).toBe('"{\\"task\\": \\"x\\", \\"env\\":…"');
  expect(excerpt('{"envVars": secret}')).toBe('"{\\"envVars\\":…"');
  // No JSON, and so no place for a variable.
  expect(excerpt('the "env": of it')).toBe('"the \\"env\\": of it"');
  expect(excerpt('{"task": "x"')).toBe('"{\\"task\\": \\"x\\""');
  expect(excerpt("x".repeat(78))).toBe(`"${"x".repeat(78)}"`);
  expect(excerpt("x".repeat(79))).toBe(`"${"x".repeat(78)}…`);
});

test("places are written as in a program", () => {
  expect(placeText(["tasks", 3, "model"])).toBe("tasks[3].model");
  expect(placeText([0, "a"])).toBe("[0].a");
  expect(placeText([])).toBe("");
  expect(valueAt({ a: [{ b: 1 }] }, ["a", 0, "b"])).toBe(1);
  expect(valueAt({ a: null }, ["a", "b"])).toBeUndefined();
  expect(valueAt("text", ["length"])).toBeUndefined();
});

test("one fault stands alone, and several in a list", () => {
  const textOf = (...faults: Parameters<typeof faultsText>[0]) => faultsText(faults, toolWording);
  expect(textOf(wrong(["a"], "is wrong"))).toBe("Nothing was done: a is wrong");
  expect(textOf(general("a"), general("b"))).toBe("Nothing was done. 2 problems:\n- a\n- b");
});

test("why a text is no JSON", () => {
  expect(jsonFault("{}")).toBe("");
  expect(jsonFault("{")).toBe(" (this text is not valid JSON: Expected '}')");
});

describe("what is accepted", () => {
  const cases: [schema: z.ZodType, given: unknown, fault: string][] = [
    [z.string(), {}, "a was given as {}: expected text"],
    [z.array(z.string().min(1)), [""], 'a[0] was given as "": must not be empty'],
    [z.string().min(2), "x", 'a was given as "x": expected at least 2 characters'],
    [z.string().max(1), "xy", 'a was given as "xy": expected at most 1 character'],
    [z.string().min(2, "two at least"), "x", 'a was given as "x": two at least'],
    [z.string().max(1, "one at most"), "xy", 'a was given as "xy": one at most'],
    [z.number(), true, "a was given as true: expected a number"],
    [z.number().min(3), 2, "a was given as 2: expected at least 3"],
    [z.number().positive(), 0, "a was given as 0: expected more than 0"],
    [z.number().max(3), 4, "a was given as 4: expected at most 3"],
    [z.int(), 1.5, "a was given as 1.5: expected a whole number"],
    [z.int(), true, "a was given as true: expected a whole number"],
    [z.array(z.string()).min(2), ["x"], 'a was given as ["x"]: expected at least 2 items'],
    [z.array(z.string()).max(1), ["x", "y"], 'a was given as ["x","y"]: expected at most 1 item'],
    [z.array(z.string()), {}, "a was given as {}: expected a list"],
    [z.array(z.int()), {}, "a was given as {}: expected a list of whole numbers"],
    [
      z.array(z.string()),
      '["x',
      'a was given as "[\\"x": expected a list (this text is not valid JSON: Unterminated string)',
    ],
    [z.boolean(), 5, "a was given as 5: expected true or false"],
    [z.object({}), 5, "a was given as 5: expected an object"],
    [z.record(z.string(), z.string()), 5, "a was given as 5: expected an object"],
    [z.literal("on"), "off", 'a was given as "off": expected "on"'],
    [z.enum(["one", "two"]), {}, "a was given as {}: expected one of one, two"],
    [z.enum(["one", "two"]), "tow", 'a was given as "tow": expected one of one, two; did you mean `two`?'],
    [z.union([z.int(), z.literal("auto")]), true, 'a was given as true: expected a whole number or "auto"'],
    [z.union([z.string(), z.string().min(3)]), {}, "a was given as {}: expected text"],
    [z.string().regex(/^x/, "begins with x"), "y", 'a was given as "y": begins with x'],
    [z.string(), undefined, "a is missing: expected text"],
  ];
  for (const [schema, given, fault] of cases) {
    test(fault, () => {
      expect(faultsIn(z.strictObject({ a: schema }), { a: given })).toEqual([fault]);
    });
  }

  test("of an object of any shape the deepest fault counts", () => {
    const schema = z.strictObject({ a: z.union([z.string(), z.strictObject({ b: z.int() })]) });
    expect(faultsIn(schema, { a: { b: "x" } })).toEqual(['a.b was given as "x": expected a whole number']);
    expect(faultsIn(schema, 5)).toEqual(["the input was given as 5: expected an object"]);
  });
});

describe("an option that is not known", () => {
  const inner = z.strictObject({ depth: z.int().optional() });
  const schema = z.strictObject({
    width: z
      .int()
      .meta({ aliases: ["breadth"], hints: ["size"] })
      .optional(),
    height: z.int().optional(),
    tasks: z.array(z.strictObject({ task: z.string() })).optional(),
    with: inner.optional(),
  });
  const elsewhere = { name: "the_other", schema: z.object({ colour: z.string() }) };
  const cases: [input: object, fault: string][] = [
    [{ hieght: 1 }, "hieght is not known; did you mean `height`?"],
    [{ size: 1 }, "size is not known; did you mean `width`?"],
    [{ nothing: 1 }, "nothing is not known"],
    [{ width: 1, breadth: 2 }, "breadth means `width`, which is given too; give one of the two"],
    [{ colour: 1 }, "colour is an option of the_other only"],
    [{ depth: 1 }, 'depth belongs in `with`: `{"with": {"depth": …}}`'],
    [{ with: { width: 1 } }, "with.width belongs beside `with`; give `width` there"],
    [
      { tasks: [{ task: "x", Width: 1 }] },
      "tasks[0].Width is an option of the batch, not of one task; give `width` beside `tasks`",
    ],
    [{ tasks: [{ task: "x", tasks: 1 }] }, "tasks[0].tasks is not known; did you mean `task`?"],
    [{ with: { with: 1 } }, "with.with is not known"],
    [{ with: { colour: 1 } }, "with.colour is an option of the_other only"],
  ];
  for (const [input, fault] of cases) {
    test(JSON.stringify(input), () => {
      expect(faultsIn(schema, input, elsewhere)).toEqual([fault]);
    });
  }

  test("is not known to be of another place where there is none", () => {
    expect(faultsIn(schema, { colour: 1 })).toEqual(["colour is not known"]);
  });
});

describe("a JSON Schema", () => {
  const good: unknown[] = [
    {},
    { type: "object" },
    { type: ["object", "null"] },
    { $ref: "#/$defs/a", $defs: { a: { type: "string" } } },
    { properties: { a: true }, required: ["a"], additionalProperties: false },
    { anyOf: [{ type: "object" }, { properties: {} }] },
    { type: "object", properties: { a: { enum: [1, 2], pattern: "^a$", items: [{ type: "string" }] } } },
    { type: "object", properties: { b: { items: { type: "number" }, not: {}, type: ["integer", "null"] } } },
    { minProperties: 1 },
  ];
  for (const schema of good) {
    test(`${JSON.stringify(schema)} is good`, () => expect(schemaFaults(schema)).toEqual([]));
  }

  const types = "expected one of object, array, string, number, integer, boolean, null";
  const bad: [schema: unknown, ...faults: string[]][] = [
    ["x", 's was given as "x": expected a JSON Schema'],
    [[], "s was given as []: expected a JSON Schema"],
    [null, "s was given as null: expected a JSON Schema"],
    [
      { name: "string" },
      's is no JSON Schema: expected `{"type": "object", "properties": {"name": {"type": "string"}}}` or the like',
    ],
    [
      { type: "string" },
      's.type was given as "string": the API takes only "object" at the top; put the string into a property',
    ],
    [{ type: "Text" }, `s.type was given as "Text": ${types}; did you mean \`string\`?`],
    [{ type: "objekt" }, `s.type was given as "objekt": ${types}; did you mean \`object\`?`],
    [{ type: 3 }, `s.type was given as 3: ${types}`],
    [{ type: ["object", "bool"] }, `s.type was given as "bool": ${types}; did you mean \`boolean\`?`],
    [{ required: "a" }, 's.required was given as "a": expected a list of names of properties'],
    [{ required: [1] }, "s.required was given as [1]: expected a list of names of properties"],
    [{ enum: "a" }, 's.enum was given as "a": expected a list of values'],
    [
      { properties: { a: { pattern: "(" } } },
      's.properties.a.pattern was given as "(": expected a regular expression',
    ],
    [
      { not: 3, if: [] },
      "s.not was given as 3: expected a JSON Schema",
      "s.if was given as []: expected a JSON Schema",
    ],
    [
      { items: [{ type: 1 }, 2] },
      `s.items[0].type was given as 1: ${types}`,
      "s.items[1] was given as 2: expected a JSON Schema",
    ],
    [{ items: 2 }, "s.items was given as 2: expected a JSON Schema"],
    [{ anyOf: {} }, "s.anyOf was given as {}: expected a list of JSON Schemas"],
    [{ anyOf: [] }, "s.anyOf was given as []: expected a list of JSON Schemas"],
    [{ allOf: [true, 3] }, "s.allOf[1] was given as 3: expected a JSON Schema"],
    [{ properties: [] }, "s.properties was given as []: expected an object of JSON Schemas"],
    [{ $defs: { a: 1 } }, "s.$defs.a was given as 1: expected a JSON Schema"],
  ];
  for (const [schema, ...faults] of bad) {
    test(`${JSON.stringify(schema)} is not`, () =>
      expect(inWords(faultsAt(["s"], schemaFaults(schema)))).toEqual(faults));
  }
});
