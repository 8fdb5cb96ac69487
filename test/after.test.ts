// Tasks that start after others: what they read, what a failure means for them, and what survives a kill.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectNew, eventually, Home, kill, run } from "./harness.ts";
import { newestRow, startRunning, untilKept } from "./running.ts";

/** The prompts that sessions got, in their order. */
function promptsIn(home: Home): string[] {
  const lines = existsSync(home.startsLog) ? readFileSync(home.startsLog, "utf8").trim().split("\n") : [];
  return lines
    .map((line) => JSON.parse(line))
    .flatMap(({ kind, prompt }) => (kind === "prompt" ? [prompt] : []));
}

test("a task starts when the others have succeeded, and reads their answers as files, in whatever order they are given", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const outputSchema = { type: "object", properties: { n: { type: "integer" } } };
  const { isError, data, text } = await client.call("spawn_parallel_claude_sessions", {
    // With one slot, a task that waited in it would never see the others end.
    concurrency: 1,
    tasks: [
      {
        key: "report",
        after: ["parse", "count"],
        task: "[[recite path={{results.parse}}]] [[recite path={{results.count}}]]",
      },
      { key: "parse", task: '[[answer text="The grammar is sound."]]' },
      { key: "count", task: `[[structured value='{"n":4}']]`, outputSchema },
      { after: 2, restricted: true, task: "[[recite path={{results.2}}]]" },
    ],
  });
  if (isError || !data) throw new Error(text);
  expect(data).toMatchObject({
    state: "finished",
    counts: { succeeded: 4 },
    results: [
      { status: "success", result: expect.stringContaining('"n": 4') },
      { result: "The grammar is sound." },
      { structuredResult: { n: 4 } },
      { status: "success", result: "The grammar is sound." },
    ],
  });
  const again = await client.call("retry_batch", {
    batchId: data["batchId"],
    tasks: ["parse"],
    with: { model: "opus" },
  });
  expect(again.data?.["message"]).toContain(
    "Tasks 1, 4 started after that and keep their answers: name them, too, to run them again.",
  );
  const last = promptsIn(home).find((prompt) => prompt.includes("003.json"));
  expect(last).toContain(join(home.state, "batches", String(data?.["batchId"]), "answers", "002.txt"));
});

test("what hangs on a failed task is not started, says why, and runs again with a retry of that task", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const late = join(home.work, "late.txt");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    retries: 0,
    tasks: [
      { key: "read", task: `[[recite path=${late}]]` },
      { key: "check", after: ["read"], task: "[[recite path={{results.read}}]]" },
      { key: "report", after: ["check"], task: "report" },
      { key: "other", task: "other" },
    ],
  });
  expect(data).toMatchObject({
    counts: { succeeded: 1, failed: 3 },
    results: [
      { outcome: "crashed" },
      {
        outcome: "not-started",
        error: "Not started: task 1 (read) did not succeed, and this task only starts after it",
        advice: expect.stringContaining("See what happened to task 1. A retry of it also runs this one"),
      },
      {
        outcome: "not-started",
        error:
          "Not started: task 1 (read) did not succeed, and this task only starts after task 2 (check), which was not started",
      },
      { status: "success" },
    ],
  });
  expect(promptsIn(home)).toHaveLength(2);
  await Bun.write(late, "Here at last.");
  const batchId = String(data?.["batchId"]);
  const retried = await client.call("retry_batch", { batchId, tasks: [1] });
  expect(retried.text).toContain("3 tasks are run again");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4, failed: 0 } });
  const read = await client.call("read_batch_results", { batchId, tasks: [2] });
  expect(read.data).toMatchObject({ results: [{ result: "Here at last." }] });
});

test("a cancelled task keeps those after it from starting; cancelling a waiting one leaves the others alone", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const batchId = await startRunning(
    home,
    client,
    {
      tasks: [
        { key: "slow", task: `[[wait-for-file path=${gate}]]` },
        { key: "one", after: ["slow"], task: "one" },
        { key: "two", after: ["one"], task: "two" },
        { key: "three", after: ["slow"], task: "three" },
      ],
      concurrency: 4,
    },
    1,
  );
  await client.call("cancel_batch", { batchId, tasks: [2] });
  await eventually(
    () => newestRow(home)?.counts.failed === 1,
    () => `nothing is skipped: ${JSON.stringify(newestRow(home)?.counts)}`,
  );
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });
  const { data } = await client.call("read_batch_results", { batchId });
  expect(data).toMatchObject({
    results: [
      { status: "success" },
      { outcome: "cancelled: user" },
      { error: "Not started: task 2 (one) was cancelled, and this task only starts after it" },
      { status: "success" },
    ],
  });
});

test("a chain goes on where it was when keeper and runner were killed, and nothing is paid twice", async () => {
  await using home = new Home();
  const gate = (name: string) => home.file(`gate-${name}`);
  const task = (name: string, after?: string) => ({
    key: name,
    ...(after === undefined ? {} : { after: [after] }),
    task: `${after === undefined ? "" : `[[recite path={{results.${after}}}]] `}[[touch path=${home.file(name)}]] [[wait-for-file path=${gate(name)}]] [[answer text="answer of ${name}"]]`,
  });
  await Bun.write(home.file("tasks.json"), JSON.stringify([task("a"), task("b", "a"), task("c", "b")]));
  await run(home, ["run", "-f", home.file("tasks.json"), "--detach"]);
  for (const name of ["a", "b", "c"]) {
    await eventually(
      () => existsSync(home.file(name)),
      () => `${name} did not start`,
    );
    await kill(...(await untilKept(home)));
    await Bun.write(gate(name), "");
    // Whichever call comes next takes the batch up.
    await run(home, ["list"]);
  }
  const waited = await run(home, ["wait", "latest"]);
  expect(waited.code).toBe(0);
  expect(promptsIn(home)).toHaveLength(3);
  expect((await run(home, ["results", "latest", "3"])).out).toContain("answer of c");
});
