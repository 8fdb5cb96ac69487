// Workers that somebody has taken out of service: they take no jobs until that is taken back, also after a restart.
import type { Redis } from "ioredis";
import { z } from "zod";
import { drainsKeyOf } from "./queue-names.ts";

const drain = z.object({
  /** Differs for each time that somebody says it. */
  id: z.string(),
  /** After how many seconds running jobs are handed back; absent: they end by themselves. */
  handBackSeconds: z.number().nonnegative().optional(),
});
export type Drain = z.infer<typeof drain>;

/** Takes the workers with these names out of service. */
export async function drainWorkers(
  redis: Redis,
  queue: string,
  names: readonly string[],
  { handBackSeconds }: Omit<Drain, "id">,
): Promise<void> {
  const id = crypto.randomUUID();
  const text = JSON.stringify({ id, handBackSeconds } satisfies Drain);
  await redis.hset(drainsKeyOf(queue), Object.fromEntries(names.map((name) => [name, text])));
}

/** Puts them into service again. */
export async function resumeWorkers(redis: Redis, queue: string, names: readonly string[]): Promise<void> {
  if (names.length > 0) await redis.hdel(drainsKeyOf(queue), ...names);
}

/** The names of those that are out of service, also if they are not there. */
export async function drainedIn(redis: Redis, queue: string): Promise<string[]> {
  return await redis.hkeys(drainsKeyOf(queue));
}

/** What somebody has said of one; undefined if it is in service. */
export async function drainOf(redis: Redis, queue: string, name: string): Promise<Drain | undefined> {
  const text = await redis.hget(drainsKeyOf(queue), name);
  if (text === null) return undefined;
  try {
    return drain.parse(JSON.parse(text));
  } catch {
    // Another version has written more: what is certain is that no jobs are wanted.
    return { id: text };
  }
}
