// One far machine, as a runner uses it: starts sessions there over one ssh, and goes on with them when that ends.
import { TranscriptReader } from "../../claude/transcript.ts";
import { farCommands } from "../../far/commands.ts";
import { protocol } from "../../far/greeting.ts";
import type { FromKeeper, ToKeeper, TreeAction } from "../../far/messages.ts";
import { type Relocation, relocated, relocatedLine } from "../../far/relocated.ts";
import { sshCommand } from "../../far/ssh-command.ts";
import { Ssh, type Wire } from "../../far/ssh-process.ts";
import type { BatchId } from "../../model/batch-id.ts";
import { farDirectoryText } from "../../model/far-directory.ts";
import { product } from "../../model/product.ts";
import { clock } from "../../platform/clock.ts";
import { exists, fileStamp, kindAt, readText } from "../../platform/files.ts";
import { namesIn } from "../../platform/folders.ts";
import { dirname, isWithin, join, relative } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { depthVariable } from "../../platform/session-variables.ts";
import { messageOf } from "../../platform/system-error.ts";
import { addedHostNamed } from "../../store/added-hosts.ts";
import type { Layout } from "../../store/layout.ts";
import { stderrBeside } from "../../store/layout.ts";
import type { Adopted, Away, Need, Orphan, Session, Start, StartPlan } from "../attempt/session-host.ts";
import { FarLink, keepAlive } from "./far-link.ts";
import { type SessionLine, SshSession } from "./ssh-session.ts";

/** How long a start waits for a machine that has just gone, in milliseconds. */
const startPatienceMs = 20_000;
/** After how many leases without a word the sessions of a machine count as lost. */
const leasesUntilLost = 3;
/** For shorter silence, no other connection is made, in milliseconds. */
const leastSilentMs = 5_000;
/** How often a machine on which Claude Code cannot be used is asked again, in milliseconds. */
const askAgainMs = 10_000;
/** How long a machine that said it was full is not asked again, in milliseconds. */
const fullMs = 500;

export interface SshHostParts {
  name: string;
  layout: Layout;
  batchId: BatchId;
  /** Of the batch's folder here. */
  folder: string;
  epoch: number;
  leaseMs: number;
  onLostHost: "wait" | "elsewhere";
  /** Of all sessions here; of it, only the depth goes there. */
  environment: Record<string, string>;
  /** How long a session that starts now may run in all, in milliseconds. */
  mostMs(): number;
  /** What the log knows to be on that machine, and what was prepared there. */
  known(name: string): { sessions: string[]; trees: string[] };
  /** Begins a connection; absent for one by ssh. */
  connect?(name: string): Wire;
  /** A session that was started under this name has gone, and its conversation can be continued there. */
  conversed?(startName: string, conversation: Conversation): void;
  /** Something has changed: there may be room. */
  changed(): void;
  failed(error: unknown): void;
}

/** One that can be continued where it began, and what it has cost. */
export type Conversation = NonNullable<Extract<FromKeeper, { type: "exited" }>["conversation"]>;

/** A slot there, for a session that has not started yet. */
export interface Ticket {
  id: string;
  footprintKey: string;
}

/** What a machine answers about its working trees. */
export type TreeAnswer = Omit<Extract<FromKeeper, { type: "tree" }>, "type" | "request"> & {
  body: Uint8Array;
  /** It cannot be reached. */
  away?: Away;
};

interface AskedTree {
  action: TreeAction;
  body: Uint8Array | undefined;
  isCancelled(): boolean;
  settle(answer: TreeAnswer): void;
}

type Answered = Extract<FromKeeper, { type: "started" | "failed" }>;

interface Starting {
  /** On the monotonic clock, in milliseconds. */
  since: number;
  isWanted(): boolean;
  say(): void;
  settle(answer: Answered | undefined): void;
}

export class SshHost implements Disposable {
  readonly #parts: SshHostParts;
  readonly #link: FarLink;
  readonly #alive: Disposable;
  readonly #beats: Disposable;
  readonly #sessions = new Map<string, SshSession>();
  readonly #starting = new Map<string, Starting>();
  readonly #asked = new Map<string, (isReserved: boolean) => void>();
  readonly #trees = new Map<number, AskedTree>();
  #requests = 0;
  /** Sessions that this runner has given up, and that may still run there. */
  readonly #abandoned = new Set<string>();
  /** Sessions of which everything has come, and that may still be kept there. */
  readonly #read = new Set<string>();
  /** Files that the machine has, as far as this connection knows. */
  #sent = new Map<string, string>();
  #thereFolder: string | undefined;
  #canFetch = false;
  #problem: string | undefined;
  #room: { running: number; because?: string | undefined } = { running: 0 };
  #fullUntil = Number.NEGATIVE_INFINITY;
  #fullBecause = "";
  #tickets = 0;
  /** Slots that were reserved since the machine last said how many are used. */
  #reserved = 0;
  #askedClaudeAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SshHostParts) {
    this.#parts = parts;
    this.#link = new FarLink({
      name: parts.name,
      connect: () => parts.connect?.(parts.name) ?? this.#connect(),
      hello: () => ({
        type: "hello",
        protocol,
        version: product.version,
        batch: parts.batchId,
        epoch: parts.epoch,
        leaseMs: parts.leaseMs,
        onLostHost: parts.onLostHost,
        ...this.#known(),
      }),
      opened: (welcome) => this.#opened(welcome),
      received: (message, body) => this.#received(message, body),
      failed: parts.failed,
    });
    this.#alive = keepAlive(this.#link, { leaseMs: parts.leaseMs, silentMs: this.#silentMs });
    this.#beats = clock.on("second", () => this.#beat());
  }

  [Symbol.dispose](): void {
    this.#alive[Symbol.dispose]();
    this.#beats[Symbol.dispose]();
    this.#link[Symbol.dispose]();
  }

  get name(): string {
    return this.#parts.name;
  }

  /** Whether its keeper can get commits from servers. */
  get canFetch(): boolean {
    return this.#canFetch;
  }

  /** How many sessions run there, and are about to. */
  get load(): number {
    return this.#room.running + this.#reserved + this.#asked.size;
  }

  /** Why nothing can start there now, in words for people; undefined if it can be asked. */
  whyWait(): string | undefined {
    const trouble = this.trouble();
    if (trouble !== undefined) return trouble;
    if (this.#problem !== undefined) return `${this.name} cannot run sessions: ${this.#problem}`;
    if (this.#room.because !== undefined) return `${this.name}: ${this.#room.because}`;
    return performance.now() < this.#fullUntil ? `${this.name}: ${this.#fullBecause}` : undefined;
  }

  /** Whether nothing can start there until something is different. A connection that is only being made says nothing yet. */
  get isUnusable(): boolean {
    return (this.#link.state.kind === "down" && !this.#link.isFirstTry) || this.#problem !== undefined;
  }

  /** Why it cannot be reached, and since when. */
  trouble(): string | undefined {
    const { state } = this.#link;
    if (state.kind === "up") return undefined;
    const since = new Date(state.since).toISOString();
    return `${this.name} is unreachable since ${since}: ${state.because}`;
  }

  /** Asks for a slot. Undefined if there is none now. `isCheck`: for what a task that runs there needs to end. */
  async reserve(
    footprintKey: string,
    { isCheck = false }: { isCheck?: boolean } = {},
  ): Promise<Ticket | undefined> {
    const id = `${++this.#tickets}`;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#asked.set(id, resolve);
    this.#link.send({ type: "reserve", ticket: id, footprintKey, ...(isCheck ? { isCheck } : {}) });
    if (this.#link.state.kind !== "up") this.#answer(id, false);
    return (await promise) ? { id, footprintKey } : undefined;
  }

  release({ id }: Ticket): void {
    this.#reserved = Math.max(0, this.#reserved - 1);
    this.#link.send({ type: "release", ticket: id });
  }

  ready(id: string): void {
    this.#link.send({ type: "ready", id });
  }

  /**
   * Asks about working trees there. What a session has changed is waited for as long as the session would be, unless that is
   * cancelled; anything else only for a while, because another machine may do it, and a fetch or a check-out only until it is cancelled.
   */
  tree(action: TreeAction, body?: Uint8Array, isCancelled: () => boolean = () => false): Promise<TreeAnswer> {
    const { promise, resolve } = Promise.withResolvers<TreeAnswer>();
    const request = ++this.#requests;
    const settle = (answer: TreeAnswer) => {
      this.#trees.delete(request);
      resolve(answer);
    };
    this.#trees.set(request, { action, body, isCancelled, settle });
    this.#link.send({ type: "tree", request, action }, body);
    return promise;
  }

  /** The path that something of the batch's folder has there, or a directory in it; undefined without a connection yet. */
  pathThere(path: string): string | undefined {
    return this.#thereFolder === undefined ? undefined : this.#there(path);
  }

  /** Starts a session in a directory there. Resolves once the machine has said how that went, or cannot be reached. */
  async start(
    plan: StartPlan,
    need: Need,
    {
      directory,
      ticket,
      relocations = [],
    }: { directory: string; ticket?: Ticket; relocations?: readonly Relocation[] },
  ): Promise<Start> {
    const { startName: id, transcript, stderr } = plan;
    let session: SshSession | undefined;
    let output: TranscriptReader | undefined;
    try {
      session = new SshSession(this.#lineOf(relocations), id, { transcript, stderr, isNew: true });
      output = new TranscriptReader(transcript);
    } catch (error) {
      session?.lost("");
      if (ticket) this.release(ticket);
      return {
        started: false,
        kind: "passing",
        because: `Waits for the directory ${dirname(transcript)}: ${messageOf(error)}`,
      };
    }
    this.#sessions.set(id, session);
    const answer = await this.#askToStart(id, need, () => {
      this.#sendFiles([...plan.command, directory], plan);
      this.#link.send(
        this.#startMessage(plan, need, { directory, relocations, ...(ticket ? { ticket } : {}) }),
      );
    });
    if (answer?.type === "started") {
      session.resume();
      return { started: true, session: session.with(output) };
    }
    this.#sessions.delete(id);
    output[Symbol.dispose]();
    session.lost("");
    for (const path of [transcript, stderr]) removePath(path);
    if (!answer) {
      this.#abandoned.add(id);
      this.#link.send({ type: "end", id, isUnasked: true });
      const because = this.trouble() ?? `${this.name} did not answer.`;
      return { started: false, kind: "passing", because, away: this.#away };
    }
    const words = `${this.name}: ${answer.message}`;
    // What this machine lacks says nothing about others.
    return answer.kind === "task"
      ? { started: false, kind: "task", message: words }
      : { started: false, kind: "passing", because: words, away: "waited-for" };
  }

  /** Takes over a session that an earlier runner started there. */
  adopt(id: string, { transcript, offset = 0 }: Pick<Orphan, "transcript" | "offset">): Adopted {
    const isThere = exists(transcript);
    const stderr = stderrBeside(transcript);
    const session = new SshSession(this.#lineOf(), id, {
      ...(isThere ? { transcript, stderr } : {}),
      isNew: false,
    });
    this.#sessions.set(id, session);
    session.resume();
    const bare: Omit<Session, "output"> = session.bare();
    return isThere
      ? { ...bare, output: new TranscriptReader(transcript, { from: offset }) }
      : { ...bare, output: undefined };
  }

  #connect(): Wire | { problem: string } {
    const { name, layout } = this.#parts;
    const added = addedHostNamed(layout, name);
    if (!added) return { problem: `it is not added any more; run \`${product.name} host add ${name}\`` };
    const words = sshCommand(name, [...added.command, farCommands.relay]);
    return words ? new Ssh(words) : { problem: "there is no `ssh` on the PATH" };
  }

  #lineOf(relocations: readonly Relocation[] = []): SessionLine {
    return {
      host: this.name,
      send: (message, body) => this.#link.send(message, body),
      isCurrent: () => this.#isCurrent(),
      trouble: () => this.trouble(),
      there: (line) => relocatedLine(line, this.#relocations(relocations)),
      over: (id) => {
        this.#sessions.delete(id);
        // Said again in each connection until it is heard.
        this.#read.add(id);
        this.#link.send({ type: "forget", id });
      },
    };
  }

  // After a pause of ours, or of the connection, the transcripts here may be far behind.
  #isCurrent(): boolean {
    return this.#link.state.kind === "up" && performance.now() - this.#link.leasedAt < this.#silentMs;
  }

  // After this long without an answer, there is another connection, which begins where the transcripts are.
  get #silentMs(): number {
    return Math.max(leastSilentMs, this.#parts.leaseMs / 2);
  }

  get #isLost(): boolean {
    return this.#link.hasStayedDown(leasesUntilLost * this.#parts.leaseMs);
  }

  get #away(): Away {
    return this.#parts.onLostHost === "elsewhere" && this.#isLost ? "given-up" : "waited-for";
  }

  #known(): { sessions: string[]; trees: string[] } {
    const { sessions, trees } = this.#parts.known(this.name);
    const own = [...this.#sessions.keys(), ...this.#starting.keys(), ...this.#abandoned];
    return { sessions: [...new Set([...sessions, ...own])], trees: [...new Set(trees)] };
  }

  #askToStart(id: string, { isWanted = () => true }: Need, say: () => void): Promise<Answered | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answered | undefined>();
    const settle = (answer: Answered | undefined) => {
      this.#starting.delete(id);
      resolve(answer);
    };
    this.#starting.set(id, { since: performance.now(), isWanted, say, settle });
    say();
    return promise;
  }

  // A machine that can be reached is only slow, and will answer, unless nobody wants to know any more.
  #giveUpStarts(): void {
    const isDown = this.#link.state.kind === "down";
    for (const { since, isWanted, settle } of [...this.#starting.values()])
      if (!isWanted() || (isDown && performance.now() - since > startPatienceMs)) settle(undefined);
  }

  // A session that never started leaves nothing to wait for; who asked drops what is there of its working tree.
  #giveUpTrees(): void {
    for (const { action, isCancelled, settle } of [...this.#trees.values()])
      if ((action.do === "check-out" || action.do === "fetch") && isCancelled())
        settle({ ...lostTree("nobody wants it any more"), away: "waited-for" });
  }

  #startMessage(
    { startName, sessionId, marker, command, variables = {}, initialize, isProgram = false }: StartPlan,
    { footprintKey }: Need,
    {
      directory,
      ticket,
      relocations,
    }: { directory: string; ticket?: Ticket; relocations: readonly Relocation[] },
  ): ToKeeper {
    const [name = "", ...words] = command;
    const depth = this.#parts.environment[depthVariable];
    return {
      type: "start",
      id: startName,
      ...(ticket ? { ticket: ticket.id } : {}),
      marker,
      program: isProgram ? { kind: "named", name } : { kind: "claude" },
      arguments: words.map((word) => relocated(this.#there(word), relocations)),
      directory: this.#there(directory),
      variables: { ...variables, ...(depth === undefined ? {} : { [depthVariable]: depth }) },
      initialize,
      footprintKey,
      mostMs: this.#parts.mostMs(),
      ...(isProgram ? {} : { conversation: sessionId }),
    };
  }

  // A text with the folder of the batch as it is there.
  #there(text: string): string {
    return this.#thereFolder === undefined ? text : text.replaceAll(this.#parts.folder, this.#thereFolder);
  }

  // Working trees too, as they are there.
  #relocations(more: readonly Relocation[]): Relocation[] {
    const there = this.#thereFolder;
    return [...(there === undefined ? [] : [{ here: this.#parts.folder, there }]), ...more];
  }

  // What a session reads of the batch's own folder: private files, and answers of other tasks.
  #sendFiles(words: readonly string[], { files = [] }: StartPlan): void {
    const { folder, layout, batchId } = this.#parts;
    for (const { path, text } of files) this.#put(path, "", () => text);
    const named = words.filter((word) => isWithin(word, folder));
    // A rule that allows to read them names their folders within another text.
    const readable = [layout.answers(batchId), layout.earlierAnswers(batchId)].filter((path) =>
      words.some((word) => word.includes(path)),
    );
    for (const path of new Set([...named, ...readable])) {
      if (files.some((file) => file.path === path)) continue;
      const kind = kindAt(path);
      if (kind === "file") this.#putFile(path);
      if (kind === "directory") for (const name of namesIn(path)) this.#putFile(join(path, name));
    }
  }

  // Again if it was written anew.
  #putFile(path: string): void {
    if (kindAt(path) === "file") this.#put(path, JSON.stringify(fileStamp(path)), () => readText(path));
  }

  #put(path: string, stamp: string, read: () => string): void {
    if (this.#sent.get(path) === stamp) return;
    this.#send(path, read());
    this.#sent.set(path, stamp);
  }

  #send(path: string, text: string): void {
    const name = relative(this.#parts.folder, path).replaceAll("\\", "/");
    this.#link.send({ type: "put", name }, new TextEncoder().encode(text));
  }

  #opened({ folder, claude, fetches = false }: Extract<FromKeeper, { type: "welcome" }>): void {
    this.#thereFolder = folder;
    this.#canFetch = fetches;
    this.#problem = claude.problem;
    this.#sent = new Map();
    for (const ticket of [...this.#asked.keys()]) this.#answer(ticket, false);
    for (const { say } of [...this.#starting.values()]) say();
    for (const [request, { action, body, settle }] of [...this.#trees]) {
      // Pieces follow one another, so all of them go again.
      if (action.do === "receive") settle({ ...lostTree("the connection ended"), isInterrupted: true });
      else this.#link.send({ type: "tree", request, action }, body);
    }
    for (const [id, session] of this.#sessions) if (!this.#starting.has(id)) session.resume();
    for (const id of this.#abandoned) this.#link.send({ type: "end", id, isUnasked: true });
    for (const id of this.#read) this.#link.send({ type: "forget", id });
    this.#parts.changed();
  }

  #received(message: FromKeeper, body: Uint8Array): void {
    switch (message.type) {
      case "room":
        this.#room = { running: message.running, because: message.because };
        this.#reserved = 0;
        this.#parts.changed();
        break;
      case "claude":
        this.#problem = message.claude.problem;
        this.#parts.changed();
        break;
      case "reserved":
        this.#reserved++;
        this.#answer(message.ticket, true);
        break;
      case "full":
        this.#fullUntil = performance.now() + fullMs;
        this.#fullBecause = message.because;
        this.#answer(message.ticket, false);
        break;
      case "started":
      case "failed":
        this.#starting.get(message.id)?.settle(message);
        break;
      case "tree":
        this.#trees.get(message.request)?.settle({ ...message, body });
        break;
      case "took":
        this.#sessions.get(message.id)?.took(message.number);
        break;
      case "data":
        this.#sessions.get(message.id)?.take(message.from, body);
        break;
      case "exited":
        if (message.conversation) this.#parts.conversed?.(message.id, message.conversation);
        this.#sessions.get(message.id)?.gone(message);
        break;
      case "at":
        this.#sessions.get(message.id)?.at(message.size, message.isGone);
        break;
      case "ended":
        if (this.#abandoned.delete(message.id)) {
          this.#read.add(message.id);
          this.#link.send({ type: "forget", id: message.id });
        }
        this.#sessions.get(message.id)?.swept(message.size, message.leaked);
        break;
      case "unknown":
        this.#abandoned.delete(message.id);
        this.#read.delete(message.id);
        this.#sessions.get(message.id)?.lost(`${this.name} knows nothing of this session.`);
        break;
    }
  }

  #answer(ticket: string, isReserved: boolean): void {
    this.#asked.get(ticket)?.(isReserved);
    this.#asked.delete(ticket);
  }

  #beat(): void {
    const { state } = this.#link;
    this.#giveUpStarts();
    this.#giveUpTrees();
    if (state.kind === "up") {
      for (const session of this.#sessions.values()) session.beat();
      this.#askAgain();
      return;
    }
    for (const ticket of [...this.#asked.keys()]) this.#answer(ticket, false);
    for (const asked of [...this.#trees.values()])
      if (this.#isHopeless(asked)) asked.settle({ ...lostTree(this.trouble() ?? ""), away: this.#away });
    if (!this.#isLost) return;
    for (const [id, session] of this.#sessions) {
      if (this.#starting.has(id)) continue;
      if (this.#parts.onLostHost === "wait" && !session.isEnding) continue;
      this.#abandoned.add(id);
      session.giveUp(`${this.trouble()}. Its session there was given up.`);
    }
  }

  #isHopeless({ action, isCancelled }: AskedTree): boolean {
    switch (action.do) {
      case "drop":
        return false;
      case "changes":
        return this.#isLost && (this.#parts.onLostHost === "elsewhere" || isCancelled());
      default:
        return this.#link.downMs > startPatienceMs;
    }
  }

  // It may have been installed, or its login renewed.
  #askAgain(): void {
    if (this.#problem === undefined || performance.now() - this.#askedClaudeAt < askAgainMs) return;
    this.#askedClaudeAt = performance.now();
    this.#link.send({ type: "claude" });
  }

  /** A directory there, as the log has it. */
  textOf(path: string): string {
    return farDirectoryText({ host: this.name, path });
  }
}

function lostTree(problem: string): TreeAnswer {
  return { problem, body: new Uint8Array(0) };
}
