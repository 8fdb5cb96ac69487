import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/doors/cli/all-commands.ts";
import { settingNames, variableOf } from "../src/model/configuration.ts";
import { product } from "../src/model/product.ts";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, filesIn, Home, program, run } from "./harness.ts";
import { nativePath } from "./native-path.ts";
import { newestRow } from "./running.ts";

/** The batch that a command speaks of. */
function batchIdIn(text: string): string {
  return /Batch (\w{8})/.exec(text)?.[1] ?? "";
}

describe("run", () => {
  test("a single task prints its answer on stdout, and nothing else", async () => {
    await using home = new Home();
    const { code, out, err } = await run(home, ["run", '[[answer text="it is 4"]]']);
    expect({ code, out }).toEqual({ code: 0, out: "it is 4\n" });
    expect(err).toContain("1/1  task 1  succeeded");
    expect(err).toContain(home.output);
    await home.empty();
  });

  test("several tasks give a line each as they end, and answers in files", async () => {
    await using home = new Home();
    const { code, out, err } = await run(home, ["run", "one", "two", "[[max-turns]]"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    for (const task of ["1", "2"])
      expect(err).toMatch(new RegExp(`^\\d/3 {2}task ${task} {2}succeeded`, "m"));
    expect(err).toMatch(/^\d\/3 {2}task 3 {2}failed: turn limit/m);
    expect(err).toContain("All 3 tasks ended: 2 succeeded, 1 failed.");
    const names = filesIn(home.output).map((name) =>
      name.replace(/-\d{13}/, "").replace(batchIdIn(err), "ID"),
    );
    expect(names).toEqual([
      "error-003.txt",
      "index.html",
      "report-ID-texts.js",
      "report-ID.html",
      "report-ID.js",
      "result-001.html",
      "result-002.html",
      "results-ID.jsonl",
      "summary-ID.json",
    ]);
  });

  test("--json prints the whole answer, and stdout holds nothing else", async () => {
    await using home = new Home();
    const { code, out } = await run(home, ["run", "--json", "one", "[[max-turns]]"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      state: "finished",
      totalTasks: 2,
      results: [{ result: "Answer to: one" }, { outcome: "failed: max-turns" }],
    });
  });

  test("an answer with an output schema comes as data", async () => {
    await using home = new Home();
    const schema = '{"type":"object","properties":{"sum":{"type":"number"}},"required":["sum"]}';
    const { code, out } = await run(home, [
      "run",
      `[[structured value='{"sum":4}']]`,
      "--output-schema",
      schema,
    ]);
    expect({ code, data: JSON.parse(out) }).toEqual({ code: 0, data: { sum: 4 } });
  });

  test("a file gives one task a line, and blank lines none", async () => {
    await using home = new Home();
    writeFileSync(join(home.work, "tasks.txt"), "\uFEFFfirst\r\n\r\n  \nsecond\n");
    const { out } = await run(home, ["run", "zeroth", "-f", "tasks.txt", "--json"]);
    const answer: { results: { taskDescription: string }[] } = JSON.parse(out);
    expect(answer.results.map((result) => result.taskDescription)).toEqual(["zeroth", "first", "second"]);
  });

  test("standard input gives tasks too", async () => {
    await using home = new Home();
    const { code, out } = await run(home, ["run", "-f", "-"], "what is 2+2?\n");
    expect({ code, out }).toEqual({ code: 0, out: "Answer to: what is 2+2?\n" });
  });

  test("flags reach the session", async () => {
    await using home = new Home();
    const flags = ["--model", "haiku", "--max-turns=3", "--allowed-tools", "Read", "--allowed-tools", "Edit"];
    const { out } = await run(home, ["run", "[[args]]", ...flags]);
    const args: string[] = JSON.parse(out);
    for (const expected of ["--model=haiku", "--max-turns=3", "--allowedTools=Read,Edit"]) {
      expect(args).toContain(expected);
    }
  });

  test("denied tools are told with the flag that lets them through", async () => {
    await using home = new Home();
    const { code, err } = await run(home, ["run", "[[denied tool=Write]]"]);
    expect(code).toBe(0);
    expect(err).toContain("To allow this call, add `--permission-mode acceptEdits`.");
  });

  test("--detach answers at once, and the batch goes on by itself", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    const { code, out } = await run(home, ["run", "--detach", `[[wait-for-file path=${gate}]]`]);
    expect(code).toBe(0);
    expect(out).toContain(home.output);
    const batchId = batchIdIn(out);
    expect((await run(home, ["show", batchId])).out).toContain("running");
    await Bun.write(gate, "");
    await home.empty();
    expect((await run(home, ["show", batchId])).out).toMatch(/state +succeeded/);
  });

  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    testNeeding("signals that can be heard")(
      `${signal} ends what runs, starts no more, and says where the rest is`,
      async () => {
        await using home = new Home();
        const started = home.file("started");
        const tasks = ["quick", `[[touch path=${started}]] [[hang]]`, "never"];
        await using command = new RunningCommand(home, ["run", ...tasks, "--concurrency", "1"]);
        await eventually(
          () => existsSync(started),
          () => `task 2 starts; ${command.said}`,
        );
        command.signal(signal);
        expect(await command.ended()).toBe(status);
        expect(command.said).toContain(`show ${batchIdIn(command.said)}`);
        expect(command.said).toContain("Cancelled by the user: 1 of 3 tasks done, ");
        await home.empty();
        const { out } = await run(home, ["list", "--json"]);
        expect(JSON.parse(out)).toMatchObject({ batches: [{ state: "cancelled" }] });
        expect(readFileSync(home.startsLog, "utf8")).not.toContain("never");
      },
    );
  }

  const stubborn = "[[ignore-everything]] [[grandchild double-fork survive-interrupt]]";

  testNeeding("signals that can be heard")(
    "Ctrl-C twice ends everything at once, leaves no process behind, and says at once that it was cancelled",
    async () => {
      await using home = new Home();
      const started = home.file("started");
      const tasks = [`${stubborn} [[touch path=${started}]] [[hang]]`, "never"];
      await using command = new RunningCommand(home, ["run", ...tasks, "--concurrency", "1"]);
      await eventually(
        () => existsSync(started),
        () => `the task starts; ${command.said}`,
      );
      command.signal("SIGINT");
      await command.says("Press Ctrl-C again");
      command.signal("SIGINT");
      expect(await command.ended()).toBe(130);
      const [batch] = JSON.parse((await run(home, ["list", "--json"])).out).batches;
      expect(batch).toMatchObject({ state: "cancelled", counts: { cancelled: 2, failed: 0, running: 0 } });
      expect((await run(home, ["show", "latest"])).out).toContain("Cancelled by the user: 0 of 2 tasks done");
      await home.empty();
    },
  );

  testNeeding("signals that can be heard")(
    "Ctrl-C while the store cannot be written is heard as soon as it can be",
    async () => {
      await using home = new Home();
      const started = home.file("started");
      await using command = new RunningCommand(home, ["run", `[[touch path=${started}]] [[hang]]`]);
      await eventually(
        () => existsSync(started),
        () => `the task starts; ${command.said}`,
      );
      using store = home.store();
      store.database.run(
        "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.body LIKE '%cancel-requested%' BEGIN SELECT RAISE(ABORT, 'full'); END",
      );
      command.signal("SIGINT");
      await command.says("Press Ctrl-C again");
      store.database.run("DROP TRIGGER full");
      expect(await command.ended()).toBe(130);
      expect(command.said).toContain("Cancelled by the user");
      await home.empty();
    },
  );

  testNeeding("bash")("a reader that has gone is no error", async () => {
    await using home = new Home();
    const script = `"$@" | head -c 1; echo " \${PIPESTATUS[0]}"`;
    const child = Bun.spawn(["bash", "-c", script, "bash", ...program(), "run", "[[answer bytes=3000000]]"], {
      cwd: home.work,
      env: home.environment,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(out).toMatch(/^. 0\n$/);
    expect(err).not.toMatch(/EPIPE|^ +at /m);
  });

  test("output that cannot be written is told, and is no success", async () => {
    await using home = new Home();
    const child = Bun.spawn([...program(), "config"], {
      cwd: home.work,
      env: home.environment,
      stdout: Bun.file("/dev/full"),
      stderr: "pipe",
    });
    const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
    expect(code).toBe(1);
    expect(err).toContain("The output could not be written: ");
  });

  testNeeding("bash")("a long answer goes whole through a slow pipe", async () => {
    await using home = new Home();
    const child = Bun.spawn(
      ["bash", "-c", '"$@" | { sleep 0.2; wc -c; }', "bash", ...program(), "run", "[[answer bytes=3000000]]"],
      {
        cwd: home.work,
        env: home.environment,
        stdout: "pipe",
        stderr: "ignore",
      },
    );
    expect((await child.stdout.text()).trim()).toBe("3000001");
  });
});

describe("bad input is told in one message with exit status 2, and starts nothing", () => {
  const cases: [string[], string[]][] = [
    [["run"], ["there is no task"]],
    [
      ["run", "a", "--modle", "x", "--max-turns", "y"],
      ["did you mean `--model`", "expected a number"],
    ],
    [["run", "a", "--max-turns", "0", "--effort=low"], ["--max-turns was given as 0"]],
    [
      ["run", "a", "--working-directory", nativePath("/nowhere/at/all")],
      ["--working-directory ", `${nativePath("/nowhere/at/all")} does not exist`],
    ],
    [
      ["run", "a", " "],
      ["task 2", "must not be empty"],
    ],
    [["run", "-f", "no-such-file"], ["no-such-file cannot be read"]],
    // Under Wine, Bun finds nothing at all at an empty standard input.
    ...(process.platform === "win32"
      ? []
      : [[["run", "-f", "-"], ["standard input: it has no task"]] satisfies [string[], string[]]]),
    [["show", "zzzz"], ["There is no batch zzzz"]],
    [["show"], ["There is no batch yet."]],
    [["show", "a", "b"], ['unexpected argument "b"']],
    [["cancel", "latest", "one"], ["There is no batch yet."]],
    [["cancel", "latest", "null"], ["There is no batch yet."]],
    [["cancel", "latest", ""], ['N was given as ""']],
    [["retry", "latest", "7-3"], ['N was given as "7-3": expected a whole number, 1 or more, or a range']],
    [["logs", "latest", "1-3"], ['N was given as "1-3": expected a whole number, 1 or more']],
    [["list", "--limit", "0"], ["--limit was given as 0"]],
    [
      ["run", "a", "--concurrency", "many"],
      ['--concurrency was given as "many": expected a whole number or "auto"'],
    ],
    [["run", "a", "--retries", "1.5"], ["--retries was given as 1.5: expected a whole number"]],
    [["lst"], ["Did you mean `list`?"]],
    [["--fast"], ["There is no option --fast"]],
  ];
  for (const [argv, expected] of cases) {
    test(argv.join(" "), async () => {
      await using home = new Home();
      const { code, out, err } = await run(home, argv);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      for (const text of expected) expect(err).toContain(text);
      expect(err).not.toMatch(/^ +at /m);
      expect(existsSync(home.startsLog)).toBe(false);
    });
  }
});

test("every command has help, which starts with how it is written", async () => {
  await using home = new Home();
  const { code, out } = await run(home, ["help"]);
  expect(code).toBe(0);
  const names = ["run", "list", "show", "cancel", "retry", "doctor", "config"];
  await Promise.all(
    names.map(async (name) => {
      expect(out).toContain(`\n  ${name}`);
      const [byFlag, byName] = await Promise.all([run(home, [name, "--help"]), run(home, ["help", name])]);
      expect(byFlag).toEqual(byName);
      expect(byFlag.out).toStartWith(`Usage: parallel-claude-code-mcp ${name}`);
      expect(byFlag.out).toContain("--json");
      // Tools have other names than commands, and a question needs no colon.
      expect(byFlag.out).not.toMatch(/\b(?:wait_for|retry|cancel|list|read)_batch|\?:/);
    }),
  );
  expect(out).toContain("serve");
});

test("the version is printed however it is asked for", async () => {
  await using home = new Home();
  for (const word of ["--version", "-v", "-V", "version"])
    expect(await run(home, [word])).toEqual({ code: 0, out: `${product.version}\n`, err: "" });
});

test("every command prints JSON when it is asked to, and nothing else", async () => {
  await using home = new Home();
  await run(home, ["run", "one", "[[max-turns]]", "--batch-name", "named"]);
  const asked: Record<string, string[]> = {
    run: ["one"],
    "run-task": ["--schema"],
    list: [],
    show: ["latest"],
    watch: ["latest"],
    wait: ["latest"],
    results: ["latest"],
    export: ["latest"],
    logs: ["latest", "1"],
    open: ["latest", "--print"],
    // Both have a task in common.
    compare: [newestRow(home)?.batchId ?? "", "latest"],
    spend: [],
    failures: ["named"],
    metrics: [],
    cancel: ["latest"],
    change: ["latest", "--concurrency", "2"],
    retry: ["latest"],
    continue: ["latest"],
    summarize: ["latest", "Sum it up"],
    schedule: ["list"],
    prune: ["--dry-run"],
    doctor: [],
    install: ["--client", "cursor"],
    uninstall: [],
    host: ["list"],
    config: [],
    "self-update": [],
    completions: ["bash"],
  };
  // Servers and workers print it while they serve, and `fleet` needs one: see the tests of HTTP and of fleets.
  const elsewhere = ["serve", "ui", "worker", "fleet"];
  const names = commands.map(({ name }) => name).filter((name) => !elsewhere.includes(name));
  expect(Object.keys(asked)).toEqual(names);
  for (const [name, words] of Object.entries(asked)) {
    if (name === "retry") await run(home, ["run", "[[max-turns]]"]);
    if (name === "change") await run(home, ["run", "five", "six", "--sample", "1"]);
    if (name === "continue") await run(home, ["run", "four", "five", "six", "--sample", "1"]);
    if (name === "summarize") await run(home, ["run", "three"]);
    const { out } = await run(home, [name, ...words, "--json"]);
    const lines = name === "logs" ? out.trim().split("\n") : [out];
    for (const line of lines) expect(typeof JSON.parse(line)).toBe("object");
  }
});

test("list and show tell of a batch what run has done", async () => {
  await using home = new Home();
  expect((await run(home, ["list"])).out).toContain("There are no batches yet");
  const tasks = ["review the code\nwith care", "[[max-turns]]"];
  const { err } = await run(home, ["run", ...tasks, "--batch-name", "nightly"]);
  const batchId = batchIdIn(err);
  const list = await run(home, ["list"]);
  expect(list.out).toMatch(new RegExp(`^${batchId} +1 failed +2/2 +1 .* nightly$`, "m"));
  const show = await run(home, ["show", "latest"]);
  expect(show.out).toContain(`Batch ${batchId} “nightly”`);
  expect(show.out).toMatch(/^1 {2}succeeded .* review the code {2,}result-001-\d+\.html$/m);
  expect(show.out).toMatch(/^2 {2}failed: turn limit .* error-002-\d+\.txt$/m);
  expect(show.out).toContain("--max-turns");
  expect(list.out + show.out).not.toContain("\x1b");
});

test("cancel ends the tasks that are named, and the others go on", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  const started = home.file("started");
  const tasks = [`[[touch path=${started}]] [[hang]]`, `[[wait-for-file path=${gate}]]`];
  const batchId = batchIdIn((await run(home, ["run", "--detach", ...tasks])).out);
  await eventually(
    () => existsSync(started),
    () => "task 1 starts",
  );
  const { code, out } = await run(home, ["cancel", batchId, "1"]);
  expect(code).toBe(0);
  expect(out).toContain("1 of 2 tasks has ended: 0 succeeded, 1 cancelled.");
  await Bun.write(gate, "");
  await home.empty();
  expect((await run(home, ["show", batchId])).out).toContain(
    "Tasks were cancelled by the user: 1 of 2 tasks done, 1 stopped.",
  );
});

test("tasks are named by ranges, as answers print them", async () => {
  await using home = new Home();
  const batchId = batchIdIn((await run(home, ["run", "a", "b", "c", "d", "e"])).err);
  const { code, out } = await run(home, ["results", batchId, "1-2,4", "5"]);
  expect(code).toBe(0);
  expect([...out.matchAll(/^Task (\d)/gm)].map(([, number]) => number)).toEqual(["1", "2", "4", "5"]);
  const { err } = await run(home, ["results", batchId, "4-9"]);
  expect(err).toContain(`Batch ${batchId} has tasks 1 to 5; there are no tasks 6, 7, 8, 9.`);
  const many = await run(home, ["cancel", batchId, "1-9999"]);
  expect(many.err).toContain("there are no tasks 6, 7");
  expect(many.err).toContain(" and 9974 more.");
});

test("a batch's name is as good as its id, unless several have it", async () => {
  await using home = new Home();
  const first = batchIdIn((await run(home, ["run", "a", "--batch-name", "nightly"])).err);
  const { code, out } = await run(home, ["show", "nightly"]);
  expect([code, out]).toEqual([0, expect.stringContaining(`Batch ${first} “nightly”`)]);
  const second = batchIdIn((await run(home, ["run", "a", "--batch-name", "nightly"])).err);
  expect((await run(home, ["wait", "nightly"])).err).toMatch(
    new RegExp(
      `"nightly" is the name of 2 batches: ${second} \\(finished, .*${first}.* Give the id of one\\.`,
      "s",
    ),
  );
});

test("config tells each value with its source", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "3" });
  const { code, out } = await run(home, ["config"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^concurrency +3 +PARALLEL_CLAUDE_CONCURRENCY/m);
  expect(out).toMatch(/^syncWaitSeconds +45 +default/m);
  expect(JSON.parse((await run(home, ["config", "--json"])).out)).toMatchObject({ fileExists: false });
});

for (const [what, textOf] of [
  ["empty", () => ""],
  ["a blank", () => " "],
  ["the placeholder of a bundle's form", (name: string) => `\${user_config.${name}}`],
  ["a form's null", () => "null"],
] as const) {
  test(`a variable that is ${what} counts as not set, whichever setting it is of`, async () => {
    const variables = settingNames.map((name) => [variableOf(name), textOf(name)]);
    await using home = new Home(Object.fromEntries(variables));
    const { code, out } = await run(home, ["config", "--json"]);
    const { settings }: { settings: { name: string; source: string }[] } = JSON.parse(out);
    expect(code).toBe(0);
    expect(settings.map(({ name }) => name)).toEqual(settingNames);
    expect(settings.filter(({ source }) => source !== "default")).toEqual([]);
  });
}

test("a budget of the operator that is no amount is told in one message, and nothing is done", async () => {
  for (const text of ["0", "-3", "$25", "12 USD", "{}"]) {
    await using home = new Home({ PARALLEL_CLAUDE_BATCH_BUDGET_USD: text });
    const { code, err } = await run(home, ["run", "x"]);
    expect({ text, code }).toEqual({ text, code: 2 });
    expect(err).toContain("PARALLEL_CLAUDE_BATCH_BUDGET_USD was given as");
    expect(err.trim().split("\n")).toHaveLength(1);
  }
});
