// The machines of fleets: what they do, and which are out of service.
import type { Redis } from "ioredis";
import { z } from "zod";
import { drainWorkers, resumeWorkers } from "../fleet/drains.ts";
import { overviewOf, type QueueOverview } from "../fleet/overview.ts";
import type { FleetSettings } from "../model/fleet.ts";
import { product } from "../model/product.ts";
import { clock } from "../platform/clock.ts";
import { countText } from "../report/amounts.ts";
import { oneLine } from "../report/harmless.ts";
import { UserError, valueOrThrow } from "./context.ts";
import { fleetsNamed } from "./doctor-fleet.ts";
import { drainSeconds } from "./drain-seconds.ts";
import { check } from "./faults.ts";
import { fleetQueue, fleetStatus, unreachableFleet, visited } from "./fleet-status.ts";
import type { Operation } from "./operation.ts";

export const fleetActions = ["status", "drain", "resume"] as const;
type Change = Exclude<(typeof fleetActions)[number], "status">;

const input = z.strictObject({
  action: z.enum(fleetActions),
  fleet: z.string().optional(),
  worker: z.string().optional(),
  drainSeconds: drainSeconds(
    "With `drain`: after how many seconds running tasks are stopped and handed back, so that other workers run them again (default: they end by themselves).",
  ),
});
type Asked = z.output<typeof input>;

const output = z.object({
  queues: z.array(fleetQueue),
  unreachable: z.array(unreachableFleet).meta({ description: "Fleets whose server could not be asked." }),
  message: z.string().optional().meta({ description: "What was changed." }),
});

export const fleet: Operation<typeof input, typeof output> = {
  title: "Show the machines of a fleet, or take them out of service",
  description:
    "`status` shows the workers of each fleet, or of one, the tasks that they run, how many wait, and why none starts if an account has reached a limit. It changes nothing there. `drain` takes a worker out of service: it takes no more tasks, and runs those that it has to their end. It stays so, also after a restart, until `resume`.",
  input,
  output,
  run: async (context, given) => {
    const asked = valueOrThrow(check(input, given));
    const { action } = asked;
    const { configuration, inForce } = context;
    const wrong = misuseOf(asked);
    if (wrong !== undefined) throw new UserError(`${wrong} Nothing was changed.`);
    const fleets = fleetsNamed(asked.fleet ?? "", configuration, inForce.file);
    const [first] = fleets;
    const message = action === "status" || !first ? undefined : await changed(first, { ...asked, action });
    const seen = await Promise.all(fleets.map(([name, settings]) => fleetStatus(name, settings)));
    const unreachable = seen.flatMap((one) => ("message" in one ? [one] : []));
    const [only] = unreachable;
    if (only && fleets.length === 1) throw new UserError(only.message);
    const queues = seen.flatMap((one) => ("queues" in one ? one.queues : []));
    return { queues, unreachable, ...(message === undefined ? {} : { message }) };
  },
};

function misuseOf({ action, fleet, worker, drainSeconds }: Asked): string | undefined {
  if (action !== "drain" && drainSeconds !== undefined) return "`--drain-seconds` belongs to `fleet drain`.";
  if (action === "status") return worker === undefined ? undefined : "`fleet status` takes no worker.";
  return fleet === undefined
    ? `Say which fleet: \`${product.name} fleet ${action} FLEET WORKER\`, or without a worker for all that it has.`
    : undefined;
}

/** Which workers of a queue are meant. */
interface Meant {
  queue: string;
  names: string[];
}

type Changing = Omit<Asked, "action"> & { action: Change };

async function changed([fleet, settings]: [string, FleetSettings], asked: Changing): Promise<string> {
  const done = await visited(fleet, settings, async (redis) => {
    const queues = await overviewOf(redis);
    const meant = queues.map((queue) => ({ queue: queue.queue, names: meantIn(queue, asked) }));
    if (meant.every(({ names }) => names.length === 0)) throw noneMeant(fleet, queues, asked);
    for (const { queue, names } of meant) await change(redis, queue, names, asked);
    return sentence(asked, meant, await confirmed(redis, meant, asked));
  });
  if (typeof done !== "string") throw new UserError(`${done.message} Nothing was changed.`);
  return done;
}

// Without a name, all that live; to put into service, all that are not.
function meantIn({ workers, drained }: QueueOverview, { action, worker }: Changing): string[] {
  const there = workers.filter(({ isSilent }) => worker !== undefined || !isSilent).map(({ name }) => name);
  const known = action === "drain" ? there : drained;
  return [...new Set(known)].filter((name) => worker === undefined || name === worker);
}

function noneMeant(fleet: string, queues: readonly QueueOverview[], { action, worker }: Changing): UserError {
  const all =
    action === "drain"
      ? queues.flatMap(({ workers }) => workers.map(({ name }) => name))
      : queues.flatMap(({ drained }) => drained);
  const what = action === "drain" ? "worker" : "worker out of service";
  const named = worker === undefined ? "" : ` ${JSON.stringify(oneLine(worker, 60))}`;
  const others =
    all.length === 0 ? "" : ` There is ${[...new Set(all)].map((name) => oneLine(name, 60)).join(", ")}.`;
  return new UserError(`The fleet ${fleet} has no ${what}${named}.${others} Nothing was changed.`);
}

async function change(redis: Redis, queue: string, names: string[], asked: Changing): Promise<void> {
  if (names.length === 0) return;
  const { drainSeconds: handBackSeconds } = asked;
  if (asked.action === "resume") await resumeWorkers(redis, queue, names);
  else
    await drainWorkers(redis, queue, names, {
      ...(handBackSeconds === undefined ? {} : { handBackSeconds }),
    });
}

/** How long workers may take to hear of it, in milliseconds. */
const hearingMs = 8_000;

// The names of workers that live and have not heard of it.
async function confirmed(redis: Redis, meant: readonly Meant[], { action }: Changing): Promise<string[]> {
  const deadline = performance.now() + hearingMs;
  for (;;) {
    const queues = await overviewOf(redis);
    const unheard = meant.flatMap(({ queue, names }) =>
      (queues.find((one) => one.queue === queue)?.workers ?? [])
        .filter(
          ({ name, isSilent, isDrained = false }) =>
            !isSilent && names.includes(name) && isDrained !== (action === "drain"),
        )
        .map(({ name }) => name),
    );
    if (unheard.length === 0 || performance.now() > deadline) return unheard;
    await clock.next("beat");
  }
}

function sentence(
  { action, drainSeconds }: Changing,
  meant: readonly Meant[],
  unheard: readonly string[],
): string {
  const shown = (names: readonly string[]) => names.map((name) => oneLine(name, 60)).join(", ");
  const names = [...new Set(meant.flatMap((one) => one.names))];
  const takes = names.length === 1 ? "takes" : "take";
  const what =
    action === "resume"
      ? `${shown(names)} ${takes} tasks again.`
      : `${shown(names)} ${takes} no more tasks, until \`${product.name} fleet resume\`. ${
          drainSeconds === undefined
            ? "Running tasks end by themselves."
            : `Running tasks are handed back after ${countText(drainSeconds, "second")}.`
        }`;
  return unheard.length === 0
    ? what
    : `${what} Not confirmed yet by ${shown(unheard)}: a worker of an older version does not know of it.`;
}
