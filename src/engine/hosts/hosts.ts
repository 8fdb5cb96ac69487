// The machines of a batch as one host: chooses for each task where it runs, by what each machine has room for.

import { branchOf, changesMessage } from "../../model/branch-name.ts";
import type { Batch } from "../../model/event.ts";
import { anyHost, farDirectoryIn, isOwnTree } from "../../model/far-directory.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { Spent } from "../../model/outcome.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { clock } from "../../platform/clock.ts";
import { isWithin } from "../../platform/paths.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { AccountHolds } from "../account/account-holds.ts";
import {
  type Adopted,
  longestStartMs,
  type Need,
  type Orphan,
  type SessionHost,
  type Start,
  type StartPlan,
} from "../attempt/session-host.ts";
import { NotNow, type Prepared, type Workspace } from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { Closed } from "../scheduler/admission.ts";
import type { PlacedSlot, StartRights } from "../scheduler/slots.ts";
import { atOnceMs, Beginnings } from "./beginnings.ts";
import { HostHolds } from "./host-holds.ts";
import { type Conversation, SshHost, type SshHostParts, type Ticket } from "./ssh-host.ts";
import { type ComesHome, Trees, treeIn } from "./trees.ts";

export interface HostsParts extends Omit<SshHostParts, "name" | "changed" | "known" | "conversed"> {
  names: readonly string[];
  /** Whether machines may get the history of repositories from their remotes. */
  hasSource: boolean;
  /** For what runs on this machine all the same. */
  local: SessionHost;
  /** Where a task must run: the name of a machine; undefined for any. */
  placeOf(task: number): string | undefined;
  footprintKeyOf(task: number): string;
  modelOf(task: number): string | undefined;
  /** Whether a session of the task runs. */
  isRunning(task: number): boolean;
  /** What the account of a machine has met. */
  holdsOn(name: string): AccountHolds;
  /** What the log knows to be on a machine: sessions that run, and working trees. */
  logged(name: string): { sessions: string[]; trees: string[] };
}

interface Waiter {
  task: number;
  wanted(): boolean;
  take(slot: PlacedSlot | undefined): void;
  isAsking: boolean;
}

/** A reserved slot, until it is used or given back. */
interface Reservation {
  task: number;
  ticket: Ticket;
  /** The session that was started in it. */
  usedBy?: string;
}

function loggedOn(name: string, { tasks }: BatchState): { sessions: string[]; trees: string[] } {
  const all = tasks.flatMap(({ attempts }) => attempts);
  const refs = tasks
    .filter(({ status }) => status === "running")
    .flatMap(({ attempts }) => attempts.at(-1) ?? [])
    .flatMap(({ identity, checkSessions = [] }) => [identity, ...checkSessions.map((one) => one.identity)]);
  return {
    sessions: refs.flatMap((ref) => ("host" in ref && ref.host === name ? [ref.id] : [])),
    // Also of those that have ended: what one has changed may still be there alone.
    trees: all.flatMap(({ workingDirectory = "" }) => {
      const placed = farDirectoryIn(workingDirectory, [name]);
      return placed?.host === name ? (treeIn(placed.path) ?? []) : [];
    }),
  };
}

function homeOf(batch: Batch, task: number): ComesHome {
  return { branch: branchOf(batch, task), message: changesMessage(batch.batchId, task) };
}

/** How long a session of a batch may run, in milliseconds. At each start, because tasks may be added, or asked for again with more time. */
export function longestMs(batch: Batch): number {
  const timeouts = batch.tasks.map((_, index) => optionsOf(batch, index + 1).timeoutSeconds);
  return Math.ceil(timeouts.reduce((most, one) => Math.max(most, one), 1) * 1000);
}

function thereAlready(directory: string): Prepared {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}

export class Hosts implements SessionHost, StartRights, Disposable {
  /** The machines of a batch that runs on others. */
  static of(
    state: () => BatchState,
    parts: Pick<HostsParts, "layout" | "epoch" | "environment" | "local" | "failed" | "holdsOn">,
  ): Hosts {
    const { batch } = state();
    const { hosts: names = [], batchId } = batch;
    return new Hosts({
      ...parts,
      names,
      batchId,
      folder: parts.layout.batchDirectory(batchId),
      leaseMs: Math.ceil((batch.hostLeaseSeconds ?? 60) * 1000),
      onLostHost: batch.onLostHost ?? "wait",
      hasSource: batch.hostSource !== "here",
      mostMs: () => longestMs(state().batch),
      placeOf: (task) => {
        const directory = workingDirectoryOf(batch, optionsOf(state().batch, task));
        return farDirectoryIn(directory, names)?.host;
      },
      modelOf: (task) => optionsOf(state().batch, task).model,
      isRunning: (task) => taskOf(state(), task).status === "running",
      logged: (name) => loggedOn(name, state()),
      footprintKeyOf: (task) => footprintKey(state().batch, optionsOf(state().batch, task)),
    });
  }

  readonly #parts: HostsParts;
  readonly #hosts: ReadonlyMap<string, SshHost>;
  readonly holds: HostHolds;
  readonly #beginnings: ReadonlyMap<string, Beginnings>;
  /** The machine of each task that has had one. */
  readonly #places = new Map<number, string>();
  /** Of each session, by the name of its start. */
  readonly #taskOf = new Map<string, number>();
  /** Those that can be continued, by their ids. */
  readonly #conversations = new Map<string, { host: string; cost?: Spent }>();
  /** Why a task cannot run on a machine, and could on others: it would fail again. */
  readonly #unfit = new Map<number, Map<string, string>>();
  /** Reserved and not used yet, by machine. */
  readonly #free = new Map<string, Reservation[]>();
  #waiting: Waiter[] = [];
  readonly #beats: Disposable;

  constructor(parts: HostsParts) {
    this.#parts = parts;
    const { names, logged } = parts;
    const changed = () => {
      clock.soon("rest");
      this.#serve();
    };
    this.#trees = new Trees(parts.folder, { hasSource: parts.hasSource });
    const known = (name: string) => {
      const { sessions, trees } = logged(name);
      return { sessions, trees: [...trees, ...this.#trees.namesOn(name)] };
    };
    this.#hosts = new Map(
      names.map((name) => {
        const conversed: SshHostParts["conversed"] = (start, one) => this.#conversed(name, start, one);
        return [name, new SshHost({ ...parts, name, changed, known, conversed })];
      }),
    );
    this.#beginnings = new Map(names.map((name) => [name, new Beginnings()]));
    this.holds = new HostHolds({
      of: new Map(names.map((name) => [name, parts.holdsOn(name)])),
      placeOf: (task) => this.#places.get(task),
      isRunning: (task) => parts.isRunning(task),
      machinesOf: (task) => this.#candidates(task).map(({ name }) => name),
    });
    this.#beats = clock.on("beat", () => this.#serve());
  }

  [Symbol.dispose](): void {
    this.#beats[Symbol.dispose]();
    for (const host of this.#hosts.values()) host[Symbol.dispose]();
  }

  // As rights to start: they come with a slot of the machine.

  /** Resolves when some machine has room for the task; with undefined if it is no longer wanted. */
  acquire(wanted: () => boolean = () => true, task = 0): Promise<PlacedSlot | undefined> {
    const { promise, resolve } = Promise.withResolvers<PlacedSlot | undefined>();
    this.#waiting.push({ task, wanted, take: resolve, isAsking: false });
    this.#serve();
    return promise;
  }

  // As a host.

  async start(plan: StartPlan, need: Need): Promise<Start> {
    const placed = farDirectoryIn(plan.workingDirectory, [...this.#hosts.keys()]);
    const host = placed && this.#hosts.get(placed.host);
    if (!placed || !host) return this.#parts.local.start(plan, need);
    // The command of a check runs in the slot of its task.
    if (plan.isProgram) return await host.start(plan, need, { directory: placed.path });
    if (need.task !== undefined) this.#taskOf.set(plan.startName, need.task);
    const reservation = need.task === undefined ? undefined : this.#takeFree(host, need.task);
    if (reservation) reservation.usedBy = plan.startName;
    const isCheck = need.task === undefined;
    const ticket = reservation?.ticket ?? (await host.reserve(need.footprintKey, { isCheck }));
    if (!ticket) {
      const because = host.whyWait() ?? `${host.name} has no slot free.`;
      return { started: false, kind: "passing", because, away: "waited-for" };
    }
    const relocations = this.#trees.relocationsOf(placed.path);
    const start = await host.start(plan, need, { directory: placed.path, ticket, relocations });
    this.#note(host, start);
    // One that hangs stops the others no longer.
    if (start.started) setTimeout(() => host.ready(plan.startName), longestStartMs).unref();
    return this.#orElsewhere(host, need.task, start);
  }

  // How sessions begin on a machine decides whether it gets more of them.
  #note(host: SshHost, start: Start): void {
    const beginnings = this.#beginnings.get(host.name);
    if (!start.started) {
      // That a machine is away says nothing about it.
      if (host.trouble() !== undefined) return;
      beginnings?.failed();
      if (start.kind === "passing") beginnings?.lacked(start.because);
      return;
    }
    beginnings?.started();
    const startedAt = performance.now();
    const { session } = start;
    const works = setTimeout(() => beginnings?.worked(), atOnceMs);
    works.unref();
    void session.exited.then(({ code }) => {
      clearTimeout(works);
      const isAtOnce = performance.now() - startedAt < atOnceMs;
      if (code === 0) beginnings?.worked();
      // One that was ended by a signal was ended by somebody.
      else if (isAtOnce && code !== undefined && session.isLost?.() !== true) beginnings?.failed();
    });
  }

  // What a machine lacks for a task, another one may have. It fails only once none is left.
  #orElsewhere(host: SshHost, task: number | undefined, start: Start): Start {
    if (start.started || start.kind !== "task" || task === undefined) return start;
    const because = this.#whyUnfit(host, task, start.message);
    if (because !== undefined) return { started: false, kind: "task", message: because };
    return { started: false, kind: "passing", because: start.message, away: "waited-for" };
  }

  // Undefined if another machine is left for it; otherwise why none is.
  #whyUnfit(host: SshHost, task: number, because: string): string | undefined {
    const unfit = this.#unfit.get(task) ?? new Map<string, string>();
    this.#unfit.set(task, unfit.set(host.name, because));
    if (this.#candidates(task).some(({ name }) => !unfit.has(name))) return undefined;
    // If the task is asked for again, that may be different.
    this.#unfit.delete(task);
    return [...new Set(unfit.values())].join(" ");
  }

  #takeFree(host: SshHost, task: number): Reservation | undefined {
    const free = this.#free.get(host.name) ?? [];
    const found = free.find((one) => one.task === task);
    this.#free.set(
      host.name,
      free.filter((one) => one !== found),
    );
    return found;
  }

  /** Why none of the machines on which a task may run can start it now; undefined if one can. */
  whyClosed(task: number): Closed | undefined {
    if (this.#bestFor(task)) return undefined;
    const reasons = [...this.#hosts.values()].flatMap((host) => this.#whyWait(host) ?? []);
    const because = ["Waits for a machine", ...reasons].join(". ");
    return { because, isLong: this.#candidates(task).every(({ isUnusable }) => isUnusable) };
  }

  /** The same for tasks that may run on the same machines. */
  laneOf(task: number): string {
    return this.#candidates(task)
      .map(({ name }) => name)
      .join(" ");
  }

  // Without those that are known to be unfit for it, or whose account is not waited for, unless these are all.
  #candidates(task: number): SshHost[] {
    const place = this.#parts.placeOf(task);
    const all = [...this.#hosts.values()].filter(
      ({ name }) => place === undefined || place === anyHost || place === name,
    );
    const unfit = this.#unfit.get(task);
    const fit = all.filter(({ name }) => unfit?.has(name) !== true);
    const waitedFor = fit.filter(({ name }) => !this.holds.isGivenUp(name));
    return waitedFor.length > 0 ? waitedFor : fit;
  }

  adopt(orphan: Orphan): Adopted {
    const { ref, task } = orphan;
    if (!("host" in ref)) return this.#parts.local.adopt(orphan);
    const host = this.#hosts.get(ref.host);
    if (!host)
      throw new Error(`Internal error: the batch has a session on ${ref.host}, which is none of its hosts`);
    if (task !== undefined) {
      this.#places.set(task, ref.host);
      this.#taskOf.set(ref.id, task);
    }
    return host.adopt(ref.id, orphan);
  }

  /** Only in a directory there that stays: a working tree of a task's own is gone with its attempt. */
  canResume(conversation: string, directory: string): boolean {
    const placed = farDirectoryIn(directory, [...this.#hosts.keys()]);
    const host = this.#conversations.get(conversation)?.host;
    return placed !== undefined && placed.host === host && !isOwnTree(placed.path);
  }

  costOf(conversation: string): Spent | undefined {
    return this.#conversations.get(conversation)?.cost;
  }

  // If its task may run elsewhere, it does rather than wait for this machine.
  #conversed(host: string, startName: string, { id, cost }: Conversation): void {
    const task = this.#taskOf.get(startName);
    const isOfMachine = task !== undefined && (this.#hosts.size === 1 || this.#parts.placeOf(task) === host);
    if (isOfMachine) this.#conversations.set(id, { host, ...(cost ? { cost } : {}) });
  }

  /** Each machine says it for itself, by `whyClosed`. */
  whyWait(): string | undefined {
    return undefined;
  }

  async endShared(markers: () => readonly string[]): Promise<void> {
    await this.#parts.local.endShared(markers);
  }

  /** Where attempts work: in directories that are there already. */
  readonly workspace: Workspace = {
    prepare: async (batch, { number, options, continuesIn }, { machine, isWanted }) => {
      const host = machine === undefined ? undefined : this.#hosts.get(machine);
      if (!host) throw new Error(`Internal error: task ${number} has no machine`);
      if (continuesIn !== undefined) return thereAlready(continuesIn);
      const there = this.#directoryOn(host, batch, options);
      if (there !== undefined) return thereAlready(there);
      try {
        const from = workingDirectoryOf(batch, options);
        return await this.#trees.prepare(host, from, homeOf(batch, number), isWanted);
      } catch (error) {
        if (error instanceof NotNow) {
          // What this machine lacks says nothing about others.
          if (error.away === undefined)
            this.#beginnings.get(host.name)?.lacked(`${host.name}: ${error.message}`);
          throw new NotNow(error.message, error.away ?? "waited-for");
        }
        const because = this.#whyUnfit(host, number, messageOf(error));
        throw because === undefined ? new NotNow(messageOf(error), "waited-for") : new Error(because);
      }
    },
    adopt: (batch, task, directory) => {
      const placed = farDirectoryIn(directory, [...this.#hosts.keys()]);
      const host = placed && this.#hosts.get(placed.host);
      const from = workingDirectoryOf(batch, optionsOf(batch, task));
      return (
        (host && this.#trees.adopt(host, placed.path, from, homeOf(batch, task))) ?? thereAlready(directory)
      );
    },
  };
  readonly #trees: Trees;

  // Undefined if it is a working tree of this machine, which goes there.
  #directoryOn(host: SshHost, batch: Batch, options: SessionOptions): string | undefined {
    const given = workingDirectoryOf(batch, options);
    const placed = farDirectoryIn(given, [...this.#hosts.keys()]);
    if (placed) return host.textOf(placed.path);
    // A summary works in the folder of the answers, which go there with it.
    return isWithin(given, this.#parts.folder) ? host.textOf(given) : undefined;
  }

  #serve(): void {
    const unwanted = this.#waiting.filter(({ wanted, isAsking }) => !isAsking && !wanted());
    this.#waiting = this.#waiting.filter((waiter) => !unwanted.includes(waiter));
    for (const { take } of unwanted) take(undefined);
    for (const waiter of this.#waiting) {
      if (waiter.isAsking) continue;
      const host = this.#bestFor(waiter.task);
      if (host) void this.#ask(host, waiter).catch(this.#parts.failed);
    }
  }

  #whyWait(host: SshHost): string | undefined {
    return host.whyWait() ?? this.#beginnings.get(host.name)?.whyWait;
  }

  // The machine with the fewest sessions of those that the task may run on. One on which sessions fail at once gets it only
  // if no other machine can ever take it.
  #bestFor(task: number): SshHost | undefined {
    const candidates = this.#candidates(task);
    const model = this.#parts.modelOf(task);
    const isResting = ({ name }: SshHost) => this.#beginnings.get(name)?.isResting === true;
    const isOpen = (host: SshHost) =>
      this.#whyWait(host) === undefined && !this.holds.stoppingOn(host.name, model, Date.now());
    const rested = candidates.filter((host) => !isResting(host) && !host.isUnusable);
    const open = (rested.length > 0 ? rested : candidates).filter(isOpen);
    return open.toSorted((one, other) => one.load - other.load)[0];
  }

  async #ask(host: SshHost, waiter: Waiter): Promise<void> {
    waiter.isAsking = true;
    const ticket = await host.reserve(this.#parts.footprintKeyOf(waiter.task));
    waiter.isAsking = false;
    if (!ticket) {
      this.#serve();
      return;
    }
    this.#waiting = this.#waiting.filter((one) => one !== waiter);
    if (waiter.wanted()) waiter.take(this.#slot(host, ticket, waiter.task));
    else {
      host.release(ticket);
      waiter.take(undefined);
    }
  }

  #slot(host: SshHost, ticket: Ticket, task: number): PlacedSlot {
    const reservation: Reservation = { task, ticket };
    const free = this.#free.get(host.name) ?? [];
    this.#free.set(host.name, [...free, reservation]);
    this.#places.set(task, host.name);
    let isDisposed = false;
    return {
      place: host.name,
      [Symbol.dispose]: () => {
        if (isDisposed) return;
        isDisposed = true;
        if (reservation.usedBy !== undefined) {
          host.ready(reservation.usedBy);
          return;
        }
        const left = this.#free.get(host.name) ?? [];
        this.#free.set(
          host.name,
          left.filter((one) => one !== reservation),
        );
        host.release(ticket);
      },
    };
  }
}
