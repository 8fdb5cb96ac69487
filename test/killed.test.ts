// Who sees to the sessions of a batch whose processes were killed, without another call.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { identityOf } from "../src/platform/process.ts";
import { connectNew, eventually, Home, kill, program, run } from "./harness.ts";

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
    "Stopped because the client that waited for it ended: 0 of 1 task done, 1 stopped.",
  );
});

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
  using store = home.store();
  const lost = store.list({ limit: 1 })[0];
  await kill(lost?.keeper, lost?.runner);
  await eventually(
    () => store.list({ limit: 1 })[0]?.runner?.pid !== lost?.runner?.pid,
    () => "nobody carries the batch on",
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
  using store = home.store();
  const first = store.list({ limit: 1 })[0];
  await kill(first?.keeper);
  await eventually(
    () => store.list({ limit: 1 })[0]?.keeper?.pid !== first?.keeper?.pid,
    () => "nobody comes in its place",
  );
  await kill(first?.runner);
  await Bun.write(gate, "");
  await eventually(
    () => store.list({ limit: 1 })[0]?.endedAt !== undefined,
    () => "nobody carries the batch to its end",
  );
  expect(store.list({ limit: 1 })[0]?.counts.succeeded).toBe(1);
  expect(identityOf(first?.keeper?.pid ?? 0)?.startTicks).not.toBe(first?.keeper?.startTicks);
});
