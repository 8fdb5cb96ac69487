// Sessions that cannot be started for a reason that is no task's own: no task fails, and all of them run later.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../src/store/store.ts";
import { connectNew, eventually, fakeDirectory, Home, program, run, useProgram } from "./harness.ts";
import { startRunning, untilAsked } from "./running.ts";

/** The fake under another name: one that can be taken away. */
function installClaude(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "claude");
  writeFileSync(path, `#!/bin/sh\nexec "${fakeDirectory}/claude" "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** PATH without the fake. */
function pathWith(...directories: string[]): string {
  return [...directories, process.env["PATH"] ?? ""].join(":");
}

async function held(store: Store, word: string): Promise<void> {
  await eventually(
    () => store.list()[0]?.held?.because.includes(word) === true,
    () => `it is not held for ${word}: ${JSON.stringify(store.list()[0]?.held)}`,
  );
}

test("while claude is away, no task fails, every view says why, and all run when it is back", async () => {
  await using home = new Home();
  const claude = installClaude(home.file("bin"));
  home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: claude });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from({ length: 12 }, () => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks }, 2);
  // One that has only just started may still read what is taken away.
  await untilAsked(home, 2);
  using store = home.store();
  renameSync(claude, `${claude}.away`);
  writeFileSync(gate, "");
  await held(store, "Waits for claude");
  await eventually(
    () => store.list()[0]?.counts.succeeded === 2,
    () => `those that ran do not end: ${JSON.stringify(store.list()[0])}`,
  );
  const waiting = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(waiting.data).toMatchObject({
    state: "running",
    counts: { queued: 10, succeeded: 2 },
    heldBecause: expect.stringContaining(`${claude} is not there`),
  });
  expect((await run(home, ["show", batchId])).out).toContain("Waits for claude");
  renameSync(`${claude}.away`, claude);
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 12, failed: 0 } });
  expect(ended.data).not.toHaveProperty("heldBecause");
});

test("a claude that has moved is found again, unless the operator chose its path", async () => {
  await using home = new Home();
  const [first, second] = [home.file("first"), home.file("second")];
  const claude = installClaude(first);
  home.set({ PATH: pathWith(first, second) });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from({ length: 4 }, () => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks });
  await untilAsked(home);
  mkdirSync(second);
  renameSync(claude, join(second, "claude"));
  writeFileSync(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
});

test("a claude that stays away is given up, and a retry waits for it again", async () => {
  await using home = new Home();
  const claude = installClaude(home.file("bin"));
  home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: claude, PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "1" });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from({ length: 3 }, () => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks });
  await untilAsked(home);
  renameSync(claude, `${claude}.away`);
  writeFileSync(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 1, failed: 2 } });
  const results = await client.call("read_batch_results", { batchId, tasks: [3] });
  expect(results.text).toContain("No session could start for 10 s. Waits for claude");
  renameSync(`${claude}.away`, claude);
  await client.call("retry_batch", { batchId });
  const again = await client.call("wait_for_batch", { batchId });
  expect(again.data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
});

test("where descriptors are short, sessions wait for one another, and none fails", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "20" });
  using _program = useProgram(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", ...program()]);
  const tasks = Array.from({ length: 30 }, (_, index) => `${index} [[sleep ms=50]]`);
  const { code, err } = await run(home, ["run", "--concurrency", "20", ...tasks]);
  using store = home.store();
  expect(store.list()[0]?.counts).toMatchObject({ succeeded: 30, failed: 0 });
  expect({ code, err: err.includes("EMFILE") }).toEqual({ code: 0, err: false });
});
