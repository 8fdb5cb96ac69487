// What doctor checks about a fleet, from this machine: files, server, rights, blob store, workers and clocks.
import type { Redis } from "ioredis";
import { blobStoreOf } from "../fleet/blobs.ts";
import { overviewOf, type SeenWorker, serverTime } from "../fleet/overview.ts";
import { type Fleet, isProblem, readFleet, readPolicy, redisPlaceOf } from "../fleet/settings.ts";
import { fingerprintOf } from "../fleet/signature.ts";
import { VisitFailed, visit } from "../fleet/visit.ts";
import type { Configuration } from "../model/configuration.ts";
import type { FleetSettings, WorkerPolicy } from "../model/fleet.ts";
import { product } from "../model/product.ts";
import { messageOf } from "../platform/system-error.ts";
import { countText, durationText } from "../report/amounts.ts";
import { UserError } from "./context.ts";
import type { Finding } from "./doctor.ts";

/** How far two clocks may differ, in milliseconds. */
const mostSkewMs = 5_000;

/** The oldest Redis with everything that the queue needs. Every Valkey is newer. */
const oldestRedis = 7;

/** The fleets with this name; all of them for "". Throws `UserError` if there is none. */
export function fleetsNamed(
  name: string,
  { fleets = {} }: Configuration,
  file: string,
): [name: string, settings: FleetSettings][] {
  const all = Object.entries(fleets);
  if (all.length === 0)
    throw new UserError(`No fleet is configured. Add one to \`fleets\` in ${file}; docs/fleet.md shows how.`);
  const found = name === "" ? all : all.filter(([one]) => one === name);
  if (found.length > 0) return found;
  const names = all.map(([one]) => one).join(", ");
  throw new UserError(`There is no fleet ${JSON.stringify(name)} in ${file}; there is ${names}.`);
}

/** Every check of one fleet. None of them changes anything that lasts. */
export async function fleetFindings(name: string, settings: FleetSettings): Promise<Finding[]> {
  const named = (what: string) => `${name}: ${what}`;
  const read = readFleet(name, settings);
  if (!read.ok)
    return read.problems.map(({ setting, says, remedy }) => ({
      name: named(setting),
      ok: false,
      detail: says,
      remedy,
    }));
  const { fleet } = read;
  const found = [
    {
      name: "key",
      ok: true,
      detail: `Readable for you alone. Its fingerprint is ${fingerprintOf(fleet.key)}.`,
    },
    ...(await serverFindings(fleet)),
    await blobFinding(fleet),
    policyFinding(settings),
  ];
  return found.map((finding) => ({ ...finding, name: named(finding.name) }));
}

async function serverFindings(fleet: Fleet): Promise<Finding[]> {
  const found: Finding[] = [];
  try {
    await visit(redisPlaceOf(fleet), async (redis) => {
      found.push(...(await stateFindings(redis, fleet)));
      found.push(...(await rightFindings(redis, fleet)));
      found.push(...(await workerFindings(redis, fleet)));
    });
    return found;
  } catch (error) {
    if (!(error instanceof VisitFailed)) throw error;
    // A user that lacks rights cannot look for workers either.
    if (found.some(({ name, ok }) => name === "rights" && !ok)) return found;
    return [
      ...found.filter(({ name }) => name !== "server"),
      {
        name: "server",
        ok: false,
        detail: `${error.message}.`,
        remedy:
          "Check `url`, `passwordFile` and `ca`, and whether the server runs; docs/fleet.md has its configuration.",
      },
    ];
  }
}

async function stateFindings(redis: Redis, { url }: Fleet): Promise<Finding[]> {
  const facts = factsIn(await redis.info());
  const isEncrypted = url.startsWith("rediss:");
  const valkey = facts.get("valkey_version");
  const version = facts.get("redis_version") ?? "unknown";
  const isNew = valkey !== undefined || Number.parseInt(version, 10) >= oldestRedis;
  const isOpen = !isEncrypted && !isLoopback(url);
  const policy = facts.get("maxmemory_policy") ?? "unknown";
  const keeps = facts.get("aof_enabled") === "1";
  return [
    {
      name: "server",
      ok: isNew,
      detail: `${valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`} answers at ${url}.`,
      ...(isNew ? {} : { remedy: `Install Redis ${oldestRedis} or newer, or Valkey.` }),
    },
    {
      name: "TLS",
      ok: !isOpen,
      detail: isEncrypted
        ? "The connection is encrypted, and the server's certificate is valid."
        : `The connection is not encrypted${isOpen ? ": others on the way can read prompts and results" : ", and stays on this machine"}.`,
      ...(isOpen ? { remedy: "Set up TLS as docs/fleet.md shows, and write `rediss://` in `url`." } : {}),
    },
    {
      name: "data",
      ok: keeps,
      detail: keeps
        ? "The server writes its data to disk (`appendonly yes`)."
        : "The server loses tasks and results when it is killed (`appendonly no`).",
      ...(keeps ? {} : { remedy: "Set `appendonly yes` in redis.conf." }),
    },
    {
      name: "memory",
      ok: policy === "noeviction",
      detail:
        policy === "noeviction"
          ? "When its memory is full, the server refuses new tasks and loses none (`maxmemory-policy noeviction`)."
          : `When its memory is full, the server throws tasks away (\`maxmemory-policy ${policy}\`).`,
      ...(policy === "noeviction" ? {} : { remedy: "Set `maxmemory-policy noeviction` in redis.conf." }),
    },
  ];
}

function factsIn(info: string): Map<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line): [string, string][] => {
      const [, name, value] = /^([a-z_]+):(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname);
}

const writes = "return redis.call('SET', KEYS[1], '1', 'PX', 1000)";

/** What the queue and the ledger do. What is written is gone a second later. */
const needed: readonly { what: string; command: string; words: readonly string[] }[] = [
  { what: "run scripts on the keys `bull:*`", command: "EVAL", words: [writes, "1", "bull:doctor"] },
  { what: "run scripts on the keys `led:*`", command: "EVAL", words: [writes, "1", "led:doctor"] },
  { what: "read streams", command: "XLEN", words: ["bull:doctor:events"] },
  { what: "wait for keys", command: "BZPOPMIN", words: ["bull:doctor:marker", "0.01"] },
  { what: "name its connections", command: "CLIENT", words: ["SETNAME", "doctor"] },
  { what: "list connections", command: "CLIENT", words: ["LIST", "ID", "1"] },
  { what: "ask for the state of the server", command: "INFO", words: ["server"] },
];

// A user who may read the server's configuration may also empty it, or have it write files.
async function rightFindings(redis: Redis, { url }: Fleet): Promise<Finding[]> {
  const name = "rights";
  const user = await redis.acl("WHOAMI").catch(() => "The user");
  const lacking: string[] = [];
  for (const { what, command, words } of needed)
    if (await isRefused(redis, command, words)) lacking.push(what);
  if (lacking.length > 0)
    return [
      {
        name,
        ok: false,
        detail: `${user} may not do what a fleet needs: ${lacking.join(", ")}.`,
        remedy: "Give the user the rights that docs/fleet.md lists.",
      },
    ];
  if (await isRefused(redis, "CONFIG", ["GET", "maxmemory"]))
    return [{ name, ok: true, detail: `${user} may do what a fleet needs, and no more.` }];
  return [
    {
      name,
      ok: isLoopback(url),
      detail: `${user} may do everything: also delete all data, and change the server's configuration.`,
      remedy: "Use a user with the rights that docs/fleet.md lists.",
    },
  ];
}

async function isRefused(redis: Redis, command: string, words: readonly string[]): Promise<boolean> {
  try {
    await redis.call(command, ...words);
    return false;
  } catch (error) {
    if (/NOPERM|can't (?:run|access)/.test(messageOf(error))) return true;
    throw error;
  }
}

async function workerFindings(redis: Redis, { name }: Fleet): Promise<Finding[]> {
  const { aheadMs } = await serverTime(redis);
  const workers = (await overviewOf(redis)).flatMap((queue) => queue.workers);
  const alive = workers.filter(({ isSilent }) => !isSilent);
  const others = alive.filter(({ version }) => version !== product.version);
  const ahead = alive.filter(({ silentMs }) => silentMs < -mostSkewMs);
  const isOff = Math.abs(aheadMs) > mostSkewMs;
  return [
    {
      name: "workers",
      ok: alive.length > 0,
      detail:
        alive.length === 0
          ? `No worker is there.${silentText(workers)}`
          : `${countText(alive.length, "worker is", "workers are")} there: ${alive.map(({ name }) => name).join(", ")}.${silentText(workers)}`,
      ...(alive.length === 0
        ? { remedy: `Run \`${product.name} worker --fleet ${name}\` on a machine of the fleet.` }
        : {}),
    },
    {
      name: "versions",
      ok: others.length === 0,
      detail:
        others.length === 0
          ? `All have version ${product.version}, as this program.`
          : `This program has version ${product.version}; ${others.map((one) => `${one.name} has ${one.version}`).join(", ")}.`,
      ...(others.length === 0 ? {} : { remedy: "Install the same version on all machines." }),
    },
    {
      name: "clocks",
      ok: !isOff && ahead.length === 0,
      detail:
        isOff || ahead.length > 0
          ? [
              ...(isOff
                ? [
                    `The server's clock is ${durationText(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} this machine's.`,
                  ]
                : []),
              ...ahead.map(
                (one) => `The clock of ${one.name} is ${durationText(-one.silentMs)} ahead of the server's.`,
              ),
            ].join(" ")
          : `The clocks differ by less than ${mostSkewMs / 1_000} s.`,
      ...(isOff || ahead.length > 0 ? { remedy: "Keep the clocks of all machines in step, by NTP." } : {}),
    },
  ];
}

function silentText(workers: readonly SeenWorker[]): string {
  const silent = workers.filter(({ isSilent }) => isSilent);
  if (silent.length === 0) return "";
  const named = silent.map(({ name, silentMs }) => `${name} for ${durationText(silentMs)}`).join(", ");
  return ` Silent: ${named}.`;
}

async function blobFinding(fleet: Fleet): Promise<Finding> {
  const name = "blobs";
  try {
    await blobStoreOf(fleet).check();
    return { name, ok: true, detail: `${fleet.blobs} can be written and read.` };
  } catch (error) {
    const remedy = fleet.blobs.startsWith("s3://")
      ? "Check `blobs` and `s3`: bucket, endpoint, region and credentials."
      : "Create the directory or mount it, and let this user write there.";
    return { name, ok: false, detail: messageOf(error), remedy };
  }
}

function policyFinding(settings: FleetSettings): Finding {
  const name = "policy";
  const policy = readPolicy(settings);
  if (isProblem(policy)) return { name, ok: false, detail: policy.says, remedy: policy.remedy };
  return { name, ok: true, detail: `A worker on this machine would allow: ${policyText(policy)}.` };
}

function policyText({
  repositories,
  directories,
  tools,
  permissionModes,
  models,
  maxBudgetUsd,
  options,
}: WorkerPolicy) {
  return [
    repositories.length === 0 ? "no repositories" : `the repositories ${repositories.join(", ")}`,
    directories.length === 0 ? "no shared directories" : `the directories ${directories.join(", ")}`,
    tools ? `only the tools ${tools.join(", ")}` : "all tools",
    models ? `only the models ${models.join(", ")}` : "all models",
    maxBudgetUsd === undefined ? "any budget" : `at most ${maxBudgetUsd} USD a task`,
    `the permission modes ${permissionModes.join(", ")}`,
    ...(options.length === 0 ? [] : [`also ${options.join(", ")}`]),
  ].join("; ");
}
