// A job of a fleet's queue: one attempt at one task, which a worker runs as a batch of its own; and what becomes of it.
import { z } from "zod";
import { checkResult } from "../model/checks.ts";
import { attemptOutcome, usage } from "../model/outcome.ts";
import { blobRef } from "./blob-ref.ts";
import { changes, work } from "./work.ts";

/** Counts changes that older workers would misunderstand: a worker refuses jobs of another number. */
export const jobVersion = 1;

/** The longest result that is stored beside the queue, in bytes. Longer ones go to the blob store. */
export const longestInlineBytes = 32 * 1024;

export const fleetJob = z.strictObject({
  v: z.literal(jobVersion),
  /** Part of the names of blobs. */
  batchId: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][\w-]*$/),
  /** The task; 1-based, as is `attempt`. */
  number: z.int().positive(),
  attempt: z.int().positive(),
  /** A task as `run-task` takes it. */
  spec: z.record(z.string(), z.unknown()),
  work,
  /** The most that it may cost, in US dollars. */
  budgetUsd: z.number().positive().optional(),
  /** The fingerprint of the key, by which a worker with another one sees that it has another one. */
  keyId: z.string().optional(),
  /** By a key that the queue never sees. */
  signature: z.string(),
});
export type FleetJob = z.infer<typeof fleetJob>;

/** Identifies a job in queue and ledger. The same attempt has the same id, even if two programs add it, so it is never run twice. */
export function jobIdOf({ batchId, number, attempt }: Pick<FleetJob, "batchId" | "number" | "attempt">) {
  return `${batchId}-${number}-${attempt}`;
}

export type ReadJob = { ok: true; job: FleetJob } | { ok: false; message: string };

const versioned = z.looseObject({ v: z.number() });

/** A job as the queue gives it. Says in words why one cannot be run. */
export function readJob(data: unknown): ReadJob {
  const version = versioned.safeParse(data).data?.v;
  if (version !== undefined && version !== jobVersion)
    return {
      ok: false,
      message: `The job is of version ${version}, and this worker runs version ${jobVersion}: install the same version of the program everywhere.`,
    };
  const read = fleetJob.safeParse(data);
  if (read.success) return { ok: true, job: read.data };
  return { ok: false, message: `The job cannot be read: ${z.prettifyError(read.error)}` };
}

/** A text or file of a session: here if it is short, compressed, or in the blob store. */
export const carried = z.discriminatedUnion("in", [
  /** Zstandard, as base64. */
  z.object({ in: z.literal("result"), zstd: z.string() }),
  z.object({ in: z.literal("blobs"), ref: blobRef }),
]);
export type Carried = z.infer<typeof carried>;

/** What became of a job. The first that is stored in the ledger is final. */
export const jobResult = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ended"),
    worker: z.string(),
    outcome: attemptOutcome,
    /** Of all attempts that the worker made at it. */
    usage: usage.optional(),
    /** How many those were. */
    attempts: z.int().nonnegative(),
    sessionId: z.string().optional(),
    model: z.string().optional(),
    remarks: z.array(z.string()).optional(),
    checks: z.array(checkResult).optional(),
    /** The output of the last attempt's session, to which the offsets in `outcome` refer. */
    transcript: carried.optional(),
    /** The same of its standard error. */
    stderr: carried.optional(),
    /** Where the last attempt's part of the transcript begins and ends, in bytes, if it is a part. */
    offset: z.int().positive().optional(),
    transcriptEnd: z.int().positive().optional(),
    /** What the session changed in its repository. */
    work: changes.optional(),
  }),
  /** Nothing was run, and another worker would say the same. */
  z.object({ kind: z.literal("refused"), worker: z.string(), message: z.string() }),
  /** Somebody cancelled it. */
  z.object({ kind: z.literal("stopped"), worker: z.string(), usage: usage.optional() }),
]);
export type JobResult = z.infer<typeof jobResult>;

/** A result as the ledger stores it. */
export const storedResult = z.union([jobResult, z.object({ kind: z.literal("blob"), ref: blobRef })]);
export type StoredResult = z.infer<typeof storedResult>;

/** What a running job reports. */
export const jobProgress = z.object({
  worker: z.string(),
  /** What its session is doing, or what it waits for, for people. */
  activity: z.string().optional(),
});
export type JobProgress = z.infer<typeof jobProgress>;
