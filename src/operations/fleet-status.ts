// What the machines of a fleet run, what waits, and why.
import type { Redis } from "ioredis";
import { z } from "zod";
import { overviewOf, type QueueOverview } from "../fleet/overview.ts";
import { readFleet, redisPlaceOf } from "../fleet/settings.ts";
import { VisitFailed, visit } from "../fleet/visit.ts";
import type { FleetSettings } from "../model/fleet.ts";

const worker = z.object({
  name: z.string(),
  version: z.string(),
  slots: z.int(),
  running: z.int(),
  state: z.enum(["working", "idle", "held", "draining", "drained", "silent"]).meta({
    description:
      "`draining`: it takes no more tasks, and runs the last ones; `drained`: it is out of service; `silent`: it has not spoken for half a minute.",
  }),
  endedLastHour: z.int().optional().meta({ description: "Absent if an older version does not say it." }),
  heldBecause: z.string().optional(),
  silentSeconds: z.number(),
});

const task = z.object({
  id: z.string().meta({ description: "Batch, task and attempt, with hyphens." }),
  worker: z.string().optional().meta({ description: "Absent if no worker says that it runs it." }),
  activity: z.string().optional(),
  runningSeconds: z.number().optional(),
});

const queue = z.object({
  fleet: z.string(),
  queue: z.string(),
  waiting: z.int(),
  delayed: z.int().meta({ description: "Wait for a time, to be tried again then." }),
  running: z.int(),
  endedLastMinute: z.int(),
  limitedSeconds: z
    .number()
    .optional()
    .meta({ description: "How long no task starts, because the account has reached a limit." }),
  workers: z.array(worker),
  drained: z
    .array(z.string())
    .meta({ description: "Names of workers that are out of service, whether they are there or not." }),
  tasks: z.array(task).meta({ description: "What runs: at most 200." }),
});
/** One queue of a fleet, as `fleet status` shows it. */
export type FleetQueue = z.infer<typeof queue>;

export const fleetQueue = queue;

/** Why the server of a fleet cannot be asked. */
export const unreachableFleet = z.object({ fleet: z.string(), message: z.string() });
export type UnreachableFleet = z.infer<typeof unreachableFleet>;

/** What the queues of one fleet do, or why that cannot be said. */
export async function fleetStatus(
  fleet: string,
  settings: FleetSettings,
): Promise<{ queues: FleetQueue[] } | UnreachableFleet> {
  return await visited(fleet, settings, async (redis) => {
    const queues = await overviewOf(redis);
    return { queues: queues.map((one) => shown(fleet, one)) };
  });
}

/** Does something with the server of a fleet, unless that cannot be asked. */
export async function visited<Done>(
  fleet: string,
  settings: FleetSettings,
  act: (redis: Redis) => Promise<Done>,
): Promise<Done | UnreachableFleet> {
  const read = readFleet(fleet, settings);
  if (!read.ok)
    return { fleet, message: read.problems.map(({ says, remedy }) => `${says} ${remedy}`).join("\n") };
  try {
    return await visit(redisPlaceOf(read.fleet), act);
  } catch (error) {
    if (!(error instanceof VisitFailed)) throw error;
    return { fleet, message: `${error.message}. \`doctor --fleet ${fleet}\` checks everything.` };
  }
}

function shown(
  fleet: string,
  { queue, counts, limitedForMs, workers, drained, jobs }: QueueOverview,
): FleetQueue {
  return {
    fleet,
    queue,
    ...counts,
    drained,
    ...(limitedForMs === undefined ? {} : { limitedSeconds: seconds(limitedForMs) }),
    workers: workers.map((one) => ({
      name: one.name,
      version: one.version,
      slots: one.slots,
      running: one.running.length,
      state: stateOf(one),
      ...(one.ended === undefined ? {} : { endedLastHour: one.ended }),
      ...(one.held === undefined ? {} : { heldBecause: one.held }),
      silentSeconds: seconds(Math.max(0, one.silentMs)),
    })),
    tasks: jobs.map(({ id, worker, activity, runningMs }) => ({
      id,
      ...(worker === undefined ? {} : { worker }),
      ...(activity === undefined ? {} : { activity }),
      ...(runningMs === undefined ? {} : { runningSeconds: seconds(runningMs) }),
    })),
  };
}

function stateOf({
  isSilent,
  isDraining,
  isDrained,
  held,
  running,
}: QueueOverview["workers"][number]): z.infer<typeof worker>["state"] {
  if (isSilent) return "silent";
  if (isDrained && running.length === 0) return "drained";
  if (isDraining) return "draining";
  if (held !== undefined) return "held";
  return running.length > 0 ? "working" : "idle";
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
