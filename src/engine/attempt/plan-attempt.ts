// The next attempt at a task: a new conversation, or continuing the one that was cut off.
import { argumentsFor, initializeLine, type PutAside, resumePrompt } from "../../claude/arguments.ts";
import { conversationFile, costOfConversation } from "../../claude/conversation.ts";
import { followUpPrompt } from "../../claude/follow-up.ts";
import { mentionEnvironment } from "../../claude/mentions.ts";
import { answersRead, hasNewerAnswers } from "../../model/answers-read.ts";
import type { BatchId } from "../../model/batch-id.ts";
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { Spent } from "../../model/outcome.ts";
import { prerequisitesOf } from "../../model/prerequisites.ts";
import { type SessionValues, variableNames, variablesOf } from "../../model/session-values.ts";
import { type Attempt, attemptsSinceAsked, type BatchState, taskOf } from "../../model/state.ts";
import { directoryOf, optionsOf } from "../../model/task-options.ts";
import { traceVariable } from "../../model/trace.ts";
import { joined } from "../../platform/environment.ts";
import { exists, realPath } from "../../platform/files.ts";
import { isWithin, join } from "../../platform/paths.ts";
import { digestOf, type PrivateFile } from "../../platform/private-files.ts";
import { type Layout, stderrBeside } from "../../store/layout.ts";
import { isReusable } from "../reuse/key.ts";
import { whyStartedOver } from "./continuation.ts";
import { withAnswers } from "./earlier-answers.ts";
import type { StartPlan } from "./session-host.ts";
import { markerOf, newStartName } from "./session-name.ts";
import type { NeedsDirectory } from "./workspace.ts";

/** The inputs of a plan that may change before its attempt is in the log: a retry gives other options. */
interface Basis {
  /** 1-based. */
  attempt: number;
  /** What was requested, with what retries added to it. */
  task: string;
  /** As requested. */
  asked: SessionOptions;
  /** Whether it continues the conversation of the previous attempt. */
  resumes: boolean;
  /** Which answers of other tasks it reads. */
  reads: string;
}

export interface Impossible {
  /** In words for people. */
  message: string;
  /** The names of its variables whose values are lost, if that is the reason. */
  lost?: string[];
}

export interface AttemptPlan {
  basis: Basis;
  /** 1-based. */
  attempt: number;
  /** Whether it continues the conversation of the previous attempt. */
  resumes: boolean;
  /** Why it starts over although there was a conversation to continue. */
  anewBecause?: string;
  /** What the conversation that it continues has cost. */
  costBefore?: Spent;
  prompt: string;
  options: SessionOptions;
  session: StartPlan;
  /** Why it can never be started. */
  impossible?: Impossible;
}

/** What an attempt needs besides the batch. */
export interface Means {
  claudePath: string;
  /** Where it works. */
  workingDirectory: string;
  layout: Layout;
  environment: Record<string, string>;
  values: SessionValues;
  /** Whether the session says when the API begins to answer. */
  saysBeginning?: boolean;
  /** The span that a session is a part of, by the name of its start; undefined if no trace is sent. */
  traceparent?: ((startName: string) => string) | undefined;
}

/** What the workspace must know about the next attempt. */
export function directoryNeed(state: BatchState, number: number): NeedsDirectory {
  const { asked, resumes } = basisOf(state, number);
  const last = taskOf(state, number).attempts.at(-1);
  return {
    number,
    options: asked,
    ...(resumes ? { continuesIn: directoryOf(state.batch, number, last) } : {}),
  };
}

/** The next attempt at a task. */
export function planAttempt(state: BatchState, number: number, means: Means): AttemptPlan {
  const { batch } = state;
  const previous = taskOf(state, number).attempts.at(-1);
  const basis = basisOf(state, number);
  const { attempt, asked, resumes } = basis;
  const { prompt: task, options: own } = withAnswers(state, number, {
    layout: means.layout,
    prompt: basis.task,
    options: asked,
  });
  const followUp = resumes ? followUpPrompt(lastHeard(state, number)?.outcome) : undefined;
  const options =
    resumes && previous
      ? {
          ...own,
          resumeSessionId: previous.sessionId,
          forkSession: false,
          // What a check printed must not attach files.
          ...(followUp === undefined ? {} : { fileMentions: false }),
        }
      : own;
  // Somebody who retries a task may have changed it.
  const mayDiffer =
    attemptsSinceAsked(state, number).every(hasHeardNothing) ||
    batch.tasks[number - 1]?.appended !== undefined;
  const again = mayDiffer ? `\n\nThe whole task again:\n\n${task}` : "";
  const prompt =
    followUp !== undefined ? `${followUp}${again}` : resumes ? resumePrompt(task, options) : task;
  // A conversation on another machine has its files there.
  const costBefore = resumes && batch.hosts ? previous?.conversationCost : costBeforeOf(options, means);
  const anewBecause = resumes
    ? undefined
    : hasNewerAnswers(state, number) && previous?.resumable
      ? "What it reads of other tasks has changed since its conversation began, so the task began again from its start."
      : whyStartedOver(previous, asked);
  const values = variablesOf(means.values, number, variableNames(options.env));
  const folder = means.layout.batchDirectory(batch.batchId);
  // What is in the batch's own folder, such as answers of an earlier batch, is from us.
  const others = (asked.addDirectories ?? []).filter((directory) => !isWithin(directory, folder));
  const impossible =
    values.kind === "lost"
      ? lostValues(values.names)
      : (outside([...(batch.hosts ? [] : [means.workingDirectory]), ...others], batch.allowedRoots) ??
        vanished(batch, number));
  const variables = values.kind === "known" ? values.variables : {};
  const wanted = { prompt, options, variables };
  const session = startPlan(batch.batchId, wanted, means);
  const isOfKind = !impossible && isForAnyTask(batch, number, options, means);
  const isRemembered = isReusable(batch, number);
  return {
    basis,
    attempt,
    resumes,
    ...(anewBecause === undefined ? {} : { anewBecause }),
    ...(costBefore ? { costBefore } : {}),
    prompt,
    options,
    ...(impossible ? { impossible } : {}),
    session: isOfKind
      ? { ...session, ...kindsOf(batch.batchId, { ...wanted, isRemembered }, means) }
      : session,
  };
}

// Whether a session could serve another task as well: not if it continues a conversation, has values of its own, reads at
// its start what exists only since others have ended, or has arguments that may name any file.
function isForAnyTask(
  { tasks, hosts }: Batch,
  number: number,
  { resumeSessionId, claudeArguments }: SessionOptions,
  { values }: Means,
): boolean {
  const task = tasks[number - 1];
  if (hosts || resumeSessionId !== undefined || claudeArguments !== undefined || task?.summary) return false;
  const hasOwnValues = Object.keys(values.tasks[String(number)] ?? {}).length > 0;
  return !hasOwnValues && prerequisitesOf(task).length === 0;
}

/** Whether planning again would still give the same plan. */
export function isStillMeant({ basis }: AttemptPlan, state: BatchState, number: number): boolean {
  return Bun.deepEquals(basis, basisOf(state, number));
}

function basisOf(state: BatchState, number: number): Basis {
  const { attempts } = taskOf(state, number);
  return {
    attempt: attempts.length + 1,
    task: state.batch.tasks[number - 1]?.prompt ?? "",
    asked: optionsOf(state.batch, number),
    // A conversation that has read an earlier answer would go on with that.
    resumes: attempts.at(-1)?.resumable === true && !hasNewerAnswers(state, number),
    reads: answersRead(state, number),
  };
}

// The last attempt whose session had its prompt. A runner that is killed when it has just started one that continues takes
// the prompt along: the next session must hear the same.
function lastHeard(state: BatchState, number: number): Attempt | undefined {
  return taskOf(state, number).attempts.findLast((attempt) => !hasHeardNothing(attempt));
}

function hasHeardNothing({ resumes, usage }: Attempt): boolean {
  return resumes && usage !== undefined && !usage.atLeast && usage.numTurns === 0 && usage.costUsd === 0;
}

function costBeforeOf(
  { resumeSessionId }: SessionOptions,
  { workingDirectory, environment }: Means,
): Spent | undefined {
  if (resumeSessionId === undefined) return undefined;
  const file = conversationFile(resumeSessionId, workingDirectory, environment);
  return file === undefined ? undefined : costOfConversation(file);
}

function lostValues(names: string[]): Impossible {
  const what =
    names.length === 1 ? `The value of the variable ${names[0]}` : `The values of ${names.join(", ")}`;
  const message = `${what} (\`env\`) ${names.length === 1 ? "was" : "were"} lost when the processes of the batch ended. Values are never stored.`;
  return { message, lost: names };
}

// Since it was checked, a directory may have been moved, and its path linked to another one.
function outside(
  directories: readonly string[],
  roots: readonly string[] | undefined,
): Impossible | undefined {
  const path = directories.find((one) => roots?.every((root) => !isWithin(realPath(one), root)));
  if (path === undefined) return undefined;
  const message = `${path} now leads to ${realPath(path)}, outside the allowed roots: it was replaced after the batch had been checked.`;
  return { message };
}

// A session without its file would search for it, and cost money.
function vanished({ eachIsFile, tasks }: Batch, number: number): Impossible | undefined {
  const { key, values } = tasks[number - 1] ?? {};
  const path = values?.["path"];
  if (!eachIsFile || path === undefined || exists(path)) return undefined;
  return { message: `${key} no longer exists (${path}): it was removed after the batch had been planned.` };
}

/** What a session is started for. */
interface Wanted {
  prompt: string;
  options: SessionOptions;
  /** Of its own. */
  variables: Record<string, string>;
}

function kindsOf(batchId: BatchId, wanted: WantedOfKind, means: Means) {
  return {
    kind: () => kindOf(batchId, wanted, means),
    // A session that says when the API begins to answer can serve any task, but only some tasks need that.
    kindAfterwards: () => kindOf(batchId, wanted, { ...means, saysBeginning: false }),
  };
}

/** What its kind depends on beside that. */
interface WantedOfKind extends Wanted {
  /** Whether its answer may be remembered. */
  isRemembered: boolean;
}

// Everything by which the sessions of one runner can differ, but for the name and the conversation of each.
function kindOf(
  batchId: BatchId,
  { prompt, options, variables, isRemembered }: WantedOfKind,
  { claudePath, workingDirectory, layout, saysBeginning = false }: Means,
): string {
  // The name of such a file derives from its text.
  const putAside: PutAside = (kind, text) => privatePath(layout, batchId, kind, text);
  const parts = [
    claudePath,
    argumentsFor(options, "", { putAside, saysBeginning }),
    initializeLine(options),
    workingDirectory,
    mentionEnvironment(prompt, options, workingDirectory),
    variables,
    // A task that wants a process of its own gets none that another one has used.
    options.reuseSessions,
    // What a process keeps from its start is noted only where that counts.
    isRemembered,
  ];
  return digestOf(JSON.stringify(parts));
}

function privatePath(layout: Layout, batchId: BatchId, kind: string, text: string): string {
  return join(layout.privateFolder(batchId), `${kind}-${digestOf(text)}.json`);
}

/** How to start a session with these options. */
export function startPlan(
  batchId: BatchId,
  { prompt, options, variables }: Wanted,
  { claudePath, workingDirectory, layout, environment, saysBeginning = false, traceparent }: Means,
): StartPlan {
  const { resumeSessionId, forkSession } = options;
  const sessionId = resumeSessionId === undefined || forkSession ? crypto.randomUUID() : resumeSessionId;
  const startName = newStartName();
  const transcript = layout.transcript(batchId, startName);
  const files: PrivateFile[] = [];
  const putAside: PutAside = (kind, text) => {
    const path = privatePath(layout, batchId, kind, text);
    files.push({ path, text });
    return path;
  };
  const mentions = mentionEnvironment(prompt, options, workingDirectory);
  const traced = traceparent ? { [traceVariable]: traceparent(startName) } : {};
  const own = joined([mentions, traced, variables]);
  return {
    startName,
    sessionId,
    initialize: initializeLine(options),
    command: [claudePath, ...argumentsFor(options, sessionId, { putAside, saysBeginning })],
    workingDirectory,
    environment: joined([mentions, environment, traced, variables]),
    variables: own,
    files,
    marker: markerOf(batchId, startName),
    transcript,
    stderr: stderrBeside(transcript),
  };
}
