// What `run` takes for a task, and what it refuses because each task costs money; what is piped in; and the dry run.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/doors/cli/all-commands.ts";
import { flagsOfCommand } from "../src/doors/cli/input/command-flags.ts";
import { parseFlags } from "../src/doors/cli/input/flags.ts";
import { runHint } from "../src/doors/cli/view/run-hints.ts";
import { typed } from "./cli-harness.ts";
import { options as claudeOptions } from "./fixtures/fake-claude/option-table.ts";
import { Home, run } from "./harness.ts";

/** What the session was asked, as JSON of the fake. */
const ask = "[[prompt]]";

describe("what can hardly be a task is refused with a word on how to mean it, and starts nothing", () => {
  let home: Home;
  beforeAll(() => {
    home = new Home();
    mkdirSync(join(home.work, "src"));
    writeFileSync(join(home.work, "src", "a.ts"), "");
    writeFileSync(join(home.work, "src", "b with blanks.ts"), "");
    writeFileSync(join(home.work, "tasks.md"), "- [ ] one\n");
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const cases: [string, string[]][] = [
    ["P run -", ["`-` is no task", "`-f -`"]],
    ["P run 'Explain this' -", ["`-` is no task"]],
    [
      "P run 'Review these' src/*.ts",
      [
        '"src/a.ts" is a file here',
        "`run 'Review src/a.ts'`",
        '"src/b with blanks.ts" is a file here',
        "after `--`",
      ],
    ],
    ["P run tasks.md", ['"tasks.md" is a file here', "`-f tasks.md`"]],
    ["P run src", ['"src" is a directory here', "`--working-directory src`"]],
    ["P run 'Review these' src/*.js", ['"src/*.js" is a pattern that matches no file here']],
    ["P run 'Do it' --allowed-tools Read Edit", ["`--allowed-tools Read,Edit`"]],
    ["P run --allowedTools Read 'Bash(git log:*)' -- 'Do it'", ["'Read,Bash(git log:*)'"]],
    ["P run 'Do it' -f tasks.md more.md", ["`-f more.md`"]],
    ["printf 'one\\ntwo\\n' | P run", ["there is no task", "`run -f -`", '`run "TASK"`']],
    ["P run", ["write one after `run`"]],
    ["P run -f src", ["it is a directory"]],
    ["P run -f src/a.ts", ["a .ts file is no list of tasks"]],
    ["P run -f /dev/zero", ["more than 100 MB"]],
    ["yes | P run -f -", ["more than 100 MB"]],
    ["P run -f - < /dev/zero", ["more than 100 MB"]],
    ["yes | P run 'Explain'", ["more than 9 MB", "name the file in the task"]],
    ["head -c 100 /dev/zero | P run 'Explain'", ["standard input is not text"]],
  ];
  for (const [line, expected] of cases) {
    test(line, async () => {
      const { code, out, err } = await typed(home, line);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      for (const words of expected) expect(err).toContain(words);
      expect(err).toContain("Nothing was done.");
      expect(existsSync(home.startsLog)).toBe(false);
    });
  }
});

test("what stands after `--` is a task, whatever it looks like", async () => {
  await using home = new Home();
  writeFileSync(join(home.work, "README.md"), "");
  expect(await typed(home, "P run -- README.md")).toMatchObject({ code: 0, out: "Answer to: README.md\n" });
});

describe("what is piped in goes to the task, as with `claude -p`", () => {
  test("behind the task, and it is said", async () => {
    await using home = new Home();
    const { code, out, err } = await typed(home, `printf 'one\\ntwo\\n' | P run 'Explain ${ask}'`);
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: `Explain ${ask}\none\ntwo\n` });
    expect(err).toContain("The task gets what was piped in (8 bytes).");
  });

  test("to each of several, from a file as well, and UTF-16 too", async () => {
    await using home = new Home();
    writeFileSync(join(home.work, "log.txt"), Buffer.from("\ufeffdéjà vu\n", "utf16le"));
    const { code, out } = await typed(home, `P run --json 'one ${ask}' 'two ${ask}' < log.txt`);
    expect(code).toBe(0);
    const { results }: { results: { result: string }[] } = JSON.parse(out);
    expect(results.map(({ result }) => JSON.parse(result))).toEqual([
      `one ${ask}\ndéjà vu\n`,
      `two ${ask}\ndéjà vu\n`,
    ]);
  });

  test("a pipe that stays open and says nothing is left alone", async () => {
    await using home = new Home();
    const line = `mkfifo never; exec 3<> never; P run 'alone ${ask}' <&3`;
    const { code, out, err } = await typed(home, line);
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: `alone ${ask}` });
    expect(err).toContain("nothing came within 3 s, so it is ignored");
  });

  test("an empty one, none, and one beside a file of tasks change nothing", async () => {
    await using home = new Home();
    writeFileSync(join(home.work, "tasks.txt"), `listed ${ask}\n`);
    for (const line of [`: | P run 'x ${ask}'`, `P run 'x ${ask}' <&-`, `P run 'x ${ask}' < /dev/null`])
      expect(JSON.parse((await typed(home, line)).out)).toBe(`x ${ask}`);
    expect(JSON.parse((await typed(home, "echo more | P run -f tasks.txt")).out)).toBe(`listed ${ask}`);
  });
});

describe("a dry run shows what would run, and starts nothing", () => {
  const line =
    "P run -f tasks.csv --add-dir ../more --allowed-tools Read --env env.json --batch-budget-usd 3 --output-directory out --dry-run";

  async function prepared(): Promise<Home> {
    const home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "8" });
    mkdirSync(join(home.path, "more"));
    mkdirSync(join(home.work, "lib"));
    writeFileSync(join(home.work, "env.json"), '{"TOKEN":"secret-value"}');
    writeFileSync(
      join(home.work, "tasks.csv"),
      `task,model,workingDirectory\n"Review a,\nwith care",opus,\nReview b,,${home.work}/lib\n`,
    );
    return home;
  }

  test("for people", async () => {
    await using home = await prepared();
    const { code, out } = await typed(home, line);
    expect(code).toBe(0);
    expect(out).toContain("Dry run: nothing was started.");
    expect(out).toContain("this would run 2 tasks");
    expect(out).toContain(`--add-directories ${home.path}/more --allowed-tools Read --env '{"TOKEN": "…"}'`);
    expect(out).toMatch(/^1 {2}Review a, with care\n {3}--model opus$/m);
    expect(out).toContain(`2  Review b\n   --working-directory ${home.work}/lib`);
    expect(out).toMatch(/^ +budget +\$3$/m);
    expect(out).toMatch(new RegExp(`^ +results +${home.work}/out$`, "m"));
    expect(out).not.toContain("secret-value");
    expect(existsSync(home.startsLog)).toBe(false);
    expect(existsSync(join(home.work, "out"))).toBe(false);
    expect((await run(home, ["list"])).out).toContain("There are no batches yet");
  });

  test("for programs", async () => {
    await using home = await prepared();
    const { code, out } = await typed(home, `${line} --json --detach`);
    expect({ code, plan: JSON.parse(out) }).toEqual({
      code: 0,
      plan: {
        dryRun: true,
        characters: 27,
        totalTasks: 2,
        runs: 2,
        equal: 0,
        reused: 0,
        tasks: [
          { taskIndex: 1, task: "Review a,\nwith care", options: { model: "opus" } },
          { taskIndex: 2, task: "Review b", options: { workingDirectory: join(home.work, "lib") } },
        ],
        options: {
          allowedTools: "Read",
          addDirectories: [join(home.path, "more")],
          env: ["TOKEN"],
        },
        concurrency: 8,
        failureMode: "continue",
        batchBudgetUsd: 3,
        workingDirectory: home.work,
        outputDirectory: join(home.work, "out"),
      },
    });
    expect(existsSync(home.startsLog)).toBe(false);
  });

  test("bad input is refused as without it", async () => {
    await using home = await prepared();
    expect(await typed(home, `${line} --effort huge`)).toMatchObject({ code: 2, out: "" });
  });
});

test("paths on the command line begin where the user stands, whatever directory the sessions work in", async () => {
  await using home = new Home();
  mkdirSync(join(home.work, "lib"));
  mkdirSync(join(home.work, "other"));
  writeFileSync(join(home.work, "schema.json"), '{"type":"object","properties":{"n":{"type":"number"}}}');
  writeFileSync(join(home.work, "mcp.json"), '{"mcpServers":{"here":{"command":"sh"}}}');
  const line =
    "P run '[[args]]' --working-directory lib --add-directories other --mcp-config mcp.json --output-directory out";
  const { code, out } = await typed(home, line);
  expect(code).toBe(0);
  const words: string[] = JSON.parse(out);
  expect(words).toContain(`--add-dir=${home.work}/other`);
  expect(words.find((word) => word.startsWith("--mcp-config="))).toContain(join(home.work, "mcp.json"));
  expect(existsSync(join(home.work, "out", "index.html"))).toBe(true);
  const data = await typed(home, "P run 'x' --cwd lib --json-schema schema.json");
  expect(Object.keys(JSON.parse(data.out))).toEqual(["n"]);
});

describe("a schema in a file", () => {
  test("is read, and its answer comes as data", async () => {
    await using home = new Home();
    writeFileSync(
      join(home.work, "schema.json"),
      '\ufeff{"type":"object","properties":{"n":{"type":"number"}}}',
    );
    const { code, out } = await run(home, [
      "run",
      `[[structured value='{"n":4}']]`,
      "--output-schema",
      "schema.json",
    ]);
    expect({ code, data: JSON.parse(out) }).toEqual({ code: 0, data: { n: 4 } });
  });

  test("that is none is refused by its path", async () => {
    await using home = new Home();
    writeFileSync(join(home.work, "list.json"), "[]");
    writeFileSync(join(home.work, "long.json"), JSON.stringify({ description: "x".repeat(130_000) }));
    for (const [file, words] of [
      ["none.json", `${home.work}/none.json is not a file`],
      ["list.json", `${home.work}/list.json is not a JSON object`],
      ["long.json", "more than 120,000 bytes"],
      ["/dev/zero", "/dev/zero is not a file"],
    ] as const) {
      const { code, err } = await run(home, ["run", "x", "--output-schema", file]);
      expect({ file, code }).toEqual({ file, code: 2 });
      expect(err).toContain(words);
    }
    expect(existsSync(home.startsLog)).toBe(false);
  });
});

test("every option of `claude` itself is understood, or answered with what to write instead", () => {
  const command = commands.find(({ name }) => name === "run");
  if (!command) throw new Error("there is no command run");
  const flags = flagsOfCommand(command);
  const unanswered = claudeOptions
    .flatMap(({ spellings }) => spellings)
    .filter((spelling) => !["-h", "--help", "-v", "--version"].includes(spelling))
    .filter((spelling) => {
      const parsed = parseFlags(flags, [spelling, "1"], runHint);
      const bare = parsed.ok ? [] : parsed.faults.filter((fault) => fault.includes("is not known"));
      return bare.length > 0;
    });
  expect(unanswered).toEqual([]);
});
