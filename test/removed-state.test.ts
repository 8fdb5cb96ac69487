// A state directory that goes away while a batch runs: nothing waits for ever, and the user is told.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hiddenCommands } from "../src/engine/runner/hidden-commands.ts";
import { startFollowingKeeper } from "../src/engine/runner/start-processes.ts";
import { noValues } from "../src/model/session-values.ts";
import { connectNew, eventually, filesIn, Home, kill, run } from "./harness.ts";
import { startRunning } from "./running.ts";

test.each(["removed", "moved", "replaced by a file"])(
  "a batch whose state directory was %s ends, and says why",
  async (how) => {
    await using home = new Home();
    await using client = await connectNew(home);
    const gate = home.file("gate");
    const tasks = Array.from({ length: 3 }, () => `[[wait-for-file path=${gate}]] [[result text="kept"]]`);
    const batchId = await startRunning(home, client, { tasks });
    await client.close();
    if (how === "removed") rmSync(home.state, { recursive: true });
    else renameSync(home.state, `${home.state}.moved`);
    if (how === "replaced by a file") writeFileSync(home.state, "");
    writeFileSync(gate, "");
    await home.empty();
    const summary = JSON.parse(readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"));
    expect(summary).toMatchObject({ state: "finished", counts: { succeeded: 1, failed: 2 } });
    const [line = ""] = readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8").split("\n");
    expect(JSON.parse(line)).toMatchObject({ taskIndex: 1, result: "kept" });
    expect(summary.results[2].error).toContain("was removed, moved or replaced while the batch ran");
    const page = filesIn(home.output).find((name) => name === `report-${batchId}.html`) ?? "";
    expect(readFileSync(join(home.output, page), "utf8")).toContain("was removed, moved or replaced");
  },
);

test("a state directory that was removed does not come back, whoever of its processes begins then", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const batchId = await startRunning(home, client, { tasks: [`[[wait-for-file path=${gate}]]`] });
  await client.close();
  using store = home.store();
  rmSync(home.state, { recursive: true });
  expect(startFollowingKeeper(store, batchId, noValues)).toBe(false);
  for (const command of [hiddenCommands.keeper, hiddenCommands.runner, hiddenCommands.notifier]) {
    const { code, err } = await run(home, [command, home.state, batchId]);
    expect({ code, err }).toEqual({ code: 0, err: `The store of ${batchId} has been removed.\n` });
  }
  writeFileSync(gate, "");
  await home.empty();
  expect(existsSync(home.state)).toBe(false);
});

test("a transcript that was removed ends its attempt, and not the batch", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from({ length: 3 }, () => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks }, 3);
  using store = home.store();
  const attemptsOf = (task: number) => store.batch(batchId)?.state.tasks[task - 1]?.attempts ?? [];
  rmSync(attemptsOf(2)[0]?.transcript ?? "");
  await kill(store.list()[0]?.runner);
  await eventually(
    () => attemptsOf(2).length === 2,
    () => `it is not tried again: ${JSON.stringify(store.list()[0])}`,
  );
  expect(attemptsOf(2)[0]?.outcome).toMatchObject({
    kind: "crashed",
    stderrTail: expect.stringContaining("was removed while the session ran"),
  });
  writeFileSync(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
  expect([1, 2, 3].map((task) => attemptsOf(task).length)).toEqual([1, 2, 1]);
  // The one that took over, and none after it.
  expect(store.list()[0]?.epoch).toBe(2);
});
