// What a fleet is doing, read from its server without changing anything there.
import type { Redis } from "ioredis";
import { drainedIn } from "./drains.ts";
import { jobProgress } from "./job.ts";
import { queueNameOf, workersKeyOf } from "./queue-names.ts";
import { beatEveryMs, readBeat, type WorkerBeat } from "./worker-beat.ts";

/** A worker, as it last spoke of itself. */
export interface SeenWorker extends WorkerBeat {
  /** How long ago that was, in milliseconds; less than zero if its clock is ahead of the server's. */
  silentMs: number;
  /** Whether it should have spoken since. */
  isSilent: boolean;
}

/** A job that a worker has taken. */
export interface SeenJob {
  id: string;
  /** The worker that has it; absent if none says so at present. */
  worker?: string;
  activity?: string;
  /** How long it has been running, in milliseconds. */
  runningMs?: number;
}

export interface QueueOverview {
  queue: string;
  counts: {
    waiting: number;
    /** Waits for a time: to be tried again, or for a lease to end. */
    delayed: number;
    running: number;
    /** In the last minute. */
    endedLastMinute: number;
  };
  /** How long no job is given out, because the account has reached a limit, in milliseconds. */
  limitedForMs?: number;
  workers: SeenWorker[];
  /** The names of those that are out of service, whether they are there or not. */
  drained: string[];
  /** At most `mostJobs`. */
  jobs: SeenJob[];
}

/** The most jobs that are listed of one queue. */
export const mostJobs = 200;

/** After how long a worker counts as silent, in milliseconds. */
export const silentAfterMs = 6 * beatEveryMs;

/** Every queue of the fleet that has, or had, a worker or a job. */
export async function overviewOf(redis: Redis): Promise<QueueOverview[]> {
  const names = await queuesIn(redis);
  return await Promise.all(names.map((name) => overviewOfQueue(redis, name)));
}

/** The server's clock, in milliseconds since 1970, corrected by half of the time that the question took. */
export async function serverTime(redis: Redis): Promise<{ at: number; aheadMs: number }> {
  const before = performance.now();
  const [seconds, microseconds] = await redis.time();
  const halfMs = (performance.now() - before) / 2;
  const at = Number(seconds) * 1_000 + Number(microseconds) / 1_000 + halfMs;
  return { at, aheadMs: at - Date.now() };
}

async function queuesIn(redis: Redis): Promise<string[]> {
  const names = new Set([queueNameOf()]);
  const start = workersKeyOf("");
  for (let cursor = "0"; ; ) {
    const [next, keys] = await redis.scan(cursor, "MATCH", `${start}*`, "COUNT", 1_000);
    for (const key of keys) names.add(key.slice(start.length));
    if (next === "0") return [...names].sort();
    cursor = next;
  }
}

async function overviewOfQueue(redis: Redis, name: string): Promise<QueueOverview> {
  const { Queue } = await import("./bullmq.ts");
  // Otherwise looking would write: the queue's own settings.
  const queue = new Queue(name, { connection: redis, skipMetasUpdate: true, skipVersionCheck: true });
  queue.on("error", () => undefined);
  try {
    const { at } = await serverTime(redis);
    const key = (part: string) => queue.toKey(part);
    const minute = at - 60_000;
    const [counts, completed, failed, limitedForMs, fields, active, drained] = await Promise.all([
      queue.getJobCounts("wait", "prioritized", "delayed", "active"),
      redis.zcount(key("completed"), minute, "+inf"),
      redis.zcount(key("failed"), minute, "+inf"),
      queue.getRateLimitTtl(),
      redis.hgetall(workersKeyOf(name)),
      queue.getActive(0, mostJobs - 1),
      drainedIn(redis, name),
    ]);
    const workers = workersIn(fields, at);
    const { wait = 0, prioritized = 0, delayed = 0, active: running = 0 } = counts;
    return {
      queue: name,
      counts: {
        waiting: wait + prioritized,
        delayed,
        running,
        endedLastMinute: completed + failed,
      },
      ...(limitedForMs > 0 ? { limitedForMs } : {}),
      workers,
      drained,
      jobs: active.map(({ id = "", processedOn, progress }) => {
        const owner = workers.find(({ running }) => running.some((one) => one.id === id));
        const said = jobProgress.safeParse(progress).data;
        const activity = owner?.running.find((one) => one.id === id)?.activity ?? said?.activity;
        const worker = owner?.name ?? said?.worker;
        return {
          id,
          ...(worker === undefined ? {} : { worker }),
          ...(activity === undefined ? {} : { activity }),
          ...(processedOn === undefined ? {} : { runningMs: Math.max(0, at - processedOn) }),
        };
      }),
    };
  } finally {
    // The connection is the visitor's.
    await queue.close();
  }
}

function workersIn(fields: Record<string, string>, now: number): SeenWorker[] {
  const all = Object.values(fields).flatMap((text) => {
    const beat = readBeat(text);
    if (!beat) return [];
    const silentMs = now - beat.at;
    return [{ ...beat, silentMs, isSilent: silentMs > silentAfterMs }];
  });
  // One that was killed may have begun again: two machines of one name are seen as two only while they live.
  return all
    .filter(
      (one) =>
        !one.isSilent || !all.some((other) => other.name === one.name && other.silentMs < one.silentMs),
    )
    .sort((one, other) => one.name.localeCompare(other.name));
}
