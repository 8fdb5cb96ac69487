// A batch's answer for a client's model: within its limit, and marked where it is cut.
import { fairShares, reportFileOf } from "../engine/output/answer.ts";
import { resultFilesOf } from "../engine/output/result-file.ts";
import { longestText } from "../engine/output/result-text.ts";
import { type SummaryText, summaryTextOf } from "../engine/output/summary-text.ts";
import { rangeWords } from "../model/number-ranges.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { listedTasks } from "../model/summary.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { countText, numberText } from "../report/amounts.ts";
import { type BatchAnswer, batchAnswerOf, type ResultEntry } from "../report/answer.ts";
import { causeFieldsOf } from "../report/cause-fields.ts";
import { causesSentence } from "../report/cause-text.ts";
import type { Door } from "../report/option-words.ts";
import { entryOf } from "./entry.ts";
import { fitting } from "./fitting.ts";
import { expectedLength } from "./task-text.ts";

/** No entry has fewer characters, which limits how many to try. */
const entryCharacters = 200;
/** The caller wrote the tasks itself, so all of them together get only this share of the answer. */
const descriptionShare = 1 / 20;
/** The summary may use this share of it, because it comes first. */
const summaryShare = 1 / 2;
/** How many numbers of unfinished tasks to list; of more, ranges. */
const mostPending = 50;
/** Follows a text that is cut. */
const cutMark = " […]";

interface ClientAnswerRequest {
  word: StateWord;
  /** For the whole answer as JSON. */
  mostCharacters: number;
  held?: WaitReason | undefined;
  door: Door;
  message: string;
}

/** The answer, as far as the batch has progressed. */
export async function clientAnswerOf(state: BatchState, request: ClientAnswerRequest): Promise<BatchAnswer> {
  const { word, mostCharacters, held, door, message } = request;
  const done = listedTasks(state);
  const summary = summaryTextOf(state, Math.floor(mostCharacters * summaryShare));
  const facts = {
    now: Date.now(),
    reportFile: reportFileOf(state),
    held,
    summary: summary && `${summary.text}${summary.cut ? cutMark : ""}`,
    causes: causeFieldsOf(state, door),
  };
  const items = done.slice(0, Math.ceil(mostCharacters / entryCharacters));
  const files = await resultFilesOf(state, items);
  const causesHint = [causesSentence(state)].filter((text) => text !== undefined);
  const most = { mostCharacters, items, lengthOf: expectedLength };
  return fitting(most, (listed, share) => {
    const characters = Math.min(share, mostCharacters);
    const description = fairShares(
      listed.map(({ number }) => state.batch.tasks[number - 1]?.prompt.length ?? 0),
      Math.floor(mostCharacters * descriptionShare),
    );
    const results = listed.map((task) =>
      resultOf(state, task, { characters, description, resultFile: files.get(task.number), door }),
    );
    const answer = batchAnswerOf(state, word, results, {
      ...facts,
      message: [
        message,
        ...causesHint,
        ...hints(state, { results, leftOut: done.length - listed.length, summary }),
      ].join(" "),
    });
    return withLeftOut(answer, done.length - listed.length);
  });
}

// Without `textLength` if the text is whole.
function resultOf(
  state: BatchState,
  task: DoneTask,
  {
    characters,
    description,
    resultFile,
    door,
  }: { characters: number; description: number; resultFile: string | undefined; door: Door },
): ResultEntry {
  const { textLength, ...entry } = entryOf(state, task, {
    range: { from: 0, characters },
    description,
    resultFile,
    door,
  });
  const { nextFrom, result } = entry;
  if (nextFrom === undefined || result === undefined) return entry;
  // The message says once for all of them how to read on.
  return { ...entry, result: `${result}${cutMark}`, textLength };
}

function hints(
  { batch }: BatchState,
  {
    results,
    leftOut,
    summary,
  }: { results: readonly ResultEntry[]; leftOut: number; summary: SummaryText | undefined },
): string[] {
  const long = results.find(({ nextFrom }) => nextFrom !== undefined);
  return [
    ...(summary?.cut
      ? [
          `The summary is longer: read_batch_results (batchId ${batch.batchId}, tasks [${summary.task}], from ${summary.text.length}) reads on.`,
        ]
      : []),
    ...(leftOut === 0
      ? []
      : [
          `The results of ${countText(leftOut, "more task")} that ended are left out, for the answer would be too long: read_batch_results (batchId ${batch.batchId}, offset ${results.length}) gives them.`,
        ]),
    ...(long
      ? [
          `Texts are shortened because the answer would be too long; those that are have \`truncated\`. \`resultFile\` has them up to ${numberText(longestText)} characters, and read_batch_results reads on, such as task ${long.taskIndex}: batchId ${batch.batchId}, tasks [${long.taskIndex}], from ${long.nextFrom}.`,
        ]
      : []),
  ];
}

/** Most ranges to list. Tasks end in about the order in which they begin, so there are few. */
const mostRanges = 100;

function withLeftOut(answer: BatchAnswer, leftOut: number): BatchAnswer {
  const { pending } = answer;
  const more = pending.length - mostPending;
  return {
    ...answer,
    ...(leftOut > 0 ? { resultsLeftOut: leftOut } : {}),
    ...(more > 0
      ? {
          pending: pending.slice(0, mostPending),
          morePending: more,
          pendingRanges: rangeWords(pending).slice(0, mostRanges),
        }
      : {}),
  };
}
