// One round with a batch on a fleet: what is done to its Redis, its workers and its submitter while it runs, and whether what was
// billed is what the tasks are said to have cost.
import { z } from "zod";
import { type BatchId, batchIdSchema } from "../../src/model/batch-id.ts";
import type { BatchState, TaskState } from "../../src/model/state.ts";
import { identityOf, signalProcess } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { notes } from "../fake-notes.ts";
import { OwnFleet, type OwnWorker } from "../fleet/own-fleet.ts";
import { eventually, type Home, killAllOf } from "../harness.ts";
import { pause } from "./blow.ts";
import { Door } from "./door.ts";
import { Random } from "./random.ts";
import { type Round, untilEnded } from "./round.ts";
import { judgeLog, judgeProcesses, judgeRow, type Report, startsOf, type Violation } from "./verdict.ts";

/** Who is hit. */
type Target = "redis" | "worker" | "runner" | "runner and keeper" | "door" | "session";

interface Fault {
  target: Target;
  /** `frozen`: stopped for a while. `drained`: asked to end, and hands back what it runs. */
  how: "killed" | "frozen" | "drained";
  /** Between the fault before and this one, in milliseconds. */
  pauseMs: number;
  /** How long it is away, in milliseconds. */
  awayMs: number;
}

interface FleetPlan {
  seed: number;
  tasks: number;
  least: number;
  most: number;
}

/** What a task says, and what each of its sessions costs, in US dollars. */
interface Work {
  prompt: string;
  answer: string;
  costUsd: number;
}

const names = ["box-1", "box-2", "box-3"];
const slots = 4;

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runFleetRound({ seed, tasks, least, most }: FleetPlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const works = Array.from({ length: tasks }, (_, index) => workOf(index + 1, random));
  const faults = Array.from({ length: random.between(least, most) }, () => faultFrom(random));
  const fleet = await OwnFleet.create();
  const { home } = fleet;
  home.set({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1" });
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const crew = new Crew(fleet);
  await crew.startAll();
  const door = await Door.open(home);
  const batchId = await begin(door, works);
  const over = new AbortController();
  const done: string[] = [];
  let interrupted = 0;
  let figures = { attempts: 0, processes: 0, adoptions: 0, epochs: 0 };
  {
    using store = home.store();
    const stage = { home, crew, fleet, random, over: over.signal, door, row: () => store.row(batchId) };
    const [end] = await Promise.all([
      untilEnded(door, batchId).finally(() => over.abort()),
      strikeAll(stage, faults, done),
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
    done.push(judgeBill(home, state, { works, faults }, report));
    await judgeServer(fleet, report);
  }
  if (violations.length > 0) {
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

function workOf(number: number, random: Random): Work {
  const answer = `answer of task ${number}.`;
  // So that each task can be told apart by its cost alone.
  const costUsd = Math.round(100 + number) / 1_000;
  const sleep = random.weighted([
    [3, 0],
    [5, random.between(0, 1_500)],
    [2, random.between(1_500, 5_000)],
  ]);
  return {
    prompt: `[[cost usd=${costUsd}]] [[sleep ms=${sleep}]] [[answer text="${answer}"]]`,
    answer,
    costUsd,
  };
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
  readonly #fleet: OwnFleet;
  readonly #workers = new Map<string, OwnWorker>();

  constructor(fleet: OwnFleet) {
    this.#fleet = fleet;
  }

  async startAll(): Promise<void> {
    for (const name of names) await this.start(name);
  }

  // A worker that finds no Redis says so, and waits.
  async start(name: string): Promise<void> {
    const more = ["--drain-seconds", "0"];
    const worker = await this.#fleet.worker(name, { slots, more, isAwaited: false });
    this.#workers.set(name, worker);
  }

  get(name: string): OwnWorker | undefined {
    return this.#workers.get(name);
  }

  async endAll(): Promise<void> {
    const all = [...this.#workers.values()];
    for (const worker of all) worker.signal("SIGTERM");
    await Promise.all(all.map(({ exited }) => exited));
  }
}

interface Stage {
  home: Home;
  crew: Crew;
  fleet: OwnFleet;
  random: Random;
  door: Door;
  over: AbortSignal;
  row(): { runner?: ProcessIdentity | undefined; keeper?: ProcessIdentity | undefined } | undefined;
}

async function strikeAll(stage: Stage, faults: readonly Fault[], done: string[]): Promise<void> {
  for (const fault of faults) {
    await pause(fault.pauseMs, stage.over);
    if (stage.over.aborted) return;
    const hit = await strike(stage, fault);
    if (hit !== undefined) done.push(`${hit} ${fault.how} for ${fault.awayMs} ms`);
  }
}

// Gives who was hit.
async function strike(stage: Stage, fault: Fault): Promise<string | undefined> {
  const { fleet, door, home, random } = stage;
  const { runner, keeper } = stage.row() ?? {};
  switch (fault.target) {
    case "redis":
      await outage(fleet, fault);
      return "redis";
    case "worker":
      return await strikeWorker(stage, fault);
    case "runner":
      return (await hitAll([runner], fault)) ? "runner" : undefined;
    case "runner and keeper":
      return (await hitAll([keeper, runner], fault)) ? "runner and keeper" : undefined;
    case "door":
      return (await hitAll([identityOf(door.pid)], fault)) ? "door" : undefined;
    case "session": {
      const sessions = home.processes().filter(({ command }) => /--session-id/.test(command));
      const pid = random.one(sessions)?.pid;
      return pid !== undefined && (await hitAll([identityOf(pid)], fault)) ? "session" : undefined;
    }
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
  const name = random.one(names) ?? "box-1";
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

async function hitAll(targets: (ProcessIdentity | undefined)[], { how, awayMs }: Fault): Promise<boolean> {
  const living = targets.filter((one) => one !== undefined);
  const signal = how === "frozen" ? "SIGSTOP" : "SIGKILL";
  const hit = living.filter((one) => signalProcess(one, signal)).length;
  if (how === "frozen") {
    await Bun.sleep(awayMs);
    for (const one of living) signalProcess(one, "SIGCONT");
  }
  return hit > 0;
}

async function begin(door: Door, works: readonly Work[]): Promise<BatchId> {
  const { data, text } = await door.call("spawn_parallel_claude_sessions", {
    tasks: works.map(({ prompt }) => prompt),
    fleet: "team",
    concurrency: 60,
    // More than a round has faults that end sessions.
    retries: 10,
    asyncMode: true,
  });
  const batchId = batchIdSchema.safeParse(data?.["batchId"]);
  if (!batchId.success) throw new Error(`The batch did not begin: ${text}`);
  return batchId.data;
}

const ended = z.object({ kind: z.literal("succeeded"), text: z.string().optional() });

interface Billed {
  works: readonly Work[];
  faults: readonly Fault[];
}

// What the sessions have cost, by their own notes, against what the batch says. Gives the sums in words.
function judgeBill(home: Home, { tasks }: BatchState, { works, faults }: Billed, report: Report): string {
  const all = notes(home);
  // What ends no worker and stops none for long has no part in what runs twice.
  const isHarmless = faults.every(
    ({ target, how, awayMs }) =>
      target !== "session" && (target !== "worker" || (how === "frozen" && awayMs < 3_000)),
  );
  const sums = { asked: 0, billed: 0, said: 0, unknown: 0 };
  for (const [index, work] of works.entries()) {
    const of = (kind: string) =>
      all.filter((note) => note.kind === kind && note.prompt === work.prompt).length;
    const [asked, results] = [of("prompt"), of("result")];
    const task = tasks[index];
    if (task) judgeTask(task, work, { asked, results, mayBeLost: !isHarmless }, report);
    const { costUsd = 0, atLeast = false } = task ? usageOf(task) : {};
    sums.asked += asked;
    sums.billed += results * work.costUsd;
    sums.said += costUsd;
    if (atLeast) sums.unknown++;
  }
  if (isHarmless && sums.asked > works.length)
    report(
      "twice",
      `${sums.asked} sessions were asked for ${works.length} tasks, although no worker was hit`,
    );
  return `${sums.asked} sessions asked, $${sums.billed.toFixed(3)} billed, $${sums.said.toFixed(3)} said, of which ${sums.unknown} tasks as a lower bound`;
}

function usageOf(task: TaskState): { costUsd: number; atLeast: boolean } {
  const usages = task.attempts.flatMap(({ usage }) => usage ?? []);
  return {
    costUsd: usages.reduce((sum, { costUsd }) => sum + costUsd, 0),
    atLeast: usages.some(({ atLeast }) => atLeast === true),
  };
}

function judgeTask(
  task: TaskState,
  { answer, costUsd: each }: Work,
  { asked, results, mayBeLost }: { asked: number; results: number; mayBeLost: boolean },
  report: Report,
): void {
  const { number } = task;
  const end = ended.safeParse(task.status === "done" ? task.outcome : undefined);
  if (!end.success) {
    const as = task.status === "done" ? JSON.stringify(task.outcome).slice(0, 300) : task.status;
    report(
      task.status !== "done" ? "stuck" : results > 0 ? "lost" : "wrong",
      `task ${number} ended as ${as}`,
    );
    return;
  }
  if (end.data.text !== undefined && end.data.text !== answer)
    report("wrong", `task ${number} was answered ${end.data.text}`);
  const { costUsd, atLeast } = usageOf(task);
  const billed = each * results;
  const cents = 1e-9;
  const says = `task ${number}: ${asked} asked, ${results} answered, ${billed} billed, ${costUsd} said${atLeast ? " at least" : ""}`;
  if (costUsd > billed + cents) report("wrong", `more than was billed, ${says}`);
  if (costUsd < each - cents) report("wrong", `less than its answer has cost, ${says}`);
  if (costUsd < billed - cents && !atLeast)
    report("wrong", `less than was billed, and not as a lower bound, ${says}`);
  if (asked === 1 && atLeast && !mayBeLost) report("wrong", `a lower bound although it ran once, ${says}`);
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
