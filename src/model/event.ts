// What happened, as the log keeps it. State is a fold over these and nothing else.
import { z } from "zod";
import { processIdentity } from "../platform/process-identity.ts";
import { batchIdSchema } from "./batch-id.ts";
import { concurrency, failureMode } from "./options.ts";
import { accessKinds, attemptOutcome, cancellers, spent, usage } from "./outcome.ts";
import { sessionRef } from "./session-ref.ts";

/** One task as it was given: its prompt, and the options that it does not share with the batch, unparsed. */
export const task = z.object({
  prompt: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
});
export type Task = z.infer<typeof task>;

/** Tasks started by one call, under one set of limits. Everything that a runner must know is in here. */
export const batch = z.object({
  batchId: batchIdSchema,
  name: z.string().optional(),
  /** Which tool or command started it: one task's answer has another shape than a batch's. */
  startedBy: z.enum(["spawn_claude_session", "spawn_parallel_claude_sessions", "run"]),
  /** The client whose call started it, as it names itself; nothing on the command line. */
  client: z.string().optional(),
  asyncMode: z.boolean(),
  tasks: z.array(task).min(1),
  /** Configuration and batch options in one, unparsed; a task's own go over them. */
  sessionOptions: z.record(z.string(), z.unknown()),
  /** Most sessions at once. */
  concurrency,
  /** Most sessions at once of all batches of the account, as far as this batch is concerned. */
  slots: concurrency.optional(),
  /** Most memory of all sessions of the machine, in megabytes of 1,000,000 bytes. */
  memoryLimitMb: z.int().positive().optional(),
  /** How long the others wait for the first session's first reply. */
  loginProofSeconds: z.number().min(0).optional(),
  /** How long it waits when no end is known: for a login, credit, a limit without a reset. */
  loginPatienceSeconds: z.number().min(0).optional(),
  /** Command lines of daemons that sessions share, which end with the batch. */
  sharedDaemons: z.array(z.string()).optional(),
  /** No session starts once so much is spent, or expected of those that run. */
  budgetUsd: z.number().positive().optional(),
  failureMode,
  /** Where result files go. Absolute. */
  outputDirectory: z.string(),
  /** The `claude` that was found when the batch began. Absolute. */
  claudePath: z.string(),
  /** Whether the operator chose that path; otherwise, one that has moved is searched for. */
  claudePathIsSet: z.boolean().optional(),
  /** Where the one who asked stood; the default for a task's working directory. */
  workingDirectory: z.string(),
  /** What the directories of its sessions lay in when they were checked, with links resolved; all the time they must. */
  allowedRoots: z.array(z.string()).optional(),
  /** Whether the desktop shows a notification when it ends. */
  notifications: z.boolean().optional(),
  /** What is run at its end, when nobody waits for it. */
  notifyCommand: z.array(z.string()).optional(),
  /** What was noticed before it began, and stopped nothing. */
  warnings: z.array(z.string()).optional(),
});
export type Batch = z.infer<typeof batch>;

/** Whose login and environment a batch uses. Secrets are in it as a salted hash only. */
export const account = z.object({
  hash: z.string(),
  /** PATH, HOME, CLAUDE_CONFIG_DIR, proxies and base URL, as values. */
  environment: z.record(z.string(), z.string()),
});
export type Account = z.infer<typeof account>;

export const eventBody = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("batch-created"),
    batch,
    account,
    /** The process that waits for the batch; without one it goes on by itself. */
    leash: processIdentity.optional(),
    /**
     * Whether this log keeps paths below the state directory relative to it. Older programs kept them absolute, and one
     * that founded a batch may still read its log.
     */
    relativePaths: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("runner-started"),
    identity: processIdentity,
    /** Whether this is a copy of the log, and what ran until then works for the original: nobody has it now. */
    copied: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("leash-released"),
    /** Who has it from now on: a batch that a session started ends with that session. */
    leash: processIdentity.optional(),
    /** A batch that is handed over writes its files where the user looks for them. */
    outputDirectory: z.string().optional(),
  }),
  z.object({
    type: z.literal("attempt-started"),
    /** 1-based. */
    task: z.int().positive(),
    /** 1-based. */
    attempt: z.int().positive(),
    /** The session: a process of this machine, or what another host knows it by. */
    identity: sessionRef,
    sessionId: z.string(),
    /** The path of the session's own output. */
    transcript: z.string(),
    /** Where the session works. Older logs do not say it. */
    workingDirectory: z.string().optional(),
    /** Whether it continues the conversation of the previous attempt. Otherwise it starts over. */
    resumes: z.boolean().optional(),
    /** Why it begins anew, where there was a conversation to go on with. */
    anewBecause: z.string().optional(),
    /** What the conversation that it continues had cost: newer versions of the CLI include that. */
    costBefore: spent.optional(),
  }),
  z.object({
    type: z.literal("attempt-ended"),
    task: z.int().positive(),
    /** 0 for a task that never started. */
    attempt: z.int().nonnegative(),
    outcome: attemptOutcome,
    usage: usage.optional(),
    /** Claude's own session id, where it differs from the one that we asked for. */
    sessionId: z.string().optional(),
    model: z.string().optional(),
    /** Processes that outlived the session and were killed. */
    leaked: z.array(processIdentity).optional(),
    /** Whether another attempt can go on with this conversation. */
    resumable: z.boolean().optional(),
    /** Whether there was a conversation that the CLI could not save. */
    unsaved: z.boolean().optional(),
    /** What did not go as it was asked for, in sentences. */
    remarks: z.array(z.string()).optional(),
    /** When the task is to be tried again, in milliseconds since 1970; without it, the task has ended. */
    retryAt: z.number().optional(),
  }),
  z.object({
    type: z.literal("cancel-requested"),
    /** 1-based; without it, all. */
    tasks: z.array(z.int().positive()).optional(),
    by: z.enum(cancellers),
    /** By a hold: for want of what. Older logs do not say. */
    access: z.enum(accessKinds).optional(),
  }),
  z.object({
    type: z.literal("retry-requested"),
    /** 1-based; of these, those that have ended without success are queued again. */
    tasks: z.array(z.int().positive()),
    /** 1-based; these have succeeded, were named, and start over. */
    succeeded: z.array(z.int().positive()).optional(),
    /** Options of sessions that were given with the retry, unparsed; they go over those of the tasks in `changed`. */
    options: z.record(z.string(), z.unknown()).optional(),
    changed: z.array(z.int().positive()).optional(),
    /** Of the batch, from its next runner on. */
    concurrency: concurrency.optional(),
    failureMode: failureMode.optional(),
    /** The batch's budget from now on, where it is to be another. */
    budgetUsd: z.number().positive().optional(),
    /** Whose login it uses from now on, where the one that it began with is no longer on this machine. */
    account: account.optional(),
  }),
  /** A result file could not be written; the task is not the worse for it. */
  z.object({ type: z.literal("file-failed"), path: z.string(), message: z.string() }),
  z.object({ type: z.literal("batch-ended") }),
]);
export type EventBody = z.infer<typeof eventBody>;

/** One line of the log. */
export type Event = EventBody & {
  /** Milliseconds since 1970. */
  at: number;
  /** The runner's turn at the batch; 0 for what others append. */
  epoch: number;
};
