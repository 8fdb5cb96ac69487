// Templates that cannot be used: what a caller of the tools and somebody at a command line are answered, word for word.
// Nothing starts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { testNeeding } from "./facilities.ts";
import { connectNew, Home, run, type TestClient } from "./harness.ts";

const home = new Home();
let client: TestClient;

beforeAll(async () => {
  const files = {
    "src/a.ts": "",
    "src/deep/b.ts": "",
    ".gitignore": "dist/\n",
    "dist/out.js": "",
    "rows.csv": 'id,name\n1,Ann\n2,"Bo\n3,Cy\n',
    "short.csv": "id,name\n1,Ann\n2\n",
    "twice.csv": "id,name\n1,Ann\n2,Bo\n1,Cy\n",
    "bad.jsonl": '{"id": 1}\n{"id": 2\n',
    "some.jsonl": '{"id": 1, "name": "Ann"}\n{"id": 2}\n',
    "blank.txt": "\n \n",
    "endless.txt": "x\n".repeat(100_001),
    "endless.csv": "id\n".repeat(100_001),
  };
  for (const [path, text] of Object.entries(files)) await Bun.write(join(home.work, path), text);
  client = await connectNew(home);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const glob = { glob: "src/**/*.ts" };
const review = "Review {{file}}";

/** What is given beside each other, and the answer; the home is HOME in it. */
const calls: [what: string, input: Record<string, unknown>, answer: string][] = [
  [
    "an unknown placeholder",
    { template: "Review {{fil}}", forEach: glob },
    "template has the placeholder {{fil}}, which is not known; did you mean {{file}}? Known here: {{index}}, {{key}}, {{file}}, {{path}}, {{stem}}, {{dir}}",
  ],
  [
    "a placeholder that is like none",
    { template: "Review {{customer}}", forEach: { items: ["a", "b"] } },
    "template has the placeholder {{customer}}, which is not known; for a literal `{{`, write `{{{{`. Known here: {{index}}, {{key}}, {{item}}",
  ],
  [
    "braces that are no placeholder",
    { template: "Review {{file}} as {{1,{2}}", forEach: glob },
    "template has `{{1,{2}}`, which begins no placeholder; for a literal `{{`, write `{{{{`",
  ],
  [
    "no placeholder at all",
    { template: "Review it", forEach: glob },
    "template has no placeholder, so 2 tasks would have the same prompt; use {{index}}, {{key}}, {{file}}, {{path}}, {{stem}}, {{dir}}",
  ],
  [
    "a template without forEach",
    { template: review },
    'forEach is missing: `template` needs what its tasks are about, such as `{"glob": "src/**/*.ts"}`',
  ],
  [
    "forEach without a template",
    { forEach: glob },
    "template is missing: `forEach` needs the prompt of its tasks, such as `Review {{file}}`",
  ],
  [
    "a template beside tasks",
    { tasks: ["a"], template: review, forEach: glob },
    "template cannot be given beside tasks; give `tasks`, or `template` with `forEach`",
  ],
  [
    "a matrix beside tasks",
    { tasks: ["a"], matrix: { model: ["opus"] } },
    "matrix requires `template` and `forEach`",
  ],
  [
    "a pattern as text in place of a source",
    { template: review, forEach: "src/**" },
    'forEach was given as "src/**": expected an object such as `{"glob": "src/**/*.ts"}`',
  ],
  [
    "no source",
    { template: review, forEach: {} },
    "forEach names no source of tasks; give one of glob, items, linesOf, csv, jsonl, gitDiff, of",
  ],
  [
    "two sources",
    { template: review, forEach: { ...glob, csv: "rows.csv" } },
    "forEach.csv cannot be given beside `glob`; give one source of tasks",
  ],
  [
    "an unknown source",
    { template: review, forEach: { golb: "src/**" } },
    "forEach.golb is not known; did you mean `glob`?",
  ],
  [
    "exclusions without files",
    { template: "Do {{item}}", forEach: { items: ["a"], exclude: ["b"] } },
    "forEach.exclude requires `glob` or `gitDiff`",
  ],
  [
    "a pattern that matches nothing",
    { template: review, forEach: { glob: "src/**/*.tsx" } },
    'forEach.glob "src/**/*.tsx" matches no file in HOME/work. Hidden files, .git and node_modules are not searched',
  ],
  [
    "a pattern for a directory",
    { template: review, forEach: { glob: "src" } },
    'forEach.glob "src" matches no file in HOME/work: src is a directory; write "src/**" for the files in it',
  ],
  [
    "a pattern for what .gitignore excludes",
    { template: review, forEach: { glob: "dist/*.js" } },
    'forEach.glob "dist/*.js" matches no file in HOME/work, except 1 file that .gitignore excludes, such as dist/out.js; to use such files, name them in `items`',
  ],
  [
    "a pattern of which all matches are excluded",
    { template: review, forEach: { ...glob, exclude: ["*.ts"] } },
    'forEach.glob "src/**/*.ts" matches no file in HOME/work, except 2 files that `exclude` takes away, such as src/a.ts',
  ],
  [
    "a pattern that leaves the directory",
    { template: review, forEach: { glob: "../**/*.ts" } },
    'forEach.glob "../**/*.ts" leads to HOME, outside of HOME/work, where the sessions work; give `workingDirectory`, or a pattern below it',
  ],
  [
    "keys that are there twice",
    { template: "Do {{item}}", forEach: { items: ["a", "b", "a"] } },
    'forEach.items has the key "a" twice: in item 1, and in item 3',
  ],
  [
    "ids that are there twice in a file",
    { template: "Greet {{name}}", forEach: { csv: "twice.csv" } },
    'forEach.csv has the key "1" twice: in HOME/work/twice.csv, line 2, and in HOME/work/twice.csv, line 4',
  ],
  [
    "keys of tasks that are there twice",
    { tasks: [{ task: "a", key: "x" }, "b", { task: "c", key: "x" }] },
    'tasks[2].key is "x", as that of task 1: each needs its own',
  ],
  [
    "a CSV with quotes that never close",
    { template: "Greet {{name}}", forEach: { csv: "rows.csv" } },
    "forEach.csv HOME/work/rows.csv, line 3: the quotes that open here are never closed",
  ],
  [
    "a CSV with a row that lacks a cell",
    { template: "Greet {{name}}", forEach: { csv: "short.csv" } },
    "forEach.csv HOME/work/short.csv, line 3: 1 cell in 2 columns",
  ],
  [
    "a JSONL with a broken line",
    { template: "Greet {{id}}", forEach: { jsonl: "bad.jsonl" } },
    "forEach.jsonl HOME/work/bad.jsonl, line 2: no JSON (JSON Parse error: Expected '}')",
  ],
  [
    "a column that one object lacks",
    { template: "Greet {{name}}", forEach: { jsonl: "some.jsonl" } },
    "template has the placeholder {{name}}, and HOME/work/some.jsonl, line 2 has no `name`",
  ],
  [
    "a key column that is not there",
    { template: "Greet {{name}}", forEach: { csv: "twice.csv", idColumn: "nr" } },
    "forEach.idColumn names the column `nr`, which HOME/work/twice.csv, line 2 does not have; it has id, name",
  ],
  [
    "a file without lines",
    { template: "Do {{item}}", forEach: { linesOf: "blank.txt" } },
    "forEach.linesOf HOME/work/blank.txt has no lines",
  ],
  [
    "a file with far more lines than a batch may have tasks",
    { template: "Do {{item}}", forEach: { linesOf: "endless.txt" } },
    "forEach.linesOf HOME/work/endless.txt: it has more than 100,000 lines, far more than a batch may have tasks",
  ],
  [
    "a CSV with far more rows than a batch may have tasks",
    { template: "Do {{id}}", forEach: { csv: "endless.csv" } },
    "forEach.csv HOME/work/endless.csv: it has more than 100,000 rows, far more than a batch may have tasks",
  ],
  [
    "the standard input of a server",
    { template: "Do {{item}}", forEach: { linesOf: "-" } },
    "forEach.linesOf HOME/work/- does not exist",
  ],
  [
    "a file that does not exist",
    { template: "Do {{item}}", forEach: { linesOf: "nowhere.txt" } },
    "forEach.linesOf HOME/work/nowhere.txt does not exist",
  ],
  [
    "more tasks than are allowed",
    {
      template: "Do {{item}}",
      forEach: { items: ["a", "b", "c"] },
      matrix: { model: ["opus", "haiku"] },
      maxTasks: 5,
    },
    "forEach.items gives 3 items, 6 tasks with `matrix`, and at most 5 are allowed; narrow it, or allow them all with `maxTasks: 6`",
  ],
  [
    "40,000 tasks",
    {
      template: "Do {{item}}",
      forEach: { items: Array.from({ length: 40_000 }, (_, index) => `i${index}`) },
    },
    "forEach.items gives 40,000 items, and one batch has at most 10,000 tasks; narrow it, or run several batches",
  ],
  [
    "an option in a matrix that nobody knows",
    { template: review, forEach: glob, matrix: { modell: ["opus"] } },
    "matrix.modell is not known; did you mean `model`?",
  ],
  [
    "a value in a matrix that is none",
    { template: review, forEach: glob, matrix: { effort: ["high", "huge"] } },
    'matrix.effort[1] was given as "huge": expected one of low, medium, high, xhigh, max',
  ],
  [
    "a batch that is not there",
    { template: "Sum up {{result}}", forEach: { of: "latest" } },
    "There is no batch yet.",
  ],
];

describe("a call is answered in words that help", () => {
  test.each(calls)("%s", async (_, input, answer) => {
    const { isError, text } = await client.call("spawn_parallel_claude_sessions", input);
    const said = text.replaceAll(home.path, "HOME").replaceAll("\\", "/");
    expect(said.replace(/^Nothing was done: /, "")).toBe(answer);
    expect(isError).toBe(true);
    expect(existsSync(home.startsLog)).toBe(false);
  });

  test("files that a call names must be inside the allowed roots", async () => {
    const { text } = await client.call("spawn_parallel_claude_sessions", {
      template: "Do {{item}}",
      forEach: { linesOf: "/etc/hostname" },
    });
    expect(text).toStartWith(
      `Nothing was done: forEach.linesOf ${resolve(home.path, "/etc/hostname")} is outside the allowed roots (${home.path}`,
    );
  });

  testNeeding("git")("changed files without a repository, or a commit", async () => {
    const call = async (gitDiff: string, workingDirectory: string) => {
      const { text } = await client.call("spawn_parallel_claude_sessions", {
        template: review,
        forEach: { gitDiff },
        workingDirectory,
      });
      return text.replaceAll(home.path, "HOME");
    };
    expect(await call("main", home.work)).toBe(
      "Nothing was done: forEach.gitDiff requires a git repository, and HOME/work is in none",
    );
    const repository = home.file("repository");
    await Bun.write(join(repository, "a.ts"), "");
    Bun.spawnSync(["git", "init", "--quiet"], { cwd: repository, env: home.environment });
    expect(await call("nowhere", repository)).toBe(
      'Nothing was done: forEach.gitDiff "nowhere" is no commit, branch or tag of the repository of HOME/repository',
    );
    expect(await call("--output=x", repository)).toBe(
      'Nothing was done: forEach.gitDiff "--output=x" is no commit, branch or tag',
    );
  });
});

/** Words after `run`, and the answer. */
const commands: [words: string[], answer: string][] = [
  [
    ["--template", "Review {{fil}}", "--for-each", "src/**/*.ts"],
    "--template has the placeholder {{fil}}, which is not known; did you mean {{file}}? Known here: {{index}}, {{key}}, {{file}}, {{path}}, {{stem}}, {{dir}}",
  ],
  [
    ["--template", review],
    '--for-each is missing: `--template` needs what its tasks are about, such as `{"glob": "src/**/*.ts"}`',
  ],
  [
    ["--for-each", "src/**/*.ts"],
    "--template is missing: `--for-each` needs the prompt of its tasks, such as `Review {{file}}`",
  ],
  [
    ["--template", review, "src/a.ts", "src/deep/b.ts"],
    "\"src/a.ts\" cannot be given beside --template, which makes the tasks. If it is what a task is about, write `--item src/a.ts --item src/deep/b.ts`. If your shell has expanded a pattern, put it in quotes: `--for-each 'src/**/*.ts'`",
  ],
  [
    ["--template", review, "--for-each", "src/a.ts", "src/deep/b.ts"],
    "unexpected \"src/deep/b.ts\" after the value of --for-each. If your shell has expanded a pattern, put it in quotes: `--for-each 'src/**/*.ts'`. If it is another value, repeat the option: `--for-each src/deep/b.ts`. If it is a task, write it before the options, or after `--`",
  ],
  [
    ["--template", review, "-f", "tasks.md"],
    "a file of tasks cannot be given beside --template, which makes the tasks. If its lines are what a task is about, write `--for-each-line FILE`. If your shell has expanded a pattern, put it in quotes: `--for-each 'src/**/*.ts'`",
  ],
  [
    ["--template", review, "--for-each", "src/*.tsx"],
    '--for-each "src/*.tsx" matches no file in HOME/work. Hidden files, .git and node_modules are not searched',
  ],
  [
    ["--template", review, "--for-each", "src/**", "--exclude", "*.ts"],
    '--for-each "src/**" matches no file in HOME/work, except 2 files that `--exclude` takes away, such as src/a.ts',
  ],
  [
    ["--template", "Do {{item}}", "--item", "a", "--for-each-csv", "rows.csv"],
    "--for-each-csv cannot be given beside `--item`; give one source of tasks",
  ],
  [
    ["--template", "Greet {{name}}", "--for-each-csv", "twice.csv"],
    '--for-each-csv has the key "1" twice: in HOME/work/twice.csv, line 2, and in HOME/work/twice.csv, line 4',
  ],
  [
    ["--template", "Do {{item}}", "--item", "a", "--item", "a"],
    '--item has the key "a" twice: in item 1, and in item 2',
  ],
  [
    ["--template", "Greet {{name}}", "--for-each-csv", "rows.csv"],
    "--for-each-csv HOME/work/rows.csv, line 3: the quotes that open here are never closed",
  ],
  [
    ["--template", "Do {{item}}", "--item", "a", "--item", "b", "--max-tasks", "1"],
    "--item gives 2 items, and at most 1 are allowed; narrow it, or allow them all with `--max-tasks 2`",
  ],
  [
    ["--template", "Do {{item}}", "--item", "a", "--matrix", "opus"],
    '--matrix was given as "opus": expected `OPTION=VALUE,VALUE`, as in `model=opus,haiku`',
  ],
  [
    ["--template", "Do {{item}}", "--item", "a", "--matrix", "effort=high,huge"],
    '--matrix.effort[1] was given as "huge": expected one of low, medium, high, xhigh, max',
  ],
];

describe("a command is answered in words that help, with exit status 2", () => {
  test.each(commands)("run %j", async (words, answer) => {
    const { code, out, err } = await run(home, ["run", ...words]);
    const [said = ""] = err.replaceAll(home.path, "HOME").replaceAll("\\", "/").split("\n");
    expect(said).toBe(answer);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(existsSync(home.startsLog)).toBe(false);
  });
});
