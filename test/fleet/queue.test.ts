// Both sides of the queue, with runs that are functions: what is delivered, how often, and what comes back.
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { BlobRef } from "../../src/fleet/blob-ref.ts";
import { type FleetJob, type JobResult, jobIdOf } from "../../src/fleet/job.ts";
import { type JobEnd, SubmitterQueue } from "../../src/fleet/submitter-queue.ts";
import { fleetTiming } from "../../src/fleet/timing.ts";
import { type EndReason, FleetWorker, type Run, type RunEnd } from "../../src/fleet/worker-queue.ts";
import type { Usage } from "../../src/model/outcome.ts";
import { describeNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { OwnRedis } from "../own-redis.ts";

const timing = fleetTiming("3000");
const key = "0123456789abcdef0123456789abcdef0123456789a";
const usage = (costUsd: number): Usage => ({ costUsd, numTurns: 1, durationMs: 1 });

describeNeeding("redis")("the queue of a fleet", () => {
  let server: OwnRedis;
  let submitter: SubmitterQueue;
  const workers: FleetWorker[] = [];
  const said: string[] = [];
  /** The blob that stands for each long result. */
  const blobs = new Map<string, string>();

  const fleet = () => ({
    name: "team",
    url: server.plainUrl,
    password: server.password,
    key,
    blobs: "/nowhere",
    s3: {},
    shared: [],
  });
  const say = (text: string) => void said.push(text);

  beforeEach(async () => {
    server = await OwnRedis.start();
    submitter = await SubmitterQueue.open({ fleet: fleet(), timing, say });
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.drain(0, AbortSignal.abort());
    await submitter[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    said.length = 0;
  });

  async function worker(name: string, run: (run: Run) => Promise<RunEnd>, slots = 2): Promise<FleetWorker> {
    const putAside = async (id: string, text: string): Promise<BlobRef> => {
      blobs.set(id, text);
      return { name: id, sha256: "0".repeat(64), bytes: text.length };
    };
    const started = await FleetWorker.start({ place: fleet(), name, slots, timing, run, key, putAside, say });
    workers.push(started);
    return started;
  }

  const jobOf = (number: number): Omit<FleetJob, "signature"> => ({
    v: 1,
    batchId: "b",
    number,
    attempt: 1,
    spec: { task: "x" },
    work: { kind: "empty" },
  });
  const submit = (number: number, isAgain = false): Promise<JobEnd> =>
    submitter.run(idOf(number), async () => jobOf(number), { isAgain, progressed: () => undefined });
  const idOf = (number: number) => jobIdOf(jobOf(number));
  const ended = (name: string, costUsd = 0): JobResult => ({
    kind: "ended",
    worker: name,
    outcome: { kind: "succeeded", length: 1, offset: 0 },
    attempts: 1,
    usage: usage(costUsd),
  });
  const result = (name: string): RunEnd => ({ kind: "result", result: ended(name) });
  const jobField = (number: number, field: string) =>
    server.connection.hget(`bull:fleet1-default:${idOf(number)}`, field);
  const untilAborted = async ({ signal }: Run): Promise<EndReason> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
    await promise;
    return signal.reason;
  };

  test("runs each job once, and says who ran it", async () => {
    const ran: string[] = [];
    const run = (name: string) => async (one: Run) => {
      ran.push(one.id);
      return result(name);
    };
    await worker("one", run("one"));
    await worker("two", run("two"));
    const ends = await Promise.all(Array.from({ length: 40 }, (_, index) => submit(index + 1)));
    expect(ends.every((end) => end.kind === "result" && end.result.kind === "ended")).toBe(true);
    expect(ran.toSorted()).toEqual(Array.from({ length: 40 }, (_, index) => idOf(index + 1)).toSorted());
  });

  test("gives both of two submitters of one job the result of its only run", async () => {
    let runs = 0;
    const first = submit(1);
    await using other = await SubmitterQueue.open({ fleet: fleet(), timing, say });
    const second = other.run(idOf(1), async () => jobOf(1), { isAgain: true, progressed: () => undefined });
    await worker("one", async () => {
      runs++;
      return result("one");
    });
    expect(await second).toEqual(await first);
    // And who asks when all is over.
    expect(await submit(1, true)).toEqual(await first);
    expect(runs).toBe(1);
  });

  test("lets nobody run what was cancelled while it waited", async () => {
    const end = submit(1);
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ kind: "result", result: { kind: "stopped" } });
    // Even if it is added again.
    let runs = 0;
    await worker("one", async () => {
      runs++;
      return result("one");
    });
    expect(await submit(1, true)).toMatchObject({ result: { kind: "stopped" } });
    await submit(2);
    expect(runs).toBe(1);
  });

  test("stops a running job that is cancelled, and says what it had cost", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const reasons: EndReason[] = [];
    await worker("one", async (run) => {
      resolve();
      reasons.push(await untilAborted(run));
      return { kind: "result", result: { kind: "stopped", worker: "one", usage: usage(0.5) } };
    });
    const end = submit(1);
    await begun;
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ result: { kind: "stopped", usage: { costUsd: 0.5 } } });
    expect(reasons).toEqual(["stopped"]);
  });

  test("stops a cancelled job even if the worker misses what is said", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    await worker("one", async (run) => {
      resolve();
      return { kind: "result", result: { kind: "stopped", worker: await untilAborted(run) } };
    });
    const end = submit(1);
    await begun;
    await server.connection.set(`led:{${idOf(1)}}:stop`, "1");
    expect(await end).toMatchObject({ result: { kind: "stopped", worker: "stopped" } });
  });

  test("hands a job back without an attempt, pauses the account, and counts what it had cost", async () => {
    let runs = 0;
    await worker("one", async () => {
      if (++runs > 1) return result("one");
      return { kind: "handed-back", usage: usage(0.25), accountPauseMs: 1_500 };
    });
    const first = submit(1);
    await eventually(
      () => runs > 0,
      () => "it did not begin",
    );
    // Of the same account, so it waits too.
    const second = submit(2);
    expect(await first).toMatchObject({ kind: "result", spent: [{ costUsd: 0.25 }] });
    expect(await second).toMatchObject({ kind: "result", spent: [] });
    expect(runs).toBe(3);
    // Only the one that completed it.
    expect(await jobField(1, "atm")).toBe("1");
  });

  test("takes nothing while its worker cannot run anything, and leaves it to others", async () => {
    const ran: string[] = [];
    await worker("broken", async () => {
      ran.push("broken");
      return { kind: "handed-back", workerPause: { ms: 60_000, because: "Not logged in." } };
    });
    const end = submit(1);
    await eventually(
      () => said.some((text) => text.includes("Not logged in")),
      () => said.join("\n"),
    );
    await worker("good", async () => {
      ran.push("good");
      return result("good");
    });
    expect(await end).toMatchObject({ result: { worker: "good" } });
    expect(ran).toEqual(["broken", "good"]);
    await eventually(
      () => submitter.workers.some(({ name, held }) => name === "broken" && held === "Not logged in."),
      () => JSON.stringify(submitter.workers),
    );
  });

  test("hands running jobs back when a worker is drained, and another one begins at once", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const first = await worker("first", async (run) => {
      resolve();
      expect(await untilAborted(run)).toBe("drained");
      return { kind: "handed-back", usage: usage(1) };
    });
    const end = submit(1);
    await begun;
    await worker("second", async () => result("second"));
    await first.drain(0, new AbortController().signal);
    expect(await end).toMatchObject({ result: { worker: "second" }, spent: [{ costUsd: 1 }] });
    expect(await jobField(1, "atm")).toBe("1");
  });

  test("waits for running jobs when a worker is drained, and takes no others", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let begun = 0;
    const first = await worker("first", async () => {
      begun++;
      await gate;
      return result("first");
    });
    const end = submit(1);
    await eventually(
      () => begun === 1,
      () => "it did not begin",
    );
    const drained = first.drain(60_000, new AbortController().signal);
    const other = submit(2);
    await worker("second", async () => result("second"));
    expect(await other).toMatchObject({ result: { worker: "second" } });
    open();
    await drained;
    expect(await end).toMatchObject({ result: { worker: "first" } });
    expect(begun).toBe(1);
  });

  test("keeps the result of a job that came back to the worker that runs it", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let runs = 0;
    await worker("one", async () => {
      runs++;
      await gate;
      return result("one");
    });
    const end = submit(1);
    await eventually(
      () => runs === 1,
      () => "it did not begin",
    );
    // As if the worker had been frozen for longer than its lock.
    await server.connection.del(`bull:fleet1-default:${idOf(1)}:lock`);
    const stalls = async () => Number(await jobField(1, "stc"));
    const until = async (): Promise<void> => {
      while ((await stalls()) === 0) await Bun.sleep(50);
    };
    await until();
    open();
    expect(await end).toMatchObject({ result: { worker: "one" } });
    expect(runs).toBe(1);
  }, 30_000);

  test("runs nothing again while its server is away for longer than all locks", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let runs = 0;
    const run = (name: string) => async () => {
      runs++;
      await gate;
      return result(name);
    };
    await worker("one", run("one"));
    await worker("two", run("two"));
    const ends = [1, 2, 3, 4].map((number) => submit(number));
    await eventually(
      () => runs === 4,
      () => `${runs} began`,
    );
    await server.kill();
    await Bun.sleep(timing.lockMs * 1.5);
    await server.start();
    // The queue takes all of them for lost, and would deliver them again.
    const stalls = () => Promise.all([1, 2, 3, 4].map((number) => jobField(number, "stc")));
    while ((await stalls()).some((count) => Number(count) === 0)) await Bun.sleep(50);
    open();
    const all = await Promise.all(ends);
    expect(all.map((end) => end.kind)).toEqual(["result", "result", "result", "result"]);
    expect(runs).toBe(4);
  }, 60_000);

  test("puts a long result aside, and Redis holds none of it", async () => {
    const text = "x".repeat(200_000);
    await worker("one", async () => ({
      kind: "result",
      result: { kind: "refused", worker: "one", message: text },
    }));
    // The blob store of this test cannot be read.
    expect(await submit(1)).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("cannot be read"),
    });
    expect(blobs.get(idOf(1))).toContain(text);
    expect(Number(await server.connection.strlen(`led:{${idOf(1)}}:done`))).toBeLessThan(1_000);
  });

  test("trusts no result that the key of the fleet has not signed", async () => {
    const end = submit(1);
    const forged = JSON.stringify({ id: idOf(1), value: ended("forged"), signature: "0".repeat(64) });
    await server.connection.set(`led:{${idOf(1)}}:done`, forged);
    await worker("one", async () => result("one"));
    expect(await end).toMatchObject({ kind: "failed", message: expect.stringContaining("not signed") });
  });

  test("adds a job again that its server has forgotten", async () => {
    const end = submit(1);
    await server.connection.flushall();
    await worker("one", async () => result("one"));
    expect(await end).toMatchObject({ result: { worker: "one" } });
  }, 30_000);
});
