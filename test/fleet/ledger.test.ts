import { afterAll, beforeAll, expect, test } from "bun:test";
import { Ledger } from "../../src/fleet/ledger.ts";
import { describeNeeding } from "../facilities.ts";
import { OwnRedis } from "../own-redis.ts";

describeNeeding("redis")("the ledger of a fleet", () => {
  let server: OwnRedis;
  let ledger: Ledger;
  let count = 0;
  const newId = () => `b-${++count}-1`;
  const after = (id: string) => server.connection.del(`led:{${id}}`);
  /** Turns the time back at which the lease was seen to be missing. */
  const longAgo = (id: string) => server.connection.hset(`led:{${id}}:run`, "since", Date.now() - 60_000);

  beforeAll(async () => {
    server = await OwnRedis.start();
    ledger = new Ledger({ redis: server.connection, leaseMs: 30_000 });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("gives a job to the first worker that asks, and the others wait for its lease", async () => {
    const id = newId();
    const first = { kind: "run" as const, starts: 1, lost: 0, failures: 0, failedOn: [] };
    expect(await ledger.claim(id, "one")).toEqual(first);
    // The driver asks again after a broken connection.
    expect(await ledger.claim(id, "one")).toEqual(first);
    const other = await ledger.claim(id, "other");
    expect(other.kind).toBe("held");
    if (other.kind === "held") expect(other.forMs).toBeWithin(1, 30_001);
  });

  test("gives a worker that was cut off one lease to come back before another one begins", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await after(id);
    expect(await ledger.claim(id, "other")).toMatchObject({ kind: "grace" });
    // It was only cut off.
    expect(await ledger.renew(id, "one")).toBe("kept");
    expect(await ledger.claim(id, "other")).toMatchObject({ kind: "held" });
    await after(id);
    // Since then, so the whole time again.
    const again = await ledger.claim(id, "other");
    expect(again.kind).toBe("grace");
    if (again.kind === "grace") expect(again.forMs).toBeGreaterThan(29_000);
  });

  test("gives the job of a worker that stays away to another one, and says so when it is back", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await after(id);
    await ledger.claim(id, "other");
    await longAgo(id);
    expect(await ledger.claim(id, "other")).toMatchObject({ kind: "run", starts: 2, lost: 1, failures: 0 });
    expect(await ledger.renew(id, "one")).toBe("lost");
    expect(await ledger.renew(id, "other")).toBe("kept");
  });

  test("keeps the first result, and no stale run takes the lease from the next one", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await after(id);
    await ledger.claim(id, "other");
    await longAgo(id);
    await ledger.claim(id, "other");
    expect(await ledger.finish(id, "one", "first")).toBe("first");
    expect(await server.connection.get(`led:{${id}}`)).toBe("other");
    expect(await ledger.renew(id, "other")).toBe("lost");
    expect(await ledger.finish(id, "other", "second")).toBe("first");
    expect(await ledger.claim(id, "third")).toEqual({ kind: "done", result: "first" });
    // What the other one has cost is not known yet.
    expect(await ledger.ended(id)).toEqual({ result: "first", spent: [["one", ""]], lost: 1, isHeld: false });
  });

  test("counts nothing beside the result of a run whose worker has not heard that it is stored", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await ledger.finish(id, "one", "its result, and what it cost");
    // Its answer was lost, and the task was cancelled meanwhile.
    expect(await ledger.finish(id, "one", "stopped")).toBe("its result, and what it cost");
    await ledger.release(id, "one", { spent: "0.5" });
    expect((await ledger.ended(id)).spent).toEqual([["one", ""]]);
  });

  test("lets another worker begin at once what was handed back, and remembers what that had cost", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await ledger.release(id, "one", { spent: "0.5" });
    expect(await ledger.claim(id, "other")).toMatchObject({ kind: "run", starts: 2, lost: 0, failures: 0 });
    // Said again, it is the same.
    await ledger.release(id, "one", { spent: "0.5" });
    await ledger.release(id, "one");
    expect(await ledger.renew(id, "other")).toBe("kept");
    expect(await ledger.ended(id)).toEqual({
      result: undefined,
      spent: [["one", "0.5"]],
      lost: 1,
      isHeld: true,
    });
  });

  test("counts runs that failed before their sessions, and no others", async () => {
    const id = newId();
    for (const failedOn of ["box 1", undefined, "box/2"]) {
      const runId = crypto.randomUUID();
      await ledger.claim(id, runId);
      await ledger.release(id, runId, { failedOn });
      await ledger.release(id, runId, { failedOn });
    }
    const claim = await ledger.claim(id, "last");
    expect(claim).toMatchObject({ kind: "run", starts: 4, lost: 0, failures: 2 });
    expect(claim.kind === "run" && claim.failedOn.toSorted()).toEqual(["box 1", "box/2"]);
  });

  test("stops who runs a cancelled job, and nobody begins one", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await ledger.stop(id);
    expect(await ledger.renew(id, "one")).toBe("stopped");
    expect(await ledger.claim(id, "other")).toEqual({ kind: "stopped" });
    const waiting = newId();
    await ledger.stop(waiting);
    expect(await ledger.claim(waiting, "one")).toEqual({ kind: "stopped" });
  });

  test("keeps nothing for ever", async () => {
    const id = newId();
    await ledger.claim(id, "one");
    await ledger.release(id, "one", { spent: "1" });
    await ledger.claim(id, "one");
    await ledger.stop(id);
    await ledger.finish(id, "one", "result");
    const keys = await server.connection.keys(`led:{${id}}*`);
    expect(keys.length).toBe(4);
    for (const key of keys) expect(await server.connection.pttl(key)).toBeGreaterThan(0);
  });
});
