// The steps of a conversation as a page shows them, in bounded memory: of a long one, the first and the last.
import type { PartOf, TokensRead } from "../../model/conversation.ts";
import type { DiffLine } from "../diff/text-diff.ts";
import type { Excerpt } from "./excerpt.ts";

/** What a step shows. */
export type Shown =
  | { kind: "words"; by: "prompt" | "claude" | "thought"; text: Excerpt; failed: boolean }
  /** A reply of the model begins. */
  | { kind: "reply"; count: number; read: TokensRead | undefined }
  /** Another turn begins, behind an end. */
  | { kind: "turn"; count: number }
  | Call
  /** A result whose call is not there. */
  | { kind: "result"; result: Result }
  | { kind: "waits"; why: string }
  | {
      kind: "ended";
      end: Omit<PartOf<"ended">, "text" | "kind">;
      text: Excerpt;
      /** Whether the same was said just before. */
      isSaid: boolean;
      isFirst: boolean;
    }
  | { kind: "unread"; text: Excerpt; bytes: number };

/** A tool call, with what it gave. */
export interface Call {
  kind: "call";
  /** By which its result finds it. */
  callId: string | undefined;
  tool: string;
  /** In a line. */
  subject: string;
  isBehind: boolean;
  input: ShownInput;
  result?: Result;
  /** What the subagent did that it started. */
  inside?: Steps;
}

/** What a call was given. */
export type ShownInput =
  | { kind: "values"; values: readonly (readonly [name: string, value: Excerpt])[] }
  | { kind: "text"; text: Excerpt }
  | { kind: "command"; text: Excerpt }
  | { kind: "diff"; lines: readonly DiffLine[]; left: number }
  | { kind: "items"; items: readonly (readonly [sign: string, text: string])[] };

/** What a call gave. */
export interface Result {
  text: Excerpt;
  failed: boolean;
  /** The exit status of a command, if that is known. */
  status?: number;
  /** The length of the whole, in lines. */
  lines: number;
}

/** A step in its list. */
export interface Step {
  /** Unique on the page, for its address. */
  id: string;
  /** Where its line begins in the transcript, in bytes. */
  offset: number;
  shown: Shown;
  /** What it costs to show, in characters. */
  weight: number;
  list: Steps;
  /** Whether it is one of the first, which stay. */
  isFirst: boolean;
}

/** What a page costs so far, all its lists together, and what it may cost, in characters. */
export interface Budget {
  used: number;
  most: number;
}

/** How much of the room is for the first steps. */
const firstShare = 0.3;
/** The part of a list's free room that a list inside gets. */
const insideShare = 0.3;
/** The least room of a list inside, in characters. */
const leastInside = 6_000;

/** The first and the last steps of a conversation. */
export class Steps {
  readonly first: Step[] = [];
  readonly last: Step[] = [];
  /** How many between them are left out. */
  left = 0;
  readonly #budget: Budget;
  readonly #rooms: { first: number; last: number };
  readonly #weights = { first: 0, last: 0 };
  readonly #owner: Step | undefined;
  readonly #dropped: (step: Step) => void;
  #isFull = false;

  /** `room`: for all its steps, in characters. `dropped` is called with each step that is left out after it was added. */
  constructor(
    budget: Budget,
    { room, owner, dropped }: { room: number; owner?: Step; dropped(step: Step): void },
  ) {
    this.#budget = budget;
    this.#rooms = { first: room * firstShare, last: room * (1 - firstShare) };
    this.#owner = owner;
    this.#dropped = dropped;
  }

  /** All that are there, in their order. */
  get all(): readonly Step[] {
    return [...this.first, ...this.last];
  }

  /** The room that a list inside one of its steps may have. */
  get roomInside(): number {
    const free = this.#isFull ? this.#rooms.last : this.#rooms.first - this.#weights.first;
    return Math.max(leastInside, free * insideShare);
  }

  /** Adds a step, or counts it as left out if the page is full. Undefined then. */
  add(step: Omit<Step, "list" | "isFirst">): Step | undefined {
    // Only many subagents at once can fill a page beyond what its lists may have.
    if (this.#budget.used > 2 * this.#budget.most) {
      this.left++;
      return undefined;
    }
    this.#isFull ||= this.#weights.first + step.weight > this.#rooms.first;
    const added: Step = { ...step, list: this, isFirst: !this.#isFull };
    (added.isFirst ? this.first : this.last).push(added);
    this.grew(added, step.weight);
    return added;
  }

  /** A step of its has become longer. */
  grew(step: Step, by: number): void {
    this.#weights[step.isFirst ? "first" : "last"] += by;
    if (!this.#owner) this.#budget.used += by;
    this.#passOn(by);
    while (this.#weights.last > this.#rooms.last && this.last.length > 1) this.#drop();
  }

  #drop(): void {
    const gone = this.last.shift();
    if (!gone) return;
    this.left++;
    this.#weights.last -= gone.weight;
    if (!this.#owner) this.#budget.used -= gone.weight;
    this.#passOn(-gone.weight);
    this.#forget(gone);
  }

  // What is inside a step counts for the step.
  #passOn(by: number): void {
    if (!this.#owner) return;
    this.#owner.weight += by;
    this.#owner.list.grew(this.#owner, by);
  }

  #forget(step: Step): void {
    this.#dropped(step);
    if (step.shown.kind !== "call") return;
    for (const one of step.shown.inside?.all ?? []) this.#forget(one);
  }
}
