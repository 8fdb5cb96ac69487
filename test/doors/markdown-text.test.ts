// Claude's Markdown in a terminal with colours.
import { describe, expect, test } from "bun:test";
import { markdownText, shownMarkdown } from "../../src/doors/cli/view/markdown-text.ts";

const out = {
  isTerminal: true,
  isColoured: true,
  width: 60,
  paint: (colour: string, text: string) => `<${colour}>${text}</${colour}>`,
};
const shown = (text: string, width = 60) => markdownText(text, { ...out, width });

describe("an answer in a terminal", () => {
  test("has bold headings and words, and code in a colour, without the marks", () => {
    expect(shown("# Title of `it` #\n\nSome **strong** and __bold__ `code **x**` words.")).toBe(
      "<bold>Title of it</bold>\n\nSome <bold>strong</bold> and <bold>bold</bold> <cyan>code **x**</cyan> words.",
    );
    expect(shown("a * b * c, snake__case__name, ** x ** and `open")).toBe(
      "a * b * c, snake__case__name, ** x ** and `open",
    );
  });

  test("has nothing before the lines of code, so that they can be copied", () => {
    expect(shown("```sh\nls  **x** | wc\n\n  # no heading\n```\nafter\n~~~~\n```\n~~~~")).toBe(
      "<faint>sh</faint>\n<cyan>ls  **x** | wc</cyan>\n<cyan></cyan>\n<cyan>  # no heading</cyan>\nafter\n<cyan>```</cyan>",
    );
  });

  test("keeps lists, boxes, quotations, lines and the addresses of links", () => {
    expect(shown("- one\n  * two\n- [ ] open\n- [x] done\n1. first\n> said\n\n---")).toBe(
      `• one\n  • two\n☐ open\n☑ done\n1. first\n<faint>│</faint> said\n\n<faint>${"─".repeat(40)}</faint>`,
    );
    expect(shown("[words](https://a.example/x) [https://b](https://b) [x](y) ![i](https://i)")).toBe(
      "words <faint>(https://a.example/x)</faint> https://b [x](y) i <faint>(https://i)</faint>",
    );
  });

  test("has tables in columns where they fit, and else as they are written", () => {
    const table = "| Name | `n` |\n| --- | ---: |\n| a `b` | 1 |\n| c \\| d | 22 |";
    const colours = markdownText(table, { ...out, paint: (_, words) => words });
    expect(colours).toBe(`Name    n\n${"─".repeat(9)}\na b     1\nc | d  22`);
    expect(shown("|Name|\n|-|\n|a|")).toBe("<bold>Name</bold>\n<faint>────</faint>\na");
    expect(shown(table, 8)).toBe(table);
    expect(shown("a | b\nno rule")).toBe("a | b\nno rule");
  });

  test("keeps marks that belong to a word at the end of a heading, and nested quotations", () => {
    expect(shown("# About C#\n## Done ##\n### #")).toBe(
      "<bold>About C#</bold>\n<bold>Done</bold>\n<bold></bold>",
    );
    expect(shown("> > deep\n>x")).toBe("<faint>│</faint> <faint>│</faint> deep\n<faint>│</faint> x");
  });

  test.each<[string, string]>([
    ["words that never end to be strong", "**a ".repeat(250_000)],
    ["a heading of such words", `# ${"**a ".repeat(250_000)}`],
    ["marks of headings", `# a${"#".repeat(1_000_000)}x`],
    ["quotations within each other", `${">".repeat(1_000_000)}x`],
    ["blanks behind a fence", `\`\`\`${" ".repeat(1_000_000)}\``],
    ["blanks before a rule", `|\n${" ".repeat(1_000_000)}-x`],
    [
      "a table of as many columns as rows",
      `${"|a".repeat(100_000)}|\n${"|-".repeat(100_000)}|\n${"|\n".repeat(100_000)}`,
    ],
    ["a table of many rows", `|a|\n|-|\n${"|b|\n".repeat(200_000)}`],
  ])(
    "survives a million of %s",
    (_, text) => {
      expect(shown(text).length).toBeGreaterThan(0);
    },
    10_000,
  );

  test("has no lines but its own", () => {
    const text = `- ${"word ".repeat(80).trim()}`;
    expect(shown(text, 30)).toBe(text.replace("-", "•"));
  });

  test("is as it was written elsewhere, without colours, and where somebody asks for that", () => {
    const text = "# Title\n**bold**";
    expect(shownMarkdown(text, { ...out, isColoured: false })).toBe(text);
    expect(shownMarkdown(text, out, true)).toBe(text);
    expect(shownMarkdown(text, out)).toBe("<bold>Title</bold>\n<bold>bold</bold>");
  });
});
