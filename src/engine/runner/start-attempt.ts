// Starts the next attempt at an admitted task: plan, session, commit, then supervises it to its end.
import type { Batch, Event } from "../../model/event.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { SessionValues } from "../../model/session-values.ts";
import { taskOf } from "../../model/state.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Layout } from "../../store/layout.ts";
import type { AccountHolds } from "../account/account-holds.ts";
import { startedEvent } from "../attempt/attempt-events.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import {
  type AttemptPlan,
  directoryNeed,
  type Impossible,
  isStillMeant,
  planAttempt,
} from "../attempt/plan-attempt.ts";
import type { Need, SessionHost } from "../attempt/session-host.ts";
import type { SessionPool, StartedSession } from "../attempt/session-pool.ts";
import { missingText, startVerdict } from "../attempt/start-failure.ts";
import type { NeedsDirectory, Prepared, Workspace } from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { Admitted } from "../scheduler/admission.ts";
import type { StartBackoff } from "../scheduler/start-backoff.ts";
import type { Attempts } from "./attempts.ts";
import type { RunnerLog } from "./runner-log.ts";

type NotStarted = Extract<Outcome, { kind: "not-started" }>;

export interface StartParts {
  log: RunnerLog;
  layout: Layout;
  host: SessionHost;
  pool: SessionPool;
  workspace: Workspace;
  attempts: Attempts;
  holds: AccountHolds;
  startBackoff: StartBackoff;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Of the variables that tasks give their sessions. */
  values: SessionValues;
  /** Called if no session could start for too long: ends queued tasks. */
  giveUpStarting(because: string): void;
}

/**
 * Resolves when the attempt has ended or did not start: then the task stays queued, unless it can never start. Nothing is
 * spent before the start is in the log.
 */
export async function startAttempt(number: number, { ready }: Admitted, parts: StartParts): Promise<void> {
  const { log, layout, host, pool, workspace, attempts, holds, startBackoff, environment, values } = parts;
  const { batch } = log.state;
  const claude = claudeOf(batch, { thorough: startBackoff.isLasting });
  if (!claude.found) return startLater(missingText(batch.claudePath), parts);
  const need = directoryNeed(log.state, number);
  // Meanwhile the task may be cancelled, or get other options; then it is planned again.
  const isQueuedFor = () =>
    taskOf(log.state, number).status === "queued" && Bun.deepEquals(need, directoryNeed(log.state, number));
  const place = await placeFor(need, batch, workspace);
  if (place.kind === "task") return neverStarts(number, place, isQueuedFor, parts);
  await using prepared = place.prepared;
  const plan = planAttempt(log.state, number, {
    claudePath: claude.path,
    workingDirectory: prepared.directory,
    layout,
    environment,
    values,
  });
  const opened = await open(plan, { footprintKey: footprintKey(batch, plan.options) }, { pool, host });
  const isMeant = () => isQueuedFor() && isStillMeant(plan, log.state, number);
  if (opened.kind === "task") return neverStarts(number, opened, isMeant, parts);
  if (opened.kind === "passing") return startLater(opened.because, parts);
  if (opened.isNew) startBackoff.started();
  else {
    // Nothing had to start, so nothing is known about starts either.
    ready();
    startBackoff.release(number);
  }
  const { session } = opened;
  let started: Event | undefined;
  try {
    [started] = await log.commit(() =>
      isMeant() && holds.mayStart(number, plan.options.model) ? [startedEvent(number, plan, opened)] : [],
    );
  } finally {
    // Between check and commit, the task was cancelled, changed or held, or another runner took the batch. The session
    // has no prompt, so it spends nothing; but programs that it runs at its start may hang.
    if (!started) {
      session.output[Symbol.dispose]();
      await session.end();
    }
  }
  if (!started) return;
  const { attempt, options, prompt, resumes, costBefore } = plan;
  const { marker, sessionId, transcript, workingDirectory } = opened.plan;
  const known = { number, attempt, marker, sessionId, resumes, transcript, workingDirectory, costBefore };
  const startedAt = started.at;
  await attempts.supervise({ ...known, session, options, prompt, startedAt, adopted: false, ready });
}

// The reason is the task's own, so the task ends, unless it was changed meanwhile.
async function neverStarts(
  number: number,
  { message, lost }: Impossible,
  isMeant: () => boolean,
  { attempts, startBackoff }: StartParts,
): Promise<void> {
  startBackoff.release(number);
  const outcome: NotStarted = { kind: "not-started", message, ...(lost ? { lost } : {}) };
  await attempts.conclude(number, 0, { outcome }, { counts: isMeant });
}

// The task stays queued. The next start that is tried may be its own, or another one's.
function startLater(because: string, { startBackoff, giveUpStarting }: StartParts): void {
  if (startBackoff.failed(because) === "give-up") giveUpStarting(because);
}

type Place = { kind: "prepared"; prepared: Prepared } | { kind: "task"; message: string };

// An error while preparing a directory concerns only its own task.
async function placeFor(need: NeedsDirectory, batch: Batch, workspace: Workspace): Promise<Place> {
  try {
    return { kind: "prepared", prepared: await workspace.prepare(batch, need) };
  } catch (error) {
    return { kind: "task", message: `The working directory could not be prepared: ${messageOf(error)}` };
  }
}

type Opened =
  | ({ kind: "opened"; isNew: boolean } & StartedSession)
  | ({ kind: "task" } & Impossible)
  | { kind: "passing"; because: string };

// The session, with its transcript open: without descriptors for both, the start has failed.
async function open(
  { session: plan, impossible }: AttemptPlan,
  need: Need,
  { pool, host }: Pick<StartParts, "pool" | "host">,
): Promise<Opened> {
  if (impossible) return { kind: "task", ...impossible };
  const spare = pool.take(plan, need);
  if (spare) return { kind: "opened", isNew: false, ...spare };
  const start = await host.start(plan, need);
  if (!start.started) return startVerdict(start, plan);
  return { kind: "opened", isNew: true, plan, session: start.session };
}
