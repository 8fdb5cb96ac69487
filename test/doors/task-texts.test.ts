// Tasks in the text of a file.
import { describe, expect, test } from "bun:test";
import { readerFor } from "../../src/doors/cli/input/read.ts";
import { FileFault } from "../../src/operations/inputs/file-fault.ts";

function tasksIn(path: string, text: string): unknown[] {
  return readerFor(path, text)(text).map(({ task }) => task);
}

describe("the form of a file is told by its name, else by what it looks like", () => {
  const cases: [string, string, unknown[]][] = [
    ["tasks.txt", "one\r\n\r\n  two  \n", ["one", "two"]],
    ["tasks", "- [ ] one\n- [x] done\n- [ ] two", ["one", "two"]],
    ["-", "[[answer]] one\n[link](x) two", ["[[answer]] one", "[link](x) two"]],
    ["-", ' [\n "one",\n {"task": "two", "model": "opus"}\n]', ["one", { task: "two", model: "opus" }]],
    ["-", '{"task":"one"}\n\n{"task":"two"}\n', [{ task: "one" }, { task: "two" }]],
    ["x.jsonl", '"one"\n{"task":"two"}', ["one", { task: "two" }]],
    ["-", "task,model\none,opus", [{ task: "one", model: "opus" }]],
    ["-", "task, of which there are many\nno CSV", ["task, of which there are many", "no CSV"]],
    ["tasks.txt", '{"not": "read as JSON"}', ['{"not": "read as JSON"}']],
    // A list whose only column is `task`: its name is no task.
    ["-", "task\nfoo\nbar, and baz\n", [{ task: "foo" }, { task: "bar, and baz" }]],
    ["tasks.csv", '"Prompt"\r\nbar, and baz\r\n', [{ task: "bar, and baz" }]],
    ["-", "Task\r\nfoo\r\n", [{ task: "foo" }]],
    [
      "tasks.csv",
      'task\n"a ""b"", c"\nplain, with commas',
      [{ task: 'a "b", c' }, { task: "plain, with commas" }],
    ],
    ["-", "task", ["task"]],
    [
      "tasks.yaml",
      "# a list\n- Review a\n- task: Review b\n  model: opus\n",
      ["Review a", { task: "Review b", model: "opus" }],
    ],
    ["tasks.yml", "- |\n  one\n  two\n", ["one\ntwo\n"]],
    [
      "-",
      '- task: Review b\n  model: opus\n- "task": c\n',
      [{ task: "Review b", model: "opus" }, { task: "c" }],
    ],
    ["-", "one\ntwo\0three\0", ["one\ntwo", "three"]],
    ["tasks.txt", "a\0\0b\n\0", ["a", "b"]],
  ];
  for (const [path, text, expected] of cases) {
    test(`${path}: ${JSON.stringify(text)}`, () => expect(tasksIn(path, text)).toEqual(expected));
  }
});

test("a Markdown list gives its open boxes with what is indented below them, and nothing of what is done", () => {
  const text = `# Plan

Some words.

- [ ] Review the door
  and its tests:

  \`\`\`sh
  - [ ] no task
  \`\`\`
- [x] Done already
  with words of its own
* [X] Also done
1. [ ] A numbered one
   - [ ] within it
- a plain item
Unindented words belong to nobody.

\`\`\`
- [ ] an example, and no task
\`\`\`
- [ ] Last
`;
  expect(tasksIn("plan.md", text)).toEqual([
    "Review the door\nand its tests:\n\n```sh\n- [ ] no task\n```",
    "A numbered one",
    "within it",
    "Last",
  ]);
});

test("CSV holds quotes, separators and line breaks in quotes, and options by either spelling", () => {
  const text =
    'task,maxTurns,"allowed-tools",slashCommands,workingDirectory\r\n"say ""hi"",\r\nthen go",3,"Read,Bash(a, b)",true,\r\n\r\nplain,,,,/tmp\r\n';
  expect(tasksIn("tasks.csv", text)).toEqual([
    { task: 'say "hi",\r\nthen go', maxTurns: 3, allowedTools: "Read,Bash(a, b)", slashCommands: true },
    { task: "plain", workingDirectory: "/tmp" },
  ]);
  expect(tasksIn("tasks.csv", "task;model\na, b;opus")).toEqual([{ task: "a, b", model: "opus" }]);
  expect(tasksIn("tasks.tsv", "model\ttask\nopus\ta, b")).toEqual([{ task: "a, b", model: "opus" }]);
});

test("columns are known in every case, with blanks, hyphens or underscores, and by other names", () => {
  const text = "Task,MODEL,Max Turns,max_budget_usd,cwd,allowedtools\na,opus,3,0.5,/tmp,Read\n";
  const expected = {
    task: "a",
    model: "opus",
    maxTurns: 3,
    maxBudgetUsd: 0.5,
    workingDirectory: "/tmp",
    allowedTools: "Read",
  };
  expect(tasksIn("tasks.csv", text)).toEqual([expected]);
  expect(tasksIn("-", text)).toEqual([expected]);
});

test("what spreadsheets add is no part of a task: the line with the separator, and an empty last column", () => {
  const two = [{ task: "a, b", model: "opus" }, { task: "c" }];
  expect(tasksIn("tasks.csv", "sep=;\r\ntask;model\r\na, b;opus\r\nc;\r\n")).toEqual(two);
  expect(tasksIn("-", "sep=;\ntask;model\na, b;opus\nc;\n")).toEqual(two);
  expect(tasksIn("tasks.csv", 'task,model,\n"a, b",opus,\nc,,\n')).toEqual(two);
  expect(tasksIn("-", "task;model;;\na, b;opus;;\nc\n")).toEqual(two);
});

test("each task knows its line", () => {
  const placesIn = (path: string, text: string) => readerFor(path, text)(text).map(({ place }) => place);
  expect(placesIn("x.csv", "task,model\na,opus\n\nb,\n")).toEqual(["line 2", "line 4"]);
  expect(placesIn("x.csv", "sep=;\ntask;model\na;opus\n")).toEqual(["line 3"]);
  expect(placesIn("x.csv", 'task,model\n"a\nb",opus\nc,\n')).toEqual(["line 2", "line 4"]);
  expect(placesIn("x.txt", "a\n\nb")).toEqual(["line 1", "line 3"]);
  expect(placesIn("x.md", "# x\n- [ ] a\n- [ ] b")).toEqual(["line 2", "line 3"]);
  expect(placesIn("x.json", '[\n"a",\n\n{"task": "b"}, "c"]')).toEqual(["line 2", "line 4", "line 4"]);
  expect(placesIn("x.jsonl", '\n"a"\n"b"')).toEqual(["line 2", "line 3"]);
});

describe("what is wrong in a file is named with its line", () => {
  const cases: [path: string, text: string, place: string | undefined, fault: string | RegExp][] = [
    ["x.csv", "prompts,model\na,opus\n", "line 1", "the first row needs a column `task`"],
    ["x.csv", "task,modle\na,opus\n", "line 1", "the column `modle` is not known; did you mean `model`?"],
    ["x.csv", "sep=;\ntask;qqqq\na;b\n", "line 2", "the column `qqqq` is not known"],
    ["x.csv", "task,prompt\na,b\n", "line 1", "the column `prompt` is there twice"],
    ["x.csv", "task,model\na,b,c\n", "line 2", "3 cells in 2 columns; put text with a `,` in quotes"],
    ["x.tsv", "task\tmodel\na\tb\tc\n", "line 2", "3 cells in 2 columns; put text with a tab in quotes"],
    ["x.csv", 'task,model\na,"b\n', "line 2", "the quotes that open here are never closed"],
    [
      "x.csv",
      "task,Fork session\na,maybe\n",
      "line 2",
      'Fork session was given as "maybe": expected true or false',
    ],
    ["x.csv", "task,max-turns\na,b\n", "line 2", 'max-turns was given as "b": expected a number'],
    ["x.md", "- [x] a\n", undefined, "it has no open task: its only box is ticked"],
    ["x.md", "- [x] a\n- [X] b\n", undefined, "it has no open task: all 2 boxes are ticked"],
    ["x.md", "words\n", undefined, "it has no task: expected open checkboxes (`- [ ] what to do`)"],
    ["x.json", '["a",\n"b"', "line 2", /expected/],
    ["x.json", '["a",\n// a note\n"b"]', "line 2", /^no JSON|expected/],
    ["x.json", '{"task": "a"}', "line 1", "expected a list: strings, or objects with `task`"],
    ["x.jsonl", '"a"\n{broken\n', "line 2", /^no JSON \(/],
  ];
  for (const [path, text, place, fault] of cases)
    test(`${path}: ${JSON.stringify(text)}`, () => {
      let thrown: unknown;
      try {
        readerFor(path, text)(text);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(FileFault);
      if (!(thrown instanceof FileFault)) return;
      expect(thrown.place).toBe(place);
      expect(thrown.message).toMatch(
        fault instanceof RegExp ? fault : new RegExp(`^${RegExp.escape(fault)}$`),
      );
    });
});

test("a first row names columns where one of them is known, with rows below it", () => {
  expect(tasksIn("-", "modle,tasks\na,b")).toEqual(["modle,tasks", "a,b"]);
  expect(tasksIn("-", "model\nopus")).toEqual(["model", "opus"]);
  expect(tasksIn("-", "task,model\n")).toEqual(["task,model"]);
  expect(() => tasksIn("-", "model,effort\nopus,high")).toThrow("the first row needs a column `task`");
});
