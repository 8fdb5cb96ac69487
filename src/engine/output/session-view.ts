// What the page of a task's sessions shows, read from their transcripts in bounded memory.
import { followUpPrompt } from "../../claude/follow-up.ts";
import { conversationIn } from "../../claude/read-conversation.ts";
import { rangeOf, TranscriptLines, type TranscriptRange } from "../../claude/transcript-lines.ts";
import { askedBy, checkName, checksOf } from "../../model/checks.ts";
import {
  type Attempt,
  type BatchState,
  conversationHere,
  machineOfAttempt,
  type TaskState,
} from "../../model/state.ts";
import { directoryOf, optionsOf } from "../../model/task-options.ts";
import { exists, sizeOf } from "../../platform/files.ts";
import { labelOf } from "../../report/label.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import { type StatusWord, statusWord } from "../../report/row.ts";
import type { AttemptView, SessionPage, Talk } from "../../report/session/session-page.ts";
import { ShownSession } from "../../report/session/shown-session.ts";
import type { Budget } from "../../report/session/steps.ts";
import { stderrEndOf } from "./stderr-end.ts";

/** All texts of a page with what is around them, in characters: a browser shows that at once. */
const mostCharacters = 1_200_000;
/** Most attempts: the first one and the last ones. */
const mostAttempts = 8;
/** The share of an attempt's room that each session gets that checks its answer. */
const checkShare = 0.1;
/** How much of a transcript is read before others get their turn, in bytes. */
const bytesAtOnce = 512 * 1024;

/** How much of it is read before its memory is tidied, in bytes. */
const bytesPerTidying = 1 * 1024 * 1024;

/** What is on the page beside the sessions. */
export interface PageSurroundings {
  /** Only this attempt; all of them without it. */
  attempt?: number | undefined;
  links: SessionPage["links"];
  feedHref: string;
  /** Whether `ui` serves it. */
  isServed?: boolean;
  /** Whether no process runs its batch any more, so that a task that has not ended waits for one. */
  isInterrupted?: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** Reads the transcripts of a task. Never throws for what is in them; what is gone is said on the page. */
export async function sessionViewOf(
  state: BatchState,
  task: TaskState,
  { attempt: wanted, links, feedHref, isServed, isInterrupted = false, now }: PageSurroundings,
): Promise<SessionPage> {
  const { batch } = state;
  const attempts = task.attempts.filter(({ number }) => wanted === undefined || number === wanted);
  const [first, ...others] = attempts;
  const last = others.slice(-(mostAttempts - 1));
  const shown = first ? [first, ...last] : [];
  const budget: Budget = { used: 0, most: mostCharacters };
  const room = mostCharacters / Math.max(1, shown.length);
  const isOpen = task.status !== "done";
  const status: StatusWord =
    isOpen && isInterrupted ? { className: "off", word: "interrupted" } : statusWord(task);
  const views: AttemptView[] = [];
  for (const attempt of shown) views.push(await viewOf(attempt, { state, task, status, budget, room }));
  return {
    batchId: batch.batchId,
    batchName: batch.name,
    taskNumber: task.number,
    totalTasks: batch.tasks.length,
    label: labelOf(state, task.number),
    prompt: batch.tasks[task.number - 1]?.prompt ?? "",
    status,
    outcome:
      task.status === "done" && task.outcome.kind !== "succeeded" ? outcomeText(task.outcome) : undefined,
    usage: task.status === "done" ? task.usage : undefined,
    isRunning: isOpen && !isInterrupted,
    attempts: views,
    attemptsLeft: attempts.length - shown.length,
    links,
    feedHref,
    isServed,
    now,
  };
}

interface Around {
  state: BatchState;
  task: TaskState;
  /** That of the task. */
  status: StatusWord;
  budget: Budget;
  room: number;
}

async function viewOf(attempt: Attempt, { state, task, status, budget, room }: Around): Promise<AttemptView> {
  const { batch } = state;
  const { number, resumes, startedAt, endedAt, usage, anewBecause } = attempt;
  const options = optionsOf(batch, task.number);
  const isOver = endedAt !== undefined || task.status === "done";
  const directory = directoryOf(batch, task.number, attempt);
  const sessions = attempt.checkSessions ?? [];
  const own = room * (1 - Math.min(0.5, checkShare * sessions.length));
  const talk = await talkOf({
    transcript: attempt.transcript,
    range: rangeOf(attempt),
    isShared: options.reuseSessions === "auto",
    isOver,
    prefix: `s${number}-`,
    directory,
    room: own,
    budget,
  });
  const checks = checksOf(options.expect);
  const earlier = task.attempts.find((one) => one.number === number - 1);
  const views = [];
  for (const session of sessions) {
    const check = checks[session.check - 1];
    views.push({
      number: session.check,
      name: check === undefined ? "of the answer" : checkName({ kind: check.kind, asked: askedBy(check) }),
      talk: {
        ...(await talkOf({
          transcript: session.transcript,
          range: {},
          isShared: false,
          isOver,
          prefix: `s${number}-c${session.check}-`,
          directory,
          room: (room - own) / sessions.length,
          budget,
        })),
        sessionId: session.sessionId,
      },
    });
  }
  return {
    number,
    resumes,
    prompt: resumes ? followUpPrompt(earlier?.outcome) : undefined,
    remark: anewBecause,
    status: attempt === task.attempts.at(-1) ? status : attemptWord(attempt),
    usage,
    startedAt,
    endedAt,
    machine: machineOfAttempt(attempt),
    talk: { ...talk, sessionId: conversationHere(attempt) ?? "" },
    stderr: stderrEndOf(attempt),
    checks: views,
  };
}

// The last attempt ended as its task did; another one was followed by a retry.
function attemptWord({ outcome }: Attempt): StatusWord {
  if (outcome === undefined) return { className: "off", word: "ended" };
  if (outcome.kind === "succeeded") return { className: "ok", word: "succeeded" };
  if (outcome.kind === "evicted") return { className: "off", word: "stopped to free memory" };
  return { className: "bad", word: outcomeText(outcome) };
}

interface Reading {
  transcript: string;
  range: TranscriptRange;
  /** Whether its process may run other tasks. */
  isShared: boolean;
  isOver: boolean;
  prefix: string;
  directory: string;
  room: number;
  budget: Budget;
}

async function talkOf(reading: Reading): Promise<Omit<Talk, "sessionId">> {
  const { transcript, range, isShared, isOver, ...manner } = reading;
  if (!exists(transcript)) return { transcript, steps: undefined, isOver };
  const shown = new ShownSession(manner);
  // A process may go on with another task at any time, but not before its end is in the log.
  const to = range.to ?? (isOver ? undefined : sizeOf(transcript));
  using lines = new TranscriptLines(transcript, { from: range.from, to });
  let turnAt = lines.position + bytesAtOnce;
  let tidyAt = lines.position;
  for (const { part, offset } of conversationIn(lines, lines.rest(), isShared)) {
    shown.add(part, offset);
    if (lines.position < turnAt) continue;
    turnAt = lines.position + bytesAtOnce;
    await new Promise(setImmediate);
    if (lines.position - tidyAt < bytesPerTidying) continue;
    // What has been read is garbage, of which the engine would let three times as much pile up.
    tidyAt = lines.position;
    Bun.gc(true);
  }
  return { transcript, steps: shown.steps, isOver, model: shown.model };
}
