// What runners share in the store, as one of them reads and writes it: on a full disk it knows less, but continues.
import type { BatchId } from "../../model/batch-id.ts";
import type { WaitReason } from "../../model/wait-reason.ts";
import type { Capacity } from "../../store/capacity.ts";
import type { Holds } from "../../store/holds.ts";
import type { LoginProofs } from "../../store/login-proofs.ts";
import type { MachineSlots } from "../../store/machine-slots.ts";
import type { Prefixes } from "../../store/prefixes.ts";
import type { Store } from "../../store/store.ts";
import { bestEffort, type LateWrites } from "./late-writes.ts";

/** What machine and account have turned out to allow. */
export type SharedCapacity = Pick<
  Capacity,
  "changePace" | "pace" | "footprint" | "setFootprint" | "setLoad" | "otherLoads"
>;

export function sharedCapacity(capacity: Capacity, late: LateWrites): SharedCapacity {
  return {
    pace: (account) => capacity.pace(account),
    footprint: (footprintKey) => capacity.footprint(footprintKey),
    otherLoads: (batchId) => capacity.otherLoads(batchId),
    // What one reply or throttle has shown will be learned again.
    changePace: (account, change) => bestEffort(() => capacity.changePace(account, change), ""),
    setFootprint: (footprintKey, bytes) =>
      late.write(`footprint ${footprintKey}`, () => capacity.setFootprint(footprintKey, bytes)),
    setLoad: (batchId, holder, load) =>
      late.write(`load ${batchId}`, () => capacity.setLoad(batchId, holder, load)),
  };
}

/** The holds of an account. */
export type SharedHolds = Pick<Holds, "all" | "place" | "claimProbe" | "adoptProbe" | "endProbe" | "lift">;

/** `account`: whose they are, if the process has those of several. */
export function sharedHolds(holds: Holds, late: LateWrites, account = ""): SharedHolds {
  const nameOf = ({ kind, model }: { kind: string; model: string }) => `${account} ${kind} ${model}`;
  return {
    all: () => holds.all(),
    // A runner that cannot claim the probe leaves it to another one, or to a later moment.
    claimProbe: (named, prober, now, how) =>
      bestEffort(() => holds.claimProbe(named, prober, now, how), false),
    adoptProbe: (named, prober, startedAt) =>
      bestEffort(() => holds.adoptProbe(named, prober, startedAt), false),
    place: (hold) => late.write(`hold ${nameOf(hold)}`, () => holds.place(hold)),
    lift: (hold) => late.write(`hold ${nameOf(hold)}`, () => holds.lift(hold)),
    endProbe: (hold) => late.write(`probe ${nameOf(hold)}`, () => holds.endProbe(hold)),
  };
}

/** Whether the login of the account has been seen to work. */
export type SharedProofs = Pick<LoginProofs, "isProven" | "keep" | "lose">;

export function sharedProofs(proofs: LoginProofs, late: LateWrites): SharedProofs {
  return {
    isProven: (now) => proofs.isProven(now),
    keep: (now) => late.write("proof", () => proofs.keep(now)),
    lose: () => late.write("proof", () => proofs.lose()),
  };
}

/** What the cache of the API has, or gets, for the account. */
export type SharedPrefixes = Pick<Prefixes, "all" | "lead" | "keep" | "free">;

export function sharedPrefixes(prefixes: Prefixes, late: LateWrites): SharedPrefixes {
  return {
    // A runner that cannot read or store it leads its own tasks.
    all: () => bestEffort(() => prefixes.all(), new Map()),
    lead: (prefix, batchId, span) => bestEffort(() => prefixes.lead(prefix, batchId, span), true),
    keep: (prefix, span) => late.write(`prefix ${prefix}`, () => prefixes.keep(prefix, span)),
    free: (prefix, batchId) => late.write(`prefix ${prefix}`, () => prefixes.free(prefix, batchId)),
  };
}

/** Slots of the account, or of the machine. */
export type SharedSlots = Pick<
  MachineSlots,
  | "claim"
  | "claimUnwaited"
  | "release"
  | "yields"
  | "surplus"
  | "stopWaiting"
  | "taken"
  | "inherit"
  | "force"
  | "releaseAll"
>;

export function sharedSlots(slots: MachineSlots, pool: string, late: LateWrites): SharedSlots {
  return {
    yields: () => slots.yields(),
    surplus: () => slots.surplus(),
    taken: () => slots.taken(),
    // Nothing starts without one.
    claim: () => bestEffort(() => slots.claim(), undefined),
    claimUnwaited: () => bestEffort(() => slots.claimUnwaited(), undefined),
    release: (slot) => late.write(`slot ${slot}`, () => slots.release(slot)),
    stopWaiting: () => late.write(`waiter ${pool}`, () => slots.stopWaiting()),
    releaseAll: () => late.write(`slots ${pool}`, () => slots.releaseAll()),
    // For sessions that run already: a runner that cannot store them fails, and is restarted later.
    inherit: () => slots.inherit(),
    force: () => slots.force(),
  };
}

/** The row of the batch, except what derives from the log. */
export type SharedRow = Pick<Store, "setAlive" | "setActivities" | "setHeld">;

export function sharedRow(store: Store, late: LateWrites): SharedRow {
  return {
    // False means that another runner has the batch; a failed query does not.
    setAlive: (batchId: BatchId, epoch: number, at: number) =>
      bestEffort(() => store.setAlive(batchId, epoch, at), true),
    setActivities: (batchId: BatchId, activities: ReadonlyMap<number, string | undefined>) =>
      bestEffort(() => store.setActivities(batchId, activities), undefined),
    setHeld: (batchId: BatchId, held: WaitReason | undefined) =>
      late.write(`held ${batchId}`, () => store.setHeld(batchId, held)),
  };
}
