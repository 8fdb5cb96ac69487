// One round with a batch on two machines: what is done to the connections, to the keepers there and to the submitter while it runs,
// and whether what was billed is what the tasks are said to have cost.
import { type BatchId, batchIdSchema } from "../../src/model/batch-id.ts";
import { identityOf, signalProcess } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { eventually, Home, killAllOf } from "../harness.ts";
import { OwnSshd } from "../own-sshd.ts";
import { type BilledWork, billedWorkOf, judgeBill } from "./bill.ts";
import { pause } from "./blow.ts";
import { Door } from "./door.ts";
import { Random } from "./random.ts";
import { type Round, untilEnded } from "./round.ts";
import { judgeLog, judgeProcesses, judgeRow, type Report, startsOf, type Violation } from "./verdict.ts";

/** Who is hit; of `line`, all connections of a machine, which nobody can reach for a while. */
type Target = "line" | "relay" | "far keeper" | "runner" | "runner and keeper" | "door" | "session";

interface Fault {
  target: Target;
  how: "killed" | "frozen";
  /** Between the fault before and this one, in milliseconds. */
  pauseMs: number;
  /** How long it is away, in milliseconds. */
  awayMs: number;
}

interface HostsPlan {
  seed: number;
  tasks: number;
  least: number;
  most: number;
}

const leaseSeconds = 2;

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runHostsRound({ seed, tasks, least, most }: HostsPlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const works = Array.from({ length: tasks }, (_, index) => billedWorkOf(index + 1, random));
  const faults = Array.from({ length: random.between(least, most) }, () => faultFrom(random));
  const home = new Home({
    PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1",
    PARALLEL_CLAUDE_HOST_LEASE_SECONDS: String(leaseSeconds),
    PARALLEL_CLAUDE_CONCURRENCY: "6",
  });
  const boxes = [await OwnSshd.start(home, "box1"), await OwnSshd.start(home, "box2")];
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const door = await Door.open(home);
  const batchId = await begin(door, works, home.work);
  const over = new AbortController();
  const done: string[] = [];
  let interrupted = 0;
  let figures = { attempts: 0, processes: 0, adoptions: 0, epochs: 0 };
  {
    using store = home.store();
    const stage = { home, boxes, random, over: over.signal, door, row: () => store.row(batchId) };
    const [end] = await Promise.all([
      untilEnded(door, batchId).finally(() => over.abort()),
      strikeAll(stage, faults, done),
    ]);
    violations.push(...end.violations);
    interrupted = end.interrupted;
    await door[Symbol.asyncDispose]();
    const state = store.batch(batchId)?.state;
    if (!state) throw new Error(`no batch ${batchId}`);
    const mayBeLost = faults.some(({ target }) => target === "session");
    done.push(judgeBill(home, state, { works, mayBeLost }, report));
    // What has ended is forgotten there, and nothing of it runs.
    for (const box of boxes) {
      // A connection that has just been made again says so once more.
      await eventually(
        () => box.transcripts().length === 0,
        () => "they stay",
      ).catch(() => report("left", `${box.transcripts().length} transcripts are on ${box.name}`));
      await box.cut();
    }
    endKeepers(home);
    await judgeProcesses({ home, store }, report);
    judgeRow({ home, store, batchId }, state, report);
    figures = { ...startsOf(state), ...judgeLog({ home, store, batchId }, tasks, report) };
  }
  if (violations.length > 0) killAllOf(home);
  else await home[Symbol.asyncDispose]();
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

// They would stay for a minute, because somebody may come back.
function endKeepers(home: Home): void {
  const keepers = home.processes().filter(({ command }) => command.includes(" __host "));
  for (const keeper of keepers.flatMap(({ pid }) => identityOf(pid) ?? [])) signalProcess(keeper, "SIGKILL");
}

function faultFrom(random: Random): Fault {
  const target = random.weighted<Target>([
    [6, "line"],
    [3, "relay"],
    [4, "far keeper"],
    [3, "runner"],
    [2, "runner and keeper"],
    [1, "door"],
    [1, "session"],
  ]);
  const mayFreeze = target === "far keeper" || target === "runner";
  const how = mayFreeze && random.chance(0.4) ? "frozen" : "killed";
  // The lease is two seconds.
  const awayMs = random.chance(0.6) ? random.between(50, 1_500) : random.between(1_500, 9_000);
  return { target, how, pauseMs: random.between(50, 2_500), awayMs };
}

interface Stage {
  home: Home;
  boxes: readonly OwnSshd[];
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
  const { boxes, door, home, random, row } = stage;
  const box = random.one(boxes);
  if (!box) return undefined;
  const { runner, keeper } = row() ?? {};
  const hits = async (what: string, targets: readonly (ProcessIdentity | undefined)[]) =>
    (await hitAll(targets, fault)) ? what : undefined;
  switch (fault.target) {
    case "line":
      await box.cut();
      await Bun.sleep(fault.awayMs);
      await box.up();
      return `line to ${box.name}`;
    case "relay":
      return await hits(`relay on ${box.name}`, box.connections().map(identityOf));
    case "far keeper":
      return await hits(`keeper on ${box.name}`, [
        box.keeper === undefined ? undefined : identityOf(box.keeper),
      ]);
    case "runner":
      return await hits("runner", [runner]);
    case "runner and keeper":
      return await hits("runner and keeper", [keeper, runner]);
    case "door":
      return await hits("door", [identityOf(door.pid)]);
    case "session": {
      const sessions = home.processes().filter(({ command }) => /--session-id/.test(command));
      const pid = random.one(sessions)?.pid;
      return await hits("session", [pid === undefined ? undefined : identityOf(pid)]);
    }
  }
}

async function hitAll(
  targets: readonly (ProcessIdentity | undefined)[],
  { how, awayMs }: Fault,
): Promise<boolean> {
  const living = targets.filter((one) => one !== undefined);
  const hit = living.filter((one) => signalProcess(one, how === "frozen" ? "SIGSTOP" : "SIGKILL")).length;
  if (how === "frozen") {
    await Bun.sleep(awayMs);
    for (const one of living) signalProcess(one, "SIGCONT");
  }
  return hit > 0;
}

async function begin(door: Door, works: readonly BilledWork[], directory: string): Promise<BatchId> {
  const { data, text } = await door.call("spawn_parallel_claude_sessions", {
    tasks: works.map(({ prompt }) => prompt),
    hosts: ["box1", "box2"],
    workingDirectory: `*:${directory}`,
    concurrency: 12,
    // More than a round has faults that end sessions.
    retries: 10,
    asyncMode: true,
  });
  const batchId = batchIdSchema.safeParse(data?.["batchId"]);
  if (!batchId.success) throw new Error(`The batch did not begin: ${text}`);
  return batchId.data;
}
