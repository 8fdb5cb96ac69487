// How the stdio door ends, and what it leaves: a reader that has gone, kills without patience, copies that start together.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { eventually, Home, program } from "./harness.ts";
import { RawClient } from "./raw-client.ts";

const hangingCall = (task: string) =>
  `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "spawn_claude_session", arguments: { task } } })}\n`;

function start(home: Home) {
  return Bun.spawn(program(), {
    cwd: home.work,
    env: home.environment,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
}

test("when nobody reads its answers any more, it ends, and its sync batch with it", async () => {
  await using home = new Home();
  await using child = start(home);
  const started = home.file("started");
  child.stdin.write(hangingCall(`[[touch path=${started}]] [[hang]]`));
  child.stdin.flush();
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  await child.stdout.cancel();
  // Its next answer finds the pipe without a reader, while its input stays open.
  child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" })}\n`);
  child.stdin.flush();
  await child.exited;
  await home.empty();
  using store = home.store();
  expect(store.list()[0]?.counts).toMatchObject({ cancelled: 1 });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} and SIGKILL 500 ms later leave nothing behind`, async () => {
    await using home = new Home();
    await using child = start(home);
    const started = home.file("started");
    child.stdin.write(
      hangingCall(`[[grandchild double-fork]] [[touch path=${started}]] [[ignore-everything]] [[hang]]`),
    );
    child.stdin.flush();
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    child.kill(signal);
    // What clients do, whether it has ended by then or not: the pause is part of the case.
    await Promise.race([child.exited, Bun.sleep(500)]);
    child.kill("SIGKILL");
    await home.empty();
    using store = home.store();
    expect(store.list()[0]).toMatchObject({ cancelledBy: expect.stringMatching(/client|leash/) });
  });
}

test("two copies started at once on a new store both serve, and see each other's batches", async () => {
  await using home = new Home();
  await using one = new RawClient(home);
  await using other = new RawClient(home);
  const answers = await Promise.all(
    [one, other].map((client) => client.call("spawn_claude_session", { task: '[[answer text="4"]]' })),
  );
  for (const { result } of answers)
    expect(result).toMatchObject({ structuredContent: { status: "success", result: "4" } });
  const listed = await one.call("list_batches", {});
  expect(listed.result).toMatchObject({ structuredContent: { batches: [{}, {}] } });
});

test("a copy that is killed as it starts disturbs neither the store nor the one beside it", async () => {
  await using home = new Home();
  await using one = new RawClient(home);
  const killed = new RawClient(home);
  void killed.call("list_batches", {});
  // As clients do that try a server out; the pause is part of the case.
  await Bun.sleep(200);
  await killed.kill();
  const { result } = await one.call("spawn_claude_session", { task: '[[answer text="4"]]' });
  expect(result).toMatchObject({ structuredContent: { status: "success" } });
  await home.empty({ but: one.pid });
});
