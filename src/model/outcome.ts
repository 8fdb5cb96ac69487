// How a task can end, and what it used. Stored in the log, so every change needs a migration.
import { z } from "zod";
import { checkResult } from "./checks.ts";

/** Why Claude itself reported a failure. */
export const failureReasons = [
  "max-turns",
  "budget",
  "usage-limit",
  "rate-limit",
  "overloaded",
  "auth",
  "billing",
  "model",
  "schema",
  "refusal",
  "prompt-too-long",
  "output-limit",
  "connection",
  "server-error",
  "request",
  "interrupted",
  "conversation",
  "agent",
  "hook",
  "no-answer",
  "execution",
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** The clocks that limit a session. */
export const clocks = ["first-event", "idle", "wall"] as const;
export type Clock = (typeof clocks)[number];

/** Who can end a task early. */
export const cancellers = [
  "client",
  "user",
  "failure-mode",
  "budget",
  "leash",
  "hold",
  "fail-when",
  "stop-when",
] as const;
export type Canceller = (typeof cancellers)[number];

/** What can block an account or a model for long: failures that concern every task. */
export const accessKinds = ["usage-limit", "auth", "billing"] as const satisfies FailureReason[];
export type AccessKind = (typeof accessKinds)[number];

/** What was answered before a session ended with its work undone: byte offsets of those lines in the transcript. */
const interim = { interimOffsets: z.array(z.int().nonnegative()).optional() };

/** The task that an answer was taken over from: it cost nothing again. */
export const reused = z.object({
  batchId: z.string(),
  /** 1-based. */
  task: z.int().positive(),
  /** The key of that task in its batch, if it had one. */
  key: z.string().optional(),
  /** When Claude answered, in milliseconds since 1970. */
  at: z.number(),
  /** The conversation. */
  sessionId: z.string(),
  /** The copy of the session's transcript in the folder of the batch that took it over. */
  transcript: z.string(),
  /** Where the conversation begins and ends in it, in bytes, if it is a part. */
  offset: z.int().positive().optional(),
  transcriptEnd: z.int().positive().optional(),
});
export type Reused = z.infer<typeof reused>;

/** With an answer. */
const succeeded = z.object({
  kind: z.literal("succeeded"),
  /** Length of the answer, in characters (UTF-16 units); of an answer over 8 MB, in bytes of its JSON. */
  length: z.int().nonnegative(),
  /** Where the line of the answer begins in the transcript, in bytes. */
  offset: z.int().nonnegative(),
  /** The answer as data, if an `outputSchema` was given. */
  structured: z.unknown().optional(),
  /** Earlier answers, given while background work continued: byte offsets of their lines. */
  earlierOffsets: z.array(z.int().nonnegative()).optional(),
  /** What was said after the answer, when background work had ended: byte offsets of the lines. */
  laterOffsets: z.array(z.int().nonnegative()).optional(),
  /** Whether it counts for `stopWhen`, if that asks for certain answers. */
  matched: z.boolean().optional(),
  /** What was odd about the end, although the answer is good. */
  remark: z.string().optional(),
  /** Whose answer it is, if no session of this task's own ran. */
  reused: reused.optional(),
});
export type Success = z.infer<typeof succeeded>;

export const outcome = z.discriminatedUnion("kind", [
  succeeded,
  z.object({
    kind: z.literal("unverified"),
    /** The check that did not pass. */
    check: checkResult,
    /** The answer, as that of a success. */
    answer: succeeded,
  }),
  z.object({
    kind: z.literal("failed"),
    reason: z.enum(failureReasons),
    message: z.string(),
    /** For a limit of usage or credit: when it ends, in milliseconds since 1970, if known. */
    resetsAt: z.number().optional(),
    /** Which limit or refusal, as the API or Claude Code names it (`five_hour`, `account_on_hold` …). */
    limitType: z.string().optional(),
    ...interim,
  }),
  z.object({
    kind: z.literal("crashed"),
    exitCode: z.int().optional(),
    signal: z.string().optional(),
    stderrTail: z.string(),
    /** Whether its machine, or the runner, was away for too long: no fault of the task, and no try of it. */
    lost: z.boolean().optional(),
    ...interim,
  }),
  z.object({ kind: z.literal("timed-out"), clock: z.enum(clocks), afterMs: z.number(), ...interim }),
  z.object({
    kind: z.literal("cancelled"),
    by: z.enum(cancellers),
    /** For a hold: what was missing. Absent in older logs. */
    access: z.enum(accessKinds).optional(),
    ...interim,
  }),
  z.object({
    kind: z.literal("not-started"),
    message: z.string(),
    /** Names of its variables (`env`) whose values were lost. */
    lost: z.array(z.string()).optional(),
    /** The tasks that it was to start after, and that did not succeed; 1-based. */
    after: z.array(z.int().positive()).optional(),
  }),
]);
export type Outcome = z.infer<typeof outcome>;

/** Ended because the machine had no memory left for it. No task ends like this: it continues as soon as there is room. */
const evicted = z.object({ kind: z.literal("evicted"), ...interim });

// By hand: what a schema says of everything else that it is given costs more than all other checks.
function isOldEviction(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Reflect.get(value, "kind") === "cancelled" && Reflect.get(value, "by") === "memory";
}

/** How an attempt can end. Older logs have an eviction as a cancellation. */
export const attemptOutcome = z.preprocess(
  (value) => (isOldEviction(value) ? { ...Object(value), kind: "evicted" } : value),
  z.discriminatedUnion("kind", [...outcome.options, evicted]),
);
export type AttemptOutcome = z.infer<typeof attemptOutcome>;

/** Why a rule for Bash is as wide, or as narrow, as it is. */
export const broadReasons = [
  "cd-and-write",
  "cd-and-git",
  "expansion",
  "group",
  "background",
  "evaluates",
  "find",
  "path",
  "runs-code",
  "any-path",
  "exact",
  "unknown",
] as const;
export type BroadReason = (typeof broadReasons)[number];

/** What blocks a call that no option of a task would allow. */
export const obstacles = [
  "hook",
  "settings-deny",
  "settings-ask",
  "protected-path",
  "dangerous",
  "odd-path",
  "all-given",
] as const;
export type Obstacle = (typeof obstacles)[number];

/** Why a given rule of `allowedTools` did not match a call. */
export const mismatches = [
  "case",
  "wildcard",
  "exact",
  "list",
  "parentheses",
  "path-rule",
  "assignment",
] as const;
export type Mismatch = (typeof mismatches)[number];

/** The modes that advice can name. */
const advisedModes = ["default", "acceptEdits"] as const;

/** What would have allowed a denied call: options of its task, all of them together, or nothing. */
export const remedy = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("options"),
    /** Rules to add to `allowedTools`. */
    allowedTools: z.array(z.string()).optional(),
    /** Absolute paths to add to `addDirectories`. */
    addDirectories: z.array(z.string()).optional(),
    permissionMode: z.enum(advisedModes).optional(),
    /** Names to add to `tools`. */
    tools: z.array(z.string()).optional(),
    /** Rules to remove from `disallowedTools`. */
    notDisallowed: z.array(z.string()).optional(),
    /** Why the rule is as wide as it is. */
    broad: z.enum(broadReasons).optional(),
  }),
  z.object({ kind: z.literal("none"), obstacle: z.enum(obstacles) }),
]);
export type Remedy = z.infer<typeof remedy>;

/** Whether the API refused because of too many calls or overload. */
export function isThrottled(outcome: AttemptOutcome): boolean {
  return outcome.kind === "failed" && (outcome.reason === "rate-limit" || outcome.reason === "overloaded");
}

/** A tool that Claude wanted to use and was not allowed to. */
export const denial = z.object({
  tool: z.string(),
  /** The rules that allow it, comma-separated; if there are none, the command or the tool's name. */
  rule: z.string(),
  /** Absent in logs of earlier versions, whose `rule` was a guess. */
  remedy: remedy.optional(),
  /** A given rule that looks as if it allowed the call. */
  unmatched: z.object({ rule: z.string(), why: z.enum(mismatches) }).optional(),
});
export type Denial = z.infer<typeof denial>;

/** Tokens and cost in US dollars of one model, if the CLI reports it. */
export const modelUsage = z.object({
  input: z.number(),
  output: z.number(),
  cacheRead: z.number(),
  cacheWritten: z.number(),
  costUsd: z.number().optional(),
});
export type ModelUsage = z.infer<typeof modelUsage>;

/** Money in US dollars, and tokens by model id. */
export const spent = z.object({ costUsd: z.number(), models: z.record(z.string(), modelUsage) });
export type Spent = z.infer<typeof spent>;

/**
 * What the first call of a session took from the cache of the API, which other sessions had written, and what it wrote there
 * itself, in tokens; with the US dollars by which that was cheaper than writing all of it, by the session's own prices.
 */
export const firstCall = z.object({
  cacheRead: z.number(),
  cacheWritten: z.number(),
  savedUsd: z.number().optional(),
});
export type FirstCallUsage = z.infer<typeof firstCall>;

/** What an attempt cost and what the CLI said about it. */
export const usage = z.object({
  /** US dollars by list prices. With `atLeast`, it spent more than it reported before it was cut off. */
  costUsd: z.number(),
  atLeast: z.boolean().optional(),
  numTurns: z.int().nonnegative(),
  durationMs: z.number().nonnegative(),
  /** Tokens by model id. */
  models: z.record(z.string(), modelUsage).optional(),
  /** Which credential was billed, as the CLI names it (`none` is a login). */
  apiKeySource: z.string().optional(),
  denials: z.array(denial).optional(),
  /** Absent if it continued a conversation, which it had written itself, and in older logs. */
  firstCall: firstCall.optional(),
});
export type Usage = z.infer<typeof usage>;
