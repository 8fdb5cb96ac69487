// Both sides of the queue, with runs that are functions: what is delivered, how often, and what comes back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlobStore, blobStoreOf } from "../../src/fleet/blobs.ts";
import { Worker } from "../../src/fleet/bullmq.ts";
import { redisOptions } from "../../src/fleet/connection.ts";
import { drainWorkers, resumeWorkers } from "../../src/fleet/drains.ts";
import { type FleetJob, type JobResult, jobIdOf } from "../../src/fleet/job.ts";
import { Ledger } from "../../src/fleet/ledger.ts";
import { queueNameOf, workersKeyOf } from "../../src/fleet/queue-names.ts";
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

  beforeAll(async () => {
    server = await OwnRedis.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    // Of a test that hangs, Bun ends all processes.
    if (!server.isRunning) await server.start();
    blobs = mkdtempSync(join(tmpdir(), "pccm-queue-"));
    store = blobStoreOf({ blobs, s3: {} });
    await server.connection.flushall();
    submitter = await SubmitterQueue.open({ fleet: fleet(), timing, say, mostReads: 2 });
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.drain(0, AbortSignal.abort());
    await submitter[Symbol.asyncDispose]();
    rmSync(blobs, { recursive: true, force: true });
    said.length = 0;
  });

  async function worker(name: string, run: (run: Run) => Promise<RunEnd>, slots = 2): Promise<FleetWorker> {
    const putAside = (blob: string, text: string) => store.put(blob, new TextEncoder().encode(text));
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
  const until = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
    const deadline = performance.now() + 60_000;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error(`It did not happen: ${what}`);
      await Bun.sleep(20);
    }
  };
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
    const says = (name: string) => submitter.workers.find((one) => one.name === name);
    await eventually(
      () =>
        says("broken")?.held === "Not logged in." && says("broken")?.ended === 0 && says("good")?.ended === 1,
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

  test("gives a worker that is out of service nothing more, also after a restart, until that is taken back", async () => {
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const run = async () => {
      begun++;
      await gate.promise;
      return result("first");
    };
    const first = await worker("first", run);
    const end = submit(1);
    await eventually(
      () => begun === 1,
      () => "it did not begin",
    );
    const { connection } = server;
    const isOut = (name: string, isExpected: boolean) =>
      eventually(
        () => submitter.workers.some((one) => one.name === name && (one.isDrained ?? false) === isExpected),
        () => JSON.stringify(submitter.workers),
      );
    await drainWorkers(connection, queueNameOf(), ["first"], {});
    await isOut("first", true);
    const other = submit(2);
    await worker("second", async () => result("second"));
    expect(await other).toMatchObject({ result: { worker: "second" } });
    // What it had begun goes on to its end.
    gate.resolve();
    expect(await end).toMatchObject({ result: { worker: "first" } });
    await first.drain(0, new AbortController().signal);
    await worker("first", run);
    await isOut("first", true);
    expect(await submit(3)).toMatchObject({ result: { worker: "second" } });
    expect(begun).toBe(1);
    await resumeWorkers(connection, queueNameOf(), ["first"]);
    await isOut("first", false);
    await drainWorkers(connection, queueNameOf(), ["second"], {});
    await isOut("second", true);
    expect(await submit(4)).toMatchObject({ result: { worker: "first" } });
  });

  test("hands back what a worker that goes out of service runs for longer than it may", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    await worker("first", async (run) => {
      resolve();
      expect(await untilAborted(run)).toBe("drained");
      return { kind: "handed-back", usage: usage(1) };
    });
    const end = submit(1);
    await begun;
    await worker("second", async () => result("second"));
    await drainWorkers(server.connection, queueNameOf(), ["first"], { handBackSeconds: 0 });
    expect(await end).toMatchObject({ result: { worker: "second" }, spent: [{ costUsd: 1 }] });
    expect(said.join("\n")).toContain("Running ones are handed back after 0 s.");
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
    while (Number(await jobField(1, "stc")) < 2) {
      await server.connection.del(`bull:fleet1-default:${idOf(1)}:lock`);
      await Bun.sleep(50);
    }
    open();
    expect(await end).toMatchObject({ result: { worker: "one" } });
    expect(runs).toBe(1);
  }, 120_000);

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
  }, 120_000);

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
  }, 120_000);

  test("counts what a run has cost whose result came too late", async () => {
    await worker("one", async ({ id }) => {
      await server.connection.set(`led:{${id}}:done`, sealed(id, ended("other"), key));
      return { kind: "result", result: ended("one", 0.5) };
    });
    expect(await submit(1)).toMatchObject({ result: { worker: "other" } });
    const spent = () => server.connection.hgetall(`led:{${idOf(1)}}:spent`);
    await until(async () => Object.keys(await spent()).length > 0, "it has said what it cost");
    const [[runId, text] = ["", ""]] = Object.entries(await spent());
    expect(unsealed(spendingOf(idOf(1), runId), text, key)).toMatchObject({ costUsd: 0.5 });
  });

  test("gives each run of a job names of its own for what it stores", async () => {
    const names: string[] = [];
    const message = "x".repeat(200_000);
    await worker("one", async (run) => {
      names.push(run.blobs);
      if (names.length === 1) return { kind: "handed-back" };
      return { kind: "result", result: { kind: "refused", worker: "one", message } };
    });
    const end = await submit(1);
    expect(end).toMatchObject({ result: { message } });
    const text = String(await server.connection.get(`led:{${idOf(1)}}:done`));
    const stored = unsealed(idOf(1), text, key);
    // Where the first run had stored its own, a late one would have replaced it.
    expect(stored).toMatchObject({ kind: "blob", ref: { name: `${names[1]}/result` } });
    expect(names[0]).not.toBe(names[1]);
  });

  test("rests after three jobs in a row that could not be begun, and others run them", async () => {
    const failure = { because: "The files cannot be had.", isOfWorker: true };
    await worker("broken", async () => ({ kind: "handed-back", failure }), 3);
    const ends = [1, 2, 3].map((number) => submit(number));
    await isSaid("The last 3 tasks could not be begun here: The files cannot be had.");
    await worker("good", async () => result("good"));
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ result: { worker: "good" } });
  }, 120_000);

  test("gives a job up that fails again and again once it has failed on as many workers as there are, or on three", async () => {
    const { connection } = server;
    const beats = workersKeyOf(queueNameOf());
    const other = { name: "other", version: "1", slots: 1, running: [], at: Date.now() };
    const seen = new Map<string, boolean>();
    const failed = (number: number, on: readonly string[], failures = 4) =>
      connection.hset(`led:{${idOf(number)}}:run`, {
        failures,
        ...Object.fromEntries(on.map((name) => [`failed:${name}`, 1])),
      });
    await connection.hset(beats, "other", JSON.stringify(other));
    await failed(1, ["one"]);
    await failed(2, ["other"]);
    await failed(3, ["two", "three"]);
    await failed(4, ["other"], 3);
    await worker("one", async ({ id, isLast }) => {
      seen.set(id, isLast);
      return result("one");
    });
    await Promise.all([1, 2, 3, 4].map((number) => submit(number)));
    // The other one may be able to run the first. The last one has not failed often enough.
    expect([1, 2, 3, 4].map((number) => seen.get(idOf(number)))).toEqual([false, true, true, false]);
    await connection.hdel(beats, "other");
    await failed(5, ["one"]);
    await submit(5);
    expect(seen.get(idOf(5))).toBe(true);
  });

  test("ends what is cancelled although the worker that has taken it is gone", async () => {
    // It keeps its lock, and no lease: as one that was killed keeps it for a minute.
    const connection = redisOptions(fleet());
    const taken = Promise.withResolvers<void>();
    const hangs = new Worker(
      queueNameOf(),
      async () => {
        taken.resolve();
        await Promise.withResolvers<void>().promise;
      },
      { connection, lockDuration: 60_000, skipStalledCheck: true },
    );
    const end = submit(1);
    await taken.promise;
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ result: { kind: "stopped" } });
    await hangs.close(true);
  }, 120_000);

  test("can be used again once what it holds can be read again", async () => {
    const { connection } = server;
    const end = submit(1);
    await until(async () => (await jobField(1, "name")) !== null, "it is in the queue");
    await connection.acl("SETUSER", "default", "-get");
    await eventually(
      () => submitter.trouble?.includes("does not allow the user") === true,
      () => String(submitter.trouble),
    );
    await connection.acl("SETUSER", "default", "+get");
    await eventually(
      () => submitter.trouble === undefined,
      () => String(submitter.trouble),
    );
    await worker("one", async () => result("one"));
    expect(await end).toMatchObject({ result: { worker: "one" } });
  }, 120_000);

  test("ends a cancelled job whose result cannot be read, because the blob store is away", async () => {
    const ref = await store.put("b/result", new TextEncoder().encode("{}"));
    await server.connection.set(`led:{${idOf(1)}}:done`, sealed(idOf(1), { kind: "blob", ref }, key));
    renameSync(blobs, `${blobs}-away`);
    const end = submit(1, true);
    await isSaid("cannot be read");
    await submitter.cancel(idOf(1));
    renameSync(`${blobs}-away`, blobs);
    expect(await end).toMatchObject({ result: { kind: "stopped" }, spent: [{ costUsd: 0, atLeast: true }] });
  }, 120_000);

  test("lets go of a job whose end is known, and nobody runs it again", async () => {
    await worker("one", async () => result("one"));
    await submit(1);
    submitter.forget(idOf(1));
    const { connection } = server;
    const isForgotten = async () => (await connection.exists(`led:{${idOf(1)}}:stop`)) === 1;
    await until(isForgotten, "it is forgotten");
    expect(await connection.pttl(`led:{${idOf(1)}}:done`)).toBeWithin(1, 600_001);
    // When even that is gone, a worker that was cut off for long ends its run.
    await connection.del(`led:{${idOf(1)}}:done`);
    const ledger = new Ledger({ redis: connection, leaseMs: 3_000 });
    expect(await ledger.renew(idOf(1), "late")).toBe("stopped");
    expect(await ledger.claim(idOf(1), "late")).toEqual({ kind: "stopped" });
  });

  test("says that more was spent than is known if a worker was lost before its job was cancelled", async () => {
    await server.connection.hset(`led:{${idOf(1)}}:run`, { starts: 1 });
    const end = submit(1);
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ result: { kind: "stopped" }, spent: [{ costUsd: 0, atLeast: true }] });
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
      spent: [{ costUsd: 0, atLeast: true }],
    });
    expect(runs).toBe(0);
  });

  test("counts runs that failed before their sessions, with their workers, and no others", async () => {
    let runs = 0;
    const failure = { because: "It is away.", isOfWorker: true };
    await worker("one", async () => {
      if (++runs > 2) return result("one");
      return runs === 1 ? { kind: "handed-back" } : { kind: "handed-back", failure };
    });
    await submit(1);
    const counted = await server.connection.hgetall(`led:{${idOf(1)}}:run`);
    expect(counted).toMatchObject({ starts: "3", failures: "1", "failed:one": "1" });
  });

  test("counts no failure for an outage, so that nothing is refused for it, however long it lasts", async () => {
    const failure = { because: "The blob store is away.", isOfWorker: true, isOutage: true };
    await worker("one", async () => ({ kind: "handed-back", failure }));
    const end = submit(1);
    await until(
      async () => (await server.connection.zscore("bull:fleet1-default:delayed", idOf(1))) !== null,
      "it was handed back",
    );
    expect(await server.connection.hget(`led:{${idOf(1)}}:run`, "failures")).toBe(null);
    await submitter.cancel(idOf(1));
    expect(await end).toMatchObject({ result: { kind: "stopped" } });
  });

  test("counts what a job had cost that was handed back and then cancelled", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    await worker("one", async () => {
      resolve();
      return { kind: "handed-back", usage: usage(0.25), afterMs: 600_000 };
    });
    const end = submit(1);
    await begun;
    const isDelayed = async () =>
      (await server.connection.zscore("bull:fleet1-default:delayed", idOf(1))) !== null;
    await until(isDelayed, "it was handed back");
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
  }, 120_000);

  test("sees workers beside one that says nothing readable", async () => {
    await server.connection.hset(workersKeyOf("fleet1-default"), "odd", "no JSON");
    await worker("one", async () => result("one"));
    await eventually(
      () => submitter.workers.some(({ name }) => name === "one"),
      () => said.join("\n"),
    );
    expect(submitter.trouble).toBeUndefined();
    expect(submitter.isLimited).toBe(false);
    await server.connection.set("bull:fleet1-default:limiter", 1, "PX", 60_000);
    await eventually(
      () => submitter.isLimited,
      () => "no limit is seen",
    );
  });

  test("ends a worker whose server is away, once it waits for nothing more", async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const one = await worker("one", async (run) => {
      resolve();
      await untilAborted(run);
      return { kind: "handed-back", usage: usage(1) };
    });
    const end = submit(1);
    end.catch(() => undefined);
    await begun;
    // Only now: of two that wait, either gets the job.
    const idle = await worker("idle", async () => result("idle"), 1);
    workers.length = 0;
    await server.kill();
    const again = new AbortController();
    const drained = one.drain(600_000, again.signal);
    expect(await idle.drain(600_000, new AbortController().signal)).toBe(false);
    again.abort();
    expect(await drained).toBe(false);
    await server.start();
  }, 120_000);

  test("ends a worker that has nothing left to do, although its driver waits for ever", async () => {
    // After packets were dropped silently, as a machine with another address sees it.
    using _close = spyOn(Worker.prototype, "close").mockReturnValue(new Promise(() => undefined));
    const idle = await worker("idle", async () => result("idle"), 1);
    workers.length = 0;
    expect(await idle.drain(600_000, new AbortController().signal)).toBe(false);
    expect(said.filter((text) => text.includes("Ends"))).toEqual([]);
  }, 120_000);

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
    await until(
      async () => (await stalls()).every((count) => Number(count) > 0),
      "the queue takes all for lost",
    );
    open();
    const all = await Promise.all(ends);
    expect(all.map((end) => end.kind)).toEqual(["result", "result", "result", "result"]);
    expect(runs).toBe(4);
  }, 120_000);

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
  }, 120_000);

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
  }, 120_000);
});
