// What of a text from elsewhere may be shown as it is.
import { describe, expect, test } from "bun:test";
import { harmless, harmlessJson } from "../../src/report/harmless.ts";

// By their code points, so that this file has none of them.
const of = (...points: number[]) => String.fromCodePoint(...points);
const hello = [...of(0x1f44b)].join("");

const attacks: [string, string, string][] = [
  ["an escape that fills the clipboard", "a\x1b]52;c;eA==\x07b", "ab"],
  ["an escape that clears the screen", "a\x1b[2Jb", "ab"],
  ["a control of the other kind (C1)", `a${of(0x9d)}52;c;x`, "a\ufffd52;c;x"],
  ["a sequence that never ends, without the text behind it", "a\x1b]0;b\nc", "a\u241b]0;b\nc"],
  ["a line that is written over", "good\rbad", "good\nbad"],
  ["line and paragraph separators", `a${of(0x2028)}b${of(0x2029)}c`, "a\nb\nc"],
  ["a turned direction", `a${of(0x202e)}b`, "a\ufffdb"],
  ["marks of direction", `a${of(0x200e)}b${of(0x200f)}c${of(0x061c)}d`, "a\ufffdb\ufffdc\ufffdd"],
  ["blanks without width", `a${of(0x200b)}b${of(0x2060)}c${of(0xfeff)}d`, "a\ufffdb\ufffdc\ufffdd"],
  ["a joiner between letters", `a${of(0x200d)}b${of(0x200c)}c`, "a\ufffdb\ufffdc"],
  ["words in tags", `a${of(0xe0049, 0xe0067, 0xe006e)}b`, "a\ufffdb"],
  [
    "words in tags behind a flag",
    `${of(0x1f3f4)}${of(...Array(20).fill(0xe0061))}`,
    expect.stringContaining("\ufffd"),
  ],
  ["words in variant selectors", `a${of(0xfe0f, 0xfe01, 0xfe02)}`, `a${of(0xfe0f)}\ufffd`],
  ["words in more variant selectors", `a${of(0xe0101, 0xe0102)}`, "a\ufffd"],
];

const whole: [string, string][] = [
  ["a family", of(0x1f468, 0x200d, 0x1f469, 0x200d, 0x1f467)],
  ["a heart on fire", of(0x2764, 0xfe0f, 0x200d, 0x1f525)],
  ["a profession with a skin tone", of(0x1f469, 0x1f3fd, 0x200d, 0x1f4bb)],
  ["the flag of Wales", of(0x1f3f4, 0xe0067, 0xe0062, 0xe0077, 0xe006c, 0xe0073, 0xe007f)],
  ["Persian with a non-joiner", of(0x645, 0x6cc, 0x200c, 0x62e)],
  ["Hindi with a joiner", of(0x915, 0x94d, 0x200d, 0x937)],
  ["a variant of a Han character", of(0x845b, 0xe0100)],
  ["German, Hebrew, Japanese and an emoji", `Größe ${of(0x5e9, 0x5dc)} ${of(0x65e5, 0x672c)} ${hello}`],
  ["tabs and line feeds", "a\tb\nc"],
];

describe("harmless", () => {
  test.each(attacks)("shows %s as a sign, or not at all", (_, text, shown) => {
    expect(harmless(text)).toEqual(shown);
  });

  test.each(whole)("leaves %s whole", (_, text) => {
    expect(harmless(text)).toBe(text);
  });
});

describe("JSON", () => {
  test.each(attacks)("has %s as an escape, and loses nothing", (_, text) => {
    const json = harmlessJson({ text });
    expect(JSON.parse(json)).toEqual({ text });
    // Whatever shows the JSON shows no more than it would of a harmless text.
    expect(harmless(json)).toBe(json);
  });

  test.each(whole)("leaves %s readable", (_, text) => {
    expect(harmlessJson(text)).toBe(JSON.stringify(text));
  });
});

test("what needs no change is seen at once, and nothing that needs one is overlooked", () => {
  // The escape makes it look closely, and goes.
  const closely = (text: string) => harmless(`\x1b[m${text}`);
  const differ: string[] = [];
  for (let unit = 0; unit < 0x10000; unit++) {
    const text = `a${String.fromCharCode(unit)}b`;
    if (harmless(text) !== closely(text)) differ.push(unit.toString(16));
  }
  expect(differ).toEqual([]);
});
