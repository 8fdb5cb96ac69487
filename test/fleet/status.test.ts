// `fleet status`: what the machines of a fleet do, and why nothing starts, without changing anything there.
import { expect, test } from "bun:test";
import { Queue, Worker } from "../../src/fleet/bullmq.ts";
import { redisOptions } from "../../src/fleet/connection.ts";
import { drainWorkers } from "../../src/fleet/drains.ts";
import { jobName, queueNameOf, workersKeyOf } from "../../src/fleet/queue-names.ts";
import { describeNeeding } from "../facilities.ts";
import { eventually, run } from "../harness.ts";
import { OwnFleet } from "./own-fleet.ts";

const name = queueNameOf();

function beat(more: Record<string, unknown>): string {
  return JSON.stringify({ version: "1.2.3", slots: 4, running: [], at: Date.now(), ...more });
}

describeNeeding("redis")("fleet status", () => {
  test("shows workers, what they run, what waits, and a limit of the account", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    const connection = redisOptions({ url: redis.url });
    await using queue = closing(new Queue(name, { connection }));
    const held = Promise.withResolvers<string>();
    const took: string[] = [];
    const worker = new Worker(
      name,
      async ({ id = "" }) => {
        took.push(id);
        return id === "b4k2-1-1" ? await held.promise : "";
      },
      { connection, concurrency: 1 },
    );
    await using _worker = closing({ close: () => worker.close(true) });
    const add = (id: string, delay = 0) => queue.value.add(jobName, {}, { jobId: id, delay });
    await add("b4k2-2-1");
    await add("b4k2-1-1");
    await eventually(
      () => took.length === 2,
      () => `took ${took}`,
    );
    await add("b4k2-3-1");
    await add("b4k2-4-1");
    await add("b4k2-5-1", 60_000);
    await queue.value.rateLimit(90_000);
    await redis.connection.hset(workersKeyOf(name), {
      "box-1": beat({
        name: "box-1",
        ended: 12,
        running: [{ id: "b4k2-1-1", activity: "Reads src/main.ts" }],
      }),
      "box-2": beat({ name: "box-2", held: "Claude is not logged in." }),
      "box-3": beat({ name: "box-3", at: Date.now() - 120_000 }),
      // Killed and started again.
      "box-3/1": beat({ name: "box-3", at: Date.now() - 180_000 }),
      "box-1/1": beat({ name: "box-1", at: Date.now() - 180_000 }),
      "box-4": beat({ name: "box-4", isDraining: true }),
      "box-6": beat({ name: "box-6", isDraining: true, isDrained: true }),
      "box-5": beat({ name: "box-5\u001b[31m" }),
    });
    await drainWorkers(redis.connection, name, ["box-6", "box-7"], {});
    const before = await redis.connection.dbsize();
    const { code, out } = await run(home, ["fleet", "status", "team"]);
    const lines = out.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines[0]).toBe(
      "Fleet team: 1 task runs, 2 waiting, 1 to be tried again later, 1 ended in the last minute.",
    );
    expect(lines[1]).toMatch(
      /^The account has reached a limit: no task starts for (?:1 min(?: \d+ s)?|\d+ s)\.$/,
    );
    expect(lines.slice(2, 10).map((line) => line.replace(/ +/g, " "))).toEqual([
      "WORKER STATE TASKS LAST HOUR VERSION",
      "box-1 working 1/4 12 1.2.3",
      // Of another version.
      "box-2 held 0/4 – 1.2.3 Claude is not logged in.",
      "box-3 silent 0/4 – 1.2.3 for 2 min",
      "box-4 draining 0/4 – 1.2.3",
      expect.stringMatching(/^box-5\S* idle 0\/4 – 1\.2\.3$/),
      "box-6 drained 0/4 – 1.2.3",
      "Out of service, and not there: box-7.",
    ]);
    expect(out).not.toContain("\u001b");
    expect(lines.at(-1)).toMatch(/^b4k2-1-1 +box-1 +\S.* +Reads src\/main\.ts$/);
    const json = JSON.parse((await run(home, ["fleet", "status", "--json"])).out);
    expect(json).toMatchObject({
      unreachable: [],
      queues: [
        {
          fleet: "team",
          waiting: 2,
          delayed: 1,
          running: 1,
          tasks: [{ id: "b4k2-1-1", worker: "box-1", activity: "Reads src/main.ts" }],
        },
      ],
    });
    expect(await redis.connection.dbsize()).toBe(before);
    held.resolve("");
  });

  test("takes a worker out of service, and puts it into service again", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    const worker = await fleet.worker("box-1");
    const asked = async (...words: string[]) => await run(home, ["fleet", ...words]);
    const { code, out } = await asked("drain", "team", "box-1", "--drain-seconds", "600");
    expect(code).toBe(0);
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "box-1 takes no more tasks, until `parallel-claude-code-mcp fleet resume`. Running tasks are handed back after 600 seconds.",
    );
    await worker.says("Takes no more tasks");
    const beats = async () => Object.values(await redis.connection.hgetall(workersKeyOf(name)));
    await eventually(
      async () => (await beats()).some((text) => text.includes('"isDrained":true')),
      () => "it does not say so",
    );
    expect((await asked("status")).out).toMatch(/box-1 +drained/);
    const wrong = await asked("drain", "team", "box-2");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('has no worker "box-2". There is box-1.');
    expect((await asked("drain")).err).toContain("Say which fleet");
    // Without a name, all of them.
    expect((await asked("resume", "team")).out).toContain("box-1 takes tasks again.");
    await worker.says("Takes tasks again.");
  });

  test("of a fleet that was never used says that no worker is there, and leaves no key", async () => {
    await using fleet = await OwnFleet.create();
    const { code, out } = await run(fleet.home, ["fleet", "status"]);
    expect({ code, out }).toEqual({
      code: 0,
      out: "Fleet team: 0 tasks run, 0 waiting, 0 ended in the last minute.\nNo worker is there.\n",
    });
    expect(await fleet.redis.connection.dbsize()).toBe(0);
  });

  test("of a server that is away says so, and names the command that checks everything", async () => {
    await using fleet = await OwnFleet.create();
    await fleet.redis.kill();
    const { code, err } = await run(fleet.home, ["fleet", "status", "team"]);
    expect(code).toBe(2);
    expect(err).toMatch(/Redis at redis:\/\/127\.0\.0\.1:\d+ does not answer: nothing listens there/);
    expect(err).toContain("`doctor --fleet team` checks everything.");
  });

  test("of a fleet that is not configured, or with another word, says what to write", async () => {
    await using fleet = await OwnFleet.create();
    expect((await run(fleet.home, ["fleet", "status", "other"])).err).toContain('There is no fleet "other"');
    const { code, err } = await run(fleet.home, ["fleet", "start"]);
    expect(code).toBe(2);
    expect(err).toContain("status");
  });
});

function closing<Closed extends { close(): Promise<unknown> }>(value: Closed) {
  return { value, [Symbol.asyncDispose]: async () => void (await value.close()) };
}
