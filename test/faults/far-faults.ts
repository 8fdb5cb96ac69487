// What rounds over several machines have in common: how their batches begin, and what is done to the processes on this machine.
import { type BatchId, batchIdSchema } from "../../src/model/batch-id.ts";
import { identityOf, signalProcess } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { Home } from "../harness.ts";
import type { BilledWork } from "./bill.ts";
import { pause } from "./blow.ts";
import type { Door } from "./door.ts";
import { type CableFault, cableFaults, type Network } from "./network.ts";
import type { Random } from "./random.ts";

/** What a round over several machines is. */
export interface FarPlan {
  seed: number;
  tasks: number;
  least: number;
  most: number;
  /** Whether the machines are network namespaces. */
  isApart: boolean;
}

/** Who can be hit on this machine. */
export type HereTarget = "runner" | "runner and keeper" | "door" | "session";

export interface FarFault {
  /** `frozen`: stopped for a while. `drained`: asked to end, and hands back what it runs. */
  how: "killed" | "frozen" | "drained" | CableFault;
  /** Between the fault before and this one, in milliseconds. */
  pauseMs: number;
  /** How long it is away, in milliseconds. */
  awayMs: number;
}

/** A round while it runs. */
export interface FarStage {
  home: Home;
  random: Random;
  door: Door;
  /** Aborted when the batch has ended. */
  over: AbortSignal;
  row(): { runner?: ProcessIdentity | undefined; keeper?: ProcessIdentity | undefined } | undefined;
}

/** Strikes with one fault after another, and notes what was hit; `strike` gives who that was. */
export async function strikeAll<Fault extends FarFault>(
  { over }: FarStage,
  faults: readonly Fault[],
  { strike, done }: { strike(fault: Fault): Promise<string | undefined>; done: string[] },
): Promise<void> {
  for (const fault of faults) {
    await pause(fault.pauseMs, over);
    if (over.aborted) return;
    const hit = await strike(fault);
    if (hit !== undefined) done.push(`${hit} ${fault.how} for ${fault.awayMs} ms`);
  }
}

/** What happens to the cable of a machine. */
export interface CableCut extends FarFault {
  target: "cable";
  how: CableFault;
  machine: string;
}

/**
 * The same faults, with some of the network in the place of others. `machines`: whose cables there are; of them, `clients` can
 * get another address.
 */
export function withCables<Fault extends FarFault>(
  faults: readonly Fault[],
  { machines, clients, random }: { machines: readonly string[]; clients: readonly string[]; random: Random },
): (Fault | CableCut)[] {
  return faults.map(({ ...fault }) => {
    if (random.chance(0.45)) return fault;
    const how = random.one(cableFaults) ?? "unplugged";
    const machine = random.one(how === "moved" ? clients : machines) ?? "";
    return { pauseMs: fault.pauseMs, awayMs: fault.awayMs, target: "cable", how, machine };
  });
}

/** Does it, and gives whose cable it was. */
export async function strikeCable(
  network: Network | undefined,
  { machine, how, awayMs }: CableCut,
): Promise<string> {
  await network?.machine(machine).suffer(how, awayMs);
  return `cable of ${machine}`;
}

/** Strikes on this machine, and gives who was hit. */
export async function strikeHere(
  stage: FarStage,
  target: HereTarget,
  fault: FarFault,
): Promise<string | undefined> {
  return (await hitAll(processesOf(stage, target), fault)) ? target : undefined;
}

function processesOf(
  { home, random, door, row }: FarStage,
  target: HereTarget,
): readonly (ProcessIdentity | undefined)[] {
  const { runner, keeper } = row() ?? {};
  switch (target) {
    case "runner":
      return [runner];
    case "runner and keeper":
      return [keeper, runner];
    case "door":
      return [identityOf(door.pid)];
    case "session": {
      const sessions = home.processes().filter(({ command }) => /--session-id/.test(command));
      const pid = random.one(sessions)?.pid;
      return [pid === undefined ? undefined : identityOf(pid)];
    }
  }
}

/** Whether any of these was hit. */
export async function hitAll(
  targets: readonly (ProcessIdentity | undefined)[],
  { how, awayMs }: FarFault,
): Promise<boolean> {
  const living = targets.filter((one) => one !== undefined);
  const signal = how === "frozen" ? "SIGSTOP" : "SIGKILL";
  const hit = living.filter((one) => signalProcess(one, signal)).length;
  if (how === "frozen") {
    await Bun.sleep(awayMs);
    for (const one of living) signalProcess(one, "SIGCONT");
  }
  return hit > 0;
}

/** Begins the batch of a round. `where`: the options that say on which machines it runs. */
export async function begin(
  door: Door,
  works: readonly BilledWork[],
  where: Record<string, unknown>,
): Promise<BatchId> {
  const { data, text } = await door.call("spawn_parallel_claude_sessions", {
    tasks: works.map(({ prompt }) => prompt),
    ...where,
    // More than a round has faults that end sessions.
    retries: 10,
    asyncMode: true,
  });
  const batchId = batchIdSchema.safeParse(data?.["batchId"]);
  if (!batchId.success) throw new Error(`The batch did not begin: ${text}`);
  return batchId.data;
}
