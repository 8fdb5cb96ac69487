// Comments in the source are plain English, as documents are.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { filesBelow } from "./files-below.ts";
import { wornWords } from "./worn-words.ts";

const source = join(import.meta.dir, "..", "src");

/** All comments of a source, without code and quotations in them. */
function commentsIn(text: string): string {
  const comments = text.match(/^\s*\/\/.*$|\/\*[\s\S]*?\*\/|(?<=[;{},)\]] )\/\/ .*$/gm) ?? [];
  return comments.join("\n").replace(/`[^`\n]*`|"[^"\n]*"/g, "");
}

test("comments are found wherever they stand, without code in them", () => {
  const text =
    '// One.\n/** Two `told`. */\nconst a = 1; // Three "whom".\nconst b = "four"; /* Five.\n six */';
  expect(commentsIn(text)).toBe("// One.\n/** Two . */\n// Three .\n/* Five.\n six */");
});

test("no word in a comment is worn out", async () => {
  const paths = filesBelow(source, ".ts");
  expect(paths.length).toBeGreaterThan(200);
  const found = paths.map(async (path) => {
    const words = commentsIn(await Bun.file(join(source, path)).text()).match(wornWords) ?? [];
    return words.map((word) => `${path}: ${word}`);
  });
  expect((await Promise.all(found)).flat()).toEqual([]);
});
