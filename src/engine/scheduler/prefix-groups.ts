// Tasks whose requests begin alike share that beginning in the cache of the API, if one of them is asked first: the leader
// of their group. The others start meanwhile, and are asked as soon as the API begins to answer the leader, because from
// then on the cache has the beginning. Asked all at once, each would pay for writing it.
import { keptMs } from "../../claude/prefix.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import type { PrefixIndex } from "./prefix-index.ts";
import type { PrefixesElsewhere } from "./prefixes-elsewhere.ts";

/**
 * The longest time that a task waits for a leader, in milliseconds. The API begins to answer after some seconds; a leader
 * that it refuses is replaced at once, so only one that hangs takes as long as this.
 */
export const longestWaitMs = 10_000;

/**
 * How many leaders in a row may fail without an answer: then nobody waits for the next one, because it would probably fail
 * as well, one after the other.
 */
const mostUnanswered = 2;

/** What a started session does next: get its prompt, wait, or start once more to lead. */
export type Step = "go" | "wait" | "start-again";

/** What a task has in its groups from before its session starts until its attempt has ended, or it starts no more. */
export interface Place extends Disposable {
  /** Whether it leads: then its session must say when the API begins to answer (`--include-partial-messages`). */
  readonly leads: boolean;
  step(): Step;
  /** Another session is about to start in place of the one that was to start again. */
  startAgain(): void;
}

interface PrefixParts {
  state: () => BatchState;
  index: PrefixIndex;
  /** What other batches of the account do; absent if nobody shares anything with them. */
  elsewhere?: PrefixesElsewhere;
  /** The monotonic clock, in milliseconds. */
  now?: () => number;
  /** The system's clock, in milliseconds since 1970: the cache grows old while the machine sleeps, too. */
  systemNow?: () => number;
  /** In milliseconds, as it is now; with 0, nothing waits and nothing leads. */
  longestWaitMs?: () => number;
}

/** Tasks with the same beginning. */
interface Group {
  key: string;
  /** When and for how long the cache got the beginning; undefined until then. */
  warm?: Warm;
  /** How many leaders have failed since the API last answered one of the tasks. */
  unanswered: number;
  /** The number of the task that is asked first, and since when it is that. It may be about to start again. */
  leader?: { number: number; since: number };
  /** Whether other batches may know of it. */
  isCommon: boolean;
  /** Whether its tasks wait for a leader in another batch. */
  awaitsOther: boolean;
}

/** When the cache got something, on both clocks, and for how long it keeps it, in milliseconds. */
interface Warm {
  at: number;
  systemAt: number;
  keptMs: number;
}

/** A place as its groups know it. */
interface Member {
  number: number;
  groups: readonly Group[];
  leads: boolean;
  /** When its session had started. */
  since: number | undefined;
  isAsked: boolean;
  /** It must lead now, which its session cannot. */
  startsAgain: boolean;
}

export class PrefixGroups {
  readonly #state: () => BatchState;
  readonly #index: PrefixIndex;
  readonly #elsewhere: PrefixesElsewhere | undefined;
  readonly #now: () => number;
  readonly #systemNow: () => number;
  readonly #longest: () => number;
  readonly #groups = new Map<string, Group>();
  /** By task, in the order in which they came. */
  readonly #members = new Map<number, Member>();
  readonly #listeners = new Set<() => void>();

  constructor({ state, index, elsewhere, now, systemNow, longestWaitMs: longest }: PrefixParts) {
    this.#state = state;
    this.#index = index;
    this.#elsewhere = elsewhere;
    this.#now = now ?? (() => performance.now());
    this.#systemNow = systemNow ?? (() => Date.now());
    this.#longest = longest ?? (() => longestWaitMs);
  }

  get #longestWaitMs(): number {
    return this.#longest();
  }

  /** Whether a task would lead if it started a session now. */
  wouldLead(number: number): boolean {
    return this.#groupsOf(number).some(
      (group) => this.#isLedBy(group, number) && !this.#common(group)?.isLed(group.key),
    );
  }

  /** A task is about to start a session. */
  enter(number: number): Place {
    const member: Member = {
      number,
      groups: [],
      leads: false,
      since: undefined,
      isAsked: false,
      startsAgain: false,
    };
    this.#begin(member);
    this.#members.set(number, member);
    return {
      get leads() {
        return member.leads;
      },
      step: () => this.#step(member),
      startAgain: () => this.#begin(member),
      [Symbol.dispose]: () => this.#leave(member),
    };
  }

  /** The API has begun to answer the session of a task. `isLong`: the cache keeps the beginning for an hour. */
  answered(number: number, { isLong }: { isLong: boolean }): void {
    const warm: Warm = {
      at: this.#now(),
      systemAt: this.#systemNow(),
      keptMs: isLong ? keptMs.long : keptMs.short,
    };
    for (const group of this.#groupsOf(number)) {
      if (this.#leftMs(group) < warm.keptMs) group.warm = warm;
      group.unanswered = 0;
      delete group.leader;
      if (this.#hasMany(group)) this.#common(group)?.keep(group.key, warm.keptMs);
    }
    this.#changed();
  }

  /** The session of a task has failed. If the API never began to answer it, another one leads. */
  failed(number: number): void {
    const member = this.#members.get(number);
    if (!member) return;
    member.leads = false;
    for (const group of member.groups) {
      if (group.leader?.number !== number) continue;
      group.unanswered++;
      this.#passOn(group, number);
    }
    this.#changed();
  }

  /** The session of a task has ended, for whatever reason. If the API never began to answer it, another one leads. */
  ended(number: number): void {
    const member = this.#members.get(number);
    if (!member) return;
    this.#giveUpLead(member);
    this.#changed();
  }

  /** Others have written to the store: another batch may have been answered, or lead no more. */
  refresh(): void {
    this.#elsewhere?.refresh();
    if ([...this.#groups.values()].some(({ awaitsOther }) => awaitsOther)) this.#changed();
  }

  /** Calls `listener` whenever the next step of somebody may have changed, until it is disposed of. */
  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  // It leads those of its groups that need a leader and have none.
  #begin(member: Member): void {
    const { number } = member;
    const groups = this.#groupsOf(number);
    // Other options make it a member of others.
    for (const group of member.groups)
      if (!groups.includes(group) && group.leader?.number === number) this.#passOn(group, number);
    Object.assign(member, { groups, leads: false, since: undefined, isAsked: false });
    const now = this.#now();
    for (const group of groups) {
      this.#replaceIfLeaving(group);
      if (!this.#isLedBy(group, number) || !(group.leader || this.#mayLead(group))) continue;
      group.leader = { number, since: now };
      member.leads = true;
    }
    member.startsAgain = false;
  }

  #isLedBy(group: Group, number: number): boolean {
    if (group.leader) return group.leader.number === number;
    const isHopeful = group.unanswered < mostUnanswered;
    return isHopeful && !this.#isWarm(group) && this.#isShared(group, number);
  }

  #step(member: Member): Step {
    member.since ??= this.#now();
    const isStopped = member.groups.some((group) => this.#stops(member, group));
    if (member.startsAgain) return "start-again";
    if (isStopped) return "wait";
    this.#isAsked(member);
    return "go";
  }

  // From now on, the API has its time to answer.
  #isAsked(member: Member): void {
    if (member.isAsked) return;
    member.isAsked = true;
    for (const group of member.groups) {
      if (group.leader?.number !== member.number) continue;
      group.leader.since = this.#now();
      this.#mayLead(group);
    }
  }

  // Whether a member waits for the leader of a group.
  #stops(member: Member, group: Group): boolean {
    if (this.#isWarm(group)) return false;
    this.#replaceIfLeaving(group);
    const now = this.#now();
    const isPatient = now - (member.since ?? now) < this.#longestWaitMs;
    if (!group.leader && group.awaitsOther && isPatient) {
      if (this.#common(group)?.isLed(group.key)) return true;
      // It has failed, or hangs: one of ours leads.
      this.#passOn(group, 0);
      if (group.awaitsOther) return true;
    }
    const { leader } = group;
    if (!leader || leader.number === member.number) return false;
    return isPatient && now - leader.since < this.#longestWaitMs;
  }

  // Whether nobody else leads, and from now on everybody knows that we do. If somebody does, ours wait for that.
  #mayLead(group: Group): boolean {
    const isOurs = this.#common(group)?.lead(group.key, this.#longestWaitMs) ?? true;
    group.awaitsOther = !isOurs;
    return isOurs;
  }

  #common({ isCommon }: Group): PrefixesElsewhere | undefined {
    return isCommon ? this.#elsewhere : undefined;
  }

  #leave(member: Member): void {
    if (this.#members.get(member.number) === member) this.#members.delete(member.number);
    this.#giveUpLead(member);
    this.#changed();
  }

  #giveUpLead({ number, groups }: Member): void {
    for (const group of groups) if (group.leader?.number === number) this.#passOn(group, number);
  }

  // A task that was cancelled is asked no more, or its session is being interrupted.
  #replaceIfLeaving(group: Group): void {
    if (!group.leader) return;
    const { number } = group.leader;
    const task = taskOf(this.#state(), number);
    const isLeaving = task.status === "done" || (task.status === "running" && task.cancelling !== undefined);
    if (isLeaving) this.#passOn(group, number);
  }

  #passOn(group: Group, former: number): void {
    delete group.leader;
    group.awaitsOther = false;
    this.#chooseNext(group, former);
    if (!group.leader) this.#common(group)?.free(group.key);
  }

  // One that waits: if possible, one whose session can lead.
  #chooseNext(group: Group, former: number): void {
    if (this.#isWarm(group) || group.unanswered >= mostUnanswered) return;
    const waiting = [...this.#members.values()].filter(
      ({ number, groups, isAsked }) => number !== former && !isAsked && groups.includes(group),
    );
    const next = waiting.find(({ leads }) => leads) ?? waiting[0];
    if (!next) return;
    const isShared = this.#isShared(group, next.number);
    // The last one has nobody to lead.
    if (!isShared || !this.#mayLead(group)) return;
    group.leader = { number: next.number, since: this.#now() };
    next.startsAgain = !next.leads;
  }

  #isWarm(group: Group): boolean {
    return this.#leftMs(group) > 0;
  }

  // How long the cache keeps the beginning of a group. Measured by both clocks: one stands still while the machine sleeps,
  // and the other may be set back.
  #leftMs(group: Group): number {
    const { key, warm } = group;
    const elsewhereMs = this.#common(group)?.leftMs(key) ?? 0;
    if (!warm) return elsewhereMs;
    const age = Math.max(this.#now() - warm.at, this.#systemNow() - warm.systemAt);
    return Math.max(warm.keptMs - age, elsewhereMs);
  }

  // Whether another queued task begins alike.
  #isShared({ key }: Group, number: number): boolean {
    if (this.#longestWaitMs === 0) return false;
    const state = this.#state();
    return this.#index
      .membersOf(state.batch, key)
      .some((other) => other !== number && taskOf(state, other).status === "queued");
  }

  #hasMany({ key }: Group): boolean {
    return this.#index.membersOf(this.#state().batch, key).length > 1;
  }

  #groupsOf(number: number): Group[] {
    const { batch } = this.#state();
    const isCommon = this.#index.mayBeKnown(batch, number);
    return this.#index.keysOf(batch, number).map((key) => {
      const group = this.#groups.get(key) ?? { key, unanswered: 0, isCommon, awaitsOther: false };
      this.#groups.set(key, group);
      return group;
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
