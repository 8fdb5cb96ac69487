// Checks what a batch on other machines asks for.
import { isHostName } from "../far/ssh-command.ts";
import type { Task } from "../model/event.ts";
import { farDirectoryIn, isPlaced } from "../model/far-directory.ts";
import { product } from "../model/product.ts";
import { option, type Prose, prose } from "../model/prose.ts";
import { addedHostsOf } from "../store/added-hosts.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, UserError } from "./context.ts";
import { type Fault, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import type { RawOptions } from "./raw-options.ts";

/** Whether a batch asks for machines on which all of its sessions run. */
export function runsOnHosts(
  { hosts, fleet }: { hosts?: readonly string[] | undefined; fleet?: string | undefined },
  configuration: { hosts?: readonly string[] | undefined },
): boolean {
  return fleet === undefined && (hosts ?? configuration.hosts ?? []).length > 0;
}

/**
 * The machines that a batch runs on: its own, or those of the configuration; none for this machine, and none for a fleet.
 * `fleet`: its name, if it has one.
 */
export function hostsAsked(
  context: Context,
  { hosts: given, fleet }: { hosts?: readonly string[] | undefined; fleet?: string | undefined },
  faults: Fault[],
): string[] {
  const { configuration } = context;
  if (fleet !== undefined) {
    if (given && given.length > 0)
      faults.push(
        wrong(["hosts"], prose`cannot be given with ${option("fleet")}, which has machines of its own`),
      );
    return [];
  }
  const asked = [...new Set(given ?? configuration.hosts ?? [])];
  if (asked.length === 0) return [];
  const added = addedHostsOf(layoutOf(stateDirectoryOf(configuration)));
  for (const [index, name] of asked.entries()) {
    const place = given ? ["hosts", index] : ["hosts"];
    if (!isHostName(name)) faults.push(wrong(place, `names no machine: ${excerpt(name)}`));
    else if (!Object.hasOwn(added, name))
      faults.push(
        wrong(place, `names ${name}, which was not added; run \`${product.name} host add ${name}\``),
      );
  }
  return asked;
}

/** A machine that nobody has added. */
export function notAdded(name: string): UserError {
  return new UserError(
    `${excerpt(name)} was not added. \`${product.name} host list\` shows those that were.`,
  );
}

interface Wanted {
  /** Of all tasks. */
  common: RawOptions;
  tasks: readonly Pick<Task, "options">[];
  /** Where tasks work that say nothing. */
  workingDirectory: string;
  /** Of the batch. */
  options: { onLostHost?: unknown };
}

/** What needs this machine: sessions on another one would not find it. */
export async function hostFaults(
  hosts: readonly string[],
  { common, tasks, workingDirectory, options }: Wanted,
): Promise<Fault[]> {
  if (hosts.length === 0)
    return options.onLostHost === undefined
      ? []
      : [wrong(["onLostHost"], prose`has no effect without ${option("hosts")}`)];
  const own = tasks.map((task, index) => ({ options: task.options ?? {}, place: ["tasks", index] }));
  const faults = [{ options: common, place: [] }, ...own].flatMap(({ options: given, place }) =>
    unreachableThere.flatMap((name) =>
      given[name] === undefined || !isOfThisMachine(name, given[name])
        ? []
        : [wrong([...place, name], elsewhereText(name))],
    ),
  );
  const directories = new Set(
    [...tasks, ...(tasks.length === 0 ? [{}] : [])].map((task: Pick<Task, "options">) => {
      const directory = task.options?.["workingDirectory"];
      return typeof directory === "string" ? directory : workingDirectory;
    }),
  );
  // Only what goes there needs Git.
  const { whyNotSent } = await import("../far/snapshot.ts");
  for (const directory of directories) {
    const far = farDirectoryIn(directory, hosts);
    if (far && !isPlaced(far))
      faults.push(
        wrong(["workingDirectory"], `is ${directory}: behind the colon, begin with \`/\` or \`~/\``),
      );
    const why = far ? undefined : await whyNotSent(directory);
    if (why !== undefined)
      faults.push(
        wrong(
          ["workingDirectory"],
          prose`cannot be used with ${option("hosts")}: ${directory} ${why}. For a directory on a machine, write \`${hosts[0] ?? ""}:/path\`, or \`*:/path\` for the same path on each machine`,
        ),
      );
  }
  return faults;
}

function elsewhereText(name: string): Prose {
  return name === "resumeSessionId"
    ? prose`cannot be used with ${option("hosts")}: a conversation is on the machine where it began. A retry continues that of a task in a directory there, and the page of such a task has the command to continue it in a terminal`
    : prose`is about this machine, and the sessions run on others (${option("hosts")})`;
}

const unreachableThere = ["addDirectories", "mcpConfig", "resumeSessionId", "inputs"];

// What is written out goes with the session.
function isOfThisMachine(name: string, value: unknown): boolean {
  return name !== "mcpConfig" || (typeof value === "string" && !value.trimStart().startsWith("{"));
}
