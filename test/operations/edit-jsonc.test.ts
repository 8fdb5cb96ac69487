// One entry in a JSON file with comments changes, and not a character elsewhere.
import { describe, expect, test } from "bun:test";
import { readJsonc, removeFromJsonc, setInJsonc } from "../../src/operations/clients/edit-jsonc.ts";

const path = ["servers", "own"];
const value = { command: "p", args: [] as string[] };

describe("an entry that is set", () => {
  const cases: [what: string, before: string, after: string][] = [
    [
      "makes the file where it is empty",
      "",
      '{\n  "servers": {\n    "own": {\n      "command": "p",\n      "args": []\n    }\n  }\n}\n',
    ],
    [
      "keeps the line ends of Windows",
      "\r\n",
      '{\r\n  "servers": {\r\n    "own": {\r\n      "command": "p",\r\n      "args": []\r\n    }\r\n  }\r\n}\r\n',
    ],
    [
      "goes into a table in one line",
      '{"servers": {"a": 1}}',
      '{"servers": {"a": 1, "own": {"command":"p","args":[]}}}',
    ],
    [
      "goes behind a comma in one line, and gets one itself",
      '{"servers": {"a": 1,}}',
      '{"servers": {"a": 1, "own": {"command":"p","args":[]},}}',
    ],
    [
      "goes behind the last of several lines, indented as these are",
      '{\n\t"servers": {\n\t\t"a": 1\n\t}\n}\n',
      '{\n\t"servers": {\n\t\t"a": 1,\n\t\t"own": {\n\t\t\t"command": "p",\n\t\t\t"args": []\n\t\t}\n\t}\n}\n',
    ],
    [
      "gets a comma where the last line has one",
      '{\n  "servers": {\n    "a": 1,\n  },\n}\n',
      '{\n  "servers": {\n    "a": 1,\n    "own": {\n      "command": "p",\n      "args": []\n    },\n  },\n}\n',
    ],
    [
      "goes behind remarks",
      '{\n  "servers": {\n    "a": 1 // one\n    // end\n  }\n}\n',
      '{\n  "servers": {\n    "a": 1, // one\n    // end\n    "own": {\n      "command": "p",\n      "args": []\n    }\n  }\n}\n',
    ],
    [
      "finds the comma behind a remark",
      '{\n  "servers": {\n    "a": 1 /* one */,\n  }\n}\n',
      '{\n  "servers": {\n    "a": 1 /* one */,\n    "own": {\n      "command": "p",\n      "args": []\n    },\n  }\n}\n',
    ],
    [
      "goes into an empty table",
      '{\n    "servers": {}\n}\n',
      '{\n    "servers": {\n        "own": {\n            "command": "p",\n            "args": []\n        }\n    }\n}\n',
    ],
    [
      "closes a table whose only line is open at its beginning",
      '{\n  "servers": {\n    "a": 1 }\n}\n',
      '{\n  "servers": {\n    "a": 1,\n    "own": {\n      "command": "p",\n      "args": []\n    }\n  }\n}\n',
    ],
    [
      "goes behind the lines of a table that begins in its own line",
      '{\n  "servers": { "a": 1,\n    "b": 2\n  }\n}\n',
      '{\n  "servers": { "a": 1,\n    "b": 2,\n    "own": {\n      "command": "p",\n      "args": []\n    }\n  }\n}\n',
    ],
    [
      "takes the place of the one that is there",
      '{\n  "servers": {\n    "own": 1, // mine\n    "b": 2\n  }\n}\n',
      '{\n  "servers": {\n    "own": {\n      "command": "p",\n      "args": []\n    }, // mine\n    "b": 2\n  }\n}\n',
    ],
    [
      "goes behind the last one in its line where the table begins with one",
      '{"servers": {"a": 1,\n  "b": 2}}',
      '{"servers": {"a": 1,\n  "b": 2, "own": {"command":"p","args":[]}}}',
    ],
    [
      "is indented like lines that are not",
      '{\n"servers": {\n"a": 1\n}\n}\n',
      '{\n"servers": {\n"a": 1,\n"own": {\n  "command": "p",\n  "args": []\n}\n}\n}\n',
    ],
    [
      "is not indented like a remark above it",
      '{\n"servers": {\n    // one\n"a": 1\n}\n}\n',
      '{\n"servers": {\n    // one\n"a": 1,\n"own": {\n    "command": "p",\n    "args": []\n}\n}\n}\n',
    ],
    [
      "leaves a byte order mark where it is",
      '\uFEFF{"servers": {"a": 1}}',
      '\uFEFF{"servers": {"a": 1, "own": {"command":"p","args":[]}}}',
    ],
  ];
  for (const [what, before, after] of cases) {
    test(what, () => {
      expect(setInJsonc(before, path, value)).toBe(after);
      expect(readJsonc(after)).toMatchObject({ servers: { own: value } });
    });
  }

  test("makes all tables on the way that are missing", () => {
    expect(setInJsonc('{"a": 1}', ["b", "c", "d"], 2)).toBe('{"a": 1, "b": {"c":{"d":2}}}');
  });

  test("is refused where something on the way is no object", () => {
    expect(() => setInJsonc('{"servers": []}', path, value)).toThrow("`servers` is no object");
    expect(() => setInJsonc('{"a": {"b": 1}}', ["a", "b", "c"], 2)).toThrow("`a.b` is no object");
  });
});

describe("an entry that is removed", () => {
  const cases: [what: string, before: string, after: string][] = [
    ["leaves its table", '{"servers": {"own": 1}}', '{"servers": {}}'],
    ["goes with its comma, out of one line", '{"servers": {"own": 1, "b": 2}}', '{"servers": { "b": 2}}'],
    [
      "takes the comma before it along where it was the last",
      '{"servers": {"a": 1, "own": 1}}',
      '{"servers": {"a": 1}}',
    ],
    [
      "leaves the comma before it where one stood behind it too",
      '{"servers": {"a": 1, "own": 1,}}',
      '{"servers": {"a": 1,}}',
    ],
    [
      "goes with its line and the remark behind it",
      '{\n  "servers": {\n    // one\n    "a": 1,\n    "own": {\n      "x": 1\n    }, // mine\n    "b": 2\n  }\n}\n',
      '{\n  "servers": {\n    // one\n    "a": 1,\n    "b": 2\n  }\n}\n',
    ],
    [
      "goes from the end of several lines, with the comma before it",
      '{\n  "servers": {\n    "a": 1, // one\n    "own": 1\n  }\n}\n',
      '{\n  "servers": {\n    "a": 1 // one\n  }\n}\n',
    ],
    [
      "goes alone where something else stands in its line",
      '{\n  "servers": {\n    "a": 1,  "own": 1 /* x */\n  }\n}\n',
      '{\n  "servers": {\n    "a": 1 /* x */\n  }\n}\n',
    ],
    [
      "goes alone out of the line in which its table begins",
      '{\n  "servers": { "own": 1,\n    "b": 2 }\n}\n',
      '{\n  "servers": {\n    "b": 2 }\n}\n',
    ],
    [
      "leaves what stands behind it in its line",
      '{\n  "servers": {\n    "own": 1, "b": 2\n  }\n}\n',
      '{\n  "servers": {\n "b": 2\n  }\n}\n',
    ],
    [
      "goes with its line where that is not indented",
      '{\n"servers": {\n"own": 1,\n"b": 2\n}\n}\n',
      '{\n"servers": {\n"b": 2\n}\n}\n',
    ],
    ["is not missed where it is not there", '{"servers": {"a": 1}}', '{"servers": {"a": 1}}'],
    ["is not missed where its table is not there", '{"a": 1}', '{"a": 1}'],
    ["is not missed where its table is none", '{"servers": 3}', '{"servers": 3}'],
    [
      "goes with the line end of Windows",
      '{\r\n  "servers": {\r\n    "own": 1\r\n  }\r\n}',
      '{\r\n  "servers": {\r\n  }\r\n}',
    ],
  ];
  for (const [what, before, after] of cases) {
    test(what, () => expect(removeFromJsonc(before, path)).toBe(after));
  }

  test("at the top of the file goes with its line as well", () => {
    expect(removeFromJsonc('{\n  "a": 1,\n  "own": 2\n}', ["own"])).toBe('{\n  "a": 1\n}');
    expect(removeFromJsonc('{ "own": 2\n}', ["own"])).toBe("{\n}");
  });
});

describe("a file is read", () => {
  const cases: [string, unknown][] = [
    ["", {}],
    ["  \n", {}],
    [
      '{"a": [1, {"b": null}, "x"], /* c */ "d": {"e": true,},}',
      { a: [1, { b: null }, "x"], d: { e: true } },
    ],
    ['\uFEFF{"a": 1}', { a: 1 }],
  ];
  for (const [text, value] of cases) test(JSON.stringify(text), () => expect(readJsonc(text)).toEqual(value));

  const faults: [string, string][] = [
    ["[]", "line 1: it holds no JSON object"],
    ["3", "line 1: it holds no JSON object"],
    ['{"a": 1 "b": 2}', "line 1, column 9: comma expected"],
    ['{\n  "a": ,\n}', "line 2, column 8: value expected"],
    ['{\n  "a": 1\n', "line 3, column 1: close brace expected"],
  ];
  for (const [text, fault] of faults)
    test(`${JSON.stringify(text)} is refused with the place`, () =>
      expect(() => readJsonc(text)).toThrow(fault));
});
