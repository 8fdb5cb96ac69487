// The keeper of a far machine: owns the sessions that other machines start here. They go on when a connection ends; their
// transcripts are files here, until somebody has taken them. Another keeper goes on after this one was killed.
import type { FromKeeper, Overview, ToKeeper } from "../../far/messages.ts";
import type { Spent } from "../../model/outcome.ts";
import { makePrivateDirectory, sizeOf } from "../../platform/files.ts";
import { footprintOf } from "../../platform/folders.ts";
import { basename, dirname, join } from "../../platform/paths.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { messageOf, systemCode } from "../../platform/system-error.ts";
import { watchDirectory } from "../../platform/watch.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import type { HowToEnd, SessionHost, StartPlan, StartVerdict } from "../attempt/session-host.ts";
import type { Loss } from "../memory/memory-plan.ts";
import { FarBatch } from "./far-batch.ts";
import { FarDrain } from "./far-drain.ts";
import { FarRecords, type SessionRecord } from "./far-records.ts";
import { FarSession, type Listener, type OwnSession } from "./far-session.ts";
import type { FarSlot, FarSlots, Reserved } from "./far-slots.ts";
import { FarTrees } from "./far-trees.ts";

const hourMs = 3_600_000;
const calledOff = "nobody wants it any more";

type StartMessage = Extract<ToKeeper, { type: "start" }>;
type TreeMessage = Extract<ToKeeper, { type: "tree" }>;
type DrainMessage = Extract<ToKeeper, { type: "drain" }>;
type HelloMessage = Extract<ToKeeper, { type: "hello" }>;

/** What a start is on this machine; or why it cannot be one. */
export type Planned =
  | { kind: "planned"; plan: Omit<StartPlan, "startName" | "sessionId" | "transcript" | "stderr"> }
  | ({ kind: "refused" } & { verdict: StartVerdict });

export interface FarKeeperParts {
  /** The folder of far sessions. Absolute. */
  folder: string;
  host: Pick<SessionHost, "start" | "adopt">;
  slots: FarSlots;
  /** Turns what was asked into a plan of this machine. */
  planOf(start: StartMessage): Planned;
  /** Why no session of this footprint key can start now, in words for people. */
  whyWait(footprintKey: string): string | undefined;
  /** How many sessions may run here at once; absent if that is no number. */
  slotsLimit?: number;
  /** What a conversation that began in a directory has cost, if it can be continued there. */
  savedConversation?(id: string, directory: string): { cost?: Spent } | undefined;
  /** A session has started, or its process was found. */
  started(): void;
}

export class FarKeeper implements Disposable {
  readonly #parts: FarKeeperParts;
  readonly #records: FarRecords;
  readonly #trees: FarTrees;
  readonly #drain: FarDrain;
  readonly #sessions = new Map<string, FarSession>();
  readonly #slots = new Map<string, FarSlot>();
  readonly #batches = new Map<string, FarBatch>();
  /** The last write of each record: they must not overtake one another. */
  readonly #writing = new Map<string, Promise<void>>();
  readonly #watches = new Map<string, Disposable>();
  readonly #starting = new Map<string, { batch: string; started: Promise<FromKeeper> }>();
  /** What is being removed. */
  readonly #forgetting = new Set<Promise<void>>();
  /** Starts that nobody wants any more. */
  readonly #calledOff = new Set<string>();
  #footprintKey = "";
  /** When sessions have ended in the last hour, on the monotonic clock, in milliseconds. */
  #endedAt: number[] = [];

  constructor(parts: FarKeeperParts) {
    this.#parts = parts;
    this.#records = new FarRecords(parts.folder);
    this.#trees = new FarTrees(parts.folder);
    this.#drain = new FarDrain(parts.folder);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    for (const session of this.#sessions.values()) session.close();
    this.#parts.slots.releaseAll();
  }

  /**
   * Takes over what the keeper before has left. Call once, before anything else. `wasKilled`: whether that one was killed;
   * otherwise it left after it had heard of nobody for long.
   */
  adoptAll({ wasKilled }: { wasKilled: boolean }): void {
    this.#trees.removeParts();
    for (const batch of this.#records.batches()) {
      const known = this.#batchOf(batch);
      if (!wasKilled) known.forsake();
    }
    for (const record of this.#records.all()) {
      const { id, batch, marker, footprintKey, identity, leaked } = record;
      const transcript = this.#records.transcriptOf(record);
      const isOver = record.exit !== undefined && leaked !== undefined;
      const session =
        isOver || !identity
          ? undefined
          : this.#parts.host.adopt({ ref: identity, marker, transcript, footprintKey });
      session?.output?.[Symbol.dispose]();
      if (session) this.#slots.set(id, this.#parts.slots.force());
      this.#batchOf(batch).raise(record);
      const far = this.#add(record, session);
      // Its input has ended with the keeper before. One without a prompt exits, and has spent nothing.
      if (session && !record.isAsked) far.lapse({ ends: false });
      if (session) this.#parts.started();
    }
    for (const batch of this.#batches.keys()) this.#tidyIfPossible(batch);
  }

  /** Whether nothing runs here, and nobody waits for anything. */
  get isIdle(): boolean {
    return this.runningCount === 0 && this.#starting.size === 0 && !this.#trees.isBusy;
  }

  /** How many sessions run. */
  get runningCount(): number {
    return [...this.#sessions.values()].filter(({ isOver }) => !isOver).length;
  }

  /** A runner says which batch it has. Undefined if a later one has it. */
  hello(message: HelloMessage, by: Listener): FarBatch | undefined {
    const batch = this.#batchOf(message.batch);
    const isNew = message.epoch > batch.epoch;
    if (!batch.take(message, by)) return undefined;
    if (isNew) this.#takeOver(message);
    return batch;
  }

  // At home, the input of its sessions ends with a runner. Those that have their prompts go on.
  #takeOver({ batch, sessions, trees }: HelloMessage): void {
    const known = new Set(sessions);
    for (const session of this.#of(batch)) {
      // Its runner was gone before the log knew of it, so nobody would ever ask for it.
      if (!known.has(session.record.id)) this.#drop(session);
      else if (!session.record.isAsked) session.lapse({ ends: false });
    }
    void this.#trees.keepOnly(batch, trees);
  }

  #drop(session: FarSession): void {
    const forget = () => this.forget(session);
    // What cannot be ended now is asked for by nobody, and found by `prune`.
    void session.end({}).then(forget, () => undefined);
  }

  /** A connection has ended. */
  letGo(batch: FarBatch, by: Listener): void {
    batch.letGo(by);
    for (const session of this.#of(batch.id)) session.letGo(by);
  }

  /** Removes the files of a batch that has neither a connection nor a session here. */
  tidy(batch: string): void {
    if (this.#batches.get(batch)?.isConnected || !this.#isEmpty(batch)) return;
    // It would not see another folder of this name, and Windows removes none that is watched. The next session watches anew.
    this.#endWatch(batch);
    this.#records.tidy(batch);
  }

  // What cannot be removed now is found by `prune`.
  #tidyIfPossible(batch: string): void {
    try {
      this.tidy(batch);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  #isEmpty(batch: string): boolean {
    return this.#of(batch).length === 0 && ![...this.#starting.values()].some((one) => one.batch === batch);
  }

  // Whether nobody will ask for what is here of it.
  #isFree(batch: string): boolean {
    const known = this.#batches.get(batch);
    if (!known || known.isLapsed()) return true;
    return !known.isConnected && this.#isEmpty(batch) && !this.#trees.has(batch);
  }

  /** The folder for the files of a batch. */
  filesOf(batch: string): string {
    return this.#records.filesOf(batch);
  }

  async put(batch: string, name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#records.filesOf(batch), ...name.split("/"));
    makePrivateDirectory(dirname(path));
    await replaceFile(path, new Uint8Array(bytes), { mode: 0o600 });
  }

  /** Does what a runner asks about working trees, and says how that went. */
  async tree(
    batch: FarBatch,
    { request, action }: TreeMessage,
    body: Uint8Array,
    by: Listener,
  ): Promise<void> {
    const { answer, body: found } = await this.#trees.act(batch.id, action, body);
    by.send({ type: "tree", request, ...answer }, found);
  }

  /** Takes the machine out of service, or puts it into service again. */
  async setDrained({ isDrained, handBackSeconds }: DrainMessage): Promise<void> {
    if (isDrained) await this.#drain.begin(handBackSeconds);
    else this.#drain.end();
  }

  /** A slot, and the right to start; or why not now. `isCheck`: for what a task needs to end. */
  reserve(footprintKey: string, { isCheck = false }: { isCheck?: boolean } = {}): Reserved {
    this.#footprintKey = footprintKey;
    const because = (isCheck ? undefined : this.#drain.whyWait) ?? this.#parts.whyWait(footprintKey);
    return because === undefined ? this.#parts.slots.reserve() : { kind: "full", because };
  }

  release(slot: FarSlot): void {
    this.#parts.slots.release(slot);
  }

  /** Starts a session, once for each id, however often it is asked to. The slot is its own from here on. */
  start(batch: FarBatch, message: StartMessage, slot: FarSlot | undefined): Promise<FromKeeper> {
    const { id } = message;
    if (slot && (this.#sessions.has(id) || this.#starting.has(id))) this.release(slot);
    if (this.#sessions.has(id)) return Promise.resolve({ type: "started", id });
    const known = this.#starting.get(id);
    if (known) return known.started;
    const started = this.#start(batch, message, slot);
    this.#starting.set(id, { batch: batch.id, started });
    const over = () => {
      this.#starting.delete(id);
      this.#calledOff.delete(id);
    };
    void started.finally(over).catch(() => undefined);
    return started;
  }

  /** Ends a start that is on its way, or is still to come: who asked for it wants it no more. */
  callOff(id: string): void {
    this.#calledOff.add(id);
  }

  async #start(batch: FarBatch, message: StartMessage, slot: FarSlot | undefined): Promise<FromKeeper> {
    const { id, footprintKey, marker, directory, mostMs, conversation } = message;
    const record: SessionRecord = {
      id,
      batch: batch.id,
      epoch: batch.epoch,
      marker,
      footprintKey,
      directory,
      startedAt: Date.now(),
      mostMs,
      ...(conversation === undefined ? {} : { conversation }),
      leaseMs: batch.leaseMs,
      isGoingElsewhere: batch.isGoingElsewhere,
    };
    const failed = (verdict: StartVerdict): FromKeeper => {
      if (slot) this.release(slot);
      this.#records.forget(record);
      const words = verdict.kind === "task" ? verdict.message : verdict.because;
      return { type: "failed", id, kind: verdict.kind, message: words };
    };
    if (this.#calledOff.has(id)) return failed({ kind: "passing", because: calledOff });
    const planned = this.#parts.planOf(message);
    if (planned.kind === "refused") return failed(planned.verdict);
    try {
      // Before its process: who finds this without one knows that nothing was asked.
      await this.#records.keep(record);
    } catch (error) {
      return failed({ kind: "passing", because: `its files cannot be written: ${messageOf(error)}` });
    }
    const files = { transcript: this.#records.transcriptOf(record), stderr: this.#records.stderrOf(record) };
    const plan: StartPlan = { ...planned.plan, startName: id, sessionId: "", ...files };
    const start = await this.#parts.host.start(plan, { footprintKey });
    if (!start.started) return failed(start);
    const { output, ...session } = start.session;
    output[Symbol.dispose]();
    if (!("pid" in session.ref)) throw new Error("Internal error: a session of this machine is no process");
    const started = { ...record, identity: session.ref };
    const unkept = await this.#whyUnkept(started);
    if (unkept !== undefined) {
      await session.end({ isUnasked: true });
      return failed({ kind: "passing", because: unkept });
    }
    if (slot) this.#slots.set(id, slot);
    this.#add(started, session);
    this.#parts.started();
    return { type: "started", id };
  }

  // Before anybody hears of it: the next keeper takes one without a process for one that was never asked.
  async #whyUnkept(started: SessionRecord): Promise<string | undefined> {
    try {
      await this.#records.keep(started);
    } catch (error) {
      return `its files cannot be written: ${messageOf(error)}`;
    }
    if (this.#calledOff.has(started.id)) return calledOff;
    const isOld = this.#batchOf(started.batch).epoch > started.epoch;
    return isOld ? "another runner has the batch" : undefined;
  }

  ready(id: string): void {
    const slot = this.#slots.get(id);
    if (slot) this.#parts.slots.ready(slot);
  }

  session(batch: FarBatch, id: string): FarSession | undefined {
    const session = this.#sessions.get(id);
    return session?.record.batch === batch.id ? session : undefined;
  }

  async end(session: FarSession, how: HowToEnd): Promise<{ leaked: ProcessIdentity[]; size: number }> {
    const leaked = await session.end(how);
    return { leaked: [...leaked], size: session.transcriptBytes };
  }

  /** Removes everything of a session that is over: somebody has all of it. False if it is not over. */
  forget(session: FarSession): boolean {
    if (!session.isOver) return false;
    const { record } = session;
    session.close();
    this.#sessions.delete(record.id);
    // A watch does not see another folder of this name, and this one may be removed.
    if (this.#of(record.batch).length === 0) this.#endWatch(record.batch);
    const written = this.#writing.get(record.id) ?? Promise.resolve();
    const forgotten = written
      .then(() => {
        this.#writing.delete(record.id);
        this.#records.forget(record);
        this.tidy(record.batch);
      })
      // What cannot be removed now is found by `prune`.
      .catch(() => undefined);
    this.#forgetting.add(forgotten);
    void forgotten.finally(() => this.#forgetting.delete(forgotten));
    return true;
  }

  /** Ends the sessions with these markers, because memory is short. */
  evict(markers: readonly string[]): void {
    for (const session of this.#sessions.values())
      if (markers.includes(session.record.marker)) session.evict();
  }

  /** What is lost if the session with this marker is ended; undefined if there is none. */
  lossOf(marker: string): Loss | undefined {
    const found = [...this.#sessions.values()].find(
      (session) => session.record.marker === marker && session.isRunning,
    );
    if (!found) return undefined;
    return found.record.isAsked ? "work" : "nothing";
  }

  /** Looks at the leases, and at what a watch may have missed. */
  look(): void {
    for (const session of this.#sessions.values()) {
      session.pump();
      // Its task runs elsewhere.
      if (this.#drain.handsBack(session.record)) session.evict();
    }
    for (const batch of this.#batches.values()) {
      if (!batch.isLapsed()) continue;
      batch.lapse();
      for (const session of this.#of(batch.id)) this.#goOnAlone(batch, session);
    }
  }

  /** What is here, for people. */
  overview(): Omit<Overview, "claude"> {
    const sessions = [...this.#sessions.values()].map((session) => {
      const { id, batch, directory, startedAt } = session.record;
      const state: "running" | "ended" = session.isOver ? "ended" : "running";
      return { id, batch, directory, startedAt, state, transcript: session.transcriptBytes };
    });
    const { running, because } = this.room();
    const { slotsLimit } = this.#parts;
    const room = {
      running,
      ...(slotsLimit === undefined ? {} : { slots: slotsLimit }),
      ...(because === undefined ? {} : { because }),
    };
    const ended = this.#endedAt.filter((at) => at > performance.now() - hourMs).length;
    return { sessions, bytes: footprintOf(this.#parts.folder).bytes, room, ended };
  }

  /** Removes what has ended and belongs to no runner that has given a sign of life lately. Returns how much that was. */
  async prune(): Promise<{ sessions: number; bytes: number }> {
    let sessions = 0;
    let bytes = 0;
    for (const session of this.#sessions.values()) {
      const { record } = session;
      if (!session.isOver || !this.#isFree(record.batch)) continue;
      bytes += session.transcriptBytes + sizeOf(this.#records.stderrOf(record));
      sessions++;
      this.forget(session);
    }
    await Promise.all(this.#forgetting);
    // Sessions of which only another version knows anything.
    for (const batch of this.#records.batches()) {
      const known = this.#batches.get(batch);
      const mayComeBack = known !== undefined && (known.isConnected || !known.isLapsed());
      if (mayComeBack || !this.#isEmpty(batch)) continue;
      const gone = this.#records.forgetAll(batch);
      sessions += gone.sessions;
      bytes += gone.bytes;
    }
    await this.#trees.prune((batch) => this.#isFree(batch) && this.#isEmpty(batch));
    return { sessions, bytes };
  }

  /** What a runner must know to choose a machine. */
  room(): Extract<FromKeeper, { type: "room" }> {
    const because = this.#drain.whyWait ?? this.#parts.whyWait(this.#footprintKey);
    const running = this.#parts.slots.running;
    return { type: "room", running, ...(because === undefined ? {} : { because }) };
  }

  // Nobody has the batch: what has its prompt does its work to the end, and no more comes.
  #goOnAlone(batch: FarBatch, session: FarSession): void {
    if (!session.isRunning) return;
    const { startedAt, mostMs } = session.record;
    session.lapse({ ends: batch.isGoingElsewhere });
    if (Date.now() - startedAt > mostMs) void session.end({}).catch(() => undefined);
  }

  #of(batch: string): FarSession[] {
    return [...this.#sessions.values()].filter(({ record }) => record.batch === batch);
  }

  #batchOf(id: string): FarBatch {
    const known = this.#batches.get(id) ?? new FarBatch(id);
    this.#batches.set(id, known);
    return known;
  }

  #add(record: SessionRecord, session: OwnSession | undefined): FarSession {
    const far = new FarSession({
      record,
      session,
      transcript: this.#records.transcriptOf(record),
      stderr: this.#records.stderrOf(record),
      saved: (id, directory) => this.#parts.savedConversation?.(id, directory),
      changed: (changed) => {
        this.#keep(changed);
        if (!changed.leaked) return;
        this.#freeSlot(changed.id);
        const now = performance.now();
        this.#endedAt = [...this.#endedAt.filter((at) => at > now - hourMs), now];
      },
    });
    this.#sessions.set(record.id, far);
    this.#watch(record);
    return far;
  }

  #freeSlot(id: string): void {
    const slot = this.#slots.get(id);
    if (slot) this.release(slot);
    this.#slots.delete(id);
  }

  // What cannot be written now is known from the process table later.
  #keep(record: SessionRecord): void {
    const before = this.#writing.get(record.id) ?? Promise.resolve();
    const written = before.then(() => this.#records.keep(record)).catch(() => undefined);
    this.#writing.set(record.id, written);
  }

  #watch(record: SessionRecord): void {
    const folder = dirname(this.#records.transcriptOf(record));
    if (this.#watches.has(folder)) return;
    const changed = (name: string) => this.#sessions.get(basename(name).replace(/\.ndjson$/, ""))?.pump();
    this.#watches.set(folder, watchDirectory(folder, changed));
  }

  #endWatch(batch: string): void {
    const folder = this.#records.folderOf(batch);
    this.#watches.get(folder)?.[Symbol.dispose]();
    this.#watches.delete(folder);
  }
}
