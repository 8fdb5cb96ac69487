// What a change of a running batch writes and says, of batches whose log is written by hand.
import { describe, expect, test } from "bun:test";
import { flagWording } from "../../src/doors/cli/input/flag-wording.ts";
import { pauseReason } from "../../src/model/wait-reason.ts";
import { waited } from "../../src/operations/batches.ts";
import { changeBatch } from "../../src/operations/change.ts";
import { continueBatch } from "../../src/operations/continue.ts";
import { findBatch } from "../../src/operations/find-batch.ts";
import { retryBatch } from "../../src/operations/retry.ts";
import { UserError } from "../../src/operations/user-error.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { onCommandLine } from "../doors/command-line.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";

type Door = "tools" | "command-line";

const cost = { usage: { costUsd: 0.25, numTurns: 1, durationMs: 1_000 } };

async function change(inside: Inside, input: object, { door = "tools" as Door, client = "" } = {}) {
  try {
    const call = inside.call(client === "" ? {} : { client });
    return await changeBatch.run(inside.context(door), { batchId: "latest", ...input }, call);
  } catch (error) {
    if (door === "tools" || !(error instanceof UserError)) throw error;
    throw new Error(error.textIn(flagWording([])));
  }
}

/** One of three tasks runs, and one has ended. */
function three(inside: Inside, more: object = {}): TestBatch {
  return inside.batch(inside.context(), { tasks: 3, batch: more }).answer(1, "yes", cost).start(2);
}

function lastEvent(inside: Inside, batch: TestBatch): Record<string, unknown> {
  const { store } = inside.context();
  const row = store.database
    .query<{ body: string }, [string]>(
      "SELECT body FROM events WHERE batch_id = ? ORDER BY sequence DESC LIMIT 1",
    )
    .get(batch.id);
  return JSON.parse(row?.body ?? "{}");
}

describe("a pause", () => {
  test("is in the log with who asked for it, says what goes on and how the rest runs, and the same again is nothing", async () => {
    using inside = new Inside();
    const batch = three(inside);
    const { message, state } = await change(inside, { pause: true }, { client: "claude-ai" });
    expect(message).toBe(
      `No more sessions start. 1 session that runs goes on to its end. continue_batch (batchId ${batch.id}) runs the rest. Results go to ${inside.output}.`,
    );
    expect(state).toBe("running");
    const event = lastEvent(inside, batch);
    expect(event).toEqual({ type: "retry-requested", tasks: [], pause: { client: "claude-ai" } });
    const again = await change(inside, { pause: true });
    expect(again.message).toStartWith("Nothing has changed: it was so already. No more sessions start. ");
    expect(lastEvent(inside, batch)).toEqual(event);
    const { store } = inside.context();
    const log = store.batch(batch.log.batchId);
    expect(log && pauseReason(log.state)?.because).toContain("claude-ai");
  });

  test("is told by what waits for the batch, in the words of each door", async () => {
    using inside = new Inside();
    const batch = three(inside);
    await change(inside, { pause: true });
    for (const [door, step] of [
      ["tools", `continue_batch (batchId ${batch.id})`],
      ["command-line", `\`parallel-claude-code-mcp continue ${batch.id}\``],
    ] as const) {
      const context = inside.context(door);
      expect(waited(context, findBatch(context, batch.id)).message).toContain(
        `It was paused by the user: what runs goes on to its end. ${step} runs the rest.`,
      );
    }
  });

  test("that has come to rest says who paused it, in answers and in lists, and what the rest costs", async () => {
    using inside = new Inside();
    const batch = three(inside);
    await change(inside, { pause: true });
    batch.append({
      type: "attempt-ended",
      task: 2,
      attempt: 1,
      outcome: { kind: "succeeded", length: 1, offset: 0 },
      ...cost,
    });
    batch.append({ type: "batch-paused" });
    const context = inside.context("command-line");
    const answer = waited(context, findBatch(context, "latest"));
    expect(answer).toMatchObject({ state: "paused", end: "paused" });
    expect(answer.message).toStartWith("Paused by the user: 2 of 3 tasks done, 1 waiting. The other 1 task ");
    expect(answer.message).toContain(`\`parallel-claude-code-mcp continue ${batch.id}\` runs the rest`);
    expect(context.store.pausedBy(batch.log.batchId)).toEqual({});
    await expect(change(inside, { pause: true })).resolves.toMatchObject({ state: "paused" });
  });

  test("is one again where a retry has asked for tasks since, and these have not started", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 4 }).end(1, failed).end(2, failed).start(3);
    await change(inside, { pause: true });
    batch.append({ type: "retry-requested", tasks: [1, 2] });
    expect((await change(inside, { pause: true })).message).toStartWith("No more sessions start. ");
    batch.log.refresh();
    expect(batch.log.state.paused?.but).toEqual(new Set());
    expect((await change(inside, { pause: true })).message).toStartWith("Nothing has changed");
  });

  test("ends where somebody continues the batch, while its sessions still run", async () => {
    using inside = new Inside();
    const batch = three(inside);
    for (const goOn of [
      () => change(inside, { pause: false }),
      () => continueBatch.run(inside.context(), { batchId: batch.id }, inside.call()),
    ]) {
      await change(inside, { pause: true });
      await goOn();
      expect(lastEvent(inside, batch)).toEqual({ type: "retry-requested", tasks: [], pause: false });
    }
    expect((await change(inside, { pause: false })).message).toStartWith(
      "Nothing has changed: it was so already.",
    );
  });
});

test("a batch that an older version still runs is not changed in what that one does not hear of", async () => {
  using inside = new Inside();
  const batch = three(inside).append({ type: "runner-started", identity: ownIdentity() });
  for (const input of [{ pause: true }, { concurrency: 1 }, { addTasks: ["x"] }])
    await expect(change(inside, input)).rejects.toThrow(
      `Batch ${batch.id} is still run by an older version of this program, which only hears of another budget and of cancel_batch`,
    );
  expect((await change(inside, { batchBudgetUsd: 9 })).message).toContain("is now $9.00");
});

describe("the number and the budget", () => {
  test("are in force from then on, with what that means for those that run", async () => {
    using inside = new Inside();
    const batch = inside
      .batch(inside.context(), { tasks: 4, batch: { slots: 3 } })
      .start(1)
      .start(2);
    expect((await change(inside, { concurrency: 1 })).message).toStartWith(
      "From now on, at most 1 session runs at once. 2 sessions run now, and those go on to their end. ",
    );
    expect((await change(inside, { concurrency: 8 })).message).toStartWith(
      "From now on, at most 8 sessions run at once. All batches together have 3 (the `concurrency` setting). ",
    );
    expect((await change(inside, { concurrency: "auto" })).message).toStartWith(
      "As many sessions run at once as",
    );
    expect(lastEvent(inside, batch)).toEqual({ type: "retry-requested", tasks: [], concurrency: "auto" });
    expect((await change(inside, { batchBudgetUsd: 9 })).message).toStartWith(
      "The budget of the batch is now $9.00. ",
    );
  });

  test("below what is spent, a budget is refused, as by a retry, and nothing is changed with it", async () => {
    using inside = new Inside();
    const batch = three(inside);
    const before = lastEvent(inside, batch);
    await expect(change(inside, { batchBudgetUsd: 0.1, concurrency: 1, addTasks: ["x"] })).rejects.toThrow(
      `Batch ${batch.id} has already cost $0.25, and the budget given, which includes that, is only $0.10.`,
    );
    expect(lastEvent(inside, batch)).toEqual(before);
  });

  for (const [input, says] of [
    [{ concurrency: 0 }, "concurrency was given as 0"],
    [{ concurrency: "many" }, 'concurrency was given as "many"'],
    [{ batchBudgetUsd: 0 }, "batchBudgetUsd was given as 0"],
    [{ pause: "perhaps" }, 'pause was given as "perhaps"'],
    [{ tasks: ["x"] }, "tasks is not known; did you mean `addTasks`?"],
    [{ addTasks: [] }, "expected at least one task"],
    [{}, "Nothing was given that changes."],
  ] as const)
    test(`${JSON.stringify(input)} is refused`, async () => {
      using inside = new Inside();
      three(inside);
      await expect(change(inside, input)).rejects.toThrow(says);
    });
});

test("a batch that has ended, or is being cancelled, is not changed, and the answer says what to do instead", async () => {
  using inside = new Inside();
  const done = inside.batch(inside.context(), { tasks: 1 }).answer(1, "yes").finish();
  await expect(change(inside, { pause: true })).rejects.toThrow(
    `Batch ${done.id} has ended, and all its tasks have succeeded: there is nothing to change. A new batch runs more.`,
  );
  const bad = inside.batch(inside.context(), { tasks: 1 }).end(1, failed).finish();
  await expect(change(inside, { concurrency: 2 })).rejects.toThrow(
    `Batch ${bad.id} has ended: there is nothing to change. retry_batch (batchId ${bad.id}) reruns what failed or was cancelled, also with other options.`,
  );
  const going = inside
    .batch(inside.context(), { tasks: 2 })
    .start(1)
    .append({ type: "cancel-requested", by: "user" });
  await expect(change(inside, { addTasks: ["x"] })).rejects.toThrow(
    `Batch ${going.id} is being cancelled: there is nothing to change.`,
  );
  await expect(change(inside, { batchId: "zzzz", pause: true })).rejects.toThrow("There is no batch zzzz.");
});

describe("added tasks", () => {
  const keyed = [
    { prompt: "a", key: "a" },
    { prompt: "b", key: "b" },
  ];

  test("come behind the others, with options of their own, and may start after any", async () => {
    using inside = new Inside();
    const batch = inside
      .batch(inside.context(), { tasks: keyed, batch: { sessionOptions: { model: "haiku" } } })
      .start(1);
    const addTasks = ["plain", { task: "read {{results.b}}", key: "c", after: ["b", "1"], model: "opus" }];
    expect((await change(inside, { addTasks })).message).toStartWith("Tasks 3 to 4 were added. ");
    expect(lastEvent(inside, batch)).toEqual({
      type: "tasks-added",
      tasks: [
        { prompt: "plain" },
        {
          prompt: "read {{results.b}}",
          key: "c",
          after: [2, 1],
          results: { b: 2 },
          options: { model: "opus" },
        },
      ],
    });
    await change(inside, { pause: true });
    expect((await change(inside, { addTasks: ["one"] })).message).toStartWith(
      "Task 5 was added. It waits until the batch is continued. ",
    );
  });

  test("run where their batch runs, whatever the configuration says by now", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_FLEET: "none", PARALLEL_CLAUDE_HOSTS: "box" });
    inside.batch(inside.context(), { tasks: keyed }).start(1);
    expect((await change(inside, { addTasks: ["x"] })).message).toStartWith("Task 3 was added.");
  });

  test("are refused with all that is wrong in one message, and none is added", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: keyed }).start(1);
    const before = lastEvent(inside, batch);
    const addTasks = [
      { task: "x", key: "a" },
      { task: "y", after: ["z"] },
      { task: "z", env: { TOKEN: "secret" } },
      { task: "w", workingDirectory: "/nowhere" },
    ];
    const refusal = await change(inside, { addTasks }).catch((error: Error) => error.message);
    for (const part of [
      'addTasks[0].key is "a", as that of task 1: each needs its own',
      'addTasks[1].after[0] was given as "z"',
      "addTasks[2].env cannot be given to a task that is added, because the values of `env` are never stored",
      "addTasks[3].workingDirectory",
    ])
      expect(refusal).toContain(part);
    expect(refusal).not.toContain("secret");
    expect(lastEvent(inside, batch)).toEqual(before);
    await expect(change(inside, { addTasks: [{ task: "x", modle: "opus" }] })).rejects.toThrow(
      "addTasks[0].modle is not known; did you mean `model`?",
    );
  });

  test("of two that add at once, both are there, and no key twice", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: keyed }).start(1);
    const both = await Promise.allSettled([
      change(inside, { addTasks: [{ task: "x", key: "new" }, "y"] }),
      change(inside, { addTasks: [{ task: "z", key: "new" }] }),
      change(inside, { addTasks: ["w"] }),
    ]);
    const [first, second, third] = both.map(({ status }) => status);
    expect([[first, second].toSorted(), third]).toEqual([["fulfilled", "rejected"], "fulfilled"]);
    batch.log.refresh();
    const { tasks } = batch.log.state.batch;
    const more = first === "fulfilled" ? ["x", "y", "w"] : ["z", "w"];
    expect(tasks.map(({ prompt }) => prompt).toSorted()).toEqual(["a", "b", ...more].toSorted());
    expect(tasks.filter(({ key }) => key === "new")).toHaveLength(1);
  });

  test("are not there where the batch could not go on with them, so that whoever tries again adds them once", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside
      .batch(context, { tasks: 2, batch: { sessionOptions: { env: { TOKEN: "" } } } })
      .answer(1, "yes", cost);
    await change(inside, { pause: true });
    batch.append({ type: "batch-paused" });
    const before = lastEvent(inside, batch);
    for (const _ of Array(2))
      await expect(change(inside, { addTasks: ["x"], pause: false })).rejects.toThrow("TOKEN");
    expect(lastEvent(inside, batch)).toEqual(before);
    expect(changeBatch.annotations.idempotentHint).toBe(false);
  });

  test("are named in the answer that says why the batch does not go on after all", async () => {
    const error = new UserError("no process has taken it over").after("Task 3 was added.");
    expect(error.message).toBe("Task 3 was added. no process has taken it over");
  });

  test("are refused where the budget is spent, because they would be cancelled at once", async () => {
    using inside = new Inside();
    const batch = three(inside, { budgetUsd: 0.2 });
    const before = lastEvent(inside, batch);
    await expect(change(inside, { addTasks: ["x"] })).rejects.toThrow(
      `Batch ${batch.id} has already cost $0.25, and its budget is $0.20. For 1 session, \`batchBudgetUsd: `,
    );
    expect(lastEvent(inside, batch)).toEqual(before);
    batch.append({ type: "cancel-requested", by: "budget", tasks: [3] });
    expect((await change(inside, { addTasks: ["x"], batchBudgetUsd: 9 })).message).toContain(
      `The budget of the batch is now $9.00, of which $0.25 is spent. 1 task was cancelled because it was spent: retry_batch (batchId ${batch.id}) runs it again. `,
    );
  });

  test("are not taken once the results are being summarized", async () => {
    using inside = new Inside();
    const summary = { round: 1, level: 1, first: 1, last: 1, isWhole: true };
    const batch = inside
      .batch(inside.context(), { tasks: 1 })
      .answer(1, "yes")
      .append({ type: "tasks-added", tasks: [{ prompt: "sum up", summary }] });
    await expect(change(inside, { addTasks: ["x"] })).rejects.toThrow(
      `The results of batch ${batch.id} are being summarized, or have been. Start a new batch for more tasks.`,
    );
  });
});

describe("a retry by a key of the view that a batch ends with", () => {
  const failedAndRunning = (inside: Inside) =>
    inside
      .batch(inside.context(), { tasks: 2 })
      .append({ type: "leash-released", leash: ownIdentity() })
      .end(1, failed)
      .start(2);

  test("leaves it so, which that of others does not", async () => {
    using inside = new Inside();
    for (const [call, leash] of [
      [inside.call({ leash: ownIdentity() }), ownIdentity()],
      [inside.call(), undefined],
    ] as const) {
      const batch = failedAndRunning(inside);
      await retryBatch.run(inside.context(), { batchId: batch.id }, call);
      batch.log.refresh();
      expect(batch.log.state.tasks[0]?.status).toBe("queued");
      expect(batch.log.state.leash).toEqual(leash);
    }
  });

  test("does nothing once it has ended, because the process is about to exit", async () => {
    using inside = new Inside();
    const batch = failedAndRunning(inside).append({
      type: "attempt-ended",
      task: 2,
      attempt: 1,
      outcome: failed,
    });
    batch.finish();
    const call = inside.call({ leash: ownIdentity() });
    await expect(retryBatch.run(inside.context(), { batchId: batch.id }, call)).rejects.toThrow(
      `Batch ${batch.id} has just ended: retry_batch (batchId ${batch.id}) reruns what failed.`,
    );
    expect(lastEvent(inside, batch)).toEqual({ type: "batch-ended" });
  });
});

test("words that name what this command does, and ids of batches, are no tasks on the command line", async () => {
  using inside = new Inside();
  const batch = three(inside);
  const other = three(inside);
  const refused = await onCommandLine(inside, ["change", batch.id, "pause", other.id]);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('"pause" is no task: to do that, write `--pause`.');
  expect(refused.err).toContain(`"${other.id}" is a batch, and no task`);
  batch.log.refresh();
  expect(batch.log.state.tasks).toHaveLength(3);
  expect((await onCommandLine(inside, ["change", batch.id, "--", "pause"])).code).toBe(0);
  batch.log.refresh();
  expect(batch.log.state.tasks).toHaveLength(4);
});

describe("a batch is found", () => {
  const named = (inside: Inside, name: string) =>
    inside.batch(inside.context(), { tasks: 1, batch: { name } }).answer(1, "yes").finish();

  test("by its name, and if several have it, all are listed with what tells them apart", () => {
    using inside = new Inside();
    const context = inside.context();
    const first = named(inside, "nightly");
    expect(findBatch(context, "nightly").batchId).toBe(first.log.batchId);
    const second = named(inside, "nightly");
    expect(() => findBatch(context, "nightly")).toThrow(
      new RegExp(
        `^"nightly" is the name of 2 batches: ${second.id} \\(finished, \\d{4}-.*\\), ${first.id} \\(finished, .*\\)\\. Give the id of one\\.$`,
      ),
    );
    for (const _ of Array(6)) named(inside, "nightly");
    expect(() => findBatch(context, "nightly")).toThrow("), and 3 more. Give the id of one.");
  });

  test("by its whole id, even where another one has that as its name", () => {
    using inside = new Inside();
    const context = inside.context();
    const first = named(inside, "one");
    const other = named(inside, first.id);
    expect(findBatch(context, first.id).batchId).toBe(first.log.batchId);
    const begin = first.id.slice(0, 6);
    const confusing = named(inside, begin);
    expect(() => findBatch(context, begin)).toThrow(
      `"${begin}" is the name of 1 batch, and the beginning of the id of another: ${confusing.id} (finished`,
    );
    expect(findBatch(context, other.id).batchId).toBe(other.log.batchId);
  });
});
