// A state directory that goes away while a batch runs: nothing waits for ever, and the user is told.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hiddenCommands } from "../src/engine/runner/hidden-commands.ts";
import { startFollowingKeeper } from "../src/engine/runner/start-processes.ts";
import { noValues } from "../src/model/session-values.ts";
import { connectNew, eventually, filesIn, Home, kill, program, run } from "./harness.ts";
import { startRunning, untilAsked } from "./running.ts";

/** While a runner writes there, a second look may find what was not there at the first. */
const beingWritten = { recursive: true, maxRetries: 10 };

test.each(["removed", "moved", "replaced by a file"])(
  "a batch whose state directory was %s ends, and says why",
  async (how) => {
    await using home = new Home();
    await using client = await connectNew(home);
    const gate = home.file("gate");
    // More than those whose sessions may have started by then: they are kept where their files have gone.
    const tasks = Array.from({ length: 9 }, () => `[[wait-for-file path=${gate}]] [[result text="kept"]]`);
    const batchId = await startRunning(home, client, { tasks });
    await client.close();
    if (how === "removed") rmSync(home.state, beingWritten);
    else renameSync(home.state, `${home.state}.moved`);
    if (how === "replaced by a file") writeFileSync(home.state, "");
    writeFileSync(gate, "");
    await home.empty();
    const summary = JSON.parse(readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"));
    const { succeeded, failed } = summary.counts;
    expect(summary).toMatchObject({ state: "finished", counts: { succeeded: 9 - failed } });
    expect(succeeded).toBeGreaterThanOrEqual(1);
    expect(failed).toBeGreaterThanOrEqual(1);
    const [line = ""] = readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8").split("\n");
    expect(JSON.parse(line)).toMatchObject({ result: "kept" });
    expect(summary.results[8].error).toContain("was removed, moved or replaced while the batch ran");
    const page = filesIn(home.output).find((name) => name === `report-${batchId}.html`) ?? "";
    expect(readFileSync(join(home.output, page), "utf8")).toContain("was removed, moved or replaced");
  },
);

test("whoever waits for a batch whose state directory was removed hears so, and brings none back", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const [first, second] = [home.file("first"), home.file("second")];
  const tasks = [first, second].map((gate) => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks }, 2);
  const progress = Promise.withResolvers<void>();
  const call = client.call("wait_for_batch", { batchId }, { onprogress: () => progress.resolve() });
  const commands = [
    ["wait", batchId],
    ["watch", batchId],
    ["logs", "-f", batchId, "2"],
  ].map((args) => begun(home, args));
  // `wait` shows what has ended.
  writeFileSync(first, "");
  await Promise.all([progress.promise, ...commands.map(({ shows }) => shows)]);
  rmSync(home.state, beingWritten);
  const sentence = `The state directory ${home.state} was removed, moved or replaced, so batch ${batchId} cannot be followed any more.`;
  for (const { name, end } of commands)
    expect({ name, ...(await end) }).toEqual({ name, code: 2, err: expect.stringContaining(sentence) });
  expect(await call).toMatchObject({ isError: true, text: expect.stringContaining(sentence) });
  await client.close();
  writeFileSync(second, "");
  await home.empty();
  expect(existsSync(home.state)).toBe(false);
});

/** A command; `shows` resolves once it has shown something. */
function begun(home: Home, args: readonly string[]) {
  const { promise: shows, resolve } = Promise.withResolvers<void>();
  const child = Bun.spawn([...program(), ...args], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const textOf = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of stream) {
      text += decoder.decode(bytes, { stream: true });
      resolve();
    }
    return text;
  };
  const end = Promise.all([child.exited, textOf(child.stderr), textOf(child.stdout)]);
  return { name: args.join(" "), shows, end: end.then(([code, err]) => ({ code, err })) };
}

test("a state directory that was removed does not come back, whoever of its processes begins then", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const batchId = await startRunning(home, client, { tasks: [`[[wait-for-file path=${gate}]]`] });
  await client.close();
  using store = home.store();
  rmSync(home.state, beingWritten);
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
  await untilAsked(home, 3);
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
