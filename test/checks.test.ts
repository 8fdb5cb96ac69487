// Checks of answers: each kind, what a session hears of one that it did not pass, and how its task then ends.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { batchIdSchema } from "../src/model/batch-id.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, filesIn, Home, kill, run } from "./harness.ts";
import { untilKept } from "./running.ts";

const permitted = { PARALLEL_CLAUDE_ALLOW_CHECK_COMMANDS: "true" };

const noted = z.object({
  kind: z.string(),
  prompt: z.string().catch(""),
  session_id: z.string().catch(""),
  argv: z.array(z.string()).catch([]),
});

/** A check that is a program of its own on every system; it can be told apart by its name. Gives its command. */
async function script(home: Home, name: string, source: string): Promise<string> {
  await Bun.write(join(home.work, name), source);
  return `${process.execPath} ${name}`;
}

/** The processes of such a check, and those that it started. */
function scripts(home: Home, name: string) {
  return home.processes().filter(({ command }) => command.includes(name));
}

/** What the fake has noted so far; a line that it is just writing is left out. */
function notes(home: Home) {
  const lines = readFileSync(home.startsLog, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => noted.parse(JSON.parse(line)));
}

/** What the sessions of a home were asked, in the order in which they heard it. */
function prompts(home: Home) {
  return notes(home).filter(({ kind }) => kind === "prompt");
}

/** The arguments with which the sessions were started, one after another. */
function starts(home: Home): string[][] {
  return notes(home).flatMap(({ kind, argv }) => (kind === "start" ? [argv] : []));
}

async function one(home: Home, input: Record<string, unknown>) {
  await using client = await connectNew(home);
  const { isError, text, data } = await client.call("spawn_claude_session", input);
  return { isError, text, data: data ?? {} };
}

test("an answer that fails a check is continued in its conversation, and one that passes is the result", async () => {
  await using home = new Home();
  const { data } = await one(home, {
    task: '[[answer text="maybe"]][[again text="DONE"]]',
    expect: { pattern: "^DONE$" },
  });
  expect(data).toMatchObject({
    status: "success",
    result: "DONE",
    attempts: 2,
    checks: [{ kind: "pattern", asked: "^DONE$", passed: true }],
  });
  const [first, second, ...others] = prompts(home);
  expect(others).toEqual([]);
  expect(second?.session_id).toBe(first?.session_id ?? "none");
  expect(second?.prompt).toBe(
    "Your answer did not pass a check: the pattern `^DONE$`.\n\nWhat the check said:\n\nThe answer does not match it.\n\nCorrect what is wrong, in your work or in your answer. Then give your whole answer again, not only what changed.",
  );
});

test("an answer that never passes ends as unverified, with the check, its words and the answer", async () => {
  await using home = new Home();
  const { data } = await one(home, {
    task: '[[answer text="first try"]][[again text="second try"]]',
    expect: { pattern: "^DONE$" },
    retries: 2,
    outputDirectory: home.output,
  });
  expect(data).toMatchObject({
    status: "error",
    outcome: "unverified: pattern",
    attempts: 3,
    end: "failed",
    counts: { failed: 1 },
    checks: [{ kind: "pattern", passed: false, output: "The answer does not match it." }],
    error:
      "Did not pass the pattern `^DONE$`: The answer does not match it.\n\nThe answer, which did not pass its checks:\n\nsecond try",
  });
  expect(prompts(home)).toHaveLength(3);
  const [name = ""] = filesIn(home.output).filter((file) => file.startsWith("error-001"));
  const file = readFileSync(join(home.output, name), "utf8");
  expect(file).toContain("Did not pass the pattern `^DONE$`");
  expect(file).toContain("failed: the pattern `^DONE$`\n    The answer does not match it.");
  expect(file).toContain("second try");
});

test("a retry can bring another check, which is looked at before anything runs", async () => {
  await using home = new Home(permitted);
  await run(home, [
    "run",
    '[[answer text="maybe"]][[again text="DONE"]]',
    "--expect-pattern",
    "NEVER",
    "--retries",
    "0",
  ]);
  const refused = await run(home, ["retry", "latest", "--expect-command", "cat {{file}}"]);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringContaining("--expect-command names {{file}}, for which the task has no value"),
  });
  const { out } = await run(home, ["retry", "latest", "--expect-pattern", "DONE", "--json"]);
  expect(out).toContain("--expect-pattern DONE");
  await run(home, ["wait", "latest"]);
  expect((await run(home, ["results", "latest"])).out).toContain("DONE");
});

test("without retries, an answer that fails its check is not continued, and a retry continues it", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data = {} } = await client.call("spawn_claude_session", {
    task: '[[answer text="maybe"]][[again text="DONE"]]',
    expect: { pattern: "DONE" },
    retries: 0,
  });
  expect(data).toMatchObject({ outcome: "unverified: pattern" });
  expect(data).not.toHaveProperty("attempts");
  const { batchId } = data;
  await client.call("retry_batch", { batchId });
  await client.call("wait_for_batch", { batchId });
  const read = await client.call("read_batch_results", { batchId });
  expect(read.data).toMatchObject({ results: [{ status: "success", result: "DONE" }] });
  expect(prompts(home)[1]?.prompt).toStartWith("Your answer did not pass a check: the pattern `DONE`.");
});

describe("a schema", () => {
  const schema = {
    type: "array",
    items: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
  };

  test("checks the JSON in an answer, also in a block of code, and names every place", async () => {
    await using home = new Home();
    await Bun.write(join(home.work, "shape.json"), JSON.stringify(schema));
    const { data } = await one(home, {
      task: `[[answer text='[{"n":"x"},{}]']][[again text="\`\`\`json\\n[{\\"n\\": 1}]\\n\`\`\`"]]`,
      expect: { schema: "shape.json" },
    });
    expect(data).toMatchObject({ status: "success", attempts: 2 });
    const said = prompts(home)[1]?.prompt ?? "";
    expect(said).toContain('/0/n: Instance type "string" is invalid. Expected "integer".');
    expect(said).toContain('/1: Instance does not have required property "n".');
  });

  test("says of an answer that is no JSON that it is none", async () => {
    await using home = new Home();
    const { data } = await one(home, { task: '[[answer text="no"]]', expect: { schema }, retries: 0 });
    expect(data["error"]).toStartWith("Did not pass the schema: The answer is no JSON: ");
  });
});

describe("a command", () => {
  test("passes with exit code 0, runs in the task's directory, and its output is what the session hears", async () => {
    await using home = new Home(permitted);
    await Bun.write(
      join(home.work, "check.ts"),
      'const done = await Bun.file("done").exists(); console.log(process.cwd()); console.error("not yet"); process.exit(done ? 0 : 3);',
    );
    const { data } = await one(home, {
      task: `first[[again text="ok"]][[write-file path=${home.file("x")}]]`,
      expect: { command: `${process.execPath} check.ts` },
      retries: 1,
    });
    expect(data).toMatchObject({ outcome: "unverified: command", attempts: 2 });
    const said = prompts(home)[1]?.prompt ?? "";
    expect(said).toContain("It ended with exit code 3.");
    expect(said).toContain(home.work);
    expect(said).toContain("not yet");
    await Bun.write(join(home.work, "done"), "");
    const passed = await one(home, {
      task: "second",
      expect: { command: `${process.execPath} check.ts` },
    });
    expect(passed.data).toMatchObject({
      status: "success",
      checks: [{ kind: "command", passed: true, output: `${home.work}\n\nnot yet` }],
    });
  });

  testNeeding("sh")("gets the values of its task as they are, whatever the names of files are", async () => {
    await using home = new Home(permitted);
    const names = ["-l.txt", "a b.txt", "$(touch pwned).txt", "'; touch pwned; '.txt"];
    for (const name of names) await Bun.write(join(home.work, name), name);
    const script = 'cat "$1"; echo; echo "$2"';
    const { code, out } = await run(home, [
      ...["run", "--json", "--template", "Look at {{file}}", "--for-each", "*.txt"],
      ...["--expect-command", `sh -c '${script}' sh {{file}} stem={{stem}}`],
    ]);
    expect(code).toBe(0);
    const checked = z.object({
      results: z.array(z.object({ key: z.string(), checks: z.array(z.object({ output: z.string() })) })),
    });
    const { results } = checked.parse(JSON.parse(out));
    expect(results.map(({ key }) => key).sort()).toEqual(names.toSorted());
    for (const { key, checks } of results)
      expect(checks).toEqual([{ output: `${key}\nstem=${key.replace(/\.txt$/, "")}` }]);
    expect(existsSync(join(home.work, "pwned"))).toBe(false);
    const unknown = [
      "run",
      "--template",
      "x {{file}}",
      "--for-each",
      "*.txt",
      "--expect-command",
      "cat {{files}}",
    ];
    expect(await run(home, unknown)).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        "--expect-command names {{files}}, for which the task has no value; it has {{index}}, {{key}}, {{file}}, {{path}}",
      ),
    });
  });

  test("is refused without the operator's permission, at both doors", async () => {
    await using home = new Home();
    const { isError, text } = await one(home, { task: "x", expect: { command: "true" } });
    expect(isError).toBe(true);
    expect(text).toContain("expect.command requires the operator's permission (`allowCheckCommands` in ");
    const { code, err } = await run(home, ["run", "x", "--expect-command", "true"]);
    expect(code).toBe(2);
    expect(err).toContain("--expect-command requires the operator's permission (`allowCheckCommands` in ");
  });

  test("that hangs is ended by its time limit with everything that it started, and says so", async () => {
    await using home = new Home(permitted);
    const command = await script(
      home,
      "hangs.ts",
      `console.log("begun");
      if (Bun.argv[2] === undefined) Bun.spawn([process.execPath, import.meta.path, "too"], { stdout: "ignore" });
      setInterval(() => {}, 60_000);`,
    );
    // Long enough for a busy machine to start it.
    const { data } = await one(home, { task: "x", expect: { command, timeoutSeconds: 5 }, retries: 0 });
    expect(data).toMatchObject({
      outcome: "unverified: command",
      checks: [
        {
          passed: false,
          output: "It did not end within 5 s, and was stopped with everything that it had started.\n\nbegun",
        },
      ],
    });
    expect(scripts(home, "hangs.ts")).toEqual([]);
  });

  test("that does not exist could not be made, and the session is not asked again", async () => {
    await using home = new Home(permitted);
    const { data } = await one(home, { task: "x", expect: { command: "no-such-program --now" }, retries: 3 });
    expect(data).toMatchObject({
      outcome: "unverified: command",
      error: expect.stringContaining(
        "Not verified, because the command `no-such-program --now` could not be checked: There is no program no-such-program that could be run.",
      ),
      checks: [{ passed: false, broken: true }],
    });
    expect(prompts(home)).toHaveLength(1);
  });

  test("that is cancelled ends with its task, and the answer is kept", async () => {
    await using home = new Home(permitted);
    await using client = await connectNew(home);
    const begun = home.file("begun");
    const command = await script(
      home,
      "waits.ts",
      'await Bun.write(Bun.argv[2] ?? "", ""); setInterval(() => {}, 60_000);',
    );
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks: ['[[answer text="kept"]]'],
      expect: { command: `${command} ${begun}` },
      asyncMode: true,
    });
    const { batchId } = data;
    while (!(await Bun.file(begun).exists())) await Bun.sleep(20);
    await client.call("cancel_batch", { batchId });
    await client.call("wait_for_batch", { batchId });
    const read = await client.call("read_batch_results", { batchId });
    expect(read.data).toMatchObject({
      results: [{ outcome: "cancelled: user", error: expect.stringContaining("kept") }],
    });
    expect(scripts(home, "waits.ts")).toEqual([]);
  });
});

describe("a question", () => {
  const no = `[[only]][[cost usd=0.25]][[structured value='{"verdict":"no","reason":"It is too short."}']]`;
  const yes = `[[only]][[cost usd=0.25]][[structured value='{"verdict":"yes","reason":"It is fine."}']]`;

  test("is answered by a session of its own, without tools, by a cheap model, and its cost is the task's", async () => {
    await using home = new Home();
    const { data } = await one(home, {
      task: '[[cost usd=0.5]][[answer text="the answer"]]',
      expect: { question: `Is it good? ${yes}` },
    });
    expect(data).toMatchObject({
      status: "success",
      result: "the answer",
      costUsd: 0.75,
      totalCostUsd: 0.75,
      checks: [{ kind: "question", passed: true, output: "It is fine." }],
    });
    expect(data).not.toHaveProperty("attempts");
    const [, judge = []] = starts(home);
    expect(judge).toContain("--model=haiku");
    expect(judge).toContain("--tools=");
    expect(judge.join(" ")).not.toContain("--resume");
    expect(prompts(home)[1]?.prompt).toContain("the answer");
  });

  test("that is answered with no continues the conversation with the reason", async () => {
    await using home = new Home();
    const { data } = await one(home, {
      task: '[[cost usd=0.5]][[answer text="short"]][[again text="long"]]',
      expect: { question: `Is it good? ${no}`, model: "sonnet" },
    });
    expect(data).toMatchObject({
      outcome: "unverified: question",
      attempts: 2,
      checks: [{ passed: false, output: "It is too short." }],
    });
    expect(prompts(home)[2]?.prompt).toContain("What the check said:\n\nIt is too short.");
    expect(starts(home)[1]).toContain("--model=sonnet");
  });

  test("whose session fails says nothing about the answer", async () => {
    await using home = new Home();
    const { data } = await one(home, {
      task: '[[answer text="good"]]',
      expect: { question: "Is it? [[only]][[error status=400]]" },
    });
    expect(data).toMatchObject({ outcome: "unverified: question", checks: [{ broken: true }] });
    expect(data["error"]).toContain("The session that judges the answer gave no verdict");
    expect(data["error"]).toContain("good");
  });
});

test("checks are made the cheapest first, and the first that fails decides", async () => {
  await using home = new Home(permitted);
  const { data } = await one(home, {
    task: '[[answer text="x"]]',
    expect: { question: "Is it?", command: "no-such-program", pattern: "x", schema: { type: "string" } },
    retries: 0,
  });
  expect(data).toMatchObject({
    outcome: "unverified: schema",
    checks: [
      { kind: "pattern", passed: true },
      { kind: "schema", passed: false },
    ],
  });
  expect(prompts(home)).toHaveLength(1);
});

describe("an answer that does not fit outputSchema", () => {
  const outputSchema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

  test("is continued in the same conversation with the validator's words", async () => {
    await using home = new Home();
    const { data } = await one(home, {
      task: `[[structured-never text='{"n":"four"}']][[again value='{"n":4}']]`,
      outputSchema,
    });
    expect(data).toMatchObject({ status: "success", structuredResult: { n: 4 }, attempts: 2 });
    const [first, second] = prompts(home);
    expect(second?.session_id).toBe(first?.session_id ?? "none");
    expect(second?.prompt).toContain('/n: Instance type "string" is invalid. Expected "integer".');
    expect(second?.prompt).toContain("StructuredOutput");
  });

  test("counts as a failure when its retries are used up", async () => {
    await using home = new Home();
    const { data } = await one(home, { task: "[[structured-exhausted]][[again text=no]]", outputSchema });
    expect(data).toMatchObject({ outcome: "failed: schema", attempts: 2 });
    expect(prompts(home)[1]?.prompt).toContain("/answer: must be integer");
  });
});

describe("when the runner is killed while an answer is checked", () => {
  async function running(home: Home, task: string, expectation: object) {
    const client = await connectNew(home);
    const { data = {} } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [task],
      expect: expectation,
      asyncMode: true,
    });
    const store = home.store();
    const batchId = batchIdSchema.parse(data["batchId"]);
    return {
      epoch: () => store.row(batchId)?.epoch ?? 0,
      activity: () => store.activities(batchId).get(1),
      forgetActivity: () => store.database.run("DELETE FROM progress"),
      server: client.pid,
      result: async () => {
        // The first call may only find that nobody runs it any more.
        for (let state: unknown; state !== "finished"; )
          state = (await client.call("wait_for_batch", { batchId })).data?.["state"];
        const read = await client.call("read_batch_results", { batchId });
        return z.object({ results: z.array(z.unknown()) }).parse(read.data).results[0];
      },
      [Symbol.asyncDispose]: async () => {
        store[Symbol.dispose]();
        await client[Symbol.asyncDispose]();
      },
    };
  }

  /** Kills them, once both are there. */
  async function killed(home: Home, who: "the runner" | "runner and keeper"): Promise<void> {
    const [keeper, runner] = await untilKept(home);
    await kill(runner, ...(who === "runner and keeper" ? [keeper] : []));
  }

  for (const who of ["the runner", "runner and keeper"] as const) {
    test(`${who}: its command is ended and run again, and the answer is not paid for again`, async () => {
      await using home = new Home(permitted);
      const [log, gate] = [home.file("log"), home.file("gate")];
      const waits = await script(
        home,
        "gate.ts",
        `import { appendFileSync, existsSync } from "node:fs";
        const [log, gate] = Bun.argv.slice(2);
        appendFileSync(log, "begun\\n");
        while (!existsSync(gate)) await Bun.sleep(50);
        console.log("passed");`,
      );
      const command = `${waits} ${log} ${gate}`;
      await using batch = await running(home, '[[cost usd=0.5]][[answer text="kept"]]', { command });
      const begun = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0);
      await eventually(
        () => begun() === 1,
        () => "the command does not begin",
      );
      const [first] = scripts(home, "gate.ts");
      await killed(home, who);
      // Where nobody is left who looks after it, the next call does.
      await run(home, ["list"]);
      await eventually(
        () => begun() === 2,
        () => "the command is not begun again",
      );
      const now = scripts(home, "gate.ts");
      expect(now.map(({ pid }) => pid)).not.toContain(first?.pid ?? 0);
      expect(now).toHaveLength(1);
      await Bun.write(gate, "");
      expect(await batch.result()).toMatchObject({
        status: "success",
        result: "kept",
        costUsd: 0.5,
        checks: [{ kind: "command", passed: true, output: "passed" }],
      });
      expect(prompts(home)).toHaveLength(1);
    });

    test(`${who}: the session of its question is adopted, and asked once`, async () => {
      await using home = new Home();
      const gate = home.file("gate");
      const verdict = `[[only]][[cost usd=0.25]][[wait-for-file path=${gate}]][[structured value='{"verdict":"yes","reason":"Fine."}']]`;
      await using batch = await running(home, '[[cost usd=0.5]][[answer text="kept"]]', {
        question: verdict,
      });
      await eventually(
        () => existsSync(home.startsLog) && prompts(home).length === 2,
        () => "the question is not asked",
      );
      await eventually(
        () => batch.activity() === "Checks the answer",
        () => "nobody sees that it is asked",
      );
      batch.forgetActivity();
      await killed(home, who);
      // Only then the question is answered: the next runner has ended what the session of the task has left by then.
      if (who === "the runner")
        await eventually(
          () => batch.epoch() === 2 && batch.activity() === "Checks the answer",
          () => "no other runner goes on with the question",
        );
      await Bun.write(gate, "");
      expect(await batch.result()).toMatchObject({
        status: "success",
        result: "kept",
        costUsd: 0.75,
        checks: [{ kind: "question", passed: true, output: "Fine." }],
      });
      expect(prompts(home)).toHaveLength(2);
      await home.empty({ but: batch.server });
    });
  }
});

test("an answer that is remembered counts for the same checks only, and for stopWhen", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const tasks = ['[[answer text="FOUND a"]]', '[[answer text="no"]]'];
  const ask = async (more: object) => {
    const { data } = await client.call("spawn_parallel_claude_sessions", { reuse: "auto", ...more });
    return data;
  };
  await ask({ tasks, expect: { pattern: "." } });
  const asked = prompts(home).length;
  expect(await ask({ tasks, expect: { pattern: "." } })).toMatchObject({ reused: 2 });
  expect(prompts(home)).toHaveLength(asked);
  expect(
    await ask({
      tasks: [...tasks, "never started"],
      expect: { pattern: "." },
      stopWhen: { found: 1, where: { pattern: "^FOUND" } },
    }),
  ).toMatchObject({ end: "succeeded", stoppedBy: "stop-when", counts: { succeeded: 2, cancelled: 1 } });
  expect(prompts(home)).toHaveLength(asked);
  expect(await ask({ tasks: tasks.slice(0, 1), expect: { pattern: "a$" } })).not.toHaveProperty("reused");
  expect(prompts(home)).toHaveLength(asked + 1);
});

describe("a batch", () => {
  test("ends early once too many tasks have failed, and says why", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = ["[[error status=400]]", "[[error status=400]]", "c", "d", "e"];
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks,
      failWhen: "40%",
      concurrency: 1,
    });
    expect(data).toMatchObject({
      state: "cancelled",
      end: "stopped",
      stoppedBy: "fail-when",
      counts: { failed: 2, cancelled: 3 },
      message: expect.stringContaining("Stopped because 40% of its tasks failed: 2 of 5 tasks done"),
    });
    const { code, err } = await run(home, ["run", ...tasks, "--fail-when", "2", "--concurrency", "1"]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("2 tasks failed") });
  });

  test("ends at a failure with which enough others fail, before anything else starts", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [{ key: "first", task: "[[error status=400]]" }, "b", { task: "c", after: ["first"] }, "d"],
      failWhen: "50%",
      concurrency: 1,
    });
    expect(data).toMatchObject({
      end: "stopped",
      stoppedBy: "fail-when",
      counts: { failed: 1, cancelled: 3 },
    });
    expect(prompts(home)).toHaveLength(1);
  });

  test("ends early and successfully once enough answers match", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const tasks = [
      '[[answer text="no"]]',
      '[[answer text="FOUND a"]]',
      '[[answer text="FOUND b"]]',
      "d",
      "e",
    ];
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks,
      stopWhen: { found: 2, where: { pattern: "^FOUND" } },
      concurrency: 1,
    });
    expect(data).toMatchObject({
      state: "finished",
      end: "succeeded",
      stoppedBy: "stop-when",
      counts: { succeeded: 3, cancelled: 2 },
      message: expect.stringContaining("Found 2, as asked: 3 of 5 tasks done, 2 not started."),
    });
    const { code, out, err } = await run(home, [
      ...["run", ...tasks, "--concurrency", "1", "--summarize", "Name what was found."],
      ...["--stop-when-found", "1", "--stop-when-where-pattern", "b$"],
    ]);
    // What was found is summarized all the same.
    expect(prompts(home).at(-1)?.prompt).toContain("Name what was found.");
    expect({ code, out: out + err }).toEqual({ code: 0, out: expect.stringContaining("Found 1, as asked") });
    // Also where the last task is the one that was found, and nothing is left to cancel.
    const last = await run(
      home,
      ["run", "[[error status=400]]", "[[answer text=FOUND]]", "--concurrency", "1"].concat([
        "--stop-when-found",
        "1",
      ]),
    );
    expect(last).toMatchObject({ code: 0, err: expect.stringContaining("Found 1, as asked") });
    expect((await run(home, ["list"])).out).toContain("found enough");
  });
});
