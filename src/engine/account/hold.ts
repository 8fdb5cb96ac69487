// What the end of one session means for the others of its account: the pause on new sessions that it calls for.
import { familyIn, modelNameTypes } from "../../model/limit-types.ts";
import type { AttemptOutcome } from "../../model/outcome.ts";
import { unreachable } from "../../model/unreachable.ts";
import { beganAhead, type Hold, type HoldKind } from "../../store/holds.ts";
import { holdText } from "./hold-text.ts";

const minuteMs = 60_000;

/** The longest usage limit lasts a week. Longer holds are probed after this, in milliseconds. */
export const longestHoldMs = 8 * 24 * 60 * minuteMs;
const staleMs = 60 * minuteMs;

interface HoldFacts {
  /** The model that the task requested; absent for the account's default. */
  model?: string | undefined;
  /** The same hold, if it exists already. */
  existing?: Pick<Hold, "since" | "until" | "tries"> | undefined;
  /** Whether this session was its probe. */
  probed: boolean;
  /** Whether the API has answered another session since it refused this one: then the account is not at fault. */
  othersAnswered: boolean;
  /** How long to wait if no end is known, in milliseconds: every wait ends. */
  patienceMs: number;
  /** Since when this batch has waited for the existing hold, in milliseconds since 1970; absent: since it started. */
  waitingSince?: number | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/** The kind of hold that an outcome causes; undefined if it concerns only its own task. */
function holdKindOf(outcome: AttemptOutcome): HoldKind | undefined {
  if (outcome.kind !== "failed") return undefined;
  const { reason } = outcome;
  return reason === "usage-limit" || reason === "auth" || reason === "billing" ? reason : undefined;
}

/** Whether only a person can end a hold: by logging in, or by paying. */
export function needsPerson({ kind }: Pick<Hold, "kind">): boolean {
  return kind === "auth" || kind === "billing";
}

/** Whether an outcome needs a person to fix it. */
export function asksForPerson(outcome: AttemptOutcome): boolean {
  const kind = holdKindOf(outcome);
  return kind !== undefined && needsPerson({ kind });
}

/** The hold that an outcome causes; undefined if the others may continue, or patience has run out. */
export function holdFor(outcome: AttemptOutcome, facts: HoldFacts): Omit<Hold, "isProbed"> | undefined {
  const kind = holdKindOf(outcome);
  if (kind === undefined || outcome.kind !== "failed") return undefined;
  const { probed, othersAnswered, patienceMs, now } = facts;
  if (kind === "auth" && othersAnswered) return undefined;
  // A hold not probed for an hour counts as new, and so does one set by a wrong clock.
  const isKnown = facts.existing && now - facts.existing.until < staleMs && !beganAhead(facts.existing, now);
  const existing = isKnown ? facts.existing : undefined;
  const reset = outcome.resetsAt !== undefined && outcome.resetsAt > now ? outcome.resetsAt : undefined;
  // Patience counts only if no end is known. A known end is waited for, and patience starts again after it.
  const since = reset === undefined ? (existing?.since ?? now) : now;
  const waitedMs = now - Math.max(since, facts.waitingSince ?? since);
  if (reset === undefined && waitedMs >= patienceMs) return undefined;
  const tries = (existing?.tries ?? 0) + (probed ? 1 : 0);
  const until = untilOf(kind, outcome.resetsAt, tries, now);
  const model = heldModel(outcome, facts);
  return {
    kind,
    model,
    since,
    // A session that was already running when the hold was placed has no newer information.
    until: Math.max(until, probed ? 0 : (existing?.until ?? 0)),
    because: holdText(outcome, isOfSome({ model }) ? nameOf(facts.model) : undefined),
    tries,
  };
}

/** Whether a hold applies to tasks that request this model. */
export function concerns({ model: held }: Pick<Hold, "model">, model: string | undefined): boolean {
  if (held === "") return true;
  if (model === undefined) return held === defaultModel;
  const asked = model.toLowerCase();
  return held.startsWith(exactly) ? asked === held.slice(exactly.length) : asked.includes(held);
}

/** Whether a hold is for some models only. */
export function isOfSome({ model }: Pick<Hold, "model">): boolean {
  return model !== "";
}

const defaultModel = "default";
/** Prefix of a model's exact name: holds `sonnet[1m]` but not `sonnet`. */
const exactly = "=";

type Failed = Extract<AttemptOutcome, { kind: "failed" }>;

// "seven_day_opus" does not affect other models. The task that met it is held in any case: the model it requested under
// another name (`best`, an alias of the user's) was that model, or used it for a part.
function heldModel({ limitType }: Failed, { model }: HoldFacts): string {
  const ofName = modelNameTypes.has(limitType ?? "");
  const family = ofName ? undefined : familyIn(limitType);
  if (!ofName && family === undefined) return "";
  if (model === undefined) return defaultModel;
  const ofFamily = family !== undefined && concerns({ model: family }, model);
  return ofFamily ? family : `${exactly}${model.toLowerCase()}`;
}

function nameOf(model: string | undefined): string {
  return model === undefined ? "The account's own model" : `\`${model}\``;
}

// A known reset that has passed may be a second early; an unknown one is probed for. A login or credit may come at any
// time, and a probe costs nothing.
function untilOf(kind: HoldKind, resetsAt: number | undefined, tries: number, now: number): number {
  const again = tries === 0 ? 0 : backOff(5_000, tries - 1, 10 * minuteMs);
  if (resetsAt !== undefined) return Math.min(now + longestHoldMs, Math.max(resetsAt, now + again));
  switch (kind) {
    case "usage-limit":
    case "billing":
      return now + backOff(5 * minuteMs, tries, 30 * minuteMs);
    case "auth":
      // Short at first: while a login is being renewed, it is refused only for a moment.
      return now + backOff(15_000, tries, 10 * minuteMs);
    default:
      return unreachable(kind);
  }
}

/** When to probe again after the API throttled the probe, in milliseconds since 1970. */
export function untilAfterThrottle({ tries }: Pick<Hold, "tries">, now: number): number {
  return now + backOff(5_000, tries, 10 * minuteMs);
}

function backOff(firstMs: number, tries: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(tries, 20));
}
