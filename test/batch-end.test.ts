// A batch that did not come to its end says so everywhere: which end, why, and what to do next.

import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectNew, eventually, Home, run } from "./harness.ts";

/** 30 tasks of a cent each, and a budget of five. */
const tasks = Array.from({ length: 30 }, (_, index) => `[[cost usd=0.01]] task ${index + 1}`);
const budget = ["--batch-budget-usd", "0.05", "--concurrency", "2"];
const doneOf30 = /Stopped at its budget of \$0\.0500: (\d) of 30 tasks done, (\d+) not started\./;
const nextCommand = /parallel-claude-code-mcp retry \w{8} --batch-budget-usd (0\.\d+)/;

test("a batch that its budget ended says so in every view, and its command runs the rest", async () => {
  await using home = new Home();
  const script = home.file("tell");
  writeFileSync(script, `#!/bin/sh\nenv | grep ^BATCH_ > "$0.part"; mv "$0.part" "$0.facts"\n`);
  chmodSync(script, 0o755);
  await using teller = new Home({
    PARALLEL_CLAUDE_STATE_DIRECTORY: home.state,
    PARALLEL_CLAUDE_OUTPUT_DIRECTORY: home.output,
    PARALLEL_CLAUDE_NOTIFY_COMMAND: script,
    HOME: home.path,
  });
  const detached = await run(teller, ["run", "--detach", "--json", ...budget, ...tasks]);
  const { batchId }: { batchId: string } = JSON.parse(detached.out);
  const waited = await run(home, ["wait", batchId]);
  expect(waited.code).toBe(1);
  expect(waited.out).toMatch(doneOf30);
  expect(waited.out).toMatch(nextCommand);
  const [, done = "", open = ""] = doneOf30.exec(waited.out) ?? [];
  expect(Number(done) + Number(open)).toBe(30);
  expect(Number(open)).toBeGreaterThan(20);

  const watched = await run(home, ["watch", batchId, "--json"]);
  expect(watched.code).toBe(1);
  expect(JSON.parse(watched.out.trim().split("\n").at(-1) ?? "")).toMatchObject({
    state: "finished",
    end: "stopped",
    stoppedBy: "budget",
    message: expect.stringMatching(doneOf30),
  });
  const listed = await run(home, ["list"]);
  expect(listed.out).toContain("stopped: budget");
  expect(listed.out).toMatch(new RegExp(` ${done}/30 `));
  const shown = await run(home, ["show", batchId]);
  expect(shown.out).toMatch(/state\s+stopped: budget/);
  expect(shown.out).toMatch(doneOf30);
  expect(shown.out).toMatch(nextCommand);

  const page = readFileSync(join(home.output, `report-${batchId}.html`), "utf8");
  expect(page).toContain('<span class="pill warn">stopped: budget</span>');
  expect(page).toContain("Needs attention");
  expect(page).toMatch(doneOf30);
  expect(page).toContain(`<dt>Done</dt><dd>${done} of 30</dd>`);
  expect(page).toContain(`<title>${done}/30 stopped: budget`);
  const summary: unknown = JSON.parse(readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"));
  expect(summary).toMatchObject({
    state: "finished",
    end: "stopped",
    stoppedBy: "budget",
    message: expect.stringMatching(nextCommand),
  });
  await eventually(
    () => existsSync(`${script}.facts`),
    () => "the command runs",
  );
  const facts = readFileSync(`${script}.facts`, "utf8").split("\n");
  expect(facts).toContain("BATCH_STATE=finished");
  expect(facts).toContain("BATCH_END=stopped");
  expect(facts).toContain("BATCH_STOPPED_BY=budget");
  expect(facts.find((fact) => fact.startsWith("BATCH_REASON="))).toMatch(doneOf30);
  const next = facts.find((fact) => fact.startsWith("BATCH_NEXT="))?.slice("BATCH_NEXT=".length) ?? "";
  expect(next).toMatch(nextCommand);

  await using client = await connectNew(home);
  const end = { state: "finished", end: "stopped", stoppedBy: "budget" };
  const forModels = expect.stringMatching(
    /Stopped at its budget.* retry_batch \(batchId \w{8}, batchBudgetUsd 0\.\d+ or more\)/,
  );
  expect((await client.call("wait_for_batch", { batchId })).data).toMatchObject({
    ...end,
    message: forModels,
  });
  expect((await client.call("read_batch_results", { batchId })).data).toMatchObject({
    ...end,
    message: forModels,
  });
  expect((await client.call("list_batches", {})).data).toMatchObject({
    batches: [{ ...end, message: expect.stringContaining("Stopped at its budget of $0.0500:") }],
  });

  const [, ...words] = next.split(" ");
  expect((await run(home, words)).code).toBe(0);
  expect((await run(home, ["wait", batchId])).out).toContain("All 30 tasks succeeded.");
  expect((await run(home, ["list"])).out).toContain("30/30");
});

test("a part of it that runs again with another budget changes neither what stopped it nor what is spent", async () => {
  await using home = new Home();
  const { err } = await run(home, ["run", "--batch-budget-usd", "0.03", "--concurrency", "1", ...tasks]);
  const [, batchId = ""] = /Batch (\w{8})/.exec(err) ?? [];
  const refused = await run(home, ["retry", batchId, "9"]);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain(
    `Batch ${batchId} has already cost $0.0300, and its budget is $0.0300. For 1 more task, \`--batch-budget-usd 0.045\` is probably enough.`,
  );
  const less = await run(home, ["retry", batchId, "9", "--batch-budget-usd", "0.01"]);
  expect(less.err).toContain("the budget given, which includes that, is only $0.0100.");
  const again = await run(home, ["retry", batchId, "9", "10", "--batch-budget-usd", "0.08"]);
  expect(again.out).toContain("The budget of the batch is now $0.0800, of which $0.0300 is spent.");
  const waited = await run(home, ["wait", batchId]);
  const stopped =
    /Stopped at its earlier budget of \$0\.0300: 5 of 30 tasks done, 25 (?:not started|cancelled)\. Its budget is now \$0\.0800, of which \$0\.0500 is spent\./;
  const rest = `retry ${batchId} --batch-budget-usd 0.35`;
  for (const said of [waited, await run(home, ["show", batchId]), await run(home, ["list", "--json"])]) {
    expect(said.out).toMatch(stopped);
    expect(said.out).toContain(rest);
  }
  // With enough of it, no other is named, and least of all a lower one.
  expect((await run(home, ["retry", batchId, "11", "--batch-budget-usd", "5"])).code).toBe(0);
  await run(home, ["wait", batchId]);
  for (const command of [
    ["show", batchId],
    ["list", "--json"],
  ])
    expect((await run(home, command)).out).toContain(
      `\`parallel-claude-code-mcp retry ${batchId}\` runs the rest.`,
    );
});

test("what `list --json` says of a batch, `show --json` says by the same name", async () => {
  await using home = new Home();
  await run(home, ["run", "--batch-name", "b", "a", "[[max-turns]]", "[[cost usd=0.01]]"]);
  await run(home, ["run", ...budget, ...tasks]);
  const { batches }: { batches: Record<string, unknown>[] } = JSON.parse(
    (await run(home, ["list", "--json"])).out,
  );
  expect(batches).toHaveLength(2);
  for (const listed of batches) {
    const shown: unknown = JSON.parse((await run(home, ["show", String(listed["batchId"]), "--json"])).out);
    expect(shown).toMatchObject(listed);
  }
});

test("a foreground run says why it stopped and what to do, and exits with 1", async () => {
  await using home = new Home();
  const { code, err } = await run(home, ["run", ...budget, ...tasks]);
  expect(code).toBe(1);
  expect(err).toMatch(doneOf30);
  expect(err).toMatch(nextCommand);
});

test("a batch that its first failure ended says so, and a cancelled one who did it", async () => {
  await using home = new Home();
  const many = ["[[max-turns]]", ...tasks.slice(0, 8)];
  const stopped = await run(home, ["run", "--concurrency", "1", "--failure-mode", "no-new", ...many]);
  expect(stopped.code).toBe(1);
  expect(stopped.err).toContain(
    "Stopped because a task failed: 1 of 9 tasks done (0 succeeded, 1 failed), 8 not started.",
  );
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["[[hang]]", "[[hang]]"],
    concurrency: 1,
    asyncMode: true,
  });
  const batchId = String(data?.["batchId"]);
  await client.call("cancel_batch", { batchId });
  const cancelled = await client.call("wait_for_batch", { batchId });
  expect(cancelled.data).toMatchObject({ state: "cancelled", end: "stopped", stoppedBy: "user" });
  expect(cancelled.data?.["message"]).toMatch(/^Cancelled by the user: 0 of 2 tasks done, .*retry_batch/);
  const listed = await run(home, ["list"]);
  expect(listed.out).toMatch(/cancelled +0\/2/);
  expect(listed.out).toMatch(/stopped: a task failed +1\/9/);
});
