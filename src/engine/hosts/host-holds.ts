// The holds of a batch on several machines: each has an account of its own, so what one has met says nothing about the others.
import type { Hold } from "../../store/holds.ts";
import type { AccountHolds, Ended, HoldVerdict, TaskHolds } from "../account/account-holds.ts";

interface HostHoldsParts {
  /** Those of each machine. */
  of: ReadonlyMap<string, AccountHolds>;
  /** The machine on which a task runs, or has its slot; undefined for none. */
  placeOf(task: number): string | undefined;
  /** Whether it runs there now. */
  isRunning(task: number): boolean;
  /** The machines on which it may run. */
  machinesOf(task: number): readonly string[];
}

export class HostHolds implements TaskHolds {
  readonly #parts: HostHoldsParts;
  /** Machines that this batch waits for no longer, as long as others can do their tasks. */
  readonly #givenUp = new Set<string>();

  constructor(parts: HostHoldsParts) {
    this.#parts = parts;
  }

  /** Whether the batch waits for the account of this machine no longer. */
  isGivenUp(machine: string): boolean {
    return this.#givenUp.has(machine);
  }

  /** What stops tasks with this model on one machine; undefined if one may start there. In words for people. */
  stoppingOn(machine: string, model: string | undefined, now: number): Hold | undefined {
    const hold = this.#parts.of.get(machine)?.stopping(model, now);
    return hold && { ...hold, because: `${machine}: ${hold.because}` };
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
    const { placeOf, machinesOf } = this.#parts;
    const place = placeOf(ended.number);
    const verdict = this.#of(ended.number)?.ended(ended, now) ?? { kind: "goes-on" };
    if (verdict.kind !== "given-up" || place === undefined) return verdict;
    this.#givenUp.add(place);
    const others = (task: number) => machinesOf(task).filter((one) => !this.#givenUp.has(one));
    // The task runs on one of them.
    if (others(ended.number).length > 0) return { kind: "held" };
    return { ...verdict, affects: (task) => others(task).length === 0 };
  }

  #of(task: number): AccountHolds | undefined {
    const place = this.#parts.placeOf(task);
    return place === undefined ? undefined : this.#parts.of.get(place);
  }
}
