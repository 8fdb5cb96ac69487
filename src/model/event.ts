// What happened, as the log stores it. State is a fold over these events and nothing else.
import { z } from "zod";
import { processIdentity } from "../platform/process-identity.ts";
import { batchIdSchema } from "./batch-id.ts";
import { checkResult, stopCondition } from "./checks.ts";
import { batchFleet } from "./fleet.ts";
import { concurrency, failureMode, hostSource, onLostHost } from "./options.ts";
import { accessKinds, attemptOutcome, cancellers, spent, usage } from "./outcome.ts";
import { retention } from "./retention.ts";
import { missedTasks, reuseLimits } from "./reuse.ts";
import { sessionRef } from "./session-ref.ts";
import { spanContext } from "./trace.ts";

/** One task as given: its prompt, and options of its own, unparsed. */
export const task = z.object({
  prompt: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
  /** In the store alone: the place of its options in the batch's list of them. */
  sharedOptions: z.int().nonnegative().optional(),
  /** Its name, unique in the batch: a path, an id, an item. Every task of a template has one. */
  key: z.string().optional(),
  /** What the placeholders of its template stand for, by name. */
  values: z.record(z.string(), z.string()).optional(),
  /** 1-based: an earlier task with the same prompt and the same options. */
  sameAs: z.int().positive().optional(),
  /** How many characters (UTF-16 units) at the end of the prompt were added by retries. */
  appended: z.int().positive().optional(),
  /** The tasks that must have succeeded before it starts; 1-based. */
  after: z.array(z.int().positive()).optional(),
  /** The tasks whose answers its prompt names as `{{results.NAME}}`, by that name; 1-based. */
  results: z.record(z.string(), z.int().positive()).optional(),
  /** Set for a session that reads the results of others: of the tasks from `first` to `last`; 1-based. */
  summary: z
    .object({
      /** Counts the requests for a summary of the batch. */
      round: z.int().positive(),
      /** 1: reads results of tasks that were given. Above: reads the summaries of the level below. */
      level: z.int().positive(),
      first: z.int().positive(),
      last: z.int().positive(),
      /** Whether it is the summary of the whole batch, not of a group. */
      isWhole: z.boolean().optional(),
    })
    .optional(),
});
export type Task = z.infer<typeof task>;

/** What a summary should say. */
export const summaryRequest = z.object({
  text: z.string(),
  /** How many results one session reads, if that is given. */
  groups: z.int().positive().optional(),
  /** The model of its sessions, if it is not that of the batch. */
  model: z.string().optional(),
});
export type SummaryRequest = z.infer<typeof summaryRequest>;

/** Who asked that a batch pauses. */
export const pause = z.object({
  /** The client, as it names itself; absent for the user. */
  client: z.string().optional(),
});
export type Pause = z.infer<typeof pause>;

/** Most that all batches together may cost in a day or a month, in US dollars. What is absent has no limit. */
export const spendLimits = z.object({
  dayUsd: z.number().positive().optional(),
  monthUsd: z.number().positive().optional(),
});
export type SpendLimits = z.infer<typeof spendLimits>;

/** Tasks started by one call, under the same limits. Contains everything that a runner must know. */
export const batch = z.object({
  batchId: batchIdSchema,
  name: z.string().optional(),
  /** Which tool or command started it. The answer for one task has another shape than a batch's. */
  startedBy: z.enum(["spawn_claude_session", "spawn_parallel_claude_sessions", "run"]),
  /** The client whose call started it, as it names itself; absent on the command line. */
  client: z.string().optional(),
  asyncMode: z.boolean(),
  tasks: z.array(task).min(1),
  /** In the fold alone: how many tasks it had before others were added. */
  givenAtFirst: z.int().positive().optional(),
  /** In the store alone: options that several tasks have. */
  sharedOptions: z.array(z.record(z.string(), z.unknown())).optional(),
  /** The template that the tasks were made from, as given. */
  template: z.string().optional(),
  /** Whether each task is about one file, `values.path`. */
  eachIsFile: z.boolean().optional(),
  /** Whether its sessions may read answers of an earlier batch, which are in its folder. Older logs have an added directory. */
  readsEarlierAnswers: z.boolean().optional(),
  /** Configuration and batch options merged, unparsed. A task's own options override them. */
  sessionOptions: z.record(z.string(), z.unknown()),
  /** The machines on which its sessions run; absent for this one. */
  hosts: z.array(z.string()).min(1).optional(),
  /** What becomes of the sessions of a machine that cannot be reached any more. */
  onLostHost: onLostHost.optional(),
  /** How long a machine may be out of reach before it gets no more work, in seconds. */
  hostLeaseSeconds: z.number().positive().optional(),
  /** From where they get the history of repositories; absent in older logs. */
  hostSource: hostSource.optional(),
  /** Most sessions at once. */
  concurrency,
  /** Most sessions at once over all batches of the account, as far as this batch is concerned. */
  slots: concurrency.optional(),
  /** Most memory of all sessions on the machine, in megabytes of 1,000,000 bytes. */
  memoryLimitMb: z.int().positive().optional(),
  /** How long the others wait for the first session's first reply. */
  loginProofSeconds: z.number().min(0).optional(),
  /** How long to wait if no end is known: for a login, credit, a limit without a reset time. */
  loginPatienceSeconds: z.number().min(0).optional(),
  /** Command lines of daemons that sessions share and that end with the batch. */
  sharedDaemons: z.array(z.string()).optional(),
  /** No session starts once spent plus expected cost reaches this. */
  budgetUsd: z.number().positive().optional(),
  /** The operator's budgets, if there are any. */
  spendLimits: spendLimits.optional(),
  failureMode,
  /** One more session reads the results once all tasks have ended. */
  summarize: summaryRequest.optional(),
  /** How many failed tasks end the batch: a number, or a percentage of all tasks. */
  failWhen: z.string().optional(),
  /** How many successes end it. */
  stopWhen: stopCondition.optional(),
  /** The tasks (1-based, ascending) that run first; then the batch pauses until somebody continues it. */
  sample: z.array(z.int().positive()).min(1).optional(),
  /** Where its sessions run, if not on this machine. */
  fleet: batchFleet.optional(),
  /** Where result files go. Absolute. */
  outputDirectory: z.string(),
  /** The `claude` found when the batch began. Absolute. */
  claudePath: z.string(),
  /** Whether the operator set that path. Otherwise, `claude` is searched again if it has moved. */
  claudePathIsSet: z.boolean().optional(),
  /** Where the batch was started; the default for a task's working directory. */
  workingDirectory: z.string(),
  /** The directories of sessions were inside these when checked, with links resolved, and must stay inside. */
  allowedRoots: z.array(z.string()).optional(),
  /** Whether to show a desktop notification at its end. */
  notifications: z.boolean().optional(),
  /** The command to run at its end, if nobody waits for it. */
  notifyCommand: z.array(z.string()).optional(),
  /** Whether all tasks run although answers are remembered. */
  fresh: z.boolean().optional(),
  /** The version of `claude` that was found when the batch was planned; absent if it reports none. */
  claudeVersion: z.string().optional(),
  /** How long, and how much of, answers are remembered. Absent in older logs: nothing is. */
  reuseLimits: reuseLimits.optional(),
  /** What is removed by itself once this batch has ended, if anything is. */
  retention: retention.optional(),
  /** Problems noticed before it began that did not stop it. */
  warnings: z.array(z.string()).optional(),
  /** The span of whatever started it, if that is in a trace. */
  within: spanContext.optional(),
  /** Where the operator wants traces to be sent, if not where the environment of its processes says. */
  otlpEndpoint: z.string().optional(),
});
export type Batch = z.infer<typeof batch>;

/** Whose login and environment a batch uses. Contains secrets only as a salted hash. */
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
    /** The process that waits for the batch; without one, the batch runs independently. */
    leash: processIdentity.optional(),
    /**
     * Whether this log stores paths below the state directory as relative. Older programs stored them absolute, and the
     * one that founded a batch may still read its log.
     */
    relativePaths: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("runner-started"),
    identity: processIdentity,
    /** Whether it hears of a pause, of another number of sessions and of more tasks. Absent for those of older programs. */
    obeysChanges: z.boolean().optional(),
    /** Whether this is a copy of the log: what ran until then works for the original, and nobody waits for this one. */
    copied: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("leash-released"),
    /** Who waits for it from now on: a batch that a session started ends with that session. */
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
    /** The session: a process on this machine, or another host's id. */
    identity: sessionRef,
    sessionId: z.string(),
    /** The name of the session's start, from which its marker is made. Absent in older logs. */
    startName: z.string().optional(),
    /** The path of the session's output. */
    transcript: z.string(),
    /**
     * Where the attempt's part of it begins, in bytes: the process had run other attempts before, whose conversations it
     * has forgotten. Absent for the first attempt of a process.
     */
    offset: z.int().positive().optional(),
    /** Where the session works. Absent in older logs. */
    workingDirectory: z.string().optional(),
    /** Whether it continues the previous attempt's conversation. Otherwise it starts over. */
    resumes: z.boolean().optional(),
    /** Why it starts over although there was a conversation to continue. */
    anewBecause: z.string().optional(),
    /** What the conversation that it continues had cost. Newer versions of the CLI include that. */
    costBefore: spent.optional(),
  }),
  z.object({
    type: z.literal("check-started"),
    task: z.int().positive(),
    attempt: z.int().positive(),
    /** Which of the task's checks; 1-based. Its session answers a question about the attempt's answer. */
    check: z.int().positive(),
    identity: sessionRef,
    sessionId: z.string(),
    startName: z.string(),
    transcript: z.string(),
  }),
  z.object({
    type: z.literal("attempt-ended"),
    task: z.int().positive(),
    /** 0 for a task that never started. */
    attempt: z.int().nonnegative(),
    outcome: attemptOutcome,
    usage: usage.optional(),
    /** Claude's own session id, if it differs from the one that we requested. */
    sessionId: z.string().optional(),
    model: z.string().optional(),
    /** Processes that outlived the session and were killed. */
    leaked: z.array(processIdentity).optional(),
    /** Whether another attempt can continue this conversation. */
    resumable: z.boolean().optional(),
    /** What it had cost by then, if its files are on another machine, and say it. */
    conversationCost: spent.optional(),
    /** Whether the CLI could not save its conversation. */
    unsaved: z.boolean().optional(),
    /** Where its part of the transcript ends, in bytes, if its process was to run another attempt. */
    transcriptEnd: z.int().positive().optional(),
    /** What did not go as requested, in sentences. */
    remarks: z.array(z.string()).optional(),
    /** What the checks of the answer found. What they cost is in `usage`. */
    checks: z.array(checkResult).optional(),
    /** The worker of the fleet that ran it. */
    worker: z.string().optional(),
    /** When to try the task again, in milliseconds since 1970; absent if the task has ended. */
    retryAt: z.number().optional(),
  }),
  z.object({
    type: z.literal("cancel-requested"),
    /** 1-based; absent for all. */
    tasks: z.array(z.int().positive()).optional(),
    by: z.enum(cancellers),
    /** For a hold: what was missing. Absent in older logs. */
    access: z.enum(accessKinds).optional(),
  }),
  z.object({
    type: z.literal("retry-requested"),
    /** 1-based. Those that ended without success are queued again. */
    tasks: z.array(z.int().positive()),
    /** 1-based. These succeeded, were named explicitly, and start over. */
    succeeded: z.array(z.int().positive()).optional(),
    /** 1-based. Named explicitly, so they run with the sample. */
    sampled: z.array(z.int().positive()).optional(),
    /** Session options given with the retry, unparsed. They override those of the tasks in `changed`. */
    options: z.record(z.string(), z.unknown()).optional(),
    changed: z.array(z.int().positive()).optional(),
    /** Text for the end of the prompts of the tasks in `changed`. */
    appendPrompt: z.string().optional(),
    /** Of the batch. Older runners obey it from the next one on. */
    concurrency: concurrency.optional(),
    failureMode: failureMode.optional(),
    /** Nothing more starts from now on; with `false`, it goes on. Older programs ignore it, and see a retry of nothing. */
    pause: z.union([pause, z.literal(false)]).optional(),
    /** The batch's budget from now on, if it changes. */
    budgetUsd: z.number().positive().optional(),
    /** The operator's budgets from now on, if they have changed. */
    spendLimits: spendLimits.optional(),
    /** Whose login it uses from now on, if the original one is no longer on this machine. */
    account: account.optional(),
  }),
  /** A runner has looked for remembered answers. Those that it found are `attempt-ended` events beside this one. */
  z.object({
    type: z.literal("reuse-checked"),
    /** Which tasks have to run, by the reason. */
    missed: z.array(missedTasks),
  }),
  /** Somebody wants a summary of a batch that has ended. */
  z.object({
    type: z.literal("summary-requested"),
    ...summaryRequest.shape,
    /** The batch's budget from now on, if it changes. */
    budgetUsd: z.number().positive().optional(),
    /** The operator's budgets from now on, if they have changed. */
    spendLimits: spendLimits.optional(),
    /** Whose login it uses from now on, if the original one is no longer on this machine. */
    account: account.optional(),
  }),
  /** Behind all other tasks: sessions for a summary, or tasks that somebody has added. */
  z.object({ type: z.literal("tasks-added"), tasks: z.array(task).min(1) }),
  z.object({
    type: z.literal("continue-requested"),
    /** The process that waits for the batch from now on; without one, it runs independently. */
    leash: processIdentity.optional(),
    /** Of the batch, from its next runner on. */
    concurrency: concurrency.optional(),
    /** The batch's budget from now on, if it changes. */
    budgetUsd: z.number().positive().optional(),
    /** The operator's budgets from now on, if they have changed. */
    spendLimits: spendLimits.optional(),
    /** Whose login it uses from now on, if the original one is no longer on this machine. */
    account: account.optional(),
  }),
  /** A result file could not be written. Does not affect the task. */
  z.object({ type: z.literal("file-failed"), path: z.string(), message: z.string() }),
  /** Nothing runs until somebody continues, retries or cancels the batch: its sample has ended, or somebody has paused it. */
  z.object({ type: z.literal("batch-paused") }),
  z.object({ type: z.literal("batch-ended") }),
]);
export type EventBody = z.infer<typeof eventBody>;

/** One line of the log. */
export type Event = EventBody & {
  /** Milliseconds since 1970. */
  at: number;
  /** Counts the runners of the batch; 0 for events that others append. */
  epoch: number;
};
