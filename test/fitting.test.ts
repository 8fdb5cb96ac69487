import { describe, expect, test } from "bun:test";
import { fitting } from "../src/operations/fitting.ts";

function answerOver(texts: readonly string[], mostCharacters: number) {
  const wanted = { mostCharacters, items: texts, lengthOf: (text: string) => text.length };
  return fitting(wanted, (some, characters) => ({
    all: texts.length,
    texts: some.map((text) => text.slice(0, characters)),
  }));
}

describe("an answer that must fit", () => {
  test("is whole when it does", () => {
    expect(answerOver(["one", "two"], 1_000).texts).toEqual(["one", "two"]);
  });

  test("keeps short texts whole, and shares the rest among long ones", () => {
    const { texts } = answerOver(["short", "x".repeat(5_000), "y".repeat(5_000)], 2_000);
    expect(texts[0]).toBe("short");
    expect(texts[1]?.length).toBe(texts[2]?.length);
    expect(JSON.stringify(texts).length).toBeWithin(1_900, 2_001);
  });

  test("counts escapes, which JSON writes as two characters and more", () => {
    const answer = answerOver(["\n".repeat(5_000), '"'.repeat(5_000), "\u0001".repeat(5_000)], 3_000);
    expect(JSON.stringify(answer).length).toBeLessThan(3_001);
    expect(answer.texts[0]?.length).toBeGreaterThan(200);
  });

  test("gives fewer results rather than mere beginnings of all", () => {
    const { texts } = answerOver(
      Array.from({ length: 64 }, () => "x".repeat(1_000)),
      8_000,
    );
    expect(texts.length).toBeWithin(8, 33);
    expect(texts[0]?.length).toBeGreaterThan(199);
  });

  test("leaves little unused where the first step down was too large", () => {
    // As if only some of them had escapes: the two tries tell a slope that is none.
    const texts = Array.from({ length: 40 }, (_, index) => (index < 8 ? "\u0001" : "x").repeat(5_000));
    const answer = answerOver(texts, 60_000);
    expect(answer.texts).toHaveLength(40);
    expect(JSON.stringify(answer).length).toBeWithin(58_000, 60_001);
    const late = Array.from({ length: 40 }, () => `${"x".repeat(800)}${"\u0001".repeat(4_200)}`);
    expect(JSON.stringify(answerOver(late, 60_000)).length).toBeWithin(58_000, 60_001);
  });

  test("comes to an end also where nothing can be cut", () => {
    expect(answerOver(["", "", ""], 1).texts).toEqual([""]);
    expect(answerOver([], 1).texts).toEqual([]);
    expect(answerOver(["long enough"], 1).texts).toEqual([""]);
  });

  test("is cut only when it is made, not by what was expected", () => {
    const wanted = { mostCharacters: 1_000, items: [0], lengthOf: () => 5 };
    const make = (_: readonly number[], characters: number) => "x".repeat(400).slice(0, characters);
    expect(fitting(wanted, make)).toHaveLength(400);
  });
});
