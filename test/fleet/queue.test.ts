// Both sides of the queue, with runs that are functions: what is delivered, how often, and what comes back.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlobStore, blobStoreOf } from "../../src/fleet/blobs.ts";
import { type FleetJob, type JobResult, jobIdOf } from "../../src/fleet/job.ts";
import { workersKeyOf } from "../../src/fleet/queue-names.ts";
import { sealed, spendingOf, unsealed } from "../../src/fleet/sealed.ts";
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
  /** Where blobs are, unless it is away. */
  let blobs: string;
  let store: BlobStore;
  const isSaid = (text: string) =>
    eventually(
      () => said.some((one) => one.includes(text)),
      () => said.join("\n"),
    );

  const fleet = () => ({
    name: "team",
    url: server.plainUrl,
    password: server.password,
    key,
    blobs,
    s3: {},
    shared: [],
  });
  const say = (text: string) => void said.push(text);

  beforeEach(async () => {
    blobs = mkdtempSync(join(tmpdir(), "pccm-queue-"));
    store = blobStoreOf({ blobs, s3: {} });
    server = await OwnRedis.start();
    submitter = await SubmitterQueue.open({ fleet: fleet(), timing, say });
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.drain(0, AbortSignal.abort());
    await submitter[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(blobs, { recursive: true, force: true });
    said.length = 0;
  });

  async function worker(name: string, run: (run: Run) => Promise<RunEnd>, slots = 2): Promise<FleetWorker> {
    const putAside = (id: string, text: string) => store.put(`${id}/result`, new TextEncoder().encode(text));
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
    const run = async () => {
      runs++;
      await gate;
      return result("one");
    };
    // Each delivery that waits for the run takes a slot.
    await worker("one", run, 8);
    const end = submit(1);
    await eventually(
      () => runs === 1,
      () => "it did not begin",
    );
    // As if the worker had been frozen for longer than its lock, again and again.
    while (Number(await jobField(1, "stc")) < 5) {
      await server.connection.del(`bull:fleet1-default:${idOf(1)}:lock`);
      await Bun.sleep(50);
    }
    open();
    expect(await end).toMatchObject({ result: { worker: "one" } });
    expect(runs).toBe(1);
  }, 60_000);

  test("stores what was paid for once the blob store is back, and runs nothing again", async () => {
    let runs = 0;
    const away = `${blobs}-away`;
    await worker("one", async () => {
      runs++;
      renameSync(blobs, away);
      return { kind: "result", result: { kind: "refused", worker: "one", message: "x".repeat(200_000) } };
    });
    const end = submit(1);
    await isSaid(`${idOf(1)} has ended. The result cannot be stored yet`);
    renameSync(away, blobs);
    expect(await end).toMatchObject({ result: { kind: "refused", worker: "one" } });
    expect(runs).toBe(1);
  }, 30_000);

  test("stores what was paid for once its server takes it, and runs nothing again", async () => {
    let runs = 0;
    await worker("one", async () => {
      runs++;
      await server.connection.config("SET", "maxmemory", "1");
      return { kind: "result", result: ended("one", 0.5) };
    });
    const end = submit(1);
    await isSaid(`${idOf(1)} has ended. The result cannot be stored yet`);
    await server.connection.config("SET", "maxmemory", "0");
    expect(await end).toMatchObject({ result: { worker: "one", usage: { costUsd: 0.5 } }, spent: [] });
    expect(runs).toBe(1);
  }, 60_000);

  test("counts what a run has cost whose result came too late", async () => {
    await worker("one", async ({ id }) => {
      await server.connection.set(`led:{${id}}:done`, sealed(id, ended("other"), key));
      return { kind: "result", result: ended("one", 0.5) };
    });
    expect(await submit(1)).toMatchObject({ result: { worker: "other" } });
    const spent = () => server.connection.hgetall(`led:{${idOf(1)}}:spent`);
    while (Object.keys(await spent()).length === 0) await Bun.sleep(20);
    const [[runId, text] = ["", ""]] = Object.entries(await spent());
    expect(unsealed(spendingOf(idOf(1), runId), text, key)).toMatchObject({ costUsd: 0.5 });
  });

  test("says that more was spent than is known if a worker was lost", async () => {
    await server.connection.hset(`led:{${idOf(1)}}:run`, { starts: 1 });
    await worker("one", async () => ({ kind: "result", result: ended("one", 0.5) }));
    expect(await submit(1)).toMatchObject({ result: { usage: { costUsd: 0.5, atLeast: true } } });
  });

  test("gives a job up whose workers are lost again and again", async () => {
    await server.connection.hset(`led:{${idOf(1)}}:run`, { starts: 5 });
    let runs = 0;
    await worker("one", async () => {
      runs++;
      return result("one");
    });
    expect(await submit(1)).toMatchObject({
      kind: "failed",
      message: "It was lost with its worker 5 times.",
    });
    expect(runs).toBe(0);
  });

  test("says to each run how many before it failed, and counts no others", async () => {
    const seen: number[] = [];
    await worker("one", async ({ failures }) => {
      seen.push(failures);
      if (seen.length > 3) return result("one");
      return { kind: "handed-back", afterMs: 0, isFailure: seen.length !== 2 };
    });
    await submit(1);
    expect(seen).toEqual([0, 1, 1, 2]);
  });

  test("counts what a job had cost that was handed back and then cancelled", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    await worker("one", async () => {
      resolve();
      return { kind: "handed-back", usage: usage(0.25), afterMs: 600_000 };
    });
    const end = submit(1);
    await begun;
    while ((await server.connection.zscore("bull:fleet1-default:delayed", idOf(1))) === null)
      await Bun.sleep(20);
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ result: { kind: "stopped" }, spent: [{ costUsd: 0.25 }] });
  });

  test("adds no job that was cancelled before it could be added", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const make = async () => {
      await gate;
      return jobOf(1);
    };
    await submitter.cancel(idOf(1));
    open();
    const end = await submitter.run(idOf(1), make, { isAgain: false, progressed: () => undefined });
    expect(end).toMatchObject({ result: { kind: "stopped" } });
    expect(await jobField(1, "name")).toBeNull();
  });

  test("waits while its server takes nothing, and goes on when it does", async () => {
    await worker("one", async () => result("one"));
    await server.connection.config("SET", "maxmemory", "1");
    const end = submit(1);
    await isSaid("takes no more data");
    expect(submitter.trouble).toContain("takes no more data");
    const cancelled = submitter.cancel(idOf(2));
    await server.connection.config("SET", "maxmemory", "0");
    expect(await end).toMatchObject({ result: { worker: "one" } });
    await cancelled;
    expect(submitter.trouble).toBeUndefined();
    expect(await server.connection.exists(`led:{${idOf(2)}}:stop`)).toBe(1);
  }, 60_000);

  test("sees workers beside one that says nothing readable", async () => {
    await server.connection.hset(workersKeyOf("fleet1-default"), "odd", "no JSON");
    await worker("one", async () => result("one"));
    await eventually(
      () => submitter.workers.some(({ name }) => name === "one"),
      () => said.join("\n"),
    );
    expect(submitter.trouble).toBeUndefined();
  });

  test("ends a worker whose server is away, once it waits for nothing more", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const one = await worker("one", async (run) => {
      resolve();
      await untilAborted(run);
      return { kind: "handed-back", usage: usage(1) };
    });
    const idle = await worker("idle", async () => result("idle"), 1);
    workers.length = 0;
    const end = submit(1);
    end.catch(() => undefined);
    await begun;
    await server.kill();
    const again = new AbortController();
    const drained = one.drain(600_000, again.signal);
    expect(await idle.drain(600_000, new AbortController().signal)).toBe(false);
    again.abort();
    expect(await drained).toBe(false);
  }, 60_000);

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
    const message = "x".repeat(200_000);
    await worker("one", async () => ({
      kind: "result",
      result: { kind: "refused", worker: "one", message },
    }));
    expect(await submit(1)).toMatchObject({ kind: "result", result: { kind: "refused", message } });
    expect(Number(await server.connection.strlen(`led:{${idOf(1)}}:done`))).toBeLessThan(1_000);
  });

  test("waits for a result while its blob store is away, and gives up one that the store does not have", async () => {
    const long: JobResult = { kind: "refused", worker: "one", message: "x".repeat(200_000) };
    const ref = await store.put("b/result", new TextEncoder().encode(JSON.stringify(long)));
    const stored = sealed(idOf(1), { kind: "blob", ref }, key);
    const away = `${blobs}-away`;
    renameSync(blobs, away);
    await server.connection.set(`led:{${idOf(1)}}:done`, stored);
    const end = submit(1, true);
    await isSaid("cannot be read");
    renameSync(away, blobs);
    expect(await end).toMatchObject({ result: { kind: "refused" } });
    await store.remove("b/result");
    expect(await submit(1, true)).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("does not exist"),
    });
  }, 60_000);

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
