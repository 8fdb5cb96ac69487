// A short visit to a fleet's server: one connection that is given up at the first trouble.
import type { Redis } from "ioredis";
import { type RedisPlace, redisOptions, redisTroubleText } from "./connection.ts";

/** How long the server may take for one answer, in milliseconds. */
const answerMs = 10_000;

/** Why a visit failed, as a sentence without its end. */
export class VisitFailed extends Error {}

/** Calls `look` with a connection. Throws `VisitFailed` if there is none, or if it breaks meanwhile. */
export async function visit<Seen>(place: RedisPlace, look: (redis: Redis) => Promise<Seen>): Promise<Seen> {
  const { Redis: Connection } = await import("ioredis");
  const redis = new Connection({
    ...redisOptions(place),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    commandTimeout: answerMs,
  });
  let first: unknown;
  redis.on("error", (error) => {
    first ??= error;
  });
  try {
    await redis.connect();
    return await look(redis);
  } catch (error) {
    throw new VisitFailed(redisTroubleText(first ?? error, place.url), { cause: error });
  } finally {
    redis.disconnect();
  }
}

/** Tries once. Undefined if the server lets us in; otherwise why not, in words. */
export async function whyUnreachable(place: RedisPlace): Promise<string | undefined> {
  try {
    await visit(place, (redis) => redis.ping());
    return undefined;
  } catch (error) {
    if (error instanceof VisitFailed) return error.message;
    throw error;
  }
}
