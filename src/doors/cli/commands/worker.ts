// `worker`: runs tasks of other machines' batches, which come through a queue.
import { z } from "zod";
import { shownUrl } from "../../../fleet/connection.ts";
import {
  type Fleet,
  isProblem,
  type Problem,
  readFleet,
  readPolicy,
  secretFilesOf,
} from "../../../fleet/settings.ts";
import { whyUnreachable } from "../../../fleet/visit.ts";
import { type FleetSettings, fleetSettings } from "../../../model/fleet.ts";
import { product } from "../../../model/product.ts";
import { type Context, UserError } from "../../../operations/context.ts";
import { drainSeconds } from "../../../operations/drain-seconds.ts";
import { clock } from "../../../platform/clock.ts";
import { hostName } from "../../../platform/host-name.ts";
import { countText } from "../../../report/amounts.ts";
import { harmless } from "../../../report/harmless.ts";
import { type Command, checkUsage, jsonFlag, jsonText, UsageError } from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";

const own = z.object({
  fleet: z
    .string()
    .meta({
      description:
        "The fleet whose tasks to run: a name in the `fleets` setting, or the address of its Redis, with `--key-file` and `--blobs`.",
      placeholder: "NAME|URL",
      flags: ["queue", "redis", "url"],
    })
    .optional(),
  keyFile: z
    .string()
    .meta({
      description: "With an address: the file with the key that signs tasks and results.",
      placeholder: "FILE",
    })
    .optional(),
  blobs: z
    .string()
    .meta({
      description:
        "With an address: where texts and transcripts go, a shared directory or `s3://bucket/prefix`.",
      placeholder: "PLACE",
    })
    .optional(),
  passwordFile: z
    .string()
    .meta({ description: "With an address: the file with the password of its user.", placeholder: "FILE" })
    .optional(),
  ca: z
    .string()
    .meta({ description: "With an address: the certificate of the server's authority.", placeholder: "FILE" })
    .optional(),
  policy: z
    .string()
    .meta({
      description: "A JSON file that says what tasks may do here, instead of that of the fleet.",
      placeholder: "FILE",
    })
    .optional(),
  slots: z
    .int()
    .min(1)
    .meta({
      description:
        "How many tasks to take at once (default: the `concurrency` setting; with `auto`, four for each processor, as far as memory allows).",
      placeholder: "N",
      flags: ["concurrency", "j"],
    })
    .optional(),
  name: z
    .string()
    .min(1)
    .max(60)
    .meta({
      description: "What this worker is called (default: the name of the machine).",
      placeholder: "NAME",
    })
    .optional(),
  drainSeconds: drainSeconds(
    "After SIGTERM or Ctrl-C: how long running tasks may take to end before they are stopped and handed back (default: 60).",
  ),
  json: jsonFlag.shape.json,
});

export const worker: Command = {
  name: "worker",
  otherNames: ["agent", "node", "join", "consume"],
  summary: "Run tasks of a fleet's batches on this machine",
  description:
    "Takes tasks that other machines have put into the queue of a fleet, and runs them here, with this machine's Claude Code, login, limits and permissions. Runs until SIGTERM or Ctrl-C: then it takes no more tasks, hands back those that have not begun, waits for the others, and ends. A second signal stops and hands back everything at once. If Redis cannot be reached, it says so and waits. Exit status: 0 after a signal, 2 if something was wrong and nothing ran.",
  examples: [
    ["worker --fleet team", "Run tasks of a fleet from the configuration"],
    ["worker --fleet team --slots 4 --name box-1", "At most four at once, under this name"],
    [
      "worker --fleet rediss://worker@redis.example.com:6380 --key-file fleet.key --blobs /shared/blobs",
      "Run tasks of a fleet that no configuration names",
    ],
  ],
  input: z.object({}),
  withoutFlags: [],
  own,
  positionals: [],
  run: async ({ context, terminal, own: flags }) => {
    const asked = checkUsage(own, flags);
    const { name, settings } = settingsOf(context, asked);
    const fleet = fleetOf(readFleet(name, settings));
    const policy = readPolicy(asked.policy === undefined ? settings : { policy: asked.policy });
    if (isProblem(policy)) throw wrongSettings([policy]);
    using leaving = new Leaving();
    const { startWorker, usualSlots } = await import("../../../operations/fleet-worker.ts");
    const called = asked.name ?? hostName();
    const { concurrency } = context.configuration;
    const slots = slotsOf(asked.slots ?? usualSlots(concurrency), concurrency);
    const say = (text: string) => void terminal.err.tell(`${new Date().toISOString()} ${harmless(text)}`);
    // What is wrong for good is said at once; what may pass is waited for.
    const trouble = await lastingTrouble(fleet);
    if (trouble !== undefined) throw new UserError(`${trouble}. Nothing was started.`);
    const running = await startWorker({
      context,
      fleet,
      policy,
      secretFiles: secretFilesOf(settings),
      name: called,
      slots,
      say,
    });
    say(
      `${product.name} ${product.version}: worker ${called} takes up to ${countText(slots, "task")} at once from ${shownUrl(fleet.url)}.`,
    );
    if (asked.slots !== undefined && slots < asked.slots)
      say(
        `The \`concurrency\` setting of this machine allows no more, so \`--slots ${asked.slots}\` is not reached.`,
      );
    if (asked.json)
      await terminal.out.print(jsonText({ name: called, slots, fleet: name, url: shownUrl(fleet.url) }));
    await aborted(leaving.signal);
    const drainMs = (asked.drainSeconds ?? 60) * 1000;
    say(
      running.running === 0
        ? "Ends."
        : `Waits up to ${drainMs / 1000} s for ${countText(running.running, "task")}. A second signal hands them back at once.`,
    );
    using again = new Leaving();
    const isWhole = await running.drain(drainMs, again.signal);
    // Without its server, the queue's own timers would go on.
    return isWhole ? 0 : process.exit(0);
  },
};

function settingsOf(
  context: Context,
  asked: z.output<typeof own>,
): { name: string; settings: FleetSettings } {
  const { fleet, keyFile, blobs, passwordFile, ca } = asked;
  if (fleet === undefined)
    throw new UsageError(["name the fleet with `--fleet NAME`, or its Redis with `--fleet rediss://…`"]);
  const given = { keyFile, blobs, passwordFile, ca };
  if (!fleet.includes("://")) {
    const settings = context.configuration.fleets?.[fleet];
    const extra = Object.entries(given).find(([, value]) => value !== undefined);
    if (!settings)
      throw new UserError(
        `There is no fleet ${JSON.stringify(fleet)} in ${context.inForce.file}. Nothing was started.`,
      );
    if (extra)
      throw new UsageError([
        "files and places of a fleet with a name are in the configuration; leave out the flags for them",
      ]);
    return { name: fleet, settings };
  }
  const missing = [
    ...(keyFile === undefined ? ["--key-file FILE"] : []),
    ...(blobs === undefined ? ["--blobs PLACE"] : []),
  ];
  if (missing.length > 0) throw new UsageError([`an address needs ${missing.join(" and ")} too`]);
  const read = fleetSettings.safeParse({
    url: fleet,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  });
  if (!read.success)
    throw new UsageError(read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  return { name: "fleet", settings: read.data };
}

// A connection may break at any time, also in the way in which a server without TLS ends it: what lasts is there a second time.
async function lastingTrouble(fleet: Fleet): Promise<string | undefined> {
  const lasts = /refuses the user|requires a user|certificate|TLS/;
  const first = await whyUnreachable(fleet);
  if (first === undefined || !lasts.test(first)) return undefined;
  await clock.next("second");
  const again = await whyUnreachable(fleet);
  return again !== undefined && lasts.test(again) ? again : undefined;
}

// What the machine's own setting does not allow would only wait here, and no other worker would have it.
function slotsOf(wanted: number, setting: number | "auto"): number {
  return setting === "auto" ? wanted : Math.min(wanted, setting);
}

function fleetOf(read: ReturnType<typeof readFleet>): Fleet {
  if (!read.ok) throw wrongSettings(read.problems);
  return read.fleet;
}

function wrongSettings(problems: readonly Problem[]): UserError {
  return new UserError(
    `${problems.map(({ says, remedy }) => `${says} ${remedy}`).join("\n")}\nNothing was started.`,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  return promise;
}
