// `fleet status`: the machines of a fleet, what they run, what waits, and why.
import { z } from "zod";
import { overviewOf, type QueueOverview } from "../fleet/overview.ts";
import { readFleet, redisPlaceOf } from "../fleet/settings.ts";
import { VisitFailed, visit } from "../fleet/visit.ts";
import type { FleetSettings } from "../model/fleet.ts";
import { UserError, valueOrThrow } from "./context.ts";
import { fleetsNamed } from "./doctor-fleet.ts";
import { check } from "./faults.ts";
import type { Operation } from "./operation.ts";

const input = z.strictObject({
  action: z.enum(["status"]),
  fleet: z.string().meta({ description: "Only this fleet.", placeholder: "NAME" }).optional(),
});

const worker = z.object({
  name: z.string(),
  version: z.string(),
  slots: z.int(),
  running: z.int(),
  state: z
    .enum(["working", "idle", "held", "draining", "silent"])
    .meta({ description: "`silent`: it has not spoken for half a minute." }),
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
  tasks: z.array(task).meta({ description: "What runs: at most 200." }),
});
/** One queue of a fleet, as `fleet status` shows it. */
export type FleetQueue = z.infer<typeof queue>;

const output = z.object({
  queues: z.array(queue),
  unreachable: z
    .array(z.object({ fleet: z.string(), message: z.string() }))
    .meta({ description: "Fleets whose server could not be asked." }),
});

export const fleetStatus: Operation<typeof input, typeof output> = {
  title: "Show the machines of a fleet and what they run",
  description:
    "Shows the workers of each fleet, or of one, the tasks that they run, how many wait, and why none starts if an account has reached a limit. It changes nothing there.",
  input,
  output,
  run: async (context, given) => {
    const { fleet } = valueOrThrow(check(input, given));
    const { configuration, inForce } = context;
    const asked = fleetsNamed(fleet ?? "", configuration, inForce.file);
    const seen = await Promise.all(asked.map(([name, settings]) => look(name, settings)));
    const unreachable = seen.flatMap((one) => ("message" in one ? [one] : []));
    const [only] = unreachable;
    if (only && asked.length === 1) throw new UserError(only.message);
    return { queues: seen.flatMap((one) => ("queues" in one ? one.queues : [])), unreachable };
  },
};

async function look(
  fleet: string,
  settings: FleetSettings,
): Promise<{ queues: FleetQueue[] } | { fleet: string; message: string }> {
  const read = readFleet(fleet, settings);
  if (!read.ok)
    return { fleet, message: read.problems.map(({ says, remedy }) => `${says} ${remedy}`).join("\n") };
  try {
    const queues = await visit(redisPlaceOf(read.fleet), overviewOf);
    return { queues: queues.map((one) => shown(fleet, one)) };
  } catch (error) {
    if (!(error instanceof VisitFailed)) throw error;
    return { fleet, message: `${error.message}. \`doctor --fleet ${fleet}\` checks everything.` };
  }
}

function shown(fleet: string, { queue, counts, limitedForMs, workers, jobs }: QueueOverview): FleetQueue {
  return {
    fleet,
    queue,
    ...counts,
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
  held,
  running,
}: QueueOverview["workers"][number]): z.infer<typeof worker>["state"] {
  if (isSilent) return "silent";
  if (isDraining) return "draining";
  if (held !== undefined) return "held";
  return running.length > 0 ? "working" : "idle";
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
