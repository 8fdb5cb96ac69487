// What a session used.
import type { Spent, Usage } from "../model/outcome.ts";
import type { GivenOptions } from "./call-context.ts";
import { denialsOf } from "./denials.ts";
import { answersOf, isCutOff, type Reading } from "./reading.ts";
import { spentOf } from "./spending.ts";

/**
 * What the session used, from its results. `before`: what the conversation that it continued had cost. With `atLeast` it
 * has spent more, because a turn or an agent was cut off. `given` decided what was denied.
 */
export function usageOf(
  reading: Reading,
  durationMs: number,
  before?: Spent,
  given: GivenOptions = {},
): Usage {
  const { init, refusals, spending } = reading;
  const results = answersOf(reading).map(({ result }) => result);
  const denials = denialsOf({ results, init, refusals }, given);
  const spent = spentOf(spending, { before, isWhole: reading.lostResults === 0 });
  const models = spent?.models ?? {};
  return {
    costUsd: spent?.costUsd ?? 0,
    ...(init && (isCutOff(reading) || !spent) ? { atLeast: true } : {}),
    numTurns: results.reduce((sum, { num_turns }) => sum + num_turns, 0),
    durationMs,
    ...(Object.keys(models).length > 0 ? { models } : {}),
    ...(init?.apiKeySource === undefined ? {} : { apiKeySource: init.apiKeySource }),
    ...(denials.length > 0 ? { denials } : {}),
  };
}
