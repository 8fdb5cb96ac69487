// What a retry is about, and what it answers, of a batch that this process runs: nothing has to be started for it.
import { describe, expect, test } from "bun:test";
import { flagWording } from "../../src/doors/cli/input/flag-wording.ts";
import { fleetSettings } from "../../src/model/fleet.ts";
import { mostPromptBytes } from "../../src/model/options.ts";
import { optionsOf } from "../../src/model/task-options.ts";
import { retryBatch } from "../../src/operations/retry.ts";
import { UserError } from "../../src/operations/user-error.ts";
import { testNeeding } from "../facilities.ts";
import { crashed, failed, Inside, type TestBatch } from "../inside.ts";

type Door = "tools" | "command-line";

const denied = {
  usage: { costUsd: 0, numTurns: 1, durationMs: 1, denials: [{ tool: "Write", rule: "Write" }] },
};

/** Tasks 1 and 4 succeeded, tools were denied to 4; 2 and 3 failed; 5 runs, and 6 waits. */
function six(inside: Inside): TestBatch {
  return inside
    .batch(inside.context(), { tasks: 6 })
    .answer(1, "yes")
    .end(2, failed)
    .end(3, crashed)
    .answer(4, "no", denied)
    .start(5);
}

async function retry(inside: Inside, input: object, door: Door = "tools") {
  try {
    return await retryBatch.run(inside.context(door), { batchId: "latest", ...input }, inside.call());
  } catch (error) {
    if (door === "tools" || !(error instanceof UserError)) throw error;
    throw new Error(error.textIn(flagWording([])));
  }
}

/** The newest event of a batch that another log has got. */
function newest(batch: TestBatch) {
  return batch.log.refresh().at(-1);
}

describe("reruns", () => {
  const cases: [what: string, input: object, event: object, message: string][] = [
    ["what failed", {}, { tasks: [2, 3] }, "2 tasks are run again."],
    ["of those that are named, what failed", { tasks: [1, 3, 6] }, { tasks: [3] }, "1 task is run again."],
    [
      "a named task to which tools were denied",
      { tasks: [1, 4] },
      { tasks: [], succeeded: [4] },
      "1 task is run again.",
    ],
    [
      "a named task that succeeded, with other options, and gives them to those that wait",
      { tasks: [1, 2, 6], with: { model: "opus" } },
      { tasks: [2], succeeded: [1], options: { model: "opus" }, changed: [1, 2, 6] },
      '2 tasks are run again with `model: "opus"`.',
    ],
    [
      "with other rules, and says which of those that were kept had tools denied",
      { with: { allowedTools: "Write" } },
      { tasks: [2, 3], options: { allowedTools: "Write" }, changed: [2, 3] },
      '2 tasks are run again with `allowedTools: "Write"`. Kept, although tools were denied to them: 4. To rerun them, name them in `tasks`.',
    ],
    [
      "with a text at the end of their prompts",
      { with: { appendPrompt: "Be brief." } },
      { tasks: [2, 3], changed: [2, 3], appendPrompt: "Be brief." },
      '2 tasks are run again with `appendPrompt: "Be brief."`.',
    ],
    [
      "a named task that succeeded, with another model and a text at the end of its prompt",
      { tasks: [1], with: { model: "opus", appendPrompt: "Be brief." } },
      { tasks: [], succeeded: [1], options: { model: "opus" }, changed: [1], appendPrompt: "Be brief." },
      '1 task is run again with `model: "opus"`, `appendPrompt: "Be brief."`.',
    ],
    [
      "with another budget",
      { batchBudgetUsd: 5 },
      { tasks: [2, 3], budgetUsd: 5 },
      "The budget of the batch is now $5.00. 2 tasks are run again.",
    ],
    [
      "with the budget that stands among the options",
      { with: { batchBudgetUsd: 5 }, tasks: [2] },
      { tasks: [2], budgetUsd: 5 },
      "The budget of the batch is now $5.00. 1 task is run again.",
    ],
  ];
  for (const [what, input, event, message] of cases) {
    test(what, async () => {
      using inside = new Inside();
      const batch = six(inside);
      const answer = await retry(inside, input);
      const { at: _, epoch, ...written } = newest(batch) ?? { at: 0, epoch: 0, type: "" };
      expect(epoch).toBe(0);
      expect<unknown>(written).toEqual({ type: "retry-requested", ...event });
      expect(answer.message).toBe(`${message} Results go to ${inside.output}.`);
      expect(answer.state).toBe("running");
    });
  }

  test("nothing, and changes the tasks that wait", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 3 }).start(1);
    const { message } = await retry(inside, { tasks: [2, 3], with: { model: "opus" } });
    expect(message).toBe(`2 waiting tasks will run with \`model: "opus"\`. Results go to ${inside.output}.`);
    expect(newest(batch)).toMatchObject({ tasks: [], options: { model: "opus" }, changed: [2, 3] });
  });

  test("nothing, where a text would make prompts longer than the CLI takes, and names them", async () => {
    using inside = new Inside();
    six(inside);
    const appendPrompt = "x".repeat(mostPromptBytes - 7);
    await expect(retry(inside, { with: { appendPrompt } })).rejects.toThrow(
      "Nothing was done: with.appendPrompt makes the prompts of tasks 2, 3 longer than 9 MB; put longer text in a file",
    );
  });

  test("nothing, with options that its fleet cannot use", async () => {
    using inside = new Inside();
    const settings = fleetSettings.parse({ url: "redis://127.0.0.1", keyFile: "~/key", blobs: "~/blobs" });
    inside.batch(inside.context(), { batch: { fleet: { name: "team", settings } } }).end(1, failed);
    await expect(retry(inside, { with: { addDirectories: ["."] } })).rejects.toThrow(
      "with.addDirectories cannot be used with `fleet`",
    );
  });

  test("nothing, and raises the budget", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { batch: { budgetUsd: 1 } }).start(1);
    const { message } = await retry(inside, { batchBudgetUsd: 2.5 });
    expect(message).toBe(`The budget of the batch is now $2.50. Results go to ${inside.output}.`);
    expect(newest(batch)).toMatchObject({ tasks: [], budgetUsd: 2.5 });
  });

  test("a task whose tools were denied is not named among those that were kept when it is run again", async () => {
    using inside = new Inside();
    six(inside);
    const { message } = await retry(inside, { tasks: [2, 4], with: { allowedTools: "Write" } });
    expect(message).not.toContain("Kept");
  });

  test("on the command line, in words for that", async () => {
    using inside = new Inside();
    six(inside);
    const { message } = await retry(inside, { with: { allowedTools: "Write" } }, "command-line");
    expect(message).toStartWith(
      "2 tasks are run again with `--allowed-tools Write`. Kept, although tools were denied to them: 4. To rerun them, write their numbers after the batch, as in `retry BATCH 3 5`.",
    );
  });

  test("in another directory, where conversations begin anew", async () => {
    using inside = new Inside();
    const batch = six(inside);
    const { message } = await retry(inside, { tasks: [2], with: { workingDirectory: "." } });
    expect(message).toContain("In another working directory, their conversations begin anew.");
    expect(newest(batch)).toMatchObject({ tasks: [2], options: { workingDirectory: inside.work } });
  });

  test("only waiting tasks in another directory, which have no conversations", async () => {
    using inside = new Inside();
    six(inside);
    const { message } = await retry(inside, { tasks: [6], with: { workingDirectory: "." } });
    expect(message).not.toContain("begin anew");
  });
});

describe("is refused", () => {
  const cases: [what: string, input: object, message: string, make?: (inside: Inside) => TestBatch][] = [
    [
      "where tasks are named that do not matter",
      { only: "interrupted", tasks: [1] },
      'Named tasks are run again; with `only: "interrupted"` none is. Give one of the two.',
    ],
    ["where there is no such task", { tasks: [7] }, "Batch ID has tasks 1 to 6; there is no task 7."],
    [
      "where nothing is interrupted",
      { only: "interrupted" },
      "Batch ID is running: there is nothing to resume.",
    ],
    [
      "where the named task succeeded",
      { tasks: [1] },
      'Of batch ID, task 1 succeeded, and would only run again with the same options. To rerun it, give `with`, such as `{"model": "opus"}`. Those that failed are 2, 3.',
    ],
    [
      "where all named tasks succeeded, and none has failed",
      { tasks: [1, 2] },
      'Of batch ID, tasks 1, 2 succeeded, and would only run again with the same options. To rerun them, give `with`, such as `{"model": "opus"}`.',
      (inside) => inside.batch(inside.context(), { tasks: 3 }).answer(1, "a").answer(2, "b"),
    ],
    [
      "where the named task still runs",
      { tasks: [5, 6] },
      "None of these tasks of batch ID has failed. Those that failed are 2, 3.",
    ],
    [
      "where none has failed",
      {},
      "Batch ID is running, and none of its tasks has failed: there is nothing to rerun. To rerun tasks that succeeded, name them in `tasks`, with the options to change.",
      (inside) => inside.batch(inside.context(), { tasks: 2 }).answer(1, "a"),
    ],
    [
      "where none of the named tasks has ended",
      { tasks: [2] },
      "Batch ID is running, and none of its tasks has failed: there is nothing to rerun.",
      (inside) => inside.batch(inside.context(), { tasks: 2 }).answer(1, "a"),
    ],
    [
      "where all have succeeded",
      {},
      "Batch ID is finished, and all its tasks have succeeded: there is nothing to rerun. To rerun tasks that succeeded, name them in `tasks`, with the options to change.",
      (inside) => inside.batch(inside.context()).answer(1, "a").finish(),
    ],
    [
      "where only the budget of a batch that has ended is raised",
      { batchBudgetUsd: 3 },
      "Batch ID is finished, and all its tasks have succeeded: there is nothing to rerun. To rerun tasks that succeeded, name them in `tasks`, with the options to change.",
      (inside) => inside.batch(inside.context()).answer(1, "a").finish(),
    ],
    [
      "where a running batch would get another concurrency",
      { with: { concurrency: 3 } },
      "Batch ID is still running: change `concurrency` and `failureMode` after it has ended.",
    ],
    [
      "where a running batch would get another failure mode",
      { with: { failureMode: "cancel" } },
      "Batch ID is still running: change `concurrency` and `failureMode` after it has ended.",
    ],
    [
      "where the budget is spent",
      { tasks: [1] },
      "Batch ID has already cost $1.50, and its budget is $1.50. For 1 more task, `batchBudgetUsd: 3.3` is probably enough.",
      (inside) => costly(inside, 1.5),
    ],
    [
      "where the new budget is spent already",
      { tasks: [1], batchBudgetUsd: 1 },
      "Batch ID has already cost $1.50, and the budget given, which includes that, is only $1.00. For 1 more task, `batchBudgetUsd: 3.3` is probably enough.",
      (inside) => costly(inside, 9),
    ],
    [
      "where a running batch has its variables",
      { env: { A: "1" } },
      "Batch ID is still running and has its `env` values. Omit `env`, or retry after it has ended.",
    ],
    [
      "where variables cannot be read",
      { env: "not there" },
      "Nothing was done: env was given as a text that is no file: expected a JSON file, or a JSON object of strings",
    ],
    [
      "where an option is none of a session",
      { with: { model: "gpt-4" } },
      'Nothing was done: with.model was given as "gpt-4": expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model',
    ],
  ];
  for (const [what, input, message, make = six] of cases) {
    test(what, async () => {
      using inside = new Inside();
      const { id, log } = make(inside);
      const { sequence } = log;
      await expect(retry(inside, input)).rejects.toThrow(
        new RegExp(`^${escaped(message.replaceAll("ID", id))}$`),
      );
      log.refresh();
      expect(log.sequence).toBe(sequence);
    });
  }

  test("in words for the command line", async () => {
    using inside = new Inside();
    const { id } = six(inside);
    await expect(retry(inside, { tasks: [1] }, "command-line")).rejects.toThrow(
      `Of batch ${id}, task 1 succeeded, and would only run again with the same options. To rerun it, give an option, such as \`--model opus\`. Those that failed are 2, 3.`,
    );
  });

  test("with another login", async () => {
    using inside = new Inside();
    const { id } = six(inside);
    inside.write("claude/settings.json", "{}");
    process.env["ANTHROPIC_API_KEY"] = "another";
    await expect(retry(inside, {})).rejects.toThrow(
      `Batch ${id} was started with other credentials in the environment, such as another ANTHROPIC_API_KEY. Retry it from the client that started it, or with the same environment. If that is no longer possible, start the rest as a new batch: read_batch_results (batchId ${id}, status "error") shows the tasks that failed or were cancelled.`,
    );
    delete process.env["ANTHROPIC_API_KEY"];
    process.env["CLAUDE_CONFIG_DIR"] = inside.file("elsewhere");
    await expect(retry(inside, {}, "command-line")).rejects.toThrow(
      `Batch ${id} was started with another login: ${process.platform === "win32" ? "USERPROFILE" : "HOME"}=${inside.path}, CLAUDE_CONFIG_DIR=${inside.file("claude")}. Retry it from the client that started it, or with the same environment. If that is no longer possible, start the rest as a new batch: \`parallel-claude-code-mcp show ${id} --json\` shows the tasks that failed or were cancelled.`,
    );
  });

  testNeeding("programs that are scripts")(
    "without the claude of the batch, and with one that is too old",
    async () => {
      using inside = new Inside();
      six(inside);
      inside.script("bin/claude", 'echo "2.0.1 (Claude Code)"');
      await expect(retry(inside, {})).rejects.toThrow(/^Nothing was started: .*2\.0\.1/);
      using without = new Inside();
      without.batch(without.context(), {
        batch: { claudePath: "/nowhere/claude", claudePathIsSet: true },
      });
      await expect(retry(without, {})).rejects.toThrow(
        "Nothing was started: /nowhere/claude, the claude of this batch, is not there any more, or may not be run.",
      );
    },
  );
});

function costly(inside: Inside, budgetUsd: number): TestBatch {
  const usage = { costUsd: 1.5, numTurns: 1, durationMs: 1 };
  return inside.batch(inside.context(), { tasks: 2, batch: { budgetUsd } }).end(1, failed, { usage });
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

test("with a login that is nowhere any more, the one of today takes its place", async () => {
  using inside = new Inside();
  process.env["CLAUDE_CONFIG_DIR"] = inside.file("of-before");
  const batch = six(inside);
  process.env["CLAUDE_CONFIG_DIR"] = inside.file("claude");
  await retry(inside, { tasks: [2] });
  expect(newest(batch)).toMatchObject({
    type: "retry-requested",
    account: { environment: { CLAUDE_CONFIG_DIR: inside.file("claude") } },
  });
});

test("reads no file outside the roots, in whatever option it is named", async () => {
  using inside = new Inside();
  inside
    .batch(inside.context(), { batch: { sessionOptions: { env: { A: "" } } } })
    .end(1, failed)
    .finish();
  const given = "/etc/hostname";
  const inputs: object[] = [
    { env: given },
    ...["outputSchema", "settings", "mcpConfig"].map((name) => ({ with: { [name]: given } })),
    { with: { expect: { schema: given } } },
    { with: { inputs: [given] } },
  ];
  for (const input of inputs) await expect(retry(inside, input)).rejects.toThrow("outside the allowed roots");
});

describe("options of a retry reach", () => {
  /** Task 2 waits for task 1, which failed; task 3 was to summarize them, and failed. */
  const summarized = (inside: Inside) => {
    const summary = { round: 1, level: 1, first: 1, last: 2, isWhole: true };
    const tasks = [
      { prompt: "one", key: "one" },
      { prompt: "two", after: [1] },
      { prompt: "Sum up", key: "summary", options: { workingDirectory: inside.work }, summary },
    ];
    const batch = inside.batch(inside.context(), { tasks }).end(1, failed);
    return batch.end(2, { kind: "not-started", message: "task 1 failed", after: [1] }).end(3, failed);
  };
  const tools = { tools: "Bash", permissionMode: "acceptEdits", appendPrompt: "Go on." };

  test("no session of a summary, unless it is named", async () => {
    using inside = new Inside();
    const batch = summarized(inside);
    const { message } = await retry(inside, { with: tools });
    expect(newest(batch)).toMatchObject({ tasks: [1, 2, 3], changed: [1, 2] });
    expect(message).toContain(
      "Of these, task 3 keeps its own options, because it writes a summary and was not named.",
    );
    expect(optionsOf(batch.log.state.batch, 3)).toMatchObject({ tools: "Read" });
    expect(optionsOf(batch.log.state.batch, 1)).toMatchObject({ tools: "Bash" });
    expect(batch.log.state.batch.tasks[2]?.prompt).toBe("Sum up");
  });

  test("the session of a named summary, if they leave it one that reads", async () => {
    using inside = new Inside();
    const batch = summarized(inside);
    await expect(
      retry(inside, { tasks: ["summary"], with: { model: "opus", tools: "Bash" } }),
    ).rejects.toThrow(
      "with.tools cannot be given to task 3, which only reads results for a summary; name other tasks",
    );
    await retry(inside, { tasks: ["summary"], with: { model: "opus" } });
    expect(newest(batch)).toMatchObject({ tasks: [3], changed: [3], options: { model: "opus" } });
  });

  test("no task that runs again only because it was skipped with a named one", async () => {
    using inside = new Inside();
    const batch = summarized(inside);
    const { message } = await retry(inside, { tasks: ["one"], with: { appendPrompt: "Go on." } });
    expect(newest(batch)).toMatchObject({ tasks: [1, 2], changed: [1] });
    expect(message).toContain("Of these, task 2 keeps its own options, because it was not named.");
    expect(batch.log.state.batch.tasks.map(({ prompt }) => prompt)).toEqual([
      "one\n\nGo on.",
      "two",
      "Sum up",
    ]);
  });
});
