// The machines of a batch as one host: chooses for each task where it runs, by what each machine has room for.

import type { Batch } from "../../model/event.ts";
import { anyHost, farDirectoryIn } from "../../model/far-directory.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { BatchState } from "../../model/state.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { clock } from "../../platform/clock.ts";
import { isWithin } from "../../platform/paths.ts";
import {
  type Adopted,
  longestStartMs,
  type Need,
  type Orphan,
  type SessionHost,
  type Start,
  type StartPlan,
} from "../attempt/session-host.ts";
import type { Prepared, Workspace } from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { Closed } from "../scheduler/admission.ts";
import type { PlacedSlot, StartRights } from "../scheduler/slots.ts";
import { SshHost, type SshHostParts, type Ticket } from "./ssh-host.ts";
import { Trees, treeIn } from "./trees.ts";

interface HostsParts extends Omit<SshHostParts, "name" | "changed" | "known"> {
  names: readonly string[];
  /** For what runs on this machine all the same. */
  local: SessionHost;
  /** Where a task must run: the name of a machine; undefined for any. */
  placeOf(task: number): string | undefined;
  footprintKeyOf(task: number): string;
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

function thereAlready(directory: string): Prepared {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}

export class Hosts implements SessionHost, StartRights, Disposable {
  /** The machines of a batch that runs on others. */
  static of(
    state: () => BatchState,
    parts: Pick<HostsParts, "layout" | "epoch" | "environment" | "local" | "failed">,
  ): Hosts {
    const { batch } = state();
    const { hosts: names = [], batchId } = batch;
    const timeouts = batch.tasks.map((_, index) => optionsOf(batch, index + 1).timeoutSeconds);
    return new Hosts({
      ...parts,
      names,
      batchId,
      folder: parts.layout.batchDirectory(batchId),
      leaseMs: Math.ceil((batch.hostLeaseSeconds ?? 60) * 1000),
      onLostHost: batch.onLostHost ?? "wait",
      mostMs: Math.ceil(timeouts.reduce((most, one) => Math.max(most, one), 1) * 1000),
      placeOf: (task) => {
        const directory = workingDirectoryOf(batch, optionsOf(state().batch, task));
        return farDirectoryIn(directory, names)?.host;
      },
      logged: (name) => loggedOn(name, state()),
      footprintKeyOf: (task) => footprintKey(state().batch, optionsOf(state().batch, task)),
    });
  }

  readonly #parts: HostsParts;
  readonly #hosts: ReadonlyMap<string, SshHost>;
  /** Reserved and not used yet, by machine. */
  readonly #free = new Map<string, Reservation[]>();
  #waiting: Waiter[] = [];
  readonly #beats: Disposable;

  constructor(parts: HostsParts) {
    this.#parts = parts;
    const { names, local: _local, placeOf: _placeOf, footprintKeyOf: _key, logged, ...common } = parts;
    const changed = () => {
      clock.soon("rest");
      this.#serve();
    };
    this.#trees = new Trees(parts.folder);
    const known = (name: string) => {
      const { sessions, trees } = logged(name);
      return { sessions, trees: [...trees, ...this.#trees.namesOn(name)] };
    };
    this.#hosts = new Map(names.map((name) => [name, new SshHost({ ...common, name, changed, known })]));
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
    // A check runs in the slot of its task.
    if (need.task === undefined) return await host.start(plan, need, { directory: placed.path });
    const reservation = this.#takeFree(host, need.task);
    if (reservation) reservation.usedBy = plan.startName;
    const ticket = reservation?.ticket ?? (await host.reserve(need.footprintKey));
    if (!ticket)
      return { started: false, kind: "passing", because: host.whyWait() ?? `${host.name} has no slot free.` };
    const start = await host.start(plan, need, { directory: placed.path, ticket });
    // One that hangs stops the others no longer.
    if (start.started) setTimeout(() => host.ready(plan.startName), longestStartMs).unref();
    return start;
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

  /** Why the only machine on which a task may run has no room for it now; undefined if it has, or others may have. */
  whyClosed(task: number): Closed | undefined {
    const place = this.#parts.placeOf(task);
    const host = place === undefined ? undefined : this.#hosts.get(place);
    const because = host?.whyWait();
    if (!host || because === undefined) return undefined;
    return { because: `Waits for a machine. ${because}`, isLong: host.isUnusable };
  }

  adopt(orphan: Orphan): Adopted {
    const { ref } = orphan;
    if (!("host" in ref)) return this.#parts.local.adopt(orphan);
    const host = this.#hosts.get(ref.host);
    if (!host)
      throw new Error(`Internal error: the batch has a session on ${ref.host}, which is none of its hosts`);
    return host.adopt(ref.id, orphan);
  }

  canResume(): boolean {
    return false;
  }

  whyWait(): string | undefined {
    const reasons = [...this.#hosts.values()].map((host) => host.whyWait());
    const known = reasons.flatMap((reason) => reason ?? []);
    return known.length < reasons.length ? undefined : `Waits for a machine. ${known.join(". ")}`;
  }

  async endShared(markers: () => readonly string[]): Promise<void> {
    await this.#parts.local.endShared(markers);
  }

  /** Where attempts work: in directories that are there already. */
  readonly workspace: Workspace = {
    prepare: async (batch, { number, options }, place) => {
      const host = place === undefined ? undefined : this.#hosts.get(place);
      if (!host) throw new Error(`Internal error: task ${number} has no machine`);
      const there = this.#directoryOn(host, batch, options);
      return there === undefined
        ? await this.#trees.prepare(host, workingDirectoryOf(batch, options))
        : thereAlready(there);
    },
    adopt: (batch, task, directory) => {
      const placed = farDirectoryIn(directory, [...this.#hosts.keys()]);
      const host = placed && this.#hosts.get(placed.host);
      const root = workingDirectoryOf(batch, optionsOf(batch, task));
      return (host && this.#trees.adopt(host, placed.path, root)) ?? thereAlready(directory);
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

  // The machine with the fewest sessions of those that the task may run on.
  #bestFor(task: number): SshHost | undefined {
    const place = this.#parts.placeOf(task);
    const open = [...this.#hosts.values()].filter(
      (host) =>
        host.whyWait() === undefined && (place === undefined || place === anyHost || host.name === place),
    );
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
