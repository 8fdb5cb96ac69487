// A text that is longer than the screen, in a terminal of this process.
import { expect, test } from "bun:test";
import { pagesOf } from "../../src/doors/cli/terminal/pager.ts";
import { describeNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { OwnTerminal } from "./own-terminal.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`).join("\n");

/** What comes to a terminal of 10 rows from a command that prints these texts. */
async function printed(texts: readonly string[], more: { pager?: string; isWanted?: boolean } = {}) {
  const { pager = "sed 's/^/paged: /'", isWanted } = more;
  using _ = new Inside({ PAGER: pager, TERM: "xterm-256color" });
  using terminal = new OwnTerminal({ rows: 10 });
  const before = process.listenerCount("SIGINT");
  const pages = pagesOf(terminal.printer, isWanted);
  for (const text of texts) await pages.print(text);
  await pages.end();
  await terminal.settled();
  expect(process.listenerCount("SIGINT")).toBe(before);
  return terminal.written.replaceAll("\r", "").split("\x1b[0m\x1b[1m")[0] ?? "";
}

describeNeeding("Linux")("a text that is longer than the screen", () => {
  test("goes to the pager, with what was printed before it and what comes after", async () => {
    const long = lines(9);
    expect(await printed(["first", long, "last"])).toBe(
      `${["first", ...long.split("\n"), "last"].map((line) => `paged: ${line}`).join("\n")}\n`,
    );
  });

  test("counts the lines that the terminal breaks", async () => {
    expect(await printed(["x".repeat(80 * 9 + 1)])).toStartWith("paged: x");
    expect(await printed([lines(9)])).toBe(`${lines(9)}\n`);
  });

  test("is printed where nobody wants a pager", async () => {
    for (const pager of ["", "cat"]) expect(await printed([lines(20)], { pager })).toBe(`${lines(20)}\n`);
    expect(await printed([lines(20)], { isWanted: false })).toBe(`${lines(20)}\n`);
  });

  test("is not lost if there is no such pager, nor an error if its reader leaves early", async () => {
    expect(await printed([lines(20), "last"], { pager: "no-such-pager" })).toEndWith(`${lines(20)}\nlast\n`);
    const early = await printed(
      Array.from({ length: 200 }, () => "x".repeat(10_000)),
      { pager: "head -n 1" },
    );
    expect(early).toBe(`${"x".repeat(10_000)}\n`);
    // More at once than a pipe holds: each of the writes fails.
    const large = Array.from({ length: 3 }, () => "x".repeat(1_000_000));
    expect(await printed(large, { pager: "true" })).toBe("");
    expect(await printed([lines(20), "x".repeat(1_000_000)], { pager: "no-such-pager" })).toEndWith("x\n");
  });

  test("has no sequences of its own for the terminal", async () => {
    const text = await printed([`${lines(20)}\n\x1b[2J\x1b]0;title\x07`]);
    expect(text).not.toContain("\x1b");
  });
});
