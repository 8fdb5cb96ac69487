// What the end of one session means for the others of its account: the pause on new ones that it asks for.
import type { Outcome } from "../model/outcome.ts";
import { unreachable } from "../model/unreachable.ts";
import type { Hold, HoldKind } from "../store/holds.ts";

const minuteMs = 60_000;

/** No limit is known that lasts longer than a week: a later time was misread, or made up. */
const longestMs = 8 * 24 * 60 * minuteMs;
const staleMs = 60 * minuteMs;

interface HoldFacts {
  /** The model that the task asked for; nothing for the account's own. */
  model?: string | undefined;
  /** The same hold as it stands already. */
  standing?: Pick<Hold, "since" | "until" | "tries"> | undefined;
  /** Whether this session was the one that tried whether it is over. */
  probed: boolean;
  /** Whether the API has answered another session after it refused this one: then the fault is not the account's. */
  othersAnswered: boolean;
  /** How long a login or credit is waited for, in milliseconds: every wait has an end. */
  patienceMs: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** Which hold an outcome is about; nothing where it concerns its own task alone. */
export function holdKindOf(outcome: Outcome): HoldKind | undefined {
  if (outcome.kind !== "failed") return undefined;
  const { reason } = outcome;
  return reason === "usage-limit" || reason === "auth" || reason === "billing" ? reason : undefined;
}

/** The hold that an outcome asks for; nothing where the others can go on. */
export function holdFor(outcome: Outcome, facts: HoldFacts): Omit<Hold, "isProbed"> | undefined {
  const kind = holdKindOf(outcome);
  if (kind === undefined || outcome.kind !== "failed") return undefined;
  const { probed, othersAnswered, patienceMs, now } = facts;
  if (kind === "auth" && othersAnswered) return undefined;
  // One that nobody has tried for long is not the same any more.
  const standing = facts.standing && now - facts.standing.until < staleMs ? facts.standing : undefined;
  const since = standing?.since ?? now;
  if (kind !== "usage-limit" && now - since >= patienceMs) return undefined;
  const tries = (standing?.tries ?? 0) + (probed ? 1 : 0);
  return {
    kind,
    model: heldModel(outcome, facts),
    since,
    // One that was still running when the hold came knows no better when it ends.
    until: Math.max(untilOf(kind, outcome.resetsAt, tries, now), probed ? 0 : (standing?.until ?? 0)),
    because: becauseOf(kind, outcome),
    tries,
  };
}

/** Whether a hold is for tasks that ask for this model. */
export function concerns({ model: held }: Pick<Hold, "model">, model: string | undefined): boolean {
  if (held === "") return true;
  return model === undefined ? held === defaultModel : model.toLowerCase().includes(held);
}

/** Whether a hold leaves some models alone. */
export function isOfSome({ model }: Pick<Hold, "model">): boolean {
  return model !== "";
}

const defaultModel = "default";

type Failed = Extract<Outcome, { kind: "failed" }>;

// "seven_day_opus" leaves the other models alone. The task that met it is held in any case: what it asked for under
// another name (`best`, an alias of the user's) was that model, or had it do a part.
function heldModel({ limitType }: Failed, { model }: HoldFacts): string {
  const family = /opus|sonnet|haiku|fable/.exec(limitType ?? "")?.[0];
  if (family === undefined) return "";
  if (model === undefined) return defaultModel;
  return concerns({ model: family }, model) ? family : model.toLowerCase();
}

// A reset that was told and has passed may be a second early; one that was not told is tried for. A login or credit
// may come at any time, and a try costs nothing.
function untilOf(kind: HoldKind, resetsAt: number | undefined, tries: number, now: number): number {
  switch (kind) {
    case "usage-limit": {
      const again = tries === 0 ? 0 : backOff(5_000, tries - 1, 10 * minuteMs);
      const told = resetsAt ?? now + backOff(5 * minuteMs, tries, 30 * minuteMs);
      return Math.min(now + longestMs, Math.max(told, now + again));
    }
    case "auth":
      // Short at first: a login that is renewed in this moment is refused, and then not.
      return now + backOff(15_000, tries, 10 * minuteMs);
    case "billing":
      return now + backOff(5 * minuteMs, tries, 30 * minuteMs);
    default:
      return unreachable(kind);
  }
}

function backOff(firstMs: number, tries: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(tries, 20));
}

const limitNames: Record<string, string> = {
  five_hour: "five-hour",
  seven_day: "weekly",
  seven_day_opus: "weekly Opus",
  seven_day_sonnet: "weekly Sonnet",
};

function becauseOf(kind: HoldKind, { message, limitType }: Failed): string {
  const said = message === "" ? "" : ` Claude said: ${message.replace(/\s+/g, " ").slice(0, 200)}`;
  const name = limitType === undefined ? "usage" : (limitNames[limitType] ?? limitType);
  switch (kind) {
    case "usage-limit":
      return `The account's ${name} limit is reached; the batch goes on by itself when it resets.${said}`;
    case "auth":
      return `Claude is not logged in. Run \`claude\` and log in with \`/login\`; then the batch goes on by itself, or at once after \`parallel-claude-code-mcp doctor\`. A credential in the environment can only be changed for a new batch.${said}`;
    case "billing":
      return `The account is refused for billing reasons. With credit the batch goes on by itself, or at once after \`parallel-claude-code-mcp doctor\`.${said}`;
    default:
      return unreachable(kind);
  }
}
