// Summaries of batches, through the doors: what is read, where it comes, and what survives a kill.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { connectNew, eventually, filesIn, Home, kill, run } from "./harness.ts";
import { newestRow, untilKept } from "./running.ts";

/** The starts of sessions, with what each was asked. */
function sessionsIn(home: Home): { argv: string[]; cwd: string; prompt: string }[] {
  const lines = readFileSync(home.startsLog, "utf8").trim().split("\n");
  const events = lines.map((line) => JSON.parse(line));
  return events.flatMap(({ kind, pid, prompt }) => {
    const start = events.findLast((one) => one.kind === "start" && one.pid === pid);
    return kind === "prompt" ? [{ argv: start?.argv, cwd: start?.cwd, prompt }] : [];
  });
}

const recited = (name: string, text: string) => ({ key: name, task: `[[answer text="${text}"]]` });

test("one more session reads all results, is told what failed, and its answer comes first", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { isError, data, text } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [
      recited("a.ts", "a is fine"),
      { key: "b.ts", task: "[[max-turns]]" },
      recited("c.ts", "c has a bug"),
    ],
    summarize: "[[recite]] What is wrong?",
    model: "haiku",
    allowedTools: "Bash",
    permissionMode: "acceptEdits",
    systemPrompt: "You are a pirate",
    maxTurns: 2,
    outputDirectory: home.output,
  });
  if (isError || !data) throw new Error(text);
  expect(Object.keys(data)[0]).toBe("summary");
  expect(data).toMatchObject({
    summary: "a is fine\nc has a bug",
    totalTasks: 4,
    counts: { succeeded: 3, failed: 1 },
    results: [{ key: "a.ts" }, { key: "b.ts", status: "error" }, { key: "c.ts" }],
  });
  const summary = sessionsIn(home).at(-1);
  const answers = join(home.state, "batches", String(data["batchId"]), "answers");
  expect(summary?.cwd).toBe(answers);
  expect(summary?.argv).toContain("--model=haiku");
  expect(summary?.argv).toContain("--tools=Read");
  expect(summary?.argv.join(" ")).not.toMatch(/acceptEdits|--allowedTools|max-turns/);
  expect(summary?.prompt).toContain(`- [a.ts] ${join(answers, "001.txt")} (9 characters)`);
  expect(summary?.prompt).toContain("Cite tasks by key, in brackets: [a.ts].");
  expect(summary?.prompt).toContain("- [b.ts] failed: max-turns");
  const page = readFileSync(String(data["reportFile"]), "utf8");
  expect(page.indexOf("c has a bug")).toBeLessThan(page.indexOf("All tasks"));
  const json = JSON.parse(readFileSync(join(home.output, `summary-${data["batchId"]}.json`), "utf8"));
  expect(Object.keys(json)[0]).toBe("summary");
  const waited = await client.call("wait_for_batch", { batchId: String(data["batchId"]) });
  expect(waited.data?.["message"]).toContain("Its summary is task 4");
  const read = await client.call("read_batch_results", { batchId: String(data["batchId"]) });
  expect(read.data).toMatchObject({ summary: "a is fine\nc has a bug", matching: 3 });
});

test("groups are summarized first, then their summaries, and a retry writes again what it changes", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const late = join(home.work, "late.txt");
  const { isError, data, text } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [
      recited("a", "A"),
      recited("b", "B"),
      { key: "c", task: `[[recite path=${late}]]` },
      recited("d", "D"),
      recited("e", "E"),
    ],
    retries: 0,
    summarize: "[[recite]]",
    summarizeGroups: 2,
    summarizeModel: "opus",
  });
  if (isError || !data) throw new Error(text);
  // c has failed, and costs nothing to read: a and b, c to e.
  expect(data).toMatchObject({ summary: "A\nB\nD\nE", totalTasks: 8, counts: { succeeded: 7, failed: 1 } });
  const sessions = sessionsIn(home);
  expect(sessions.filter(({ argv }) => argv.includes("--model=opus"))).toHaveLength(3);
  await Bun.write(late, "C");
  const batchId = String(data["batchId"]);
  await client.call("retry_batch", { batchId });
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 8 } });
  const read = await client.call("read_batch_results", { batchId });
  expect(read.data).toMatchObject({ summary: "A\nB\nC\nD\nE" });
  // The first group has read the same as before.
  expect(sessionsIn(home).length - sessions.length).toBe(3);
});

test("on the command line, `run` prints the summary, and `summarize` writes another one later", async () => {
  await using home = new Home();
  const first = await run(home, [
    "run",
    "[[answer text=one]]",
    "[[answer text=two]]",
    "--summarize",
    "[[recite]]",
  ]);
  expect(first).toMatchObject({ code: 0, out: "one\ntwo\n" });
  const later = await run(home, ["summarize", "latest", '[[answer text="both are short"]]']);
  expect(later.out).toContain("The results of 2 tasks are being summarized.");
  expect((await run(home, ["wait", "latest"])).code).toBe(0);
  const results = await run(home, ["results", "latest"]);
  expect(results.out).toStartWith("Summary\nboth are short\n\nTask 1");
  expect(results.out).not.toContain("Task 3");
  expect((await run(home, ["results", "latest", "3"])).out).toBe("one\ntwo\n");
  expect(newestRow(home)?.counts).toMatchObject({ succeeded: 4 });
  const files = filesIn(newestRow(home)?.outputDirectory ?? "");
  expect(files.filter((name) => /^result-00[1-4]-/.test(name))).toHaveLength(4);
});

test("retry_batch with `summarize` summarizes what is there, and reruns nothing", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [recited("a", "A"), { key: "b", task: "[[max-turns]]" }],
  });
  const batchId = String(data?.["batchId"]);
  const refused = await client.call("retry_batch", { batchId, summarize: "x", tasks: [2] });
  expect(refused.text).toBe("Nothing was done: tasks cannot be given with `summarize`, which reruns nothing");
  await client.call("retry_batch", { batchId, summarize: "[[recite]]" });
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 2, failed: 1 } });
  const read = await client.call("read_batch_results", { batchId });
  expect(read.data).toMatchObject({ summary: "A" });
});

test("a batch that runs, has no results, or has lost its transcripts is not summarized, and says why", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await run(home, ["run", "--detach", `[[wait-for-file path=${gate}]] [[max-turns]]`]);
  const running = await run(home, ["summarize", "latest", "x"]);
  expect(running.code).toBe(2);
  expect(running.err).toMatch(
    /^Batch \w{8} is still running: summarize it after it has ended\. For a new batch, `--summarize` does that by itself\.\n/,
  );
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  expect((await run(home, ["summarize", "latest", "x"])).err).toMatch(
    /^No task of batch \w{8} has succeeded, so there is nothing to summarize\.\n/,
  );
  await run(home, ["run", "one", "two"]);
  const { batchId } = newestRow(home) ?? {};
  using store = home.store();
  const transcript = batchId && store.batch(batchId)?.state.tasks[1]?.attempts[0]?.transcript;
  rmSync(transcript ?? "");
  expect((await run(home, ["summarize", "latest", "x"])).err).toMatch(
    /^The answers of task 2 of batch \w{8} are gone, because their transcripts were removed\. To summarize/,
  );
});

test("keeper and runner may be killed before and during a summary: it is written once, and nothing runs twice", async () => {
  await using home = new Home();
  const gate = (name: string) => home.file(`gate-${name}`);
  const waits = (name: string) => `[[touch path=${home.file(name)}]] [[wait-for-file path=${gate(name)}]]`;
  await run(home, [
    "run",
    "--detach",
    `${waits("task")} [[answer text=done]]`,
    "--summarize",
    `${waits("summary")} [[recite]]`,
  ]);
  for (const name of ["task", "summary"]) {
    await eventually(
      () => existsSync(home.file(name)),
      () => `${name} did not start`,
    );
    await kill(...(await untilKept(home)));
    await Bun.write(gate(name), "");
    await run(home, ["list"]);
  }
  expect((await run(home, ["wait", "latest"])).code).toBe(0);
  expect(sessionsIn(home)).toHaveLength(2);
  expect((await run(home, ["results", "latest"])).out).toStartWith("Summary\ndone\n");
});
