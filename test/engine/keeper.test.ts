// The keeper of a batch, as a process: what it does for runners of its own, and for one that others started.
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hiddenCommands, valuesOnStdin } from "../../src/engine/runner/hidden-commands.ts";
import { type SessionValues, valuesText } from "../../src/model/session-values.ts";
import { identityOf } from "../../src/platform/process.ts";
import type { Founding } from "../../src/store/batch-log.ts";
import type { Store } from "../../src/store/store.ts";
import { databaseIn, eventually, Home, kill, program } from "../harness.ts";
import { idle } from "../idle.ts";
import { gatedBatch } from "./gated-batch.ts";

function batchIn(home: Home, store: Store, more: Partial<Founding["batch"]> = {}) {
  return gatedBatch(home, store, '[[answer text="4"]]', more);
}

/** A process of the batch, as `spawnSelf` starts it. */
function start(home: Home, command: string, batchId: string, values?: SessionValues) {
  const child = Bun.spawn([...program(), command, home.state, batchId, ...(values ? [valuesOnStdin] : [])], {
    cwd: home.work,
    env: home.environment,
    stdin: values ? new Blob([valuesText(values)]) : "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  return { pid: child.pid, exited: child.exited, said: child.stderr.text() };
}

/** Writes the log's first event once more, at which any runner crashes. */
function makeSenseless(home: Home, batchId: string): void {
  using database = databaseIn(home.state);
  const again =
    "INSERT INTO events (batch_id, at, epoch, body) SELECT batch_id, at, epoch, body FROM events WHERE batch_id = ?";
  database.query(again).run(batchId);
}

const untilThere = (path: string) =>
  eventually(
    () => existsSync(path),
    () => `${path} was not made`,
  );

test("a keeper runs a batch to its end, restarts a runner that is killed, and exits", async () => {
  await using home = new Home();
  using store = home.store();
  const log = batchIn(home, store);
  const keeper = start(home, hiddenCommands.keeper, log.batchId);
  await untilThere(home.file("started"));
  await kill(store.row(log.batchId)?.runner);
  await eventually(
    () => store.row(log.batchId)?.epoch === 2,
    () => "no runner came in its place",
  );
  writeFileSync(home.file("gate"), "");
  expect(await keeper.exited).toBe(0);
  expect(await keeper.said).toMatch(new RegExp(`The runner of ${log.batchId} ended with (?:SIGKILL|1)\\.`));
  log.refresh();
  // The session of the first runner was adopted, not started again.
  expect(log.state).toMatchObject({ epoch: 2, endedAt: expect.any(Number), counts: { succeeded: 1 } });
  expect(log.state.tasks[0]?.attempts).toHaveLength(1);
  await home.empty();
});

test("a keeper gives its values to each runner, so that a later one can start tasks with them", async () => {
  await using home = new Home();
  using store = home.store();
  const waiting = `[[touch path=${home.file("started")}]] [[wait-for-file path=${home.file("gate")}]]`;
  const log = batchIn(home, store, {
    tasks: [{ prompt: waiting }, { prompt: "[[env name=SECRET]]" }],
    sessionOptions: { env: { SECRET: "" } },
  });
  const keeper = start(home, hiddenCommands.keeper, log.batchId, { shared: { SECRET: "abc" }, tasks: {} });
  await untilThere(home.file("started"));
  await kill(store.row(log.batchId)?.runner);
  writeFileSync(home.file("gate"), "");
  expect(await keeper.exited).toBe(0);
  const lines = (await Bun.file(join(home.output, `results-${log.batchId}.jsonl`)).text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line)).find(({ taskIndex }) => taskIndex === 2)).toMatchObject({
    result: "abc",
  });
});

test("a keeper follows a runner that it did not start, and starts one only when that has died; a second keeper exits", async () => {
  await using home = new Home();
  using store = home.store();
  const log = batchIn(home, store);
  await using runner = Bun.spawn(idle, { detached: true });
  const identity = identityOf(runner.pid);
  if (!identity) throw new Error("It has gone");
  expect(log.takeOver(identity)).toBe(1);
  const keeper = start(home, hiddenCommands.keeper, log.batchId);
  await eventually(
    () => store.row(log.batchId)?.keeper !== undefined,
    () => "the keeper did not come",
  );
  // A second one waits for a while whether the first is about to exit; a runner would have been started long before.
  const second = start(home, hiddenCommands.keeper, log.batchId);
  expect([await second.exited, await second.said]).toEqual([0, ""]);
  expect(home.processes().map(({ pid }) => pid)).toEqual([keeper.pid]);
  await kill(identity);
  writeFileSync(home.file("gate"), "");
  expect(await keeper.exited).toBe(0);
  log.refresh();
  expect(log.state).toMatchObject({ epoch: 2, endedAt: expect.any(Number), counts: { succeeded: 1 } });
});

test("a keeper starts nothing for a batch that has ended", async () => {
  await using home = new Home();
  using store = home.store();
  const log = batchIn(home, store);
  log.append(() => [{ type: "batch-ended" }]);
  // So that a runner, if one was started, would print something.
  makeSenseless(home, log.batchId);
  const keeper = start(home, hiddenCommands.keeper, log.batchId);
  expect([await keeper.exited, await keeper.said]).toEqual([0, ""]);
  expect(store.row(log.batchId)).toMatchObject({ epoch: 0, keeper: expect.anything() });
});

test("a keeper whose runners crash at each start gives up after six, and says so", async () => {
  await using home = new Home();
  using store = home.store();
  const log = batchIn(home, store);
  makeSenseless(home, log.batchId);
  const keeper = start(home, hiddenCommands.keeper, log.batchId);
  expect(await keeper.exited).toBe(0);
  const said = [...(await keeper.said).matchAll(/The runner of .*/g)].map(([line]) => line);
  expect(said).toEqual([
    ...Array.from({ length: 6 }, () => `The runner of ${log.batchId} ended with 1.`),
    `The runner of ${log.batchId} has ended too often; giving up.`,
  ]);
});
