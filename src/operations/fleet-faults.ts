// Faults of a batch that runs on a fleet: of its name and files, and of options that mean nothing on another machine.
import { depthOf } from "../claude/environment.ts";
import { whyNotPacked } from "../fleet/pack-work.ts";
import { fromHome, readFleet } from "../fleet/settings.ts";
import type { BatchFleet } from "../model/fleet.ts";
import { option, type Prose, prose } from "../model/prose.ts";
import { templateIn } from "../model/template.ts";
import { realPath } from "../platform/files.ts";
import { isWithin } from "../platform/paths.ts";
import type { Context } from "./context.ts";
import { type Fault, instead, type Place, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { type RawOptions, rawObject } from "./raw-options.ts";

/** The name of a batch's fleet: its own, or that of the configuration unless it has hosts; undefined for none. */
export function fleetNameOf(
  { fleet, hosts }: { fleet?: string | undefined; hosts?: readonly string[] | undefined },
  { configuration }: Pick<Context, "configuration">,
): string | undefined {
  // A session on a worker that starts sessions would wait, in its slot, for slots of the same fleet.
  const isNested = depthOf(process.env) > 0;
  const usual = hosts === undefined && !isNested ? configuration.fleet : undefined;
  return (fleet ?? usual) || undefined;
}

/** The fleet with this name; undefined if none was asked for, or something is wrong with it, which is then a fault. */
export function fleetAsked(
  name: string | undefined,
  { configuration, inForce }: Context,
  faults: Fault[],
): BatchFleet | undefined {
  if (name === undefined) return undefined;
  const place = ["fleet"];
  const known = configuration.fleets ?? {};
  const settings = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!settings) {
    const names = Object.keys(known);
    const expected =
      names.length === 0
        ? `no fleet is configured; add it to \`fleets\` in ${inForce.file}`
        : `expected one of the fleets in ${inForce.file}: ${names.join(", ")}`;
    faults.push(instead(place, excerpt(name), expected, nearest(name, names)));
    return undefined;
  }
  const read = readFleet(name, settings);
  if (read.ok) return { name, settings };
  for (const { says, remedy } of read.problems)
    faults.push(wrong(place, `cannot be used: ${says} ${remedy.replace(/\.$/, "")}`));
  return undefined;
}

/** Faults of the directories of tasks whose files workers cannot have. Each is looked at once. */
export async function fleetDirectoryFaults(
  places: ReadonlyMap<string, Place>,
  { settings }: BatchFleet,
): Promise<Fault[]> {
  const shared = settings.shared.map(fromHome);
  const faults = await Promise.all(
    [...places].map(async ([directory, place]) => {
      const why = await whyNotPacked(directory, shared);
      return why === undefined ? [] : [wrong([...place, "workingDirectory"], `${directory} ${why}`)];
    }),
  );
  return faults.flat();
}

// `isUsual`: nobody has asked for the fleet but the configuration.
function unusable(isUsual: boolean): Prose {
  return isUsual
    ? prose`cannot be used with the setting ${option("fleet")}; ${option("fleet", "")} runs the batch here`
    : prose`cannot be used with ${option("fleet")}`;
}

/** Faults of options that cannot be used on a fleet. Options as stored: raw, with files read. `isUsual`: it is that of the configuration. */
export function fleetOptionFaults(options: RawOptions, isUsual = false): Fault[] {
  const { env, resumeSessionId, addDirectories, reuse, reuseSessions, mcpConfig, expect } = options;
  const onFleet = unusable(isUsual);
  return [
    ...(Object.keys(rawObject(env)).length > 0
      ? [
          wrong(
            ["env"],
            prose`${onFleet}: values would be readable in the queue; set the variables on the workers`,
          ),
        ]
      : []),
    ...(resumeSessionId === undefined
      ? []
      : [wrong(["resumeSessionId"], prose`${onFleet}: the conversation is on this machine`)]),
    ...(Array.isArray(addDirectories) && addDirectories.length > 0
      ? [wrong(["addDirectories"], prose`${onFleet}: a worker has only the working directory`)]
      : []),
    ...(reuse === "auto"
      ? [wrong(["reuse"], prose`${onFleet}: what a session reads there cannot be checked here`)]
      : []),
    ...(reuseSessions === "auto"
      ? [wrong(["reuseSessions"], prose`${onFleet}: each task has a process of its own there`)]
      : []),
    ...(typeof mcpConfig === "string" && !/^\s*\{/.test(mcpConfig)
      ? [wrong(["mcpConfig"], prose`names a file, which workers do not have; give the configuration as JSON`)]
      : []),
    ...(rawObject(expect)["command"] === undefined
      ? []
      : [
          wrong(
            ["expect", "command"],
            prose`${onFleet}: it would run here, without what the session has changed`,
          ),
        ]),
  ];
}

/** Faults of a template that names files of this machine, which no worker has. */
export function fleetTemplateFaults(
  template: string,
  { eachIsFile, answers }: { eachIsFile?: boolean | undefined; answers: readonly unknown[] },
  { fleet: { settings }, directory }: { fleet: BatchFleet; directory: string },
): Fault[] {
  const { names } = templateIn(template);
  const isShared = settings.shared.some((one) => isWithin(realPath(directory), realPath(fromHome(one))));
  const place = ["template"];
  return [
    ...(eachIsFile && !isShared && names.includes("path")
      ? [
          wrong(
            place,
            prose`has {{path}}, the path of a file on this machine, and cannot be used with ${option("fleet")}; {{file}} is the same below the working directory`,
          ),
        ]
      : []),
    ...(answers.length > 0 && names.includes("result")
      ? [
          wrong(
            place,
            prose`has {{result}}, the path of a file on this machine, and cannot be used with ${option("fleet")}`,
          ),
        ]
      : []),
  ];
}

/** The fault of a task whose prompt has `{{results.NAME}}`. */
export function resultsFault(place: Place): Fault {
  return wrong(
    place,
    prose`has {{results.…}}, the path of a file on this machine, and cannot be used with ${option("fleet")}`,
  );
}
