// The parts of a runner that only a batch on a fleet has.
import type { BatchFleet } from "../../model/fleet.ts";
import { mostAtOnce } from "../../model/options.ts";
import type { WaitReason } from "../../model/wait-reason.ts";
import type { Layout } from "../../store/layout.ts";
import { cancelQueued } from "../attempt/attempt-events.ts";
import { Admission } from "../scheduler/admission.ts";
import { Slots } from "../scheduler/slots.ts";
import type { SpentSince } from "../scheduler/spend-limit.ts";
import { StartBackoff } from "../scheduler/start-backoff.ts";
import type { Attempts } from "./attempts.ts";
import { FleetAttempts } from "./fleet-attempts.ts";
import { FleetLink, fleetSlotSource } from "./fleet-link.ts";
import type { RunnerLog } from "./runner-log.ts";

/** Tasks of a fleet are admitted by what it can take, and not by what this machine can run. */
export interface FleetParts {
  link: FleetLink;
  attempts: FleetAttempts;
  admission: Admission;
  slots: Slots;
  /** A slot for an attempt that runs already. */
  forceSlot(): number;
}

interface Surroundings {
  log: RunnerLog;
  layout: Layout;
  attempts: Attempts;
  report(reason: WaitReason | undefined): void;
  /** What all batches have cost since a time. */
  spentSince: SpentSince;
  giveUpStarting(because: string): void;
  failed(error: unknown): void;
  /** Called when other workers may be there. */
  changed(): void;
}

/** Connects to nothing yet. Nothing of this machine limits what a fleet runs, but for the disk, on which results are written. */
export function fleetParts(
  fleet: BatchFleet,
  { log, layout, attempts, report, spentSince, giveUpStarting, failed, changed }: Surroundings,
): FleetParts {
  const link = new FleetLink(fleet, changed);
  const source = fleetSlotSource(() => link.mostJobs());
  const slots = new Slots(() => mostAtOnce(log.state.batch), source);
  const endless = fleetSlotSource(() => Number.POSITIVE_INFINITY);
  const admission = new Admission({
    state: () => log.state,
    layout,
    dueAt: (number) => attempts.dueAt(number),
    slots,
    starts: new Slots(Number.POSITIVE_INFINITY, endless),
    startBackoff: new StartBackoff(Number.POSITIVE_INFINITY),
    // The workers have their own, of their own accounts.
    holds: { stopping: () => undefined, claim: () => true, release: () => undefined },
    login: { ended: () => undefined },
    host: { whyWait: () => link.whyWait() },
    pool: { has: () => false, reserve: () => undefined, patienceMs: () => 0, release: () => undefined },
    report,
    spentSince,
    budgetSpent: () => void log.tryAppend((state) => cancelQueued(state, "budget")),
    giveUpStarting,
  });
  const fleetAttempts = new FleetAttempts({ log, layout, attempts, link, failed });
  return { link, attempts: fleetAttempts, admission, slots, forceSlot: () => source.force() };
}
