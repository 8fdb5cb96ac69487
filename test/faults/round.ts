// One round: a batch, what is done to it while it runs, and what has become of it.
import { existsSync, readdirSync, rmSync } from "node:fs";
import type { BatchId } from "../../src/model/batch-id.ts";
import { livenessOf } from "../../src/platform/process.ts";
import { Home, killAllOf } from "../harness.ts";
import { pause, type Stage, strike } from "./blow.ts";
import { Door } from "./door.ts";
import { type Fault, faultsOf, faultText } from "./plan.ts";
import { Random } from "./random.ts";
import { disturb, prepare, type Surroundings } from "./surroundings.ts";
import { type Work, workOf } from "./tasks.ts";
import { judge, type Verdict, type Violation } from "./verdict.ts";

export interface RoundPlan {
  seed: number;
  tasks: number;
  /** Faults in a round, the ends included. */
  least: number;
  most: number;
  /** What goes wrong around its processes. */
  around?: Surroundings;
  /** Whether a process may run several tasks; drawn unless it is said. */
  reuseSessions?: ReuseSessions | undefined;
}

export type ReuseSessions = "auto" | "never";

export interface Round extends Verdict {
  seed: number;
  reuseSessions: ReuseSessions;
  faults: string[];
  /** Servers that the client needed. */
  doors: number;
  /** Answers that called a batch interrupted. */
  interrupted: number;
  seconds: number;
  /** Where everything is kept of a round that went wrong. */
  kept?: string;
}

/** A batch that has not ended after this is stuck, in milliseconds. Retries wait up to half a minute each. */
export const patienceMs = 180_000;
/** The same of a round over several machines, whose faults take longer, on a machine that does much else. */
export const farPatienceMs = 600_000;

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runRound({
  seed,
  tasks,
  least,
  most,
  around = "calm",
  reuseSessions = reuseDrawn(seed),
}: RoundPlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const works = Array.from({ length: tasks }, (_, index) => workOf(index + 1, random));
  const faults = faultsOf(random, { least, most });
  const asyncMode = random.chance(0.75);
  const home = new Home({
    PARALLEL_CLAUDE_CONCURRENCY: "16",
    // A sync batch is handed over after a second, and what happens to it before is another matter.
    PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1",
  });
  using _prepared = prepare(around, home);
  await using door = await Door.open(home);
  const batchId = await begin(door, { works, asyncMode, reuseSessions });
  const over = new AbortController();
  using store = home.store();
  const stage: Stage = { home, store, batchId, doorPid: () => door.pid, over: over.signal, random };
  const done: string[] = [];
  if (around === "state removed")
    return await removed({ stage, over, door, faults, done, seed, began, reuseSessions });
  // Drawn apart, so that the blows of a seed are the same in all surroundings.
  const chance = new Random(seed ^ 0x5a5a5a5a);
  const [end, , disturbances] = await Promise.all([
    untilEnded(door, batchId).finally(() => over.abort()),
    strikeAll(stage, faults, done),
    disturb(around, { home, random: chance, over: over.signal }),
  ]);
  await door[Symbol.asyncDispose]();
  const verdict = await judge({ home, store, batchId, works });
  const violations: Violation[] = [...end.violations, ...verdict.violations];
  // Of a round that went wrong, files stay to be looked at; what still runs must not disturb the next one.
  if (violations.length === 0) await home[Symbol.asyncDispose]();
  else killAllOf(home);
  return {
    ...verdict,
    violations,
    seed,
    reuseSessions,
    faults: [...done, ...disturbances],
    doors: door.connections,
    interrupted: end.interrupted,
    seconds: (performance.now() - began) / 1000,
    ...(violations.length > 0 ? { kept: home.path } : {}),
  };
}

interface Removal {
  stage: Stage;
  over: AbortController;
  door: Door;
  faults: Fault[];
  done: string[];
  seed: number;
  began: number;
  reuseSessions: ReuseSessions;
}

// Somebody removes the state directory while the batch runs: what runs may end, nothing stays, and nothing comes back.
async function removed({
  stage,
  over,
  door,
  faults,
  done,
  seed,
  began,
  reuseSessions,
}: Removal): Promise<Round> {
  const { home, store, batchId, random } = stage;
  setTimeout(() => over.abort(), random.between(200, 4_000));
  await strikeAll(stage, faults, done);
  // What lost its processes is resumed first: of sessions that nobody looks after, nobody ends what they leave.
  const isRun = () => {
    const { runner, endedAt } = store.row(batchId) ?? {};
    return endedAt !== undefined || (runner !== undefined && livenessOf(runner) === "alive");
  };
  do await door.call("wait_for_batch", { batchId, waitSeconds: 1 });
  while (!isRun());
  rmSync(home.state, { recursive: true, force: true });
  done.push("state directory removed");
  await door[Symbol.asyncDispose]();
  const violations: Violation[] = [];
  await home.empty().catch((error) => violations.push({ kind: "left", what: String(error) }));
  if (existsSync(home.state))
    violations.push({ kind: "wrong", what: `${home.state} is there again: ${readdirSync(home.state)}` });
  if (violations.length === 0) await home[Symbol.asyncDispose]();
  else killAllOf(home);
  return {
    violations,
    seed,
    reuseSessions,
    faults: done,
    attempts: 0,
    processes: 0,
    adoptions: 0,
    epochs: 0,
    doors: door.connections,
    interrupted: 0,
    seconds: (performance.now() - began) / 1000,
    ...(violations.length > 0 ? { kept: home.path } : {}),
  };
}

/** Drawn apart, so that all else of a seed stays what it was. */
export function reuseDrawn(seed: number): ReuseSessions {
  return new Random(seed ^ 0x3c3c3c3c).chance(0.5) ? "auto" : "never";
}

interface Begun {
  works: Work[];
  asyncMode: boolean;
  reuseSessions: ReuseSessions;
}

async function begin(door: Door, { works, asyncMode, reuseSessions }: Begun): Promise<BatchId> {
  const { data, text } = await door.call("spawn_parallel_claude_sessions", {
    tasks: works.map(({ prompt }) => prompt),
    // More than a round has faults that end sessions, so that chance uses up nobody's attempts.
    retries: 10,
    asyncMode,
    reuseSessions,
  });
  const batchId = data?.["batchId"];
  if (typeof batchId !== "string") throw new Error(`The batch did not begin: ${text}`);
  return batchId as BatchId;
}

/** Strikes with all faults, one after another, and notes those that hit somebody. */
export async function strikeAll(stage: Stage, faults: Fault[], done: string[]): Promise<void> {
  for (const fault of faults) {
    const hit = await strike(stage, fault);
    if (hit > 0) done.push(faultText(fault));
  }
}

/** Asks again and again, as a model does: each call resumes what lost its processes. What has paused is continued. */
export async function untilEnded(
  door: Door,
  batchId: BatchId,
  patience = patienceMs,
): Promise<{ violations: Violation[]; interrupted: number }> {
  const deadline = performance.now() + patience;
  let interrupted = 0;
  let last = "";
  while (performance.now() < deadline) {
    const { data, text } = await door.call("wait_for_batch", { batchId, waitSeconds: 1 });
    last = text;
    const state = data?.["state"];
    if (state === "finished") return { violations: [], interrupted };
    if (state === "cancelled") {
      return { violations: [{ kind: "lost", what: `the batch was cancelled: ${text}` }], interrupted };
    }
    if (state === "paused") await door.call("continue_batch", { batchId });
    else if (state === "interrupted") interrupted++;
    if (state !== "running") await pause(100, AbortSignal.timeout(1_000));
  }
  const what = `the batch has not ended after ${patience / 1000} s: ${last}`;
  return { violations: [{ kind: "stuck", what }], interrupted };
}
