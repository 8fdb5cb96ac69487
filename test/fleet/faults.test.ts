// Kills, freezes, cancellations and ends of workers and submitters. What ran is read from the notes of the fake `claude`.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { describeNeeding } from "../facilities.ts";
import { asked, notes } from "../fake-notes.ts";
import { connectNew, eventually, type Home, kill, run } from "../harness.ts";
import { processesWith } from "../processes-with.ts";
import { newestRow, startRunning, untilAsked, untilKept, untilRunning } from "../running.ts";
import { OwnBatch } from "./own-batch.ts";
import { leaseMs, OwnFleet } from "./own-fleet.ts";

/** A task that waits for a file, says a word, and costs a quarter. */
const gated = (home: Home, word: string) =>
  `[[cost usd=0.25]] [[wait-for-file path=${home.file("gate")}]] [[answer text=${word}]]`;
const open = (home: Home) => Bun.write(home.file("gate"), "");
const isAlive = (pid: number) => {
  try {
    // A zombie has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
/** The worker whose session a process is. */
const workerOf = (pid: number) =>
  /WORKER_NAME=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
const untilGone = (pids: readonly number[]) =>
  eventually(
    () => !pids.some(isAlive),
    () => `still there: ${pids.filter(isAlive)}`,
  );

describeNeeding("redis", "Linux")("on a fleet", () => {
  test("a killed worker's tasks run again elsewhere, its sessions are gone, and each result comes once", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const first = await fleet.worker("box-1");
    await fleet.worker("box-2");
    const batch = new OwnBatch(
      home,
      ["a", "b", "c", "d"].map((word) => gated(home, word)),
    );
    await untilAsked(home, 4);
    const lost = asked(home)
      .filter(({ pid }) => workerOf(pid) === "box-1")
      .map(({ pid }) => pid);
    expect(lost.length).toBe(2);
    const ofFirst = () => processesWith("WORKER_NAME", "box-1");
    // One keeper for all its tasks.
    const keepers = () => ofFirst().filter(({ command }) => /__(?:worker-)?keeper/.test(command));
    await eventually(
      () => keepers().length === 1,
      () => `not one: ${JSON.stringify(keepers())}`,
    );
    await first.kill();
    await untilGone(lost);
    await eventually(
      () => ofFirst().length === 0,
      () => JSON.stringify(ofFirst()),
    );
    // Its other sessions end only then, so that box-2 has room for what is lost.
    await open(home);
    const { results } = await batch.answer();
    expect(results.map(({ result }) => result)).toEqual(["a", "b", "c", "d"]);
    expect(results.map(({ host }) => host)).toEqual(["box-2", "box-2", "box-2", "box-2"]);
    expect(asked(home).length).toBe(6);
  }, 120_000);

  test("a worker that is frozen for longer than all leases keeps no result back, and its run ends", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const first = await fleet.worker("box-1");
    const batch = new OwnBatch(home, [gated(home, "a")]);
    await untilAsked(home, 1);
    const [older] = asked(home).map(({ pid }) => pid);
    first.signal("SIGSTOP");
    await fleet.worker("box-2");
    await untilAsked(home, 2);
    first.signal("SIGCONT");
    await untilGone([older ?? 0]);
    await open(home);
    const { results } = await batch.answer();
    expect(results).toMatchObject([{ result: "a", host: "box-2" }]);
    expect(asked(home).length).toBe(2);
  }, 120_000);

  test("a worker that is frozen for a moment loses nothing, and runs nothing again", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    const first = await fleet.worker("box-1");
    const batch = new OwnBatch(home, [gated(home, "a")]);
    await untilAsked(home, 1);
    const { batchId } = await untilRunning(home);
    first.signal("SIGSTOP");
    await fleet.worker("box-2");
    const job = `bull:fleet1-default:${batchId}-1-1`;
    // Longer than its lock, so that box-2 gets the job, and waits for the lease.
    while ((await redis.connection.hget(job, "stc")) === null) await Bun.sleep(50);
    first.signal("SIGCONT");
    await open(home);
    const { results } = await batch.answer();
    expect(results).toMatchObject([{ result: "a", host: "box-1" }]);
    expect(asked(home).length).toBe(1);
  }, 120_000);

  test("a cancelled task is ended where it runs, and one that waits is never asked", async () => {
    // The worker hears of it, instead of finding it when it renews its lease: that would be after minutes.
    await using fleet = await OwnFleet.create({ lease: 600_000 });
    const { home } = fleet;
    await fleet.worker("box-1", { slots: 1 });
    const batch = new OwnBatch(
      home,
      ["a", "b"].map((word) => gated(home, word)),
    );
    await untilAsked(home, 1);
    const { batchId } = await untilRunning(home, 2);
    expect((await run(home, ["cancel", batchId, "2"])).code).toBe(0);
    await eventually(
      () => newestRow(home)?.counts.cancelled === 1,
      () => JSON.stringify(newestRow(home)),
    );
    const [running] = asked(home).map(({ pid }) => pid);
    expect((await run(home, ["cancel", batchId])).code).toBe(0);
    const { results } = await batch.answer();
    expect(results.map(({ outcome }) => outcome)).toEqual(["cancelled: user", "cancelled: user"]);
    await untilGone([running ?? 0]);
    expect(asked(home).length).toBe(1);
  }, 120_000);

  test("what is cancelled while its worker is cut off runs nowhere else, and ends there when it is back", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const first = await fleet.worker("box-1");
    const batch = new OwnBatch(home, [gated(home, "a")]);
    await untilAsked(home, 1);
    const { batchId } = await untilRunning(home);
    const [running] = asked(home).map(({ pid }) => pid);
    first.signal("SIGSTOP");
    await fleet.worker("box-2");
    expect((await run(home, ["cancel", batchId])).code).toBe(0);
    // The queue gives it to box-2, which finds that it was cancelled.
    const { results } = await batch.answer();
    expect(results).toMatchObject([{ outcome: "cancelled: user" }]);
    expect(isAlive(running ?? 0)).toBe(true);
    first.signal("SIGCONT");
    await untilGone([running ?? 0]);
    expect(asked(home).length).toBe(1);
  }, 120_000);

  test("the next runner of a killed submitter has all results, and nothing runs twice", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1", { slots: 2 });
    await using client = await connectNew(home);
    const tasks = ["a", "b", "c", "d"].map((word, index) => (index < 2 ? word : gated(home, word)));
    const batchId = await startRunning(home, client, { tasks, fleet: "team", concurrency: 4 }, 2);
    await untilAsked(home, 4);
    await kill(...(await untilKept(home)));
    // These end while nobody listens.
    await open(home);
    await eventually(
      () => notes(home).filter(({ kind }) => kind === "result").length === 4,
      () => JSON.stringify(notes(home)),
    );
    const waited = await client.call("wait_for_batch", { batchId, waitSeconds: 60 });
    expect(waited.data).toMatchObject({ state: "finished", counts: { succeeded: 4 } });
    expect(asked(home).length).toBe(4);
  }, 120_000);

  test("a drained worker hands over what it runs, and what that had cost still counts", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    const first = await fleet.worker("box-1", { more: ["--drain-seconds", "0"] });
    const batch = new OwnBatch(home, [gated(home, "a")]);
    await untilAsked(home, 1);
    const { batchId } = await untilRunning(home);
    await fleet.worker("box-2");
    first.signal("SIGTERM");
    expect(await first.exited).toBe(0);
    await untilAsked(home, 2);
    // No attempt, as far as the queue counts them.
    expect(Number(await redis.connection.hget(`bull:fleet1-default:${batchId}-1-1`, "atm"))).toBe(0);
    await open(home);
    // Of both runs.
    expect((await batch.answer()).results).toMatchObject([{ result: "a", host: "box-2", costUsd: 0.5 }]);
    expect(asked(home).length).toBe(2);
  }, 120_000);

  test("a drained worker waits for what it runs", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const first = await fleet.worker("box-1");
    const batch = new OwnBatch(home, [gated(home, "a")]);
    await untilAsked(home, 1);
    first.signal("SIGTERM");
    await first.says("Waits up to 60 s for 1 task");
    await open(home);
    expect(await first.exited).toBe(0);
    expect((await batch.answer()).results).toMatchObject([{ result: "a", host: "box-1" }]);
    expect(asked(home).length).toBe(1);
  }, 120_000);

  test("an outage of Redis for longer than all locks runs nothing again, and new batches work", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    await fleet.worker("box-1");
    await fleet.worker("box-2");
    const batch = new OwnBatch(
      home,
      ["a", "b", "c"].map((word) => gated(home, word)),
    );
    await untilAsked(home, 3);
    const { batchId } = await untilRunning(home, 3);
    await redis.kill();
    await Bun.sleep(leaseMs * 1.5);
    await redis.start();
    // The queue takes all of them for lost.
    const stalls = () =>
      Promise.all(
        [1, 2, 3].map((number) => redis.connection.hget(`bull:fleet1-default:${batchId}-${number}-1`, "stc")),
      );
    while ((await stalls()).some((count) => Number(count) === 0)) await Bun.sleep(50);
    await open(home);
    expect((await batch.answer()).results.map(({ result }) => result)).toEqual(["a", "b", "c"]);
    expect(asked(home).length).toBe(3);
    expect((await new OwnBatch(home, ["[[answer text=next]]"]).answer()).results).toMatchObject([
      { result: "next" },
    ]);
  }, 120_000);

  test("a worker and a batch that find no Redis say so, and go on when it is there", async () => {
    const { OwnRedis } = await import("../own-redis.ts");
    await using fleet = await OwnFleet.create({ redis: await OwnRedis.stopped() });
    const { home, redis } = fleet;
    const worker = await fleet.worker("box-1", { isAwaited: false });
    await worker.says("nothing listens there");
    const batch = new OwnBatch(home, ["[[answer text=a]]"]);
    await eventually(
      () => newestRow(home)?.held?.because.includes("nothing listens there") === true,
      () => JSON.stringify(newestRow(home)),
    );
    await redis.start();
    expect((await batch.answer()).results).toMatchObject([{ result: "a", host: "box-1" }]);
    expect(worker.said.split("\n").length).toBeLessThan(20);
  }, 120_000);
});
