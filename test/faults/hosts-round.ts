// One round with a batch on two machines: what is done to the connections, to the keepers there and to the submitter while it runs,
// and whether what was billed is what the tasks are said to have cost.
import { identityOf, signalProcess } from "../../src/platform/process.ts";
import { eventually, Home, killAllOf } from "../harness.ts";
import { OwnSshd } from "../own-sshd.ts";
import { billedWorkOf, judgeBill } from "./bill.ts";
import { Door } from "./door.ts";
import {
  begin,
  type CableCut,
  type FarFault,
  type FarPlan,
  type FarStage,
  type HereTarget,
  hitAll,
  strikeAll,
  strikeCable,
  strikeHere,
  withCables,
} from "./far-faults.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { farPatienceMs, type Round, untilEnded } from "./round.ts";
import { judgeLog, judgeProcesses, judgeRow, type Report, startsOf, type Violation } from "./verdict.ts";

/** Who is hit; of `line`, all connections of a machine, which nobody can reach for a while. */
type Target = "line" | "relay" | "far keeper" | HereTarget;

interface Fault extends FarFault {
  target: Target;
  how: "killed" | "frozen";
}

const leaseSeconds = 2;
const names = ["box1", "box2"];

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runHostsRound({ seed, tasks, least, most, isApart }: FarPlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const works = Array.from({ length: tasks }, (_, index) => billedWorkOf(index + 1, random));
  const usual = Array.from({ length: random.between(least, most) }, () => faultFrom(random));
  const faults = isApart
    ? withCables(usual, { machines: ["home", ...names], clients: ["home"], random })
    : usual;
  using network = isApart ? await Network.of(["home", ...names]) : undefined;
  const home = new Home({
    PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1",
    PARALLEL_CLAUDE_HOST_LEASE_SECONDS: String(leaseSeconds),
    PARALLEL_CLAUDE_CONCURRENCY: "6",
  });
  if (network) home.enter = network.machine("home").enter;
  const boxes: OwnSshd[] = [];
  for (const name of names) {
    const elsewhere = network ? { HOME: home.elsewhere(name) } : {};
    boxes.push(await OwnSshd.start(home, name, elsewhere, network?.machine(name)));
  }
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const door = await Door.open(home);
  const batchId = await begin(door, works, {
    hosts: names,
    workingDirectory: `*:${home.work}`,
    concurrency: 12,
  });
  const over = new AbortController();
  const done: string[] = [];
  let interrupted = 0;
  let figures = { attempts: 0, processes: 0, adoptions: 0, epochs: 0 };
  {
    using store = home.store();
    const stage = { home, boxes, network, random, over: over.signal, door, row: () => store.row(batchId) };
    const [end] = await Promise.all([
      untilEnded(door, batchId, farPatienceMs).finally(() => over.abort()),
      strikeAll(stage, faults, { strike: (fault) => strike(stage, fault), done }),
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

interface Stage extends FarStage {
  boxes: readonly OwnSshd[];
  network: Network | undefined;
}

// Gives who was hit.
async function strike(stage: Stage, fault: Fault | CableCut): Promise<string | undefined> {
  const box = stage.random.one(stage.boxes);
  if (!box) return undefined;
  switch (fault.target) {
    case "cable":
      return await strikeCable(stage.network, fault);
    case "line":
      await box.cut();
      await Bun.sleep(fault.awayMs);
      await box.up();
      return `line to ${box.name}`;
    case "relay":
      return (await hitAll(box.connections().map(identityOf), fault)) ? `relay on ${box.name}` : undefined;
    case "far keeper": {
      const keeper = box.keeper === undefined ? undefined : identityOf(box.keeper);
      return (await hitAll([keeper], fault)) ? `keeper on ${box.name}` : undefined;
    }
    default:
      return await strikeHere(stage, fault.target, fault);
  }
}
