// What commands print of batches, and which exit status they give.
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { product } from "../../src/model/product.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { crashed, failed, Inside, type TestBatch } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";

const lines = (text: string) => text.trimEnd().split("\n");

function usage(costUsd: number) {
  return { usage: { costUsd, numTurns: 1, durationMs: 1_000 } };
}

/** Two tasks answered, one failed, one runs and one waits. */
function five(inside: Inside, name = "nightly"): TestBatch {
  return inside
    .batch(inside.context(), { tasks: 5, batch: { name } })
    .answer(1, "one\ntwo", usage(0.25))
    .answer(2, "second")
    .end(3, failed)
    .start(4);
}

describe("list", () => {
  test("has a line a batch, with its state, counts, cost, age and name", async () => {
    using inside = new Inside();
    expect(await onCommandLine(inside, ["list"])).toEqual({
      code: 0,
      out: "There are no batches yet. Start one with `run`.\n",
      err: "",
    });
    const good = inside.batch(inside.context()).answer(1, "yes", usage(1.5)).finish();
    const running = five(inside);
    const lost = inside.batch(inside.context(), { isRun: false });
    const { out, code } = await onCommandLine(inside, ["list"]);
    expect(code).toBe(0);
    const rows = lines(out).map((line) => line.split(/\s{2,}/));
    expect(rows[0]).toEqual(["BATCH", "STATE", "DONE", "FAILED", "COST", "AGE", "MODEL", "NAME"]);
    expect(rows[1]?.slice(0, 5)).toEqual([lost.id, "interrupted", "0/1", "0", "$0.00"]);
    expect(rows[1]?.[5]).toBe("60 min");
    expect(rows[2]?.slice(0, 5)).toEqual([running.id, "running", "3/5", "1", "$0.25"]);
    expect(rows[2]?.slice(6)).toEqual(["–", "nightly"]);
    expect(rows[3]?.slice(0, 5)).toEqual([good.id, "succeeded", "1/1", "0", "$1.50"]);
    const [totals = "", ...rest] = lines(out).slice(4);
    expect(rest).toEqual([]);
    expect(totals).toStartWith("3 batches, 1 running: 4 of 7 tasks done, 1 failed, $1.75. All sessions: $");
    expect(totals).toMatch(/ today, \$[\d.]+ this month\.$/);
    expect(lines((await onCommandLine(inside, ["list", "--limit", "1"])).out).at(-1)).toBe(
      "There are older batches. Show them with `--offset` and `--limit`.",
    );
    const { batches } = JSON.parse((await onCommandLine(inside, ["list", "--json"])).out);
    expect(batches).toHaveLength(3);
  });

  test("says that a batch is held, and how one ended", async () => {
    using inside = new Inside();
    const context = inside.context();
    const held = inside.batch(context);
    context.store.setHeld(held.log.batchId, { because: "a limit" });
    inside.batch(context, { tasks: 2 }).end(1, failed).answer(2, "yes").finish();
    const states = lines((await onCommandLine(inside, ["list"])).out).map((line) => line.split(/\s{2,}/)[1]);
    expect(states.slice(0, 3)).toEqual(["STATE", "1 failed", "held"]);
  });
});

describe("show of many tasks", () => {
  function sixty(inside: Inside) {
    const batch = inside.batch(inside.context(), { tasks: 60 });
    for (let number = 1; number <= 55; number++) {
      if (number % 2 === 0) batch.end(number, failed);
      else batch.answer(number, "yes");
    }
    return batch.start(56);
  }

  test("lists those that run, and all or the failed ones if it is asked to, page by page", async () => {
    using inside = new Inside();
    const batch = sixty(inside);
    const shown = async (...args: string[]) =>
      lines((await onCommandLine(inside, ["show", "latest", ...args])).out);
    const short = await shown();
    expect(short.length).toBeLessThan(24);
    expect(short.filter((line) => /^ *\d+ {2}running/.test(line))).toHaveLength(1);
    expect(short).toContain(
      `\`parallel-claude-code-mcp show ${batch.id} --all\` lists all 60 tasks, and \`parallel-claude-code-mcp show ${batch.id} --failed\` those that failed.`,
    );
    expect(short.find((line) => line.startsWith("27 tasks: "))).toBeDefined();
    expect(
      (await shown("--all")).filter((line) => /^ *\d+ {2}(?:succeeded|failed|running|queued)/.test(line)),
    ).toHaveLength(60);
    const page = await shown("--failed", "--limit", "5", "--offset", "20");
    expect(page[0]).toBe("27 tasks of 60 failed; these are 21 to 25.");
    expect(
      page.filter((line) => /^ *\d+ {2}failed: /.test(line)).map((line) => Number.parseInt(line, 10)),
    ).toEqual([42, 44, 46, 48, 50]);
    expect(page.filter((line) => line.startsWith("      "))).toHaveLength(5);
    expect(page.at(-1)).toBe(
      `2 more tasks: \`parallel-claude-code-mcp show ${batch.id} --failed --limit 5 --offset 25\``,
    );
    const { results } = JSON.parse(
      (await onCommandLine(inside, ["show", "latest", "--failed", "--json", "--limit", "2"])).out,
    );
    expect(results).toMatchObject([{ taskIndex: 2 }, { taskIndex: 4 }]);
  });

  test("says what is wrong with what it is asked for", async () => {
    using inside = new Inside();
    sixty(inside);
    for (const args of [
      ["--failed", "--all"],
      ["--limit", "3"],
    ])
      expect(await onCommandLine(inside, ["show", "latest", ...args])).toMatchObject({ code: 2, out: "" });
    const past = await onCommandLine(inside, ["show", "latest", "--failed", "--offset", "99"]);
    expect(past.out).toContain("There are only 27.");
  });
});

describe("show", () => {
  test("has the facts of a batch, a line a task, and what went wrong", async () => {
    using inside = new Inside();
    const batch = five(inside);
    const context = inside.context();
    context.store.setActivities(batch.log.batchId, new Map([[4, "Reads a.ts"]]));
    const { out, code } = await onCommandLine(inside, ["show", "latest"]);
    expect(code).toBe(0);
    expect(lines(out)[0]).toBe(`Batch ${batch.id} “nightly”`);
    const factOf = (name: string) => new RegExp(`^ {2}${name} +(.*)$`, "m").exec(out)?.[1];
    expect(factOf("state")).toBe("running");
    expect(factOf("tasks")).toBe("3 of 5 tasks have ended: 2 succeeded, 1 failed.");
    expect(factOf("started")).toMatch(/, for \d/);
    expect(factOf("cost")).toContain("$0.25");
    expect(factOf("directory")).toBe(inside.work);
    expect(factOf("results")).toBe(inside.output);
    for (const absent of ["next", "held", "processes", "changed", "warning", "not written"])
      expect(factOf(absent)).toBeUndefined();
    expect(out).toMatch(/^1 {2}succeeded +.*task 1/m);
    expect(out).toMatch(/^3 {2}.*turn limit.*task 3/m);
    expect(out).toMatch(/^4 {2}running +\d[\d.]* (?:ms|s) +– +task 4 +Reads a\.ts$/m);
    expect(out).toMatch(/^5 {2}queued .*task 5/m);
    const whole = JSON.parse((await onCommandLine(inside, ["show", batch.id.slice(0, 5), "--json"])).out);
    expect(whole).toMatchObject({ batchId: batch.id, pending: [4, 5] });
  });

  test("says what to do next, what was changed, warned of and not written, and why it waits", async () => {
    using inside = new Inside();
    const context = inside.context();
    inside
      .batch(context, { tasks: 2, batch: { warnings: ["mind this"] } })
      .answer(1, "yes")
      .end(2, failed)
      .append(
        { type: "retry-requested", tasks: [2], options: { maxTurns: 9 }, changed: [2] },
        { type: "file-failed", path: "/out/x", message: "no space" },
      )
      .end(2, crashed)
      .finish();
    const ended = (await onCommandLine(inside, ["show", "latest"])).out;
    const factOf = (name: string, text = ended) => new RegExp(`^ {2}${name} +(.*)$`, "m").exec(text)?.[1];
    expect(factOf("state")).toBe("1 failed");
    expect(factOf("next")).toMatch(/^`parallel-claude-code-mcp retry \w{8}` reruns what failed\.$/);
    expect(factOf("started")).toMatch(/, took \d/);
    expect(factOf("changed")).toBe("task 2: `--max-turns 9`");
    expect(factOf("warning")).toBe("mind this");
    expect(factOf("not written")).toBe("/out/x: no space");
    const lost = inside.batch(context, { isRun: false });
    const text = (await onCommandLine(inside, ["show", lost.id])).out;
    expect(factOf("state", text)).toBe("interrupted");
    expect(factOf("processes", text)).toBe("Its processes are gone.");
    expect(factOf("left", text)).toBeUndefined();
    const held = inside.batch(context);
    context.store.setHeld(held.log.batchId, { because: "a limit" });
    expect(factOf("held", (await onCommandLine(inside, ["show", held.id])).out)).toContain("a limit");
  });

  test("of a batch that there is not is told, with status 2", async () => {
    using inside = new Inside();
    inside.batch(inside.context());
    expect(await onCommandLine(inside, ["show", "zzz"])).toEqual({
      code: 2,
      out: "",
      err: "There is no batch zzz. `parallel-claude-code-mcp list` shows all batches.\n",
    });
  });
});

describe("results", () => {
  test("prints each answer under its task, and of one task the answer alone", async () => {
    using inside = new Inside();
    const batch = five(inside);
    const all = await onCommandLine(inside, ["results", "latest"]);
    expect(all.code).toBe(0);
    expect(all.out).toMatch(/Task 1 {2}succeeded.*\n.*one\n.*two/);
    expect(all.out).toMatch(/Task 3 .*\n.*Reached its turn limit/);
    expect(all.out).not.toContain("Task 4");
    const one = await onCommandLine(inside, ["results", batch.id, "1"]);
    expect(one.out).toBe("one\ntwo\n");
    expect(one.err).toContain("Task 1");
    const json = JSON.parse((await onCommandLine(inside, ["results", batch.id, "1-2", "--json"])).out);
    expect(json.results.map(({ taskIndex }: { taskIndex: number }) => taskIndex)).toEqual([1, 2]);
    const wrong = await onCommandLine(inside, ["results", batch.id, "9"]);
    expect(wrong).toMatchObject({ code: 2, out: "" });
  });
});

describe("logs", () => {
  test("reads like a conversation, or as Claude Code wrote it", async () => {
    using inside = new Inside();
    const batch = five(inside);
    inside.write(
      `${batch.id}-4.ndjson`,
      [
        { type: "system", subtype: "init", session_id: "s", model: "opus" },
        {
          type: "assistant",
          parent_tool_use_id: null,
          message: { content: [{ type: "text", text: "Let me see" }] },
        },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    );
    inside.write(`${batch.id}-4.stderr.txt`, "a word of stderr\n");
    const { out, code } = await onCommandLine(inside, ["logs", batch.id, "4"]);
    expect(code).toBe(0);
    expect(out).toStartWith(
      `Task 4 of batch ${batch.id}, attempt 1\nSession session-4\nTranscript ${batch.transcript(4)}\n\n> task 4\n`,
    );
    expect(out).toContain("Let me see");
    expect(out).toContain("\nStderr\na word of stderr");
    expect(out).toEndWith("\nTask 4: running.\n");
    const raw = (await onCommandLine(inside, ["logs", batch.id, "4", "--json"])).out;
    expect(lines(raw).map((line) => JSON.parse(line).type)).toEqual(["system", "assistant"]);
  });

  test("says where there is no session, no attempt or no transcript", async () => {
    using inside = new Inside();
    const batch = five(inside);
    expect(await onCommandLine(inside, ["logs", batch.id, "5"])).toEqual({
      code: 0,
      out: "",
      err: "Task 5 has no session: it is queued.\n",
    });
    expect((await onCommandLine(inside, ["logs", batch.id, "3"])).err).toContain("no longer exists.");
    expect((await onCommandLine(inside, ["logs", batch.id, "3"])).code).toBe(1);
    const attempt = await onCommandLine(inside, ["logs", batch.id, "1", "--attempt", "2"]);
    expect(attempt).toMatchObject({ code: 2, err: "Task 1 has no attempt 2; it has had 1 attempt.\n" });
    const none = await onCommandLine(inside, ["logs", batch.id, "5", "--attempt", "1"]);
    expect(none.err).toBe("Task 5 has no attempt 1; it has not started.\n");
    expect((await onCommandLine(inside, ["logs", batch.id, "6"])).err).toContain("there is no task 6");
  });
});

describe("cancel, wait and retry", () => {
  test("say what became of the batch", async () => {
    using inside = new Inside();
    const batch = five(inside);
    const cancelled = await onCommandLine(inside, ["cancel", batch.id, "5"]);
    expect(cancelled.code).toBe(0);
    expect(JSON.parse((await onCommandLine(inside, ["cancel", batch.id, "5", "--json"])).out)).toMatchObject({
      counts: { cancelled: 1 },
    });
    const again = await onCommandLine(inside, ["retry", batch.id, "3", "--max-turns", "9"]);
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 task is run again with `--max-turns 9`."),
    });
    const over = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes").end(2, failed).finish();
    const waited = await onCommandLine(inside, ["wait", over.id]);
    expect(waited.code).toBe(1);
    expect(waited.out + waited.err).toContain("1 succeeded, 1 failed");
    const good = inside.batch(inside.context()).answer(1, "yes").finish();
    expect((await onCommandLine(inside, ["wait", good.id])).code).toBe(0);
    expect((await onCommandLine(inside, ["wait", good.id, "--json"])).out).toContain('"state": "finished"');
  });
});

describe("run --dry-run", () => {
  test("shows tasks and options, and starts nothing", async () => {
    using inside = new Inside();
    inside.write("work/tasks.csv", "task,model\none,opus\ntwo,\n");
    const argv = ["run", "-f", "tasks.csv", "--max-turns", "3", "--env", '{"A":"secret"}', "--dry-run"];
    const { out, err, code } = await onCommandLine(inside, [
      ...argv,
      "--failure-mode",
      "cancel",
      "--batch-budget-usd",
      "2",
      "--batch-name",
      "n",
    ]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(lines(out)[0]).toStartWith(
      "Dry run: nothing was started. Without `--dry-run`, this would run 2 tasks, ",
    );
    expect(out).toContain(`  options       --max-turns 3 --env ${shellQuoted('{"A": "…"}')}`);
    expect(out).toContain("  budget        $2");
    expect(out).toContain("  failure mode  cancel");
    expect(out).toContain("  name          n");
    expect(out).toContain(`  directory     ${inside.work}`);
    expect(out).toEndWith("1  one\n   --model opus\n2  two\n");
    const json = JSON.parse((await onCommandLine(inside, [...argv, "--json"])).out);
    expect(json).toMatchObject({
      dryRun: true,
      totalTasks: 2,
      tasks: [
        { taskIndex: 1, task: "one", options: { model: "opus" } },
        { taskIndex: 2, task: "two", options: {} },
      ],
      options: { maxTurns: 3, env: ["A"] },
    });
    for (const absent of ["batchName", "batchBudgetUsd", "warnings"]) expect(json).not.toHaveProperty(absent);
    const dear = await onCommandLine(inside, [...argv, "--json", "--batch-budget-usd", "2"]);
    expect(JSON.parse(dear.out)).toMatchObject({ batchBudgetUsd: 2 });
    inside.write("work/one.txt", "one");
    const options = ["--fork-session", "--resume", "id", "--no-file-mentions"];
    const plain = (await onCommandLine(inside, ["run", "-f", "one.txt", "--dry-run", ...options])).out;
    expect(plain).toMatch(/^ {2}options +--fork-session --resume-session-id id --no-file-mentions$/m);
    expect(plain).not.toContain("  budget");
    expect(plain).not.toContain("  failure mode");
  });

  test("says what is wrong with the line of a file", async () => {
    using inside = new Inside();
    inside.write("work/tasks.jsonl", '"one"\n{"task": "two", "model": "gpt-4"}\n');
    const { code, err } = await onCommandLine(inside, ["run", "-f", "tasks.jsonl", "--dry-run"]);
    expect(code).toBe(2);
    expect(err).toStartWith('the file tasks.jsonl, line 2: model was given as "gpt-4"');
    expect(err).toEndWith("Nothing was done. `parallel-claude-code-mcp help run` shows its options.\n");
    const missing = await onCommandLine(inside, ["run", "-f", "none.txt", "--dry-run"]);
    expect(missing.err).toStartWith("the file none.txt cannot be read: it does not exist\n");
    const directory = await onCommandLine(inside, ["run", "-f", ".", "--dry-run"]);
    expect(directory.err).toContain("it is a directory");
    expect((await onCommandLine(inside, ["run", "-f", "a.ts", "--dry-run"])).err).toContain(
      "a .ts file is no list of tasks",
    );
    inside.write("work/empty.txt", "\n");
    expect((await onCommandLine(inside, ["run", "-f", "empty.txt", "--dry-run"])).err).toContain(
      "it has no task",
    );
  });

  test("takes paths from where one stands, whatever directory sessions work in", async () => {
    using inside = new Inside();
    mkdirSync(inside.file("work/sub"));
    inside.write("work/servers.json", '{"mcpServers": {}}');
    inside.write("work/one.txt", "one");
    const argv = [
      "run",
      "-f",
      "one.txt",
      "-C",
      "sub",
      "--mcp-config",
      "servers.json",
      "--output-directory",
      "out",
      "--dry-run",
      "--json",
    ];
    expect(JSON.parse((await onCommandLine(inside, argv)).out)).toMatchObject({
      workingDirectory: inside.file("work/sub"),
      outputDirectory: inside.file("work/out"),
      options: { mcpConfig: inside.file("work/servers.json") },
    });
  });
});

describe("install", () => {
  test("without a client lists how each stands", async () => {
    using inside = new Inside();
    inside.write("codex/config.toml", 'model = "x"\n');
    const { out, code } = await onCommandLine(inside, ["install"]);
    expect(code).toBe(0);
    expect(out).toMatch(/Codex .*not installed/i);
    const json = JSON.parse((await onCommandLine(inside, ["install", "--json"])).out);
    expect(JSON.stringify(json)).toContain('"not-installed"');
  });

  test("shows the change, and makes it where that is said", async () => {
    using inside = new Inside();
    const path = inside.write("codex/config.toml", 'model = "x"\n');
    const shown = await onCommandLine(inside, ["install", "--client", "codex", "--dry-run"]);
    expect(shown.out).toContain("+ [mcp_servers.claude-code]");
    expect(await Bun.file(path).text()).toBe('model = "x"\n');
    const made = await onCommandLine(inside, ["install", "--client", "codex", "--yes"]);
    expect(made.code).toBe(0);
    expect(await Bun.file(path).text()).toContain("[mcp_servers.claude-code]");
    const again = await onCommandLine(inside, ["install", "--client", "codex", "--yes"]);
    expect(again.out + again.err).toContain("Already up to date");
    const gone = await onCommandLine(inside, ["uninstall", "--client", "codex", "--yes"]);
    expect(gone.code).toBe(0);
    expect(await Bun.file(path).text()).toBe('model = "x"\n');
  });
});

describe("other commands", () => {
  test("config names every setting with its source", async () => {
    using inside = new Inside();
    const { out } = await onCommandLine(inside, ["config"]);
    expect(out).toContain("config.json (does not exist)\n");
    expect(out).toMatch(
      new RegExp(`^stateDirectory +${RegExp.escape(inside.state)} +PARALLEL_CLAUDE_STATE_DIRECTORY`, "m"),
    );
    expect(out).toMatch(/^memoryLimitMb +– +default +PARALLEL_CLAUDE_MEMORY_LIMIT_MB$/m);
    expect(out).not.toContain("Wrong");
    expect(out).toMatch(/^sharedDaemons +\[.{1,58}… +default +PARALLEL_CLAUDE_SHARED_DAEMONS$/m);
    expect(out).toContain("\n\n`config --json` prints whole values.");
    process.env["PARALLEL_CLAUDE_MAX_DEPTH"] = "deep";
    inside.write("config/parallel-claude-code-mcp/config.json", "{}");
    const broken = await onCommandLine(inside, ["config"]);
    expect(broken.out).not.toContain("does not exist");
    expect(broken.out).toContain(
      "\n\nWrong, and without a value until it is fixed:\nPARALLEL_CLAUDE_MAX_DEPTH was given as ",
    );
    expect(JSON.parse((await onCommandLine(inside, ["config", "--json"])).out).fileExists).toBe(true);
  });

  test("prune lists what it would remove", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "yes").finish();
    inside.context().store.database.run("UPDATE batches SET runner = NULL, ended_at = 1, changed_at = 1");
    const dry = await onCommandLine(inside, ["prune", "--dry-run"]);
    expect(lines(dry.out).map((line) => line.split(/\s{2,}/)[0])).toEqual([
      "BATCH",
      batch.id,
      expect.stringMatching(/^Would remove 1 batch, and free /),
    ]);
    const done = await onCommandLine(inside, ["prune"]);
    expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/^Removed 1 batch, and freed /) });
  });

  test("completions print the script of a shell", async () => {
    using inside = new Inside();
    for (const shell of ["bash", "zsh", "fish"])
      expect((await onCommandLine(inside, ["completions", shell])).out).toContain(product.name);
    expect((await onCommandLine(inside, ["completions", "tcsh"])).code).toBe(2);
  });
});

describe("the command line", () => {
  const nothing = (name: string) => `Nothing was done. \`${product.name} help ${name}\` shows its options.`;
  const cases: [argv: string[], err: string | RegExp][] = [
    [["cancel"], /^BATCH is missing: .*\n/],
    [["show", "a", "b", "c"], `unexpected arguments "b", "c"\n${nothing("show")}`],
    [["logs", "a", "x"], "There is no batch a. `parallel-claude-code-mcp list` shows all batches."],
    [["logs", "a", "0"], `N was given as "0": expected a whole number, 1 or more\n${nothing("logs")}`],
    [
      ["results", "a", "7-3"],
      /^N was given as "7-3": expected a whole number, 1 or more, or a range such as 3-7\n/,
    ],
    [["cancel", "--limit"], /^--limit is not known/],
    [["list", "--limit", "x", "--offset", "y"], /^2 problems:\n- --limit .*\n- --offset /],
    [["install", "cursor"], /^unexpected argument "cursor"; did you mean `--client cursor`\?\n/],
    [
      ["shwo"],
      /^There is no command shwo\. Did you mean `show`\?\nCommands are run, run-task, worker, list, /,
    ],
    [["ls"], /^There is no command ls\. Did you mean `list`\?/],
    [
      ["fix the bug"],
      /^There is no command fix the bug\. To run a session on it, write `parallel-claude-code-mcp run ['"]fix the bug['"]`\./,
    ],
    [
      ["fix", "the", "bug"],
      /^There is no command fix\. To run a session on a task, write `parallel-claude-code-mcp run "TASK"`\./,
    ],
    [["qqqq", "x"], /^There is no command qqqq\.\n/],
    [["qqqq", "x", "--y"], /^There is no command qqqq\.\n/],
    [["tasks.md"], /To run the tasks in that file, write `parallel-claude-code-mcp run -f tasks\.md`\./],
    [
      ["--json", "list"],
      /^There is no option --json\. Options go behind the command: `parallel-claude-code-mcp list --json`\./,
    ],
    [
      ["--model=opus", "x"],
      /^There is no option --model=opus\. Write `parallel-claude-code-mcp run "TASK"`, and options behind it\./,
    ],
    [["--qqqq"], /^There is no option --qqqq\.\n/],
    [["help", "shwo"], /^There is no command shwo\. Did you mean `show`\?/],
  ];
  for (const [argv, err] of cases)
    test(`${argv.join(" ")} is refused in words that help`, async () => {
      using inside = new Inside();
      inside.write("work/tasks.md", "- [ ] x\n");
      const ran = await onCommandLine(inside, argv);
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      if (typeof err === "string") expect(ran.err).toBe(`${err}\n`);
      else expect(ran.err).toMatch(err);
    });

  test("help and version print what they are asked for", async () => {
    using inside = new Inside();
    const overview = (await onCommandLine(inside, ["--help"])).out;
    for (const argv of [[], ["help"], ["-h"], ["help", "help"]])
      expect(await onCommandLine(inside, argv)).toEqual({ code: 0, out: overview, err: "" });
    // A switch that is on by default is listed by what turns it off.
    expect((await onCommandLine(inside, ["help", "run"])).out).toMatch(
      /^ +--no-file-mentions +Does not attach /m,
    );
    const show = (await onCommandLine(inside, ["help", "show"])).out;
    expect(show).toContain("show [BATCH]");
    expect((await onCommandLine(inside, ["show", "--help"])).out).toBe(show);
    expect((await onCommandLine(inside, ["show", "x", "-h"])).out).toBe(show);
    for (const word of ["--version", "-v", "-V", "version"])
      expect(await onCommandLine(inside, [word])).toEqual({ code: 0, out: `${product.version}\n`, err: "" });
  });
});
