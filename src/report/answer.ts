// The answer of the two tools that every client knows: the public contract of results.
import { z } from "zod";
import { endOfState } from "../model/batch-end.ts";
import { type CheckResult, checkKinds } from "../model/checks.ts";
import { cut } from "../model/cut.ts";
import type { Outcome, Success } from "../model/outcome.ts";
import { taskVariableNames } from "../model/session-values.ts";
import { type BatchState, type DoneTask, doneCount, machineOf } from "../model/state.ts";
import { type StateWord, stateWords } from "../model/state-word.ts";
import { pauserOf, type WaitReason } from "../model/wait-reason.ts";
import { adviceFor } from "./advice.ts";
import { adviceFactsOf } from "./advice-facts.ts";
import { countText, durationText, numberText, timeText } from "./amounts.ts";
import { type EndFacts, endFactsOf, endFields, endFieldsOf, endText, nextText } from "./batch-end.ts";
import { type CauseFields, causeFields } from "./cause-fields.ts";
import { oneLine } from "./harmless.ts";
import { stepText } from "./next-step.ts";
import type { Door } from "./option-words.ts";
import { outcomeWord } from "./outcome-words.ts";
import { remarksOf } from "./remarks.ts";
import { reusedCount, reuseText } from "./reuse-text.ts";
import { rounded, spendingFields, spendingOf } from "./spending.ts";

export const countsSchema = z.object({
  queued: z.int(),
  running: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  cancelled: z.int(),
});

export const resultSchema = z.object({
  taskIndex: z.int().meta({ description: "1-based." }),
  key: z.string().optional().meta({ description: "Key of the task, if it has one.", listed: false }),
  taskDescription: z.string(),
  status: z.enum(["success", "error"]),
  result: z.string().optional(),
  error: z.string().optional(),
  structuredResult: z.unknown().meta({ listed: false }).optional(),
  outcome: z.string(),
  sessionId: z.string().optional().meta({ listed: false }),
  durationMs: z.number().optional().meta({ listed: false }),
  numTurns: z.int().optional().meta({ listed: false }),
  costUsd: z.number().optional(),
  model: z.string().optional().meta({ listed: false }),
  host: z.string().optional().meta({ description: "The machine it ran on, if not this one.", listed: false }),
  resultFile: z.string().optional(),
  reusedFrom: z
    .object({ batchId: z.string(), task: z.int(), key: z.string().optional(), answeredAt: z.string() })
    .optional()
    .meta({
      description: "Whose answer it is, if no session ran for this task. `answeredAt`: ISO 8601.",
      listed: false,
    }),
  env: z.array(z.string()).optional().meta({
    description: "Names of the session's variables from `env`. Their values are never stored.",
    listed: false,
  }),
  attempts: z
    .int()
    .optional()
    .meta({ description: "How many attempts were made, if more than one.", listed: false }),
  leaked: z
    .int()
    .optional()
    .meta({ description: "Processes that outlived the session and were stopped.", listed: false }),
  truncated: z.boolean().optional(),
  textLength: z
    .int()
    .optional()
    .meta({ description: "Length of the whole text in characters.", listed: false }),
  nextFrom: z.int().optional(),
  structuredLength: z.int().optional().meta({
    description:
      "Length of the data as JSON, in characters, if the data was left out. Read it with `full` or from `resultFile`.",
    listed: false,
  }),
  checks: z
    .array(
      z.object({
        kind: z.enum(checkKinds),
        asked: z.string(),
        passed: z.boolean(),
        output: z.string().optional(),
        broken: z.boolean().optional(),
      }),
    )
    .optional()
    .meta({
      description: "What the checks of `expect` found; `broken` are those that could not be made.",
      listed: false,
    }),
  permissionDenials: z.array(z.string()).optional(),
  remarks: z
    .array(z.string())
    .optional()
    .meta({ description: "What did not take effect or was unusual.", listed: false }),
  advice: z.string().optional(),
});
export type ResultEntry = z.infer<typeof resultSchema>;

/** Present while the batch is held. */
export const heldFields = {
  heldBecause: z.string().optional().meta({ description: "Why no sessions start right now.", listed: false }),
  heldUntil: z
    .string()
    .optional()
    .meta({ description: "When they start again, if known (ISO 8601).", listed: false }),
};

export function heldFieldsOf(held: WaitReason | undefined): z.infer<z.ZodObject<typeof heldFields>> {
  if (!held) return {};
  const { because, until } = held;
  return {
    heldBecause: because,
    ...(until === undefined ? {} : { heldUntil: new Date(until).toISOString() }),
  };
}

/** "No sessions start until 21:00 (in 12 min): …", for people and models. */
export function heldText({ because, until }: WaitReason, now = Date.now()): string {
  if (until !== undefined && until <= now) return `One session tries whether this is over: ${because}`;
  const when =
    until === undefined ? "for the moment" : `until ${timeText(until)}, in ${durationText(until - now)}`;
  return `No sessions start ${when}: ${because}`;
}

const batchFields = {
  batchId: z.string(),
  state: z.enum(stateWords),
  totalTasks: z.int(),
  executionTimeMs: z.number(),
  counts: countsSchema.meta({ listed: false }),
  reused: z.int().optional().meta({
    description: "How many of the successes are answers of earlier or equal tasks, which cost nothing.",
    listed: false,
  }),
  ...endFields,
  ...spendingFields,
  outputDirectory: z.string(),
  reportFile: z.string(),
  ...heldFields,
  ...causeFields,
  message: z.string().optional(),
  warnings: z
    .array(z.string())
    .optional()
    .meta({ description: "Warnings from before the start. They do not stop the batch.", listed: false }),
};

export const batchAnswerSchema = z.object({
  summary: z
    .string()
    .optional()
    .meta({ description: "With `summarize`: what the results come to.", listed: false }),
  ...batchFields,
  results: z.array(resultSchema),
  resultsLeftOut: z
    .int()
    .optional()
    .meta({ description: "How many more tasks have ended. `message` says how to read them.", listed: false }),
  pending: z.array(z.int()),
  dryRun: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: "With `dryRun`: what would have been started.", listed: false }),
  pendingRanges: z.array(z.string()).optional().meta({
    description: "All tasks that have not ended, such as `12-1500`, if `pending` lists only some.",
    listed: false,
  }),
  morePending: z.int().optional().meta({ description: "How many more tasks have not ended.", listed: false }),
});
export type BatchAnswer = z.infer<typeof batchAnswerSchema>;

export const sessionAnswerSchema = z.object({
  ...batchFields,
  // A single task has its own status.
  counts: countsSchema.meta({ listed: false }),
  end: endFields.end.meta({ listed: false }),
  ...resultSchema.partial().shape,
});
export type SessionAnswer = z.infer<typeof sessionAnswerSchema>;

/** The parts of a result that are not in the log: its text, its file, and its reader. */
export interface ResultText {
  door: Door;
  /** The answer, or what went wrong. */
  text: string;
  cut: boolean;
  /** Of the whole text, if it is cut. */
  textLength?: number;
  /** Where the rest begins, in characters. */
  nextFrom?: number;
  resultFile?: string;
}

/** One entry of `results`. */
export function resultEntryOf(
  state: BatchState,
  task: DoneTask,
  { door, text, cut, textLength, nextFrom, resultFile }: ResultText,
): ResultEntry {
  const { outcome, usage, attempts } = task;
  const { prompt = "", key } = state.batch.tasks[task.number - 1] ?? {};
  const sessionId = attempts.at(-1)?.sessionId;
  const host = machineOf(task);
  const denials = usage?.denials ?? [];
  const advice = adviceFor(outcome, adviceFactsOf(state, task, door));
  const structured = answerOf(outcome)?.structured;
  const remarks = remarksOf(task, door);
  const variables = taskVariableNames(state.batch, task.number);
  return {
    taskIndex: task.number,
    ...(key === undefined ? {} : { key }),
    taskDescription: prompt,
    ...(outcome.kind === "succeeded"
      ? { status: "success", result: text }
      : { status: "error", error: text }),
    ...(structured === undefined ? {} : { structuredResult: structured }),
    outcome: outcomeWord(task),
    ...(sessionId ? { sessionId } : {}),
    ...(usage
      ? {
          durationMs: Math.round(usage.durationMs),
          numTurns: usage.numTurns,
          costUsd: rounded(usage.costUsd),
        }
      : {}),
    ...(task.model === undefined ? {} : { model: task.model }),
    ...(host === undefined ? {} : { host }),
    ...(resultFile === undefined ? {} : { resultFile }),
    ...reusedFieldOf(outcome),
    ...(variables.length > 0 ? { env: variables } : {}),
    ...(attempts.length > 1 ? { attempts: attempts.length } : {}),
    ...(task.leaked ? { leaked: task.leaked.length } : {}),
    ...(cut ? { truncated: true } : {}),
    ...(textLength === undefined ? {} : { textLength }),
    ...(nextFrom === undefined ? {} : { nextFrom }),
    ...(task.checks ? { checks: task.checks.map(checkEntry) } : {}),
    ...(denials.length > 0 ? { permissionDenials: denials.map(({ rule }) => rule) } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
    ...(advice === undefined ? {} : { advice }),
  };
}

function reusedFieldOf(outcome: Outcome): Pick<ResultEntry, "reusedFrom"> {
  if (outcome.kind !== "succeeded" || !outcome.reused) return {};
  const { batchId, task, key, at } = outcome.reused;
  const answeredAt = new Date(at).toISOString();
  return { reusedFrom: { batchId, task, ...(key === undefined ? {} : { key }), answeredAt } };
}

/** The answer of a task, even if it did not pass its checks. */
function answerOf(outcome: Outcome): Success | undefined {
  if (outcome.kind === "succeeded") return outcome;
  return outcome.kind === "unverified" ? outcome.answer : undefined;
}

/** Most characters of what one check said; the result page has more. */
const longestCheck = 1_000;

function checkEntry({ kind, asked, passed, output, broken }: CheckResult) {
  return {
    kind,
    asked: cut(asked, 300),
    passed,
    ...(output === "" ? {} : { output: cut(output, longestCheck) }),
    ...(broken ? { broken } : {}),
  };
}

/** The parts of an answer that are not in the log. */
interface AnswerFacts {
  /** Milliseconds since 1970. */
  now: number;
  reportFile: string;
  held?: WaitReason | undefined;
  message?: string | undefined;
  /** The text of its summary. */
  summary?: string | undefined;
  /** Why tasks failed, in the words of the reader. */
  causes?: CauseFields | undefined;
}

/** The whole answer. `results`: those of ended tasks, by number. */
export function batchAnswerOf(
  state: BatchState,
  word: StateWord,
  results: ResultEntry[],
  { now, reportFile, held, message, summary, causes }: AnswerFacts,
): BatchAnswer {
  return {
    ...(summary === undefined ? {} : { summary }),
    batchId: state.batch.batchId,
    state: word,
    totalTasks: state.tasks.length,
    // The clock may have been set back since; events never go back.
    executionTimeMs: (state.endedAt ?? Math.max(now, state.changedAt)) - state.createdAt,
    counts: { ...state.counts },
    ...(reusedCount(state) > 0 ? { reused: reusedCount(state) } : {}),
    ...endFieldsOf(endOfState(state, word)),
    ...spendingOf(state, { word, now, heldUntil: held?.until }),
    outputDirectory: state.outputDirectory,
    reportFile,
    ...heldFieldsOf(held),
    ...causes,
    ...(message === undefined ? {} : { message }),
    ...(state.batch.warnings === undefined ? {} : { warnings: state.batch.warnings }),
    results,
    pending: state.tasks.filter((task) => task.status !== "done").map((task) => task.number),
  };
}

/** The answer of a batch with one task: its result, and the batch's fields beside it. */
export function sessionAnswerOf({ results, pending: _, ...batch }: BatchAnswer): SessionAnswer {
  return { ...batch, ...results[0] };
}

/** "12 of 40 tasks have ended: 11 succeeded, 1 failed." */
export function countsText(state: BatchState): string {
  const { succeeded, failed, cancelled } = state.counts;
  const done = doneCount(state.counts);
  const total = state.tasks.length;
  if (done === 0)
    return total === 1 ? "The task has not ended." : `None of the ${numberText(total)} tasks has ended.`;
  const parts = [
    `${numberText(succeeded)} succeeded`,
    ...(failed > 0 ? [`${numberText(failed)} failed`] : []),
    ...(cancelled > 0 ? [`${numberText(cancelled)} cancelled`] : []),
  ];
  const ended =
    done === total
      ? `${total === 1 ? "The task" : `All ${numberText(total)} tasks`} ended`
      : `${numberText(done)} of ${numberText(total)} tasks ${done === 1 ? "has" : "have"} ended`;
  return `${ended}: ${parts.join(", ")}.`;
}

/** How far a batch is, or how it ended and why, and what to do next, in the words of one door. */
export function statusText(
  state: BatchState,
  word: StateWord,
  { door, held }: { door: Door; held?: WaitReason | undefined },
): string {
  const end = endOfState(state, word);
  const reuse = reuseText(state, door);
  if (end) return endMessage(endFactsOf(state, end), { ...state, reuse }, door);
  const now =
    state.cancelledBy !== undefined
      ? "It is being cancelled."
      : state.paused
        ? `It was paused by ${oneLine(pauserOf(state.paused), 80)}: what runs goes on to its end. ${stepText(door, { do: "continue", batchId: state.batch.batchId })} runs the rest.`
        : held
          ? heldText(held)
          : "It is still running; ask again later.";
  return sentencesOf([countsText(state), reuse, unwrittenText(state), now]);
}

/** How a batch ended and why, what was reused, which of its files are missing, and what to do next. */
export function endMessage(
  facts: EndFacts,
  more: Pick<BatchState, "fileFailures"> & { reuse?: string | undefined },
  door: Door,
): string {
  return sentencesOf([endText(facts), more.reuse, unwrittenText(more), nextText(facts, door)]);
}

function sentencesOf(sentences: readonly (string | undefined)[]): string {
  return sentences.filter((sentence) => sentence !== undefined).join(" ");
}

/** Which files could not be written, and why; undefined if all were. */
export function unwrittenText({ fileFailures }: Pick<BatchState, "fileFailures">): string | undefined {
  const [unwritten] = fileFailures;
  if (!unwritten) return undefined;
  return `${countText(fileFailures.size, "file")} could not be written: ${unwritten[0]}: ${unwritten[1]}.`;
}
