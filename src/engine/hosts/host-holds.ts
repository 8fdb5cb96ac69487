// The holds of a batch on several machines: each has an account of its own, so what one has met says nothing about the others.
import type { Hold } from "../../store/holds.ts";
import type { AccountHolds, Ended, HoldVerdict, TaskHolds } from "../account/account-holds.ts";
import { becauseOn } from "../account/hold-text.ts";

/** How long a machine is left alone that this batch waits for no longer, in milliseconds: somebody may log in, or pay. */
const givenUpMs = 10 * 60_000;

type MachineHolds = Pick<AccountHolds, keyof TaskHolds>;

interface HostHoldsParts {
  /** Those of each machine. */
  of: ReadonlyMap<string, MachineHolds>;
  /** The machine on which a task runs, or has its slot; undefined for none. */
  placeOf(task: number): string | undefined;
  /** Whether it runs there now. */
  isRunning(task: number): boolean;
  /** The machines on which it may run. */
  machinesOf(task: number): readonly string[];
  /** The monotonic clock, in milliseconds. */
  monotonicNow?(): number;
}

export class HostHolds implements TaskHolds {
  readonly #parts: Required<HostHoldsParts>;
  /**
   * Until when this batch does not wait for a machine, as long as others can do its tasks. After that it is tried, but counts as one of
   * those others only once it has answered: two machines that are given up in turn would else be waited for without end.
   */
  readonly #givenUp = new Map<string, number>();

  constructor({ monotonicNow = () => performance.now(), ...parts }: HostHoldsParts) {
    this.#parts = { ...parts, monotonicNow };
  }

  /** Whether the batch waits for the account of this machine no longer. */
  isGivenUp(machine: string): boolean {
    return this.#parts.monotonicNow() < (this.#givenUp.get(machine) ?? Number.NEGATIVE_INFINITY);
  }

  /** What stops tasks with this model on one machine; undefined if one may start there. In words for people. */
  stoppingOn(machine: string, model: string | undefined, now: number): Hold | undefined {
    const hold = this.#parts.of.get(machine)?.stopping(model, now);
    return hold && { ...hold, because: becauseOn(machine, hold) };
  }

  /** A task that does not run yet is stopped only if it is on all of its machines: by what ends first. */
  stopping(model: string | undefined, now: number, task: number): Hold | undefined {
    const { placeOf, isRunning, machinesOf } = this.#parts;
    const place = isRunning(task) ? placeOf(task) : undefined;
    const machines = place === undefined ? machinesOf(task) : [place];
    const holds = machines.map((machine) => this.stoppingOn(machine, model, now));
    const known = holds.flatMap((hold) => hold ?? []);
    if (known.length < holds.length) return undefined;
    return known.toSorted((one, other) => one.until - other.until)[0];
  }

  refresh(now?: number): void {
    for (const holds of this.#parts.of.values()) holds.refresh(now);
  }

  mayStart(task: number, model: string | undefined): boolean {
    return this.#of(task)?.mayStart(task, model) ?? false;
  }

  allows(task: number, model: string | undefined): boolean {
    return this.#of(task)?.allows(task, model) ?? false;
  }

  claim(task: number, model: string | undefined, now: number): boolean {
    return this.#of(task)?.claim(task, model, now) ?? false;
  }

  adopt(task: number, model: string | undefined, startedAt: number): void {
    this.#of(task)?.adopt(task, model, startedAt);
  }

  answered(task: number, now: number): void {
    const place = this.#parts.placeOf(task);
    if (place !== undefined) this.#givenUp.delete(place);
    this.#of(task)?.answered(task, now);
  }

  refused(task: number, now: number): void {
    this.#of(task)?.refused(task, now);
  }

  failed(ended: Ended, now: number): void {
    this.#of(ended.number)?.failed(ended, now);
  }

  release(task: number): void {
    // It may have got another machine since.
    for (const holds of this.#parts.of.values()) holds.release(task);
  }

  ended(ended: Ended, now: number): HoldVerdict {
    const { placeOf, machinesOf, monotonicNow } = this.#parts;
    const place = placeOf(ended.number);
    const verdict = this.#of(ended.number)?.ended(ended, now) ?? { kind: "goes-on" };
    if (verdict.kind !== "given-up" || place === undefined) return verdict;
    this.#givenUp.set(place, monotonicNow() + givenUpMs);
    const others = (task: number) => machinesOf(task).filter((one) => !this.#givenUp.has(one));
    // The task runs on one of them.
    if (others(ended.number).length > 0) return { kind: "held" };
    return { ...verdict, affects: (task) => others(task).length === 0 };
  }

  #of(task: number): MachineHolds | undefined {
    const place = this.#parts.placeOf(task);
    return place === undefined ? undefined : this.#parts.of.get(place);
  }
}
