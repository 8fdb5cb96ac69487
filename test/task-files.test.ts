// Tasks out of files and standard input.

import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home, program, run } from "./harness.ts";

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
      writeFileSync(join(home.work, "tasks.csv"), bytes);
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

describe("what a template is about comes from standard input", () => {
  const planned = async (stdin: string, ...words: string[]) => {
    await using home = new Home();
    const child = Bun.spawn([...program(), "run", "--dry-run", "--json", "--template", ...words], {
      cwd: home.work,
      env: home.environment,
      stdin: Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (code !== 0) return err;
    const { tasks }: { tasks: { key: string; task: string }[] } = JSON.parse(out);
    return tasks.map(({ key, task }) => [key, task]);
  };

  test("as lines, or separated by NUL", async () => {
    const both = [
      ["src/a.ts", "Review src/a.ts"],
      ["b c.ts", "Review b c.ts"],
    ];
    const words = ["Review {{item}}", "--for-each-line", "-"];
    expect(await planned("src/a.ts\n\nb c.ts\n", ...words)).toEqual(both);
    expect(await planned("src/a.ts\0b c.ts\0", "Review {{item}}", "--for-each-lines=-")).toEqual(both);
  });

  test("as rows and objects", async () => {
    const greeted = [["1", "Greet Ann"]];
    expect(await planned("id,name\n1,Ann\n", "Greet {{name}}", "--for-each-csv", "-")).toEqual(greeted);
    expect(await planned('{"id": 1, "name": "Ann"}\n', "Greet {{name}}", "--for-each-jsonl", "-")).toEqual(
      greeted,
    );
  });

  test("and what is wrong with it is named with its line", async () => {
    expect(await planned("\n", "Do {{item}}", "--for-each-line", "-")).toContain(
      "--for-each-line standard input has no lines",
    );
    expect(await planned('id,name\n1,Ann\n2,"Bo\n', "Greet {{name}}", "--for-each-csv", "-")).toContain(
      "--for-each-csv standard input, line 3: the quotes that open here are never closed",
    );
  });
});

test("a table has columns for keys, and for what a task starts after", async () => {
  await using home = new Home();
  const rows =
    'key,task,after,model\nparse,Parse it,,opus\ncount,Count it,,\n,"Read {{results.parse}}",parse;count,\n';
  writeFileSync(join(home.work, "tasks.csv"), rows);
  const { code, out, err } = await run(home, ["run", "-f", "tasks.csv", "--dry-run", "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out).tasks).toMatchObject([
    { key: "parse", options: { model: "opus" } },
    { key: "count" },
    { after: [1, 2] },
  ]);
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
      writeFileSync(join(home.work, `${path}`), text, text.includes("\xe9") ? "latin1" : "utf8");
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
  writeFileSync(join(home.work, "tasks.csv"), "task,model\n[[args]] one,opus\n[[args]] two,\n");
  const { code, out } = await run(home, ["run", "-f", "tasks.csv", "--model", "haiku", "--json"]);
  expect(code).toBe(0);
  const { results }: { results: { result: string }[] } = JSON.parse(out);
  expect(
    results.map(({ result }) => JSON.parse(result).find((one: string) => one.startsWith("--model"))),
  ).toEqual(["--model=opus", "--model=haiku"]);
});
