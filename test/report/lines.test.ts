// Texts of several lines: where they are shortened, and how they are indented.
import { expect, test } from "bun:test";
import { cutAtLine, indented } from "../../src/report/lines.ts";

test("a text is shortened between two lines, and says how many more there were", () => {
  const text = "first\nsecond\n\nthird\n";
  expect(cutAtLine(text, text.length)).toBe(text);
  expect(cutAtLine(text, 13)).toBe("first\nsecond\n… and 1 more line.");
  // The limit at the end of a line keeps that line.
  expect(cutAtLine(text, 12)).toBe("first\nsecond\n… and 1 more line.");
  expect(cutAtLine(text, 11)).toBe("first\n… and 2 more lines.");
  expect(cutAtLine("first\n\n\n", 6)).toBe("first");
});

test("a first line that is too long is cut inside, but never inside a character", () => {
  expect(cutAtLine("abcdef\nx", 3)).toBe("abc\n… and 5 more characters.");
  expect(cutAtLine("ab😀", 3)).toBe("ab\n… and 2 more characters.");
});

test("every line gets the same indentation, and an empty one none", () => {
  expect(indented("one\n    two\n\nthree ", "  ")).toBe("  one\n  two\n\n  three");
});
