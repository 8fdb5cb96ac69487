// Starts the next attempt at an admitted task: directory, plan, session, commit; then has it supervised to its end.
import type { Event } from "../../model/event.ts";
import type { Outcome } from "../../model/outcome.ts";
import { waitOf } from "../../model/prerequisites.ts";
import { isPausedFor } from "../../model/sample.ts";
import type { SessionValues } from "../../model/session-values.ts";
import { taskOf } from "../../model/state.ts";
import type { WaitReason } from "../../model/wait-reason.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Layout } from "../../store/layout.ts";
import type { TaskHolds } from "../account/account-holds.ts";
import { cancelQueued, startedEvent } from "../attempt/attempt-events.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import type { WriteAnswers } from "../attempt/earlier-answers.ts";
import {
  type AttemptPlan,
  directoryNeed,
  type Impossible,
  isStillMeant,
  planAttempt,
} from "../attempt/plan-attempt.ts";
import type { ReusedSessions } from "../attempt/reused-sessions.ts";
import type { Away, Session, SessionHost } from "../attempt/session-host.ts";
import type { PooledSession, SessionPool, StartedSession } from "../attempt/session-pool.ts";
import type { SessionTraces } from "../attempt/session-traces.ts";
import { missingText } from "../attempt/start-failure.ts";
import {
  BorrowedDirectory,
  type Place as DirectoryPlace,
  type NeedsDirectory,
  NotNow,
  type Workspace,
} from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { Reuse } from "../reuse/reuse.ts";
import type { Admitted } from "../scheduler/admission.ts";
import { Beginning } from "../scheduler/beginning.ts";
import { budgetVerdict } from "../scheduler/budget.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import type { Place, PrefixGroups } from "../scheduler/prefix-groups.ts";
import type { StartBackoff } from "../scheduler/start-backoff.ts";
import type { Attempts } from "./attempts.ts";
import type { RunnerLog } from "./runner-log.ts";
import { type WaitEnd, WaitingSession } from "./waiting-session.ts";

export interface StartParts {
  log: RunnerLog;
  layout: Layout;
  host: SessionHost;
  pool: SessionPool;
  reused: Pick<ReusedSessions, "started" | "ready" | "prompted">;
  workspace: Workspace;
  attempts: Attempts;
  holds: TaskHolds;
  login: LoginProof;
  prefixes: PrefixGroups;
  startBackoff: StartBackoff;
  reuse: Reuse;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Of the variables that tasks give their sessions. */
  values: SessionValues;
  /** Undefined if no trace is sent. */
  traces?: SessionTraces | undefined;
  /** Writes what a session reads of earlier answers. */
  writeAnswers: WriteAnswers;
  /** Called if no session could start for too long: ends queued tasks. */
  giveUpStarting(because: string): void;
  /** Reports what started sessions wait for; with `undefined`, that they go on. */
  report(reason: WaitReason | undefined): void;
}

/**
 * Resolves when the attempt has ended or did not start: then the task stays queued, unless it can never start. Nothing is
 * spent before the start is in the log. Throws `Replaced` if another runner has the batch; a session that was started for
 * it has been ended by then.
 */
export async function startAttempt(number: number, admitted: Admitted, parts: StartParts): Promise<void> {
  const { log, startBackoff } = parts;
  const claude = claudeOf(log.state.batch, { thorough: startBackoff.isLasting });
  if (!claude.found) return startLater({ because: missingText(log.state.batch.claudePath) }, parts);
  const need = directoryNeed(log.state, number);
  // While a directory is prepared and a session starts, the task may be cancelled, paused or get other options, or a task that
  // it starts after may be asked for again; then it is planned again.
  const isStillQueued = () =>
    taskOf(log.state, number).status === "queued" &&
    !isPausedFor(log.state, number) &&
    waitOf(log.state, number).kind === "free" &&
    Bun.deepEquals(need, directoryNeed(log.state, number));
  const wish = { machine: admitted.place, isWanted: isStillQueued };
  const prepared = await directoryFor(need, wish, parts);
  if (prepared.kind === "task") return neverStarts(number, prepared, isStillQueued, parts);
  if (prepared.kind === "passing") return startLater(prepared, parts);
  await using directory = prepared.directory;
  const unwritten = await whyUnwritten(number, parts);
  if (unwritten !== undefined) return neverStarts(number, { message: unwritten }, isStillQueued, parts);
  using place = parts.prefixes.enter(number);
  const wanted = { claudePath: claude.path, directory, place, isStillQueued, admitted };
  while ((await startIn(number, wanted, parts)) === "start-again") {
    const { place: before } = admitted;
    // On another machine, it needs another directory: the task is queued, and begins again.
    if (!(await admitted.startAgain()) || admitted.place !== before) return;
    place.startAgain();
  }
}

interface Wanted {
  claudePath: string;
  directory: BorrowedDirectory;
  place: Place;
  isStillQueued(): boolean;
  admitted: Admitted;
}

// One session, to its end. "start-again" if another one must be asked in its place.
async function startIn(
  number: number,
  { claudePath, directory, place, isStillQueued, admitted }: Wanted,
  parts: StartParts,
): Promise<WaitEnd | undefined> {
  const { log, attempts, holds, startBackoff, reuse } = parts;
  const plan = planIn(directory.path, { number, claudePath, saysBeginning: place.leads }, parts);
  reuse.begins(number, { resumes: plan.resumes, directory: directory.path });
  const opened = await open(number, plan, { admitted, isWanted: isStillQueued }, parts);
  // The session that was set aside for it has gone.
  if (opened === "start-again") return opened;
  let isGone = false;
  // One that was started for the task says with its exit how its attempt went; another one has no part in that.
  if (opened.kind === "opened" && !opened.isNew)
    void opened.session.exited.then(() => {
      isGone = true;
    });
  const isMeant = () => !isGone && isStillQueued() && isStillMeant(plan, log.state, number);
  if (opened.kind === "task") {
    await neverStarts(number, opened, isMeant, parts);
    return undefined;
  }
  if (opened.kind === "passing") {
    startLater(opened, parts);
    return undefined;
  }
  using beginning = new Beginning(() => {
    admitted.begun();
    opened.begun?.();
    parts.pool.lookSoon();
  });
  const ready = () => {
    beginning.ready();
    opened.ready?.();
    parts.reused.ready(opened.plan);
  };
  parts.reused.started(opened, plan.options);
  if (opened.isNew) startBackoff.started();
  else {
    // Nothing had to start, so nothing is known about starts either, and it has read something before.
    if (opened.clearedAt) reuse.beganBehind(number, { kept: opened.seen, since: opened.clearedAt });
    else reuse.beganBefore(number, opened.seen);
    if (!opened.isStarting) ready();
    startBackoff.release(number);
  }
  const isAllowed = () => isMeant() && holds.allows(number, plan.options.model);
  const turn = await turnOf(
    number,
    { opened, place, isMeant: isAllowed, ready, giveSlotBack: () => admitted.giveBack() },
    parts,
  );
  if (turn !== "go") return turn;
  beginning.asked();
  const started = await commitStart(number, { plan, opened, isMeant }, parts);
  if (!started) return undefined;
  parts.reused.prompted(opened.plan);
  const { attempt, options, prompt, resumes, costBefore } = plan;
  const { marker, sessionId, transcript, workingDirectory } = opened.plan;
  const known = { number, attempt, marker, sessionId, resumes, transcript, workingDirectory, costBefore };
  const { session } = opened;
  const startedAt = started.at;
  await attempts.supervise({
    ...known,
    session,
    options,
    prompt,
    startedAt,
    adopted: false,
    directory,
    ready,
    begun: () => beginning.begun(),
    plan: opened.plan,
  });
  reuse.ended(number);
  return undefined;
}

// The task stays queued. The next start that is tried may be its own, or another one's.
function startLater(
  { because, away }: { because: string; away?: Away | undefined },
  { startBackoff, giveUpStarting }: StartParts,
): void {
  // Other machines start sessions meanwhile.
  if (away !== undefined) return;
  if (startBackoff.failed(because) === "give-up") giveUpStarting(because);
}

// The reason is the task's own, so the task ends, unless it was changed meanwhile.
async function neverStarts(
  number: number,
  { message, lost }: Impossible,
  isMeant: () => boolean,
  { attempts, startBackoff }: StartParts,
): Promise<void> {
  startBackoff.release(number);
  const outcome: Outcome = { kind: "not-started", message, ...(lost ? { lost } : {}) };
  await attempts.conclude(number, 0, { outcome }, { isMeant });
}

// Concerns only its own task, too: a transcript may have been removed.
async function whyUnwritten(number: number, { log, writeAnswers }: StartParts): Promise<string | undefined> {
  try {
    await writeAnswers(log.state, number);
    return undefined;
  } catch (error) {
    return `The answers that it should read could not be written: ${messageOf(error)}`;
  }
}

type PreparedFor =
  | { kind: "directory"; directory: BorrowedDirectory }
  | { kind: "task"; message: string }
  | { kind: "passing"; because: string; away: Away | undefined };

// An error while preparing a directory concerns only its own task.
async function directoryFor(
  need: NeedsDirectory,
  place: DirectoryPlace,
  { log, workspace }: StartParts,
): Promise<PreparedFor> {
  try {
    const prepared = await workspace.prepare(log.state.batch, need, place);
    return { kind: "directory", directory: new BorrowedDirectory(need.number, prepared) };
  } catch (error) {
    if (error instanceof NotNow) return { kind: "passing", because: error.message, away: error.away };
    return { kind: "task", message: `The working directory could not be prepared: ${messageOf(error)}` };
  }
}

function planIn(
  workingDirectory: string,
  { number, ...asked }: { number: number; claudePath: string; saysBeginning: boolean },
  { log, layout, environment, values, traces }: StartParts,
): AttemptPlan {
  const means = { ...asked, workingDirectory, layout, environment, values };
  return planAttempt(log.state, number, { ...means, traceparent: traces?.ofStart });
}

type Opened =
  | ({ kind: "opened"; isNew: boolean } & PooledSession)
  | ({ kind: "task" } & Impossible)
  | { kind: "passing"; because: string; away?: Away };

// The session, with its transcript open: without descriptors for both, the start has failed.
async function open(
  number: number,
  { session: plan, options, impossible }: AttemptPlan,
  { admitted: { mayStart }, isWanted }: { admitted: Admitted; isWanted: () => boolean },
  { log, pool, host, reuse }: StartParts,
): Promise<Opened | "start-again"> {
  if (impossible) return { kind: "task", ...impossible };
  const need = { footprintKey: footprintKey(log.state.batch, options), task: number, isWanted };
  const pooled = pool.take(plan, need, number);
  if (pooled) return { kind: "opened", isNew: false, ...pooled };
  if (!mayStart) return "start-again";
  // Before it starts: what changes while it does is seen by its time.
  const isForOthers = plan.kind && options.reuseSessions === "auto";
  const seen = isForOthers ? reuse.keptNow(number, plan.workingDirectory, options) : undefined;
  const start = await host.start(plan, need);
  if (!start.started) return start;
  return { kind: "opened", isNew: true, plan, session: start.session, ...(seen ? { seen } : {}) };
}

interface Waiting {
  opened: PooledSession & { isNew: boolean };
  place: Place;
  isMeant(): boolean;
  ready(): void;
  giveSlotBack(): void;
}

// Waits until the session may get its prompt. Anything but "go": it has been ended instead.
async function turnOf(
  number: number,
  { opened: { plan, session, isNew, lost }, place, isMeant, ready, giveSlotBack }: Waiting,
  { attempts, login, report }: StartParts,
): Promise<WaitEnd> {
  const waiting = new WaitingSession({
    number,
    session,
    isOwn: isNew,
    place,
    login,
    isMeant,
    ready,
    giveSlotBack,
    report: (because) => report(because === undefined ? undefined : { because }),
  });
  const { marker, transcript } = plan;
  const end = await attempts.untilTurn(waiting, { number, marker, transcript });
  if (end !== "go") await endUnasked(session);
  if (waiting.isLost) lost?.();
  return end;
}

// It has no prompt, so it spends nothing; but programs that it runs at its start may hang.
async function endUnasked({ output, end }: Session): Promise<void> {
  output[Symbol.dispose]();
  await end({ isUnasked: true });
}

interface Startable {
  plan: AttemptPlan;
  opened: StartedSession;
  isMeant(): boolean;
}

// The event of the start. Undefined if the task was cancelled, changed or held since it was checked, or the budget is spent.
async function commitStart(
  number: number,
  { plan, opened, isMeant }: Startable,
  { log, holds }: StartParts,
): Promise<Event | undefined> {
  let started: Event | undefined;
  try {
    const events = await log.commit((state) => {
      if (!isMeant() || !holds.mayStart(number, plan.options.model)) return [];
      // Others may have spent it while this session waited for its prompt.
      if (budgetVerdict(state) === "spent") return cancelQueued(state, "budget");
      return [startedEvent(number, plan, opened)];
    });
    started = events.find(({ type }) => type === "attempt-started");
    return started;
  } finally {
    if (!started) await endUnasked(opened.session);
  }
}
