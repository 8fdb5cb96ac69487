// Sentences in a terminal are broken between words, and nowhere else.
import { describe, expect, test } from "bun:test";
import { wrap, wrapped } from "../src/doors/cli/terminal/wrapped.ts";
import { facilities, needsMark } from "./facilities.ts";
import { Home, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";

const ownTerminal = "a terminal of one's own";

const terminal = { isTerminal: true, width: 41 };

describe("wrapped", () => {
  test("breaks lines between words, with the further ones set in", () => {
    const text =
      "Timed out after 600 s of nothing at all, which is long.\n    Retry it with a higher idle timeout, or look at its log.";
    expect(wrapped(text, terminal).split("\n")).toEqual([
      "Timed out after 600 s of nothing at all,",
      "  which is long.",
      "    Retry it with a higher idle timeout,",
      "    or look at its log.",
    ]);
  });

  test("keeps whole what is copied, and the blanks of columns", () => {
    const text =
      "ok  two  To run the rest, use `parallel-claude-code-mcp retry b4k2 --all-of-them`, or wait.";
    expect(wrapped(text, terminal).split("\n")).toEqual([
      "ok  two  To run the rest, use",
      "  `parallel-claude-code-mcp retry b4k2 --all-of-them`,",
      "  or wait.",
    ]);
    const path = `/home/${"a".repeat(80)}`;
    expect(wrapped(path, terminal)).toBe(path);
  });

  test("sets everything below a column", () => {
    expect(wrapped("one two three four five six seven eight\nnine", terminal, 20).split("\n")).toEqual([
      "one two three four",
      `${" ".repeat(20)}five six seven eight`,
      `${" ".repeat(20)}nine`,
    ]);
  });

  test("changes nothing in a pipe, and in a terminal that is too narrow", () => {
    const text = "many words ".repeat(30);
    expect(wrapped(text, { isTerminal: false, width: 80 })).toBe(text);
    expect(wrapped(text, { isTerminal: true, width: 12 })).toBe(text);
  });

  test("counts columns and not characters or colours", () => {
    expect(
      wrapped(`\u001b[31m${"表 ".repeat(25)}\u001b[0m`, terminal)
        .split("\n")
        .map((line) => Bun.stringWidth(line) <= 40),
    ).toEqual([true, true]);
  });
});

test("help is broken between words, and a word that is longer than a line stays whole", () => {
  expect(wrap(`  one  two\nthree ${"x".repeat(12)} 表 表 表 表`, 10)).toEqual([
    "one two",
    "three",
    "x".repeat(12),
    "表 表 表",
    "表",
  ]);
  expect(wrap(" \n ", 10)).toEqual([]);
});

test.skipIf(!facilities[ownTerminal].isThere()).each([
  [
    "run",
    (_id: string) => ["run", "[[denied tool=Bash input='npm audit']] one", "[[max-turns]] two", "three"],
  ],
  [
    "run without colours",
    (_id: string) => ["run", "[[denied tool=Bash input='npm audit']] one", "[[max-turns]] two"],
  ],
  ["show", (id: string) => ["show", id]],
  ["wait", (id: string) => ["wait", id]],
  ["a refused command", (_id: string) => ["run", "--max-turns", "many", "x"]],
  ["an unknown command", (_id: string) => ["runn"]],
  ["doctor", (_id: string) => ["doctor"]],
])(`%s breaks no word in a terminal of 50 columns ${needsMark([ownTerminal])}`, async (name, words) => {
  await using home = new Home();
  const { out } = await run(home, [
    "run",
    "--json",
    "[[denied tool=Bash input='npm audit']]",
    "[[max-turns]]",
  ]);
  const { batchId }: { batchId: string } = JSON.parse(out);
  const environment = name.includes("colours") ? { NO_COLOR: "1" } : {};
  await using command = new TerminalCommand(home, words(batchId), { columns: 50, rows: 60, environment });
  await command.ended();
  // What fills a row was broken by the terminal: paths, commands, and rows with the name of a file may be longer than it is wide.
  const rows = command.screen.text.split("\n");
  const filled = rows.filter((line) => Bun.stringWidth(line) >= 50);
  expect(filled.filter((line) => !/[/`]|result-|error-|[A-Z]_|\$\d/.test(line))).toEqual([]);
  expect(rows.length).toBeGreaterThan(2);
  await home.empty();
});
