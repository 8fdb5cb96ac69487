// Which options a task has, after everything that sets them.
import type { Batch } from "./event.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import type { Attempt } from "./state.ts";

// Parsed once for a batch, and once for each task with options of its own.
const parsed = new WeakMap<object, SessionOptions>();

/**
 * Default < configuration < batch < task: raw objects are merged, then parsed once, because parsing fills in defaults.
 */
export function optionsOf(batch: Batch, taskNumber: number): SessionOptions {
  const { options: own, summary } = batch.tasks[taskNumber - 1] ?? {};
  const key = own ?? batch;
  const shared = summary ? ofSummary(batch.sessionOptions) : batch.sessionOptions;
  const known = parsed.get(key) ?? sessionOptions.parse({ ...shared, ...own });
  parsed.set(key, known);
  return known;
}

/** What a summary has of its batch's options: how to reach the model, and limits. It only reads, and answers as text. */
const summaryOptions: readonly string[] = [
  "model",
  "fallbackModel",
  "effort",
  "settings",
  "settingSources",
  "restricted",
  "env",
  "claudeArguments",
  "maxBudgetUsd",
  "reuse",
  "retries",
  "firstEventTimeoutSeconds",
  "idleTimeoutSeconds",
  "timeoutSeconds",
] satisfies (keyof SessionOptions)[];

/** Whether an option may be given to a session that writes a summary: it reads the results, and nothing else. */
export function isOptionOfSummary(name: string): boolean {
  return name === "maxTurns" || summaryOptions.includes(name);
}

function ofSummary(options: Batch["sessionOptions"]): Record<string, unknown> {
  const kept = Object.entries(options).filter(([name]) => summaryOptions.includes(name));
  return { ...Object.fromEntries(kept), tools: "Read" };
}

/** The directory that a task was given. */
export function workingDirectoryOf(batch: Batch, options: SessionOptions): string {
  return options.workingDirectory ?? batch.workingDirectory;
}

/** The directory in which an attempt works or worked; in older logs, the one that the task was given. */
export function directoryOf(batch: Batch, taskNumber: number, attempt: Attempt | undefined): string {
  return attempt?.workingDirectory ?? workingDirectoryOf(batch, optionsOf(batch, taskNumber));
}
