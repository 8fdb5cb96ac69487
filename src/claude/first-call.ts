// What sharing the cache of the API saved a session, from its own usage.
import type { FirstCallUsage, ModelUsage } from "../model/outcome.ts";
import type { Reading } from "./reading.ts";

/**
 * Prices of tokens as multiples of the price of a plain input token. They are the same for all models, so the price itself
 * follows from what a session cost: no list of prices gets old here.
 */
const multiples = { read: 0.1, written: 1.25, writtenForLong: 2, output: 5 };

/** Undefined if the session was not answered. `models`: what it used in all, by model. */
export function firstCallOf(
  { firstCall, init }: Pick<Reading, "firstCall" | "init">,
  models: Record<string, ModelUsage> = {},
): FirstCallUsage | undefined {
  if (!firstCall) return undefined;
  const { cacheRead, cacheWritten, isLong } = firstCall;
  const used = models[init?.model ?? ""] ?? onlyOne(models);
  const written = isLong ? multiples.writtenForLong : multiples.written;
  const priceUsd = used && inputPriceUsd(used, written);
  return {
    cacheRead,
    cacheWritten,
    ...(priceUsd === undefined ? {} : { savedUsd: cacheRead * (written - multiples.read) * priceUsd }),
  };
}

function onlyOne(models: Record<string, ModelUsage>): ModelUsage | undefined {
  const all = Object.values(models);
  return all.length === 1 ? all[0] : undefined;
}

// Of one token.
function inputPriceUsd(
  { input, output, cacheRead, cacheWritten, costUsd }: ModelUsage,
  written: number,
): number | undefined {
  const tokens = input + output * multiples.output + cacheRead * multiples.read + cacheWritten * written;
  return costUsd === undefined || tokens === 0 ? undefined : costUsd / tokens;
}
