// One batch against a simulated API, and what came of it.
import { z } from "zod";
import { eventBody } from "../../src/model/event.ts";
import type { FailureReason } from "../../src/model/outcome.ts";
import { type Call, SimulatedApi } from "../../test/fixtures/simulated-api.ts";
import { connectNew, eventually, Home } from "../../test/harness.ts";
import { callsOf, type LimitsProfile, retryScale, serviceMs } from "./limits-profiles.ts";

/** What a batch came to. */
export interface LimitsRun {
  tasksPerSecond: number;
  attempts: number;
  /** Attempts that ended because the API refused. */
  wasted: number;
  /** Tasks that did not succeed. */
  failed: number;
  throttledCalls: number;
  mostRunning: number;
  trace: Second[];
}

/** One second of a batch. */
export interface Second {
  /** Most sessions at once within it. */
  running: number;
  served: number;
  throttled: number;
}

const limits: readonly FailureReason[] = ["rate-limit", "overloaded", "usage-limit"];
const patienceMs = 300_000;

/** Runs the profile's tasks, at most so many at once: a number, or `auto`. */
export async function runLimits(profile: LimitsProfile, concurrency: string): Promise<LimitsRun> {
  using api = new SimulatedApi({ profile: profile.phases, serviceMs });
  await using home = new Home({
    PARALLEL_CLAUDE_CONCURRENCY: concurrency,
    // As it is for users.
    PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "10",
    ...api.environment(retryScale),
  });
  await using client = await connectNew(home);
  const answer = await client.call("spawn_parallel_claude_sessions", {
    tasks: Array.from({ length: profile.tasks }, (_, task) => `Task ${task}. [[api calls=${callsOf(task)}]]`),
    asyncMode: true,
  });
  using store = home.store();
  const batchId = store.list()[0]?.batchId;
  if (answer.isError || batchId === undefined) throw new Error(`The batch did not begin: ${answer.text}`);
  await eventually(
    () => store.row(batchId)?.endedAt !== undefined,
    () => `batch ${batchId} has not ended: ${JSON.stringify(store.row(batchId)?.counts)}`,
    patienceMs,
  );
  const row = z.object({ at: z.number(), body: z.string() });
  const events = store.database
    .query<unknown, [string]>("SELECT at, body FROM events WHERE batch_id = ? ORDER BY sequence")
    .all(batchId)
    .map((line) => row.parse(line))
    .map(({ at, body }) => ({ at, ...eventBody.parse(JSON.parse(body)) }));
  await client.close();
  await home.empty();
  return accountOf(events, api.calls, profile.tasks);
}

type TimedEvent = z.output<typeof eventBody> & { at: number };

function accountOf(events: TimedEvent[], calls: readonly Call[], tasks: number): LimitsRun {
  const starts = events.filter((event) => event.type === "attempt-started");
  const ends = events.filter((event) => event.type === "attempt-ended");
  const succeeded = ends.filter(({ outcome }) => outcome.kind === "succeeded").length;
  const wasted = ends.filter(({ outcome }) => outcome.kind === "failed" && limits.includes(outcome.reason));
  const odd = ends.find((end) => end.outcome.kind !== "succeeded" && !wasted.includes(end));
  if (odd) throw new Error(`Task ${odd.task} ended otherwise: ${JSON.stringify(odd.outcome)}`);
  const beganAt = starts[0]?.at ?? 0;
  const endedAt = ends.at(-1)?.at ?? beganAt;
  const trace = traceOf(events, calls, { beganAt, endedAt });
  return {
    tasksPerSecond: (succeeded * 1000) / (endedAt - beganAt),
    attempts: starts.length,
    wasted: wasted.length,
    failed: tasks - succeeded,
    throttledCalls: calls.filter(({ answered }) => answered === "throttled").length,
    mostRunning: Math.max(0, ...trace.map(({ running }) => running)),
    trace,
  };
}

function traceOf(
  events: readonly TimedEvent[],
  calls: readonly Call[],
  { beganAt, endedAt }: { beganAt: number; endedAt: number },
): Second[] {
  const secondOf = (at: number) => Math.floor((at - beganAt) / 1000);
  const seconds: Second[] = Array.from({ length: secondOf(endedAt) + 1 }, () => ({
    running: 0,
    served: 0,
    throttled: 0,
  }));
  for (const { at, answered } of calls) {
    const second = seconds[Math.max(0, secondOf(at))];
    if (second && answered === "served") second.served++;
    if (second && answered === "throttled") second.throttled++;
  }
  let running = 0;
  let next = 0;
  for (const [number, second] of seconds.entries()) {
    second.running = running;
    for (let event = events[next]; event && secondOf(event.at) <= number; event = events[++next]) {
      if (event.type === "attempt-started") running++;
      if (event.type === "attempt-ended") running--;
      second.running = Math.max(second.running, running);
    }
  }
  return seconds;
}
