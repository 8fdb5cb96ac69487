import { expect, test } from "bun:test";
import { connectNew, Home } from "./harness.ts";

test("a session that would start sessions is refused, unless the operator lets it", async () => {
  await using inside = new Home({ PARALLEL_CLAUDE_DEPTH: "1" });
  await using client = await connectNew(inside);
  const refused = await client.call("spawn_claude_session", { task: "hello" });
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("maxDepth") });

  await using allowed = new Home({ PARALLEL_CLAUDE_DEPTH: "1", PARALLEL_CLAUDE_MAX_DEPTH: "2" });
  await using second = await connectNew(allowed);
  const { data } = await second.call("spawn_claude_session", { task: "[[env name=PARALLEL_CLAUDE_DEPTH]]" });
  expect(data).toMatchObject({ status: "success", result: expect.stringContaining("2") });
});

test("who starts a hundred and twenty batches in a minute is stopped", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  await client.call("spawn_claude_session", { task: "hello" });
  using store = home.store();
  const row = store.list()[0];
  for (let count = 0; count < 120; count++) {
    store.database.run(
      `INSERT INTO batches (batch_id, created_at, changed_at, ended_at, account, output_directory, queued, running, succeeded, failed, cancelled, cost_usd, cost_at_least)
       VALUES ('x${count}', ?, 0, 1, ?, '', 0, 0, 0, 0, 0, 0, 0)`,
      [Date.now(), row?.account ?? ""],
    );
  }
  const refused = await client.call("spawn_claude_session", { task: "hello" });
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("in the last minute") });
});
