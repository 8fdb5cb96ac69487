// What is signed cannot be made up or changed by somebody without the key.
import { expect, test } from "bun:test";
import { canonicalJson, isSigned, signed } from "../../src/fleet/signature.ts";

const key = "k".repeat(43);
const job = {
  v: 1,
  batchId: "b4k2",
  number: 3,
  spec: { task: "Review", tools: "Read" },
  work: { kind: "empty" },
};

test("a signed value is accepted, whatever the order of its keys", () => {
  const { signature, ...rest } = signed(job, key);
  expect(isSigned(signed(job, key), key)).toBe(true);
  expect(isSigned({ signature, ...Object.fromEntries(Object.entries(rest).reverse()) }, key)).toBe(true);
  expect(isSigned(JSON.parse(JSON.stringify(signed(job, key))), key)).toBe(true);
});

test("what is absent and what is undefined is the same, before and after JSON", () => {
  const withUndefined = signed({ ...job, budgetUsd: undefined }, key);
  expect(isSigned(JSON.parse(JSON.stringify(withUndefined)), key)).toBe(true);
});

const changed: [string, object][] = [
  ["another prompt", { ...signed(job, key), spec: { task: "Delete", tools: "Read" } }],
  ["one more option", { ...signed(job, key), spec: { ...job.spec, permissionMode: "acceptEdits" } }],
  ["one less option", { ...signed(job, key), spec: { task: "Review" } }],
  ["one more field", { ...signed(job, key), budgetUsd: 100 }],
  ["another attempt", { ...signed(job, key), number: 4 }],
  ["a number as a text", { ...signed(job, key), number: "3" }],
  ["no signature", job],
  ["an empty signature", { ...job, signature: "" }],
  ["a signature that is no text", { ...job, signature: ["a"] }],
  ["a longer signature", { ...signed(job, key), signature: `${signed(job, key).signature}00` }],
  ["another key", signed(job, `${key}x`)],
];
test.each(changed)("%s is refused", (_, value) => {
  expect(isSigned(value, key)).toBe(false);
});

test("a signature that is in the value already counts for nothing", () => {
  expect(signed({ ...job, signature: "made up" }, key)).toEqual(signed(job, key));
});

test("parts cannot be moved between neighbours", () => {
  expect(canonicalJson({ a: "x", b: "y" })).not.toBe(canonicalJson({ a: 'x","b":"y' }));
  expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
});
