// What becomes of what was asked for: a batch as it is stored, or every fault.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { handOverDirectory } from "../../src/operations/hand-over-directory.ts";
import { planBatch } from "../../src/operations/plan.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { inWords } from "./in-words.ts";

const many = "spawn_parallel_claude_sessions";

const plan = (inside: Inside, input: object, startedBy: Parameters<typeof planBatch>[1] = many) =>
  planBatch(inside.context(), startedBy, input);

/** The batch of what is right. */
async function planned(inside: Inside, input: object, startedBy: Parameters<typeof planBatch>[1] = many) {
  const checked = await plan(inside, input, startedBy);
  if (!checked.ok) throw new Error(inWords(checked.faults).join("\n"));
  return checked.value;
}

/** What is wrong, with the home as HOME. */
async function faults(inside: Inside, input: object, startedBy: Parameters<typeof planBatch>[1] = many) {
  const checked = await plan(inside, input, startedBy);
  return checked.ok ? [] : inWords(checked.faults).map((fault) => inside.named(fault));
}

describe("a batch", () => {
  test("has what was written, and what the operator decided", async () => {
    using inside = new Inside();
    const { batch, values, files } = await planned(inside, { tasks: ["a"] });
    const { batchId, ...more } = batch;
    expect(batchId).toMatch(/^[a-z2-9]{8}$/);
    expect(more).toMatchObject({
      startedBy: many,
      asyncMode: false,
      tasks: [{ prompt: "a" }],
      sessionOptions: {},
      concurrency: "auto",
      slots: "auto",
      failureMode: "continue",
      outputDirectory: join(inside.state, "batches", batchId, "pages"),
      claudePath: inside.claude,
      claudePathIsSet: false,
      workingDirectory: inside.work,
      allowedRoots: [inside.path],
    });
    for (const name of ["name", "memoryLimitMb", "budgetUsd", "notifyCommand", "warnings"])
      expect(more).not.toHaveProperty(name);
    expect({ values, files }).toEqual({ values: { shared: {}, tasks: {} }, files: [] });
  });

  test("has names, budgets and commands that are given", async () => {
    using inside = new Inside({
      PARALLEL_CLAUDE_MEMORY_LIMIT_MB: "500",
      PARALLEL_CLAUDE_NOTIFY_COMMAND: "notify it",
      PARALLEL_CLAUDE_BATCH_BUDGET_USD: "7",
      PARALLEL_CLAUDE_CONCURRENCY: "4",
    });
    process.env["PARALLEL_CLAUDE_CLAUDE_PATH"] = inside.claude;
    const { batch } = await planned(inside, { tasks: ["a"], batchName: "n", failureMode: "cancel" });
    expect(batch).toMatchObject({
      name: "n",
      memoryLimitMb: 500,
      notifyCommand: ["notify", "it"],
      budgetUsd: 7,
      slots: 4,
      concurrency: 4,
      failureMode: "cancel",
      claudePathIsSet: true,
    });
    expect((await planned(inside, { tasks: ["a"], batchBudgetUsd: 2 })).batch.budgetUsd).toBe(2);
    expect((await planned(inside, { tasks: ["a"], concurrency: 2 })).batch.concurrency).toBe(2);
    expect((await planned(inside, { tasks: ["a"], concurrency: 9 })).batch.concurrency).toBe(4);
    expect((await planned(inside, { tasks: ["a"], concurrency: "auto" })).batch.concurrency).toBe(4);
    using auto = new Inside();
    expect((await planned(auto, { tasks: ["a"], concurrency: 9 })).batch.concurrency).toBe(9);
  });

  test("of one session has its options as those of the batch", async () => {
    using inside = new Inside();
    const { batch } = await planned(inside, { prompt: "a", max_turns: "3" }, "spawn_claude_session");
    expect(batch).toMatchObject({ tasks: [{ prompt: "a" }], sessionOptions: { maxTurns: 3 } });
    expect(batch.sessionOptions).toEqual({ maxTurns: 3 });
  });

  test("keeps of each task only what was written, and of variables only the names", async () => {
    using inside = new Inside();
    const tasks = [
      { task: "a", model: "opus", env: { A: "1" } },
      "b",
      { task: "c" },
      { task: "d", maxTurns: 3 },
    ];
    const { batch, values } = await planned(inside, { tasks, env: { B: "2" }, effort: "low" });
    expect(batch.tasks).toEqual([
      { prompt: "a", options: { model: "opus", env: { B: "", A: "" } } },
      { prompt: "b" },
      { prompt: "c" },
      { prompt: "d", options: { maxTurns: 3 } },
    ]);
    expect(batch.sessionOptions).toEqual({ effort: "low", env: { B: "" } });
    expect(values).toEqual({ shared: { B: "2" }, tasks: { "1": { A: "1" } } });
  });

  testNeeding("symbolic links")(
    "has its files below its working directory, and a task's below its own",
    async () => {
      using inside = new Inside();
      mkdirSync(inside.file("work/sub/lib"), { recursive: true });
      symlinkSync(inside.file("work/sub"), inside.file("link"));
      inside.write("work/sub/schema.json", '{"type": "object"}');
      inside.write("work/sub/servers.json", '{"mcpServers": {}}');
      inside.write("work/sub/env.json", '{"A": "1"}');
      const options = {
        workingDirectory: "sub",
        addDirectories: ["lib"],
        mcpConfig: "servers.json",
        env: "env.json",
        outputSchema: "schema.json",
      };
      const { batch, values } = await planned(inside, {
        tasks: ["x", { task: "a", ...options }, { task: "b", workingDirectory: inside.file("link") }],
        workingDirectory: "sub/..",
        outputDirectory: "out",
      });
      expect(batch.outputDirectory).toBe(inside.file("work/out"));
      expect(batch.sessionOptions).toEqual({ workingDirectory: inside.work });
      expect(batch.tasks[1]?.options).toEqual({
        workingDirectory: inside.file("work/sub"),
        addDirectories: [inside.file("work/sub/lib")],
        mcpConfig: inside.file("work/sub/servers.json"),
        env: { A: "" },
        outputSchema: { type: "object" },
      });
      expect(batch.tasks[2]?.options).toEqual({ workingDirectory: inside.file("work/sub") });
      expect(values.tasks).toEqual({ "2": { A: "1" } });
    },
  );

  test("hands settings of a file on as a private file, and small ones that were written as they are", async () => {
    using inside = new Inside();
    inside.write("work/settings.json", '{"model": "opus"}');
    const { batch, files } = await planned(inside, {
      tasks: [
        { task: "a", settings: "settings.json" },
        { task: "b", settings: '{"model": "haiku"}' },
      ],
    });
    const [first, second] = batch.tasks;
    const path = String(first?.options?.["settings"]);
    expect(path).toStartWith(join(inside.state, "batches", batch.batchId, "settings-"));
    expect(files).toEqual([{ path, text: expect.stringContaining('"model":"opus"') }]);
    expect(second?.options).toEqual({ settings: { model: "haiku" } });
  });

  test("goes where the user looks for it once nobody waits, unless it has a directory", async () => {
    using inside = new Inside();
    const { configuration } = inside.context();
    const sync = (await planned(inside, { tasks: ["a"] })).batch;
    expect(handOverDirectory(configuration, sync)).toBe(inside.output);
    const own = (await planned(inside, { tasks: ["a"], outputDirectory: "out" })).batch;
    expect(handOverDirectory(configuration, own)).toBeUndefined();
    const async = (await planned(inside, { tasks: ["a"], asyncMode: true })).batch;
    expect(async.outputDirectory).toBe(inside.output);
  });

  testNeeding("programs that are scripts")(
    "is warned of names that only a newer Claude Code may know, and tools of the operator's mistakes",
    async () => {
      using inside = new Inside({ PARALLEL_CLAUDE_CONCURENCY: "3" });
      inside.script("bin/claude", 'echo "9.1.332 (Claude Code)"');
      const input = { tasks: ["a", { task: "b", tools: "Frobnicate" }], allowedTools: "Frobnicate,Read" };
      const { warnings = [] } = (await planned(inside, input)).batch;
      expect(warnings).toEqual([
        "the variable PARALLEL_CLAUDE_CONCURENCY is not known and has no effect; did you mean `PARALLEL_CLAUDE_CONCURRENCY`?",
        "`allowedTools` names Frobnicate, which this program does not know. If Claude Code 9.1.332 has no such tool either, it ignores the name silently.",
        "`tools` names Frobnicate, which this program does not know. If Claude Code 9.1.332 has no such tool either, it ignores the name silently.",
      ]);
      // A command line has been told by then.
      expect((await planned(inside, input, "run")).batch.warnings).toHaveLength(2);
    },
  );
});

test("a relative path of a file is one here, although its task works on another machine", async () => {
  using inside = new Inside();
  const machine = { command: ["none"], version: "1", system: "Linux", addedAt: 0 };
  writeFileSync(join(inside.state, "hosts.json"), JSON.stringify({ box1: machine }));
  inside.write("work/schema.json", '{"type":"object"}');
  const { batch } = await planned(inside, {
    tasks: [{ task: "a", outputSchema: "schema.json" }],
    hosts: ["box1"],
    workingDirectory: "box1:/work",
    outputDirectory: "results",
    asyncMode: true,
  });
  expect(batch.outputDirectory).toBe(join(inside.work, "results"));
  expect(batch.tasks[0]?.options).toMatchObject({ outputSchema: { type: "object" } });
});

describe("is refused", () => {
  const outside = (place: string, path: string) =>
    `${place} ${path} is outside the allowed roots (HOME); the operator can add to \`allowedRoots\` in HOME/config/parallel-claude-code-mcp/config.json, or set PARALLEL_CLAUDE_ALLOWED_ROOTS`;
  const cases: [what: string, input: object, ...faults: string[]][] = [
    [
      "inputs that leave their directory behind a wildcard",
      { inputs: ["*/../../../etc/*"] },
      "inputs[0] has `..` behind a wildcard: */../../../etc/*",
    ],
    [
      "a directory that is not there",
      { workingDirectory: "no" },
      "workingDirectory HOME/work/no does not exist",
    ],
    [
      "a directory that is a file",
      { workingDirectory: "a.txt" },
      "workingDirectory HOME/work/a.txt is not a directory",
    ],
    ["a directory outside the roots", { workingDirectory: "/" }, outside("workingDirectory", "/")],
    [
      "a directory in no path",
      { workingDirectory: "~x/y" },
      'workingDirectory "~x/y" begins with ~x, which is not expanded; write the path of that home directory, or ./~x for a name',
    ],
    [
      "each further directory",
      { addDirectories: ["no", "a.txt"] },
      "addDirectories[0] HOME/work/no does not exist",
      "addDirectories[1] HOME/work/a.txt is not a directory",
    ],
    [
      "an output directory outside the roots",
      { outputDirectory: "/out" },
      outside("outputDirectory", "/out"),
    ],
    [
      "an output directory that is a file",
      { outputDirectory: "a.txt/deeper" },
      "outputDirectory HOME/work/a.txt/deeper cannot be written: HOME/work/a.txt is not a directory",
    ],
    [
      "an output directory at an address",
      { outputDirectory: "https://x/y" },
      'outputDirectory "https://x/y" is an address; expected a path',
    ],
    [
      "a schema that is not there",
      { outputSchema: "no.json" },
      "outputSchema HOME/work/no.json is not a file",
    ],
    ["a schema that is none", { outputSchema: "a.txt" }, "outputSchema HOME/work/a.txt is not a JSON object"],
    [
      "a schema at an address",
      { outputSchema: "https://x/y" },
      'outputSchema "https://x/y" is an address; expected a path',
    ],
    [
      "a schema that is too long",
      { outputSchema: "long.json" },
      "outputSchema has a schema of more than 120,000 bytes, the most that one argument may have; shorten it",
    ],
    ["settings that are not there", { settings: "no.json" }, "settings HOME/work/no.json is not a file"],
    [
      "settings that are broken",
      { settings: "{" },
      "settings is not a JSON object (this text is not valid JSON: Expected '}')",
    ],
    ["servers that are not there", { mcpConfig: "no.json" }, "mcpConfig HOME/work/no.json does not exist"],
    [
      "servers that are broken",
      { mcpConfig: "a.txt" },
      'mcpConfig HOME/work/a.txt is not JSON: JSON Parse error: Unexpected identifier "plain"',
    ],
    [
      "servers at an address",
      { mcpConfig: "https://x/y" },
      'mcpConfig "https://x/y" is an address; expected a path',
    ],
    [
      "servers that are none",
      { mcpConfig: "{}" },
      'mcpConfig has no `mcpServers`: expected `{"mcpServers": {"name": {"command": "…"}}}`, as in a project\'s .mcp.json',
    ],
    [
      "variables that are not there",
      { env: "no.json" },
      "env was given as a text that is no file: expected a JSON file, or a JSON object of strings",
    ],
    ["variables that are none", { env: "a.txt" }, "env was given as a file that is not a JSON object"],
    ["variables that are broken", { env: '{"A": []}' }, "env.A was given as something else: expected text"],
    [
      "variables that sessions need",
      { env: { "A=": "x" } },
      expect.stringMatching(/^env\.A= cannot be set: /),
    ],
    [
      "what a task has alone, with its place",
      { tasks: [{ task: "x", model: "gpt-4" }] },
      expect.stringMatching(/^tasks\[0\]\.model was given as "gpt-4"/),
    ],
    [
      "a copy of no conversation",
      { forkSession: true },
      "forkSession requires `resumeSessionId`, the conversation to copy",
    ],
    [
      "a copy of no conversation, of a task",
      { tasks: [{ task: "x", forkSession: true }, "y"] },
      "tasks[0].forkSession requires `resumeSessionId`, the conversation to copy",
    ],
    [
      "arguments without permission",
      { claudeArguments: ["--x"] },
      "claudeArguments requires the operator's permission (`allowClaudeArguments` in HOME/config/parallel-claude-code-mcp/config.json)",
    ],
    ["a NUL character", { model: "a\0b" }, "model contains a NUL character, which no command line can hold"],
    [
      "a NUL character in a task's option",
      { tasks: [{ task: "x", model: "\0" }] },
      "tasks[0].model contains a NUL character, which no command line can hold",
    ],
    [
      "a prompt that no argument can hold",
      { appendSystemPrompt: "x".repeat(120_001) },
      "appendSystemPrompt is longer than 120,000 bytes, the most that one argument may have; shorten it, or refer to a file",
    ],
  ];
  for (const [what, input, ...expected] of cases) {
    test(what, async () => {
      using inside = new Inside();
      inside.write("work/a.txt", "plain");
      inside.write("work/long.json", JSON.stringify({ type: "object", title: "x".repeat(120_000) }));
      expect(await faults(inside, { tasks: ["x"], ...input })).toEqual(expected);
    });
  }

  test("everything at once, each fault once, and one session as well as many", async () => {
    using inside = new Inside();
    const twice = { task: "x", workingDirectory: "no" };
    expect(await faults(inside, { tasks: [twice], model: "gpt-4", outputDirectory: "/x" })).toHaveLength(3);
    const task = { task: "x", forkSession: true, model: "\0" };
    expect(await faults(inside, task, "spawn_claude_session")).toEqual([
      "model contains a NUL character, which no command line can hold",
    ]);
    expect(await faults(inside, { task: "x", concurrency: 2 }, "spawn_claude_session")).toEqual([
      "concurrency is an option of spawn_parallel_claude_sessions only",
    ]);
  });

  test("a file to read outside the roots, in whatever option it is named, whether it is there or not", async () => {
    using inside = new Inside();
    const says = outside("", "").trim();
    for (const given of ["/etc/hostname", "/nowhere/x.json", "../../x.json"]) {
      const path = given.startsWith(".")
        ? resolve(tmpdir(), "x.json")
            .replaceAll("\\", "/")
            .replace(/^[A-Z]:/, "")
        : given;
      const input = {
        tasks: ["x"],
        outputSchema: given,
        settings: given,
        mcpConfig: given,
        env: given,
        expect: { schema: given },
        inputs: [given, `${given}/**`],
        stopWhen: { found: 1, where: { schema: given } },
      };
      expect(await faults(inside, input)).toEqual([
        outside("mcpConfig", path),
        `env was given as a text that, as the path of a file, ${says}`,
        outside("outputSchema", path),
        outside("expect.schema", path),
        outside("settings", path),
        outside("stopWhen.where.schema", path),
        `inputs[0] names ${path}, which ${says}`,
        `inputs[1] names ${path}, which ${says}`,
      ]);
    }
  });

  testNeeding("symbolic links")(
    "a link in the roots to a file outside of them, for a model and not for a person",
    async () => {
      using outer = new Inside();
      const secret = outer.write("schema.json", '{"type": "object", "title": "secret"}');
      using inside = new Inside();
      symlinkSync(secret, inside.file("link.json"));
      const input = { tasks: ["x"], outputSchema: inside.file("link.json") };
      expect(await faults(inside, input)).toEqual([outside("outputSchema", "HOME/link.json")]);
      const own = await planBatch(inside.context("command-line"), "run", input);
      expect(own).toMatchObject({ ok: true, value: { batch: { sessionOptions: { outputSchema: {} } } } });
    },
  );

  testNeeding("programs that are scripts")(
    "without a claude, with one that is too old, and in a session of a session",
    async () => {
      using inside = new Inside({
        PARALLEL_CLAUDE_CLAUDE_PATH: "/nowhere/claude",
        PARALLEL_CLAUDE_DEPTH: "1",
      });
      expect(await faults(inside, { tasks: ["x"] })).toEqual([
        expect.stringMatching(
          /^this process runs inside a session that this program started \(1 deep\), and sessions may be 1 deep\./,
        ),
        "The configured claudePath /nowhere/claude is not an executable file. Set PARALLEL_CLAUDE_CLAUDE_PATH (or `claudePath` in config.json) to where `claude` is, or remove it to have it searched for.",
      ]);
      using old = new Inside();
      old.script("bin/claude", 'echo "2.0.1 (Claude Code)"');
      expect(await faults(old, { tasks: ["x"] })).toEqual([expect.stringContaining("2.0.1")]);
    },
  );

  test("where nobody can work", async () => {
    const root = resolve("/");
    using inside = new Inside({ PARALLEL_CLAUDE_WORKING_DIRECTORY: root });
    const missing = [
      `workingDirectory is missing: this program was started in /, which is not a place to work in. Give \`workingDirectory\`, or set PARALLEL_CLAUDE_WORKING_DIRECTORY`,
    ];
    expect(await faults(inside, { tasks: ["x"] })).toEqual(missing);
    expect(await faults(inside, { tasks: ["x"], workingDirectory: inside.work })).toEqual([]);
    expect(await faults(inside, { tasks: [{ task: "x", workingDirectory: inside.work }] })).toEqual([]);
    expect(await faults(inside, { tasks: [{ task: "x", workingDirectory: inside.work }, "y"] })).toEqual(
      missing,
    );
    // Together with what else is wrong, unless a directory was given, or meant by another name.
    const wrong = { maxTurns: "many" };
    const isWrong = expect.stringMatching(/^maxTurns was given as "many"/);
    expect(await faults(inside, { tasks: ["x"], ...wrong })).toEqual([isWrong, ...missing]);
    expect(await faults(inside, { task: "x", ...wrong }, "spawn_claude_session")).toEqual([
      isWrong,
      ...missing,
    ]);
    expect(await faults(inside, { tasks: ["x"], ...wrong, workingDirectory: inside.work })).toEqual([
      isWrong,
    ]);
    expect(await faults(inside, { tasks: ["x"], workingDirectry: inside.work })).toEqual([
      "workingDirectry is not known; did you mean `workingDirectory`?",
    ]);
    using gone = new Inside();
    process.env["PARALLEL_CLAUDE_WORKING_DIRECTORY"] = gone.file("gone");
    expect(await faults(gone, { tasks: ["x"] })).toEqual([
      "the configured workingDirectory HOME/gone is not a directory",
    ]);
  });

  test("where the operator's directory cannot be written", async () => {
    using inside = new Inside();
    process.env["PARALLEL_CLAUDE_OUTPUT_DIRECTORY"] = inside.write("file.txt", "");
    expect(await faults(inside, { tasks: ["x"], asyncMode: true })).toEqual([
      "the configured outputDirectory HOME/file.txt cannot be written: HOME/file.txt is not a directory",
    ]);
    // A batch whose pages go elsewhere does not need it.
    expect(await faults(inside, { tasks: ["x"] })).toEqual([]);
    if (process.getuid === undefined || process.getuid() === 0) return;
    chmodSync(inside.work, 0o500);
    expect(await faults(inside, { tasks: ["x"], outputDirectory: "out" })).toEqual([
      "outputDirectory HOME/work/out cannot be written: HOME/work is not writable for you",
    ]);
    chmodSync(inside.work, 0o700);
  });

  test("while the configuration is broken", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_MAX_DEPTH: "deep" });
    await expect(plan(inside, { tasks: ["x"] })).rejects.toThrow(/PARALLEL_CLAUDE_MAX_DEPTH was given as/);
  });
});
