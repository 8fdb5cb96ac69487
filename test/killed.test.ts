// Who sees to the sessions of a batch whose processes were killed, without another call.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { localProcess } from "../src/model/session-ref.ts";
import { livenessOf } from "../src/platform/process.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, kill, program, run } from "./harness.ts";
import { newestRow, untilKept, untilRunning } from "./running.ts";

test("a foreground run that is killed ends its sessions, what they started, and its batch", async () => {
  await using home = new Home();
  const started = home.file("started");
  const task = `[[grandchild double-fork survive-interrupt]] [[touch path=${started}]] [[hang]]`;
  const child = Bun.spawn([...program(), "run", task, "never started", "--concurrency", "1"], {
    cwd: home.work,
    env: home.environment,
    stdout: "ignore",
    stderr: "ignore",
  });
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  using store = home.store();
  const row = () => store.list({ limit: 1 })[0];
  await eventually(
    () => row()?.keeper !== undefined,
    () => "nobody looks after the run",
  );
  child.kill("SIGKILL");
  await home.empty();
  expect(row()).toMatchObject({ cancelledBy: "leash", counts: { running: 0, queued: 0, cancelled: 2 } });
  expect(row()?.endedAt).toBeNumber();
  const listed = await run(home, ["list"]);
  expect(listed.out).toContain("stopped: run killed");
  expect((await run(home, ["show", "latest"])).out).toContain(
    "Stopped because its `run` command was killed: 0 of 2 tasks done, 1 stopped, 1 not started.",
  );
  // What had not started yet has not been started to be ended.
  expect(readFileSync(home.startsLog, "utf8")).not.toContain("never started");
});

test("a batch whose client was killed says so, in the words of its door", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const started = home.file("started");
  client
    .call("spawn_parallel_claude_sessions", { tasks: [`[[touch path=${started}]] [[hang]]`] })
    .catch(() => undefined);
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  process.kill(client.pid, "SIGKILL");
  await home.empty();
  expect((await run(home, ["list"])).out).toContain("stopped: client gone");
  expect((await run(home, ["show", "latest"])).out).toContain(
    "Stopped because the client that waited for it ended: the task was stopped.",
  );
});

testNeeding("programs that are scripts")(
  "a foreground run that is killed by the first session that gets its prompt ends it, and its batch",
  async () => {
    await using home = new Home();
    const claude = home.file("claude");
    // A shell: it is there long before a keeper is.
    const script = 'read -r initialize; read -r prompt; kill -KILL "$PPID"; exec sleep 1000';
    const version = '[ "$1" = --version ] && echo "2.1.332 (Claude Code)" && exit';
    await Bun.write(claude, `#!/bin/sh\n${version}\n${script}\n`);
    chmodSync(claude, 0o755);
    home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: claude });
    const child = Bun.spawn([...program(), "run", "one", "never started", "--concurrency", "1"], {
      cwd: home.work,
      env: home.environment,
      stdout: "ignore",
      stderr: "ignore",
    });
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    await home.empty();
    expect(newestRow(home)).toMatchObject({ cancelledBy: "leash", counts: { cancelled: 2 } });
    expect(newestRow(home)?.endedAt).toBeNumber();
  },
);

test("a run that ends by itself leaves nobody who looks after it", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  const child = Bun.spawn([...program(), "run", `[[wait-for-file path=${gate}]]`], {
    cwd: home.work,
    env: home.environment,
    stdout: "ignore",
    stderr: "ignore",
  });
  using store = home.store();
  await eventually(
    () => store.list({ limit: 1 })[0]?.keeper !== undefined,
    () => "nobody looks after the run",
  );
  await Bun.write(gate, "");
  expect(await child.exited).toBe(0);
  await home.empty();
});

test("a sync call whose keeper and runner are killed goes on, and answers with what its session said", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const [started, gate] = [home.file("started"), home.file("gate")];
  const task = `[[touch path=${started}]] [[wait-for-file path=${gate}]] [[answer text="still here"]]`;
  const call = client.call("spawn_parallel_claude_sessions", { tasks: [task] });
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  const epoch = newestRow(home)?.epoch ?? 0;
  await kill(...(await untilKept(home)));
  await eventually(
    () => (newestRow(home)?.epoch ?? 0) > epoch,
    () => "nobody runs the batch",
  );
  await Bun.write(gate, "");
  const { text } = await call;
  expect(text).toContain("still here");
});

test("a keeper that is killed is replaced, so that its runner may be killed too", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const [started, gate] = [home.file("started"), home.file("gate")];
  const tasks = [`[[touch path=${started}]] [[wait-for-file path=${gate}]]`];
  await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  const [first, runner] = await untilKept(home);
  await kill(first);
  // The row names the dead one until another one is there.
  const [second] = await untilKept(home);
  expect(second).not.toEqual(first);
  await kill(runner);
  await Bun.write(gate, "");
  await eventually(
    () => newestRow(home)?.endedAt !== undefined,
    () => "nobody runs the batch",
  );
  expect(newestRow(home)?.counts.succeeded).toBe(1);
});

/** A batch of one task whose session runs, whose keeper and runner are killed at the same moment, and long ago. */
async function lostLongAgo(home: Home, gate: string) {
  const prompted = home.file("prompted");
  const task = `[[touch path=${prompted}]] [[wait-for-file path=${gate}]] [[answer text="still here"]]`;
  await run(home, ["run", task, "later", "--concurrency", "1", "--detach"]);
  const row = await untilRunning(home);
  await eventually(
    () => existsSync(prompted),
    () => "the session did not start",
  );
  await kill(...(await untilKept(home)));
  using store = home.store();
  store.database.run("UPDATE batches SET alive_at = alive_at - 3600000");
  const session = localProcess(store.batch(row.batchId)?.state.tasks[0]?.attempts[0]?.identity);
  return { row, session };
}

test("a session whose keeper and runner were killed an hour ago gets its clocks back with the next call", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  const { row, session } = await lostLongAgo(home, gate);
  expect(session && livenessOf(session)).toBe("alive");
  await run(home, ["list"]);
  await eventually(
    () => (newestRow(home)?.epoch ?? 0) > row.epoch,
    () => "nobody took the batch over",
  );
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  using store = home.store();
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 2 } });
  expect(store.batch(row.batchId)?.state.tasks[0]?.attempts).toHaveLength(1);
});

test("a batch whose processes were all killed an hour ago waits until somebody asks for it", async () => {
  await using home = new Home();
  const { row, session } = await lostLongAgo(home, home.file("gate"));
  await kill(session);
  expect((await run(home, ["list"])).out).toContain("interrupted");
  await home.empty();
  expect(newestRow(home)).toMatchObject({ epoch: row.epoch, counts: { running: 1, queued: 1 } });
});
