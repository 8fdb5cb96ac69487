// A disk that fills up. A small one can only be made by root; elsewhere this is not checked, and says so.
import { expect } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { footprintKey } from "../src/engine/memory/footprint-key.ts";
import { optionsOf } from "../src/model/task-options.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home } from "./harness.ts";

/** A disk of this size, until the test ends: its home cannot be removed before. */
function smallDisk(directory: string, size: string, more = ""): Disposable {
  mkdirSync(directory, { mode: 0o700 });
  const options = `size=${size},mode=700${more}`;
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory]);
  return { [Symbol.dispose]: () => void Bun.spawnSync(["umount", "-l", directory]) };
}

testNeeding("a disk to mount")(
  "on a disk that is nearly full no session starts, the batch says why, and goes on when there is room",
  async () => {
    await using home = new Home();
    using _ = smallDisk(home.state, "140m");
    await using client = await connectNew(home);
    const filler = join(home.state, "filler");
    await Bun.write(filler, new Uint8Array(60_000_000));
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: ["one", "two"],
      asyncMode: true,
    });
    const batchId = String(data?.["batchId"]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.held !== undefined,
      () => "it is not held",
    );
    const held = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
    expect(held.data).toMatchObject({ counts: { queued: 2 }, heldBecause: expect.stringContaining("prune") });
    rmSync(filler);
    const ended = await client.call("wait_for_batch", { batchId });
    expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
    expect(ended.data).not.toHaveProperty("heldBecause");
    await home.empty({ but: client.pid });
  },
);

testNeeding("a disk to mount")("a disk that is full while sessions end loses no result", async () => {
  await using home = new Home();
  using _ = smallDisk(home.state, "140m");
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const task = `[[answer text="kept"]] [[result text="kept"]] [[wait-for-file path=${gate}]]`;
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [task, task],
    asyncMode: true,
  });
  const batchId = String(data?.["batchId"]);
  const filler = join(home.state, "filler");
  using store = home.store();
  await eventually(
    () => store.activities(store.list()[0]?.batchId ?? never()).size === 2,
    () => "the sessions do not run",
  );
  // Bit by bit, until not a single byte more goes in.
  await Bun.spawn(["sh", "-c", `cat /dev/zero > ${filler}`], { stderr: "ignore" }).exited;
  await Bun.write(gate, "");
  await eventually(
    () => !home.processes().some(({ command }) => command.includes("fake-claude")),
    () => "the sessions do not end",
  );
  expect(store.list()[0]?.endedAt).toBeUndefined();
  rmSync(filler);
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
  await home.empty({ but: client.pid });
});

testNeeding("a disk to mount")(
  "a disk that is full while everything is written crashes no runner",
  async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "auto" });
    using _ = smallDisk(home.state, "140m");
    await using client = await connectNew(home);
    using store = home.store();
    // Sessions take more than this, which is written down at their end.
    await client.call("spawn_claude_session", { task: "hello" });
    const { batch } = store.batch(store.list()[0]?.batchId ?? never())?.state ?? never();
    const key = footprintKey(batch, optionsOf(batch, 1));
    store.capacity.setFootprint(key, 1_000_000);
    const gate = home.file("gate");
    const gated = `[[answer text="kept"]] [[result text="kept"]] [[wait-for-file path=${gate}]]`;
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [gated, `[[api-retry status=429 attempts=2]] ${gated}`, gated, gated],
      asyncMode: true,
      concurrency: 3,
      timeoutSeconds: 120,
    });
    const batchId = String(data?.["batchId"]);
    const measured = store.database.query("SELECT 1 FROM loads WHERE sessions = 3 AND used_bytes > 3000000");
    await eventually(
      () => measured.get() !== null,
      () => `the sessions are not measured: ${JSON.stringify(store.list()[0])}`,
    );
    const filler = join(home.state, "filler");
    await Bun.spawn(["sh", "-c", `cat /dev/zero > ${filler}`], { stderr: "ignore" }).exited;
    await Bun.write(gate, "");
    await eventually(
      () => !home.processes().some(({ command }) => command.includes("fake-claude")),
      () => "the sessions do not end",
    );
    rmSync(filler);
    const ended = await client.call("wait_for_batch", { batchId });
    expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
    // The first runner saw it through.
    expect(store.list()[0]?.epoch).toBe(1);
    expect(store.capacity.footprint(key)).toBeGreaterThan(1_000_000);
    await home.empty({ but: client.pid });
  },
);

testNeeding("a disk to mount")(
  "on a disk that has hardly any inodes left no session starts, and no task fails",
  async () => {
    await using home = new Home();
    using _ = smallDisk(home.state, "200m", ",nr_inodes=90");
    await using client = await connectNew(home);
    const tasks = Array.from({ length: 30 }, (_, index) => `${index}`);
    const { data } = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
    const batchId = String(data?.["batchId"]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.held?.because.includes("inodes") === true,
      () => "it is not held",
    );
    Bun.spawnSync(["mount", "-o", "remount,nr_inodes=1000", home.state]);
    const ended = await client.call("wait_for_batch", { batchId });
    expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 30, failed: 0 } });
    await home.empty({ but: client.pid });
  },
);

function never(): never {
  throw new Error("no batch");
}
