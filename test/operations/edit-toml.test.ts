// One table in a TOML file changes, and not a character elsewhere.
import { describe, expect, test } from "bun:test";
import { readToml, removeFromToml, setInToml } from "../../src/operations/clients/edit-toml.ts";

const path = ["mcp_servers", "own"];

describe("values that are set", () => {
  const cases: [what: string, before: string, values: Record<string, unknown>, after: string][] = [
    ["make the table in an empty file", "", { command: "p" }, '[mcp_servers.own]\ncommand = "p"\n'],
    [
      "make it at the end, behind a blank line",
      'model = "x"\n\n\n',
      { command: "p", args: ["a", "b"] },
      'model = "x"\n\n[mcp_servers.own]\ncommand = "p"\nargs = ["a", "b"]\n',
    ],
    [
      "keep the line ends of Windows",
      "a = 1\r\n",
      { command: "p" },
      'a = 1\r\n\r\n[mcp_servers.own]\r\ncommand = "p"\r\n',
    ],
    [
      "take the place of those that are there, and remarks stay",
      '[mcp_servers.own]\ncommand = "old" # mine\nother = 1\n\n[next]\ncommand = "n"\n',
      { command: "p" },
      '[mcp_servers.own]\ncommand = "p" # mine\nother = 1\n\n[next]\ncommand = "n"\n',
    ],
    [
      "go behind the last line of their table",
      "[mcp_servers.own]\na = 1\n\n\n# of the next\n[next]\nb = 2\n",
      { command: "p", more: true },
      '[mcp_servers.own]\na = 1\ncommand = "p"\nmore = true\n\n\n# of the next\n[next]\nb = 2\n',
    ],
    [
      "go into a table without a line",
      "[mcp_servers.own]\n\n[next]\n",
      { command: "p" },
      '[mcp_servers.own]\ncommand = "p"\n\n[next]\n',
    ],
    [
      "go into the last table of a file without an end of its last line",
      "[mcp_servers.own]\na = 1",
      { command: "p" },
      '[mcp_servers.own]\na = 1\ncommand = "p"',
    ],
    [
      "go before remarks at the end of the file",
      "[mcp_servers.own]\na = 1\n# end\n",
      { command: "p" },
      '[mcp_servers.own]\na = 1\ncommand = "p"\n# end\n',
    ],
    [
      "take the place of a list of several lines",
      '[mcp_servers.own]\nargs = [\n  "a", # one\n  "b",\n] # all\ncommand = "old"\nlast = 1\n\n[next]\n',
      { args: ["c"], command: "p", fresh: 1 },
      '[mcp_servers.own]\nargs = ["c"] # all\ncommand = "p"\nlast = 1\nfresh = 1\n\n[next]\n',
    ],
    [
      "take no # in a text for a remark",
      '[mcp_servers.own]\ncommand = "a # b" # c # d\nother = "e # f"\n',
      { command: "p", other: "q" },
      '[mcp_servers.own]\ncommand = "p" # c # d\nother = "q"\n',
    ],
    [
      "find their table however its name is written",
      '[ mcp_servers . "own" ]\ncommand = "old"\n',
      { command: "p" },
      '[ mcp_servers . "own" ]\ncommand = "p"\n',
    ],
    [
      "find a key however it is written, and no dotted one",
      '[mcp_servers.own]\nenv.A = "1"\n"command" = "old"\n',
      { command: "p" },
      '[mcp_servers.own]\nenv.A = "1"\ncommand = "p"\n',
    ],
    [
      "leave a text of several lines that looks like their table",
      'note = """\n[mcp_servers.own]\ncommand = "x"\n"""\n\n[mcp_servers.own]\ncommand = "old" # mine\n',
      { command: "p" },
      'note = """\n[mcp_servers.own]\ncommand = "x"\n"""\n\n[mcp_servers.own]\ncommand = "p" # mine\n',
    ],
    [
      "go behind a text of several lines in their table that looks like the next one",
      "[mcp_servers.own]\nnote = '''\n[next]\ncommand = 1\n# all''' # kept\n\n[next]\nb = 2\n",
      { command: "p" },
      "[mcp_servers.own]\nnote = '''\n[next]\ncommand = 1\n# all''' # kept\ncommand = \"p\"\n\n[next]\nb = 2\n",
    ],
    [
      "go before a list of tables",
      "[mcp_servers.own]\na = 1\n\n[[list]]\nb = 2\n",
      { command: "p" },
      '[mcp_servers.own]\na = 1\ncommand = "p"\n\n[[list]]\nb = 2\n',
    ],
    [
      "leave a line of a list that looks like a heading",
      "[mcp_servers.own]\na = [\n[1],\n  [2],\n]\nb = 1\n\n[next]\n",
      { command: "p" },
      '[mcp_servers.own]\na = [\n[1],\n  [2],\n]\nb = 1\ncommand = "p"\n\n[next]\n',
    ],
  ];
  for (const [what, before, values, after] of cases) {
    test(what, () => {
      expect(setInToml(before, path, values)).toBe(after);
      expect(readToml(after)).toMatchObject({ mcp_servers: { own: values } });
    });
  }

  test("are written as TOML has them", () => {
    const values = {
      text: 'a "b" \\ \n \x7f',
      number: 1.5,
      yes: true,
      list: [1, ["a"]],
      none: {},
      table: { "a b": "c", d: 1 },
      "a.b": 2,
    };
    const text = setInToml("", ["x y", "z"], values);
    expect(text).toBe(
      [
        '["x y".z]',
        'text = "a \\"b\\" \\\\ \\n \\u007F"',
        "number = 1.5",
        "yes = true",
        'list = [1, ["a"]]',
        "none = {}",
        'table = { "a b" = "c", d = 1 }',
        '"a.b" = 2',
        "",
      ].join("\n"),
    );
    expect(readToml(text)).toEqual({ "x y": { z: values } });
  });

  test("are refused where the value that they replace has no end", () => {
    expect(() => setInToml("[mcp_servers.own]\nargs = [\n", path, { args: [] })).toThrow(
      "line 2: the value has no end",
    );
  });
});

describe("a table that is removed", () => {
  const cases: [what: string, before: string, after: string][] = [
    ["leaves nothing of itself", '[mcp_servers.own]\ncommand = "p"\n', ""],
    [
      "goes with the tables below it and one blank line",
      'a = 1\n\n[mcp_servers.own]\ncommand = "p"\n\n[mcp_servers.own.env]\nA = "1"\n\n[next]\nb = 2\n',
      "a = 1\n\n[next]\nb = 2\n",
    ],
    ["goes from the end", "a = 1\n\n[mcp_servers.own]\nb = 2\n", "a = 1\n"],
    [
      "leaves the remark of the next table, and those at the end",
      "[mcp_servers.own]\nb = 2\n# of the next\n[next]\n# end\n",
      "# of the next\n[next]\n# end\n",
    ],
    [
      "leaves the remark of the next table where it has no line",
      "[mcp_servers.own]\n# of the next\n[next]\n",
      "# of the next\n[next]\n",
    ],
    [
      "leaves a table whose name only begins like its own, and the one around it",
      "[mcp_servers]\na = 1\n[mcp_servers.own2]\nb = 2\n",
      "[mcp_servers]\na = 1\n[mcp_servers.own2]\nb = 2\n",
    ],
    [
      "leaves two tables without a blank line between them so",
      "[a]\n[mcp_servers.own]\nb = 2\n[c]\n",
      "[a]\n[c]\n",
    ],
    ["leaves the blank line before another table", "[a]\n\n[mcp_servers.own]\nb = 2\n[c]\n", "[a]\n\n[c]\n"],
    [
      "leaves texts of several lines that look like it, and those in it are no end of it",
      'note = """\n[mcp_servers.own]\n"""\n[mcp_servers.own]\nb = """\n[next]\n# c"""\n[next]\nd = 1 # e\n',
      'note = """\n[mcp_servers.own]\n"""\n[next]\nd = 1 # e\n',
    ],
    ["keeps the line ends of Windows", "a = 1\r\n\r\n[mcp_servers.own]\r\nb = 2\r\n", "a = 1\r\n"],
    ["is not missed where it is not there", "a = 1\n", "a = 1\n"],
  ];
  for (const [what, before, after] of cases) {
    test(what, () => expect(removeFromToml(before, path)).toBe(after));
  }
});

describe("a file is read", () => {
  test("with and without a byte order mark", () => {
    expect(readToml('\uFEFFa = "b"')).toEqual({ a: "b" });
    expect(readToml("")).toEqual({});
  });

  const faults: [string, string][] = [
    ["a = 1\nb =\n", "line 2: "],
    ["a = 1\nb = [\n1,\n", "line 2: "],
    ["[x\n", "line 1: "],
  ];
  for (const [text, place] of faults) {
    test(`${JSON.stringify(text)} is refused with the line`, () => {
      expect(() => readToml(text)).toThrow(new RegExp(`^${place}(?!TOML)`));
    });
  }

  test("a table that is there twice is refused without a line", () => {
    expect(() => readToml("[a]\nb = 1\n[a]\nb = 2\n")).toThrow(/^Cannot redefine table 'a'$/);
  });
});
