// One round with a batch on a fleet: what is done to its Redis, its workers and its submitter while it runs, and whether what was
// billed is what the tasks are said to have cost.
import { leaseMs, OwnFleet, type OwnWorker } from "../fleet/own-fleet.ts";
import { configurationFolder, eventually, killAllOf } from "../harness.ts";
import { OwnRedis } from "../own-redis.ts";
import { billedWorkOf, judgeBill } from "./bill.ts";
import { Door } from "./door.ts";
import {
  begin,
  type CableCut,
  type FarFault,
  type FarPlan,
  type FarStage,
  type HereTarget,
  strikeAll,
  strikeCable,
  strikeHere,
  withCables,
} from "./far-faults.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { farPatienceMs, type Round, untilEnded } from "./round.ts";
import { judgeLog, judgeProcesses, judgeRow, type Report, startsOf, type Violation } from "./verdict.ts";

/** Who is hit. */
type Target = "redis" | "worker" | HereTarget;

interface Fault extends FarFault {
  target: Target;
}

/** Of the workers: on this machine, or on one of their own each. */
const namesHere = ["box-1", "box-2", "box-3"];
const namesApart = ["box1", "box2"];
const slots = 4;

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runFleetRound({ seed, tasks, least, most, isApart }: FarPlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const works = Array.from({ length: tasks }, (_, index) => billedWorkOf(index + 1, random));
  const usual = Array.from({ length: random.between(least, most) }, () => faultFrom(random));
  const clients = ["home", ...namesApart];
  const faults = isApart ? withCables(usual, { machines: ["redis", ...clients], clients, random }) : usual;
  using network = isApart ? await Network.of(["redis", ...clients]) : undefined;
  const redis = network && (await OwnRedis.startAt(network.machine("redis")));
  const fleet = await OwnFleet.create(redis ? { redis } : {});
  const { home } = fleet;
  if (network) home.enter = network.machine("home").enter;
  home.set({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1" });
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const crew = new Crew(fleet, network);
  await crew.startAll();
  const door = await Door.open(home);
  const batchId = await begin(door, works, { fleet: "team", concurrency: 60 });
  const over = new AbortController();
  const done: string[] = [];
  let interrupted = 0;
  let figures = { attempts: 0, processes: 0, adoptions: 0, epochs: 0 };
  {
    using store = home.store();
    const stage = {
      home,
      crew,
      fleet,
      network,
      random,
      over: over.signal,
      door,
      row: () => store.row(batchId),
    };
    const [end] = await Promise.all([
      untilEnded(door, batchId, farPatienceMs).finally(() => over.abort()),
      strikeAll(stage, faults, { strike: (fault) => strike(stage, fault), done }),
    ]);
    violations.push(...end.violations);
    interrupted = end.interrupted;
    await door[Symbol.asyncDispose]();
    await judgeQueue(fleet, report);
    await crew.endAll();
    await judgeProcesses({ home, store }, report);
    const state = store.batch(batchId)?.state;
    if (!state) throw new Error(`no batch ${batchId}`);
    judgeRow({ home, store, batchId }, state, report);
    figures = { ...startsOf(state), ...judgeLog({ home, store, batchId }, tasks, report) };
    done.push(judgeBill(home, state, { works, mayBeLost: faults.some(mayLose) }, report));
    await judgeServer(fleet, report);
  }
  if (violations.length > 0) {
    await Bun.write(home.file("workers.log"), crew.said());
    killAllOf(home);
    await fleet.redis[Symbol.asyncDispose]();
  } else await fleet[Symbol.asyncDispose]();
  return {
    ...figures,
    violations,
    seed,
    reuseSessions: "never",
    faults: done,
    doors: door.connections,
    interrupted,
    seconds: (performance.now() - began) / 1000,
    ...(violations.length > 0 ? { kept: home.path } : {}),
  };
}

// What ends no worker and stops none for long has no part in what runs twice.
function mayLose(fault: Fault | CableCut): boolean {
  const { target, how, awayMs } = fault;
  switch (target) {
    case "session":
      return true;
    case "worker":
      return how !== "frozen" || awayMs >= leaseMs;
    // A connection goes on at most as long after a cut as it lasted, or when it is made again.
    case "cable":
      return fault.machine !== "home" && (how === "moved" || awayMs >= leaseMs / 2);
    default:
      return false;
  }
}

function faultFrom(random: Random): Fault {
  const target = random.weighted<Target>([
    [4, "redis"],
    [6, "worker"],
    [3, "runner"],
    [2, "runner and keeper"],
    [1, "door"],
    [1, "session"],
  ]);
  const how = random.weighted<Fault["how"]>([
    [4, "killed"],
    [target === "worker" || target === "redis" || target === "runner" ? 3 : 0, "frozen"],
    [target === "worker" ? 2 : 0, "drained"],
  ]);
  // Three times a lease of three seconds is the longest that a run is its worker's own.
  const awayMs = random.chance(0.7) ? random.between(50, 3_000) : random.between(3_000, 14_000);
  return { target, how, pauseMs: random.between(50, 2_500), awayMs };
}

/** The workers of a round, each started again after it was ended. */
class Crew {
  readonly names: readonly string[];
  readonly #fleet: OwnFleet;
  readonly #network: Network | undefined;
  readonly #homes = new Map<string, string>();
  readonly #workers = new Map<string, OwnWorker>();
  readonly #all: OwnWorker[] = [];

  constructor(fleet: OwnFleet, network: Network | undefined) {
    this.#fleet = fleet;
    this.#network = network;
    this.names = network ? namesApart : namesHere;
  }

  async startAll(): Promise<void> {
    for (const name of this.names) {
      if (this.#network) this.#homes.set(name, this.#fleet.home.elsewhere(name));
      await this.start(name);
    }
  }

  // A worker that finds no Redis says so, and waits.
  async start(name: string): Promise<void> {
    const more = ["--drain-seconds", "0"];
    const home = this.#homes.get(name);
    const worker = await this.#fleet.worker(name, {
      slots,
      more,
      isAwaited: false,
      // With the configuration of the fleet.
      ...(home === undefined
        ? {}
        : { environment: { HOME: home, XDG_CONFIG_HOME: this.#fleet.home.file(configurationFolder) } }),
      ...(this.#network ? { place: this.#network.machine(name) } : {}),
    });
    this.#workers.set(name, worker);
    this.#all.push(worker);
  }

  get(name: string): OwnWorker | undefined {
    return this.#workers.get(name);
  }

  /** What all of them have said, for whoever looks for a cause. */
  said(): string {
    return this.#all.map(({ name, said }) => `${name}:\n${said}`).join("\n");
  }

  async endAll(): Promise<void> {
    const all = [...this.#workers.values()];
    for (const worker of all) worker.signal("SIGTERM");
    await Promise.all(all.map(({ exited }) => exited));
  }
}

interface Stage extends FarStage {
  crew: Crew;
  fleet: OwnFleet;
  network: Network | undefined;
}

// Gives who was hit.
async function strike(stage: Stage, fault: Fault | CableCut): Promise<string | undefined> {
  switch (fault.target) {
    case "cable":
      return await strikeCable(stage.network, fault);
    case "redis":
      await outage(stage.fleet, fault);
      return "redis";
    case "worker":
      return await strikeWorker(stage, fault);
    default:
      return await strikeHere(stage, fault.target, fault);
  }
}

async function outage({ redis }: OwnFleet, { how, awayMs }: Fault): Promise<void> {
  if (how === "frozen") {
    process.kill(redis.pid, "SIGSTOP");
    await Bun.sleep(awayMs);
    process.kill(redis.pid, "SIGCONT");
    return;
  }
  await redis.kill();
  await Bun.sleep(awayMs);
  await redis.start();
}

async function strikeWorker({ crew, random }: Stage, { how, awayMs }: Fault): Promise<string> {
  const name = random.one(crew.names) ?? "";
  const worker = crew.get(name);
  if (how === "frozen") {
    worker?.signal("SIGSTOP");
    await Bun.sleep(awayMs);
    worker?.signal("SIGCONT");
    return name;
  }
  worker?.signal(how === "killed" ? "SIGKILL" : "SIGTERM");
  await worker?.exited;
  await Bun.sleep(awayMs);
  await crew.start(name);
  return name;
}

// Nothing waits there any more: a job that has ended may be delivered once more, and then somebody finds its result.
async function judgeQueue({ redis: { connection } }: OwnFleet, report: Report): Promise<void> {
  const key = (list: string) => `bull:fleet1-default:${list}`;
  const left = async () => {
    const lists = ["wait", "active", "paused"].map((list) => connection.lrange(key(list), 0, -1));
    return (await Promise.all([...lists, connection.zrange(key("delayed"), 0, "-1")])).flat();
  };
  let last: string[] = [];
  await eventually(
    async () => {
      last = await left();
      return last.length === 0;
    },
    () => "the queue does not get empty",
  ).catch(() => report("left", `${last.length} jobs are in the queue: ${last.slice(0, 3)}`));
}

// What stays goes by itself.
async function judgeServer({ redis: { connection } }: OwnFleet, report: Report): Promise<void> {
  // Of a worker that was killed, the next one removes what is an hour old.
  const keys = (await connection.keys("led:*")).filter((key) => !key.startsWith("led:workers:"));
  for (const key of keys) if ((await connection.pttl(key)) === -1) report("left", `${key} stays for ever`);
}
