// Tasks out of files and standard input.
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { readerFor } from "../src/doors/task-files/read.ts";
import { Home, program, run } from "./harness.ts";

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

describe("a file is read in the encoding that it has", () => {
  const text = "task;model\r\nRéview ünïcode;opus\r\nzwei;\r\n";
  const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();
  const cases: [string, Buffer][] = [
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16 of PowerShell and Excel", Buffer.from(`\ufeff${text}`, "utf16le")],
    ["UTF-16, the other way round", swapped(Buffer.from(`\ufeff${text}`, "utf16le"))],
    ["UTF-16 without a mark", Buffer.from(text, "utf16le")],
    ["UTF-16 without a mark, the other way round", swapped(Buffer.from(text, "utf16le"))],
    ["lines that end as on old Macs", Buffer.from(text.replaceAll("\r\n", "\r"))],
  ];
  for (const [name, bytes] of cases) {
    test(name, async () => {
      await using home = new Home();
      writeFileSync(`${home.work}/tasks.csv`, bytes);
      const { code, out } = await run(home, ["run", "-f", "tasks.csv", "--dry-run", "--json"]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        tasks: [
          { task: "Réview ünïcode", options: { model: "opus" } },
          { task: "zwei", options: {} },
        ],
      });
    });
  }

  test("and from standard input", async () => {
    await using home = new Home();
    const child = Bun.spawn([...program(), "run", "-f", "-", "--dry-run", "--json"], {
      cwd: home.work,
      env: home.environment,
      stdin: Buffer.from("\ufeffone\r\ntwo\r\n", "utf16le"),
      stdout: "pipe",
    });
    expect(JSON.parse(await child.stdout.text())).toMatchObject({
      tasks: [{ task: "one" }, { task: "two" }],
    });
  });
});

describe("what is wrong with a file is told with its line, and nothing has run", () => {
  const cases: [string, string, string][] = [
    ["tasks.json", '[\n  "one"\n  "two"\n]', "the file tasks.json, line 3: no JSON (comma expected)"],
    ["tasks.json", '{"tasks": []}', "expected a list"],
    [
      "tasks.json",
      '[\n  "one",\n  {"task": "two", "modle": "opus"}\n]',
      "line 3: modle is not known; did you mean `model`?",
    ],
    ["tasks.json", '[\n  "one",\n  7\n]', "the file tasks.json, line 3: the task was given as 7"],
    ["tasks.jsonl", '{"task":"a"}\n{"task":}\n', "line 2: no JSON"],
    ["tasks.jsonl", '{"task":"a"}\n{"model":"opus"}\n', "line 2: task is missing"],
    ["tasks.csv", "title,model\na,b", "line 1: the first row needs a column `task`"],
    ["tasks.csv", "task,modle\na,b", "line 1: the column `modle` is not known; did you mean `model`?"],
    ["tasks.csv", "task,model,model\na,b,c", "there twice"],
    [
      "tasks.csv",
      'task,maxTurns\n"two\nlines",3\nb,many',
      'line 4: maxTurns was given as "many": expected a number',
    ],
    ["tasks.csv", "task,model\na,b,c", "line 2: 3 cells in 2 columns"],
    ["tasks.csv", 'task,model\na,b\n"open', "line 3: the quotes that open here are never closed"],
    ["tasks.csv", "task,effort\na,hgih", "line 2: effort was given as"],
    ["tasks.csv", "task,model\n,opus", "line 2: task was given as"],
    ["tasks.md", "# Nothing\n- plain", "it has no task: expected open checkboxes"],
    ["tasks.md", "- [x] one", "its only box is ticked"],
    ["tasks.md", "- [x] one\n- [X] two", "all 2 boxes are ticked"],
    ["tasks", '[\n  "one",\n', "no JSON"],
    ["tasks.txt", "\n \n", "it has no task"],
    ["tasks.txt", "caf\xe9", "cannot be read: it is not text in UTF-8 or UTF-16"],
    ["tasks.yaml", "- task: a\n  model: [\n", "no YAML"],
    ["tasks.yaml", "task: a\n", "expected a list"],
    ["tasks.yaml", "- a\n- Review: b\n", "item 2: Review is not known"],
    ["tasks.yaml", "- a\n- 7\n", "item 2: the task was given as 7"],
    ["tasks.csv", "sep=;\ntask;modle\na;b", "line 2: the column `modle` is not known"],
    ["tasks.csv", "sep=;\ntask;maxTurns\na;b", "line 3: maxTurns was given as"],
    ["tasks.csv", "task,model,Model\na,b,c", "the column `Model` is there twice"],
    ["tasks.csv", "task,,model\na,b,c", "the column `` is not known"],
    ["list.xlsx", "PK", "a .xlsx file is no list of tasks"],
    ["notes.py", "print(1)", "a .py file is no list of tasks"],
  ];
  for (const [path, text, expected] of cases) {
    test(`${path}: ${JSON.stringify(text)}`, async () => {
      await using home = new Home();
      writeFileSync(`${home.work}/${path}`, text, text.includes("\xe9") ? "latin1" : "utf8");
      const { code, out, err } = await run(home, ["run", "-f", path]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(expected);
      expect(err).toContain(path);
      expect(existsSync(home.startsLog)).toBe(false);
    });
  }
});

test("options of a file's tasks reach their sessions, and win over the flags", async () => {
  await using home = new Home();
  writeFileSync(`${home.work}/tasks.csv`, "task,model\n[[args]] one,opus\n[[args]] two,\n");
  const { code, out } = await run(home, ["run", "-f", "tasks.csv", "--model", "haiku", "--json"]);
  expect(code).toBe(0);
  const { results }: { results: { result: string }[] } = JSON.parse(out);
  expect(
    results.map(({ result }) => JSON.parse(result).find((one: string) => one.startsWith("--model"))),
  ).toEqual(["--model=opus", "--model=haiku"]);
});
