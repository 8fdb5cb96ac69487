// A batch with a sample whose processes are killed: before its pause, at it, while it lasts, and after it. Nothing is lost,
// and no task gets a second prompt.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import type { BatchId } from "../src/model/batch-id.ts";
import type { Event } from "../src/model/event.ts";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, kill, killIfThere, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";
import { newestRow, untilKept, untilRunning } from "./running.ts";

setDefaultTimeout(120_000);

/** Six tasks, of which 2 and 5 are the sample. Each waits for the gate of its half, if there is one. */
async function started(home: Home, { sample = "", rest = "" }): Promise<void> {
  const lines = [1, 2, 3, 4, 5, 6].map((number) => {
    const gate = number === 2 || number === 5 ? sample : rest;
    return `${gate === "" ? "" : `[[wait-for-file path=${gate}]] `}[[answer text="${number}"]]`;
  });
  await Bun.write(home.file("tasks.txt"), `${lines.join("\n")}\n`);
  const words = ["run", "-f", home.file("tasks.txt"), "--sample", "2", "--detach"];
  expect((await run(home, words)).code).toBe(0);
}

async function untilPaused(home: Home): Promise<BatchId> {
  await eventually(
    () => newestRow(home)?.endedAt !== undefined,
    () => `it does not pause: ${JSON.stringify(newestRow(home))}`,
  );
  const row = newestRow(home);
  if (!row) throw new Error("There is no batch");
  expect(row.counts).toMatchObject({ queued: 4, succeeded: 2 });
  return row.batchId;
}

async function paused(home: Home): Promise<BatchId> {
  await started(home, {});
  const batchId = await untilPaused(home);
  await home.empty();
  return batchId;
}

async function runsToItsEnd(home: Home): Promise<void> {
  expect((await run(home, ["wait", "latest"])).code).toBe(0);
  expect(newestRow(home)?.counts).toMatchObject({ queued: 0, running: 0, succeeded: 6 });
  expect(promptsIn(home)).toBe(6);
  await home.empty();
}

function promptsIn(home: Home): number {
  if (!existsSync(home.startsLog)) return 0;
  return readFileSync(home.startsLog, "utf8").match(/"kind":"prompt"/g)?.length ?? 0;
}

function eventsOf(home: Home, type: Event["type"]): number {
  using store = home.store();
  const count = store.database.query<{ count: number }, [string]>(
    "SELECT count(*) AS count FROM events WHERE json_extract(body, '$.type') = ?",
  );
  return count.get(type)?.count ?? 0;
}

/** Kills runner and keeper while two sessions run, when this number of prompts was sent; until the next ones have the batch. */
async function killedAfter(home: Home, { prompts }: { prompts: number }): Promise<void> {
  const row = await untilRunning(home, 2);
  await eventually(
    () => promptsIn(home) === prompts,
    () => "the sessions have no prompts",
  );
  await kill(...(await untilKept(home)));
  await run(home, ["list"]);
  await eventually(
    () => (newestRow(home)?.epoch ?? 0) > row.epoch,
    () => "nobody took the batch over",
  );
}

test("a runner and a keeper that are killed while the sample runs leave it to the next ones, which pause after it", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await started(home, { sample: gate });
  await killedAfter(home, { prompts: 2 });
  await Bun.write(gate, "");
  await untilPaused(home);
  expect(promptsIn(home)).toBe(2);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

test("a client that is killed while the sample of its background batch runs does not matter to it", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array(6).fill(`[[wait-for-file path=${gate}]]`);
  await client.call("spawn_parallel_claude_sessions", { tasks, sample: 2, asyncMode: true });
  await untilRunning(home, 2);
  process.kill(client.pid, "SIGKILL");
  await Bun.write(gate, "");
  await untilPaused(home);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

test("a runner that is killed after the last answer of the sample, before its pause is in the log, has lost nothing", async () => {
  await using home = new Home();
  const batchId = await paused(home);
  const forget = () => {
    using store = home.store();
    store.database.run(
      "DELETE FROM events WHERE batch_id = ? AND json_extract(body, '$.type') = 'batch-paused'",
      [batchId],
    );
    store.database.run("UPDATE batches SET ended_at = NULL WHERE batch_id = ?", [batchId]);
  };
  forget();
  expect((await run(home, ["show", "latest"])).out).toContain("state");
  await untilPaused(home);
  expect(promptsIn(home)).toBe(2);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

test("a runner and a keeper that are killed in the moment of the pause have lost nothing", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await started(home, { sample: gate });
  const row = await untilRunning(home, 2);
  await eventually(
    () => promptsIn(home) === 2,
    () => "the sessions have no prompts",
  );
  const kept = await untilKept(home);
  await Bun.write(gate, "");
  using store = home.store();
  await eventually(
    () => store.row(row.batchId)?.counts.succeeded === 2,
    () => "the sample does not end",
  );
  // Each may end by itself, after the pause.
  for (const { pid } of kept) killIfThere(pid);
  await run(home, ["list"]);
  await untilPaused(home);
  expect(promptsIn(home)).toBe(2);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

test("nothing runs while a batch is paused, and no call resumes it", async () => {
  await using home = new Home();
  const batchId = await paused(home);
  const epoch = newestRow(home)?.epoch;
  {
    await using client = await connectNew(home);
    await client.call("list_batches", {});
    const { data } = await client.call("wait_for_batch", { batchId });
    expect(data).toMatchObject({ state: "paused" });
    process.kill(client.pid, "SIGKILL");
    await home.empty();
  }
  await run(home, ["list"]);
  expect([newestRow(home)?.epoch, promptsIn(home), home.processes()]).toEqual([epoch, 2, []]);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

test("a runner and a keeper that are killed while the rest runs leave it to the next ones", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await started(home, { rest: gate });
  await untilPaused(home);
  await run(home, ["continue", "latest", "--concurrency", "2"]);
  await killedAfter(home, { prompts: 4 });
  await Bun.write(gate, "");
  await runsToItsEnd(home);
});

test("a continuation whose command is killed before it has started anything is resumed by the next call", async () => {
  await using home = new Home();
  const batchId = await paused(home);
  {
    using store = home.store();
    const [row] = store.list({ limit: 1 });
    if (row) store.announce(row);
    store.batch(batchId)?.append(() => [{ type: "continue-requested" }]);
    // Long enough ago that nobody is just starting its processes.
    store.database.run("UPDATE batches SET alive_at = alive_at - 60000");
  }
  await run(home, ["list"]);
  await runsToItsEnd(home);
});

testNeeding("processes that are made at once")(
  "a command that is killed as soon as it has continued a batch has done so",
  async () => {
    await using home = new Home();
    await paused(home);
    await using command = new RunningCommand(home, ["continue", "latest"]);
    await eventually(
      () => eventsOf(home, "continue-requested") === 1,
      () => "it does not continue",
    );
    command.signal("SIGKILL");
    await command.ended();
    using store = home.store();
    // As if twenty seconds had gone: until then, its processes may still be starting.
    if (newestRow(home)?.runner === undefined)
      store.database.run("UPDATE batches SET alive_at = alive_at - 20000");
    await run(home, ["list"]);
    await runsToItsEnd(home);
  },
);

test("of two that continue a batch at once, one does, and no task runs twice", async () => {
  await using home = new Home();
  const batchId = await paused(home);
  const both = await Promise.all([1, 2].map(() => run(home, ["continue", batchId])));
  const said = both.map(({ code, err }) => `${code} ${err}`).toSorted();
  expect(said).toEqual([expect.stringMatching(/^0 /), expect.stringMatching(/^2 /)]);
  expect(eventsOf(home, "continue-requested")).toBe(1);
  await runsToItsEnd(home);
});

const testInTerminal = testNeeding("a terminal of one's own");

testInTerminal("a run that is killed while it asks leaves the batch paused", async () => {
  await using home = new Home();
  await Bun.write(home.file("tasks.txt"), `${Array(6).fill("[[answer text=ok]]").join("\n")}\n`);
  const words = ["run", "-f", home.file("tasks.txt"), "--sample", "2"];
  await using command = new TerminalCommand(home, words, { columns: 120, rows: 40 });
  await command.shows("Run the rest now? [y/N]");
  command.signal("SIGKILL");
  await command.ended();
  await home.empty();
  await run(home, ["list"]);
  expect([newestRow(home)?.counts.queued, promptsIn(home)]).toEqual([4, 2]);
  expect((await run(home, ["continue", "latest"])).code).toBe(0);
  await runsToItsEnd(home);
});

testInTerminal("a run that is killed after it went on ends its sessions, and its batch", async () => {
  await using home = new Home();
  const gate = home.file("never");
  const lines = [1, 2, 3, 4, 5, 6].map((number) =>
    number === 2 || number === 5 ? "[[answer text=ok]]" : `[[wait-for-file path=${gate}]]`,
  );
  await Bun.write(home.file("tasks.txt"), `${lines.join("\n")}\n`);
  const words = ["run", "-f", home.file("tasks.txt"), "--sample", "2"];
  await using command = new TerminalCommand(home, words, { columns: 120, rows: 40 });
  await command.shows("Run the rest now? [y/N]");
  command.type("y\n");
  await untilRunning(home, 4);
  await eventually(
    () => newestRow(home)?.keeper !== undefined,
    () => "nobody looks after the run",
  );
  command.signal("SIGKILL");
  await command.ended();
  await run(home, ["list"]);
  await home.empty();
  expect(newestRow(home)).toMatchObject({
    cancelledBy: "leash",
    counts: { queued: 0, running: 0, succeeded: 2, cancelled: 4 },
  });
});
